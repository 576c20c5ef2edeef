"""Data by name or from a file.

scikit-learn supplies the named sets, pandas reads CSV and Parquet. Both are imported late.
"""

from __future__ import annotations

import inspect
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import DataError, unknown
from .labels import counted, shorten

__all__ = ["DATASETS", "Dataset", "load_dataset", "load_file"]


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
        return f"{self.name}: {len(self.X)} rows, {self.X.shape[1]} features, {values}"

    def _range(self) -> str:
        return f"{float(self.y.min()):g} to {float(self.y.max()):g}"


def is_class_labels(y: NDArray[Any]) -> bool:
    """Return whether targets, a column, look like class labels: strings, bools, or whole numbers of few kinds."""
    if y.ndim != 1 and y.shape[1:] != (1,):
        return False
    if y.dtype.kind in "bU":
        return True
    return bool((y == np.round(y)).all()) and len(np.unique(y)) <= min(100, max(2, len(y) // 5))


# --- Sets by name ---------------------------------------------------------------------------------------------


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
            return Dataset(name, X, y, _numbered(X.shape[1]))
        bunch = function(**arguments)
    except (TypeError, ValueError, MemoryError) as error:
        raise DataError(f"{name}: {' '.join(str(error).split())}") from None
    return Dataset(name, bunch.data, bunch.target, tuple(map(str, bunch.feature_names)))


def _check_size(name: str, function: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """Raise if a generated set would not fit into memory: its arrays have two of its counts as their sides."""
    defaults = {key: value.default for key, value in inspect.signature(function).parameters.items()}
    given = {**defaults, **arguments, "random_state": None}
    counts = {key: value for key, value in given.items() if type(value) is int and value > 0}
    (first, rows), (second, columns) = [*sorted(counts.items(), key=lambda one: -one[1]), *[("", 1)] * 2][:2]
    if rows * columns > MOST_NUMBERS:
        sides = f"{first} = {rows:,}" + (f", {second} = {columns:,}" if second else "")
        raise DataError(f"{name}: a generated set may have {MOST_NUMBERS:,} numbers, got {sides}")


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(f"feature {number}" for number in range(count))


# --- Files ----------------------------------------------------------------------------------------------------


def load_file(path: str | Path, target: str, features: Sequence[str] | None = None) -> Dataset:
    r"""Return the data of a CSV, Parquet or NPZ file.

    Parameters
    ----------
    path : str or Path
        ``.csv`` (one header line), ``.parquet`` or ``.npz``; no file is ever unpickled.
    target : str
        The column to predict. In an NPZ file the name of an array; the samples are then its array ``X``.
    features : sequence of str, optional
        The columns to predict from; all others by default. Not for NPZ files.

    Raises
    ------
    DataError
        If the file cannot be read, a column is missing or not numeric, or a value is missing.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp(), "plants.csv")
    >>> _ = file.write_text("height,width,kind\n1.5,2,reed\n0.5,3,moss\n")
    >>> plants = load_file(file, target="kind")
    >>> plants.X.tolist(), plants.y.tolist(), plants.features
    ([[1.5, 2.0], [0.5, 3.0]], ['reed', 'moss'], ('height', 'width'))
    """
    path = Path(path)
    readers = {".csv": _read_csv, ".parquet": _read_parquet, ".npz": _read_npz}
    if path.suffix.lower() not in readers:
        raise DataError(f"{path}: unknown kind of file {path.suffix!r} (allowed: {', '.join(readers)})")
    if not path.is_file():
        raise DataError(f"{path}: {'is not a file' if path.exists() else 'there is no such file'}")
    try:
        content = readers[path.suffix.lower()](path)
        if isinstance(content, dict):
            return _from_arrays(path, content, target, features)
        return _from_frame(path, content, target, features)
    except DataError:
        raise
    except Exception as error:  # the readers raise errors of many kinds, from libraries of their own
        raise DataError(f"{path}: cannot be read: {' '.join(str(error).split())}") from None


def _read_csv(path: Path) -> Any:
    import pandas as pd

    # pandas 3.1 always reads the nearest float, and warns where it is asked to.
    asked = tuple(int(part) for part in pd.__version__.split(".")[:2]) < (3, 1)
    options: Any = {"skipinitialspace": True, "float_precision": "round_trip" if asked else None}
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            header = pd.read_csv(path, header=None, nrows=1, dtype=str, keep_default_na=False, **options)
            _check_names(path, [name.strip() for name in header.iloc[0] if name.strip()])
            # Else pandas would take a first column that the header does not name for the names of rows.
            return pd.read_csv(path, index_col=False, **options).rename(columns=str.strip)
        except pd.errors.ParserWarning:
            raise DataError(f"{path}: the rows have more values than the header has names") from None
        except UnicodeDecodeError:
            raise DataError(f"{path}: is not a text file in UTF-8") from None


def _check_names(path: Path, names: Sequence[str]) -> None:
    """Raise for a name that stands twice: pandas would rename the second, which may be the target over again."""
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise DataError(f"{path}: the column {twice!r} is there twice; rename or remove one")


def _read_parquet(path: Path) -> Any:
    import pandas as pd

    try:
        return pd.read_parquet(path)
    except ImportError:
        raise DataError(
            f"{path}: reading Parquet needs pyarrow; install it: pip install 'neuralnet-sweep[parquet]'"
        ) from None


def _read_npz(path: Path) -> dict[str, NDArray[Any]]:
    if not zipfile.is_zipfile(path):
        raise DataError(f"{path}: is no NPZ file; write one with numpy.savez(path, X=..., y=...)")
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _from_arrays(
    path: Path, arrays: dict[str, NDArray[Any]], target: str, features: Sequence[str] | None
) -> Dataset:
    if features is not None:
        raise DataError(
            f"{path}: features are for CSV and Parquet; in an NPZ file the samples are the array X"
        )
    for name in ("X", target):
        if name not in arrays:
            raise DataError(f"{path}: has no array {name!r} (it has: {', '.join(arrays)})")
    X, y = arrays["X"], arrays[target]
    if X.ndim < 2:
        raise DataError(f"{path}: X must have shape (samples, features), got {X.shape}")
    if y.ndim == 0 or len(X) != len(y):
        raise DataError(f"{path}: X and {target} must have one length, got shapes {X.shape} and {y.shape}")
    if y.dtype.kind == "S":
        y = np.char.decode(y, "utf-8")
    return Dataset(path.name, X, y, _numbered(X.shape[1]))


def _from_frame(path: Path, frame: Any, target: str, features: Sequence[str] | None) -> Dataset:
    columns = [str(column) for column in frame.columns]
    frame = frame.set_axis(columns, axis=1)
    for column in [target, *(features or ())]:
        if column not in columns:
            raise DataError(f"{path}: {unknown('column', column, columns)}")
    chosen = [column for column in columns if column != target] if features is None else list(features)
    if not chosen or not len(frame):
        raise DataError(f"{path}: needs at least one row and one column besides {target!r}")
    if twice := [column for place, column in enumerate(chosen) if column in chosen[:place]]:
        raise DataError(f"{path}: features have the column {twice[0]!r} twice")
    if target in chosen:
        raise DataError(f"{path}: the target {target!r} cannot be a feature too")
    for column in [*chosen, target]:
        _check_column(path, column, frame[column], numeric=column != target)
    y = frame[target].to_numpy()
    if y.dtype.kind == "O":
        y = y.astype(str)
    return Dataset(path.name, frame[chosen].to_numpy(np.float64), y, tuple(chosen))


def _check_column(path: Path, column: str, values: Any, *, numeric: bool) -> None:
    missing = values.isna()
    if missing.any():
        told = counted(int(missing.sum()), "missing value")
        raise DataError(f"{path}: column {column!r} has {told}, the first in {_row(missing)}")
    if numeric and values.dtype.kind not in "biuf":
        row = _first_text(values)
        raise DataError(
            f"{path}: column {column!r} is not numeric, for example {shorten(repr(values.iloc[row]), 40)} in row "
            f"{row} (counted from 0); encode it, or choose others by features = [...]"
        )
    infinite = np.isinf(values) if values.dtype.kind == "f" else np.zeros(1, bool)
    if infinite.any():
        raise DataError(f"{path}: column {column!r} must be finite, got inf in {_row(infinite)}")


def _row(wrong: Any) -> str:
    return f"row {int(np.flatnonzero(wrong)[0])} (counted from 0)"


def _first_text(values: Any) -> int:
    """Return the first row whose value is no number, not even as text, or is one of too many digits."""
    import pandas as pd

    texts = values.astype(str)
    numbers = pd.to_numeric(texts, errors="coerce")
    return int(np.argmax(numbers.isna() if numbers.isna().any() else texts.str.len()))
