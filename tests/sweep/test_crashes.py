"""Workers that die: who did it is found out, and nobody else notices."""

from __future__ import annotations

import os
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from programs import children, is_alive, kill, start, wait_until
from user_functions import Bomb, noted, sort_of

from neuralnet_core import Adam, Dense, Network
from sweep import Sweep, parallel_train
from sweep.execution import WorkersDieError
from sweep.execution.anonymous import load_shared, share
from sweep.planner import Schedule

X = np.random.default_rng(0).normal(size=(60, 3))
LABELS = (X[:, 0] > 0).astype(int)
CLOCK = ["started", "seconds", "worker"]


def table(results: Any) -> pd.DataFrame:
    return results.trials.drop(columns=CLOCK)


def run(space: Any, **options: Any) -> pd.DataFrame:
    sweep = Sweep(function=sort_of, space=space)
    trials = sweep.run(X, LABELS, **({"n_jobs": 2, "backend": "processes"} | options)).trials
    return trials.set_index("params_kind")


def test_exactly_the_guilty_are_charged() -> None:
    # Who hangs is first: the others end meanwhile. Guilty ones stand beside guilty ones and beside good ones.
    together = [("hang", "segfault"), ("exit", "half"), ("kill", "memory"), ("raise",)]
    bad = dict.fromkeys(["segfault", "exit", "kill", "half"], "quarantined")
    bad |= {"memory": "failed", "hang": "timeout", "raise": "failed"}
    mixed = [{"kind": [*kinds, "good"], "number": [100 + place]} for place, kinds in enumerate(together)]
    trials = run(
        [
            {"kind": ["good"], "number": range(100)},
            *mixed,
            {"kind": ["good"], "number": range(200, 207)},
        ],
        timeout=5,
    )
    states = Counter(zip(trials.index, trials["state"], strict=True))
    assert states == {("good", "done"): 107 + len(mixed)} | dict.fromkeys(bad.items(), 1)
    errors = {kind: trials.loc[kind, "error"] for kind in bad}
    assert "nothing else in it, killed by SIGSEGV in segfault, user_functions.py:" in errors["segfault"]
    assert "nothing else in it, ended with exit code 3; to see it happen" in errors["exit"]
    assert "nothing else in it, ended with exit code 3; to see it happen" in errors["half"]
    assert "nothing else in it, killed by SIGKILL; to see it happen" in errors["kill"]
    assert errors["hang"] == "no result within 5 s; its worker process was killed"
    assert errors["memory"].startswith("MemoryError (in exhaust_memory, ")
    assert trials.loc["hang", "seconds"] >= 5
    assert trials["worker"].ne("").all()


@pytest.mark.parametrize("noise", ["a word", "much", "nothing", "like an answer"])
def test_who_writes_into_what_is_not_its_own_is_found_and_nobody_waits(noise: str) -> None:
    trials = run({"kind": ["good", noise], "number": range(2)}, timeout=60)
    assert trials.groupby(level=0)["state"].unique().str.join(" ").to_dict() == {
        "good": "done",
        noise: "quarantined",
    }
    assert (
        "ended because it wrote into a file descriptor that is not its own"
        in trials.loc[noise, "error"].iloc[0]
    )


@pytest.mark.parametrize("backend", ["processes", "threads"])
def test_a_call_that_raises_past_everybody_fails_alone_and_prints_nothing(
    backend: str, capfd: pytest.CaptureFixture[str]
) -> None:
    trials = run({"kind": ["good", "interrupt", "cancel"], "number": range(3)}, backend=backend)
    assert trials.groupby(level=0)["state"].unique().str.join(" ").to_dict() == {
        "good": "done",
        "interrupt": "failed",
        "cancel": "failed",
    }
    assert (
        trials.loc["interrupt", "error"]
        .iloc[0]
        .startswith("KeyboardInterrupt (in interrupt, user_functions.py:")
    )
    assert (
        trials.loc["cancel", "error"].iloc[0].startswith("Cancelled: enough (in cancel, user_functions.py:")
    )
    assert capfd.readouterr() == ("", "")


def test_a_worker_that_is_sent_sigint_ends_and_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    trials = run({"kind": ["good", "signal"]}, n_jobs=1)
    assert trials["state"].tolist() == ["done", "quarantined"]
    assert "nothing else in it, killed by SIGINT; to see it happen" in trials.loc["signal", "error"]
    assert capfd.readouterr() == ("", "")


def test_the_error_of_a_quarantined_trial_says_how_to_run_it(tmp_path: Path) -> None:
    sweep = Sweep(function=sort_of, space={"kind": ["exit"]})
    (error,) = sweep.run(X, LABELS, n_jobs=1).trials["error"]
    command = error.partition("to see it happen in a process of your own: ")[2]
    program = """
import numpy as np
from user_functions import sort_of
from sweep import Sweep
X = np.random.default_rng(0).normal(size=(60, 3))
LABELS = (X[:, 0] > 0).astype(int)
sweep = Sweep(function=sort_of, space={"kind": ["exit"]})
""" + command.replace(", y)", ", LABELS)")
    process = start(program, tmp_path)
    assert (*process.communicate(timeout=60), process.returncode) == ("", "", 3)


