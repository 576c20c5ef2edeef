"""`name=value` on the command line: one value of an experiment file replaced."""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from neuralnet_core import shown

__all__ = ["Override", "apply_overrides"]

NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+|\[\d+\])*")
BARE_WORD = re.compile(r"""[^\s\[\]{}"'=,]+""")


@dataclass(frozen=True)
class Override:
    """A place in an experiment file and the value it gets.

    Examples
    --------
    >>> Override.parse("space.hidden=[8, 16]")
    Override(path=('space', 'hidden'), value=[8, 16])
    >>> Override.parse("network.layers[0].activation=tanh")
    Override(path=('network', 'layers', 0, 'activation'), value='tanh')
    """

    path: tuple[str | int, ...]
    value: Any

    @classmethod
    def parse(cls, text: str) -> Override:
        """Return the override that a text such as ``optimizer.epochs=5`` stands for.

        The value is TOML; a bare word is a string.

        Raises
        ------
        ValueError
            If the text is not of this form.
        """
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not NAME.fullmatch(name):
            raise ValueError(
                f"{shown(text)} must be name=value, for example optimizer.epochs=5 or space.hidden=[8,16]"
            )
        parts = re.findall(r"[A-Za-z0-9_-]+|\[\d+\]", name)
        path = tuple(int(part[1:-1]) if part[0] == "[" else part for part in parts)
        return cls(path, _value(name, value.strip()))


def _value(name: str, text: str) -> Any:
    try:
        parsed = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):  # beside TOML's own: a number too long, a nest too deep
        parsed = {}
    if list(parsed) == ["value"]:
        return parsed["value"]
    if BARE_WORD.fullmatch(text):
        return text
    raise ValueError(
        f'{name}: {shown(text)} is not a TOML value; inside lists and tables write strings in quotes: ["relu"]'
    )


def apply_overrides(table: Mapping[str, Any], overrides: Iterable[Override]) -> dict[str, Any]:
    """Return a copy of a table with values replaced, or added where there were none.

    Raises
    ------
    ValueError
        If a place lies inside something that is not a table, or beyond the end of a list.

    Examples
    --------
    >>> apply_overrides({"optimizer": {"epochs": 20}}, [Override.parse("optimizer.epochs=5")])
    {'optimizer': {'epochs': 5}}
    """
    result = copy.deepcopy(dict(table))
    for override in overrides:
        place: Any = result
        for depth, part in enumerate(override.path[:-1]):
            _check(place, override.path, depth)
            place = place.setdefault(part, {}) if isinstance(place, dict) else place[part]
        _check(place, override.path, len(override.path) - 1)
        place[override.path[-1]] = override.value
    return result


def _check(place: Any, path: tuple[str | int, ...], depth: int) -> None:
    """Raise ValueError unless `place` can hold the part of the path at `depth`."""
    part, name = path[depth], dotted(path[:depth])
    if isinstance(part, str) and not isinstance(place, dict):
        raise ValueError(f"{dotted(path)}: {name} is not a table, it has no {part!r}")
    if isinstance(part, int) and not isinstance(place, list):
        raise ValueError(f"{dotted(path)}: {name} is not a list, it has no [{part}]")
    if isinstance(part, int) and part >= len(place):
        raise ValueError(f"{dotted(path)}: {name} has {len(place)} items, numbered from 0")


def dotted(path: tuple[str | int, ...]) -> str:
    """Return a path as it is written.

    Examples
    --------
    >>> dotted(("network", "layers", 0, "units"))
    'network.layers[0].units'
    """
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")
