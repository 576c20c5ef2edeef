"""NumPy for networks of unlike width: the hidden units of all side by side, outputs as sums over each one's segment."""

from __future__ import annotations

from typing import Any

import numpy as np
from harness.problem import Problem
from harness.workloads import Member
from numpy.typing import NDArray

from .batched import Batched

__all__ = ["NumpySegments"]

Array = NDArray[Any]


class NumpySegments(Batched):
    """One product for the first layer of all networks (ParallelMLPs; Farias et al., 2022), one hidden layer each."""

    chunks = (10, 20, 50, 100)

    @classmethod
    def takes(cls, problem: Problem) -> bool:
        """Whether networks have one hidden layer each, of unlike widths, one output and plain gradient descent."""
        widths = {member.widths for member in problem.members}
        return len(widths) > 1 and problem.loss == "mse" and {len(own) for own in widths} == {2}

    def _prepare(self, members: tuple[Member, ...], initial: list[Array]) -> tuple[Any, ...]:
        first, bias, second, last = initial
        widths = np.array([member.widths[0] for member in members])

        def side_by_side(padded: Array) -> Array:
            return np.concatenate(
                [own[..., :width] for own, width in zip(padded, widths, strict=True)], axis=-1
            )

        stacked = [side_by_side(first), side_by_side(bias), side_by_side(second[:, :, 0]), last[:, 0].copy()]
        rates = self.problem.column("learning_rate", members)
        return stacked, widths, rates, self.problem.orders(members[0].seed), members[0].activation

    def _train(self, ready: tuple[Any, ...]) -> tuple[list[Array], list[Array]]:
        initial, widths, rates, orders, activation = ready
        problem, data = self.problem, self.problem.data
        parameters = [array.copy() for array in initial]
        segments = widths, np.cumsum(widths) - widths
        rates = np.repeat(rates, widths), rates
        validation = []
        for order in orders:
            for start in range(0, len(order), problem.batch):
                rows = order[start : start + problem.batch]
                _step(parameters, segments, rates, data.X[rows], data.y[rows], activation)
            if problem.validates:
                outputs = _forward(parameters, segments, data.X_validation, activation)[1]
                validation.append(((outputs - data.y_validation) ** 2).mean(axis=0))
        return _stacked(parameters, widths), validation


def _forward(parameters: list[Array], segments: Any, X: Array, activation: str) -> tuple[Array, Array]:
    first, bias, second, last = parameters
    hidden = X @ first
    hidden += bias
    np.maximum(hidden, 0, out=hidden) if activation == "relu" else np.tanh(hidden, out=hidden)
    outputs = np.add.reduceat(hidden * second, segments[1], axis=1)
    outputs += last
    return hidden, outputs


def _step(parameters: list[Array], segments: Any, rates: Any, X: Array, y: Array, activation: str) -> None:
    first, bias, second, last = parameters
    hidden, outputs = _forward(parameters, segments, X, activation)
    outputs -= y
    outputs *= 2 / len(X)
    delta = np.repeat(outputs, segments[0], axis=1)
    gradient = np.einsum("nu,nu->u", hidden, delta)
    delta *= second
    if activation == "relu":
        delta *= hidden > 0
    else:
        np.multiply(hidden, hidden, out=hidden)
        np.subtract(1, hidden, out=hidden)
        delta *= hidden
    second -= rates[0] * gradient
    last -= rates[1] * outputs.sum(axis=0)
    first -= rates[0] * (X.T @ delta)
    bias -= rates[0] * delta.sum(axis=0)


def _stacked(parameters: list[Array], widths: Array) -> list[Array]:
    """Return the parameters as `Batched` takes them apart: padded, the network being the first axis."""
    first, bias, second, last = parameters
    cuts, widest = np.cumsum(widths)[:-1], widths.max()

    def spread(array: Array) -> Array:
        parts = np.split(array, cuts, axis=-1)
        return np.stack(
            [np.pad(part, [(0, 0)] * (part.ndim - 1) + [(0, widest - part.shape[-1])]) for part in parts]
        )

    return [spread(first), spread(bias), spread(second)[:, :, None], last[:, None]]
