"""The rows that each repeat trains and validates on; scikit-learn's splitters draw them."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuralnet_core import LOSSES, Network, check_rows, derive_seed, shown

from .data import Data
from .labels import counted

__all__ = ["RowSplit", "Splits", "check_validation", "split_rows"]


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
    """Draws seed and split of a repeat from (root seed, repeat, fold) alone, stratified where y holds class labels.

    Parameters
    ----------
    data : Data
    fraction : float or None
        The share of the rows to hold out; None trains on all of them.
    seed : int
        The root seed.
    """

    def __init__(self, data: Data, fraction: float | None, seed: int) -> None:
        self.data, self.fraction, self._root_seed = data, fraction, seed
        self._labels = lru_cache(maxsize=None)(partial(_labels, data.y))
        self._draw_once = lru_cache(maxsize=None)(self._draw)

    def seed(self, repeat: int, fold: int) -> int:
        """Return the seed of a repeat, for its split and for all that is trained on it."""
        return derive_seed(self._root_seed, repeat, fold)

    def of(self, network: Network, repeat: int, fold: int) -> RowSplit:
        """Return the split of a repeat for a network: one for all that want it stratified, one for the rest."""
        kind = LOSSES[network.loss].kind
        stratify = self._labels(kind) is not None
        return self._draw_once(kind if stratify else "regression", repeat, fold)

    def of_data(self, repeat: int, fold: int) -> RowSplit:
        """Return the split of a repeat for a user's function: stratified if y looks like class labels.

        So it does if its values are no fractions and each of them is there often enough for both parts.
        """
        return self._draw_once("classes" if self._looks_like_classes else "regression", repeat, fold)

    @cached_property
    def _looks_like_classes(self) -> bool:
        labels = self._labels("classes")
        if self.fraction is None or labels is None or labels.dtype.kind == "f":
            return False
        with suppress(ValueError):
            _check_split(labels, self.fraction, stratify=True)
            return True
        return False

    def _draw(self, kind: str, repeat: int, fold: int) -> RowSplit:
        if self.fraction is None:
            return RowSplit.of(self.data, None, None)
        labels = self._labels(kind)
        y = self.data.y if labels is None else labels
        rows, held_out = split_rows(y, self.fraction, self.seed(repeat, fold), labels is not None)
        return RowSplit.of(self.data, rows, held_out)


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


def split_rows(
    y: ArrayLike, fraction: float, seed: int, stratify: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (training rows, validation rows), drawn by a seed, each in ascending order.

    Parameters
    ----------
    y : array of shape (n,) or (n, outputs)
        Targets; with `stratify`, the class label of each row.
    fraction : float
        The share of the rows to validate on, > 0 and < 1; rounded up to whole rows.
    seed : int
        Any integer >= 0.
    stratify : bool
        Whether every class has the same share in both parts, as far as its rows can be divided.

    Raises
    ------
    ValueError
        If a part would be empty, or (stratified) too small to hold every class, or a class has one row only.

    Examples
    --------
    >>> rows, validation_rows = split_rows([0, 0, 0, 0, 1, 1, 1, 1], 0.25, seed=0, stratify=True)
    >>> len(rows), [int(row) // 4 for row in validation_rows]
    (6, [0, 1])
    """
    from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

    labels = np.asarray(y)
    _check_split(labels, fraction, stratify)
    # The legacy generator's draws are frozen for good by NumPy; MT19937 takes seeds of any length.
    random_state = np.random.RandomState(np.random.MT19937(seed))
    splitter = (StratifiedShuffleSplit if stratify else ShuffleSplit)(
        n_splits=1, test_size=float(fraction), random_state=random_state
    )
    rows, validation_rows = next(splitter.split(np.empty((len(labels), 1)), labels if stratify else None))
    return np.sort(rows).astype(np.int64), np.sort(validation_rows).astype(np.int64)


def _check_split(labels: NDArray[Any], fraction: float, stratify: bool) -> None:
    if not 0 < fraction < 1:
        raise ValueError(f"validation must be a fraction > 0 and < 1, got {shown(fraction)}")
    held_out = int(np.ceil(len(labels) * fraction))
    if held_out >= len(labels):
        raise ValueError(f"validation={fraction} of {counted(len(labels), 'row')} leaves no row to train on")
    if not stratify:
        return
    classes, counts = np.unique(labels, return_counts=True)
    if counts.min() < 2:
        rare = classes[np.argmin(counts)]
        raise ValueError(
            f"a stratified split needs at least 2 rows of every class, got 1 of class {rare}; "
            "drop it, or give the validation data yourself"
        )
    smaller = min(held_out, len(labels) - held_out)
    if smaller < len(classes):
        raise ValueError(
            f"validation={fraction} of {len(labels)} rows leaves a part of {smaller} for {len(classes)} classes; "
            "each part needs one row of every class at least"
        )


def check_validation(validation: object) -> tuple[float | None, tuple[ArrayLike, ArrayLike] | None]:
    """Return (fraction, (Xv, yv)), at most one of them not None, or say what `validation` may be."""
    if validation is None:
        return None, None
    if isinstance(validation, Real) and not isinstance(validation, bool):
        fraction: Any = validation  # compared as it is: an integer of hundreds of digits is no float
        if not 0 < fraction < 1:
            raise ValueError(f"validation must be a fraction > 0 and < 1, got {shown(validation)}")
        return float(validation), None
    if isinstance(validation, tuple | list) and len(validation) == 2:
        return None, (validation[0], validation[1])
    raise TypeError(
        f"validation must be a fraction such as 0.2, a pair (Xv, yv) or None, got {shown(validation)}"
    )
