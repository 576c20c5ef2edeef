"""Tables of an experiment file -> networks and optimizers: `$parameter` substituted, the core's constructors called.

No field of a layer, an optimizer or a schedule is listed here: what the core's constructors take is what a
table may hold, so a new layer can be written in an experiment file the day it exists.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import neuralnet_core
from neuralnet_core import EarlyStopping, Layer, Network, Optimizer, Schedule, shown
from sweep.errors import unknown

__all__ = ["Problem", "Recipe", "references"]

# What a key's table is, where it can be one kind only: the classes to list when its type is unknown.
KINDS: dict[str, type] = {"learning_rate": Schedule, "after": Schedule, "early_stopping": EarlyStopping}
MISSING = object()  # stands for a value that could not be made; its problem has been noted


@dataclass(frozen=True)
class Problem:
    """What is wrong at a place of an experiment file."""

    path: str
    message: str

    def __str__(self) -> str:
        """Return path and message as one line."""
        return f"{self.path}: {self.message}" if self.path else self.message


@cache
def classes(kind: type) -> dict[str, type]:
    """Return the core's classes of a kind, by name; of kind `object`, all that may stand inside a table."""
    within = (Layer, Schedule, EarlyStopping) if kind is object else kind
    public = (getattr(neuralnet_core, name) for name in neuralnet_core.__all__)
    return {
        value.__name__: value
        for value in public
        if inspect.isclass(value) and issubclass(value, within) and value not in (Layer, Optimizer, Schedule)
    }


def references(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield (parameter, path) of every ``"$parameter"`` in a table.

    Examples
    --------
    >>> list(references({"layers": [{"units": "$hidden"}]}, "network"))
    [('hidden', 'network.layers[0].units')]
    """
    if isinstance(value, str) and value.startswith("$"):
        yield value[1:], path
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from references(item, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from references(item, f"{path}[{number}]")


@dataclass(frozen=True)
class Recipe:
    """One configuration -> what to train: the ``build`` of a sweep, made of two tables.

    Parameters
    ----------
    network : dict
        ``layers`` (a list of tables) and ``loss``.
    optimizer : dict
        ``type`` and the fields of that optimizer.
    rows : int
        How many rows a network trains on: with them ``updates = "all"`` of a schedule is a number.

    Examples
    --------
    >>> recipe = Recipe({"layers": [{"type": "Dense", "units": "$units"}], "loss": "mse"}, {"type": "Adam"}, rows=64)
    >>> network, optimizer = recipe(units=2)
    >>> network.layers[0].units, optimizer.learning_rate
    (2, 0.001)
    """

    network: Mapping[str, Any]
    optimizer: Mapping[str, Any]
    rows: int

    def __call__(self, **params: Any) -> tuple[Network, Optimizer]:
        """Return the network and the optimizer of one configuration."""
        maker = Maker(params, self.rows)
        network, optimizer = maker.network(self.network), maker.optimizer(self.optimizer)
        if maker.problems:
            raise ValueError("; ".join(map(str, maker.problems)))
        return network, optimizer

    def problems(self, **params: Any) -> list[Problem]:
        """Return all that is wrong with one configuration."""
        maker = Maker(params, self.rows)
        maker.network(self.network)
        maker.optimizer(self.optimizer)
        return maker.problems


@dataclass
class Maker:
    """Makes values of tables for one configuration and notes every problem on the way."""

    params: Mapping[str, Any]
    rows: int
    problems: list[Problem] = field(default_factory=list)

    def network(self, table: Mapping[str, Any]) -> Any:
        """Return the network, or MISSING."""
        layers = self.substitute(table["layers"])
        if not isinstance(layers, list | tuple):
            return self._note("network.layers", f"must be a list of tables, got {shown(layers)}")
        made = self.make(list(layers), "network.layers", Layer)
        loss = self.substitute(table["loss"])
        return self._call(Network, {"layers": made, "loss": loss}, "network")

    def optimizer(self, table: Mapping[str, Any]) -> Any:
        """Return the optimizer, or MISSING."""
        table = self.substitute(table)
        updates = self._updates(table)
        return self.make(_with_updates(table, updates), "optimizer", Optimizer)

    def substitute(self, value: Any) -> Any:
        """Return a value with every ``"$parameter"`` replaced by the parameter's value."""
        if isinstance(value, str) and value.startswith("$"):
            return self.params.get(value[1:], value)
        if isinstance(value, Mapping):
            return {key: self.substitute(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.substitute(item) for item in value]
        return value

    def make(self, value: Any, path: str, kind: type = object) -> Any:
        """Return what a value stands for: of a table, the object of its ``type``; of "none", None."""
        if isinstance(value, list):
            made = [self.make(item, f"{path}[{number}]", kind) for number, item in enumerate(value)]
            return MISSING if any(item is MISSING for item in made) else made
        if isinstance(value, str) and (value == "none" or (value == "full" and path.endswith(".batch_size"))):
            return None
        if not isinstance(value, Mapping):
            if kind in (Layer, Optimizer):
                return self._note(path, f"must be a table such as {{type = ...}}, got {shown(value)}")
            return value
        known = classes(kind)
        name = value.get("type", next(iter(known)) if len(known) == 1 else None)
        if name is None:
            return self._note(f"{path}.type", f"is required (allowed: {', '.join(known)})")
        if not isinstance(name, str) or name not in known:
            return self._note(f"{path}.type", unknown("type", str(name), known))
        fields = {
            key: self.make(item, f"{path}.{key}", KINDS.get(key, object))
            for key, item in value.items()
            if key != "type"
        }
        return self._call(known[name], fields, path)

    def _call(self, made: type, fields: Mapping[str, Any], path: str) -> Any:
        """Return the object, or note what its constructor has against the fields."""
        takes = {n: p for n, p in inspect.signature(made).parameters.items() if not n.startswith("_")}
        unknown_keys = [key for key in fields if key not in takes]
        for key in unknown_keys:
            self._note(f"{path}.{key}", unknown("key", key, ["type", *takes]))
        missing = [n for n, p in takes.items() if p.default is inspect.Parameter.empty and n not in fields]
        for key in missing:
            self._note(f"{path}.{key}", f"is required by {made.__name__}")
        if unknown_keys or missing or any(value is MISSING for value in fields.values()):
            return MISSING
        try:
            return made(**fields)
        except (TypeError, ValueError) as error:
            return self._note(path, str(error))

    def _note(self, path: str, message: str) -> Any:
        self.problems.append(Problem(path, message))
        return MISSING

    def _updates(self, table: Mapping[str, Any]) -> int:
        """Return how many updates a training has, 1 where the table does not say so properly."""
        known = classes(Optimizer).get(str(table.get("type")), Optimizer)
        defaults = {name: p.default for name, p in inspect.signature(known).parameters.items()}
        epochs, batch = (table.get(name, defaults[name]) for name in ("epochs", "batch_size"))
        size = batch if _is_count(batch) else self.rows
        return int(epochs) * -(-self.rows // int(size)) if _is_count(epochs) else 1


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _with_updates(value: Any, updates: int) -> Any:
    """Return a table with ``updates = "all"`` as a number."""
    if not isinstance(value, Mapping):
        return value
    return {
        key: updates if key == "updates" and item == "all" else _with_updates(item, updates)
        for key, item in value.items()
    }
