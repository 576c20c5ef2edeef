"""The choice among compiled modules: by processor, overridable for tests.

That all give the same bits is shown by test_golden.py.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from neuralnet_core import NUMERICS_VERSION, engine_info
from neuralnet_core.engine import _cpu

ROOT = Path(__file__).resolve().parents[2]

INFO = """
import dataclasses, json
from neuralnet_core import engine_info
from neuralnet_core.engine.dispatch import kernel
modules = {dtype: kernel(dtype).__name__ for dtype in ("float32", "float64")}
print(json.dumps([dataclasses.asdict(engine_info()), modules]))
"""


def chosen_with(instruction_set: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NEURALNET_INSTRUCTION_SET": instruction_set}
    return subprocess.run(
        [sys.executable, "-c", INFO], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", _cpu.supported())
def test_the_environment_chooses_and_engine_info_says_so(name: str) -> None:
    info, modules = json.loads(chosen_with(name).stdout)
    assert info["instruction_set"] == name
    assert info["numerics_version"] == NUMERICS_VERSION
    wide = name in ("v4", "v3wide")
    assert info["lanes"] == ({"float32": 16, "float64": 8} if wide else {"float32": 8, "float64": 4})
    assert modules == {dtype: f"neuralnet_core.engine._{name}_{dtype}" for dtype in ("float32", "float64")}


def test_without_a_choice_it_is_the_best() -> None:
    environment = {key: value for key, value in os.environ.items() if key != "NEURALNET_INSTRUCTION_SET"}
    child = subprocess.run([sys.executable, "-c", INFO], env=environment, capture_output=True, check=True)
    assert json.loads(child.stdout)[0]["instruction_set"] == _cpu.supported()[-1]


def test_an_instruction_set_that_the_processor_lacks_is_refused_in_one_line() -> None:
    result = chosen_with("mmx")
    assert result.returncode != 0
    names = ", ".join(_cpu.supported())
    assert result.stderr.strip().splitlines()[-1] == (
        f"ValueError: NEURALNET_INSTRUCTION_SET must be one of {names} on this processor, got 'mmx'"
    )


def test_engine_info_is_that_of_this_process() -> None:
    assert engine_info().instruction_set in _cpu.supported()


@pytest.mark.parametrize("command", ["import neuralnet_core", "import sweep"])
@pytest.mark.parametrize(
    ("version", "line"),
    [
        (sys.version_info[:3], "neuralnet_core is not compiled here: run `python -m pip install .` in "),
        ((3, 10, 13), "neuralnet_core needs Python 3.11 or newer, this is 3.10.13: make the environment "),
    ],
)
def test_the_uncompiled_source_folder_says_what_to_do(
    command: str, version: tuple[int, ...], line: str, tmp_path: Path
) -> None:
    """A copy of the Python files alone, as a clone has them, and a Python (-S) that has no library installed."""
    for package in ("neuralnet_core", "sweep"):
        ignored = shutil.ignore_patterns("*.so", "__pycache__")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    code = f"import sys; sys.path.insert(0, ''); sys.version_info = {version}; {command}"
    result = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode != 0
    assert result.stderr.strip().splitlines()[-1].startswith(f"ImportError: {line}")
