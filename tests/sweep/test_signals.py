"""SIGINT, SIGTERM and SIGHUP end a run in order wherever it runs, and nothing outlives it, not even if it is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from programs import children, kill, leftovers, start, wait_until
from stopped import SIGNALS, recorded, running

from sweep import Results

BACKENDS = {"threads": 2, "processes": 2, "sequential": 1}
# Each signal in each back end, and in each of these and by each signal both kinds; tests/chaos has all that there are.
CASES = [
    (("function", "networks")[(place + turn) % 2], backend, n_jobs, number)
    for place, (backend, n_jobs) in enumerate(BACKENDS.items())
    for turn, number in enumerate(SIGNALS)
]


@pytest.mark.parametrize(("kind", "backend", "n_jobs", "number"), CASES)
def test_a_signal_ends_the_run_and_all_that_belongs_to_it(
    kind: str, backend: str, n_jobs: int, number: signal.Signals, tmp_path: Path
) -> None:
    with running(tmp_path, kind, backend, n_jobs) as (process, pids):
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == SIGNALS[number], err
    states = dict(sorted(Results.open(tmp_path / "some.sweep").states.items()))
    assert states.keys() == {"done", "pending"}
    by = "" if number == signal.SIGINT else f" by {number.name}"
    told = f"interrupted{by}: {states['done']} of 300 trials are recorded; run again with the same store"
    assert err.startswith(told)
    assert err.count("\n") == 1
    assert out == (f"returned {states}\n" if number == signal.SIGINT else "")
    assert wait_until(lambda: not leftovers(tmp_path, pids), 2), leftovers(tmp_path, pids)


@pytest.mark.parametrize(
    ("kind", "backend", "n_jobs"),
    [("networks", "processes", 2), ("networks", "threads", 2), ("function", "sequential", 1)],
)
def test_nothing_outlives_a_killed_program(kind: str, backend: str, n_jobs: int, tmp_path: Path) -> None:
    with running(tmp_path, kind, backend, n_jobs) as (process, pids):
        process.kill()
        process.wait()
    assert wait_until(lambda: not leftovers(tmp_path, pids), 2), leftovers(tmp_path, pids)
    assert recorded(tmp_path / "some.sweep") > 0


HANGING = """
import numpy as np, user_functions
from sweep import Sweep

space = {{"number": range(4), "log": ["log"], "seconds": [3600]}}
sweep = Sweep(function=user_functions.{function}, space=space)
sweep.run(np.zeros((4, 2)), np.zeros(4), backend={backend!r}, n_jobs=2, progress=False)
"""


@contextmanager
def hanging(folder: Path, backend: str, function: str, code: int = 143) -> Iterator[subprocess.Popen[str]]:
    """Start the program and wait until every worker is in a call; at the end, see that nothing is left of it."""
    process = start(HANGING.format(backend=backend, function=function), folder)
    pids = [process.pid]
    try:
        assert wait_until(lambda: begun(folder / "log") == BACKENDS[backend] or process.poll() is not None)
        pids += children(process.pid)
        assert len(pids) == (3 if backend == "processes" else 1)
        yield process
        process.communicate(timeout=60)
        assert process.returncode == code
        assert wait_until(lambda: not leftovers(folder, pids), 2), leftovers(folder, pids)
    finally:
        for pid in pids:  # a worker that was left would hold the program's output open
            kill(pid)
        process.communicate()


@pytest.mark.parametrize(
    ("backend", "function"), [("processes", "noted"), ("sequential", "noted"), ("threads", "endless")]
)
def test_one_signal_ends_a_function_that_would_go_on_for_ever(
    backend: str, function: str, tmp_path: Path
) -> None:
    with hanging(tmp_path, backend, function) as process:
        process.send_signal(signal.SIGTERM)


def test_the_second_signal_waits_for_no_thread(tmp_path: Path) -> None:
    with hanging(tmp_path, "threads", "noted") as process:
        sent = 0
        while process.poll() is None and sent < 20:  # two that come before Python looks are one to it
            process.send_signal(signal.SIGTERM)
            sent += 1
            # One more, after what ends a run, would end it out of order.
            wait_until(lambda: process.poll() is not None, 0.5 if sent == 1 else 3)
        assert sent > 1


def test_workers_do_not_outlive_a_killed_program_by_their_call(tmp_path: Path) -> None:
    with hanging(tmp_path, "processes", "noted", code=-signal.SIGKILL) as process:
        process.kill()


def begun(log: Path) -> int:
    """Return how many calls have been noted."""
    return len(log.read_text().splitlines()) if log.exists() else 0


IGNORING = """
import signal
signal.signal(signal.SIGHUP, signal.SIG_IGN)
signal.signal(signal.SIGTERM, lambda *_: print("mine", flush=True))
from sweep import Sweep

def function(params, seed, X, y):
    for one in (signal.SIGHUP, signal.SIGTERM):
        signal.raise_signal(one)
    return {"loss": 0.0}

results = Sweep(function=function, space={"a": [1, 2]}).run([[1.0], [2.0]], [0.0, 1.0], backend="sequential")
print(dict(results.states), signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""


def test_signals_that_are_ignored_or_somebody_elses_are_left_alone(tmp_path: Path) -> None:
    process = start(IGNORING, tmp_path)
    out, err = process.communicate(timeout=60)
    assert (out, err, process.returncode) == ("mine\nmine\n{'done': 2} True\n", "", 0)


# Compiled modules are loaded without their packages, which take seconds.
THREADS = """
import ctypes, joblib, os
from importlib.util import find_spec
from pathlib import Path
import numpy as np
from sweep import Sweep

def function(params, seed, X, y):
    load("sklearn", "utils/_openmp_helpers.*.so")  # which has OpenMP
    load("scipy", "linalg/_fblas.*.so")  # and a BLAS of its own
    return most()

def load(package, module):
    (file,) = Path(find_spec(package).origin).parent.glob(module)
    ctypes.CDLL(str(file))

def most():
    # The most threads that a library of each kind has.
    from threadpoolctl import threadpool_info
    found = {{}}
    for info in threadpool_info():
        found[info["user_api"]] = max(found.get(info["user_api"], 0), info["num_threads"])
    return found

before = dict(os.environ)
Sweep(function=function, space={{"number": range(8)}}).run(
    np.zeros((4, 2)), np.zeros(4), backend={backend!r}, n_jobs=2, store="some.sweep")
assert dict(os.environ) == before
assert {backend!r} == "processes" or most().keys() == {{"blas", "openmp"}}
assert set(most().values()) == {{joblib.cpu_count()}}, most()
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_libraries_have_one_thread_wherever_work_is_done(backend: str, tmp_path: Path) -> None:
    process = start(THREADS.format(backend=backend), tmp_path)
    out, err = process.communicate(timeout=120)
    assert (out, err, process.returncode) == ("", "", 0)
    trials = Results.open(tmp_path / "some.sweep").trials
    assert trials[["blas", "openmp"]].eq(1).all(axis=None)
    assert len(trials) == 8


def test_a_worker_whose_coordinator_is_gone_before_it_looks_ends(tmp_path: Path) -> None:
    script = "from sweep.execution.worker import main; main(1 << 22, 0, 0, 0, 0)"
    assert subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=False).returncode == 1
