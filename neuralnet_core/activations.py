"""Activation functions and their derivatives in NumPy: a row of the table each.

The engine holds the compiled twin of every row (engine/activations.h); the contract tests hold the two
together. Every formula is written so that it neither overflows nor cancels, and a NaN passes through.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .checks import check_choice

__all__ = ["ACTIVATIONS", "Activation", "get_activation", "sigmoid", "softplus"]

Floats = NDArray[np.floating[Any]]  # float32 or float64; what comes out has the dtype of what goes in


@dataclass(frozen=True)
class Activation:
    """A row of the table.

    Attributes
    ----------
    name : str
    code : int
        How the engine calls it.
    function : callable
        ``function(z) -> a``: weighted sums (B, U) to activations (B, U).
    derivative : callable
        ``derivative(z, a) -> slope``: da/dz, given both because one of them is often the cheaper way.
    initializer : str
        How the weights before it start unless a layer says otherwise, a name of `INITIALIZERS`: by He's rule for
        units that are silent on one side of zero, by LeCun's for selu (as its authors ask), else by Glorot's.
    """

    name: str
    code: int
    function: Callable[[Floats], Floats]
    derivative: Callable[[Floats, Floats], Floats]
    initializer: str


# "Gaussian error linear units" (Hendrycks and Gimpel, 2016) in the form with tanh.
GELU_SCALE = math.sqrt(2.0 / math.pi)
GELU_CUBIC = 0.044715
# "Self-normalizing neural networks" (Klambauer et al., 2017): mean 0 and variance 1 are a fixed point.
SELU_SCALE = 1.0507009873554805
SELU_ALPHA = 1.6732632423543772
LEAKY_SLOPE = 0.01


def sigmoid(z: Floats) -> Floats:
    """Return ``1 / (1 + exp(-z))``; only negative numbers are exponentiated, so nothing overflows.

    Examples
    --------
    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    e = np.exp(-np.abs(z))
    return np.where(z < 0, e, 1.0) / (1.0 + e)


def softplus(z: Floats) -> Floats:
    """Return ``log(1 + exp(z))`` as ``max(z, 0) + log1p(exp(-|z|))``, which does not overflow.

    Examples
    --------
    >>> softplus(np.array([-1000.0, 1000.0]))
    array([   0., 1000.])
    """
    return np.maximum(z, 0.0) + np.log1p(np.exp(-np.abs(z)))


def _relu(z: Floats) -> Floats:
    return np.where(z <= 0, 0.0, z)  # np.maximum(z, 0) may give -0


def _leaky_relu(z: Floats) -> Floats:
    return np.where(z <= 0, LEAKY_SLOPE * z, z)


def _elu(z: Floats) -> Floats:
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0.0)))


def _elu_slope(z: Floats, a: Floats) -> Floats:
    return np.where(z > 0, 1.0, a + 1.0)  # exp(z) = expm1(z) + 1


def _selu(z: Floats) -> Floats:
    return SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * np.expm1(np.minimum(z, 0.0)))


def _selu_slope(z: Floats, a: Floats) -> Floats:
    return np.where(z > 0, SELU_SCALE, a + SELU_SCALE * SELU_ALPHA)


def _gelu_tanh(z: Floats) -> Floats:
    z = np.clip(z, -10.0, 10.0)  # tanh is +-1 in either width long before, and the cube cannot overflow
    return np.tanh(GELU_SCALE * (z + GELU_CUBIC * z * z * z))


def _gelu(z: Floats) -> Floats:
    return 0.5 * z * (1.0 + _gelu_tanh(z))


def _gelu_slope(z: Floats) -> Floats:
    t, inner = _gelu_tanh(z), np.clip(z, -10.0, 10.0)
    bend = GELU_SCALE * (1.0 + 3.0 * GELU_CUBIC * inner * inner)
    return 0.5 * (1.0 + t) + 0.5 * inner * (1.0 - t * t) * bend


def _silu(z: Floats) -> Floats:
    return z * sigmoid(z)


def _silu_slope(z: Floats, a: Floats) -> Floats:
    s = sigmoid(z)
    return s + a * (1.0 - s)


def _softsign(z: Floats) -> Floats:
    return z / (1.0 + np.abs(z))


def _softsign_slope(z: Floats) -> Floats:
    b = 1.0 / (1.0 + np.abs(z))
    return b * b


_ROWS = (
    Activation("identity", 0, lambda z: z, lambda z, a: np.ones_like(z), "glorot_uniform"),
    Activation("relu", 1, _relu, lambda z, a: np.where(z <= 0, 0.0, np.ones_like(z)), "he_normal"),
    Activation(
        "leaky_relu", 2, _leaky_relu, lambda z, a: np.where(z <= 0, LEAKY_SLOPE, np.ones_like(z)), "he_normal"
    ),
    Activation("elu", 3, _elu, _elu_slope, "he_normal"),
    Activation("selu", 4, _selu, _selu_slope, "lecun_normal"),
    Activation("gelu", 5, _gelu, lambda z, a: _gelu_slope(z), "he_normal"),
    Activation("silu", 6, _silu, _silu_slope, "he_normal"),
    Activation("tanh", 7, np.tanh, lambda z, a: 1.0 - a * a, "glorot_uniform"),
    Activation("sigmoid", 8, sigmoid, lambda z, a: a * (1.0 - a), "glorot_uniform"),
    Activation("softplus", 9, softplus, lambda z, a: sigmoid(z), "he_normal"),
    Activation("softsign", 10, _softsign, lambda z, a: _softsign_slope(z), "glorot_uniform"),
)

ACTIVATIONS: dict[str, Activation] = {row.name: row for row in _ROWS}


def get_activation(name: str) -> Activation:
    """Return the activation of a name, or raise ValueError listing the names.

    Examples
    --------
    >>> relu = get_activation("relu")
    >>> relu.function(np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 3.])
    """
    if isinstance(name, str) and name == "softmax":  # what other libraries write in a classifier's last layer
        raise ValueError(
            "softmax is no activation here: the loss softmax_cross_entropy applies it itself, "
            "so give the last layer none"
        )
    return ACTIVATIONS[check_choice("activation", name, tuple(ACTIVATIONS))]