def test_what_a_function_started_ends_with_its_worker() -> None:
    trials = run([{"kind": ["child"], "number": range(3)}, {"kind": ["exit"]}])
    assert trials["state"].tolist() == ["done", "done", "done", "quarantined"]
    assert wait_until(lambda: not any(is_alive(int(pid)) for pid in trials.loc["child", "child"]))


def test_killed_workers_cost_a_chunk_and_nobody_is_charged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = {"number": range(600), "log": [str(tmp_path / "log")], "seconds": [0.001]}
    sweep = Sweep(function=noted, space=space, repeats=2)
    expected = table(sweep.run(X, LABELS, backend="threads", n_jobs=2))
    (tmp_path / "log").unlink()
    sizes = spied_chunks(monkeypatch)
    killed: list[int] = []
    stop = threading.Event()

    def killer() -> None:
        goals = [50, 400, 900]
        while goals and wait_until(lambda: stop.is_set() or len(lines(tmp_path / "log")) >= goals[0]):
            goals.pop(0)
            workers = children(os.getpid())
            killed.extend(pid for pid in workers[:1] if kill(pid))

    thread = threading.Thread(target=killer)
    thread.start()
    results = sweep.run(X, LABELS, n_jobs=2)
    stop.set()
    thread.join()
    pd.testing.assert_frame_equal(table(results), expected)
    assert len(killed) == 3
    called = lines(tmp_path / "log")
    assert set(called) == set(results.trials["call"].astype(int))
    assert len(called) - 1200 <= len(killed) * max(sizes)


def spied_chunks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets the number of jobs of every chunk handed out from now on."""
    sizes: list[int] = []
    chunks = Schedule.chunks

    def spied(self: Schedule) -> Any:
        for chunk in chunks(self):
            sizes.append(sum(len(pack.jobs) for pack in chunk))
            yield chunk

    monkeypatch.setattr(Schedule, "chunks", spied)
    return sizes


def lines(log: Path) -> list[int]:
    """Return the numbers of the calls that were noted."""
    return [int(line.split()[1]) for line in log.read_text().splitlines()] if log.exists() else []


@pytest.mark.parametrize("goal", [1, 40])
def test_networks_outlive_their_workers_too(goal: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(rate: float) -> Any:
        return Network([Dense(8, "tanh"), Dense(1)], loss="binary_cross_entropy"), Adam(rate, epochs=150)

    sweep = Sweep(build, {"rate": np.linspace(1e-3, 1e-1, 300).tolist()})
    expected = table(sweep.run(X, LABELS, validation=0.2, n_jobs=2))
    sizes = spied_chunks(monkeypatch)
    killed: list[int] = []

    def killer() -> None:
        wait_until(lambda: sum(sizes) >= goal and children(os.getpid()))
        killed.extend(pid for pid in children(os.getpid()) if kill(pid))

    thread = threading.Thread(target=killer)
    thread.start()
    results = sweep.run(X, LABELS, validation=0.2, n_jobs=2, backend="processes")
    thread.join()
    assert killed
    pd.testing.assert_frame_equal(table(results), expected)


def test_a_network_that_kills_its_workers_is_found_among_many(tmp_path: Path) -> None:
    network = Network([Dense(4, "tanh"), Dense(1)], loss="mse")
    initial: list[Any] = [None] * 24
    initial[17] = Bomb()
    with pytest.raises(RuntimeError, match="a network could not be trained: its worker process died twice"):
        parallel_train(
            network,
            Adam(epochs=1),
            X,
            X[:, 0],
            seeds=range(24),
            initial=initial,
            n_jobs=2,
            backend="processes",
        )


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take five deaths for too many, not sixty."""
    monkeypatch.setattr("sweep.execution.supervisor.LEAST_DEATHS", 4)


@pytest.mark.usefixtures("impatient")
def test_when_workers_die_faster_than_trials_end_the_run_stops_with_one_line(tmp_path: Path) -> None:
    sweep = Sweep(function=sort_of, space={"kind": ["kill"], "number": range(200)})
    path = tmp_path / "some.sweep"
    with pytest.raises(
        WorkersDieError, match="worker processes died 5 times while 0 trials ended"
    ) as stopped:
        sweep.run(X, LABELS, n_jobs=2, store=path)
    assert "\n" not in str(stopped.value)
    assert stopped.value.exit_code == 75
    assert children(os.getpid()) == []


@pytest.mark.usefixtures("impatient")
def test_workers_that_cannot_begin_are_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweep.execution.processes.START", "import sys; sys.exit(7)")
    with pytest.raises(WorkersDieError, match="the last time ended with exit code 7"):
        run({"kind": ["good"]})


def test_a_pool_leaves_no_descriptor_open() -> None:
    before = len(os.listdir("/proc/self/fd"))
    run({"kind": ["good", "exit"]})
    assert len(os.listdir("/proc/self/fd")) == before


def test_shared_values_are_read_where_they_lie() -> None:
    value = {
        "X": np.arange(12.0).reshape(3, 4),
        "empty": np.empty((0, 3)),
        "text": np.array(["a", "bc"]),
        "n": 3,
    }
    file = share(value)
    found = load_shared(file)
    os.close(file)
    assert found.keys() == value.keys()
    for name in ("X", "empty", "text"):
        np.testing.assert_array_equal(found[name], value[name])
        assert not found[name].flags.writeable
    assert found["X"].ctypes.data % 64 == 0
    assert [name for name in os.listdir("/dev/shm") if "sweep" in name] == []
