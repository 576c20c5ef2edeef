"""Problem: a workload, or some of its networks, in one float width, as every side takes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuralnet_core import Optimizer, training_cost
from neuralnet_core.random import permutation

from .workloads import Data, Member, Workload

__all__ = ["Problem"]


@dataclass(frozen=True)
class Problem:
    """What is trained and counted.

    Parameters
    ----------
    workload : Workload
    members : tuple of Member
        All of the workload's, or a sample.
    dtype : {"float32", "float64"}
    validates : bool
        Whether loss and score on the rows held out are computed after every epoch.
    shuffles : bool
        Whether minibatches come in the order of each member's seed, or as the rows stand.
    rows : int, optional
        Train on the first rows only.
    """

    workload: Workload
    members: tuple[Member, ...]
    dtype: str
    validates: bool = False
    shuffles: bool = True
    rows: int | None = None

    @classmethod
    def of(cls, workload: Workload, dtype: str, validates: bool = False) -> Problem:
        """Return the whole workload."""
        return cls(workload, workload.members, dtype, validates)

    def sample(self, count: int) -> Problem:
        """Return the problem with `count` of its networks, spread evenly over them."""
        count = min(count, len(self.members))
        places = np.linspace(0, len(self.members) - 1, count).astype(int)
        return replace(self, members=tuple(self.members[place] for place in places))

    def of_seeds(self, seeds: int) -> Problem:
        """Return the problem with the networks of the first `seeds` seeds."""
        first = list(dict.fromkeys(member.seed for member in self.members))[:seeds]
        return replace(self, members=tuple(member for member in self.members if member.seed in first))

    @cached_property
    def data(self) -> Data:
        """The data in this problem's width; labels as they are, numbers as a column (n, 1)."""
        loaded, width = self.workload.load(), np.dtype(self.dtype)
        regression = self.workload.loss == "mse"
        y, y_validation = (
            values.astype(width)[:, None] if regression else values.astype(np.int64)
            for values in (loaded.y[: self.rows], loaded.y_validation)
        )
        return Data(loaded.X[: self.rows].astype(width), y, loaded.X_validation.astype(width), y_validation)

    @property
    def loss(self) -> str:
        """The loss of every member."""
        return self.workload.loss

    @property
    def optimizer(self) -> Optimizer:
        """An optimizer of the kind of all."""
        return self.workload.optimizer

    @property
    def epochs(self) -> int:
        """Passes over the rows."""
        return self.optimizer.epochs

    @property
    def batch(self) -> int:
        """Samples in a minibatch."""
        return self.optimizer.batch_size or len(self.data.X)

    @property
    def steps(self) -> int:
        """Minibatch updates of all members together."""
        return len(self.members) * self.epochs * -(-len(self.data.X) // self.batch)

    @property
    def flops(self) -> float:
        """Return 2mnk of the products of the forward pass, of dW and of dX (none into the input), of all together."""
        held_out = len(self.data.X_validation) if self.validates else 0
        shape, n = self.data.X.shape[1:], len(self.data.X)
        return sum(training_cost(m.network, m.optimizer, shape, n, held_out) for m in self.members)

    def order(self, seed: int, epoch: int) -> NDArray[np.int64]:
        """Return the order in which networks of a seed visit the rows: the engine's own."""
        n = len(self.data.X)
        return permutation(seed, epoch, n) if self.shuffles and self.batch < n else np.arange(n)

    def orders(self, seed: int) -> NDArray[np.int64]:
        """Return (epochs, n)."""
        return np.stack([self.order(seed, epoch) for epoch in range(self.epochs)])

    def initial(self, member: Member) -> list[NDArray[Any]]:
        """Return weight (inputs, units) and bias (units,) of each layer: what the engine draws from the seed."""
        drawn = member.network.initialize(member.seed, input_shape=self.data.X.shape[1:], dtype=self.dtype)
        return list(drawn.values())

    def column(self, name: str, members: Sequence[Member] | None = None) -> NDArray[Any]:
        """Return a number of each member's optimizer, such as the learning rate."""
        chosen = self.members if members is None else members
        return np.array([getattr(member.optimizer, name) for member in chosen], self.dtype)
