"""Python's search for cyclic garbage, held back while there is none to find."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["rare_collections"]

YOUNG_OBJECTS = 200_000  # that are made between two searches, not 700

_LOCK = threading.Lock()
_inside: list[
    tuple[int, int, int]
] = []  # for each block that is entered, in any thread, the thresholds before all


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let Python search for cyclic garbage rarely, within a `with` block.

    A sweep of networks makes some ten objects for each, which stay and are in no cycle: looking through all of them
    over and over took a quarter of its time in Python.

    Examples
    --------
    >>> before = gc.get_threshold()
    >>> with rare_collections():
    ...     gc.get_threshold()[0]
    200000
    >>> gc.get_threshold() == before
    True
    """
    with _LOCK:
        before = _inside[0] if _inside else gc.get_threshold()
        _inside.append(before)
        if before[0]:  # 0 is never
            gc.set_threshold(max(before[0], YOUNG_OBJECTS), *before[1:])
    try:
        yield
    finally:
        with _LOCK:
            _inside.pop()
            if not _inside:  # blocks of several threads may end in any order
                gc.set_threshold(*before)
