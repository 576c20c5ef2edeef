"""The engine's own time: what is spent inside its compiled loop, whoever called it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import neuralnet_core.training

__all__ = ["kernel_seconds"]


@contextmanager
def kernel_seconds() -> Iterator[list[float]]:
    """Give a list to which every pack trained meanwhile adds its seconds of processor time, in any thread."""
    seconds: list[float] = []
    run_pack = neuralnet_core.training.run_pack

    def timed(plan: Any) -> Any:
        start = time.thread_time()
        pack = run_pack(plan)
        seconds.append(time.thread_time() - start)
        return pack

    neuralnet_core.training.run_pack = timed
    try:
        yield seconds
    finally:
        neuralnet_core.training.run_pack = run_pack
