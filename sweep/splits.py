"""The data of a sweep, checked and converted once, and the rows that each repeat trains and validates on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuralnet_core import LOSSES, Network, check_features, check_rows, check_weights, derive_seed

from .datasets import split_rows

__all__ = ["Data", "RowSplit", "Splits", "data_digest"]


@dataclass(frozen=True, eq=False)
class Data:
    """What a sweep trains on. `X` has the training dtype and C order, so no network converts or copies it."""

    X: NDArray[Any]
    y: NDArray[Any]
    sample_weight: NDArray[np.float64] | None
    validation: tuple[NDArray[Any], NDArray[Any]] | None

    @classmethod
    def of(
        cls,
        X: ArrayLike,
        y: ArrayLike,
        validation: tuple[ArrayLike, ArrayLike] | None,
        sample_weight: ArrayLike | None,
        dtype: str,
    ) -> Data:
        """Return the data checked, or say in one line what is wrong with it."""
        features, targets = _pair(X, y, "X", "y", dtype)
        weights = check_weights(sample_weight, len(features), dtype)
        if validation is None:
            return cls(features, targets, weights, None)
        held_out = _pair(*validation, "validation X", "validation y", dtype)
        if held_out[0].shape[1:] != features.shape[1:]:
            raise ValueError(
                f"validation X must have samples of shape {features.shape[1:]} like X, got {held_out[0].shape[1:]}"
            )
        return cls(features, targets, weights, held_out)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one sample."""
        return self.X.shape[1:]

    @cached_property
    def digest(self) -> str:
        """The digest of all that is trained and validated on."""
        digest = data_digest(self.X, self.y, self.sample_weight)
        if self.validation is None:
            return digest
        return hashlib.sha256(f"{digest} {data_digest(*self.validation)}".encode()).hexdigest()


def _pair(
    X: ArrayLike, y: ArrayLike, x_name: str, y_name: str, dtype: str
) -> tuple[NDArray[Any], NDArray[Any]]:
    features, targets = check_features(X, dtype, name=x_name), _targets(y, y_name)
    if targets.ndim == 0 or len(targets) != len(features):
        count = len(targets) if targets.ndim else 1
        raise ValueError(f"{x_name} and {y_name} must have one length, got {len(features)} and {count}")
    if targets.dtype.kind == "f" and not (finite := np.isfinite(targets)).all():
        row = int(np.argwhere(~finite)[0][0])
        raise ValueError(f"{y_name} must be finite, got {targets[row]} in row {row}")
    return features, targets


def _targets(y: ArrayLike, name: str) -> NDArray[Any]:
    """Return targets as an array of numbers or of strings; what pandas holds as objects becomes one of these."""
    if isinstance(y, np.ma.MaskedArray) and np.ma.is_masked(y):
        count = int(np.ma.getmaskarray(y).sum())
        raise ValueError(f"{name} must have no missing values, got {count} masked; drop their rows")
    try:
        targets = np.asarray(y)
        if targets.dtype.kind in "US" and not hasattr(y, "dtype"):
            targets = np.asarray(y, object)  # NumPy makes strings of all that stands beside one, NaN included
    except ValueError:
        raise ValueError(f"{name} must have rows of equal length") from None
    if targets.dtype.kind not in "biufUSTO":
        raise ValueError(f"{name} must hold numbers or strings, got an array of {targets.dtype}")
    if targets.dtype != object:
        return targets
    texts = sum(isinstance(label, str) for label in targets.flat)
    plain = np.array(targets.tolist())
    if plain.dtype == object or texts not in (0, targets.size):
        other = next(label for label in targets.flat if not isinstance(label, str))
        raise ValueError(f"{name} must hold numbers or strings alone, got {other!r} among others")
    return plain


