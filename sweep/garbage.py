"""Python's search for cyclic garbage, held back while there is none to find."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["rare_collections"]

# That are made between two searches, not 700. Each looks through all of them: at 50,000 a sweep of 100,000 networks
# took 5 us for each, at 200,000 it takes 3.
YOUNG_OBJECTS = 200_000


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let Python search for cyclic garbage rarely, within a `with` block.

    A sweep of networks, and a store that is read, make some ten objects for each, which stay and are in no cycle:
    looking through all of them over and over took a quarter of the time in Python.

    Examples
    --------
    >>> before = gc.get_threshold()
    >>> with rare_collections():
    ...     gc.get_threshold()[0]
    200000
    >>> gc.get_threshold() == before
    True
    """
    before = gc.get_threshold()
    # 0 is never. A thread that finds it raised leaves it to the one that did: they may end in any order.
    raises = 0 < before[0] < YOUNG_OBJECTS
    try:
        if raises:
            gc.set_threshold(YOUNG_OBJECTS, *before[1:])
        yield
    finally:
        if raises:
            gc.set_threshold(*before)
