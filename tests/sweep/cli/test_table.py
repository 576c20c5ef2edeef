"""sweep table: to read, and as files."""

from __future__ import annotations

import contextlib
import csv
import errno
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
from sweep.store import Store


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


# --- Files --------------------------------------------------------------------------------------------------


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("name", ["moons.sweep", "other.png", "link", "hard", "moons.sweep.format2"])
@pytest.mark.parametrize("command", [["table", "--format", "csv"], ["plot"]])
def test_no_output_takes_the_place_of_a_store(
    stored: Run, tmp_path: Path, name: str, command: list[str]
) -> None:
    shutil.copy(tmp_path / "moons.sweep", tmp_path / "other.png")
    shutil.copy(tmp_path / "moons.sweep", tmp_path / "moons.sweep.format2")
    (tmp_path / "link").symlink_to("moons.sweep")
    (tmp_path / "hard").hardlink_to(tmp_path / "other.png")
    before = contents(tmp_path)
    ended = stored(command[0], "moons.sweep", *command[1:], "--out", name)
    assert (ended.code, ended.out) == (2, "")
    assert ended.errors == [f"sweep: --out {name} is a store: choose another file"]
    assert contents(tmp_path) == before


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal", ".lock", ".reserve"])
def test_no_output_takes_the_place_of_what_lies_beside_a_store(
    stored: Run, tmp_path: Path, suffix: str
) -> None:
    ended = stored("table", "moons.sweep", "--format", "csv", "--out", f"moons.sweep{suffix}")
    assert (ended.code, ended.out) == (2, "")
    assert ended.errors == [f"sweep: --out moons.sweep{suffix} belongs to a store: choose another file"]
    assert not (tmp_path / f"moons.sweep{suffix}").exists()
    assert stored("table", "moons.sweep", "--format", "csv", "--out", f"else{suffix}").code == 0


def test_no_output_takes_the_place_of_a_store_that_is_written(stored: Run, tmp_path: Path) -> None:
    with Store.open(tmp_path / "live.png") as store:
        assert not store.states()
        ended = stored("plot", "moons.sweep", "--out", "live.png")
        assert (ended.code, ended.errors) == (2, ["sweep: --out live.png is a store: choose another file"])


def test_no_output_takes_the_place_of_an_experiment(stored: Run, tmp_path: Path) -> None:
    before = contents(tmp_path)
    ended = stored("table", "moons.sweep", "--format", "csv", "--out", "moons.toml")
    assert (ended.code, ended.out) == (2, "")
    assert ended.errors == ["sweep: --out moons.toml is an experiment file: choose another file"]
    assert contents(tmp_path) == before


def test_a_full_disk_leaves_the_earlier_output(
    stored: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t.csv").write_text("earlier")
    before = contents(tmp_path)

    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    ended = stored("table", "moons.sweep", "--out", "t.csv")
    assert (ended.code, ended.errors) == (75, ["sweep: t.csv: No space left on device"])
    assert contents(tmp_path) == before


def test_an_output_keeps_its_rights_and_its_link(stored: Run, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("earlier")
    (tmp_path / "t.csv").chmod(0o640)
    (tmp_path / "link.csv").symlink_to("t.csv")
    assert stored("table", "moons.sweep", "--out", "link.csv").code == 0
    assert (tmp_path / "link.csv").is_symlink()
    assert len(pd.read_csv(tmp_path / "t.csv")) == 4
    assert (tmp_path / "t.csv").stat().st_mode & 0o777 == 0o640


def test_standard_output_and_pipes_are_written_as_they_are(stored: Run, tmp_path: Path) -> None:
    table = stored("table", "moons.sweep", "--format", "csv").out.encode()
    command = [sys.executable, "-c", "from sweep.cli import main; main()", "table", "moons.sweep"]
    command += ["--format", "csv", "--out"]
    piped = subprocess.run([*command, "/dev/stdout"], cwd=tmp_path, capture_output=True, check=False)
    said = b"wrote /dev/stdout: 4 configurations\n"
    assert (piped.returncode, piped.stdout, piped.stderr) == (0, table, said)
    with (tmp_path / "all.txt").open("wb") as file:
        file.write(b"earlier\n")
        file.flush()
        subprocess.run(
            [*command, "/dev/stdout"], cwd=tmp_path, stdout=file, stderr=subprocess.PIPE, check=True
        )
    assert (tmp_path / "all.txt").read_bytes() == b"earlier\n" + table
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen([*command, "pipe"], cwd=tmp_path, stdout=subprocess.PIPE) as process:
        assert (tmp_path / "pipe").read_bytes() == table
        process.communicate()
    assert process.returncode == 0
    assert (tmp_path / "pipe").is_fifo()
