"""What the plots of a model show, as named values: made with NumPy alone, drawn by plots.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .checks import check_integer
from .data import check_features
from .losses import get_loss

if TYPE_CHECKING:
    from .model import Model

__all__ = ["CostCurves", "DecisionBoundary", "cost_curves", "decision_boundary", "said"]

LOGARITHMIC_FROM = (
    20.0  # from this ratio of largest to smallest on, a loss is read better on a logarithmic axis
)
MARGIN = 0.08  # of the data's span, around it


@dataclass(frozen=True, eq=False)
class CostCurves:
    """What `draw_cost` shows.

    Attributes
    ----------
    epochs : ndarray, shape (epochs,)
        From 1.
    train, validation : ndarray, shape (epochs,)
        Losses; validation is None without validation data.
    loss : str
    kept : int
        The epoch whose parameters the model has.
    score : (str, float) or None
        The last (or restored) validation metric, its name first.
    diverged : bool
    """

    epochs: NDArray[np.int64]
    train: NDArray[np.float64]
    validation: NDArray[np.float64] | None
    loss: str
    kept: int
    score: tuple[str, float] | None
    diverged: bool

    @property
    def logarithmic(self) -> bool:
        """Whether the losses span so much that a logarithmic axis shows them better."""
        both = self.train if self.validation is None else np.concatenate([self.train, self.validation])
        finite = both[np.isfinite(both)]
        if finite.size == 0 or finite.min() <= 0:
            return False
        return bool(finite.max() >= LOGARITHMIC_FROM * finite.min())

    @property
    def title(self) -> str:
        """The score, and when."""
        last = len(self.epochs)
        if self.diverged:
            return f"diverged in epoch {self.kept}"
        name, value = self.score or ("training loss", self.train[self.kept - 1])
        when = (
            f"after {last} epoch{'s' if last > 1 else ''}"
            if self.kept == last
            else f"in epoch {self.kept} of {last}"
        )
        return f"{name} {value:.3g} {when}" if self.score is None else f"{name} {value:.3f} {when}"


def cost_curves(model: Model) -> CostCurves:
    """Return the losses of a model by epoch."""
    history, metric = model.history_arrays, get_loss(model.network.loss).metric
    train = history["train_loss"]
    score = history.get(f"validation_{metric}")
    return CostCurves(
        epochs=np.arange(1, len(train) + 1),
        train=train,
        validation=history.get("validation_loss"),
        loss=model.network.loss,
        kept=model.epoch,
        score=None if score is None else (f"validation {said(metric)}", float(score[model.epoch - 1])),
        diverged=model.state == "diverged",
    )


@dataclass(frozen=True, eq=False)
class DecisionBoundary:
    """What `draw_decision_boundary` shows: predictions on a grid of R x R places, and the data.

    Attributes
    ----------
    horizontal, vertical : ndarray, shape (R,)
        The grid's places along the first and the second input.
    values : ndarray
        Of a regression (R, R) predictions, else (R, R, C) the probabilities of the classes; the first axis is
        the vertical one.
    points : ndarray, shape (n, 2)
    targets : ndarray, shape (n,)
        Numbers of a regression, else label numbers.
    names : tuple of str
        The classes; empty for a regression.
    metric : str
    score : float
        On the points.
    """

    horizontal: NDArray[Any]
    vertical: NDArray[Any]
    values: NDArray[Any]
    points: NDArray[Any]
    targets: NDArray[Any]
    names: tuple[str, ...]
    metric: str
    score: float

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """The edges of the outermost grid cells: left, right, bottom, top."""
        edges = []
        for places in (self.horizontal, self.vertical):
            half = (places[1] - places[0]) / 2
            edges += [float(places[0] - half), float(places[-1] + half)]
        return edges[0], edges[1], edges[2], edges[3]

    @property
    def title(self) -> str:
        """The score, and on how many points."""
        return f"{said(self.metric)} {self.score:.3f} on {len(self.points)} points"


def decision_boundary(model: Model, X: ArrayLike, y: ArrayLike, resolution: int = 200) -> DecisionBoundary:
    """Return what a network of two inputs predicts around the data, and the data.

    Raises
    ------
    ValueError
        For a network of other than two inputs, or of several outputs that are no classes.
    """
    check_integer("resolution", resolution, at_least=2)
    kind, metric = get_loss(model.network.loss).kind, get_loss(model.network.loss).metric
    outputs = model.network.build(model.input_shape).output_shape[0]
    if model.input_shape != (2,):
        raise ValueError(
            f"a decision boundary needs a network of 2 inputs, this one has shape {model.input_shape}"
        )
    if kind != "classes" and outputs != 1:
        raise ValueError(
            f"a decision boundary with {model.network.loss} needs one output, this network has {outputs}"
        )
    score = model.score(X, y)
    points = check_features(X, model.dtype)
    horizontal, vertical = (_places(column, resolution) for column in points.T)
    grid = np.stack(np.meshgrid(horizontal, vertical), axis=-1).reshape(-1, 2)
    answers = model.predict(grid) if kind == "regression" else model.predict_proba(grid)
    if not np.isfinite(answers).all():
        raise ValueError(
            f"the network's outputs are not finite, so it has no decision boundary; it is {model.state}"
        )
    targets = model.encode(y)[:, 0]
    labels = model.classes or tuple(str(label) for label in range(answers.shape[-1]))
    return DecisionBoundary(
        horizontal=horizontal,
        vertical=vertical,
        values=answers.reshape(resolution, resolution, *answers.shape[1:]),
        points=points,
        targets=targets if kind == "regression" else np.rint(targets).astype(np.int64),
        names=() if kind == "regression" else labels,
        metric=metric,
        score=score,
    )


def _places(column: NDArray[Any], resolution: int) -> NDArray[Any]:
    """Return evenly spaced places (resolution,) over a column of the data and a margin on both sides."""
    low, high = float(column.min()), float(column.max())
    margin = MARGIN * (high - low) or 0.5
    return np.linspace(low - margin, high + margin, resolution)


def said(name: str) -> str:
    """Return the name of a loss or metric as it is said."""
    words = {"mse": "mean squared error", "mae": "mean absolute error", "r2": "R²"}
    return words.get(name, name.replace("_cross_entropy", " cross-entropy").replace("_", " "))
