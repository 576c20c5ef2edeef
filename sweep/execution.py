"""Chunks -> records: hands chunks to threads or processes; the only importer of joblib.

Whoever trains a network, the bits are the same. So the choice of a back end is one of cost alone: threads
start at once and share the data; processes isolate the user's own Python functions.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from types import FrameType, TracebackType
from typing import Any, Self, TypeVar

import joblib
from threadpoolctl import threadpool_limits

from neuralnet_core import CancelToken, Model, TrainingCancelled, check_choice, check_integer, train_many

from .data import Data
from .jobs import Curves, Job, Record, error_text
from .planner import Pack, Schedule

__all__ = ["BACKENDS", "Execution", "Outcome", "Task", "check_workers"]

BACKENDS = ("auto", "threads", "processes", "sequential")

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker gets: the jobs of one chunk, and how many of them are in each pack."""

    number: int
    jobs: tuple[Job, ...]
    pack_sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a worker gives back: a record for each job, a model for each, or both; neither if cancelled."""

    number: int
    seconds: float
    records: list[Record] | None = None
    models: list[Model | None] | None = None

    @property
    def cancelled(self) -> bool:
        """Whether the task was stopped before its end."""
        return self.records is None and self.models is None


def check_workers(n_jobs: object, backend: object) -> tuple[int, str]:
    """Return (workers, back end), or say which rule the arguments break.

    `n_jobs` is as in joblib: -1 is every CPU this process may use, -2 all but one.
    """
    backend = check_choice("backend", backend, BACKENDS)
    workers = check_integer("n_jobs", n_jobs)
    if workers == 0:
        raise ValueError("n_jobs must not be 0; give a number of workers, or -1 for every CPU")
    if workers < 0:
        workers = max(1, int(joblib.cpu_count()) + 1 + workers)
    return (1, backend) if backend == "sequential" else (workers, "threads" if backend == "auto" else backend)


class Execution:
    """Runs the chunks of a schedule and yields what came of each, in order of completion.

    Parameters
    ----------
    jobs : sequence of Job
        What the packs' numbers refer to.
    packs : sequence of Pack
    workers : int
    backend : {"threads", "processes", "sequential"}

    Attributes
    ----------
    schedule : Schedule
        Which knows how far the run is.
    interrupted : bool
        Whether Ctrl-C ended the run before its end.
    """

    def __init__(self, jobs: Sequence[Job], packs: Sequence[Pack], workers: int, backend: str) -> None:
        self._jobs, self._backend = jobs, backend
        self._workers = max(1, min(workers, len(packs)))
        self.schedule = Schedule(packs, self._workers)
        self._running: dict[int, tuple[Pack, ...]] = {}
        self._interrupts = _Interrupts()

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the run before its end."""
        return self._interrupts.caught

    def run(self, work: Callable[..., Outcome], **options: object) -> Generator[tuple[list[int], Outcome]]:
        """Yield the jobs' numbers and ``work(task, cancel=token, **options)`` of every chunk; after Ctrl-C, end.

        In threads the first Ctrl-C cancels the kernels, which look for it about every millisecond (with
        "sequential" they end their chunk: Python handles signals in the main thread, which they keep busy);
        workers in processes are killed. Chunks under way are lost (a second's work), finished ones are not.
        The second Ctrl-C raises at once.
        """
        token = None if self._backend == "processes" else self._interrupts.token
        call = partial(work, cancel=token, **options)
        with self._interrupts, threadpool_limits(1):
            outcomes = _execute(call, self._tasks(), self._workers, self._backend)
            try:
                for outcome in self._watched(outcomes):
                    chunk = self._running.pop(outcome.number)
                    if not outcome.cancelled:
                        self.schedule.finished(chunk, outcome.seconds)
                        yield [number for pack in chunk for number in pack.jobs], outcome
            except KeyboardInterrupt:
                if self._interrupts.twice:
                    raise
                self._interrupts.stop()
            except GeneratorExit:  # the consumer gave up: let the workers end before the error goes on
                self._interrupts.stop()
                if not self._interrupts.twice:
                    for _ in outcomes:
                        pass
                raise

    def _watched(self, outcomes: Generator[Outcome]) -> Iterator[Outcome]:
        """Yield the outcomes; with processes, Ctrl-C raises inside joblib, which then kills its workers."""
        kills = self._backend == "processes"
        while True:
            if kills and self._interrupts.caught:
                outcomes.throw(KeyboardInterrupt)
            self._interrupts.raises = kills
            outcome = next(outcomes, None)
            self._interrupts.raises = False
            if outcome is None:
                return
            yield outcome

    def _tasks(self) -> Iterator[Task]:
        for number, chunk in enumerate(self.schedule.chunks()):
            if self._interrupts.caught:
                return
            self._running[number] = chunk
            jobs = tuple(self._jobs[place] for pack in chunk for place in pack.jobs)
            yield Task(number, jobs, tuple(len(pack.jobs) for pack in chunk))


