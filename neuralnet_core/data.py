"""The data that users bring: checked once, converted once, with one clear line for whatever does not fit."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .engine.dispatch import StrictFloats
from .losses import Loss

__all__ = [
    "Targets",
    "check_features",
    "check_rows",
    "check_same_length",
    "check_targets",
    "check_weights",
    "encode_targets",
]

NUMBERS = "biuf"  # the kinds of dtype that hold numbers: bool, int, unsigned, float
REAL = (Real, np.bool_)


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


def check_features(X: ArrayLike, dtype: str, name: str = "X") -> NDArray[Any]:
    """Return X (n, ...) in C order and the engine's width; a copy is made only where that needs one.

    Raises
    ------
    ValueError
        If X is not numeric and finite, is empty, or has fewer than two dimensions.

    Examples
    --------
    >>> check_features([[1, 2], [3, 4]], "float32").dtype
    dtype('float32')
    >>> check_features([[1.0, float("nan")]], "float32")
    Traceback (most recent call last):
    ValueError: X must be finite, got nan at row 0, column 1
    """
    given = _numbers(_as_array(X, name))
    if given.dtype.kind not in NUMBERS:
        raise ValueError(f"{name} must be numbers, got {_other_than_numbers(given, X)}")
    if given.ndim < 2:
        raise ValueError(
            f"{name} must have shape (samples, features), got {given.shape};"
            f" for one feature give {name}[:, None], for one sample {name}[None, :]"
        )
    if given.size == 0:
        raise ValueError(f"{name} must not be empty, got shape {given.shape}")
    return _converted(given, dtype, name)


def _other_than_numbers(given: NDArray[Any], X: ArrayLike) -> str:
    """Return what is no number in an array: the first such entry, or what the whole is."""
    if given.ndim == 0:
        return f"one {type(X).__name__}, which is no array"
    wrong = [(place, value) for place, value in np.ndenumerate(given) if not isinstance(value, REAL)]
    if given.dtype != object or given.ndim != 2 or not wrong:
        return f"an array of {given.dtype}"
    (row, column), value = wrong[0]
    return f"{value!r} at row {row}, column {column}"


def _numbers(given: NDArray[Any]) -> NDArray[Any]:
    """Return an array of objects that are all numbers as numbers: a DataFrame of numbers and booleans gives one."""
    if given.dtype == object and given.ndim and all(isinstance(value, REAL) for value in given.flat):
        return given.astype(np.float64)
    return given


def _as_array(values: ArrayLike, name: str) -> NDArray[Any]:
    """Return what NumPy makes of `values`; rows of unequal length are one line too, and so are masked values.

    A list of strings and other things stays what it is: NumPy would make strings of all, of a missing value too.
    """
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        count = int(np.ma.getmaskarray(values).sum())
        raise ValueError(
            f"{name} must have no missing values, got {count} masked; drop their rows or fill them"
        )
    try:
        array = np.asarray(values)
        return (
            array if array.dtype.kind not in "US" or hasattr(values, "dtype") else np.asarray(values, object)
        )
    except ValueError:
        raise ValueError(f"{name} must be a table: rows of equal length, of numbers or strings") from None


def _converted(given: NDArray[Any], dtype: str, name: str) -> NDArray[Any]:
    """Return finite numbers in C order, aligned, in the byte order and width of `dtype`."""
    with StrictFloats(), np.errstate(over="ignore"):
        values: NDArray[Any] = np.require(given, dtype, ["C_CONTIGUOUS", "ALIGNED"])
    finite = np.isfinite(values)
    if finite.all():
        return values
    row, *place = (int(index) for index in np.unravel_index(int(np.argmin(finite)), values.shape))
    value = given[(row, *place)]
    where = f"row {row}, column {place[0] if len(place) == 1 else tuple(place)}" if place else f"row {row}"
    reason = f"got {value} at" if not np.isfinite(value) else f"{value} is too large for {dtype}, at"
    raise ValueError(f"{name} must be finite, {reason} {where}")


def check_same_length(**arrays: ArrayLike) -> None:
    """Raise ValueError unless all arrays have the same number of rows.

    Examples
    --------
    >>> check_same_length(X=[[1.0], [2.0]], y=[1.0])
    Traceback (most recent call last):
    ValueError: X and y must have the same number of rows; X has 2, y has 1
    """
    lengths = {name: _length(values, name) for name, values in arrays.items()}
    if len(set(lengths.values())) > 1:
        counts = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise ValueError(f"{' and '.join(arrays)} must have the same number of rows; {counts}")


def _length(values: ArrayLike, name: str) -> int:
    if (
        not isinstance(values, Sized)
        or isinstance(values, str)
        or (isinstance(values, np.ndarray) and not values.ndim)
    ):
        raise ValueError(f"{name} must be an array with a row per sample, got {values!r}")
    return len(values)


def check_pair(validation: object) -> None:
    """Raise TypeError unless validation data are a pair (X, y) or None.

    Examples
    --------
    >>> check_pair(0.2)
    Traceback (most recent call last):
    TypeError: validation must be a pair (X, y), got 0.2; a fraction is for Sweep.run
    """
    if validation is None or (isinstance(validation, tuple | list) and len(validation) == 2):
        return
    if isinstance(validation, Real):
        raise TypeError(f"validation must be a pair (X, y), got {validation}; a fraction is for Sweep.run")
    raise TypeError(f"validation must be a pair (X, y), got an object of type {type(validation).__name__}")


def check_rows(rows: ArrayLike, n: int, name: str = "rows") -> NDArray[np.int64]:
    """Return row indices (m,) into n rows; a boolean mask of n entries says the same.

    Examples
    --------
    >>> check_rows([True, False, True], 3)
    array([0, 2])
    """
    indices = _as_array(rows, name)
    if indices.dtype == bool:
        if indices.shape != (n,):
            raise ValueError(f"{name} as a mask must have shape ({n},), got {indices.shape}")
        indices = np.flatnonzero(indices)
    if indices.ndim != 1 or indices.size == 0:
        raise ValueError(f"{name} must be a non-empty vector of row numbers, got shape {indices.shape}")
    if indices.dtype.kind not in "iu":
        raise ValueError(f"{name} must be integers (row numbers) or a mask, got an array of {indices.dtype}")
    low, high = int(indices.min()), int(indices.max())
    if low < 0 or high >= n:
        raise ValueError(f"{name} must be from 0 to {n - 1}, got {low if low < 0 else high}")
    # The engine reads no array that is read-only, such as a column of a DataFrame.
    writeable: NDArray[np.int64] = np.require(indices, np.int64, ["C_CONTIGUOUS", "WRITEABLE"])
    return writeable


def check_weights(sample_weight: ArrayLike | None, n: int, dtype: str) -> NDArray[np.float64] | None:
    """Return sample weights (n,) in float64: finite in `dtype`, not negative, not all zero.

    Examples
    --------
    >>> check_weights([1, 0, 2], 3, "float32")
    array([1., 0., 2.])
    """
    if sample_weight is None:
        return None
    weights = _as_array(sample_weight, "sample_weight")
    if weights.shape != (n,) or weights.dtype.kind not in NUMBERS:
        raise ValueError(f"sample_weight must be {n} numbers, got shape {weights.shape} of {weights.dtype}")
    _converted(weights, dtype, "sample_weight")
    weights = np.ascontiguousarray(weights, np.float64)
    if (weights < 0).any():
        raise ValueError(f"sample_weight must be >= 0, got {weights.min()} at row {weights.argmin()}")
    if not weights.any():
        raise ValueError("sample_weight must not be 0 everywhere")
    return weights


def check_targets(y: ArrayLike, name: str = "y") -> NDArray[Any]:
    """Return targets as an array of finite numbers or of strings; objects (a DataFrame's column) become one of these.

    Examples
    --------
    >>> check_targets(["reed", "moss"]).dtype.kind
    'U'
    >>> check_targets(["reed", float("nan")])
    Traceback (most recent call last):
    ValueError: y must be all numbers or all strings, none missing; got nan among others
    """
    values = _numbers(_as_array(y, name))
    if values.dtype.kind in "UST" or (
        values.dtype == object and all(isinstance(v, str) for v in values.flat)
    ):
        return values.astype(str)
    if values.dtype.kind not in NUMBERS:
        rule = f"{name} must be all numbers or all strings, none missing"
        raise ValueError(f"{rule}; got {_odd_one(values)}")
    _converted(values, "float64", name)
    return values


def _odd_one(values: NDArray[Any]) -> str:
    """Return what is neither a number nor a string in an array, or a number among strings."""
    if values.dtype != object or not values.ndim:
        return f"an array of {values.dtype}"
    others = [value for value in values.flat if not isinstance(value, str)]
    return f"{next((value for value in others if not isinstance(value, REAL)), others[0])!r} among others"


def encode_targets(
    y: ArrayLike,
    loss: Loss,
    outputs: int,
    dtype: str,
    *,
    classes: tuple[str, ...] | None = None,
    exact: bool = False,
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
    values = check_targets(y)
    if values.ndim not in (1, 2) or values.size == 0:
        raise ValueError(f"y must have shape (n,) or (n, outputs) and not be empty, got {values.shape}")
    if values.dtype.kind == "U":
        return _encode_names(values, loss, outputs, dtype, classes)
    if classes:
        raise ValueError(f"labels must be among {_listed(classes)}; got {values.flat[0]}")
    if loss.kind == "classes":
        return Targets(_label_numbers(values, outputs, exact).astype(dtype)[:, None])
    return Targets(_number_table(values, loss, outputs, dtype))


def _listed(classes: tuple[str, ...]) -> str:
    return ", ".join(map(repr, classes[:5])) + (", ..." if len(classes) > 5 else "")


def _encode_names(
    values: NDArray[Any], loss: Loss, outputs: int, dtype: str, classes: tuple[str, ...] | None
) -> Targets:
    if loss.kind == "regression" or (values.ndim == 2 and values.shape[1] != 1):
        shape = "numbers" if loss.kind == "regression" else "one label a row"
        raise ValueError(
            f"{loss.name} takes {shape} as targets, got {str(values.flat[0])!r} in shape {values.shape}"
        )
    labels = values.reshape(-1)
    if classes == ():
        raise ValueError(f"labels must be numbers like those trained on, got {str(labels[0])!r}")
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
        raise ValueError(f"labels must be among {_listed(known)}; got {unknown!r}")
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
        shown = wrong if abs(wrong) < 10**18 else f"{wrong:.6g}"  # a float may be 300 digits long
        raise ValueError(f"labels must be 0..{outputs - 1} for Dense({outputs}), got {shown}")
    if exact and high + 1 != outputs:
        raise ValueError(
            f"y has {high + 1} classes (labels 0..{high}) but the network ends in Dense({outputs}); "
            f"end it in Dense({high + 1})"
        )
    return labels


def _number_table(values: NDArray[Any], loss: Loss, outputs: int, dtype: str) -> NDArray[Any]:
    """Return numbers (n, outputs); for the binary loss from 0 to 1."""
    table = values[:, None] if values.ndim == 1 else values
    if table.shape[1] != outputs:
        columns = f"{table.shape[1]} column{'s' * (table.shape[1] != 1)}"
        raise ValueError(f"y has {columns} but the network ends in Dense({outputs}); they must agree")
    low, high = table.min(), table.max()
    if loss.kind == "binary" and (low < 0 or high > 1):
        wrong = low if low < 0 else high
        raise ValueError(f"labels of {loss.name} must be 0 or 1 (or probabilities between), got {wrong}")
    return _converted(table, dtype, "y")
