"""Trials -> packs -> chunks: which networks train as one computation, and how much one worker gets at a time."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from neuralnet_core import Way, plan_packs

from .calibration import machine_scale
from .jobs import Job

__all__ = ["Pace", "Pack", "Schedule", "plan", "plan_calls", "predicted_seconds"]

SECONDS_PER_CALL = 1.0  # of a function, so that the first chunks are one call each
SECONDS_PER_RECORD = 25e-6  # what is done for a network beside its training

# Longer chunks cost more when a worker dies and balance worse; shorter ones cost more to hand out.
LONGEST_CHUNK = 1.0
SHORTEST_CHUNK = 0.02
CHUNKS_PER_WORKER = 4
# Their parameters are in memory together: 100,000 networks of 2,400 took 515 MB with 2,000 to a chunk, 460 with 500.
MOST_NETWORKS = 512

# A plan of so many predicted seconds is worth asking how fast this machine is; a shorter one is over by then.
WORTH_CALIBRATION = 2.0


@dataclass(frozen=True, slots=True)
class Pack:
    """Jobs (their numbers) that train as one computation: the seconds that is predicted to take, and how they train."""

    jobs: tuple[int, ...]
    seconds: float
    way: Way | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """How far a run is: networks done and to do, seconds since its start and (predicted) to its end."""

    done: int
    total: int
    elapsed: float
    remaining: float

    @property
    def rate(self) -> float:
        """Networks per second."""
        return self.done / self.elapsed if self.elapsed > 0 else 0.0


def plan(jobs: Sequence[Job], input_shape: tuple[int, ...], dtype: str, *, apart: bool = False) -> list[Pack]:
    """Return the packs of all jobs; of one order each, if orders are to be kept `apart`.

    Jobs of one repeat (one seed and split) fill packs of their own, which share a minibatch order; what would
    leave lanes empty is pooled over all repeats: one configuration with 8 repeats is one pack.
    """
    orders = [_order(job) for job in jobs]
    packs = plan_packs(
        [job.network for job in jobs],
        [job.optimizer for job in jobs],
        input_shape,
        dtype,
        lengths=[(job.split.n_train, job.split.n_validation) for job in jobs],
        orders=orders,
        keys=orders if apart else None,
    )
    long = sum(pack.seconds for pack in packs) > WORTH_CALIBRATION
    scale = machine_scale(dtype) if long else 1.0
    return [
        Pack(members, scale * (seconds + len(members) * SECONDS_PER_RECORD), way)
        for members, way, seconds in packs
    ]


def _order(job: Job) -> tuple[int | None, int]:
    """Return what says in which order a network visits which rows: a full batch has none."""
    optimizer, split = job.optimizer, job.split
    full = optimizer.batch_size is None or optimizer.batch_size >= split.n_train
    return job.seed if optimizer.shuffle and not full else None, id(split)


def predicted_seconds(packs: Sequence[Pack], workers: int) -> float:
    """Return how long so many workers are predicted to take for some packs.

    Examples
    --------
    >>> predicted_seconds([Pack((0, 1), 2.0), Pack((2,), 1.0), Pack((3,), 1.0)], workers=2)
    2.0
    """
    return max([sum(pack.seconds for pack in packs) / workers, *(pack.seconds for pack in packs)])


def plan_calls(count: int) -> list[Pack]:
    """Return the packs of calls of a user's function, one in each; how long they take, nobody knows yet."""
    return [Pack((number,), SECONDS_PER_CALL) for number in range(count)]


class Schedule:
    """Hands packs out in chunks and learns from their times how long the next ones will take.

    Chunks are whole packs of about a second, shrinking towards the end so that all workers finish together;
    packs too heavy for that are handed out first.

    Parameters
    ----------
    packs : list of Pack
    workers : int
    """

    def __init__(self, packs: Sequence[Pack], workers: int) -> None:
        self._workers = workers
        total = sum(pack.seconds for pack in packs)
        heavy = total / (2 * CHUNKS_PER_WORKER * workers)
        self._waiting = deque(sorted(packs, key=lambda pack: -pack.seconds if pack.seconds > heavy else 0.0))
        self._unsent = self._unfinished = total
        self._predicted = self._measured = 0.0
        self._networks, self._done = sum(len(pack.jobs) for pack in packs), 0
        self._started = time.perf_counter()
        self._lock = threading.Lock()

    def chunks(self) -> Iterator[tuple[Pack, ...]]:
        """Yield the chunks; each is sized by what is known when it is asked for."""
        while self._waiting:
            chunk = [self._waiting.popleft()]
            seconds, networks, goal = chunk[0].seconds, len(chunk[0].jobs), self._goal()
            while self._waiting:
                pack = self._waiting[0]
                if seconds + pack.seconds > goal or networks + len(pack.jobs) > MOST_NETWORKS:
                    break
                chunk.append(self._waiting.popleft())
                seconds += pack.seconds
                networks += len(pack.jobs)
            with self._lock:
                self._unsent -= seconds
            yield tuple(chunk)

    def put_back(self, packs: Sequence[Pack]) -> None:
        """Take packs of a chunk back that were not run: they go out in later chunks."""
        with self._lock:
            self._unsent += sum(pack.seconds for pack in packs)
        self._waiting.extend(packs)

    @property
    def waiting(self) -> bool:
        """Whether there are packs to hand out."""
        return bool(self._waiting)

    def finished(self, chunk: Sequence[Pack], seconds: float) -> None:
        """Learn that a chunk took `seconds` of one worker's time."""
        predicted = sum(pack.seconds for pack in chunk)
        with self._lock:
            self._predicted += predicted
            self._measured += seconds
            self._unfinished -= predicted
            self._done += sum(len(pack.jobs) for pack in chunk)

    def pace(self) -> Pace:
        """Return how far the run is."""
        elapsed = time.perf_counter() - self._started
        remaining = max(0.0, self._unfinished) * self._correction() / self._workers
        return Pace(self._done, self._networks, elapsed, remaining)

    def _correction(self) -> float:
        """Return measured over predicted seconds, 1 as long as nothing was measured."""
        return self._measured / self._predicted if self._predicted > 0 else 1.0

    def _goal(self) -> float:
        """Return the size of the next chunk, in predicted seconds."""
        correction = self._correction()
        share = self._unsent * correction / (CHUNKS_PER_WORKER * self._workers)
        return min(LONGEST_CHUNK, max(SHORTEST_CHUNK, share)) / max(correction, 1e-9)
