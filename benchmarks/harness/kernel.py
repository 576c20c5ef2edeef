"""The engine's own time: what is spent inside its compiled loop, whoever called it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import neuralnet_core.rounds

__all__ = ["kernel_seconds"]


@contextmanager
def kernel_seconds() -> Iterator[list[float]]:
    """Give a list to which every stretch of training meanwhile adds its seconds of processor time, in any thread."""
    seconds: list[float] = []
    advance = neuralnet_core.rounds.advance

    def timed(pack: Any, epochs: int) -> None:
        start = time.thread_time()
        advance(pack, epochs)
        seconds.append(time.thread_time() - start)

    neuralnet_core.rounds.advance = timed
    try:
        yield seconds
    finally:
        neuralnet_core.rounds.advance = advance
