"""The data of a sweep, checked and converted once, and its digest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuralnet_core import check_features, check_weights

__all__ = ["Data", "data_digest"]


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
