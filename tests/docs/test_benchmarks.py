"""The benchmarks run: all sides that need nothing but the project's own packages agree, and rows become tables."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
# A script finds the rooms beside it through the folder it is in.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}


def run(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)


def output(*arguments: object, folder: Path) -> str:
    result = run(*arguments, folder=folder)
    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.mark.parametrize("workload", ["W1", "W2", "W3", "W4", "W6", "solo"])
def test_all_sides_train_the_same_networks(workload: str, tmp_path: Path) -> None:
    sides = ["ours", "scikit-learn", "numpy", "numpy-segments"]
    arguments = [workload, "--check", "--dtype", "float64", "--validation", "with", "--sides", *sides]
    lines = output(BENCHMARKS / "speed.py", *arguments, folder=tmp_path).splitlines()
    assert len(lines) == (3 if workload == "W4" else 2)
    assert all("allowed 1e-06" in line for line in lines)


def test_a_side_that_trains_other_networks_is_not_timed(tmp_path: Path) -> None:
    program = """
import sys
sys.path.insert(0, sys.argv[1])
from harness.comparison import Disagreement, compare
from harness.problem import Problem
from harness.workloads import WORKLOADS
from peers.numpy_batched import Stack
update = Stack._update
def slower(self):  # an easy mistake: the mean of a mean
    self._gradient /= 2
    update(self)
Stack._update = slower
try:
    compare(Problem.of(WORKLOADS["solo"], "float32"), ["ours", "numpy"], runs=1)
except Disagreement as error:
    print(error)
"""
    assert "nothing is timed" in output("-c", program, BENCHMARKS, folder=tmp_path)


def test_what_is_measured_becomes_rows_tables_and_plots(tmp_path: Path) -> None:
    sides = ["--sides", "ours", "numpy", "--runs", "1"]
    printed = output(BENCHMARKS / "speed.py", "solo", *sides, "--out", tmp_path / "speed", folder=tmp_path)
    assert printed.count("solo") == 8  # both sides, both widths, without and with validation
    output(BENCHMARKS / "overhead.py", "--quick", "--out", tmp_path / "overhead.json", folder=tmp_path)
    output(BENCHMARKS / "durability.py", "--quick", "--out", tmp_path / "durability.json", folder=tmp_path)
    output(BENCHMARKS / "scaling.py", "networks", "batch", "--quick", "--out", tmp_path, folder=tmp_path)
    output(BENCHMARKS / "render.py", "--results", tmp_path, folder=tmp_path)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    titles = [line for line in text.splitlines() if line.startswith("## ")]
    assert len(titles) == 9
    assert "| neuralnet-sweep |" in text
    assert (tmp_path / "speed.png").stat().st_size > 0


@pytest.mark.parametrize("name", ["results", "results-avx2"])
def test_the_committed_tables_are_those_of_the_committed_rows(name: str, tmp_path: Path) -> None:
    results = shutil.copytree(BENCHMARKS / name, tmp_path / name)
    committed = (results / "README.md").read_text(encoding="utf-8")
    output(BENCHMARKS / "render.py", "--results", results, folder=tmp_path)
    assert (results / "README.md").read_text(encoding="utf-8") == committed


def test_a_workload_that_does_not_exist_gets_one_line(tmp_path: Path) -> None:
    result = run(BENCHMARKS / "speed.py", "W7", folder=tmp_path)
    assert result.returncode == 2
    assert "a workload must be one of W1, W2, W3, W4, W6, solo, got W7" in result.stderr
