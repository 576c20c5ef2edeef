"""Checks of single arguments, shared by all that takes some: every error states the rule and the value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from operator import ge, gt, le, lt

from .brief import shown

__all__ = [
    "check_choice",
    "check_count",
    "check_dtype",
    "check_flag",
    "check_integer",
    "check_number",
    "check_seed",
]

DTYPES = ("float32", "float64")
MAX_SEED = 2**64 - 1


def check_number(
    name: str,
    value: object,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> float:
    """Return `value` as a float, or say which rule it breaks.

    Examples
    --------
    >>> check_number("rate", 1, at_least=0, below=1)
    Traceback (most recent call last):
    ValueError: rate must be >= 0 and < 1, got 1
    """
    bounds = [(">", above, gt), (">=", at_least, ge), ("<", below, lt), ("<=", at_most, le)]
    rules = [(sign, bound, holds) for sign, bound, holds in bounds if bound is not None]
    rule = " and ".join(f"{sign} {bound:g}" for sign, bound, _ in rules) or "a finite number"
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be {f'a number ({rule})' if rules else rule}, got {shown(value)}")
    try:
        number = float(value) + 0.0  # -0.0 becomes 0.0: equal values are the same value, to the bit
    except OverflowError:  # an integer of hundreds of digits
        number = math.inf
    if not math.isfinite(number) or not all(holds(number, bound) for _, bound, holds in rules):
        raise ValueError(f"{name} must be {rule}, got {shown(value)}")
    return number


def check_integer(name: str, value: object, *, at_least: int | None = None, below: int | None = None) -> int:
    """Return `value` as an int, or say which rule it breaks.

    Examples
    --------
    >>> check_integer("repeats", 2.5, at_least=1)
    Traceback (most recent call last):
    TypeError: repeats must be an integer >= 1, got 2.5
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        rule = "" if at_least is None else f" >= {at_least}"
        raise TypeError(f"{name} must be an integer{rule}, got {shown(value)}")
    if at_least is not None and value < at_least:
        raise ValueError(f"{name} must be >= {at_least}, got {shown(value)}")
    if below is not None and int(value) >= below:
        raise ValueError(f"{name} must be < {below}, got {shown(value)}")
    return int(value)


def check_count(name: str, value: object) -> int:
    """Return a count of at least 1 that the engine's integers can hold.

    Examples
    --------
    >>> check_count("epochs", 10**20)
    Traceback (most recent call last):
    ValueError: epochs must be < 2147483648, got 100000000000000000000
    """
    return check_integer(name, value, at_least=1, below=2**31)


def check_flag(name: str, value: object) -> bool:
    """Return `value` if it is True or False.

    Examples
    --------
    >>> check_flag("keep_models", "yes")
    Traceback (most recent call last):
    TypeError: keep_models must be True or False, got 'yes'
    """
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {shown(value)}")
    return value


def check_choice(name: str, value: object, choices: Sequence[str]) -> str:
    """Return `value` if it is one of `choices`.

    Examples
    --------
    >>> check_choice("backend", "gpu", ["threads", "processes"])
    Traceback (most recent call last):
    ValueError: backend must be one of threads, processes; got 'gpu'
    """
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}; got {shown(value)}")
    return value


def check_dtype(dtype: object) -> str:
    """Return "float32" or "float64".

    Examples
    --------
    >>> check_dtype("float64")
    'float64'
    """
    return check_choice("dtype", dtype, DTYPES)


def check_seed(seed: object) -> int:
    """Return a seed of 64 bits.

    Examples
    --------
    >>> check_seed(2**64)
    Traceback (most recent call last):
    ValueError: seed must be < 2**64, got 18446744073709551616
    """
    if type(seed) is int and 0 <= seed <= MAX_SEED:  # the common case: a sweep has one for each network
        return seed
    number = check_integer("seed", seed, at_least=0)
    if number > MAX_SEED:
        raise ValueError(f"seed must be < 2**64, got {shown(seed)}")
    return number
