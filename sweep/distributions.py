"""Distributions of a parameter: each turns a raw 64-bit word into a value, the same one on every machine."""

from __future__ import annotations

import decimal
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from neuralnet_core import check_integer, check_number, shown

from .values import check_depth, too_deep

__all__ = ["DISTRIBUTIONS", "Distribution", "choice", "loguniform", "randint", "uniform"]

# Decimal's exp and ln are correctly rounded on every machine; the C library's differ from one to the next.
_DECIMAL = decimal.Context(prec=34)
_WORDS = 2**64


class Distribution(ABC):
    """What every distribution has in common: it turns one raw 64-bit word into a value."""

    @abstractmethod
    def draw(self, word: int) -> Any:
        """Return the value of a word, 0 <= word < 2**64."""


@dataclass(frozen=True)
class choice(Distribution):  # noqa: N801 - distributions are written like scipy's and numpy's functions
    """Each of `values` with equal probability.

    Examples
    --------
    >>> choice(["relu", "tanh"]).draw(0)
    'relu'
    """

    values: Sequence[Any]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", check_values("choice", self.values))

    def draw(self, word: int) -> Any:
        """Return the value whose equal share of the words holds `word`."""
        return self.values[word * len(self.values) // _WORDS]


@dataclass(frozen=True)
class uniform(Distribution):  # noqa: N801
    """A float between `low` and `high`.

    Examples
    --------
    >>> uniform(0.0, 0.5).draw(2**63)
    0.25
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _check_bounds(self)

    def draw(self, word: int) -> float:
        """Return ``low + fraction * (high - low)``."""
        return min(self.low + _fraction(word) * (self.high - self.low), self.high)


@dataclass(frozen=True)
class loguniform(Distribution):  # noqa: N801
    """A float between `low` and `high` whose logarithm is uniform: as many draws in 0.001-0.01 as in 0.01-0.1.

    Examples
    --------
    >>> loguniform(1e-4, 1e-2).draw(2**63)
    0.001
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _check_bounds(self)
        if self.low <= 0:
            raise ValueError(f"loguniform needs low > 0, got low={self.low!r}")

    def draw(self, word: int) -> float:
        """Return ``low * (high / low) ** fraction``, the same float on every machine."""
        low, high = decimal.Decimal(self.low), decimal.Decimal(self.high)
        exponent = _DECIMAL.multiply(self._log_ratio, decimal.Decimal(_fraction(word)))
        value = float(_DECIMAL.multiply(low, _DECIMAL.exp(exponent)))
        return min(max(value, self.low), float(high))

    @cached_property
    def _log_ratio(self) -> decimal.Decimal:
        return _DECIMAL.ln(_DECIMAL.divide(decimal.Decimal(self.high), decimal.Decimal(self.low)))


@dataclass(frozen=True)
class randint(Distribution):  # noqa: N801
    """An integer from `low` to `high` - 1.

    Examples
    --------
    >>> randint(8, 65).draw(2**63)
    36
    """

    low: int
    high: int

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            object.__setattr__(self, name, check_integer(f"randint's {name}", getattr(self, name)))
        if self.low >= self.high:
            raise ValueError(f"randint needs low < high (high is exclusive), got {self.low} and {self.high}")

    def draw(self, word: int) -> int:
        """Return the integer whose equal share of the words holds `word`."""
        return self.low + word * (self.high - self.low) // _WORDS


def _fraction(word: int) -> float:
    """Return the word as a float in [0, 1): its upper 53 bits."""
    return (word >> 11) * 2.0**-53


def _check_bounds(distribution: uniform | loguniform) -> None:
    kind = type(distribution).__name__
    for name in ("low", "high"):
        object.__setattr__(distribution, name, check_number(f"{kind}'s {name}", getattr(distribution, name)))
    if distribution.low >= distribution.high:
        raise ValueError(f"{kind} needs low < high, got {distribution.low} and {distribution.high}")


def check_values(name: str, values: object) -> Sequence[Any]:
    """Return a parameter's values as a tuple, or say what is wrong: not a list, empty, or the same value twice.

    A range is left as it is: it may be long.
    """
    if isinstance(values, np.ndarray):
        values = values.tolist()
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise TypeError(
            f"{name} must be a list of values or a distribution, got {shown(values)}; write [...] for one value"
        )
    if not values:
        raise ValueError(f"{name} has no values; give at least one")
    if isinstance(values, range):
        return values
    plain = tuple(value.item() if isinstance(value, np.generic) else value for value in values)
    seen: set[str] = set()
    for value in plain:
        check_depth(f"a value of {name}", value)
        try:
            # repr tells 1 from 1.0 and True, and serves lists and dicts, which have no hash.
            text = f"{type(value).__name__} {value!r}"
        except RecursionError:  # of a class that holds values in its own way
            raise too_deep(f"a value of {name}", value) from None
        except Exception as error:  # its class may come from a user; tables and stores need its text too
            raise TypeError(
                f"a value of {name} must have a text, got {shown(value)}, whose repr raises {type(error).__name__}"
            ) from None
        if text in seen:
            raise ValueError(
                f"{name} has the value {shown(value)} twice; for more runs of a configuration use repeats="
            )
        seen.add(text)
    return plain


# By name; an experiment file knows them from here.
DISTRIBUTIONS: dict[str, Callable[..., Distribution]] = {
    one.__name__: one for one in (choice, uniform, loguniform, randint)
}
