"""Scaling of features, fitted to rows that the caller chooses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuralnet_core import check_number, shown

__all__ = ["Scaling", "fit_scaling"]


@dataclass(frozen=True, eq=False)
class Scaling:
    """``(X - shift) / divisor``, column by column."""

    shift: NDArray[np.float64]
    divisor: NDArray[np.float64]

    def __call__(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return X scaled."""
        with np.errstate(over="ignore"):  # what is no longer finite is refused wherever data are checked
            scaled: NDArray[np.float64] = (np.asarray(X, np.float64) - self.shift) / self.divisor
        return scaled


def fit_scaling(scaling: str | float, X: ArrayLike) -> Scaling:
    """Return the scaling of a kind, fitted to the rows of X, features only.

    Parameters
    ----------
    scaling : {"none", "standard", "minmax"} or float
        ``"standard"``: mean 0 and standard deviation 1; ``"minmax"``: 0 to 1; a number: divide by it, which
        looks at no row. A constant column is only shifted.
    X : array of shape (n, features)

    Notes
    -----
    Rows are summed in order, so that every machine gets the same bytes; NumPy's own mean differs between them.

    Examples
    --------
    >>> X = [[1.0, 5.0], [3.0, 5.0]]
    >>> fit_scaling("standard", X)(X).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    >>> fit_scaling(16, X)(X).tolist()
    [[0.0625, 0.3125], [0.1875, 0.3125]]
    """
    with np.errstate(over="ignore", invalid="ignore"):
        fitted = _fitted(scaling, np.asarray(X, np.float64))
    wrong = ~np.isfinite(fitted.shift + fitted.divisor)
    if wrong.any():
        column = int(np.argmax(wrong.reshape(-1)))
        raise ValueError(f"scaling {scaling!r} of column {column} is not finite: its values are too large")
    return fitted


def _fitted(scaling: str | float, X: NDArray[np.float64]) -> Scaling:
    columns = X.shape[1:]
    if isinstance(scaling, int | float) and not isinstance(scaling, bool):
        divisor = check_number("scaling", scaling, above=0)
        return Scaling(np.zeros(columns), np.full(columns, divisor))
    match scaling:
        case "none":
            return Scaling(np.zeros(columns), np.ones(columns))
        case "standard":
            mean = _mean(X)
            return Scaling(mean, _nonzero(np.sqrt(_mean((X - mean) ** 2))))
        case "minmax":
            low = X.min(axis=0)
            return Scaling(low, _nonzero(X.max(axis=0) - low))
    raise ValueError(f"scaling must be none, standard, minmax or a number to divide by, got {shown(scaling)}")


def _mean(X: NDArray[np.float64]) -> NDArray[np.float64]:
    total = np.cumsum(X, axis=0)[-1]  # a running sum has an order; sum() reorders by the width of the CPU
    return np.asarray(total / len(X))


def _nonzero(divisor: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(divisor > 0, divisor, 1.0)
