"""sweep table: to read, and as files."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import unicodedata
from pathlib import Path

import pandas as pd
import pytest
from commands import Outcome, Run

from sweep import Results


def test_table_shows_the_summary(stored: Run) -> None:
    ended = stored("table", "moons.sweep")
    header, *rows = ended.out.splitlines()
    assert header.split() == [
        "rank",
        "hidden",
        "learning_rate",
        "validation_accuracy",
        "train_loss",
        "validation_loss",
        "n",
    ]
    assert len(rows) == 4
    assert " ± " in rows[0]


def test_table_shows_the_trials(stored: Run) -> None:
    header, *rows = stored("table", "moons.sweep", "--trials").out.splitlines()
    assert header.split()[:5] == ["trial", "hidden", "learning_rate", "repeat", "state"]
    assert len(rows) == 12


def test_csv_gives_every_number_exactly(stored: Run, tmp_path: Path) -> None:
    out = stored("table", "moons.sweep", "--trials", "--format", "csv").out
    trials = Results.open(tmp_path / "moons.sweep").trials
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(rows[0]) == list(trials.columns)
    assert [float(row["train_loss"]) for row in rows] == list(trials["train_loss"])
    assert [int(row["seed"]) for row in rows] == list(trials["seed"])


def test_json_gives_every_number_exactly(stored: Run, tmp_path: Path) -> None:
    rows = json.loads(stored("table", "moons.sweep", "--format", "json").out)
    summary = Results.open(tmp_path / "moons.sweep").summary
    assert [row["mean_train_loss"] for row in rows] == list(summary["mean_train_loss"])
    assert [row["params_hidden"] for row in rows] == list(summary["params_hidden"])


@pytest.mark.parametrize("name", ["t.csv", "t.json", "t.parquet", "t.txt"])
def test_out_says_the_format_by_its_name(stored: Run, tmp_path: Path, name: str) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    ended = stored("table", "moons.sweep", "--trials", "--out", name)
    assert ended.out == f"wrote {name}: 12 trials\n"
    readers = {
        "t.csv": pd.read_csv,
        "t.json": pd.read_json,
        "t.parquet": pd.read_parquet,
        "t.txt": pd.read_table,
    }
    assert len(readers[name](tmp_path / name)) == 12


def test_a_store_that_may_only_be_read(stored: Run, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(tmp_path / "moons.sweep", tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "moons.sweep").chmod(0o444)
    (tmp_path / "elsewhere").chmod(0o555)
    try:
        assert len(stored("table", "elsewhere/moons.sweep").out.splitlines()) == 5
    finally:
        (tmp_path / "elsewhere").chmod(0o755)


def test_text_of_a_store_gives_the_terminal_no_orders(
    stored: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wild = "\x1b]0;owned\x07\x1b[2J\u202e\x9b1m\r\n"
    connection = sqlite3.connect(tmp_path / "moons.sweep")
    with contextlib.closing(connection), connection:
        connection.execute(
            "UPDATE records SET state = 'failed', digest = NULL, error = ? WHERE record < 9", (wild,)
        )
        connection.execute("UPDATE configurations SET params = ?", (json.dumps({wild: wild, "b": 1}),))
        connection.execute("UPDATE networks SET value = ?", (json.dumps({"type": wild}),))
    assert "\x1b[2J" in stored("table", "moons.sweep", "--trials", "--format", "csv").out
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    commands = ["table moons.sweep", "table moons.sweep --trials", "verify moons.sweep"]
    commands += ["table moons.sweep --trials --format csv", "table moons.sweep --format json"]
    told = [stored(*words.split()) for words in commands]
    told.append(Outcome(0, repr(Results.open(tmp_path / "moons.sweep")), ""))
    for one in told:
        assert "Traceback" not in one.err
        assert not [c for c in one.out + one.err if unicodedata.category(c) in ("Cc", "Cf") and c != "\n"]
    assert r"\x1b[2J\u202e\x9b1m\r\n" in told[1].out


def test_the_name_of_a_store_gives_the_terminal_no_orders(stored: Run, tmp_path: Path) -> None:
    (tmp_path / "moons.sweep").rename(tmp_path / "\x1b[2J.sweep")
    told = stored("run", "moons.toml", "--store", "\x1b[2J.sweep")
    assert told.code == 0, told.err
    assert r"\x1b[2J.sweep' learning_curves" in told.out


def test_what_an_encoding_has_not_is_told_by_its_number(stored: Run, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from sweep.cli import main; main()", "table", "moons.sweep"]
    environment = {**os.environ, "PYTHONIOENCODING": "cp866"}
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert rb" \xb1 " in ended.stdout


def test_data_are_given_to_a_program_to_the_letter_or_not_at_all(stored: Run, tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "moons.sweep")) as connection, connection:
        connection.execute("UPDATE records SET worker = '\u03b1'")
    command = [sys.executable, "-c", "from sweep.cli import main; main()", "table", "moons.sweep", "--trials"]
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    ended = subprocess.run(
        [*command, "--format", "csv"], cwd=tmp_path, env=environment, capture_output=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (2, b"")
    line = rb"sweep: the output is (latin-1|iso8859-1), which has no '\\u03b1': set PYTHONIO.*, or .* --out\n"
    assert re.fullmatch(line, ended.stderr)
