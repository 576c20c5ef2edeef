from __future__ import annotations

import sys
from contextlib import suppress

import pytest

from sweep.jobs import Record
from sweep.planner import Pace
from sweep.progress import Bar, Best, Plain, Progress, describe, progress_for


def record(state: str, score: float | None = None) -> Record:
    metrics = {} if score is None else {"validation_accuracy": score}
    return Record("id", state, 1, metrics, {}, None, None, 0.0, 0.0, "")


@pytest.mark.parametrize(("objective", "expected"), [("accuracy", "0.9000"), ("loss", "0.5000")])
@pytest.mark.parametrize("known", [True, False])
def test_the_best_score_and_what_is_not_done(objective: str, expected: str, known: bool) -> None:
    def record(state: str, score: float | None = None) -> Record:
        metrics = {} if score is None else {f"validation_{objective}": score}
        return Record("id", state, 1, metrics, {}, None, None, 0.0, 0.0, "")

    best = Best(f"validation_{objective}" if known else None)
    assert str(best) == ""
    best.add(
        [record("done", 0.5), record("done", 0.9), record("done"), record("failed"), record("diverged", 2.0)]
    )
    best.add([record("failed")])
    assert str(best) == f"best validation_{objective} {expected}, 2 failed, 1 diverged"


@pytest.mark.parametrize(
    ("pace", "expected"),
    [
        (Pace(0, 10, 0.0, 0.0), "0/s, 0:00 left"),
        (Pace(5, 10, 10.0, 10.0), "0.5/s, 0:10 left"),
        (Pace(9000, 10000, 2.0, 4000.0), "4,500/s, 1:06:40 left"),
    ],
)
def test_a_pace_in_words(pace: Pace, expected: str) -> None:
    assert describe(pace) == expected


def test_plain_lines_are_few(capsys: pytest.CaptureFixture[str]) -> None:
    with Plain(Best("validation_accuracy")) as progress:
        for done in range(1, 101):
            progress.advance([record("done", done / 100)], Pace(done, 100, done * 0.1, 10 - done * 0.1))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("1/100 trials, 10/s, 0:10 left best validation_accuracy 0.0100")
    assert lines[-1].startswith("100/100 trials")
    assert len(lines) == 3


def test_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    with Bar(Best("validation_accuracy")) as progress:
        progress.advance([record("done", 0.75)], Pace(4, 4, 1.0, 0.0))
    assert "4/4" in capsys.readouterr().err


def test_silent_where_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False)
    assert type(progress_for(True, "train_loss")) is Progress
    assert type(progress_for(False, "train_loss")) is Progress
    assert type(progress_for("plain", "train_loss")) is Plain
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert type(progress_for(True, "train_loss")) is Bar


@pytest.mark.parametrize("choice", [True, "plain"])
def test_silent_where_standard_error_is_closed(choice: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    assert type(progress_for(choice, "train_loss")) is Progress


def test_a_pipe_that_nobody_reads_ends_no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stderr", full)
        with Plain(Best("validation_accuracy")) as progress:
            progress.advance([record("done", 0.5)], Pace(1, 2, 1.0, 1.0))
        monkeypatch.undo()
        with suppress(OSError):  # what is left in its buffer
            full.close()
