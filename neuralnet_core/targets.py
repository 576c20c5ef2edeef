"""Targets as a loss takes them: labels become numbers, numbers columns, with one clear line for what does not fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .brief import LONGEST, shown
from .data import check_targets, converted
from .losses import Loss

__all__ = ["Targets", "encode_targets"]


@dataclass(frozen=True)
class Targets:
    """Targets as the engine takes them.

    Attributes
    ----------
    values : ndarray
        (n, outputs) numbers, or (n, 1) label numbers for the softmax loss.
    classes : tuple or None
        The original labels in the order of their numbers, where they were strings.
    """

    values: NDArray[Any]
    classes: tuple[str, ...] | None = None


def encode_targets(
    y: ArrayLike,
    loss: Loss,
    outputs: int,
    dtype: str,
    *,
    classes: tuple[str, ...] | None = None,
    exact: bool = False,
    name: str = "y",
) -> Targets:
    """Return targets as a loss takes them, for a network of `outputs` units.

    Parameters
    ----------
    y : array-like, shape (n,) or (n, outputs)
        Numbers for regression; labels (integers from 0, booleans, strings) or one-hot rows for the softmax
        loss; 0, 1, probabilities between them, or two strings for the binary loss.
    loss : Loss
    outputs : int
    dtype : {"float32", "float64"}
    classes : tuple of str, optional
        The labels already known, in the order of their numbers; another one is an error. Empty where the
        labels known are numbers: then strings are an error.
    exact : bool
        These targets define the classes: there must be as many of them as outputs.
    name : str
        What errors call them.

    Raises
    ------
    ValueError
        For targets that do not fit the loss or the number of outputs.

    Examples
    --------
    >>> from neuralnet_core.losses import get_loss
    >>> encode_targets(["no", "yes", "no"], get_loss("binary_cross_entropy"), 1, "float32").classes
    ('no', 'yes')
    >>> encode_targets([0, 12], get_loss("softmax_cross_entropy"), 10, "float32")
    Traceback (most recent call last):
    ValueError: labels must be 0..9 for Dense(10), got 12
    """
    values = check_targets(y, name)
    if values.ndim not in (1, 2) or values.size == 0:
        raise ValueError(f"{name} must have shape (n,) or (n, outputs) and not be empty, got {values.shape}")
    if values.dtype.kind == "U":
        return _encode_names(values, loss, outputs, dtype, classes)
    if classes:
        raise ValueError(f"labels must be among {_listed(classes)}; got {values.flat[0]}")
    if loss.kind == "classes":
        return Targets(_label_numbers(values, outputs, exact).astype(dtype)[:, None])
    return Targets(_number_table(values, loss, outputs, dtype, name))


def _listed(classes: tuple[str, ...]) -> str:
    text = ", ".join(map(repr, classes[:5])) + (", ..." if len(classes) > 5 else "")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _encode_names(
    values: NDArray[Any], loss: Loss, outputs: int, dtype: str, classes: tuple[str, ...] | None
) -> Targets:
    if loss.kind == "regression" or (values.ndim == 2 and values.shape[1] != 1):
        shape = "numbers" if loss.kind == "regression" else "one label a row"
        raise ValueError(
            f"{loss.name} takes {shape} as targets, got {shown(str(values.flat[0]))} in shape {values.shape}"
        )
    labels = values.reshape(-1)
    if classes == ():
        raise ValueError(f"labels must be numbers like those trained on, got {shown(str(labels[0]))}")
    known = classes or tuple(np.unique(labels).tolist())
    count = f"y has {len(known)} class{'es' * (len(known) != 1)} ({_listed(known)})"
    if loss.kind == "binary" and (len(known) != 2 or outputs != 1):
        raise ValueError(
            f"{loss.name} takes 2 classes and Dense(1), but {count} and the network ends in Dense({outputs})"
        )
    if loss.kind == "classes" and len(known) != outputs:
        raise ValueError(f"{count} but the network ends in Dense({outputs}); end it in Dense({len(known)})")
    numbers = {label: number for number, label in enumerate(known)}
    unknown = next((label for label in labels.tolist() if label not in numbers), None)
    if unknown is not None:
        raise ValueError(f"labels must be among {_listed(known)}; got {shown(unknown)}")
    return Targets(np.array([[numbers[label]] for label in labels.tolist()], dtype), known)


def _label_numbers(values: NDArray[Any], outputs: int, exact: bool) -> NDArray[Any]:
    """Return label numbers (n,) of labels (n,) or (n, 1), or of one-hot rows (n, outputs)."""
    if values.ndim == 2 and values.shape[1] > 1:
        one_hot = np.isin(values, (0, 1)).all() and (np.count_nonzero(values, axis=1) == 1).all()
        if values.shape[1] != outputs or not one_hot:
            raise ValueError(
                f"one-hot labels for Dense({outputs}) must have {outputs} columns and a single 1 in every row, "
                f"got shape {values.shape}" + ("" if one_hot else " with other rows")
            )
        labels: NDArray[Any] = values.argmax(axis=1)
        return labels
    labels = values.reshape(-1)
    fractional = labels != np.floor(labels)
    if fractional.any():
        raise ValueError(f"labels must be integers 0..{outputs - 1}, got {labels[fractional][0]}")
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= outputs:
        wrong = low if low < 0 else high
        short = wrong if abs(wrong) < 10**18 else f"{wrong:.6g}"  # a float may be 300 digits long
        raise ValueError(f"labels must be 0..{outputs - 1} for Dense({outputs}), got {short}")
    if exact and high == 0 < outputs - 1:
        raise ValueError(
            f"y has one class only (label 0 in every row); {outputs} outputs need {outputs} classes"
        )
    if exact and high + 1 != outputs:
        raise ValueError(
            f"y has {high + 1} classes (labels 0..{high}) but the network ends in Dense({outputs}); "
            f"end it in Dense({high + 1})"
        )
    return labels


def _number_table(values: NDArray[Any], loss: Loss, outputs: int, dtype: str, name: str) -> NDArray[Any]:
    """Return numbers (n, outputs); for the binary loss from 0 to 1."""
    table = values[:, None] if values.ndim == 1 else values
    if table.shape[1] != outputs:
        columns = f"{table.shape[1]} column{'s' * (table.shape[1] != 1)}"
        raise ValueError(f"{name} has {columns} but the network ends in Dense({outputs}); they must agree")
    low, high = table.min(), table.max()
    if loss.kind == "binary" and (low < 0 or high > 1):
        wrong = low if low < 0 else high
        raise ValueError(f"labels of {loss.name} must be 0 or 1 (or probabilities between), got {wrong}")
    return converted(table, dtype, name)
