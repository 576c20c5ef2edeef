"""Data from CSV, Parquet and NPZ files; whatever is wrong with them is one line. pandas is imported late."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .datasets import Dataset, numbered
from .errors import DataError, unknown
from .labels import counted, shorten

__all__ = ["load_file"]


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
    return Dataset(path.name, X, y, numbered(X.shape[1]))


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
