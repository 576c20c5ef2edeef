"""Forward, loss and backward of one network in plain NumPy: the textbook algorithm, written to be read.

The compiled engine is tested against it (through reference.py) and `check_gradients` takes its losses from it.
Shapes: B samples, I inputs and U units of a layer, O outputs of the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .activations import Floats, get_activation
from .layers import Dense, Dropout, Layer
from .losses import get_loss
from .network import Network

__all__ = ["evaluate", "forward", "loss_and_gradients", "mean_loss"]

Arrays = dict[str, Floats]  # by name: the parameters of a network or of one layer, their gradients, moments
Keep = Mapping[int, NDArray[np.bool_]]  # position of a Dropout layer -> (B, U), which units are kept


# --- Layers: forward gives the outputs and what backward needs; backward gives dX and the layer's gradients --------


def _layer_forward(
    layer: Layer, own: Arrays, X: Floats, kept: NDArray[np.bool_] | None
) -> tuple[Floats, tuple[Any, ...]]:
    match layer:
        case Dense(activation=activation, bias=bias):
            z = X @ own["weight"]  # (B, I) @ (I, U)
            if bias:
                z = z + own["bias"]  # (U,)
            a = get_activation(activation).function(z)
            return a, (X, z, a)
        case Dropout(rate=rate):
            scale = 1.0 if kept is None else np.where(kept, 1.0 / (1.0 - rate), np.zeros_like(X))  # (B, I)
            return X * scale, (scale,)
    raise TypeError(f"the reference knows no layer {type(layer).__name__}")


def _layer_backward(layer: Layer, own: Arrays, saved: tuple[Any, ...], dY: Floats) -> tuple[Floats, Arrays]:
    match layer:
        case Dense(activation=activation, bias=bias):
            X, z, a = saved
            dz = dY * get_activation(activation).derivative(z, a)  # (B, U)
            gradients = {"weight": X.T @ dz}  # (I, B) @ (B, U)
            if bias:
                gradients["bias"] = dz.sum(axis=0)
            return dz @ own["weight"].T, gradients  # (B, U) @ (U, I)
        case Dropout():
            (scale,) = saved
            return dY * scale, {}
    raise TypeError(f"the reference knows no layer {type(layer).__name__}")


def _own(parameters: Mapping[str, Floats], position: int) -> Arrays:
    """Return one layer's parameters: "2.weight" becomes "weight" for layer 2."""
    prefix = f"{position}."
    return {name.removeprefix(prefix): value for name, value in parameters.items() if name.startswith(prefix)}


# --- Network: outputs, loss, gradients ------------------------------------------------------------------------------


def _forward(
    network: Network, parameters: Mapping[str, Floats], X: Floats, keep: Keep
) -> tuple[Floats, list[Any]]:
    saved = []
    for position, layer in enumerate(network.layers):
        X, needed = _layer_forward(layer, _own(parameters, position), X, keep.get(position))
        saved.append(needed)
    return X, saved


def forward(network: Network, parameters: Mapping[str, Floats], X: Floats) -> Floats:
    """Return the raw outputs (B, O) for inputs (B, I), with dropout off.

    Examples
    --------
    >>> parameters = {"0.weight": np.array([[2.0]]), "0.bias": np.array([1.0])}
    >>> forward(Network([Dense(1)]), parameters, np.array([[0.0], [3.0]]))
    array([[1.],
           [7.]])
    """
    return _forward(network, parameters, X, {})[0]


def _backward(network: Network, parameters: Mapping[str, Floats], saved: list[Any], delta: Floats) -> Arrays:
    gradients: Arrays = {}
    for position in reversed(range(len(network.layers))):
        own = _own(parameters, position)
        delta, of_layer = _layer_backward(network.layers[position], own, saved[position], delta)
        gradients |= {f"{position}.{name}": value for name, value in of_layer.items()}
    return {name: gradients[name] for name in parameters}


def _shares(network: Network, z: Floats, coefficients: ArrayLike | None) -> Floats:
    """Return c (B,): what each sample counts for, divided by the outputs where the loss is a mean over them."""
    c = np.full(len(z), 1.0 / len(z)) if coefficients is None else np.asarray(coefficients, np.float64)
    outputs = z.shape[1] if get_loss(network.loss).per_output else 1
    return (c / outputs).astype(z.dtype)


def mean_loss(
    network: Network,
    parameters: Mapping[str, Floats],
    X: Floats,
    targets: Floats,
    coefficients: ArrayLike | None = None,
    keep: Keep | None = None,
) -> float:
    """Return the loss of a minibatch alone; for the arguments see `loss_and_gradients`."""
    z, _ = _forward(network, parameters, X, keep or {})
    return float(_shares(network, z, coefficients) @ get_loss(network.loss).value(z, targets))


def loss_and_gradients(
    network: Network,
    parameters: Mapping[str, Floats],
    X: Floats,
    targets: Floats,
    coefficients: ArrayLike | None = None,
    keep: Keep | None = None,
) -> tuple[float, Arrays]:
    """Return the loss of a minibatch and its gradient by every parameter, penalties apart.

    Parameters
    ----------
    network : Network
    parameters : dict of arrays
        As `Network.initialize` gives them; their dtype is the dtype of the computation.
    X : array, shape (B, I)
    targets : array, shape (B, O), or (B, 1) label numbers for softmax_cross_entropy
    coefficients : array, shape (B,), optional
        What each sample counts for; by default 1/B. Weights divided by their sum give a weighted mean.
    keep : dict of bool arrays (B, U), optional
        Which units each Dropout layer keeps, by its position in the network. A layer without is off.

    Examples
    --------
    >>> parameters = {"0.weight": np.array([[2.0]])}
    >>> loss, gradients = loss_and_gradients(
    ...     Network([Dense(1, bias=False)]), parameters, np.array([[3.0]]), np.array([[5.0]])
    ... )
    >>> loss, gradients["0.weight"]
    (1.0, array([[6.]]))
    """
    loss = get_loss(network.loss)
    z, saved = _forward(network, parameters, X, keep or {})
    c = _shares(network, z, coefficients)
    delta = c[:, None] * loss.delta(z, targets)  # (B, O)
    return float(c @ loss.value(z, targets)), _backward(network, parameters, saved, delta)


def evaluate(
    network: Network, parameters: Mapping[str, Floats], X: Floats, targets: Floats
) -> tuple[float, float]:
    """Return the mean loss and the score (accuracy, or R2 averaged over outputs) on data."""
    z = forward(network, parameters, X)
    loss = get_loss(network.loss)
    score = {"classes": _accuracy, "binary": _binary_accuracy, "regression": _r2}[loss.kind]
    return float(_shares(network, z, None) @ loss.value(z, targets)), score(z, targets)


def _accuracy(z: Floats, t: Floats) -> float:
    return float(np.mean(np.argmax(z, axis=1) == t[:, 0]))


def _binary_accuracy(z: Floats, t: Floats) -> float:
    return float(np.mean(((z > 0) == (t > 0.5)).all(axis=1)))  # all outputs of a sample right


def _r2(z: Floats, t: Floats) -> float:
    residual = np.square(z - t).sum(axis=0)  # (O,)
    total = np.square(t - t.mean(axis=0)).sum(axis=0)
    constant = np.where(residual == 0, 1.0, 0.0)  # the score of an output that does not vary
    return float(np.mean(np.where(total > 0, 1.0 - residual / np.where(total > 0, total, 1.0), constant)))
