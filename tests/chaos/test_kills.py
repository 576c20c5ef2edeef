"""Ten thousand trials with workers and coordinators killed at random: the table is that of an undisturbed run."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import threading
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
KILLS = {"worker": 20, "coordinator": 5}
CLOCK = ["started", "seconds", "worker"]
X = np.random.default_rng(0).normal(size=(60, 3))
LABELS = (X[:, 0] > 0).astype(int)
CALL_SECONDS = 0.004
MOST_CALLS = 1 / CALL_SECONDS  # of a chunk, which takes a second at most

# The coordinator, which also notes what each worker is given.
PROGRAM = """
import os, sys
sys.path.insert(0, {folder!r})
from sweep.execution.processes import WorkerProcess
from test_kills import LABELS, SWEEPS, WORKERS, X

run = WorkerProcess.run
def noted_run(worker, task, timeout):
    words = [os.getpid(), worker.pid, task.number, *(job.identity for job in task.jobs), "sent"]
    with open("attempts", "a", encoding="ascii") as log:  # a line without its last word was not sent
        log.write("\\n" + " ".join(map(str, words)))
    return run(worker, task, timeout)

WorkerProcess.run = noted_run
SWEEPS[{kind!r}]().run(X, LABELS, backend="processes", n_jobs=WORKERS, store="some.sweep", progress=False)
"""


def build(rate: float) -> Any:
    # So many epochs take long enough for all kills.
    return Network([Dense(12, "tanh"), Dense(1)], loss="binary_cross_entropy"), Adam(rate, epochs=600)


SWEEPS: dict[str, Callable[[], Sweep]] = {
    "networks": lambda: Sweep(build, {"rate": np.geomspace(1e-4, 1e-1, TRIALS // 4).tolist()}, repeats=4),
    "function": lambda: Sweep(
        function=noted, space={"number": range(TRIALS), "log": ["calls"], "seconds": [CALL_SECONDS]}
    ),
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

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def workers(self) -> list[int]:
        """Return its workers, as soon as there are any; none if it has ended."""
        wait_until(lambda: children(self.pid) or self.ended)
        found = children(self.pid)
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


def kill_at_random(coordinator: Coordinator, store: Path, draw: random.Random) -> dict[str, set[int]]:
    """Kill workers and coordinators, each at a random moment; return whom."""
    victims = [kind for kind, count in KILLS.items() for _ in range(count)]
    draw.shuffle(victims)
    goals = sorted(draw.randrange(TRIALS * 8 // 10) for _ in victims)
    killed: dict[str, set[int]] = {kind: set() for kind in KILLS}
    for victim, goal in zip(victims, goals, strict=True):
        assert wait_until(lambda goal=goal: recorded(store) >= goal or coordinator.ended, 600)
        threading.Event().wait(draw.uniform(0, 0.5))  # the goal is reached at a commit: not always then
        if victim == "coordinator":
            pid = coordinator.pid
            if coordinator.kill():
                killed[victim].add(pid)
            coordinator.start()
        elif workers := coordinator.workers():
            pid = draw.choice(workers)
            if kill(pid):
                killed[victim].add(pid)
    coordinator.workers()
    return killed


@pytest.mark.parametrize("kind", SWEEPS)
@pytest.mark.parametrize("seed", range(5))
def test_kills_change_nothing(kind: str, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(seed + 1000 * int(os.environ.get("CHAOS_SEED", "0")))
    store = tmp_path / "some.sweep"
    with running(kind, tmp_path) as coordinator:
        killed = kill_at_random(coordinator, store, draw)
        errors, code = coordinator.finish()
    assert (errors, code) == ("", 0)
    assert {kind: len(pids) for kind, pids in killed.items()} == KILLS
    results = Results.open(store)
    assert results.states == {"done": TRIALS}  # none lost, and nobody charged
    assert recorded(store) == results.trials["trial"].nunique() == TRIALS  # none twice
    monkeypatch.chdir(tmp_path / "tmp")  # where an undisturbed function notes its calls
    pd.testing.assert_frame_equal(table(results), undisturbed(kind))
    (tmp_path / "tmp" / "calls").unlink(missing_ok=True)
    check_rework(results, tmp_path, killed)
    assert wait_until(lambda: not leftovers(tmp_path, sorted(coordinator.pids)), 2)


def check_rework(results: Results, folder: Path, killed: dict[str, set[int]]) -> None:
    """A worker that is killed costs the one chunk it had, and who is not killed costs nothing.

    A coordinator takes its workers with it, and what it was about to commit: a chunk that a worker had just ended.
    """
    chunks, trials = lost_work(results, folder)
    most: Counter[str] = Counter()
    for (coordinator, worker), count in chunks.items():
        by_hand, orphaned = worker in killed["worker"], coordinator in killed["coordinator"]
        assert count <= (2 if orphaned else 1 if by_hand else 0), f"worker {worker} lost {count} chunks"
        if count == 1 or not by_hand:
            victim = "worker" if by_hand else "coordinator"
            most[victim] = max(most[victim], trials[worker])
    twice = sum(count == 2 for count in chunks.values())
    print(
        f"\n{trials.total()} of {TRIALS} trials were run again, {chunks.total()} chunks; a killed worker cost at most"
        f" {most['worker']}, a killed coordinator {most['coordinator']} of one worker; chunks just ended: {twice}"
    )
    assert chunks.total() <= KILLS["worker"] + 2 * WORKERS * KILLS["coordinator"]
    if (folder / "calls").exists():
        # Of two chunks, one ended and one under way, only a moment of the second was done: the first one's commit.
        assert most["worker"] <= MOST_CALLS
        assert most["coordinator"] <= MOST_CALLS * 1.2


def lost_work(results: Results, folder: Path) -> tuple[Counter[tuple[int, int]], Counter[int]]:
    """Return how many chunks each (coordinator, worker) began in vain, all or a part, and each worker how many trials.

    A trial was in vain for a worker if the record of it comes from another one. A chunk may have come in parts.
    """
    keepers = results.trials["worker"].str.split("/").str[0].astype(int)
    kept_by = dict(zip(results.trials["identity"], keepers, strict=True))
    called = calls(results, folder / "calls")
    chunks: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
    trials: Counter[int] = Counter()
    for line in (folder / "attempts").read_text(encoding="ascii").splitlines():
        if not line.endswith(" sent"):
            continue
        coordinator, worker, chunk, *jobs = line.split()[:-1]
        pid = int(worker)
        begun = [job for job in jobs if called is None or (pid, job) in called]
        lost = sum(kept_by[job] != pid for job in begun)
        chunks[int(coordinator), pid].update([chunk] if lost else [])
        trials[pid] += lost
    assert called is None or trials.total() == len(called) - TRIALS
    return Counter({who: len(numbers) for who, numbers in chunks.items()}), trials


def calls(results: Results, log: Path) -> set[tuple[int, str]] | None:
    """Return which process began to call which trial; None if there are no calls, but networks."""
    if not log.exists():
        return None
    identities = dict(zip(results.trials["call"], results.trials["identity"], strict=True))
    lines = log.read_text(encoding="ascii").splitlines()
    found = [(int(pid), identities[int(call)]) for pid, call in map(str.split, lines)]
    assert len(set(found)) == len(found)  # no process called one twice
    return set(found)
