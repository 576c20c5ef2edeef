"""The data that users bring: checked once, converted once, with one clear line for whatever does not fit."""

from __future__ import annotations

from contextlib import suppress
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .brief import shown
from .engine.dispatch import StrictFloats

__all__ = [
    "check_features",
    "check_rows",
    "check_same_length",
    "check_targets",
    "check_weights",
    "converted",
]

NUMBERS = "biuf"  # the kinds of dtype that hold numbers: bool, int, unsigned, float
REAL = (Real, np.bool_)


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
    given = _numbers(_as_array(X, name), name)
    if given.dtype.kind not in NUMBERS:
        raise ValueError(f"{name} must be numbers, got {_other_than_numbers(given, X)}")
    if given.ndim < 2:
        raise ValueError(
            f"{name} must have shape (samples, features), got {given.shape};"
            f" for one feature give {name}[:, None], for one sample {name}[None, :]"
        )
    if given.size == 0:
        raise ValueError(f"{name} must not be empty, got shape {given.shape}")
    return converted(given, dtype, name)


def _other_than_numbers(given: NDArray[Any], X: ArrayLike) -> str:
    """Return what is no number in an array: the first such entry, or what the whole is."""
    if given.ndim == 0:
        return f"one {type(X).__name__}, which is no array"
    wrong = [(place, value) for place, value in np.ndenumerate(given) if not isinstance(value, REAL)]
    if given.dtype != object or given.ndim != 2 or not wrong:
        return f"an array of {given.dtype}"
    (row, column), value = wrong[0]
    return f"{shown(value)} at row {row}, column {column}"


def _numbers(given: NDArray[Any], name: str) -> NDArray[Any]:
    """Return an array of objects that are all numbers as numbers: a DataFrame of numbers and booleans gives one."""
    if given.dtype == object and given.ndim and all(isinstance(value, REAL) for value in given.flat):
        try:
            return given.astype(np.float64)
        except OverflowError:
            raise ValueError(f"{name} must be finite, got an integer that is too large for a float") from None
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


def converted(given: NDArray[Any], dtype: str, name: str) -> NDArray[Any]:
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
    if not isinstance(values, str):
        with suppress(TypeError):  # of one number, an array without dimensions, a sparse matrix
            return len(values)  # type: ignore[arg-type]
    raise ValueError(f"{name} must be an array with a row per sample, got {shown(values)}")


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
        raise TypeError(
            f"validation must be a pair (X, y), got {shown(validation)}; a fraction is for Sweep.run"
        )
    what = f"an object of type {type(validation).__name__}"
    if isinstance(validation, tuple | list):
        what = f"{len(validation)} items"
    raise TypeError(f"validation must be a pair (X, y), got {what}")


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
    if indices.flags.writeable:  # the engine reads them without looking again
        indices = indices.copy()
    return np.ascontiguousarray(indices, np.int64)


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
    converted(weights, dtype, "sample_weight")
    weights = np.ascontiguousarray(weights, np.float64)
    if (weights < 0).any():
        raise ValueError(f"sample_weight must be >= 0, got {weights.min()} at row {weights.argmin()}")
    if not weights.any():
        raise ValueError("sample_weight must not be 0 everywhere")
    with np.errstate(over="ignore"):
        smallest, total = weights[weights > 0].min(), weights.sum()
    if smallest < np.finfo(np.float64).tiny or not np.isfinite(total):
        wrong = f"{smallest} is not" if np.isfinite(total) else "their sum is not"
        raise ValueError(
            f"sample_weight must be normal numbers of float64, and so must their sum; {wrong}: scale them"
        )
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
    values = _numbers(_as_array(y, name), name)
    _length(values, name)
    if values.dtype.kind in "UST" or (
        values.dtype == object and all(isinstance(v, str) for v in values.flat)
    ):
        return values.astype(str)
    if values.dtype.kind not in NUMBERS:
        rule = f"{name} must be all numbers or all strings, none missing"
        raise ValueError(f"{rule}; got {_odd_one(values)}")
    converted(values, "float64", name)
    return values


def _odd_one(values: NDArray[Any]) -> str:
    """Return what is neither a number nor a string in an array, or a number among strings."""
    if values.dtype != object or not values.ndim:
        return f"an array of {values.dtype}"
    others = [value for value in values.flat if not isinstance(value, str)]
    return (
        f"{shown(next((value for value in others if not isinstance(value, REAL)), others[0]))} among others"
    )
