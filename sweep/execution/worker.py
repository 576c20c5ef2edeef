"""A worker process, seen from inside: takes tasks, marks what it begins, gives back outcomes.

It never outlives its coordinator, and it holds BLAS and OpenMP to one thread.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import pickle
import signal
import sys
import threading
import time
from functools import partial
from multiprocessing.connection import Connection

from threadpoolctl import threadpool_limits

from sweep.jobs import error_text

from .anonymous import load_shared
from .mark import NOTES, Mark
from .tasks import Outcome, Watch

__all__ = ["MEMORY", "OUTCOME", "UNUSABLE", "main"]

# The first byte of an answer: what the rest of it is.
OUTCOME = b"o"  # a pickled Outcome
UNUSABLE = b"u"  # why no task can be run here: a text
MEMORY = b"m"  # nothing: there was no memory left for a task that shared this process with others

# Before it stand the worker's token, which tells an answer from what user's code writes there, and its length.
WORD = 8

PR_SET_PDEATHSIG = 1
LOOK_FOR_PARENT = 0.5  # seconds, where the kernel does not tell


class WorkerWatch(Watch):
    """Writes down what begins, for whoever has to find out why this process died."""

    isolated = True

    def __init__(self, mark: Mark) -> None:
        super().__init__()
        self._mark = mark

    def begin(self, first: int, end: int) -> None:
        """Mark the jobs."""
        self._mark.begin(first, end)


def main(parent: int, token: int, tasks: int, setup: int, notes: int) -> None:
    """Run tasks until the coordinator closes the connection; the arguments are its pid, a token and descriptors."""
    _die_with(parent)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # who sends it wants an end, and no error of a call
    connection, mark = Connection(tasks), Mark(notes)
    os.lseek(notes, NOTES, os.SEEK_SET)
    faulthandler.enable(notes)
    try:
        work, options = load_shared(setup)
        os.close(setup)
        limits = threadpool_limits(1)  # for libraries loaded by now; those to come read the environment
    except BaseException as error:
        _send(tasks, token, UNUSABLE + error_text(error).encode(errors="replace"))
        return
    run = partial(work, watch=WorkerWatch(mark), **options)
    while (message := _next(connection)) is not None:
        _send(tasks, token, _answer(message, run, mark))
    del limits


def _send(file: int, token: int, answer: bytes) -> None:
    whole = memoryview(
        b"".join((token.to_bytes(WORD, "little"), len(answer).to_bytes(WORD, "little"), answer))
    )
    while whole:
        whole = whole[os.write(file, whole) :]


def _next(connection: Connection) -> bytes | None:
    try:
        return connection.recv_bytes()
    except (EOFError, OSError):
        return None


def _answer(message: bytes, run: partial[Outcome], mark: Mark) -> bytes:
    """Return the answer to one task, given as its number of jobs and the pickled task."""
    mark.begin(0, int.from_bytes(message[:8], "little"))  # reading it is user's code too
    try:
        outcome = run(pickle.loads(memoryview(message)[8:]))
    except MemoryError:
        return MEMORY  # and the mark stays
    except Exception as error:
        outcome = Outcome(error=error)
    mark.end()
    return OUTCOME + _pickled(outcome)


def _pickled(outcome: Outcome) -> bytes:
    try:
        answer = pickle.dumps(outcome, protocol=5)
        if outcome.error is not None:
            pickle.loads(answer)  # not every exception that can be pickled can be read again
    except Exception as error:
        answer = pickle.dumps(
            outcome.portable(outcome.error if isinstance(outcome.error, Exception) else error)
        )
    return answer


def _die_with(parent: int) -> None:
    """See to it that this process ends when its coordinator does, even if that one is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    else:
        threading.Thread(target=_watch_parent, args=(parent,), daemon=True).start()
    if os.getppid() != parent:  # it died before we could ask to be told
        os._exit(1)


def _watch_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_FOR_PARENT)
    os.killpg(0, signal.SIGKILL)
