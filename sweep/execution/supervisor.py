"""Runs a task to its end in worker processes, whatever becomes of them, and finds out whose doing it was.

A worker marks what it begins. If it dies, what it had under way is under suspicion: it runs again, alone, in a
worker of its own. Who dies alone, twice, is quarantined. All others lose a chunk of time and nothing else: a
process that is killed from outside is nobody's fault, and nobody is charged for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from neuralnet_core import Model
from sweep.errors import UserError
from sweep.jobs import FunctionJob, Job, Record

from .processes import WorkerDied, WorkerPool
from .tasks import Outcome, Task, Watch

__all__ = ["CrashLimit", "Supervisor", "WorkersDieError"]

ALONE = 2  # deaths with nothing else in the process
LEAST_DEATHS = 60  # that say nothing about workers at large: twenty jobs that each die three times

T = TypeVar("T")


class WorkersDieError(UserError):
    """Worker processes die faster than they end trials: whatever the reason, to go on would be of no use."""

    exit_code = 75  # EX_TEMPFAIL of sysexits.h


class CrashLimit:
    """Counts what ended and who died, and says when that is no longer sane.

    Examples
    --------
    >>> limit = CrashLimit(least=2)
    >>> limit.ended(3)
    >>> for _ in range(4):  # doctest: +ELLIPSIS
    ...     limit.died("killed by SIGKILL")
    Traceback (most recent call last):
    sweep.execution.supervisor.WorkersDieError: worker processes died 4 times while 3 trials ended, the last time ...
    """

    def __init__(self, least: int) -> None:
        self._least = least
        self._deaths = self._ended = 0
        self._lock = threading.Lock()

    def ended(self, trials: int) -> None:
        """Take in that so many trials came to an end."""
        with self._lock:
            self._ended += trials

    def died(self, cause: str) -> None:
        """Take in that a worker died; raise if there are too many."""
        with self._lock:
            self._deaths += 1
            if self._deaths > max(self._least, self._ended):
                raise WorkersDieError(
                    f"worker processes died {self._deaths} times while {self._ended} trials ended, the last time"
                    f" {cause}: stopped; what is recorded is kept, so look for the reason (is there memory"
                    " enough?) and run again"
                )


@dataclass
class _Part:
    """Some of a task's jobs, by place, on their way through workers; `deaths` while alone."""

    places: Sequence[int]
    alone: bool = False
    deaths: int = 0


class Supervisor:
    """Runs tasks in the workers of a pool; a thread for each worker may call it.

    Parameters
    ----------
    pool : WorkerPool
    watch : Watch
        Hears when the run is to stop.
    timeout : float, optional
        The most seconds that one job may take.
    describe : callable
        ``describe(job)`` says how a user runs a job in a process that may die.
    """

    def __init__(
        self,
        pool: WorkerPool,
        watch: Watch,
        timeout: float | None,
        describe: Callable[[Job | FunctionJob], str],
    ) -> None:
        self._pool, self._watch, self._timeout, self._describe = pool, watch, timeout, describe
        self._limit = CrashLimit(LEAST_DEATHS)

    def __call__(self, task: Task) -> Outcome:
        """Return what came of a task: all of it, unless a worker gave a part back or the run is to stop."""
        records: list[Record | None] = [None] * len(task.jobs)
        models: list[Model | None] = [None] * len(task.jobs)
        seconds = 0.0
        parts = [_Part(range(len(task.jobs)))]
        while parts and not self._watch.cancelled:
            part = parts.pop()
            try:
                outcome = self._attempt(task.part(part.places, alone=part.alone))
            except WorkerDied as death:
                if not self._watch.cancelled:
                    parts += self._suspects(task, part, death, records)
                continue
            if outcome.error is not None:
                return outcome
            seconds += outcome.seconds
            _put(records, part.places, outcome.records)
            _put(models, part.places, outcome.models)
            self._limit.ended(len(outcome.ended(len(part.places))))
        return Outcome(task.number, seconds, records, models)

    def _attempt(self, task: Task) -> Outcome:
        """Run a task in a worker; only one that ended well, and had company before, is used again."""
        worker = self._pool.take(fresh=task.alone)
        well = False
        try:
            outcome = worker.run(task, self._timeout)
            well = not task.alone
            return outcome
        finally:
            if well:
                self._pool.give_back(worker)
            else:
                self._pool.remove(worker)

    def _suspects(
        self, task: Task, part: _Part, death: WorkerDied, records: list[Record | None]
    ) -> list[_Part]:
        """Return what is to be run again, and how; record who is found guilty."""
        if not death.orderly:
            self._limit.died(death.cause)
        suspects = [part.places[place] for place in death.jobs]
        others = [place for place in part.places if place not in set(suspects)]
        again = [_Part(others)] if others else []
        if not suspects:
            return again
        if len(suspects) > 1:  # networks of one computation: by halves
            middle = len(suspects) // 2
            return [*again, _Part(suspects[:middle]), _Part(suspects[middle:])]
        (place,) = suspects
        job = task.jobs[place]
        deaths = part.deaths + part.alone
        if death.late:
            error = f"no result within {self._timeout:g} s; its worker process was killed"
            records[place] = _charged(job, "timeout", error, death)
        elif deaths >= ALONE:
            records[place] = _charged(job, "quarantined", self._verdict(job, death.cause), death)
        else:
            again.append(_Part(suspects, alone=True, deaths=deaths))
        return again

    def _verdict(self, job: Job | FunctionJob, cause: str) -> str:
        return (
            f"its worker process died twice with nothing else in it, {cause}; to see it happen in a process of"
            f" your own: {self._describe(job)}"
        )


def _put(into: list[T | None], places: Sequence[int], found: Sequence[T | None]) -> None:
    for place, value in zip(places, found, strict=False):
        into[place] = value


def _charged(job: Job | FunctionJob, state: str, error: str, death: WorkerDied) -> Record:
    started = time.time() - death.seconds
    return Record(job.identity, state, 0, {}, {}, error, None, started, death.seconds, str(death.pid))
