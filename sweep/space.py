"""What to try: grids, unions of grids and draws. A space is a value; its configurations are never all made."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from neuralnet_core import check_integer, shown

from .distributions import Distribution, check_values, choice
from .values import is_unicode

__all__ = ["Space"]


@dataclass(frozen=True)
class Grid:
    """Every combination of the values of some parameters; the last one varies fastest."""

    names: tuple[str, ...]
    values: tuple[Sequence[Any], ...]

    @property
    def size(self) -> int:
        """The number of combinations."""
        return math.prod(map(len, self.values))

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return a combination by mixed radix: the digits of `index` choose the values."""
        digits: list[Any] = []
        for values in reversed(self.values):
            index, digit = divmod(index, len(values))
            digits.append(values[digit])
        return dict(zip(self.names, reversed(digits), strict=True))


@dataclass(frozen=True)
class Draws:
    """`samples` independent draws of some parameters; draw i is the same however many there are."""

    names: tuple[str, ...]
    distributions: tuple[Distribution, ...]
    samples: int
    seed: int
    part: int

    @property
    def size(self) -> int:
        """The number of draws."""
        return self.samples

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return a draw: raw words keyed by the seed and counted by (part, index), one a parameter."""
        counter = np.array([0, index, self.part, 0], np.uint64)
        words = np.random.Philox(key=self.seed, counter=counter).random_raw(len(self.names))
        drawn = (one.draw(int(word)) for one, word in zip(self.distributions, words, strict=True))
        return dict(zip(self.names, drawn, strict=True))


@dataclass(frozen=True)
class Space(Sequence[dict[str, Any]]):
    """The configurations of a sweep, numbered: grids and draws one after another. Made by `Space.of`.

    Examples
    --------
    >>> from sweep import loguniform
    >>> space = Space.of({"hidden": [8, 16], "activation": ["relu", "tanh"]})
    >>> len(space), space[1]
    (4, {'hidden': 8, 'activation': 'tanh'})
    >>> Space.of({"digit" + str(i): range(10) for i in range(30)}).size == 10**30
    True
    >>> Space.of({"rate": loguniform(1e-4, 1e-1), "hidden": [8, 16]}, samples=100, seed=0).size
    100
    """

    parts: tuple[Grid | Draws, ...]

    @classmethod
    def of(cls, spec: object, samples: int | None = None, seed: int = 0) -> Space:
        """Return the space of a dict or of a list of dicts (their union).

        Parameters
        ----------
        spec : dict, list of dict or Space
            A dict of lists is a grid. A dict with a distribution in it is drawn from `samples` times,
            its lists being choices; so is every dict if there is no distribution at all.
        samples : int, optional
            Draws from each dict that is drawn from.
        seed : int
            Root seed of the draws.

        Raises
        ------
        TypeError, ValueError
            If a name is not a string, a list is empty or holds a value twice, or `samples` is missing.
        """
        if isinstance(spec, Space):
            return spec
        specs = [spec] if isinstance(spec, Mapping) else spec
        if isinstance(specs, str) or not isinstance(specs, Sequence):
            raise TypeError(f"space must be a dict of lists or a list of such dicts, got {shown(spec)}")
        if not specs:
            raise ValueError("space is empty; give at least one dict such as {'hidden': [8, 16]}")
        if samples is not None:
            samples = check_integer("samples", samples, at_least=1)
        checked = [_check_part(part) for part in specs]
        random = [any(isinstance(values, Distribution) for values in part.values()) for part in checked]
        if samples is None and any(random):
            raise ValueError(
                "a space with a distribution needs samples=, the number of configurations to draw"
            )
        everything = not any(random) and samples is not None
        return cls(
            tuple(
                _draws(part, samples or 0, seed, number) if drawn or everything else _grid(part)
                for number, (part, drawn) in enumerate(zip(checked, random, strict=True))
            )
        )

    @cached_property
    def size(self) -> int:
        """The number of configurations, an int of any length."""
        return sum(part.size for part in self.parts)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of all parameters, in order of appearance."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.names))

    def __len__(self) -> int:
        """Return `size`; Python allows no length beyond sys.maxsize, so use `size` for huge spaces."""
        if self.size > sys.maxsize:
            raise OverflowError("this space is too long for len(); use space.size")
        return self.size

    def __getitem__(self, index: Any) -> Any:
        """Return configuration `index` as a dict; a slice gives a list of them."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self.size))]
        place = index + self.size if index < 0 else index
        if not 0 <= place < self.size:
            raise IndexError(f"configuration {index} of a space of {self.size}")
        for part in self.parts:
            if place < part.size:
                break
            place -= part.size
        return part[place]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield the configurations in order, one at a time."""
        for part in self.parts:
            index = 0
            while index < part.size:
                yield part[index]
                index += 1


def _check_part(part: object) -> dict[str, Distribution | Sequence[Any]]:
    if not isinstance(part, Mapping):
        raise TypeError(f"space must be a dict of lists or a list of such dicts, got the item {shown(part)}")
    if not part:
        raise ValueError("space is empty; give at least one parameter such as {'hidden': [8, 16]}")
    for name in part:
        if not isinstance(name, str):
            raise TypeError(f"parameter names must be strings, got {shown(name)}")
        if not is_unicode(name):
            raise ValueError(f"parameter names must be texts without lone surrogates, got {shown(name)}")
    return {
        name: values if isinstance(values, Distribution) else check_values(f"space[{name!r}]", values)
        for name, values in part.items()
    }


def _grid(part: Mapping[str, Any]) -> Grid:
    return Grid(tuple(part), tuple(part.values()))


def _draws(part: Mapping[str, Any], samples: int, seed: int, number: int) -> Draws:
    distributions = (
        values if isinstance(values, Distribution) else choice(values) for values in part.values()
    )
    return Draws(tuple(part), tuple(distributions), samples, seed, number)
