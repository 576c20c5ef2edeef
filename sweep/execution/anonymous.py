"""Memory that processes share and that has no name: nothing can be left behind, however they end.

Its one way in is an open file descriptor, which a child inherits; the kernel frees it with the last of these.
"""

from __future__ import annotations

import mmap
import os
import pickle
import tempfile
from typing import Any

__all__ = ["anonymous_file", "load_shared", "share"]

ALIGNMENT = 64  # of arrays in it, as the engine likes them
WORD = 8


def anonymous_file() -> int:
    """Return the descriptor of a new empty file in memory (on a disk where the system has no such thing)."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("sweep", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def share(value: object) -> int:
    """Write a value into an anonymous file and return its descriptor; arrays lie there once, for all who load it."""
    buffers: list[pickle.PickleBuffer] = []
    parts: list[Any] = [pickle.dumps(value, protocol=5, buffer_callback=buffers.append)]
    parts += [buffer.raw() for buffer in buffers]
    sizes = [len(parts[0]), *(part.nbytes for part in parts[1:])]
    header = b"".join(number.to_bytes(WORD, "little") for number in (len(sizes), *sizes))
    file = anonymous_file()
    with open(file, "wb", closefd=False) as stream:
        stream.write(header)
        place = len(header)
        for part, size in zip(parts, sizes, strict=True):
            stream.write(bytes(-place % ALIGNMENT))
            stream.write(part)
            place += -place % ALIGNMENT + size
    return file


def load_shared(file: int) -> Any:
    """Return the value that `share` wrote; its arrays are read-only views of the shared memory."""
    # From our own coordinator, through a file without a name: nobody else can have written it.
    view = memoryview(mmap.mmap(file, 0, access=mmap.ACCESS_READ))
    words = view[: len(view) // WORD * WORD].cast("Q")
    count = words[0]
    place = WORD * (1 + count)
    parts = []
    for size in words[1 : 1 + count]:
        place += -place % ALIGNMENT
        parts.append(view[place : place + size])
        place += size
    return pickle.loads(parts[0], buffers=parts[1:])
