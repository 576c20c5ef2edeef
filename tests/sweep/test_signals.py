"""SIGINT, SIGTERM and SIGHUP end a run in order wherever it runs, and nothing outlives it, not even if it is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from programs import children, leftovers, start, wait_until
from stopped import SIGNALS, WHERE, recorded, running

from sweep import Results


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize(("kind", "backend", "n_jobs"), WHERE)
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
    told = f"interrupted{by}: {states['done']} of 3000 trials are recorded; run again with the same store"
    assert err.startswith(told)
    assert err.count("\n") == 1
    assert out == (f"returned {states}\n" if number == signal.SIGINT else "")
    assert wait_until(lambda: not leftovers(tmp_path, pids), 2), leftovers(tmp_path, pids)


@pytest.mark.parametrize(("kind", "backend", "n_jobs"), WHERE)
def test_nothing_outlives_a_killed_program(kind: str, backend: str, n_jobs: int, tmp_path: Path) -> None:
    with running(tmp_path, kind, backend, n_jobs) as (process, pids):
        process.kill()
        process.wait()
    assert wait_until(lambda: not leftovers(tmp_path, pids), 2), leftovers(tmp_path, pids)
    assert recorded(tmp_path / "some.sweep") > 0


HANGING = """
import numpy as np, signal, threading, time, user_functions
from sweep import Sweep

sweep = Sweep(function=user_functions.sort_of, space={{"kind": ["hang"], "number": range(4)}})
print("begins", flush=True)
sweep.run(np.zeros((4, 2)), np.zeros(4), backend={backend!r}, n_jobs=2, progress=False)
"""


@pytest.mark.parametrize("backend", ["processes", "sequential", "threads"])
def test_a_hanging_function_holds_up_no_signal(backend: str, tmp_path: Path) -> None:
    process = start(HANGING.format(backend=backend), tmp_path)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "begins\n"
        assert wait_until(lambda: handles(process.pid, signal.SIGTERM))
        if backend == "processes":
            assert wait_until(lambda: len(children(process.pid)) == 2)
        pids = [process.pid, *children(process.pid)]
        sent = 0
        while process.poll() is None and sent < 20:  # two that come before Python looks are one to it
            process.send_signal(signal.SIGTERM)
            sent += 1
            wait_until(lambda: process.poll() is not None, 3)
        process.communicate(timeout=60)
        assert process.returncode == 143
        assert wait_until(lambda: not leftovers(tmp_path, pids), 2), leftovers(tmp_path, pids)
    finally:
        process.kill()
        process.communicate()


def handles(pid: int, number: int) -> bool:
    """Whether a process has a handler of its own for a signal."""
    return _in_mask(pid, "SigCgt", number)


def _in_mask(pid: int, name: str, number: int) -> bool:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return False
    masks = dict(line.split(":", 1) for line in lines)
    return bool(int(masks[name], 16) >> (number - 1) & 1)


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
print(results.trials["state"].tolist(), signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""


def test_signals_that_are_ignored_or_somebody_elses_are_left_alone(tmp_path: Path) -> None:
    process = start(IGNORING, tmp_path)
    out, err = process.communicate(timeout=60)
    assert (out, err, process.returncode) == ("mine\nmine\n['done', 'done'] True\n", "", 0)


THREADS = """
import joblib, os
import numpy as np
from sweep import Sweep

def function(params, seed, X, y):
    import sklearn.ensemble  # which has OpenMP, and SciPy's own BLAS
    return most()

def most():
    # The most threads that a library of each kind has.
    from threadpoolctl import threadpool_info
    found = {{}}
    for info in threadpool_info():
        found[info["user_api"]] = max(found.get(info["user_api"], 0), info["num_threads"])
    return found

before = dict(os.environ)
results = Sweep(function=function, space={{"number": range(8)}}).run(
    np.zeros((4, 2)), np.zeros(4), backend={backend!r}, n_jobs=2)
print(results.trials["blas"].tolist(), results.trials["openmp"].tolist())
assert dict(os.environ) == before
assert set(most().values()) == {{joblib.cpu_count()}}, most()
"""


@pytest.mark.parametrize("backend", ["threads", "processes", "sequential"])
def test_libraries_have_one_thread_wherever_work_is_done(backend: str, tmp_path: Path) -> None:
    process = start(THREADS.format(backend=backend), tmp_path)
    out, err = process.communicate(timeout=120)
    assert (out, err) == (f"{[1.0] * 8} {[1.0] * 8}\n", "")


def test_a_worker_whose_coordinator_is_gone_before_it_looks_ends(tmp_path: Path) -> None:
    script = "from sweep.execution.worker import main; main(1 << 22, 0, 0, 0)"
    assert subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=False).returncode == 1
