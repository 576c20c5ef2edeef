"""What runs commands, and a store for them."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from commands import MOONS, Outcome, Run

from sweep.cli import main


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs a command in an empty folder with moons.toml in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["sweep"])
    (tmp_path / "moons.toml").write_text(MOONS)

    def run(*arguments: str) -> Outcome:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        captured = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def store_of_moons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the store of a run of moons.toml."""
    folder = tmp_path_factory.mktemp("moons")
    (folder / "moons.toml").write_text(MOONS)
    with pytest.raises(SystemExit):
        main(["run", str(folder / "moons.toml"), "--store", str(folder / "moons.sweep")])
    return folder / "moons.sweep"


@pytest.fixture
def stored(run: Run, store_of_moons: Path, tmp_path: Path) -> Run:
    """Return what runs a command in a folder with a copy of that store in it."""
    shutil.copy(store_of_moons, tmp_path)
    return run
