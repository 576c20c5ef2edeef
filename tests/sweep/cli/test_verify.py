"""sweep status and sweep verify: what a store has, and the proof of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import MOONS, Run
from store_values import execute
from user_functions import distance

from sweep import Results, Sweep
from sweep.errors import DataError


def test_status_and_verify(stored: Run, tmp_path: Path) -> None:
    assert "done        12" in stored("status", "moons.sweep").out
    proof = stored("verify", "moons.sweep")
    assert (proof.code, proof.out) == (0, "trained again: 12 of 12 results; all are the same\n")
    execute(tmp_path / "moons.sweep", "UPDATE records SET epoch = 1 WHERE record = 1")
    proof = stored("verify", "moons.sweep")
    assert proof.code == 1
    assert "1 trial differs" in proof.out
    assert "recorded 1, found 4" in proof.out
    for place in ("moons.toml", "moons.sweep"):
        (tmp_path / place).unlink()
    assert stored("verify", "moons.sweep").code == 2


def test_a_store_is_verified_from_itself_alone(stored: Run, tmp_path: Path) -> None:
    (tmp_path / "moons.toml").write_text("this is no longer the experiment")
    proof = stored("verify", "moons.sweep", "--sample", "5", "--seed", "1")
    assert (proof.code, proof.out) == (0, "trained again: 5 of 12 results; all are the same\n")
    results = Results.open(tmp_path / "moons.sweep")
    assert results.model(3).digest() == results.trials.loc[3, "digest"]
    change = "UPDATE sweep SET value = replace(value, '0.2', '0.3') WHERE key = 'source'"
    execute(tmp_path / "moons.sweep", change)
    proof = stored("verify", "moons.sweep")
    assert proof.code == 65
    assert (
        proof.err
        == f"sweep: {tmp_path}/moons.sweep: nothing can be verified, it was written for other data\n"
    )
    with pytest.raises(DataError, match="trial 3 was trained on other data, or by another version"):
        Results.open(tmp_path / "moons.sweep").model(3)


def test_who_verifies_a_function_is_told_how(run: Run, tmp_path: Path) -> None:
    sweep = Sweep(function=distance, space={"a": [0.5]})
    sweep.run([[0.0], [1.0]], [0.0, 1.0], n_jobs=1, store=tmp_path / "a.sweep")
    proof = run("verify", "a.sweep")
    assert (proof.code, proof.err.count("\n")) == (2, 1)
    assert "Sweep(function=distance, ...).verify(X, y, store='a.sweep') calls it again" in proof.err


def test_the_files_of_a_verified_store_may_have_moved(run: Run, tmp_path: Path) -> None:
    rows = "\n".join(f"{number / 20},{number % 7},{number % 2}" for number in range(40))
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "data.csv").write_text(f"a,b,y\n{rows}\n")
    (tmp_path / "here" / "held.csv").write_text(f"y,b,a\n{rows}\n")
    options = [
        'data={file="data.csv", target="y", scaling="standard"}',
        'validation={file="held.csv"}',
        "dtype=float64",
    ]
    options += ['network.loss="mse"', "space.hidden=[3]"]
    (tmp_path / "here" / "moons.toml").write_text(MOONS)
    assert run("run", "here/moons.toml", *options, "--store", "a.sweep").code == 0
    assert run("verify", "a.sweep").code == 0
    (tmp_path / "here").rename(tmp_path / "there")
    proof = run("verify", "a.sweep")
    assert (proof.code, proof.err) == (65, f"sweep: {tmp_path}/here/data.csv: there is no such file\n")
    assert run("verify", "a.sweep", "--folder", "there").code == 0
    (tmp_path / "there" / "data.csv").write_text(f"a,b,y\n0,0,0\n{rows}\n")
    assert run("verify", "a.sweep", "--folder", "there").code == 65


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("UPDATE sweep SET value = '{}' WHERE key = 'source'", "the source of the data: folder: is required"),
        ("UPDATE sweep SET value = '7' WHERE key = 'source'", "moons.sweep is damaged (source is '7')"),
        (
            "DELETE FROM sweep WHERE key = 'source'",
            "moons.sweep does not say where its data come from; a sweep run in Python is",
        ),
        ("UPDATE sweep SET value = '1000000000' WHERE key = 'repeats'", "12 trials, not 1000000000 of each"),
        ("UPDATE sweep SET value = '-1' WHERE key = 'seed'", "moons.sweep: seed must be >= 0, got -1"),
        (
            "UPDATE configurations SET network = NULL, error = NULL",
            "does not say what was built: run its sweep",
        ),
        ("UPDATE networks SET value = '{}'", "moons.sweep is damaged (type must be one of"),
        ("UPDATE records SET state = 'failed'", "nothing can be verified, it has no result of this sweep"),
    ],
)
def test_what_cannot_be_verified_is_told(stored: Run, tmp_path: Path, statement: str, line: str) -> None:
    execute(tmp_path / "moons.sweep", statement)
    proof = stored("verify", "moons.sweep")
    assert proof.code == 65
    assert line in proof.err.splitlines()[0]
    assert "Traceback" not in proof.err
