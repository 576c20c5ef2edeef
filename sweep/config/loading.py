"""The data that an experiment names, scaled: for the experiment, and again for a store that was written for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from neuralnet_core import check_features
from sweep.data_files import load_file
from sweep.datasets import Dataset, load_dataset
from sweep.errors import DataError
from sweep.scaling import fit_scaling

from .frame import DataTable, Source, check_source

__all__ = ["Loaded", "load_data", "load_source"]


@dataclass(frozen=True, eq=False)
class Loaded:
    """Data and what to validate on (a fraction, or data too), both scaled; and how they were, in words."""

    data: Dataset
    validation: float | tuple[NDArray[Any], NDArray[Any]] | None
    scaling: str


def load_source(source: Mapping[str, Any], folder: Path | None = None) -> Loaded:
    """Return the data that an experiment's `source` names; `folder` is where its files are now, if these have moved.

    Raises
    ------
    DataError
        If the source is none, or its data cannot be read.
    """
    checked, problems = check_source(source)
    if checked is None:
        raise DataError([f"the source of the data: {problem}" for problem in problems])
    return load_data(checked if folder is None else checked.model_copy(update={"folder": str(folder)}))


def load_data(source: Source) -> Loaded:
    """Return the data and what to validate on."""
    table, folder = source.data, Path(source.folder)
    if table.name is not None:
        data = load_dataset(table.name, **table.arguments)
    else:
        data = load_file(folder / str(table.file), str(table.target), table.features)
    numbers = _numbers(data)
    try:
        scaling = fit_scaling(table.scaling, numbers)
    except ValueError as error:
        raise DataError(f"{data.name}: {error}") from None
    held_out = None
    if source.validation is not None and source.validation.file is not None:
        if table.file is None:
            raise DataError(f"validation.file needs data.file, got data.name = {table.name!r}")
        file, named = source.validation.file, table.file.lower().endswith((".csv", ".parquet"))
        if named and file.lower().endswith(".npz"):
            raise DataError(
                f"validation.file must have named columns, as data.file has them: a CSV or Parquet file, got {file}"
            )
        other = load_file(folder / file, str(table.target), data.features if named else None)
        held_out = (scaling(_numbers(other)), _divided(other.y, table.target_divisor))
    scaled = replace(data, X=scaling(data.X), y=_divided(data.y, table.target_divisor))
    fraction = None if source.validation is None else source.validation.fraction
    return Loaded(scaled, fraction if held_out is None else held_out, _describe(table, fraction))


def _numbers(data: Dataset) -> NDArray[Any]:
    """Return the samples, which can be scaled."""
    try:
        return check_features(data.X, "float64")
    except (TypeError, ValueError) as error:
        raise DataError(f"{data.name}: {error}") from None


def _divided(y: Any, divisor: float) -> Any:
    if divisor == 1.0:
        return y
    if y.dtype.kind not in "iuf":
        raise DataError(f"target_divisor is for numbers, the targets are of type {y.dtype}")
    return y / divisor


def _describe(table: DataTable, fraction: float | None) -> str:
    divided = f", targets divided by {table.target_divisor:g}" if table.target_divisor != 1.0 else ""
    return _describe_scaling(table.scaling, fraction) + divided


def _describe_scaling(scaling: str | float, fraction: float | None) -> str:
    if scaling == "none":
        return "not scaled"
    if isinstance(scaling, int | float):
        return f"divided by {scaling:g}"
    rows = "the training rows" if fraction is None else "all rows, those held out included"
    kind = "mean 0 and standard deviation 1" if scaling == "standard" else "0 to 1"
    return f"scaled to {kind}, by {rows}"
