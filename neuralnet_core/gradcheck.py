"""Gradient checking: the engine's analytic gradients against finite differences of the NumPy loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .activations import Floats
from .backpropagation import mean_loss
from .brief import shown
from .checks import check_dtype
from .data import check_features, check_same_length
from .evaluation import gradients
from .layers import Dropout
from .layout import Layout
from .losses import get_loss
from .network import Network
from .random import dropout_keep
from .targets import encode_targets

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GradientCheck", "ParameterCheck", "check_gradients"]

# Largest error, relative to the largest entry of the parameter's gradient, that rounding explains.
TOLERANCES = {"float64": 1e-6, "float32": 1e-4}

# A wide step drowns rounding, a narrow one stays clear of kinks (relu, mae): each entry takes what agrees best.
STEPS = (1e-3, 1e-4, 1e-5, 1e-6)

ENGINE_SEED = 0  # of the dropout draws in `evaluation.gradients`


@dataclass(frozen=True)
class ParameterCheck:
    """One parameter's row: the largest error, relative to the largest entry of its gradient."""

    name: str
    shape: tuple[int, ...]
    largest: float
    error: float
    passed: bool


@dataclass(frozen=True, repr=False)
class GradientCheck:
    """The outcome of `check_gradients`, a row per parameter."""

    rows: tuple[ParameterCheck, ...]
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether every parameter's gradient is right."""
        return all(row.passed for row in self.rows)

    @property
    def table(self) -> pd.DataFrame:
        """The rows as a DataFrame: name, shape, largest entry, relative error, passed."""
        import pandas as pd

        return pd.DataFrame([vars(row) for row in self.rows]).set_index("name")

    def __repr__(self) -> str:
        verdict = "passed" if self.passed else "FAILED"
        width = max(len(row.name) for row in self.rows)
        lines = [
            f"  {row.name:<{width}}  {row.error:.1e}  {'ok' if row.passed else 'WRONG'}" for row in self.rows
        ]
        title = f"gradient check {verdict} (relative error at most {self.tolerance:g} allowed)"
        return "\n".join([title, *lines])


def check_gradients(
    network: Network, X: ArrayLike, y: ArrayLike, seed: int = 0, dtype: str = "float64"
) -> GradientCheck:
    """Compare the engine's gradients with finite differences, parameter by parameter.

    The differences are central, of fourth order, of the loss in NumPy and float64. They take 16 losses for every
    single weight: a few dozen samples are enough, and a network of thousands of weights takes seconds.

    Parameters
    ----------
    network : Network
    X : array-like, shape (n, features)
    y : array-like, shape (n,) or (n, outputs)
    seed : int
        Draws the weights at which to check. Biases are moved off zero, where relu has its kink.
    dtype : {"float64", "float32"}
        The width of the engine's gradients.

    Returns
    -------
    GradientCheck
        With ``.passed``, ``.rows`` and ``.table``.

    Examples
    --------
    >>> from neuralnet_core import Dense
    >>> network = Network([Dense(3, "tanh"), Dense(1)])
    >>> check = check_gradients(network, [[0.1, 0.2], [0.3, -0.4]], [1.0, 2.0])
    >>> check.passed
    True
    >>> list(check.table.index)
    ['0.weight', '0.bias', '1.weight', '1.bias']
    """
    if not isinstance(network, Network):
        raise TypeError(f"network must be a Network, got {shown(network)}")
    dtype = check_dtype(dtype)
    features = check_features(X, dtype)
    check_same_length(X=features, y=y)
    layout = network.build(features.shape[1:])
    outputs = layout.output_shape[0]
    targets = encode_targets(y, get_loss(network.loss), outputs, dtype).values
    parameters = _start(network, layout, seed, dtype)
    analytic = gradients(network, parameters, features, targets)
    keep = _engine_keep(layout, len(features))
    numeric = numeric_gradients(
        lambda trial: mean_loss(network, trial, features.astype(float), targets.astype(float), keep=keep),
        parameters,
    )
    return compare(analytic, numeric, TOLERANCES[dtype])


def _start(network: Network, layout: Layout, seed: int, dtype: str) -> dict[str, Floats]:
    """Return the parameters to check at: those of the seed, with biases off zero."""
    parameters = network.initialize(seed, input_shape=layout.input_shape, dtype=dtype)
    for slot in layout.parameters:
        if slot.parameter.name == "bias":
            parameters[slot.name] = (0.1 * np.cos(1.0 + np.arange(slot.shape[0]))).astype(dtype)
    return parameters


def _engine_keep(layout: Layout, samples: int) -> dict[int, NDArray[np.bool_]]:
    """Return the units that the engine keeps in its first update, so that dropout is checked too."""
    return {
        position: dropout_keep(ENGINE_SEED, position, 0, samples, built.input_shape[0], built.layer.rate)
        for position, built in enumerate(layout.layers)
        if isinstance(built.layer, Dropout)
    }


def numeric_gradients(
    loss: Callable[[dict[str, Floats]], float], parameters: Mapping[str, Floats]
) -> dict[str, Floats]:
    """Return the gradient of `loss` by every entry of the parameters, by finite differences in float64.

    Examples
    --------
    >>> numeric_gradients(lambda p: float(p["w"][0] ** 2), {"w": np.array([3.0])})["w"].round(9)
    array([6.])
    """
    trial: dict[str, Floats] = {name: value.astype(np.float64) for name, value in parameters.items()}
    slopes: dict[str, Floats] = {name: np.empty(value.shape) for name, value in trial.items()}
    for name, value in trial.items():
        for index in np.ndindex(value.shape):
            slopes[name][index] = _slope(lambda: loss(trial), value, index)
    return slopes


def _slope(loss: Callable[[], float], value: Floats, index: tuple[int, ...]) -> float:
    """Return the derivative by one entry: of the estimates, the one nearest to its neighbour."""
    estimates = np.array([_difference(loss, value, index, step) for step in STEPS])
    return float(estimates[np.argmin(np.abs(np.diff(estimates)))])


def _difference(loss: Callable[[], float], value: Floats, index: tuple[int, ...], step: float) -> float:
    """Return (L(-2h) - 8 L(-h) + 8 L(h) - L(2h)) / 12h, whose error is of order h^4 (Abramowitz and Stegun, 25.3.6)."""
    middle = value[index]
    total = 0.0
    for offset, factor in ((-2.0, 1.0), (-1.0, -8.0), (1.0, 8.0), (2.0, -1.0)):
        value[index] = middle + offset * step
        total += factor * loss()
    value[index] = middle
    return total / (12.0 * step)


def compare(analytic: Mapping[str, Floats], numeric: Mapping[str, Floats], tolerance: float) -> GradientCheck:
    """Return the check of some gradients against others, which are taken to be right.

    Errors are relative to the largest entry of the parameter's gradient, or of all gradients / 1000: below that,
    finite differences are noise.
    """
    floor = max(1e-3 * max(float(np.abs(value).max()) for value in numeric.values()), 1e-12)
    rows = []
    for name, right in numeric.items():
        largest = float(np.abs(right).max())
        error = float(np.abs(analytic[name] - right).max()) / max(largest, floor)
        rows.append(
            ParameterCheck(name, right.shape, largest, error, error <= tolerance)
        )  # NaN does not pass
    return GradientCheck(tuple(rows), tolerance)
