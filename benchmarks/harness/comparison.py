"""A cell of the comparison: one workload in one float width, all sides; agreement first, then the clock."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from peers import SIDES
from peers.training import Training

from neuralnet_core import Adam

from .agreement import largest_difference, losses
from .peak import measure_peak
from .problem import Problem
from .timing import in_turn
from .workloads import Member

__all__ = ["TOLERANCE", "Disagreement", "Row", "check", "compare"]

# Of the last losses, relative. In float32 roundings differ between the sides, and training amplifies them.
TOLERANCE = {"float64": 1e-6, "float32": 3e-2}
SAMPLE = 8  # networks of a seed that are checked, and on which a side that trains one after another is timed
TRIALS = 3  # runs of each size of chunk, to choose one


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
    chunk: int | None  # networks at a time, the best of those tried; None where there is no choice
    networks: int
    steps: int
    flops: float
    prepared: float  # seconds before the first step: compilation, above all
    difference: float  # from our losses, relative
    cpu: tuple[float, ...]
    wall: tuple[float, ...]
    peak: tuple[float, ...]  # operations per second of the core, measured between the runs


def compare(problem: Problem, sides: Sequence[str], runs: int) -> list[Row]:
    """Check that all sides agree with us, then time them in turn with the core's peak.

    Raises
    ------
    Disagreement
        If a side's losses are not ours.
    """
    kinds = {side: SIDES[side].load() for side in sides}
    kinds = {side: kind for side, kind in kinds.items() if kind.takes(problem)}
    differences = {side: check(problem, side, kind) for side, kind in kinds.items()}
    ready, facts = {}, {}
    for side, kind in kinds.items():
        chunk, compiled = best_chunk(kind, replace(problem, validates=False)) if kind.chunks else (None, 0.0)
        start = time.perf_counter()
        ready[side] = make(kind, problem.sample(SAMPLE) if kind.one_by_one else problem, chunk)
        prepared = max(compiled, time.perf_counter() - start)
        facts[side] = {"chunk": chunk, "prepared": prepared, "difference": differences[side]}
    peaks: list[float] = []
    ways = {"peak": lambda: peaks.append(measure_peak(problem.dtype))}
    samples = in_turn(ways | {side: training.train for side, training in ready.items()}, runs)
    return [
        Row(
            workload=problem.workload.name,
            dtype=problem.dtype,
            validates=problem.validates,
            side=side,
            name=SIDES[side].name,
            networks=len(training.problem.members),
            steps=training.problem.steps,
            flops=training.problem.flops,
            cpu=tuple(samples[side].cpu),
            wall=tuple(samples[side].wall),
            peak=tuple(peaks),
            **facts[side],
        )
        for side, training in ready.items()
    ]


def make(kind: type[Training], problem: Problem, chunk: int | None) -> Training:
    """Return a side ready for a problem; a batched one takes `chunk` networks at a time."""
    arguments: dict[str, Any] = {} if chunk is None else {"chunk": chunk}
    return kind(problem, **arguments)


@cache
def best_chunk(kind: type[Training], problem: Problem) -> tuple[int, float]:
    """Return the size of chunk with the most steps per second, and the seconds that making it ready took."""
    sizes = [size for size in kind.chunks if size <= len(problem.members)] or [len(problem.members)]
    rates: dict[int, tuple[float, float]] = {}
    for size in sizes:
        seeds = -(-size // problem.workload.networks_of_a_seed)
        start = time.perf_counter()
        training = make(kind, problem.of_seeds(seeds), size)
        prepared = time.perf_counter() - start
        seconds = min(in_turn({"": training.train}, TRIALS)[""].cpu) if len(sizes) > 1 else 1.0
        rates[size] = training.problem.steps / seconds, prepared
    best = max(rates, key=lambda size: rates[size][0])
    return best, rates[best][1]


def check(problem: Problem, side: str, kind: type[Training]) -> float:
    """Return by how much the losses of a sample differ from ours: same weights, same order of samples.

    Raises
    ------
    Disagreement
        If that is more than TOLERANCE.
    """
    if side == "ours":
        return 0.0
    sample = comparable(problem, side)
    ours = SIDES["ours"].load()(sample)
    theirs = make(kind, sample, SAMPLE if kind.chunks else None)
    ours.train()
    theirs.train()
    difference = largest_difference(losses(sample, ours.parameters()), losses(sample, theirs.parameters()))
    if problem.validates and problem.dtype == "float64":
        # In float32, scikit-learn's loss is that of rounded probabilities: a sure mistake costs 16 at most.
        difference = max(difference, largest_difference(ours.validation_losses(), theirs.validation_losses()))
    if not difference <= TOLERANCE[problem.dtype]:
        cell, allowed = f"{problem.workload.name} in {problem.dtype}", TOLERANCE[problem.dtype]
        raise Disagreement(
            f"{cell}: the losses of {SIDES[side].name} differ by {difference:.1e} from ours,"
            f" allowed are {allowed:.0e}; nothing is timed"
        )
    return difference


def comparable(problem: Problem, side: str) -> Problem:
    """Return some networks of two seeds, as they can be compared with a side.

    scikit-learn draws its own order, divides penalties by the size of a minibatch, and puts Adam's epsilon in
    another place; so with it, rows come as they stand, in whole minibatches, and epsilon is next to nothing.
    """
    members: list[Member] = []
    for seed in list(dict.fromkeys(member.seed for member in problem.members))[:2]:
        own = tuple(member for member in problem.members if member.seed == seed)
        members += replace(problem, members=own).sample(SAMPLE).members
    if side != "scikit-learn":
        return replace(problem, members=tuple(members))
    if isinstance(problem.optimizer, Adam):
        members = [replace(one, optimizer=replace(one.optimizer, epsilon=1e-15)) for one in members]
    rows = len(problem.data.X) // problem.batch * problem.batch
    return replace(problem, members=tuple(members), shuffles=False, rows=rows)
