"""Signals, and terminals and readers that go away."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from commands import MOONS, Run, start
from programs import wait_until
from stopped import recorded

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
    [(signal.SIGINT, 130, ""), (signal.SIGTERM, 143, " by SIGTERM")],
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


def test_a_reader_that_has_enough_ends_it_quietly(stored: Run, tmp_path: Path) -> None:
    with start("table", "moons.sweep", "--trials", "--format", "json", folder=tmp_path) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
