"""Training: one side of a comparison, made ready for a problem. What `train` does is timed, nothing else is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
from harness.problem import Problem
from harness.workloads import Member
from numpy.typing import NDArray

__all__ = ["Parameters", "Training", "in_chunks"]

Parameters = list[NDArray[Any]]  # of one network: weight (inputs, units), bias (units,), and so on by layer


class Training(ABC):
    """One way of training the networks of a problem on one core.

    Attributes
    ----------
    name : str
        What the tables call it.
    one_by_one : bool
        Whether networks are trained one after another, so that a sample tells the rate of all.
    chunks : tuple of int
        For batched ways: how many networks at a time are worth trying.
    problem : Problem
    validation_losses : ndarray or None
        After `train` with validation: the last loss on the rows held out, of each network.
    """

    name: ClassVar[str]
    one_by_one: ClassVar[bool] = False
    chunks: ClassVar[tuple[int, ...]] = ()

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.validation_losses: NDArray[np.float64] | None = None

    @classmethod
    def takes(cls, problem: Problem) -> bool:  # noqa: ARG003 - for those that do not take all
        """Whether this way can train such networks."""
        return True

    @abstractmethod
    def train(self) -> None:
        """Train all networks of the problem from their initial parameters."""

    @abstractmethod
    def parameters(self) -> list[Parameters]:
        """Return what the last `train` gave, in the order of the members."""


def in_chunks(members: Sequence[Member], size: int) -> Iterator[tuple[Member, ...]]:
    """Yield members that are trained together, by seed: those of one seed share their order of minibatches.

    A chunk of more networks than a seed has takes the order of its first: less work than we do, in its favour.
    """
    ordered = sorted(members, key=lambda member: member.seed)
    for start in range(0, len(ordered), size):
        yield tuple(ordered[start : start + size])


Factory = Callable[[Problem], Training]
