from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from typing import Any

import joblib
import numpy as np
import pytest
from threadpoolctl import threadpool_info

from neuralnet_core import (
    Adam,
    CancelToken,
    Dense,
    GradientDescent,
    Network,
    Pack,
    Way,
    engine_info,
)
from sweep.data import Data
from sweep.execution import Execution, Outcome, Task, Watch, check_workers, model_task, record_task
from sweep.jobs import Job
from sweep.planner import plan
from sweep.splits import RowSplit

X = np.random.default_rng(0).normal(size=(60, 3))
DATA = Data.of(X, X.sum(axis=1), None, None, "float32")
SPLIT = RowSplit.of(DATA, np.arange(50), np.arange(50, 60))
BACKENDS = [("sequential", 1), ("threads", 1), ("threads", 2), ("processes", 2)]


def job(number: int, outputs: int = 1, epochs: int = 2) -> Job:
    network = Network([Dense(4, "tanh"), Dense(outputs)], loss="mse")
    return Job(network, Adam(0.001 * (number + 1), epochs=epochs), 7, SPLIT, number, f"identity {number}")


def execution(jobs: list[Job], backend: str = "threads", workers: int = 1) -> Execution:
    return Execution(jobs, plan(jobs, (3,), "float32"), workers, backend)


def outcomes(jobs: list[Job], backend: str = "threads", workers: int = 1) -> list[tuple[list[int], Outcome]]:
    return list(
        execution(jobs, backend, workers).run(record_task, data=DATA, dtype="float32", keep_models=False)
    )


@pytest.mark.parametrize(("backend", "workers"), BACKENDS)
def test_every_job_gets_one_record(backend: str, workers: int) -> None:
    jobs = [job(number) for number in range(40)]
    found = [
        (number, record)
        for numbers, outcome in outcomes(jobs, backend, workers)
        for number, record in zip(numbers, outcome.records, strict=True)
    ]
    assert sorted(number for number, _ in found) == list(range(40))
    assert all(record.identity == f"identity {number}" for number, record in found)
    assert {record.state for _, record in found} == {"done"}
    assert set(found[0][1].curves) == {"train_loss", "validation_loss", "validation_r2"}


def test_a_record_has_what_its_model_has() -> None:
    task = Task(0, (job(0),))
    (record,) = record_task(task, Watch(), data=DATA, dtype="float32", keep_models=False).records
    (model,) = model_task(task, Watch(), data=DATA, dtype="float32").models
    assert record is not None
    assert model is not None
    assert record.digest == model.digest()
    assert record.metrics == model.metrics
    assert record.epoch == model.epoch == 2
    assert record.curves["train_loss"] == pytest.approx(model.history_arrays["train_loss"], rel=1e-6)


def test_a_network_that_does_not_fit_the_data_fails_alone() -> None:
    jobs = [job(number, outputs=3 if number in (5, 11) else 1) for number in range(30)]
    way = Way("networks", engine_info().instruction_set)
    packs = tuple(Pack(tuple(range(start, start + 5)), way, 1.0) for start in range(0, 30, 5))
    found = record_task(Task(0, tuple(jobs), packs), Watch(), data=DATA, dtype="float32", keep_models=True)
    records = [record for record in found.records if record is not None]
    assert [number for number, record in enumerate(records) if record.state == "failed"] == [5, 11]
    assert [number for number, model in enumerate(found.models) if model is None] == [5, 11]
    failed = records[5]
    assert failed.error is not None
    assert failed.error.startswith("ValueError: ")
    assert (failed.digest, failed.metrics) == (None, {})


def test_a_diverged_network_is_a_record_without_a_digest() -> None:
    wild = Job(Network([Dense(1)]), GradientDescent(1e6, epochs=30), 7, SPLIT, 0, "wild")
    task = Task(0, (wild,))
    (record,) = record_task(task, Watch(), data=DATA, dtype="float32", keep_models=False).records
    assert record is not None
    assert record.state == "diverged"
    assert record.digest is None
    assert 1 <= record.epoch == len(record.curves["train_loss"]) < 30


def test_a_cancelled_task_gives_nothing() -> None:
    token = CancelToken()
    token.cancel()
    task = Task(3, (job(0),))
    outcome = record_task(task, Watch(token), data=DATA, dtype="float32", keep_models=False)
    assert outcome.ended(1) == []
    assert outcome.number == 3


def test_a_consumer_that_gives_up_ends_the_workers() -> None:
    jobs = [job(number, epochs=200) for number in range(300)]
    running = execution(jobs, workers=2).run(record_task, data=DATA, dtype="float32", keep_models=False)
    next(running)
    running.close()
    assert not [one for one in threading.enumerate() if "worker" in one.name and not one.daemon]


