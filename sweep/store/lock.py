"""One writer per store: a lock that the kernel frees when its holder dies, however it dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
from pathlib import Path


class LockHeldError(Exception):
    """Somebody else holds the lock; the message says who."""


class WriterLock:
    """Exclusive `flock` on a file beside the store, with the holder's name in it.

    Not on the store itself: SQLite locks that one with `fcntl`, and closing any other descriptor of a file
    drops all of a process's `fcntl` locks on it.

    Parameters
    ----------
    path
        The lock file. It is removed on release, so that a store at rest is one file.

    Raises
    ------
    LockHeldError
        If another writer holds it.
    OSError
        If the file cannot be made, or the file system knows no locks.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = self._acquire()
        # The name is a courtesy: on a full disk the lock holds without it.
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"process {os.getpid()} on {platform.node()}".encode(), 0)

    def release(self) -> None:
        """Give the lock up; the file is removed while the lock is still held."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                self.path.unlink()
            os.close(self._descriptor)
            self._descriptor = -1

    def _acquire(self) -> int:
        while True:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_still_at(self.path, descriptor):
                    return descriptor
            except BlockingIOError:
                holder = os.pread(descriptor, 200, 0).decode(errors="replace").strip()
                os.close(descriptor)
                raise LockHeldError(holder or "another process") from None
            except BaseException:
                os.close(descriptor)
                raise
            # The former holder removed the file between our opening and our locking it: try the new one.
            os.close(descriptor)


def _is_still_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
