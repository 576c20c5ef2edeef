"""The training loop in plain NumPy, one network at a time: what the compiled engine is tested against.

Slow, and meant to be read. From top to bottom: the optimizers' steps, clipping and penalties, minibatches,
epochs and early stopping. The gradients come from backpropagation.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .activations import Floats
from .backpropagation import Arrays, Keep, evaluate, loss_and_gradients
from .layers import Dropout
from .layout import Layout
from .losses import get_loss
from .network import Network
from .optimizers import Adam, AdamW, EarlyStopping, GradientDescent, Momentum, Optimizer, RMSprop
from .random import dropout_keep, permutation
from .schedules import learning_rate_at

__all__ = ["ReferenceRun", "train_reference"]


def _step(optimizer: Optimizer, moments: Arrays, g: Floats, rate: float, t: int) -> Floats:
    """Return what update `t` (from 0) subtracts from a parameter; its moments start at 0 and are kept."""
    zero = np.zeros_like(g)
    step: Floats
    match optimizer:
        case GradientDescent():
            step = rate * g
        case Momentum(momentum=momentum, dampening=dampening, nesterov=nesterov):
            v = moments["v"] = momentum * moments.get("v", zero) + (1.0 - dampening) * g
            step = rate * (g + momentum * v) if nesterov else rate * v
        case RMSprop(decay=decay, epsilon=epsilon):
            s = moments["s"] = decay * moments.get("s", zero) + (1.0 - decay) * g**2
            step = rate * g / (np.sqrt(s) + epsilon)
        case Adam(beta1=beta1, beta2=beta2, epsilon=epsilon):  # and AdamW
            m = moments["m"] = beta1 * moments.get("m", zero) + (1.0 - beta1) * g
            v = moments["v"] = beta2 * moments.get("v", zero) + (1.0 - beta2) * g**2
            c1, c2 = 1.0 - beta1 ** (t + 1), 1.0 - beta2 ** (t + 1)
            step = (rate / c1) * m / (np.sqrt(v) / math.sqrt(c2) + epsilon)
        case _:
            raise TypeError(f"the reference knows no optimizer {type(optimizer).__name__}")
    return step


def _clip(gradients: Arrays, limit: float | None) -> Arrays:
    """Scale all gradients by one factor if their joint Euclidean norm is above the limit."""
    if limit is None:
        return gradients
    norm = float(np.sqrt(sum(np.square(g).sum() for g in gradients.values())))
    scale = limit / norm if norm > limit else 1.0
    return {name: g * scale for name, g in gradients.items()}


# --- Training -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ReferenceRun:
    """What a training gave: the numbers a `Model` has, as plain arrays."""

    parameters: Arrays
    history: dict[str, NDArray[np.float64]]  # (epochs,) by metric
    state: str  # "done" | "diverged"
    epoch: int  # whose parameters these are, counted from 1


@dataclass
class _Training:
    """A training in progress."""

    network: Network
    optimizer: Optimizer
    layout: Layout
    seed: int
    parameters: Arrays
    moments: dict[str, Arrays] = field(default_factory=dict)
    updates: int = 0  # made so far: the t of schedules, bias corrections and dropout

    def epoch(self, X: Floats, targets: Floats, weights: Floats | None, order: NDArray[np.int64]) -> float:
        """Pass once over the rows in `order`; return the mean of the minibatch losses."""
        total = seen = 0.0
        for rows in _minibatches(order, self.optimizer.batch_size):
            w = np.ones(len(rows)) if weights is None else weights[rows]
            if w.sum() == 0.0:
                continue  # no update, and it counts for nothing
            loss, gradients = loss_and_gradients(
                self.network, self.parameters, X[rows], targets[rows], w / w.sum(), self._keep(len(rows))
            )
            self._update(gradients)
            total += loss * w.sum()
            seen += w.sum()
        return total / seen if seen else float("nan")

    def _keep(self, samples: int) -> Keep:
        return {
            position: dropout_keep(
                self.seed, position, self.updates, samples, built.input_shape[0], built.layer.rate
            )
            for position, built in enumerate(self.layout.layers)
            if isinstance(built.layer, Dropout)
        }

    def _update(self, gradients: Arrays) -> None:
        optimizer, t = self.optimizer, self.updates
        rate = learning_rate_at(optimizer.learning_rate, t)
        gradients = _clip(gradients, optimizer.clip_norm)
        for slot in self.layout.parameters:
            g, W = gradients[slot.name], self.parameters[slot.name]
            if slot.parameter.penalized:
                g = g + optimizer.l2 * W + optimizer.l1 * np.sign(W)
                if isinstance(optimizer, AdamW):
                    W = W - rate * optimizer.weight_decay * W
            moments = self.moments.setdefault(slot.name, {})
            self.parameters[slot.name] = W - _step(optimizer, moments, g, rate, t)
        self.updates += 1


def _minibatches(order: NDArray[np.int64], batch_size: int | None) -> Iterator[NDArray[np.int64]]:
    size = batch_size or len(order)
    for start in range(0, len(order), size):
        yield order[start : start + size]  # the last one may be short


def _epoch_order(optimizer: Optimizer, seed: int, epoch: int, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    full_batch = optimizer.batch_size is None or optimizer.batch_size >= len(rows)
    return rows if full_batch or not optimizer.shuffle else rows[permutation(seed, epoch, len(rows))]


@dataclass
class _Best:
    """Early stopping's memory: the best epoch so far and its parameters."""

    early: EarlyStopping
    value: float = float("inf")
    epoch: int = 0
    parameters: Arrays = field(default_factory=dict)

    def stops(self, epoch: int, history: dict[str, list[float]], parameters: Arrays) -> bool:
        """Return whether the patience is over after this epoch."""
        sign = 1.0 if self.early.monitor.endswith("loss") else -1.0
        value = sign * history[self.early.monitor][-1]
        if self.epoch == 0 or value < self.value - self.early.min_delta:
            self.value, self.epoch, self.parameters = value, epoch, dict(parameters)
        return epoch - self.epoch >= self.early.patience


