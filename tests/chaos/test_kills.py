"""Ten thousand trials with workers and coordinators killed at random: the table is that of an undisturbed run."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from programs import children, kill, leftovers, start, wait_until
from user_functions import noted

from neuralnet_core import Adam, Dense, Network
from sweep import Results, Sweep

TRIALS = 10_000
WORKERS = 2
CLOCK = ["started", "seconds", "worker"]
X = np.random.default_rng(0).normal(size=(60, 3))
LABELS = (X[:, 0] > 0).astype(int)

PROGRAM = """
import sys
sys.path.insert(0, {folder!r})
from test_kills import LABELS, SWEEPS, WORKERS, X
SWEEPS[{kind!r}]().run(X, LABELS, backend="processes", n_jobs=WORKERS, store="some.sweep", progress=False)
"""


def build(rate: float) -> Any:
    return Network([Dense(12, "tanh"), Dense(1)], loss="binary_cross_entropy"), Adam(rate, epochs=100)


SWEEPS: dict[str, Callable[[], Sweep]] = {
    "networks": lambda: Sweep(build, {"rate": np.geomspace(1e-4, 1e-1, TRIALS // 4).tolist()}, repeats=4),
    "function": lambda: Sweep(function=noted, space={"number": range(TRIALS), "log": ["calls"]}),
}


@lru_cache
def undisturbed(kind: str) -> pd.DataFrame:
    """Return the table of a run in threads that nobody disturbs."""
    options = {"validation": None, "progress": False, "n_jobs": WORKERS, "backend": "threads"}
    return table(SWEEPS[kind]().run(X, LABELS, **options))


def table(results: Results) -> pd.DataFrame:
    return results.trials.drop(columns=CLOCK)


def recorded(store: Path) -> int:
    """Return how many records a store has."""
    if not store.exists():
        return 0
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        try:
            return int(connection.execute("SELECT count(*) FROM records").fetchone()[0])
        except sqlite3.OperationalError:  # it is being made just now
            return 0


class Coordinator:
    """The program that runs the sweep; started again when it was killed."""

    def __init__(self, kind: str, folder: Path) -> None:
        self._program, self._folder = PROGRAM.format(kind=kind, folder=str(Path(__file__).parent)), folder
        self.pids: set[int] = set()
        self.start()

    def start(self) -> None:
        """Start it."""
        self._process: subprocess.Popen[str] = start(self._program, self._folder)
        self.pids.add(self._process.pid)

    def workers(self) -> list[int]:
        """Return its workers, as soon as there are any; none if it has ended."""
        wait_until(lambda: children(self._process.pid) or self.ended)
        found = children(self._process.pid)
        self.pids.update(found)
        return found

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def kill(self) -> bool:
        """Kill it; return whether it was running still."""
        running = not self.ended
        self._process.kill()
        self._process.communicate()
        return running

    def finish(self) -> tuple[str, int]:
        """Wait for its end; return what it complained of, and its exit code."""
        return self._process.communicate(timeout=600)[1], self._process.returncode


@contextmanager
def running(kind: str, folder: Path) -> Iterator[Coordinator]:
    coordinator = Coordinator(kind, folder)
    try:
        yield coordinator
    finally:
        coordinator.kill()


@pytest.mark.parametrize("kind", SWEEPS)
@pytest.mark.parametrize("seed", range(5))
def test_kills_change_nothing(kind: str, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(seed + 1000 * int(os.environ.get("CHAOS_SEED", "0")))
    victims = ["worker"] * 20 + ["coordinator"] * 5
    draw.shuffle(victims)
    goals = sorted(draw.randrange(TRIALS * 9 // 10) for _ in victims)
    store = tmp_path / "some.sweep"
    killed: Counter[str] = Counter()
    with running(kind, tmp_path) as coordinator:
        for victim, goal in zip(victims, goals, strict=True):
            wait_until(lambda goal=goal: recorded(store) >= goal or coordinator.ended, 600)
            workers = coordinator.workers()
            if victim == "worker":
                killed[victim] += bool(workers) and kill(draw.choice(workers))
            else:
                killed[victim] += coordinator.kill()
                coordinator.start()
        coordinator.workers()
        errors, code = coordinator.finish()
    assert (errors, code) == ("", 0)
    assert killed == {"worker": 20, "coordinator": 5}
    results = Results.open(store)
    assert results.states == {"done": TRIALS}
    assert recorded(store) == TRIALS
    monkeypatch.chdir(tmp_path / "tmp")  # where an undisturbed function notes its calls
    pd.testing.assert_frame_equal(table(results), undisturbed(kind))
    (tmp_path / "tmp" / "calls").unlink(missing_ok=True)
    if kind == "function":
        check_rework(results, tmp_path / "calls")
    assert wait_until(lambda: not leftovers(tmp_path, sorted(coordinator.pids)), 2)


def check_rework(results: Results, log: Path) -> None:
    """What was called again is, of each process that was killed, a stretch at its end: what it had under way."""
    calls: dict[int, list[int]] = defaultdict(list)
    for line in log.read_text(encoding="ascii").splitlines():
        pid, call = map(int, line.split())
        calls[pid].append(call)
    kept_by = dict(
        zip(results.trials["call"], results.trials["worker"].str.split("/").str[0].astype(int), strict=True)
    )
    assert kept_by.keys() == {call for called in calls.values() for call in called}
    for pid, called in calls.items():
        lost = [kept_by[call] != pid for call in called]
        assert lost == sorted(lost), f"process {pid} lost a call between two that were kept"
    again = sum(map(len, calls.values())) - TRIALS
    print(f"{again} of {TRIALS} calls were made again")
