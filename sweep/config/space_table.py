"""The space of an experiment file, and whether it and the rest of the file fit together."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from neuralnet_core import LOSSES, encode_targets, shown
from sweep.data import Data
from sweep.datasets import Dataset
from sweep.distributions import DISTRIBUTIONS, Distribution, choice
from sweep.errors import DataError, unknown
from sweep.space import Space

from .frame import Frame
from .recipe import Problem, Recipe, references

__all__ = ["check_fit", "check_recipe", "missing_parameters", "read_space", "unused_parameters"]


def read_space(frame: Frame) -> tuple[list[Problem], list[dict[str, Any]]]:
    """Return the problems of the space, and its parts with distributions made."""
    problems: list[Problem] = []
    made: list[dict[str, Any]] = []
    for path, part in _parts(frame):
        if not isinstance(part, dict) or not part:
            told = f"must be a table of lists with at least one parameter, got {shown(part)}"
            problems.append(Problem(path, told))
            continue
        made.append({})
        for name, values in part.items():
            try:
                made[-1][name] = _values(values)
                Space.of({name: made[-1][name]}, samples=1)
            except (TypeError, ValueError) as error:
                problems.append(Problem(f"{path}.{name}", str(error).removeprefix(f"space['{name}'] ")))
    if frame.space == []:
        problems.append(Problem("space", "has no tables; give at least one"))
    if not problems and frame.samples is None and any(map(_is_random, made)):
        problems.append(Problem("samples", "is required by a space with distributions: how many to draw"))
    return problems, made


def _parts(frame: Frame) -> list[tuple[str, Any]]:
    """Return (path, part) of each part of the space."""
    if isinstance(frame.space, list):
        return [(f"space[{number}]", part) for number, part in enumerate(frame.space)]
    return [("space", frame.space)]


def _is_random(part: Mapping[str, Any]) -> bool:
    return any(isinstance(values, Distribution) for values in part.values())


def _values(values: Any) -> Any:
    """Return a list of values as it is, a table as the distribution it describes."""
    if not isinstance(values, dict):
        return values
    fields = dict(values)
    if "distribution" not in fields:
        raise ValueError(
            f"needs a distribution (one of {', '.join(DISTRIBUTIONS)}), or a list in place of the table"
        )
    name = fields.pop("distribution")
    if not isinstance(name, str) or name not in DISTRIBUTIONS:
        raise ValueError(unknown("distribution", str(name), DISTRIBUTIONS))
    wanted = list(inspect.signature(DISTRIBUTIONS[name]).parameters)
    if sorted(fields) != sorted(wanted):
        raise ValueError(f"{name} takes {' and '.join(wanted)}, got {', '.join(fields) or 'nothing'}")
    return DISTRIBUTIONS[name](**fields)


def _references(frame: Frame) -> list[tuple[str, str]]:
    return [*references(frame.network.model_dump(), "network"), *references(frame.optimizer, "optimizer")]


def missing_parameters(frame: Frame) -> list[Problem]:
    """Return a problem for each `$parameter` that the space does not give."""
    problems: dict[str, Problem] = {}
    for where, part in _parts(frame):
        inside = "" if where == "space" else f" in {where}"
        for name, path in _references(frame):
            if isinstance(part, dict) and part and name not in part:
                told = unknown("parameter", f"${name}", [f"${known}" for known in part]) + inside
                problems.setdefault(path, Problem(path, told))
    return list(problems.values())


def unused_parameters(frame: Frame) -> list[Problem]:
    """Return a problem for each parameter of the space that nothing refers to."""
    used = {name for name, _ in _references(frame)}
    return [
        Problem(f"{where}.{name}", f'is used nowhere; write "${name}" where its values belong')
        for where, part in _parts(frame)
        for name in (part if isinstance(part, dict) else ())
        if name not in used
    ]


def check_recipe(recipe: Recipe, parts: Sequence[Mapping[str, Any]]) -> list[Problem]:
    """Return what the constructors have against the file, then against values of the space."""
    form: dict[str, Problem] = {}
    of_values: dict[str, Problem] = {}
    for part in parts:
        first = _first(part)
        for problem in recipe.problems(**first):
            guilty = _guilty(recipe, part, problem)
            told = problem if guilty is None else _of_value(guilty, first[guilty], problem)
            (form if guilty is None else of_values).setdefault(str(told), told)
        if form or of_values:
            continue
        for name, values in part.items():
            for value in _samples(values)[1:]:
                for problem in recipe.problems(**{**first, name: value}):
                    told = _of_value(name, value, problem)
                    of_values.setdefault(str(told), told)
    return [*form.values(), *of_values.values()]


def _guilty(recipe: Recipe, part: Mapping[str, Any], problem: Problem) -> str | None:
    """Return the parameter whose first value makes a problem that its second does not make; None: the file makes it."""
    first = _first(part)
    for name, values in part.items():
        if any(problem not in recipe.problems(**{**first, name: value}) for value in _samples(values)[1:2]):
            return name
    return None


def _of_value(name: str, value: Any, problem: Problem) -> Problem:
    return Problem(f"space.{name}", f"{shown(value)}: {problem}")


def check_fit(
    recipe: Recipe, parts: Sequence[Mapping[str, Any]], data: Dataset, validation: Any, dtype: str
) -> list[Problem]:
    """Return what is wrong between the data and the first network of every part.

    Raises
    ------
    DataError
        If the data alone cannot be trained on.
    """
    held_out = validation if isinstance(validation, tuple) else None
    try:
        checked = Data.of(data.X, data.y, held_out, None, dtype)
    except (TypeError, ValueError) as error:
        raise DataError(f"{data.name}: {error}") from None
    problems: dict[str, Problem] = {}
    for part in parts:
        network, _ = recipe(**_first(part))
        loss, place = LOSSES[network.loss], "network"
        try:
            outputs = network.build(checked.input_shape).output_shape[-1]
            classes = encode_targets(checked.y, loss, outputs, dtype, exact=True).classes
            if checked.validation is not None:
                place = "validation"
                encode_targets(checked.validation[1], loss, outputs, dtype, classes=classes or ())
        except (TypeError, ValueError) as error:
            problems.setdefault(str(error), Problem(place, str(error)))
    return list(problems.values())


def _first(part: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _samples(values)[0] for name, values in part.items()}


def _samples(values: Any) -> list[Any]:
    """Return every value of a list; of a distribution the lowest and the highest."""
    if isinstance(values, choice):
        return list(values.values)
    if isinstance(values, Distribution):
        return [values.draw(0), values.draw(2**64 - 1)]
    return list(values)
