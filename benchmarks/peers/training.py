"""Training: one side of a comparison, made ready for a problem. What `train` does is timed, nothing else is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from harness.problem import Problem
from numpy.typing import NDArray

__all__ = ["Parameters", "Training"]

Parameters = list[NDArray[Any]]  # of one network: weight (inputs, units), bias (units,), and so on by layer


class Training(ABC):
    """One way of training the networks of a problem on one core.

    Attributes
    ----------
    one_by_one : bool
        Whether networks are trained one after another, so that a sample tells the rate of all.
    chunks : tuple of int
        How many networks at a time are worth trying; none for a way that has no such choice.
    problem : Problem
    """

    one_by_one: ClassVar[bool] = False
    chunks: ClassVar[tuple[int, ...]] = ()

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

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

    @abstractmethod
    def validation_losses(self) -> NDArray[np.float64]:
        """Return the last loss on the rows held out, of each network, if the problem validates."""
