"""Signals at random moments: how long a program takes to end, and that nothing is left of it two seconds later."""

from __future__ import annotations

import json
import random
import re
import signal
import statistics
import subprocess
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from programs import children, leftovers, start, wait_until
from stopped import SIGNALS, WHERE, recorded, running

TIMES = 5
AT_MOST = 3.0  # seconds: many times what it takes, for a machine that has other things to do


def report(what: str, seconds: list[float]) -> None:
    print(
        f"\n{what}: median {statistics.median(seconds):.2f} s, worst {max(seconds):.2f} s of {len(seconds)}"
    )
    assert max(seconds) < AT_MOST


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize(("kind", "backend", "n_jobs"), WHERE)
def test_a_program_ends_soon_after_a_signal(
    kind: str, backend: str, n_jobs: int, number: signal.Signals, tmp_path: Path, draws: random.Random
) -> None:
    seconds = []
    for time_ in range(TIMES):
        folder = tmp_path / str(time_)
        folder.mkdir()
        with running(folder, kind, backend, n_jobs) as (process, pids):
            threading.Event().wait(draws.uniform(0, 0.5))
            process.send_signal(number)
            sent = time.perf_counter()
            _, err = process.communicate(timeout=60)
            seconds.append(time.perf_counter() - sent)
        assert (process.returncode, err[:11]) == (SIGNALS[number], "interrupted")
        assert wait_until(lambda pids=pids, folder=folder: not leftovers(folder, pids), 2)
    report(f"{number.name}, {kind}, {backend}", seconds)


# What runs cells, one after another, each a line of JSON: what the kernel of a notebook does. It goes on after an
# interruption, and says what a cell showed or raised, and when.
HOST = """
import json, sys, time
names = {}
for line in sys.stdin:
    try:
        exec(json.loads(line), names)
        told = repr(names.get("shown"))
    except BaseException as raised:
        told = repr(raised)
    print(json.dumps([time.monotonic(), told]), flush=True)
"""

CELL = """
import numpy as np, user_functions
from sweep import Sweep

sweep = Sweep(function=user_functions.slow, space={{"number": range(300), "seconds": [0.01]}})
results = sweep.run(
    np.zeros((4, 2)), np.zeros(4), backend={backend!r}, n_jobs={n_jobs}, store="some.sweep", progress=False)
shown = dict(sorted(results.states.items()))
"""


class Host:
    """A program that runs cells."""

    def __init__(self, folder: Path) -> None:
        self.process = start(HOST, folder, stdin=subprocess.PIPE)

    def send(self, cell: str) -> None:
        """Let it run a cell."""
        assert self.process.stdin is not None
        print(json.dumps(cell), file=self.process.stdin, flush=True)

    def answer(self) -> tuple[float, str]:
        """Wait for a cell's end; return when that was, and what it showed or raised."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate()
        when, told = json.loads(line)
        return when, told

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.communicate()


@pytest.mark.parametrize(("backend", "n_jobs"), [("threads", 2), ("processes", 2), ("sequential", 1)])
def test_an_interrupted_cell_returns_what_there_is_and_the_next_one_does_the_rest(
    backend: str, n_jobs: int, tmp_path: Path, draws: random.Random
) -> None:
    cell = CELL.format(backend=backend, n_jobs=n_jobs)
    seconds, workers = [], []
    for time_ in range(TIMES):
        folder = tmp_path / str(time_)
        folder.mkdir()
        with closing(Host(folder)) as host:
            host.send(cell)
            assert wait_until(lambda folder=folder: recorded(folder / "some.sweep"))
            threading.Event().wait(draws.uniform(0, 0.5))
            assert len(children(host.process.pid)) == (n_jobs if backend == "processes" else 0)
            sent = time.monotonic()
            host.process.send_signal(signal.SIGINT)
            assert wait_until(lambda host=host: not children(host.process.pid))
            workers.append(time.monotonic() - sent)
            when, told = host.answer()
            seconds.append(when - sent)
            assert re.fullmatch(r"\{'done': \d+, 'pending': \d+\}", told), told
            host.send(cell)
            assert host.answer()[1] == "{'done': 300}"
    report(f"an interrupted cell, {backend}: its results", seconds)
    if backend == "processes":
        report(f"an interrupted cell, {backend}: the end of its workers", workers)
