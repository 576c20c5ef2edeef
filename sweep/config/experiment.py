"""From an experiment file to the sweep, its data and what to validate on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from neuralnet_core import check_features
from sweep.datasets import Dataset, load_dataset, load_file
from sweep.errors import ConfigError, DataError
from sweep.labels import counted
from sweep.scaling import fit_scaling
from sweep.sweep import Sweep

from .frame import DataTable, Frame, check_frame
from .overrides import Override, apply_overrides, dotted
from .reading import check_depth, read_table
from .recipe import Problem, Recipe
from .space_table import check_fit, check_recipe, missing_parameters, read_space, unused_parameters

__all__ = ["ConfigError", "Experiment", "load_experiment"]


@dataclass(frozen=True, eq=False)
class Experiment:
    """An experiment file ready to run: the sweep, its data (scaled) and what to validate on."""

    name: str
    data: Dataset
    scaling: str
    sweep: Sweep
    validation: float | tuple[NDArray[Any], NDArray[Any]] | None
    objective: str | None

    def describe(self) -> str:
        """Return the data and the plan in words, two lines."""
        sweep, configurations = self.sweep, self.sweep.space.size
        if isinstance(self.validation, float):
            validation = f"{100 * self.validation:.3g} % of the rows held out, drawn anew for each repeat"
        elif self.validation is None:
            validation = "no validation"
        else:
            validation = f"validated on {len(self.validation[0])} rows of their own"
        return (
            f"{self.data}; {self.scaling}; {validation}\n"
            f"{counted(configurations, 'configuration')} x {counted(sweep.repeats, 'repeat')} ="
            f" {counted(configurations * sweep.repeats, 'trial')} in {sweep.dtype}"
        )


def load_experiment(path: str | Path, overrides: Sequence[str] = ()) -> Experiment:
    """Return the experiment that a TOML file describes.

    Parameters
    ----------
    path : str or Path
        The file; paths of data in it are relative to its folder.
    overrides : sequence of str
        Values to replace, such as ``"optimizer.epochs=5"``.

    Raises
    ------
    ConfigError
        If the file is not as it should be, with a line for each mistake.
    DataError
        If the data cannot be read.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp(), "moons.toml")
    >>> _ = file.write_text('''
    ... data = {name = "moons", n_samples = 200, noise = 0.2}
    ... validation = 0.2
    ... optimizer = {type = "Adam", epochs = 10}
    ... space = {hidden = [4, 8]}
    ...
    ... [network]
    ... layers = [{type = "Dense", units = "$hidden"}, {type = "Dense", units = 1}]
    ... loss = "binary_cross_entropy"
    ... ''')
    >>> experiment = load_experiment(file, ["optimizer.epochs=5"])
    >>> experiment.sweep.space.size, experiment.sweep.build(hidden=8)[1].epochs
    (2, 5)
    """
    path = Path(path)
    checked = [_parse_override(text) for text in overrides]
    table = read_table(path)
    try:
        table = apply_overrides(table, checked)
    except ValueError as error:
        raise ConfigError([str(error)]) from None
    check_depth(table, "command line")
    frame, problems = check_frame(table)
    if frame is None:
        raise ConfigError(_lines(path, problems, checked))
    data, validation, scaling = _load_data(frame, path.parent)
    return _experiment(path, frame, checked, data, validation, scaling)


def _parse_override(text: str) -> Override:
    try:
        return Override.parse(text)
    except ValueError as error:
        raise ConfigError([str(error)]) from None


def _experiment(
    path: Path,
    frame: Frame,
    overrides: Sequence[Override],
    data: Dataset,
    validation: float | tuple[NDArray[Any], NDArray[Any]] | None,
    scaling: str,
) -> Experiment:
    held_out = -int(-len(data.X) * validation // 1) if isinstance(validation, float) else 0
    recipe = Recipe(frame.network.model_dump(), frame.optimizer, len(data.X) - held_out)
    problems, space = read_space(frame)
    problems += missing_parameters(frame)
    # With a value missing, what the constructors say would only be confusing.
    problems = (problems or check_recipe(recipe, space)) + unused_parameters(frame)
    if problems := problems or check_fit(recipe, space, data, validation, frame.dtype):
        raise ConfigError(_lines(path, problems, overrides))
    try:
        sweep = Sweep(recipe, space, frame.repeats, frame.seed, frame.dtype, frame.samples)
    except (TypeError, ValueError) as error:
        raise ConfigError(_lines(path, [Problem("space", str(error))], overrides)) from None
    return Experiment(path.stem, data, scaling, sweep, validation, frame.objective)


def _load_data(
    frame: Frame, folder: Path
) -> tuple[Dataset, float | tuple[NDArray[Any], NDArray[Any]] | None, str]:
    """Return the data and what to validate on, both scaled, and how."""
    table = frame.data
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
    if frame.validation is not None and frame.validation.file is not None:
        if table.file is None:
            raise DataError(f"validation.file needs data.file, got data.name = {table.name!r}")
        columns = data.features if table.file.lower().endswith((".csv", ".parquet")) else None
        other = load_file(folder / frame.validation.file, str(table.target), columns)
        held_out = (scaling(_numbers(other)), _divided(other.y, table.target_divisor))
    scaled = replace(data, X=scaling(data.X), y=_divided(data.y, table.target_divisor))
    fraction = None if frame.validation is None else frame.validation.fraction
    return scaled, fraction if held_out is None else held_out, _describe(table, fraction)


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


def _lines(path: Path, problems: Iterable[Problem], overrides: Sequence[Override]) -> list[str]:
    """Return a line for each problem that begins with the file, or with the command line where that is to blame."""
    given = [dotted(override.path) for override in overrides]
    return [
        f"{'command line' if any(_inside(problem.path, name) for name in given) else path}: {problem}"
        for problem in problems
    ]


def _inside(path: str, outer: str) -> bool:
    return path == outer or path.startswith((f"{outer}.", f"{outer}["))
