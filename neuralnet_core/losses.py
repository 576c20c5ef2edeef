"""Losses and their gradients by the network's raw outputs in NumPy: a row of the table each.

The engine holds the compiled twin of every row (engine/losses.pxd); the contract tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .activations import Floats, sigmoid, softplus
from .checks import check_choice

__all__ = ["LOSSES", "Loss", "get_loss", "softmax"]


@dataclass(frozen=True)
class Loss:
    """A row of the table. The loss of a minibatch is ``sum_i c_i value_i`` over its samples.

    ``c_i`` is 1/n, or the sample's share of the weights; where `per_output` holds it is also divided by the
    number of outputs, so that a loss is a mean over samples and outputs.

    Attributes
    ----------
    name : str
    code : int
        How the engine calls it.
    kind : {"regression", "binary", "classes"}
        What the targets are.
    value : callable
        ``value(z, t) -> (B,)``: the loss of every sample, summed over the outputs z (B, O). Targets t are
        (B, O), and (B, 1) label numbers where kind is "classes".
    delta : callable
        ``delta(z, t) -> (B, O)``: the gradient of `value` by z.
    per_output : bool
        Whether the loss is a mean over outputs too.
    """

    name: str
    code: int
    kind: str
    value: Callable[[Floats, Floats], Floats]
    delta: Callable[[Floats, Floats], Floats]
    per_output: bool

    @property
    def metric(self) -> str:
        """The metric that comes with the loss: "r2" for regression, else "accuracy"."""
        return "r2" if self.kind == "regression" else "accuracy"


def softmax(z: Floats) -> Floats:
    """Return ``exp(z) / sum(exp(z))`` over the last axis; the maximum is subtracted, so nothing overflows.

    Examples
    --------
    >>> softmax(np.array([[1000.0, 1000.0]]))
    array([[0.5, 0.5]])
    """
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    probabilities: Floats = e / e.sum(axis=-1, keepdims=True)
    return probabilities


def _over_outputs(values: Floats) -> Floats:
    """Sum (B, O) over the outputs, to (B,)."""
    total: Floats = values.sum(axis=1)
    return total


def _mse(z: Floats, t: Floats) -> Floats:
    return _over_outputs(np.square(z - t))


def _mse_delta(z: Floats, t: Floats) -> Floats:
    return 2.0 * (z - t)


def _mae(z: Floats, t: Floats) -> Floats:
    return _over_outputs(np.abs(z - t))


def _mae_delta(z: Floats, t: Floats) -> Floats:
    return np.sign(z - t)  # 0 at 0


def _huber(z: Floats, t: Floats) -> Floats:
    # Huber (1964), with the bend at a residual of 1: square within, straight beyond.
    r = np.abs(z - t)
    inner = np.minimum(r, 1.0)
    return _over_outputs(inner * (r - 0.5 * inner))


def _huber_delta(z: Floats, t: Floats) -> Floats:
    return np.clip(z - t, -1.0, 1.0)


def _binary_cross_entropy(z: Floats, t: Floats) -> Floats:
    # -t log(sigmoid(z)) - (1 - t) log(1 - sigmoid(z)), with log(sigmoid(z)) = z - softplus(z)
    return _over_outputs(softplus(z) - t * z)


def _binary_cross_entropy_delta(z: Floats, t: Floats) -> Floats:
    return sigmoid(z) - t


def _one_hot(z: Floats, t: Floats) -> Floats:
    """Return the labels t (B, 1) as one-hot rows (B, O), in the dtype of z."""
    return np.equal(np.arange(z.shape[1]), t).astype(z.dtype)


def _softmax_cross_entropy(z: Floats, t: Floats) -> Floats:
    # -log(softmax(z)[label]), with the maximum subtracted from all logits
    z = z - z.max(axis=1, keepdims=True)
    own: Floats = np.take_along_axis(z, t.astype(np.intp), axis=1)[:, 0]
    return np.log(_over_outputs(np.exp(z))) - own


def _softmax_cross_entropy_delta(z: Floats, t: Floats) -> Floats:
    return softmax(z) - _one_hot(z, t)


_ROWS = (
    Loss("mse", 0, "regression", _mse, _mse_delta, True),
    Loss("mae", 1, "regression", _mae, _mae_delta, True),
    Loss("huber", 2, "regression", _huber, _huber_delta, True),
    Loss("binary_cross_entropy", 3, "binary", _binary_cross_entropy, _binary_cross_entropy_delta, True),
    Loss("softmax_cross_entropy", 4, "classes", _softmax_cross_entropy, _softmax_cross_entropy_delta, False),
)

LOSSES: dict[str, Loss] = {row.name: row for row in _ROWS}

# All that a training may measure by epoch, in the order of its history: two losses, then the score of its loss.
METRICS = (
    "train_loss",
    "validation_loss",
    *(f"validation_{score}" for score in dict.fromkeys(row.metric for row in _ROWS)),
)


def get_loss(name: str) -> Loss:
    """Return the loss of a name, or raise ValueError listing the names.

    Examples
    --------
    >>> mse = get_loss("mse")
    >>> mse.value(np.array([[1.0, 2.0]]), np.array([[0.0, 0.0]]))
    array([5.])
    """
    return LOSSES[check_choice("loss", name, tuple(LOSSES))]