def data_digest(X: NDArray[Any], y: NDArray[Any], sample_weight: NDArray[Any] | None = None) -> str:
    """Return the sha256 over dtype, shape and bytes of the arrays.

    Examples
    --------
    >>> a, b = np.zeros((2, 3)), np.zeros((3, 2))
    >>> data_digest(a, a) == data_digest(a.copy(order="F"), a), data_digest(a, a) == data_digest(b, b)
    (True, False)
    """
    digest = hashlib.sha256()
    for array in (X, y, sample_weight):
        if array is None:
            digest.update(b"none;")
            continue
        digest.update(f"{array.dtype.str}{array.shape};".encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class RowSplit:
    """The rows that the trials of one repeat train and validate on; None stands for all, or for none held out.

    One such object serves every network of a repeat, so the engine gets one array of rows, not one per network.
    """

    rows: NDArray[np.int64] | None
    validation_rows: NDArray[np.int64] | None
    n_train: int
    n_validation: int
    digest: str

    @classmethod
    def of(cls, data: Data, rows: ArrayLike | None, validation_rows: ArrayLike | None) -> RowSplit:
        """Return the split of given rows, checked."""
        train = None if rows is None else check_rows(rows, len(data.X), "rows")
        held_out = (
            None if validation_rows is None else check_rows(validation_rows, len(data.X), "validation_rows")
        )
        n_train = len(data.X) if train is None else len(train)
        n_validation = 0 if held_out is None else len(held_out)
        if data.validation is not None:
            n_validation = len(data.validation[0])
        return cls(train, held_out, n_train, n_validation, _rows_digest(train, held_out))


def _rows_digest(rows: NDArray[np.int64] | None, validation_rows: NDArray[np.int64] | None) -> str:
    digest = hashlib.sha256()
    for array in (rows, validation_rows):
        digest.update(b"all;" if array is None else f"{len(array)};".encode() + array.tobytes())
    return digest.hexdigest()


class Splits:
    """Draws the split of a repeat from (root seed, repeat, fold) alone, stratified where y holds class labels.

    Parameters
    ----------
    data : Data
    fraction : float or None
        The share of the rows to hold out; None trains on all of them.
    seed : int
        The root seed.
    """

    def __init__(self, data: Data, fraction: float | None, seed: int) -> None:
        self._data, self._fraction, self._seed = data, fraction, seed
        self._labels = lru_cache(maxsize=None)(partial(_labels, data.y))
        self._draw_once = lru_cache(maxsize=None)(self._draw)

    def of(self, network: Network, repeat: int, fold: int) -> RowSplit:
        """Return the split of a repeat for a network: one for all that want it stratified, one for the rest."""
        kind = LOSSES[network.loss].kind
        stratify = self._labels(kind) is not None
        return self._draw_once(kind if stratify else "regression", repeat, fold)

    def _draw(self, kind: str, repeat: int, fold: int) -> RowSplit:
        if self._fraction is None:
            return RowSplit.of(self._data, None, None)
        labels = self._labels(kind)
        y = self._data.y if labels is None else labels
        rows, held_out = split_rows(
            y, self._fraction, derive_seed(self._seed, repeat, fold), labels is not None
        )
        return RowSplit.of(self._data, rows, held_out)


def _labels(y: NDArray[Any], kind: str) -> NDArray[Any] | None:
    """Return the class label of each row if y holds any: not for soft labels, nor for several outputs."""
    if kind == "classes" and y.ndim == 2 and y.shape[1] > 1:
        labels: NDArray[Any] = np.argmax(y, axis=1)
        return labels
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1 or kind == "regression" or (kind == "binary" and len(np.unique(y)) > 2):
        return None
    return y


def check_validation(validation: object) -> tuple[float | None, tuple[ArrayLike, ArrayLike] | None]:
    """Return (fraction, (Xv, yv)), at most one of them not None, or say what `validation` may be."""
    if validation is None:
        return None, None
    if isinstance(validation, Real) and not isinstance(validation, bool):
        fraction: Any = validation  # compared as it is: an integer of hundreds of digits is no float
        if not 0 < fraction < 1:
            raise ValueError(f"validation must be a fraction > 0 and < 1, got {validation!r}")
        return float(validation), None
    if isinstance(validation, tuple | list) and len(validation) == 2:
        return None, (validation[0], validation[1])
    raise TypeError(f"validation must be a fraction such as 0.2, a pair (Xv, yv) or None, got {validation!r}")
