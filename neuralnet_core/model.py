"""Model: a trained network - its parameters, its history, its predictions."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .brief import shown
from .checks import check_dtype
from .data import check_features, check_same_length
from .layers import Shape
from .layout import Layout, heading_of
from .losses import get_loss, softmax
from .network import Network
from .optimizers import Optimizer
from .targets import encode_targets

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Model"]


class _Arrays:
    """The arrays of a model that training made, kept as the engine gave them until somebody asks for one by name."""

    _layout: Layout
    _flat: NDArray[Any]  # the parameters, in layout order
    _names: tuple[str, ...]
    _rows: NDArray[np.float64]  # (metrics, epochs)

    @cached_property
    def parameters(self) -> dict[str, NDArray[Any]]:
        return self._layout.unflatten(self._flat)

    @cached_property
    def history_arrays(self) -> dict[str, NDArray[np.float64]]:
        return dict(zip(self._names, self._rows, strict=True))

    def _untouched_parameters(self) -> NDArray[Any] | None:
        """The parameters as one flat vector, unless somebody may have changed them."""
        return None if "parameters" in vars(self) else self._flat

    def _untouched_history(self) -> NDArray[np.float64] | None:
        """The history as one array, unless somebody may have changed it."""
        return None if "history_arrays" in vars(self) else self._rows


@dataclass(frozen=True, eq=False)
class Model(_Arrays):
    """What training gives back.

    Attributes
    ----------
    network : Network
    optimizer : Optimizer
    seed : int
    dtype : {"float32", "float64"}
    input_shape : tuple
        The shape of one sample.
    parameters : dict of ndarray
        ``"0.weight"`` (inputs, units), ``"0.bias"`` (units,) ...: layer index and name.
    state : {"done", "diverged"}
    history_arrays : dict of ndarray
        By metric, a float64 per epoch trained.
    epoch : int
        The epoch, counted from 1, whose parameters these are: the last, or the one restored.
    classes : tuple of str or None
        The labels in the order of the outputs, where they were strings.

    Examples
    --------
    >>> import numpy as np
    >>> from neuralnet_core import Adam, Dense
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> network = Network([Dense(8, "tanh"), Dense(1)], loss="binary_cross_entropy")
    >>> model = network.train(X, ["same", "other", "other", "same"], Adam(0.05, epochs=300))
    >>> model.predict(X).tolist()
    ['same', 'other', 'other', 'same']
    """

    network: Network
    optimizer: Optimizer
    seed: int
    dtype: str
    input_shape: Shape
    parameters: dict[str, NDArray[Any]] = field(repr=False)
    state: str
    history_arrays: dict[str, NDArray[np.float64]] = field(repr=False)
    epoch: int
    classes: tuple[str, ...] | None = None

    def __reduce__(self) -> tuple[object, ...]:
        return Model, tuple(getattr(self, field.name) for field in fields(self))

    @property
    def history(self) -> pd.DataFrame:
        """A row per epoch, from 1: train_loss and, with validation, its loss and score."""
        import pandas as pd

        epochs = len(self.history_arrays["train_loss"])
        return pd.DataFrame(self.history_arrays, index=pd.RangeIndex(1, epochs + 1, name="epoch"))

    def history_table(self, dtype: str = "float64") -> tuple[tuple[str, ...], NDArray[Any]]:
        """Return the names of the metrics, and the history as one array of its own: (metrics, epochs).

        As float32, a number beyond the width is inf, and NumPy says so.

        Examples
        --------
        >>> from neuralnet_core import Dense, GradientDescent
        >>> model = Network([Dense(1)]).train([[0.0], [1.0]], [0.0, 1.0], GradientDescent(epochs=5))
        >>> names, values = model.history_table()
        >>> names, values.shape
        (('train_loss',), (1, 5))
        """
        rows = self._untouched_history()
        dtype = check_dtype(dtype)
        if rows is not None:
            return self._names, rows.astype(dtype)
        return tuple(self.history_arrays), _as_rows(self.history_arrays).astype(dtype, copy=False)

    @property
    def metrics(self) -> dict[str, float]:
        """The history at `epoch`."""
        rows = self._untouched_history()
        if rows is None:
            return {name: float(values[self.epoch - 1]) for name, values in self.history_arrays.items()}
        return dict(zip(self._names, rows[:, self.epoch - 1].tolist(), strict=True))

    def decision_function(self, X: ArrayLike) -> NDArray[Any]:
        """Return the raw outputs (n, outputs): the logits of the cross-entropies."""
        from .evaluation import forward

        return forward(self.network, self.parameters, self._features(X))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return labels (n,) as they were given, or numbers: (n,) for one output, else (n, outputs).

        Several binary outputs are labels (n, outputs).
        """
        outputs = self.decision_function(X)
        kind = get_loss(self.network.loss).kind
        answers = outputs
        if kind == "classes":
            answers = outputs.argmax(axis=1)[:, None]
        elif kind == "binary":
            answers = (outputs > 0).astype(np.int64)
        if answers.shape[1] == 1:
            answers = answers[:, 0]
        return answers if self.classes is None else np.array(self.classes)[answers]

    def predict_proba(self, X: ArrayLike) -> NDArray[Any]:
        """Return the probability of each class (n, classes); of each of several binary outputs, (n, outputs).

        Raises
        ------
        ValueError
            For a regression, which has none.
        """
        kind = get_loss(self.network.loss).kind
        if kind == "regression":
            raise ValueError(f"a network with the loss {self.network.loss} has no probabilities; use predict")
        outputs = self.decision_function(X)
        if kind == "classes":
            return softmax(outputs)
        positive = softmax(np.stack([np.zeros_like(outputs), outputs], axis=-1))
        return positive[:, 0] if outputs.shape[1] == 1 else positive[..., 1]

    def encode(self, y: ArrayLike) -> NDArray[Any]:
        """Return targets as the loss takes them: numbers (n, outputs), or label numbers (n, 1) for softmax."""
        loss, (outputs,) = get_loss(self.network.loss), self.network.build(self.input_shape).output_shape
        return encode_targets(y, loss, outputs, self.dtype, classes=self.classes or ()).values

    def score(self, X: ArrayLike, y: ArrayLike) -> float:
        """Return accuracy or R2: on the validation data, exactly the number of the history."""
        return self._evaluate(X, y)[get_loss(self.network.loss).metric]

    def loss(self, X: ArrayLike, y: ArrayLike) -> float:
        """Return the loss on data, penalties apart."""
        return self._evaluate(X, y)["loss"]

    def digest(self) -> str:
        """Return a SHA-256 of the parameters: names, shapes, width and bytes."""
        hasher, flat = hashlib.sha256(), self._untouched_parameters()
        if flat is not None:
            content = flat.data
            for heading, start, stop in self._layout.headings(flat.dtype.str):
                hasher.update(heading)
                hasher.update(content[start:stop])
            return hasher.hexdigest()
        for name in sorted(self.parameters):
            value = self.parameters[name]
            hasher.update(heading_of(name, value.shape, value.dtype.str))
            hasher.update(np.ascontiguousarray(value).data)
        return hasher.hexdigest()

    def plot_cost(self, ax: Axes | None = None) -> Axes:
        """Draw the training and validation losses by epoch, on `ax` or on a new figure.

        The loss axis is logarithmic where the losses span much. The title says the score.
        """
        from .plots import plot_cost

        return plot_cost(self, ax=ax)

    def plot_decision_boundary(
        self, X: ArrayLike, y: ArrayLike, ax: Axes | None = None, *, legend: bool = True
    ) -> Axes:
        """Draw what a network of two inputs predicts around the data and the data, on `ax` or on a new figure.

        With `plot_cost` beside it, ``figure, (left, right) = pyplot.subplots(1, 2)`` and ``ax=left``, ``ax=right``.
        Where several panels share one legend (of a regression: one colour bar), ``legend=False`` leaves it out.

        Raises
        ------
        ValueError
            For a network of other than two inputs, or of several outputs that are no classes.
        """
        from .plots import plot_decision_boundary

        return plot_decision_boundary(self, X, y, ax=ax, legend=legend)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to an npz file (no pickle); `Model.load` reads it back bit for bit."""
        from .model_file import save

        save(self, path)

    def to_bytes(self) -> bytes:
        """Return what `save` writes."""
        from .model_file import dump

        return dump(self)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Model:
        """Read a model that `save` wrote.

        Raises
        ------
        ValueError
            If the file is not such a model: one line saying why. Nothing is ever unpickled.
        """
        from .model_file import load

        return load(path)

    @classmethod
    def from_bytes(cls, content: bytes) -> Model:
        """Read a model from the bytes of its file."""
        from .model_file import parse

        return parse(content)

    def _features(self, X: ArrayLike) -> NDArray[Any]:
        features = check_features(X, self.dtype)
        if features.shape[1:] != self.input_shape:
            raise ValueError(f"X must have samples of shape {self.input_shape}, got {features.shape[1:]}")
        return features

    def _evaluate(self, X: ArrayLike, y: ArrayLike) -> dict[str, float]:
        from .evaluation import evaluate

        features = self._features(X)
        check_same_length(X=features, y=y)
        return evaluate(self.network, self.parameters, features, self.encode(y))


def _as_rows(history: Mapping[str, ArrayLike]) -> NDArray[np.float64]:
    """Return a history as one array of its own: (metrics, epochs)."""
    with suppress(ValueError, TypeError):  # of rows of unequal length
        rows = np.array(list(history.values()), np.float64)
        if rows.ndim == 2:
            return rows
    raise ValueError(
        f"history_arrays must hold a number per epoch for each metric, equally many; got {shown(history)}"
    )


def trained_model(values: dict[str, Any]) -> Model:
    """Return a model of these values of its fields; those of `_Arrays` stand for its arrays."""
    model = object.__new__(Model)
    object.__setattr__(model, "__dict__", values)
    return model