def test_blas_has_one_thread_while_workers_run() -> None:
    seen: list[int] = []

    def look(task: Task, watch: Watch, **options: Any) -> Outcome:
        seen.extend(one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas")
        return record_task(task, watch, **options)

    list(execution([job(0)]).run(look, data=DATA, dtype="float32", keep_models=False))
    assert set(seen) == {1}


@pytest.mark.parametrize(
    ("n_jobs", "backend", "expected"),
    [
        (3, "auto", (3, "threads")),
        (-1, "threads", (joblib.cpu_count(), "threads")),
        (-1000, "processes", (1, "processes")),
        (np.int64(2), "threads", (2, "threads")),
        (8, "sequential", (1, "sequential")),
    ],
)
def test_workers(n_jobs: int, backend: str, expected: tuple[int, str]) -> None:
    assert check_workers(n_jobs, backend) == expected


@pytest.mark.parametrize(
    ("n_jobs", "backend", "error", "message"),
    [
        (0, "auto", ValueError, "n_jobs must not be 0; give a number of workers, or -1 for every CPU"),
        (1.5, "auto", TypeError, r"n_jobs must be an integer, got 1\.5"),
        (None, "auto", TypeError, "n_jobs must be an integer, got None"),
        (1, "dask", ValueError, "backend must be one of auto, threads, processes, sequential; got 'dask'"),
        (1, None, ValueError, "backend must be one of"),
    ],
)
def test_bad_workers(n_jobs: Any, backend: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        check_workers(n_jobs, backend)


# --- Ctrl-C -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("backend", "workers"), BACKENDS)
def test_ctrl_c_while_a_result_is_taken_loses_no_result(backend: str, workers: int) -> None:
    jobs = [job(number, epochs=400) for number in range(400)]
    interrupted = execution(jobs, backend, workers)
    taken = 0
    for numbers, _ in interrupted.run(record_task, data=DATA, dtype="float32", keep_models=False):
        if not taken:
            signal.raise_signal(signal.SIGINT)
        taken += len(numbers)
    assert interrupted.interruption is not None
    assert 0 < taken < 400
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_second_ctrl_c_raises() -> None:
    def consume() -> None:
        jobs = [job(number) for number in range(40)]
        for _ in execution(jobs).run(record_task, data=DATA, dtype="float32", keep_models=False):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        consume()


INTERRUPTED = """
import signal, sys, threading, time, warnings
import numpy as np
from neuralnet_core import Adam, Dense, Network
from sweep import Sweep, planner

planner.LONGEST_CHUNK = 0.1  # so that something is recorded soon
X = np.random.default_rng(0).normal(size=(200, 3))
held_out = X[:40], X[:40, 0]
epochs, backend, workers = {epochs}, {backend!r}, {workers}
def build(rate):
    return Network([Dense(16, "tanh"), Dense(1)]), Adam(rate, epochs=epochs)

class Watched:
    def write(self, text):
        sys.stdout.write(text)
        sys.stdout.flush()
    def flush(self):
        pass
    def isatty(self):
        return False

sys.stderr = Watched()
sweep = Sweep(build, dict(rate=np.linspace(1e-4, 1e-2, 2000).tolist()))
def watch():
    while signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        time.sleep(0.01)
    print("workers begin", flush=True)

threading.Thread(target=watch, daemon=True).start()
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    try:
        results = sweep.run(X, X[:, 0], validation=held_out, n_jobs=workers, backend=backend, progress="plain")
    except KeyboardInterrupt:
        print("nothing was recorded", flush=True)
        print("returned at", time.time(), flush=True)
        raise SystemExit(3)
print("returned at", time.time(), flush=True)
states = results.states
print(set(states), len(told), str(told[0].message), flush=True)
assert sum(states.values()) == 2000 and states["done"] > 0
print("fine", flush=True)
"""


def interrupt(epochs: int, backend: str, workers: int, after: str, delay: float) -> tuple[int, str, float]:
    """Run the script, send SIGINT once it has printed `after`; return its exit code, its output, and how long
    `run` took to end."""
    script = INTERRUPTED.format(epochs=epochs, backend=backend, workers=workers)
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if after in line:
            break
    time.sleep(delay)
    clock = time.time()
    process.send_signal(signal.SIGINT)
    output = "".join(lines) + process.communicate(timeout=60)[0]
    returned = [float(line.split()[-1]) for line in output.splitlines() if line.startswith("returned at")]
    return process.returncode, output, (returned or [np.inf])[0] - clock


@pytest.mark.parametrize(("backend", "workers"), [("threads", 1), ("threads", 2), ("processes", 2)])
def test_an_interrupted_run_returns_what_was_recorded(backend: str, workers: int) -> None:
    code, output, seconds = interrupt(300, backend, workers, after="2000 trials", delay=0.1)
    assert code == 0, output
    assert "interrupted: " in output
    assert "fine" in output
    assert seconds < 5


def test_an_interruption_before_the_first_record_raises() -> None:
    code, output, seconds = interrupt(10**6, "threads", 2, after="workers begin", delay=0.3)
    assert code == 3, output
    assert "nothing was recorded" in output
    assert seconds < 30  # a kernel that heard of nothing would go on for minutes
