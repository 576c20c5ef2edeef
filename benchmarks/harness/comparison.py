"""A cell of the comparison: one workload in one float width, all sides; agreement first, then the clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from peers import SIDES
from peers.training import Training

from neuralnet_core import Adam

from .agreement import largest_difference, losses
from .peak import measure_peak
from .problem import Problem
from .timing import Samples, in_turn

__all__ = ["TOLERANCE", "Disagreement", "Row", "compare"]

# Of the last losses, relative. In float32 roundings differ between the sides, and training amplifies them.
TOLERANCE = {"float64": 1e-6, "float32": 1e-2}
SAMPLE = 8  # networks that are checked, and that a side which trains one after another is timed on


class Disagreement(Exception):
    """Two sides do not train the same networks: there is nothing to time."""


@dataclass(frozen=True)
class Row:
    """What one side did: steps, the operations they take, and how long that took, run by run."""

    workload: str
    dtype: str
    validates: bool
    side: str
    name: str
    chunk: int | None
    networks: int
    steps: int
    flops: float
    prepared: float  # seconds before the first step: compilation, above all
    difference: float  # from our losses, relative
    cpu: tuple[float, ...]
    wall: tuple[float, ...]
    peak: tuple[float, ...]  # operations per second of the core, measured between the runs


def compare(problem: Problem, sides: Sequence[str], runs: int, say: Callable[[str], None]) -> list[Row]:
    """Check that all sides agree with us, then time them in turn with the core's peak.

    Raises
    ------
    Disagreement
        If a side's losses are not ours.
    """
    kinds = {side: SIDES[side].load() for side in sides}
    kinds = {side: kind for side, kind in kinds.items() if kind.takes(problem)}
    ready: dict[str, Training] = {}
    facts: dict[str, dict[str, Any]] = {}
    for side, kind in kinds.items():
        difference = 0.0 if side == "ours" else check(problem, side, kind)
        own = problem.sample(SAMPLE) if kind.one_by_one else problem
        start = time.perf_counter()
        ready[side] = kind(own)
        facts[side] = {"prepared": time.perf_counter() - start, "difference": difference}
        say(f"  {kind.name}: losses differ by {difference:.1e}")
    peaks: list[float] = []
    ways = {"peak": lambda: peaks.append(measure_peak(problem.dtype))}
    samples = in_turn(ways | {side: training.train for side, training in ready.items()}, runs)
    return [_row(problem, side, ready[side], samples[side], peaks, facts[side]) for side in ready]


def check(problem: Problem, side: str, kind: type[Training]) -> float:
    """Return by how much the losses of a sample differ from ours: same weights, same order of samples."""
    sample = comparable(problem, side).sample(SAMPLE)
    ours, theirs = SIDES["ours"].load()(sample), kind(sample)
    ours.train()
    theirs.train()
    difference = largest_difference(losses(sample, ours.parameters()), losses(sample, theirs.parameters()))
    if not difference <= TOLERANCE[problem.dtype]:
        raise Disagreement(
            f"{problem.workload.name} in {problem.dtype}: the losses of {kind.name} differ by {difference:.1e} from"
            f" ours, allowed are {TOLERANCE[problem.dtype]:.0e}; nothing is timed"
        )
    return difference


def comparable(problem: Problem, side: str) -> Problem:
    """Return the problem as it can be compared with a side.

    scikit-learn draws its own order, divides penalties by the size of a minibatch, and puts Adam's epsilon in
    another place; so with it, rows come as they stand, in whole minibatches, and epsilon is next to nothing.
    """
    if side != "scikit-learn":
        return problem
    members = tuple(
        replace(member, optimizer=replace(member.optimizer, epsilon=1e-15))
        if isinstance(member.optimizer, Adam)
        else member
        for member in problem.members
    )
    rows = len(problem.data.X) // problem.batch * problem.batch
    return replace(problem, members=members, shuffles=False, rows=rows)


def _row(
    problem: Problem,
    side: str,
    training: Training,
    samples: Samples,
    peaks: Sequence[float],
    facts: dict[str, Any],
) -> Row:
    own = training.problem
    return Row(
        workload=problem.workload.name,
        dtype=problem.dtype,
        validates=problem.validates,
        side=side,
        name=training.name,
        chunk=None,
        networks=len(own.members),
        steps=own.steps,
        flops=own.flops,
        cpu=tuple(samples.cpu),
        wall=tuple(samples.wall),
        peak=tuple(peaks),
        **facts,
    )
