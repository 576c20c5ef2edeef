"""Golden digests: the bits of trained networks, committed. Changing one bumps NUMERICS_VERSION.

After a change that is meant to move the bits, raise NUMERICS_VERSION and write them anew:

    PYTHONPATH=tests/support python tests/neuralnet_core/test_golden.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from golden_cases import CASES, alone, in_packs

from neuralnet_core import NUMERICS_VERSION
from neuralnet_core.engine import _cpu

GOLDEN = Path(__file__).with_name("golden.json")
SUPPORT = Path(__file__).parents[1] / "support"


@pytest.mark.parametrize("name", CASES)
def test_the_bits_are_those_of_this_numerics_version(name: str) -> None:
    golden = json.loads(GOLDEN.read_text())
    assert golden["numerics_version"] == NUMERICS_VERSION
    assert alone(name) == golden["digests"][name]


@pytest.mark.parametrize("name", CASES)
def test_packs_give_the_same_bits(name: str) -> None:
    assert set(in_packs(name)) == {json.loads(GOLDEN.read_text())["digests"][name]}


# The choice is made once in a process.
EVERY_CASE = """
import json
from golden_cases import CASES, alone, in_packs
from neuralnet_core import engine_info

print(json.dumps([engine_info().instruction_set, {name: [alone(name), *in_packs(name)] for name in CASES}]))
"""


@pytest.mark.parametrize("instruction_set", _cpu.supported())
def test_every_instruction_set_of_this_processor_gives_the_same_bits(instruction_set: str) -> None:
    path = os.pathsep.join([str(SUPPORT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "NEURALNET_INSTRUCTION_SET": instruction_set, "PYTHONPATH": path}
    child = subprocess.run(
        [sys.executable, "-c", EVERY_CASE], env=environment, capture_output=True, text=True, check=False
    )
    assert child.returncode == 0, child.stderr
    chosen, found = json.loads(child.stdout)
    assert chosen == instruction_set
    golden = json.loads(GOLDEN.read_text())["digests"]
    assert {name: digests for name, digests in found.items() if set(digests) != {golden[name]}} == {}
    assert sorted(found) == sorted(golden)


def test_no_golden_digest_is_left_over() -> None:
    assert sorted(json.loads(GOLDEN.read_text())["digests"]) == sorted(CASES)


if __name__ == "__main__":
    content = {"numerics_version": NUMERICS_VERSION, "digests": {name: alone(name) for name in CASES}}
    GOLDEN.write_text(json.dumps(content, indent=1) + "\n")
