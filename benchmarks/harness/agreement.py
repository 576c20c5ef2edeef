"""Do two sides train the same networks? Their last losses on the training rows, by one formula, say so."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .problem import Problem
from .workloads import Member

__all__ = ["largest_difference", "losses"]


def losses(problem: Problem, parameters: list[list[NDArray[Any]]]) -> NDArray[np.float64]:
    """Return the loss of each network on the rows it was trained on, computed in float64 by plain NumPy."""
    data = problem.data
    return np.array(
        [
            _loss(problem.loss, _outputs(member, own, data.X), data.y)
            for member, own in zip(problem.members, parameters, strict=True)
        ]
    )


def _outputs(member: Member, parameters: list[NDArray[Any]], X: NDArray[Any]) -> NDArray[np.float64]:
    values = X.astype(np.float64)
    for layer, (weight, bias) in enumerate(zip(parameters[::2], parameters[1::2], strict=True)):
        values = values @ np.asarray(weight, np.float64) + np.asarray(bias, np.float64)
        if 2 * layer + 2 < len(parameters):
            values = np.maximum(values, 0) if member.activation == "relu" else np.tanh(values)
    return values


def _loss(name: str, outputs: NDArray[np.float64], y: NDArray[Any]) -> float:
    if name == "mse":
        return float(np.mean((outputs - y) ** 2))
    if name == "binary_cross_entropy":
        return float(np.mean(np.logaddexp(0, outputs[:, 0]) - outputs[:, 0] * y))
    shifted = outputs - outputs.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(y)), y]))


def largest_difference(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    """Return the largest relative difference."""
    return float(np.max(np.abs(ours - theirs) / np.abs(ours)))
