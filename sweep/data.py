"""The data of a sweep, checked and converted once, and its digest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuralnet_core import check_features, check_same_length, check_targets, check_weights

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

    @property
    def has_zero_weights(self) -> bool:
        """Whether a minibatch may weigh nothing, so that networks of other orders would skip other minibatches."""
        return self.sample_weight is not None and not self.sample_weight.all()

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
    features, targets = check_features(X, dtype, name=x_name), check_targets(y, name=y_name)
    check_same_length(**{x_name: features, y_name: targets})
    return features, targets


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
