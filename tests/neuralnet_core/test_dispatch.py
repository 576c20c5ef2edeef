"""The choice among compiled modules: by processor, overridable for tests, the same bits from each."""

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

TRAIN = """
import json, numpy as np
from neuralnet_core import *
X = np.linspace(-1, 1, 300)[:, None] * np.array([1.0, -0.5, 2.0])
y = np.sin(X).sum(axis=1)
digests = []
for dtype in ("float32", "float64"):
    networks = [Network([Dense(7, name), Dropout(0.2), Dense(1)]) for name in ("tanh", "gelu", "softplus", "selu")]
    models = train_many(networks, Adam(0.01, epochs=3, l1=1e-4, clip_norm=1.0), X, y, seeds=[0, 1, 2, 3], dtype=dtype)
    models += train_many(networks[0], Momentum(0.01, epochs=3, batch_size=None), X, y, seeds=0, dtype=dtype)
    digests += [model.digest() for model in models]
print(json.dumps([engine_info().instruction_set, digests]))
"""


def trained_with(instruction_set: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NEURALNET_INSTRUCTION_SET": instruction_set}
    return subprocess.run(
        [sys.executable, "-c", TRAIN], env=environment, capture_output=True, text=True, check=False
    )


def test_every_instruction_set_of_this_processor_gives_the_same_bits() -> None:
    results = [json.loads(trained_with(name).stdout) for name in _cpu.supported()]
    assert [name for name, _ in results] == _cpu.supported()
    assert all(digests == results[0][1] for _, digests in results)


def test_an_unknown_instruction_set_is_refused_in_one_line() -> None:
    result = trained_with("mmx")
    assert result.returncode != 0
    assert (
        result.stderr.strip()
        .splitlines()[-1]
        .startswith("ValueError: NEURALNET_INSTRUCTION_SET must be one of baseline")
    )


def test_engine_info_says_what_was_chosen() -> None:
    info = engine_info()
    assert info.numerics_version == NUMERICS_VERSION
    assert info.instruction_set in _cpu.supported()
    assert info.lanes == (
        {"float32": 16, "float64": 8} if info.instruction_set == "v4" else {"float32": 8, "float64": 4}
    )


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
