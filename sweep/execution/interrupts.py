"""Ending a user's function that runs in a thread of this process, where nothing can be killed."""

from __future__ import annotations

import contextlib
import ctypes
import threading
from collections.abc import Iterator

__all__ = ["ThreadInterrupts"]


class ThreadInterrupts:
    """Raises KeyboardInterrupt in the threads that are within an `interruptible` block.

    Python does so between two byte codes: a call into C, such as a long `time.sleep`, is not cut short.
    """

    def __init__(self) -> None:
        self._inside: set[int] = set()
        self._lock = threading.Lock()
        self._stopped = False

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """Let the block be interrupted; the interruption is raised within it, or not at all."""
        thread = threading.get_ident()
        with self._lock:
            if self._stopped:
                raise KeyboardInterrupt
            self._inside.add(thread)
        try:
            yield
        finally:
            with self._lock:
                self._inside.discard(thread)
                _raise_in(thread, None)  # what was asked for and has not yet come

    def interrupt(self) -> None:
        """Interrupt all that is in such a block, and whatever comes to one."""
        with self._lock:
            self._stopped = True
            for thread in self._inside:
                _raise_in(thread, KeyboardInterrupt)


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    what = None if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), what)
