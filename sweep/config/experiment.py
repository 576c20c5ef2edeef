"""From an experiment file to the sweep, its data and what to validate on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from sweep.datasets import Dataset
from sweep.errors import ConfigError
from sweep.labels import counted
from sweep.sweep import Sweep

from .frame import Frame, check_frame, source_of
from .loading import Loaded, load_data
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
    source: dict[str, Any]  # where the data come from, in values of JSON: what `load_source` takes

    def describe(self) -> str:
        """Return the data and the plan in words, two lines."""
        sweep, configurations = self.sweep, self.sweep.space.size
        if isinstance(self.validation, float):
            validation = f"{100 * self.validation:.3g} % of the rows held out, drawn anew for each repeat"
        elif self.validation is None:
            validation = "no validation"
        else:
            validation = f"validated on {counted(len(self.validation[0]), 'row')} of their own"
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
    return _experiment(path, frame, checked, load_data(source_of(frame, path.parent)))


def _parse_override(text: str) -> Override:
    try:
        return Override.parse(text)
    except ValueError as error:
        raise ConfigError([str(error)]) from None


def _experiment(path: Path, frame: Frame, overrides: Sequence[Override], loaded: Loaded) -> Experiment:
    data, validation = loaded.data, loaded.validation
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
    source = source_of(frame, path.parent.resolve()).model_dump(mode="json")
    return Experiment(path.stem, data, loaded.scaling, sweep, validation, frame.objective, source)


def _lines(path: Path, problems: Iterable[Problem], overrides: Sequence[Override]) -> list[str]:
    """Return a line for each problem that begins with the file, or with the command line where that is to blame."""
    given = [dotted(override.path) for override in overrides]
    return [
        f"{'command line' if any(_inside(problem.path, name) for name in given) else path}: {problem}"
        for problem in problems
    ]


def _inside(path: str, outer: str) -> bool:
    return path == outer or path.startswith((f"{outer}.", f"{outer}["))
