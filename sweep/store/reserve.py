"""Room kept on the disk: when the disk is full, what is queued can still be written."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

LARGEST = 8 << 20  # bytes: a group commit and its share of the index, several times over
SHARE = 8  # of what is free, one part in this many
SMALLEST = 64 << 10


class Reserve:
    """A file of no use but its size; removing it makes room.

    Parameters
    ----------
    path
        The file. Where there is no room for it, or none can be set aside, there is no reserve.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held = False
        with contextlib.suppress(OSError):
            self._take()

    def release(self) -> bool:
        """Give the room back; return whether there was any."""
        held, self._held = self._held, False
        with contextlib.suppress(OSError):
            self._path.unlink()
        return held

    def _take(self) -> None:
        disk = os.statvfs(self._path.parent)
        size = min(LARGEST, disk.f_bavail * disk.f_frsize // SHARE)
        if size < SMALLEST:
            return
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
        try:
            _allocate(descriptor, size)
            self._held = True
        finally:
            os.close(descriptor)
            if not self._held:
                self._path.unlink()


def _allocate(descriptor: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:  # macOS: what was written has its place
        os.pwrite(descriptor, bytes(size), 0)
