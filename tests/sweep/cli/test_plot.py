"""sweep plot: a file for each plot."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import Run


@pytest.mark.parametrize(
    "kind", ["comparison", "learning_curves", "heatmap", "slice", "parallel_coordinates"]
)
def test_every_plot_is_written(stored: Run, tmp_path: Path, kind: str) -> None:
    ended = stored("plot", "moons.sweep", kind)
    name = f"moons-{kind.replace('_', '-')}.png"
    assert (ended.code, ended.out) == (0, f"wrote {name}\n")
    assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_options_of_plots(stored: Run, tmp_path: Path) -> None:
    assert stored("plot", "moons.sweep", "heatmap", "--x", "hidden", "--y", "learning_rate").code == 0
    assert stored("plot", "moons.sweep", "--metric", "train_loss", "--top", "2", "--out", "p.svg").code == 0
    assert (tmp_path / "p.svg").read_text().startswith("<?xml")


def test_a_plot_is_written_to_the_very_name_it_was_given(stored: Run, tmp_path: Path) -> None:
    assert stored("plot", "moons.sweep", "--out", "drawn").out == "wrote drawn\n"
    assert (tmp_path / "drawn").read_bytes().startswith(b"\x89PNG")


def test_a_plot_that_needs_a_program_that_is_not_there(stored: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    ended = stored("plot", "moons.sweep", "--out", "p.pgf")
    assert (ended.code, len(ended.errors)) == (2, 1)
    assert ended.errors[0].startswith("sweep: --out p.pgf: 'xelatex' not found")
