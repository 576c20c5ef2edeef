"""What goes to a worker and comes back: plain values that can be pickled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, TypeAlias

from neuralnet_core import CancelToken, Model, Pack
from sweep.jobs import Record, error_text

__all__ = ["Outcome", "Task", "Watch", "Work"]


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker gets: the jobs of one chunk, and, of networks, the packs they train in, by place.

    Without packs they are for the engine to plan. A task that runs `alone` holds one job, in a worker that has run
    nothing before: what happens to the worker is that job's doing.
    """

    number: int
    jobs: tuple[Any, ...]  # of one kind: Job, or FunctionJob
    packs: tuple[Pack, ...] = ()
    alone: bool = False

    def part(self, places: Sequence[int], *, alone: bool = False) -> Task:
        """Return the task of some of the jobs."""
        if len(places) == len(self.jobs):
            return replace(self, alone=alone)
        return Task(self.number, tuple(self.jobs[place] for place in places), alone=alone)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a worker gives back: a record for each job, a model for each, or both.

    A job with neither was not run: it is to be run yet. Nothing at all means that the task was stopped. An
    `error` is one that ends the run.
    """

    number: int = 0
    seconds: float = 0.0
    records: Sequence[Record | None] = ()
    models: Sequence[Model | None] = ()
    error: BaseException | None = None

    def ended(self, jobs: int) -> list[int]:
        """Return the places of those of so many jobs that were run to their end."""
        found = [one or another for one, another in zip_longest(self.records, self.models)]
        return [place for place, result in enumerate(found[:jobs]) if result is not None]

    def of(self, places: Sequence[int]) -> Outcome:
        """Return what came of some of the jobs."""
        records = [self.records[place] for place in places] if self.records else ()
        models = [self.models[place] for place in places] if self.models else ()
        return replace(self, records=records, models=models)

    def portable(self, error: Exception) -> Outcome:
        """Return the same with an error that can be pickled for certain in place of one that cannot."""
        return replace(self, records=(), models=(), error=RuntimeError(error_text(error)))


class Watch:
    """What the work on a task hears from its coordinator, and what it tells it.

    Parameters
    ----------
    token : CancelToken, optional
        Set when the work is to stop.
    interruptible : callable
        ``with interruptible():`` is put around what hears of no token; a signal may raise in it.

    Attributes
    ----------
    isolated : bool
        Whether the work runs in a process of its own, so that it may end it.
    """

    isolated = False

    def __init__(
        self,
        token: CancelToken | None = None,
        interruptible: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self.token, self.interruptible = token, interruptible

    @property
    def cancelled(self) -> bool:
        """Whether the work is to stop."""
        return self.token is not None and self.token.cancelled

    def begin(self, first: int, end: int) -> None:
        """Say that the jobs at places `first` to `end` are under way, and no others."""


# What is done with a task, ``work(task, watch, **options)``: a function that can be pickled.
Work: TypeAlias = Callable[..., Outcome]