class _Interrupts:
    """Turns Ctrl-C into the cancelling of what runs, for a `with` block in the main thread.

    An exception out of a signal handler would end joblib's loop, or the recording of a result, at any point.
    So the first Ctrl-C only sets the cancel token, and the loop ends by itself; it raises where, and while,
    `raises` is set. A handler that somebody else has set is left alone.
    """

    def __init__(self) -> None:
        self.token = CancelToken()
        self.caught = self.twice = self.raises = False
        self._installed = False

    def stop(self) -> None:
        """Cancel what runs, and let nothing more begin."""
        self.caught = True
        self.token.cancel()

    def __enter__(self) -> Self:
        default = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if default and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._handle)
            self._installed = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._installed:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        self.twice = self.caught
        self.stop()
        if self.twice or self.raises:
            raise KeyboardInterrupt


def _execute(work: Callable[[T], R], tasks: Iterable[T], workers: int, backend: str) -> Generator[R]:
    """Yield the result of every task in order of completion."""
    if backend == "sequential":
        yield from map(work, tasks)
    elif workers == 1:
        # Beside the main thread all the same: signals are handled in the main thread, between byte codes.
        with ThreadPoolExecutor(1) as pool:
            for task in tasks:
                yield pool.submit(work, task).result()
    else:
        name = {"threads": "threading", "processes": "loky"}[backend]
        limits = {"inner_max_num_threads": 1} if backend == "processes" else {}
        with joblib.parallel_config(backend=name, **limits):
            parallel = joblib.Parallel(
                n_jobs=workers, batch_size=1, pre_dispatch=workers + 1, return_as="generator_unordered"
            )
        yield from parallel(joblib.delayed(work)(task) for task in tasks)


def record_task(
    task: Task, *, data: Data, dtype: str, keep_models: bool, cancel: CancelToken | None = None
) -> Outcome:
    """Train the jobs of a task and return their records: the function that a sweep's workers run.

    If a network does not fit the data, the rest of its chunk is trained without it.
    """
    started = time.time()
    clock = time.perf_counter()
    try:
        models = _train_or_blame(task, data, dtype, cancel)
    except TrainingCancelled:
        return Outcome(task.number, time.perf_counter() - clock)
    each = (time.perf_counter() - clock) / len(task.jobs)
    worker = f"{os.getpid()}/{threading.get_native_id()}"
    records = [
        _record(job, model, started, each, worker) for job, model in zip(task.jobs, models, strict=True)
    ]
    kept = [None if isinstance(model, str) else model for model in models] if keep_models else None
    return Outcome(task.number, time.perf_counter() - clock, records, kept)


def model_task(task: Task, *, data: Data, dtype: str, cancel: CancelToken | None = None) -> Outcome:
    """Train the jobs of a task and return their models; an error raises."""
    clock = time.perf_counter()
    try:
        models = train_jobs(task.jobs, data, dtype, cancel)
    except TrainingCancelled:
        return Outcome(task.number, time.perf_counter() - clock)
    return Outcome(task.number, time.perf_counter() - clock, models=list(models))


def _train_or_blame(task: Task, data: Data, dtype: str, cancel: CancelToken | None) -> list[Model | str]:
    """Return a model for each job, or the text of the error that it raises when trained alone."""
    try:
        return list(train_jobs(task.jobs, data, dtype, cancel))
    except TrainingCancelled:
        raise
    except Exception as error:
        if len(task.jobs) == 1:
            return [error_text(error)]
    sizes = task.pack_sizes if len(task.pack_sizes) > 1 else (1,) * len(task.jobs)
    models: list[Model | str] = []
    start = 0
    for size in sizes:
        part = Task(task.number, task.jobs[start : start + size], (size,))
        models += _train_or_blame(part, data, dtype, cancel)
        start += size
    return models


def train_jobs(jobs: Sequence[Job], data: Data, dtype: str, cancel: CancelToken | None = None) -> list[Model]:
    """Train jobs on the calling thread; the one place of `sweep` that calls the engine."""
    rows: list[Any] = [job.split.rows for job in jobs]
    validation_rows: list[Any] = [job.split.validation_rows for job in jobs]
    initial: list[Any] = [job.initial for job in jobs]
    return train_many(
        [job.network for job in jobs],
        [job.optimizer for job in jobs],
        data.X,
        data.y,
        seeds=[job.seed for job in jobs],
        rows=rows,
        validation_rows=validation_rows,
        validation=data.validation,
        sample_weight=data.sample_weight,
        initial=initial,
        dtype=dtype,
        cancel=cancel,
        warn=False,
    )


def _record(job: Job, model: Model | str, started: float, seconds: float, worker: str) -> Record:
    if isinstance(model, str):
        return Record(job.identity, "failed", 0, {}, {}, model, None, started, seconds, worker)
    curves = Curves(model.history_arrays)
    digest = model.digest() if model.state == "done" else None
    return Record(
        job.identity, model.state, model.epoch, model.metrics, curves, None, digest, started, seconds, worker
    )
