"""One writer per store: a lock that the kernel frees when its holder dies, however it dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import re
import threading
from pathlib import Path

NAME = re.compile(r"process (\d+) on (.+)")
ATTEMPTS = 100
PAUSE = 0.005  # seconds between them


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
        """Give the lock up; the file is removed while the lock is still held, unless another has taken its place."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                if _is_still_at(self.path, self._descriptor):
                    self.path.unlink()
            os.close(self._descriptor)
            self._descriptor = -1

    def _acquire(self) -> int:
        name = ""
        for attempt in range(ATTEMPTS):
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_still_at(self.path, descriptor):
                    return descriptor
            except BlockingIOError:
                name = _read_name(descriptor)
                if _is_alive(name):
                    os.close(descriptor)
                    raise LockHeldError(name) from None
                # Whoever holds it has only just come and not yet said its name, or only looks (`holder`).
            except BaseException:
                os.close(descriptor)
                raise
            # Or the former holder removed the file between our opening and our locking it: try the new one.
            os.close(descriptor)
            if attempt:
                threading.Event().wait(PAUSE)
        raise LockHeldError(f"a process that {name} started" if name else "another process")


def holder(path: Path) -> str | None:
    """Return the name of who holds the lock of a file, None if nobody does."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_name(descriptor) or "another process"
    except OSError:  # a file system without locks has no writer either
        return None
    finally:
        os.close(descriptor)
    return None


def is_elsewhere(name: str) -> bool:
    """Return whether a holder's name is that of a process on another machine."""
    match = NAME.fullmatch(name)
    return match is not None and match[2] != platform.node()


def _read_name(descriptor: int) -> str:
    return os.pread(descriptor, 200, 0).decode(errors="replace").strip()


def _is_alive(name: str) -> bool:
    """Return whether a name is that of a process that runs, or of one that cannot be asked about."""
    match = NAME.fullmatch(name)
    if match is None or is_elsewhere(name):
        return match is not None
    try:
        os.kill(int(match[1]), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def _is_still_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
