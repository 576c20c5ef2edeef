"""The clock: several ways, timed in turn, so that a slow minute of the machine meets all of them."""

from __future__ import annotations

import gc
import math
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

__all__ = ["Samples", "in_turn"]


SHORTEST = 0.2  # seconds: less is run several times, and divided


@dataclass
class Samples:
    """The runs of one way: seconds of processor time (that of processes begun and ended in it too), and on the wall."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    def add(self, work: Callable[[], object]) -> None:
        """Time one run, or as many as take long enough to be timed."""
        times = math.ceil(SHORTEST / min(self.wall)) if self.wall else 1
        gc.collect()
        wall, cpu = time.perf_counter(), _processor_time()
        for _ in range(times):
            work()
        self.cpu.append((_processor_time() - cpu) / times)
        self.wall.append((time.perf_counter() - wall) / times)


def _processor_time() -> float:
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def in_turn(ways: Mapping[str, Callable[[], object]], runs: int) -> dict[str, Samples]:
    """Run every way once a round: one round to warm up, then `runs` that count."""
    samples = {name: Samples() for name in ways}
    for _ in range(1 + runs):
        for name, work in ways.items():
            samples[name].add(work)
    for one in samples.values():
        del one.cpu[0], one.wall[0]
    return samples
