"""Data by name: scikit-learn's bundled sets and those that it generates. It is imported late."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import DataError, unknown
from .labels import grouped, shorten

__all__ = ["DATASETS", "Dataset", "load_dataset", "numbered"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples `X` (n, features), targets `y` (n,) or (n, outputs), and what the columns of X are called."""

    name: str
    X: NDArray[Any]
    y: NDArray[Any]
    features: tuple[str, ...]

    def __str__(self) -> str:
        """Return the data in a few words."""
        values = (
            f"{len(np.unique(self.y))} classes" if is_class_labels(self.y) else f"targets {self._range()}"
        )
        rows, features = self.X.shape[:2]
        return (
            f"{self.name}: {rows} row{'s' * (rows != 1)}, {features} feature{'s' * (features != 1)}, {values}"
        )

    def _range(self) -> str:
        return f"{float(self.y.min()):g} to {float(self.y.max()):g}"


def is_class_labels(y: NDArray[Any]) -> bool:
    """Return whether targets, a column, look like class labels: strings, bools, or whole numbers of few kinds."""
    if y.ndim != 1 and y.shape[1:] != (1,):
        return False
    if y.dtype.kind in "bU":
        return True
    return bool((y == np.round(y)).all()) and len(np.unique(y)) <= min(100, max(2, len(y) // 5))


@dataclass(frozen=True)
class NamedSet:
    """A function of `sklearn.datasets` and those of its arguments that a user may give."""

    function: str
    arguments: tuple[str, ...] = ()


DATASETS: dict[str, NamedSet] = {
    "digits": NamedSet("load_digits", ("n_class",)),
    "iris": NamedSet("load_iris"),
    "wine": NamedSet("load_wine"),
    "breast_cancer": NamedSet("load_breast_cancer"),
    "diabetes": NamedSet("load_diabetes", ("scaled",)),
    "moons": NamedSet("make_moons", ("n_samples", "noise", "random_state")),
    "circles": NamedSet("make_circles", ("n_samples", "noise", "factor", "random_state")),
    "blobs": NamedSet("make_blobs", ("n_samples", "n_features", "centers", "cluster_std", "random_state")),
    "classification": NamedSet(
        "make_classification",
        ("n_samples", "n_features", "n_informative", "n_redundant", "n_classes", "n_clusters_per_class",
         "class_sep", "flip_y", "random_state"),
    ),
    "regression": NamedSet(
        "make_regression",
        ("n_samples", "n_features", "n_informative", "n_targets", "noise", "random_state"),
    ),
}  # fmt: skip


LONGEST_ERROR = 300  # characters of what scikit-learn says, which may show a whole value
MOST_NUMBERS = 10**8  # that a generated set may hold: 800 MB


def load_dataset(name: str, **arguments: Any) -> Dataset:
    """Return one of scikit-learn's bundled sets, or a generated one, as it is (unscaled).

    Parameters
    ----------
    name : str
        A name of `DATASETS`.
    **arguments
        Those that scikit-learn's function takes, such as ``n_samples``; ``random_state`` is 0 unless given.

    Raises
    ------
    DataError
        If the name or an argument is unknown, scikit-learn refuses an argument's value, or the set would be huge.

    Examples
    --------
    >>> print(load_dataset("digits"))
    digits: 1797 rows, 64 features, 10 classes
    >>> load_dataset("moons", n_samples=10, noise=0.2).X.shape
    (10, 2)
    """
    if name not in DATASETS:
        raise DataError(unknown("data set", name, DATASETS))
    named = DATASETS[name]
    for argument in arguments:
        if argument not in named.arguments:
            raise DataError(f"{name}: {unknown('argument', argument, named.arguments)}")
    if "random_state" in named.arguments:
        arguments = {"random_state": 0} | arguments

    import sklearn.datasets

    function: Callable[..., Any] = getattr(sklearn.datasets, named.function)
    _check_size(name, function, arguments)
    try:
        if named.function.startswith("make_"):
            X, y = function(**arguments)
            return Dataset(name, X, y, numbered(X.shape[1]))
        bunch = function(**arguments)
    except (TypeError, ValueError, ArithmeticError, MemoryError) as error:
        raise DataError(f"{name}: {shorten(' '.join(str(error).split()), LONGEST_ERROR)}") from None
    return Dataset(name, bunch.data, bunch.target, tuple(map(str, bunch.feature_names)))


def _check_size(name: str, function: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """Raise if a generated set would not fit into memory: its arrays have two of its counts as their sides."""
    defaults = {key: value.default for key, value in inspect.signature(function).parameters.items()}
    given = {**defaults, **arguments}
    counts = {
        key: value
        for key, value in given.items()
        if (key.startswith("n_") or key == "centers") and type(value) is int and value > 0
    }
    (first, rows), (second, columns) = [*sorted(counts.items(), key=lambda one: -one[1]), *[("", 1)] * 2][:2]
    if rows * columns > MOST_NUMBERS:
        sides = f"{first} = {grouped(rows)}" + (f", {second} = {grouped(columns)}" if second else "")
        raise DataError(f"{name}: a generated set may have {MOST_NUMBERS:,} numbers, got {sides}")


def numbered(count: int) -> tuple[str, ...]:
    """Return what columns without names are called."""
    return tuple(f"feature {number}" for number in range(count))
