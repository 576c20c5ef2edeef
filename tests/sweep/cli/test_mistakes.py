"""A user's mistakes: one line each and an exit code, no traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Run
from store_values import execute


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["nowhere.toml"], 2, "Invalid value for 'FILE': File 'nowhere.toml' does not exist."),
        (["moons.toml", "repeats=0"], 2, "command line: repeats: must be >= 1, got 0"),
        (["moons.toml", "--n-jobs", "0"], 2, "n_jobs must not be 0"),
        (["moons.toml", "--n-jobs", "two"], 2, "Invalid value for '--n-jobs': 'two' is not a valid integer."),
        (["moons.toml", "--backend", "gpu"], 2, "Invalid value for '--backend': 'gpu' is not one of "),
        (["moons.toml", "--stor", "x"], 2, "No such option"),
        (
            ["moons.toml", "validation=0.001"],
            2,
            "validation=0.001 of 200 rows leaves a part of 1 for 2 classes",
        ),
        (["moons.toml", "objective=validation_r2"], 2, "objective must be one of train_loss, "),
        (["moons.toml", "--store", "no/folder.sweep"], 2, "folder "),
        (["moons.toml", "--store", ""], 2, "--store is empty: give the name of a file"),
        (
            ["moons.toml", "--store", "/dev/null"],
            2,
            "/dev/null is a device, a pipe or a socket, not a file: choose another file",
        ),
        (
            ["moons.toml", 'data={file="data.csv", target="y"}'],
            65,
            "data.csv: column 'a' has 1 missing value",
        ),
        (
            ["moons.toml", 'data={file="inf.csv", target="y"}'],
            65,
            "inf.csv: column 'a' must be finite, got inf",
        ),
        (["moons.toml", 'data={file="labels.csv", target="y"}'], 2, "moons.toml: network: "),
        (["moons.toml", 'data={file="none.csv", target="y"}'], 65, "none.csv: there is no such file"),
    ],
)
def test_a_mistake_is_one_line(run: Run, tmp_path: Path, arguments: list[str], code: int, line: str) -> None:
    (tmp_path / "data.csv").write_text("a,y\n1,0\n,1\n")
    (tmp_path / "inf.csv").write_text("a,y\n1,0\ninf,1\n2,0\n2,1\n")
    (tmp_path / "labels.csv").write_text("a,y\n1,3\n1,4\n2,5\n2,5\n")
    ended = run("run", *arguments)
    assert ended.code == code
    (told,) = ended.errors
    assert told.startswith(f"sweep: {line}")


def test_nothing_is_said_to_be_recorded_before_the_arguments_are_right(run: Run, tmp_path: Path) -> None:
    ended = run("run", "moons.toml", "--n-jobs", "0")
    assert (ended.code, ended.out) == (2, "")
    assert not (tmp_path / "moons.sweep").exists()


def test_several_mistakes_are_a_line_each(run: Run) -> None:
    ended = run("run", "moons.toml", "repeats=0", "seed=-1", "dtype=int8")
    assert ended.code == 2
    assert [line.split(": ")[2] for line in ended.errors] == ["repeats", "seed", "dtype"]


@pytest.mark.parametrize(
    ("make", "code", "line"),
    [
        (lambda path: path.write_text("notes\n" * 999), 65, "is not a store of sweeps: choose another file"),
        (lambda path: path.write_bytes(path.read_bytes()[:9000]), 65, "is damaged"),
        (
            lambda path: execute(path, "PRAGMA user_version = 99"),
            65,
            "was written by a newer version (format 99",
        ),
        (lambda path: execute(path, "PRAGMA application_id = 1"), 65, "belongs to another program"),
        (lambda path: path.unlink() or path.mkdir(), 2, "is a folder, not a file: choose another file"),
    ],
    ids=["text", "cut", "newer", "foreign", "folder"],
)
def test_a_store_that_is_none_is_one_line_with_its_code(
    run: Run, tmp_path: Path, make: Callable[[Path], object], code: int, line: str
) -> None:
    run("run", "moons.toml")
    make(tmp_path / "moons.sweep")
    ended = run("run", "moons.toml")
    assert ended.code == code
    (told,) = ended.errors
    assert told.startswith(f"sweep: {tmp_path}/moons.sweep ")
    assert line in told


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["table", "nowhere.sweep"], 2, "Invalid value for 'STORE': File 'nowhere.sweep' does not exist."),
        (["table", "moons.toml"], 65, "moons.toml is not a store of sweeps"),
        (
            ["table", "moons.sweep", "--format", "xml"],
            2,
            "Invalid value for '--format': 'xml' is not one of ",
        ),
        (["table", "moons.sweep", "--format", "parquet"], 2, "--format parquet needs --out FILE"),
        (["table", "moons.sweep", "--out", "no/t.csv"], 2, "no/t.csv: No such file or directory"),
        (["table", "moons.sweep", "--out", "no/t.json"], 2, "no/t.json: No such file or directory"),
        (["table", "moons.sweep", "--out", "/dev/full"], 75, "/dev/full: No space left on device"),
        (["plot", "moons.sweep", "--out", "/dev/full"], 75, "/dev/full: No space left on device"),
        (["plot", "moons.sweep", "--out", ""], 2, "--out is empty: give the name of a file"),
        (["plot", "moons.sweep", "--out", "."], 2, "Invalid value for '--out': File '.' is a directory."),
        (["plot", "moons.sweep", "pie"], 2, "Invalid value for '[KIND]': 'pie' is not one of 'comparison', "),
        (["plot", "moons.sweep", "--top", "0"], 2, "Invalid value for '--top': 0 is not in the range x>=1."),
        (["plot", "moons.sweep", "heatmap", "--top", "3"], 2, "--top is not for heatmap"),
        (["plot", "moons.sweep", "--metric", "accuracy"], 2, "metric must be one of "),
        (["plot", "moons.sweep", "slice", "--parameter", "depth"], 2, "parameter must be one of "),
        (
            ["table", "moons.sweep", "--out", "t.xlsx"],
            2,
            "--out t.xlsx: give a name in .csv, .json, .parquet or .txt",
        ),
        (["plot", "moons.sweep", "--out", "no/p.png"], 2, "no/p.png: No such file or directory"),
        (["plot", "moons.sweep", "--out", "p.xyz"], 2, "--out p.xyz: give a name in ."),
        (["plot", "moons.sweep", "--out", "new.sweep"], 2, "--out new.sweep: give a name in ."),
        (["verify", "moons.sweep", "--seed", "-1"], 2, "seed must be >= 0, got -1"),
        (["frobnicate"], 2, "No such command 'frobnicate'"),
    ],
)
def test_a_mistake_with_a_store_is_one_line(stored: Run, arguments: list[str], code: int, line: str) -> None:
    ended = stored(*arguments)
    assert ended.code == code
    (told,) = [error for error in ended.errors if error.startswith("sweep: ")]
    assert line in told
    assert "Traceback" not in ended.err
