"""A program in the middle of a sweep, wherever that runs, to be stopped."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from programs import children, start, wait_until

from sweep.store import Store, StoreError

PROGRAM = """
import sys, warnings
import numpy as np
import user_functions
from neuralnet_core import Adam, Dense, Network
from sweep import Sweep, planner

kind, backend, n_jobs = {kind!r}, {backend!r}, {n_jobs}
X = np.random.default_rng(0).normal(size=(200, 3))

def build(number, seconds):
    return Network([Dense(16, "tanh"), Dense(1)]), Adam(1e-4 * (number + 1), epochs=3000)

warnings.showwarning = lambda message, *_: print(message, file=sys.stderr)
planner.LONGEST_CHUNK = 0.1  # so that something is recorded soon
space = {{"number": range(300), "seconds": [0.1]}}
sweep = Sweep(function=user_functions.slow, space=space) if kind == "function" else Sweep(build, space)
results = sweep.run(X, X[:, 0], backend=backend, n_jobs=n_jobs, store="some.sweep", progress=False)
print("returned", dict(sorted(results.states.items())))
"""

WHERE = [("networks", "threads", 2), ("networks", "processes", 2), ("networks", "sequential", 1)]
WHERE += [("function", "threads", 2), ("function", "processes", 2), ("function", "sequential", 1)]
SIGNALS = {signal.SIGINT: 0, signal.SIGTERM: 143, signal.SIGHUP: 129}


def recorded(store: Path, state: str | None = None) -> int:
    """Return how many records a store has, or how many in a state."""
    try:
        with Store.read(store) as opened:
            return len(opened.identities()) if state is None else opened.states().get(state, 0)
    except StoreError:  # it is being made just now
        return 0


@contextmanager
def running(
    folder: Path, kind: str, backend: str, n_jobs: int
) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """Start the program and wait until something is recorded; yield it and the processes that belong to it."""
    process = start(PROGRAM.format(kind=kind, backend=backend, n_jobs=n_jobs), folder)
    try:
        assert wait_until(lambda: recorded(folder / "some.sweep") or process.poll() is not None)
        pids = [process.pid, *children(process.pid)]
        assert len(pids) == (3 if backend == "processes" else 1), process.communicate()
        yield process, pids
    finally:
        process.kill()
        process.communicate()
