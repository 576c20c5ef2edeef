"""Every script and every TOML file of experiments/ runs, made small: a newcomer's first command never fails."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
SWEEP = [sys.executable, "-W", "error", "-c", "from sweep.cli import main; main()"]


def run(arguments: list[str], folder: Path) -> str:
    result = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.mark.parametrize("script", sorted(EXPERIMENTS.glob("*.py")), ids=lambda path: path.name)
def test_script_runs_and_writes_what_it_says(script: Path, tmp_path: Path) -> None:
    output = run([sys.executable, "-W", "error", str(script), "--quick"], tmp_path)
    written = [line.split()[1].rstrip(":,;") for line in output.splitlines() if line.startswith("wrote ")]
    assert written
    assert [name for name in written if not (tmp_path / name).stat().st_size] == []


@pytest.mark.parametrize("toml", sorted(EXPERIMENTS.glob("*.toml")), ids=lambda path: path.name)
def test_toml_runs_and_stores_a_row_per_trial(toml: Path, tmp_path: Path) -> None:
    smaller = ["repeats=2", "optimizer.epochs=2"]
    if "samples" in tomllib.loads(toml.read_text(encoding="utf-8")):
        smaller.append("samples=3")
    run([*SWEEP, "run", str(toml), *smaller, "--store", "small.sweep"], tmp_path)
    table = run([*SWEEP, "table", "small.sweep", "--format", "csv"], tmp_path)
    assert len(table.splitlines()) > 2
    run([*SWEEP, "plot", "small.sweep", "--out", "plot.png"], tmp_path)
    assert (tmp_path / "plot.png").stat().st_size > 0


def test_there_are_experiments() -> None:
    assert len(list(EXPERIMENTS.iterdir())) >= 5
