"""The command line: what it prints, writes and exits with; one line and no traceback for a user's mistakes."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from programs import wait_until
from stopped import recorded
from store_values import small_disk
from user_functions import distance

import sweep.datasets
from neuralnet_core import derive_seed
from sweep import Results, Sweep
from sweep.cli import main
from sweep.errors import DataError
from sweep.export import align, as_csv, as_json, as_parquet, readable_summary, readable_trials
from sweep.reporting import closing_lines, exit_code
from sweep.store import Store

HEAVY = ("matplotlib", "pandas", "pyarrow", "pydantic", "scipy", "sklearn")

MOONS = """
repeats = 3
validation = 0.2
data = {name = "moons", n_samples = 200, noise = 0.2}
network = {layers = [{type = "Dense", units = "$hidden"}, {type = "Dense", units = 1}], loss = "binary_cross_entropy"}
optimizer = {type = "Adam", learning_rate = "$learning_rate", epochs = 4}

[space]
hidden = [4, 8]
learning_rate = [0.001, 0.01]
"""


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        return self.err.splitlines()


Run = Callable[..., Outcome]


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


def start(
    *arguments: str, folder: Path, program: str = "from sweep.cli import main; main()"
) -> subprocess.Popen[str]:
    """Start a command in a process of its own."""
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.Popen(command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


# --- sweep --help ---------------------------------------------------------------------------------------------


def test_help_imports_nothing_heavy() -> None:
    commands = [["--help"], ["--version"], ["run", "--help"], ["plot", "--help"]]
    code = (
        "import contextlib, sys; from sweep.cli import main\n"
        f"for arguments in {commands}:\n"
        "    with contextlib.suppress(SystemExit): main(arguments)\n"
        f"print(*sorted(set({HEAVY}) & set(sys.modules)), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stderr.split() == []
    assert ended.stdout.count("Usage: sweep") == 3
    assert re.search("^sweep ", ended.stdout, re.MULTILINE)


def test_without_a_command_help_is_shown(run: Run) -> None:
    ended = run()
    assert ended.code == 2
    assert ended.out.startswith("Usage: sweep")


# --- sweep run ------------------------------------------------------------------------------------------------


def test_run_trains_records_and_reports(run: Run, tmp_path: Path) -> None:
    ended = run("run", "moons.toml")
    assert (ended.code, ended.err) == (0, "")
    assert "moons: 200 rows, 2 features, 2 classes; not scaled; 20 % of the rows held out" in ended.out
    assert "4 configurations x 3 repeats = 12 trials in float32" in ended.out
    assert "recording in moons.sweep\ntrained 12 networks in " in ended.out
    assert "rank  hidden  learning_rate  validation_accuracy" in ended.out
    assert "best: hidden=" in ended.out
    assert "  sweep plot moons.sweep comparison" in ended.out
    assert len(Results.open(tmp_path / "moons.sweep").trials) == 12


def test_run_goes_on_with_a_store_that_exists(run: Run) -> None:
    run("run", "moons.toml", "repeats=1")
    ended = run("run", "moons.toml", "repeats=2")
    assert "moons.sweep, resuming what is there\ntrained 4 networks in " in ended.out
    assert "\nnothing was trained\n" in run("run", "moons.toml", "repeats=2").out


def test_run_records_what_python_gets(run: Run, tmp_path: Path) -> None:
    run("run", "moons.toml", "--store", "here.sweep", "--n-jobs", "1", "--backend", "sequential")
    data = sweep.datasets.load_dataset("moons", n_samples=200, noise=0.2)
    trials = Results.open(tmp_path / "here.sweep").trials
    assert list(trials["seed"][:3]) == [derive_seed(0, repeat, 0) for repeat in range(3)]
    from sweep.config import load_experiment

    results = load_experiment("moons.toml").sweep.run(data.X, data.y, validation=0.2, progress=False)
    assert list(results.trials["digest"]) == list(trials["digest"])


def test_a_dry_run_says_how_much_and_trains_nothing(run: Run, tmp_path: Path) -> None:
    ended = run("run", "moons.toml", "--dry-run", "space.hidden=[4, 8, 8.0]")
    assert ended.code == 2  # 8.0 is no number of units
    ended = run("run", "moons.toml", "--dry-run", "--n-jobs", "2")
    assert ended.code == 0
    assert "time            less than a second with 2 workers" in ended.out
    assert "configurations  4\ntrials          12\nnetworks        12 to train, in " in ended.out
    assert "parameters      17 (smallest network) to 33 (largest)" in ended.out
    assert list(tmp_path.glob("*.sweep")) == []


def test_a_dry_run_counts_what_the_store_has(run: Run) -> None:
    run("run", "moons.toml", "space.hidden=[4]")
    assert (
        "networks        6 to train, in 1 pack; 6 recorded already"
        in run("run", "moons.toml", "--dry-run").out
    )


def test_a_network_that_diverges_is_a_result(run: Run) -> None:
    ended = run(
        "run",
        "moons.toml",
        "space.learning_rate=[0.01, 1e30]",
        "optimizer.type=GradientDescent",
        "network.loss=mse",
    )
    assert ended.code == 0
    assert "6 trials diverged" in ended.out


def test_a_configuration_that_cannot_be_built_fails_alone(run: Run) -> None:
    optimizer = ["type=Momentum", "nesterov=$nesterov", "dampening=$dampening"]
    space = ["nesterov=[false, true]", "dampening=[0.0, 0.5]"]
    overrides = [*(f"optimizer.{text}" for text in optimizer), *(f"space.{text}" for text in space)]
    ended = run("run", "moons.toml", *overrides)
    assert ended.code == 1
    assert (
        "12 trials failed, the first: ValueError: optimizer: nesterov=True requires dampening=0" in ended.out
    )
    assert "best: " in ended.out


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


def test_a_store_in_use_is_to_be_tried_again(run: Run, tmp_path: Path) -> None:
    with Store.open(tmp_path / "moons.sweep"):
        ended = run("run", "moons.toml")
    assert ended.code == 75
    assert "moons.sweep is being written by" in ended.errors[0]


def test_a_store_that_is_deleted_meanwhile_is_to_be_tried_again(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "commit_soon", lambda store: store.path.unlink(missing_ok=True))
    ended = run("run", "moons.toml")
    assert ended.code == 75
    (line,) = ended.errors
    assert line.startswith("sweep: moons.sweep was deleted, moved or replaced while it was written: ")
    assert "best: " in ended.out
    assert "sweep table" not in ended.out


def test_a_full_disk_is_to_be_tried_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "moons.sweep")

    monkeypatch.setattr("sweep.config.load_experiment", full)
    assert run("run", "moons.toml") == Outcome(75, "", "sweep: moons.sweep: No space left on device\n")


def test_a_run_on_a_full_disk_keeps_what_there_is_room_for(run: Run, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    arguments = [
        "run",
        "moons.toml",
        "repeats=300",
        "optimizer.epochs=9",
        "--store",
        "disk/a.sweep",
        "--n-jobs",
        "2",
    ]
    with small_disk(disk, 1 << 20) as resize:
        (disk / "others").write_bytes(bytes(300 << 10))
        ended = run(*arguments)
        assert ended.code == 75
        assert ended.errors == [f"sweep: no space left for {disk}/a.sweep: free some and run again to go on"]
        status = run("status", "disk/a.sweep")
        assert status.code == 0
        assert re.search(r"^  done        [1-9]\d*\n  pending     [1-9]\d*$", status.out, re.MULTILINE)
        assert run("table", "disk/a.sweep").code == 0
        resize(16 << 20)
        assert run(*arguments).code == 0
        assert "1,200 of 1,200 trials" in run("status", "disk/a.sweep").out
        assert run("verify", "disk/a.sweep", "--sample", "50").code == 0


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
        (lambda path: path.unlink() or path.mkdir(), 2, "is a folder, not a file"),
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


# Minutes of training, of which something is recorded soon; a file is read sooner than moons are made.
LONG = ["optimizer.epochs=600", "repeats=50", f"space.hidden={[*range(20, 40)]}"]
LONG += ['data={file="data.csv", target="y"}', 'validation={file="data.csv"}', "optimizer.batch_size=16"]
SOON = "from sweep import planner; planner.LONGEST_CHUNK = 0.1; from sweep.cli import main; "


@pytest.fixture
def long_run(tmp_path: Path) -> list[str]:
    """Return a command that trains for minutes, for a folder with what it needs."""
    (tmp_path / "moons.toml").write_text(MOONS)
    rows = [f"{number / 400},{number % 7},{number % 2}" for number in range(400)]
    (tmp_path / "data.csv").write_text("\n".join(["a,b,y", *rows]))
    return ["run", "moons.toml", *LONG]


@pytest.mark.parametrize(
    ("number", "code", "by"),
    [(signal.SIGINT, 130, ""), (signal.SIGTERM, 143, " by SIGTERM"), (signal.SIGHUP, 129, " by SIGHUP")],
)
def test_a_signal_keeps_what_is_recorded_and_says_how_to_resume(
    long_run: list[str], number: int, code: int, by: str, tmp_path: Path
) -> None:
    with start(*long_run, "--n-jobs", "1", folder=tmp_path, program=f"{SOON}main()") as process:
        try:
            assert wait_until(lambda: recorded(tmp_path / "moons.sweep") or process.poll() is not None)
            process.send_signal(number)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == code
    assert err.startswith(f"sweep: interrupted{by}: ")
    assert "run again with the same store to train the rest" in err
    assert "Traceback" not in err
    assert " run moons.toml optimizer.epochs=600 repeats=50 " in out.partition("what next:")[2]


@pytest.mark.parametrize("backend", ["threads", "processes"])
def test_a_terminal_that_is_closed_ends_the_run_in_order(
    long_run: list[str], backend: str, tmp_path: Path
) -> None:
    arguments = [*long_run, "--n-jobs", "2", "--backend", backend]
    script = f"import os; os.login_tty(0); {SOON}main({arguments})"
    ours, theirs = os.openpty()
    with subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, stdin=theirs) as process:
        os.close(theirs)
        try:
            drain = threading.Thread(target=read_all, args=(ours,), daemon=True)
            drain.start()
            assert wait_until(lambda: recorded(tmp_path / "moons.sweep") or process.poll() is not None)
            before = recorded(tmp_path / "moons.sweep")
            assert before > 0
            os.close(ours)
            assert process.wait(30) == 129
        finally:
            process.kill()
    assert recorded(tmp_path / "moons.sweep") >= before


def read_all(terminal: int) -> None:
    """Read what is written to a terminal, which would fill up otherwise."""
    with contextlib.suppress(OSError):
        while os.read(terminal, 4096):
            pass


# --- sweep table ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
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


def execute(store: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(store)) as connection, connection:
        connection.execute(statement)


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
        (["plot", "moons.sweep", "--out", ""], 2, ".: Is a directory"),
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
        (["plot", "moons.sweep", "--out", "p.xyz"], 2, "Format 'xyz' is not supported"),
        (["frobnicate"], 2, "No such command 'frobnicate'"),
    ],
)
def test_a_mistake_with_a_store_is_one_line(stored: Run, arguments: list[str], code: int, line: str) -> None:
    ended = stored(*arguments)
    assert ended.code == code
    (told,) = [error for error in ended.errors if error.startswith("sweep: ")]
    assert line in told
    assert "Traceback" not in ended.err


def test_a_reader_that_has_enough_ends_it_quietly(stored: Run, tmp_path: Path) -> None:
    with start("table", "moons.sweep", "--trials", "--format", "json", folder=tmp_path) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""


def test_a_store_that_may_only_be_read(stored: Run, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(tmp_path / "moons.sweep", tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "moons.sweep").chmod(0o444)
    (tmp_path / "elsewhere").chmod(0o555)
    try:
        assert len(stored("table", "elsewhere/moons.sweep").out.splitlines()) == 5
    finally:
        (tmp_path / "elsewhere").chmod(0o755)


# --- sweep plot -----------------------------------------------------------------------------------------------


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


def test_what_an_encoding_has_not_is_told_by_its_number(stored: Run, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from sweep.cli import main; main()", "table", "moons.sweep"]
    environment = {**os.environ, "PYTHONIOENCODING": "cp866"}
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert rb" \xb1 " in ended.stdout


# --- Tables as text and files -----------------------------------------------------------------------------------


def test_text_that_a_spreadsheet_would_run_is_made_harmless() -> None:
    wild = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1+1", "relu", "a=b", 'say "hi", you']
    table = pd.DataFrame({"=cmd": wild, "number": [-1.5] * len(wild), "list": [(1, 2)] * len(wild)})
    rows = list(csv.reader(io.StringIO(as_csv(table), newline="")))
    assert rows[0] == ["'=cmd", "number", "list"]
    assert [row[0] for row in rows[1:]] == [f"'{text}".replace("\r", "\n") for text in wild[:7]] + wild[7:]
    assert {row[1] for row in rows[1:]} == {"-1.5"}
    assert {row[2] for row in rows[1:]} == {"[1, 2]"}


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


def test_json_of_what_json_does_not_have() -> None:
    table = pd.DataFrame(
        {
            "a": [float("nan"), float("inf")],
            "b": [(1, "x"), None],
            "c": pd.to_datetime([1.5e9, None], unit="s", utc=True),
            "d": np.array([True, False]),
        }
    )
    first, second = json.loads(as_json(table))
    assert first == {"a": None, "b": [1, "x"], "c": "2017-07-14 02:40:00+00:00", "d": True}
    assert second == {"a": None, "b": None, "c": None, "d": False}


def test_parquet_of_mixed_parameters() -> None:
    pytest.importorskip("pyarrow")
    table = pd.DataFrame({"params_batch": [16, "full"], "params_layers": [(8, 8), (4,)], "n": [1, 2]})
    read = pd.read_parquet(io.BytesIO(as_parquet(table)))
    assert read["params_batch"].tolist() == ["16", "full"]
    assert read["params_layers"].tolist() == ["[8, 8]", "[4]"]
    assert read["n"].tolist() == [1, 2]


def test_columns_of_numbers_are_aligned_to_the_right() -> None:
    lines = align(["n", "name", "mean"], [["1", "a", "-"], ["10", "bcd", "0.5 ± 0.1"]]).splitlines()
    assert lines == [" n  name       mean", " 1  a             -", "10  bcd   0.5 ± 0.1"]


def test_readable_tables_of_a_large_sweep(make_results: Callable[..., Results]) -> None:
    results = make_results(400)
    assert len(readable_summary(results, 10).splitlines()) == 11
    assert len(readable_trials(results).splitlines()) == 2001
    assert "nan" not in readable_summary(results) + readable_trials(results)


def test_the_report_says_how_sure_it_is(make_results: Callable[..., Results]) -> None:
    lines = closing_lines(make_results(24))
    text = "\n".join(lines)
    assert "the best 10 of 24 configurations: means, with 95 % intervals" in text
    assert " over 5 repeats, 95 % interval 0." in text
    assert " of the 23 others (paired t tests, 5 %, Holm)" in text
    text = "\n".join(closing_lines(make_results(4, repeats=1)))
    assert "4 configurations: of one repeat, so without intervals" in text
    assert "nothing says how sure that is" in text


def test_configurations_without_results_are_no_first_ones(make_results: Callable[..., Results]) -> None:
    grid = [
        {"hidden": hidden, "activation": "relu", "learning_rate": rate}
        for hidden in (8, 16)
        for rate in (0.01, 9.0)
    ]
    results = make_results(grid)  # a rate of 9 diverges
    ranks = [line.split()[0] for line in readable_summary(results).splitlines()]
    assert ranks == ["rank", "1", "2", "-", "-"]
    assert "clearly better than 1 of the 1 other with enough results" in "\n".join(closing_lines(results))
    table = readable_trials(results)
    assert "diverged" in table
    assert not re.search(r"\d\de[+-]|\d\.(\s|$)", table)


def test_exit_codes(make_results: Callable[..., Results]) -> None:
    results = make_results(4)
    assert exit_code(results) == 0
    trials, records = results._trials, dict(results._records)
    for state, code in (
        ("diverged", 0),
        ("failed", 1),
        ("quarantined", 1),
        ("timeout", 1),
        ("cancelled", 130),
    ):
        identity = trials[0].identity
        changed = records | {identity: records[identity]._replace(state=state)}
        assert exit_code(Results(trials, changed, {})) == code
        assert exit_code(Results(trials, changed, {}, interrupted=True)) == 130
        assert exit_code(Results(trials, changed, {}, store_lost=True)) == max(75, code)
    del records[trials[0].identity]
    assert exit_code(Results(trials, records, {})) == 130
