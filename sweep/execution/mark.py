"""What a worker is doing at this moment, in memory that outlives it: who is to blame if it dies."""

from __future__ import annotations

import mmap
import os
import re
import sysconfig
import time

from .anonymous import anonymous_file

__all__ = ["Mark"]

LIBRARIES = tuple(sysconfig.get_paths()[name] for name in ("stdlib", "purelib", "platlib"))
NOTES = 4096  # from here on the file holds what the interpreter says about its own death


class Mark:
    """The jobs that a worker has under way, as places in its task, and since when; written by the worker only.

    Parameters
    ----------
    file : int, optional
        The descriptor of another process's mark, to read or write the same.

    Examples
    --------
    >>> mine = Mark()
    >>> theirs = Mark(mine.file)
    >>> theirs.begin(3, 4)
    >>> mine.jobs, mine.seconds() >= 0
    (range(3, 4), True)
    >>> theirs.end()
    >>> mine.jobs, mine.seconds()
    (range(0, 0), 0.0)
    """

    def __init__(self, file: int | None = None) -> None:
        self.file = anonymous_file() if file is None else file
        if file is None:
            os.ftruncate(self.file, NOTES)
        self._words = memoryview(mmap.mmap(self.file, NOTES)).cast("q")

    def begin(self, first: int, end: int) -> None:
        """Note that these jobs are under way, and no others."""
        # The time is taken away first and given last: who reads in between sees no job as older than it is.
        self._words[2] = 0
        self._words[0], self._words[1] = first, end
        self._words[2] = time.monotonic_ns()

    def end(self) -> None:
        """Note that nothing is under way."""
        self._words[2] = 0
        self._words[0] = self._words[1] = 0

    @property
    def jobs(self) -> range:
        """The jobs that are under way."""
        return range(self._words[0], self._words[1])

    @property
    def since(self) -> int:
        """When they began, by a clock that all processes share, in nanoseconds; 0 if none is under way."""
        return self._words[2]

    def seconds(self) -> float:
        """Return for how long they have been under way."""
        since = self.since
        return (time.monotonic_ns() - since) / 1e9 if since else 0.0

    def place_of_death(self) -> str:
        """Return where Python was when the interpreter noticed that it dies, or an empty text: the user's part."""
        notes = os.pread(self.file, 2**16, NOTES).decode(errors="replace")
        _, _, current = notes.partition("Current thread")
        frames = re.findall(r'File "([^"]+)", line (\d+) in (\S+)', current.partition("\n\n")[0])
        for file, line, function in frames:
            if not file.startswith(LIBRARIES):
                return f" in {function}, {os.path.basename(file)}:{line}"
        return ""

    def close(self) -> None:
        """Give the memory free, in this process."""
        self._words.release()
        os.close(self.file)
