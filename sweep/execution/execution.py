"""Execution: the chunks of a schedule go out to workers, and what comes of each comes back as it is done.

Whoever trains a network, the bits are the same. So the choice of a back end is one of cost alone: threads start at
once and share the data; processes isolate a user's own Python functions.
"""

from __future__ import annotations

import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import neuralnet_core as core
from neuralnet_core import CancelToken
from sweep.jobs import FunctionJob, Job
from sweep.planner import Pack, Schedule

from .dispatch import dispatch
from .interrupts import ThreadInterrupts
from .limits import OneThread
from .processes import WorkerPool
from .signals import Interruption, Signals
from .supervisor import Supervisor
from .tasks import Outcome, Task, Watch, Work

__all__ = ["Execution"]

LOOK = 0.1  # seconds between two looks at whether to stop
CHUNKS_PER_WORKER = 2  # under way or done and not yet taken: what a crash of this process can cost


class Execution:
    """Runs the chunks of a schedule and yields what came of each, in order of completion.

    Parameters
    ----------
    jobs : sequence of Job or FunctionJob
        What the packs' numbers refer to.
    packs : sequence of Pack
    workers : int
    backend : {"threads", "processes", "sequential"}
    timeout : float, optional
        The most seconds that a job may take, in processes.
    describe : callable, optional
        ``describe(job)`` says how a user runs one job by himself.

    Attributes
    ----------
    schedule : Schedule
        Which knows how far the run is.
    """

    def __init__(
        self,
        jobs: Sequence[Job] | Sequence[FunctionJob],
        packs: Sequence[Pack],
        workers: int,
        backend: str,
        *,
        timeout: float | None = None,
        describe: Callable[[Job | FunctionJob], str] = repr,
    ) -> None:
        self._jobs, self._backend, self._timeout, self._describe = jobs, backend, timeout, describe
        self._workers = max(1, min(workers, len(packs)))
        self.schedule = Schedule(packs, self._workers)
        self._running: dict[int, tuple[Pack, ...]] = {}
        self._sent = 0
        self._token = CancelToken()
        self._pool: WorkerPool | None = None
        self._interrupts = ThreadInterrupts()
        self._signals = Signals(self._token, self._kill)

    @property
    def interruption(self) -> Interruption | None:
        """The signal that ended the run before its end."""
        return self._signals.caught

    def run(self, work: Work, **options: Any) -> Generator[tuple[list[int], Outcome]]:
        """Yield the jobs' numbers and ``work(task, watch, **options)`` of every chunk; after a signal, end.

        The first signal stops the kernels, which look for it about every millisecond, and kills worker processes.
        Chunks under way are lost (a second's work), finished ones are not. The second signal raises at once.
        """
        with self._signals, ExitStack() as stack:
            call = self._caller(work, options, stack)
            # Who takes the outcomes may be slower than who makes them: no more are made than there is room for.
            room = threading.Semaphore(CHUNKS_PER_WORKER * self._workers)
            while self.schedule.waiting and not self._token.cancelled:
                outcomes = dispatch(
                    partial(self._in_turn, call, room),
                    self._tasks(),
                    self._workers,
                    here=self._backend == "sequential",
                )
                try:
                    for outcome in outcomes:
                        if taken := self._taken(outcome):
                            yield taken
                        room.release()
                except KeyboardInterrupt:
                    self._stop()
                    if self._signals.twice:
                        raise
                    self._signals.note(signal.SIGINT)  # somebody else's handler raised it
                except (
                    BaseException
                ):  # the consumer gave up, say: let the workers end before the error goes on
                    self._stop()
                    if not self._signals.twice:
                        deque(outcomes, maxlen=0)
                    raise

    def _caller(self, work: Work, options: dict[str, Any], stack: ExitStack) -> Callable[[Task], Outcome]:
        """Return what runs a task."""
        limits = stack.enter_context(OneThread())
        if self._backend == "processes":
            self._pool = WorkerPool(work, options)
            stack.callback(self._pool.close)
            return Supervisor(self._pool, Watch(self._token), self._timeout, self._describe)
        sequential = self._backend == "sequential"
        interruptible = self._signals.raising if sequential else self._interrupts.interruptible

        @contextmanager
        def alone() -> Iterator[None]:
            limits.here()  # a call before this one may have loaded something
            with interruptible():
                yield

        watch = Watch(self._token, alone)

        def call(task: Task) -> Outcome:
            limits.here()
            return work(task, watch, **options)

        return call

    def _in_turn(self, call: Callable[[Task], Outcome], room: threading.Semaphore, task: Task) -> Outcome:
        """Run a task as soon as there is room for its outcome; an error is an outcome too."""
        while not room.acquire(timeout=LOOK):
            if self._token.cancelled:
                break
        if self._token.cancelled:
            return Outcome(task.number)
        try:
            return call(task)
        except Exception as error:
            return Outcome(task.number, error=error)

    def _tasks(self) -> Iterator[Task]:
        for chunk in self.schedule.chunks():
            if self._token.cancelled:
                return
            self._sent += 1
            self._running[self._sent] = chunk
            jobs = tuple(self._jobs[number] for pack in chunk for number in pack.jobs)
            yield Task(self._sent, jobs, _by_place(chunk))

    def _taken(self, outcome: Outcome) -> tuple[list[int], Outcome] | None:
        """Return what came of a chunk, with its jobs' numbers; what a worker gave back goes out again."""
        if outcome.error is not None:
            raise outcome.error
        chunk = self._running.pop(outcome.number)
        numbers = [number for pack in chunk for number in pack.jobs]
        places = outcome.ended(len(numbers))
        if len(places) == len(numbers):
            self.schedule.finished(chunk, outcome.seconds)
            return numbers, outcome
        ended = {numbers[place] for place in places}
        self.schedule.finished([pack for pack in chunk if ended.issuperset(pack.jobs)], outcome.seconds)
        self.schedule.put_back([pack for pack in chunk if not ended.issuperset(pack.jobs)])
        return ([numbers[place] for place in places], outcome.of(places)) if places else None

    def _stop(self) -> None:
        """Let nothing more begin, and what runs end soon."""
        self._token.cancel()
        self._kill()

    def _kill(self) -> None:
        """End what does not hear of the token."""
        self._interrupts.interrupt()
        if self._pool is not None:
            self._pool.kill()


def _by_place(chunk: Sequence[Pack]) -> tuple[core.Pack, ...]:
    """Return the packs of a chunk of networks as the engine takes them, by place in the task."""
    packs = []
    first = 0
    for pack in chunk:
        if pack.way is not None:
            places = tuple(range(first, first + len(pack.jobs)))
            packs.append(core.Pack(places, pack.way, pack.seconds))
        first += len(pack.jobs)
    return tuple(packs)