def train_reference(
    network: Network,
    optimizer: Optimizer,
    X: Floats,
    targets: Floats,
    *,
    initial: Mapping[str, ArrayLike],
    seed: int = 0,
    sample_weight: ArrayLike | None = None,
    rows: ArrayLike | None = None,
    validation: tuple[Floats, Floats] | None = None,
    dtype: str = "float64",
) -> ReferenceRun:
    """Train one network in plain NumPy, as the engine does but for rounding.

    Parameters
    ----------
    network, optimizer : Network, Optimizer
    X : array, shape (n, I)
    targets : array, shape (n, O), or (n, 1) label numbers for softmax_cross_entropy
    initial : dict of arrays
        The parameters to start from, as `Network.initialize` gives them.
    seed : int
        Draws the order of the rows and the units that dropout keeps.
    sample_weight : array, shape (n,), optional
    rows : array of int, optional
        The rows of X to train on; all by default.
    validation : (X, targets), optional
    dtype : {"float32", "float64"}

    Examples
    --------
    >>> from neuralnet_core import Dense
    >>> X = np.array([[0.0], [1.0]])
    >>> run = train_reference(
    ...     Network([Dense(1)]),
    ...     GradientDescent(0.5, epochs=200),
    ...     X,
    ...     2.0 * X + 1.0,
    ...     initial={"0.weight": np.zeros((1, 1)), "0.bias": np.zeros(1)},
    ... )
    >>> run.parameters["0.weight"].round(6), run.parameters["0.bias"].round(6), run.epoch
    (array([[2.]]), array([1.]), 200)
    """
    X, targets = X.astype(dtype), targets.astype(dtype)
    weights = None if sample_weight is None else np.asarray(sample_weight, np.float64)
    chosen = np.arange(len(X)) if rows is None else np.asarray(rows)
    layout = network.build(X.shape[1:])
    parameters = {slot.name: np.array(initial[slot.name], dtype) for slot in layout.parameters}
    training = _Training(network, optimizer, layout, seed, parameters)
    best = None if optimizer.early_stopping is None else _Best(optimizer.early_stopping)
    history: dict[str, list[float]] = {}
    state, last = "done", 0
    with np.errstate(over="ignore", invalid="ignore"):  # a diverging network is a result, not a mishap
        for epoch in range(optimizer.epochs):
            order = _epoch_order(optimizer, seed, epoch, chosen)
            metrics = {"train_loss": training.epoch(X, targets, weights, order)}
            if validation is not None:
                metrics |= _validate(network, training.parameters, validation, dtype)
            for name, value in metrics.items():
                history.setdefault(name, []).append(value)
            last = epoch + 1
            if not _is_finite(metrics, training.parameters):
                state = "diverged"
                break
            if best is not None and best.stops(last, history, training.parameters):
                break
    final = training.parameters
    if best is not None and best.early.restore_best and state == "done":
        final, last = best.parameters, best.epoch
    return ReferenceRun(final, {name: np.array(values) for name, values in history.items()}, state, last)


def _validate(
    network: Network, parameters: Arrays, validation: tuple[Floats, Floats], dtype: str
) -> dict[str, float]:
    X, targets = validation
    loss, score = evaluate(network, parameters, X.astype(dtype), targets.astype(dtype))
    return {"validation_loss": loss, f"validation_{get_loss(network.loss).metric}": score}


def _is_finite(metrics: Mapping[str, float], parameters: Arrays) -> bool:
    losses = [value for name, value in metrics.items() if name.endswith("loss")]
    return bool(np.isfinite(losses).all() and all(np.isfinite(value).all() for value in parameters.values()))
