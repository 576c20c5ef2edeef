"""Worker processes, seen from the coordinator: started, given a task, watched while they run it, ended.

Each is the leader of a process group of its own: the terminal's Ctrl-C does not reach it, and what it started
itself is ended with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pipe
from typing import Any

from sweep.jobs import error_text

from .anonymous import share
from .dispatch import by_value
from .limits import ONE_THREAD
from .mark import Mark
from .tasks import Outcome, Task, Work
from .worker import MEMORY, OUTCOME, UNUSABLE, WORD

__all__ = ["WorkerDied", "WorkerPool", "WorkerProcess"]

LOOK = 0.1  # seconds between two looks at a worker that does not answer
PATIENCE = 0.5  # seconds that idle workers have to leave by themselves
PIECE = 1 << 18  # bytes of an answer that are read at a time

START = "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from sweep.execution.worker import main; "
START += "main(*map(int, sys.argv[2:]))"


class WorkerDied(Exception):
    """A worker ended before its task did.

    Attributes
    ----------
    jobs : range
        What was under way in it, as places in the task.
    seconds : float
        For how long that was.
    cause : str
        What ended it, in words: "killed by SIGSEGV".
    pid : int
    late : bool
        Whether it was ended for a job that took longer than it may.
    orderly : bool
        Whether it ended for a reason that says nothing about workers at large.
    """

    def __init__(
        self, mark: Mark, cause: str, pid: int, *, late: bool = False, orderly: bool = False
    ) -> None:
        super().__init__(cause)
        self.jobs, self.seconds = mark.jobs, mark.seconds()
        self.cause, self.pid, self.late, self.orderly = cause, pid, late, orderly


class _NoAnswerError(Exception):
    """What came from a worker is not from its main loop: something that runs in it wrote into the connection."""


class WorkerProcess:
    """One process that runs tasks, one after another.

    Parameters
    ----------
    setup : int
        The descriptor of the anonymous file that holds the work and its options.
    """

    def __init__(self, setup: int) -> None:
        self.mark = Mark()
        self._connection, theirs = Pipe()
        self._token = secrets.randbits(8 * WORD)
        files = (theirs.fileno(), setup, self.mark.file)
        arguments = [json.dumps(sys.path), str(os.getpid()), str(self._token), *map(str, files)]
        flags = ["-O"] * sys.flags.optimize + [f"-W{option}" for option in sys.warnoptions]
        self._process = subprocess.Popen(
            [sys.executable, *flags, "-c", START, *arguments],
            stdin=subprocess.DEVNULL,
            pass_fds=files,
            start_new_session=True,
            env=os.environ | ONE_THREAD,
        )
        theirs.close()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def run(self, task: Task, timeout: float | None) -> Outcome:
        """Return what comes of a task, or raise `WorkerDied`; `timeout` is for each of its jobs, in seconds."""
        self.mark.end()
        with _sending("parameters"):
            message = len(task.jobs).to_bytes(8, "little") + pickle.dumps(by_value(task))
        try:
            self._connection.send_bytes(message)
            answer = self._wait(timeout)
        except (EOFError, OSError):
            raise WorkerDied(self.mark, self._end(), self.pid) from None
        except _NoAnswerError:
            self._end()
            self.mark.begin(0, len(task.jobs))  # whoever wrote that may be past it
            raise WorkerDied(
                self.mark, "ended because it wrote into a file descriptor that is not its own", self.pid
            ) from None
        kind, rest = bytes(answer[:1]), answer[1:]
        if kind == UNUSABLE:
            raise RuntimeError(f"a worker process cannot begin: {bytes(rest).decode()}")
        if kind == MEMORY:
            raise WorkerDied(self.mark, "out of memory", self.pid, orderly=True)
        assert kind == OUTCOME
        outcome: Outcome = pickle.loads(rest)
        return outcome

    def kill(self) -> None:
        """End the process at once, and what it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def leave(self) -> None:
        """Let an idle process end by itself."""
        self._connection.close()

    def ended(self, seconds: float) -> bool:
        """Wait for the end of the process, so long; return whether it ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.returncode is not None

    def free(self) -> None:
        """Give back what an ended process has taken."""
        self._connection.close()
        self.mark.close()

    def _wait(self, timeout: float | None) -> memoryview:
        """Return the next answer, however slowly it comes and whatever else is written into the connection."""
        answer = bytearray()
        head = self._token.to_bytes(WORD, "little")
        missing = 2 * WORD
        while missing > 0:
            self._wait_for_more(timeout)
            piece = os.read(self._connection.fileno(), PIECE)
            if not piece:
                raise EOFError
            answer += piece
            if answer[:WORD] != head[: len(answer)]:
                raise _NoAnswerError
            missing = 2 * WORD - len(answer)
            if missing <= 0:
                missing += int.from_bytes(answer[WORD : 2 * WORD], "little")
        if missing < 0:
            raise _NoAnswerError
        return memoryview(answer)[2 * WORD :]

    def _wait_for_more(self, timeout: float | None) -> None:
        """Wait for something to read; a worker may be dead though something that it started holds its end open."""
        look = LOOK if timeout is None else min(LOOK, timeout / 10)
        while not self._connection.poll(look):
            began = self.mark.since
            if timeout is not None and self.mark.seconds() > timeout:
                self.kill()
                self._process.wait()
                if self.mark.since != began:  # it ended in time, at the very last moment: nobody is to blame
                    self.mark.end()
                raise WorkerDied(self.mark, "too slow", self.pid, late=True, orderly=True)
            if self._process.poll() is not None and not self._connection.poll(0):
                raise EOFError

    def _end(self) -> str:
        """Make sure that the process has ended, and what it started; return how it ended, in words."""
        self.kill()  # whoever has closed its end of the connection has its exit code already
        code = self._process.wait()
        if code >= 0:
            return f"ended with exit code {code}"
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(-code).name}{self.mark.place_of_death()}"
        return f"killed by signal {-code}"


class WorkerPool:
    """As many worker processes as are asked for at a time, all ready for the same work.

    Parameters
    ----------
    work : callable
        A `Work`.
    options : dict
        What it gets besides its task; arrays in it lie in memory once, for all workers.
    """

    def __init__(self, work: Work, options: dict[str, Any]) -> None:
        with _sending("the function"):
            self._setup = share(_portable(work, options))
        # The kernel ends a worker when the thread that started it ends: so that is a thread as old as the pool.
        self._starter = ThreadPoolExecutor(1, "worker-starter")
        self._idle: list[WorkerProcess] = []
        self._all: list[WorkerProcess] = []

    def take(self, *, fresh: bool = False) -> WorkerProcess:
        """Return a worker for one task: an idle one, or a new one."""
        with contextlib.suppress(IndexError):
            if not fresh:
                return self._idle.pop()
        return self._starter.submit(self._start).result()

    def give_back(self, worker: WorkerProcess) -> None:
        """Keep a worker for the next task."""
        self._idle.append(worker)

    def remove(self, worker: WorkerProcess) -> None:
        """End a worker that is of no more use."""
        worker.kill()
        worker.ended(10 * PATIENCE)
        self._all.remove(worker)
        worker.free()

    def kill(self) -> None:
        """End all workers at once."""
        for worker in list(self._all):
            worker.kill()

    def close(self) -> None:
        """End all workers; those that do not leave are killed."""
        for worker in self._all:
            worker.leave()
        if not all(worker.ended(PATIENCE) for worker in self._all):
            self.kill()
        for worker in list(self._all):
            self.remove(worker)
        self._starter.shutdown()
        os.close(self._setup)

    def _start(self) -> WorkerProcess:
        worker = WorkerProcess(self._setup)
        self._all.append(worker)
        return worker


@contextlib.contextmanager
def _sending(what: str) -> Iterator[None]:
    """Say in one line if something that a user gave cannot be pickled."""
    try:
        yield
    except (pickle.PicklingError, TypeError, AttributeError, ValueError, RecursionError) as error:
        reason = f"{what} cannot be sent to worker processes ({error_text(error)}); use backend='threads'"
        raise TypeError(reason) from error


def _portable(work: Work, options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return work and options as they can be pickled: functions come from users, perhaps from a notebook."""
    return work, {name: by_value(value) if callable(value) else value for name, value in options.items()}
