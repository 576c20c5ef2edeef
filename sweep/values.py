"""Parameter values as plain, comparable things: the same in memory, in a store and in a table."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import reprlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from neuralnet_core import parse_json, shown

from .labels import shorten

DEEPEST = 39  # JSON of a store is read 40 deep, and a value lies in the object of its configuration


def plain_value(value: Any) -> Any:
    """Return the value a table shows for a parameter: a number, a text, a bool, None or a tuple of these.

    What a parameter takes may be anything (a schedule, a function, an array). A store keeps no code, so such
    a value is written as its text; tables from memory use the same text, and so both are equal.

    Examples
    --------
    >>> plain_value([32, 16])
    (32, 16)
    >>> plain_value(len)
    'len'
    >>> plain_value({"type": "Dense", "units": 16, "activation": "relu"})
    "Dense(16, activation='relu')"
    """
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, str) and not is_unicode(value):
        return value.encode(errors="backslashreplace").decode()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return tuple(plain_value(item) for item in value)
    if isinstance(value, Mapping) and "type" in value and all(isinstance(name, str) for name in value):
        return _call(**value)
    return getattr(value, "__name__", None) or repr(value)


def check_depth(name: str, value: object) -> None:
    """Raise if lists, and whatever else holds values, lie too deep in one another for a store to give them back.

    Examples
    --------
    >>> endless = [8]
    >>> endless.append(endless)
    >>> check_depth("space['layers']", endless)
    Traceback (most recent call last):
    ValueError: space['layers'] must be nested at most 39 deep and not contain itself, got [8, [8, ...
    """
    level = [value]
    for _ in range(DEEPEST + 1):
        # Each once: a list that holds another one twice, and so on, would have 2^39 items.
        level = list({id(item): item for holder in level for item in _items(holder)}.values())
        if not level:
            return
    raise too_deep(name, value)


def too_deep(name: str, value: object) -> ValueError:
    """Return the error for a value that has more levels than it may have, or no end of them."""
    short = shorten(
        " ".join(reprlib.repr(value).split()), 60
    )  # not `shown`, which makes the whole text first
    return ValueError(
        f"{name} must be nested at most {DEEPEST} deep and not contain itself, got {short};"
        " give a name or a number that stands for it"
    )


def _items(value: Any) -> list[Any]:
    """Return what a value holds."""
    match value:
        case None | bool() | int() | float() | str() | bytes():
            return []
        case list() | tuple() | set() | frozenset():
            return list(value)
        case Mapping():
            return [*value, *value.values()]
        case np.ndarray():
            return list(value if value.dtype == object else value[:1]) if value.ndim else [value.item()]
        case functools.partial():
            return [value.func, value.args, value.keywords]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name) for field in dataclasses.fields(value)]
    return []


def check_source(source: object) -> None:
    """Say in one line if a store could not give back where a sweep and its data come from.

    Examples
    --------
    >>> check_source({"file": len})
    Traceback (most recent call last):
    TypeError: source must be a dict of values that JSON has, or None, got {'file': <built-in function len>}
    """
    try:
        fits = source is None or isinstance(parse_json(json.dumps(source)), dict)
    except (TypeError, ValueError, RecursionError):
        fits = False
    if not fits:
        raise TypeError(f"source must be a dict of values that JSON has, or None, got {shown(source)}")


def is_unicode(text: str) -> bool:
    """Return whether files and tables can hold a text: lone surrogates are no characters.

    Examples
    --------
    >>> is_unicode("l2 ÷ 2"), is_unicode(chr(0xD800))
    (True, False)
    """
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _call(type: str, **fields: Any) -> str:  # noqa: A002 - the key of an experiment file
    """Return a table of an experiment file as the value it stands for shows itself."""
    shown = [f"{name}={plain_value(value)!r}" for name, value in fields.items()]
    return f"{type}({', '.join([*(text.partition('=')[2] for text in shown[:1]), *shown[1:]])})"


def encode_params(params: Mapping[str, Any]) -> str:
    """Return the parameters of one configuration as JSON text; numbers come back exactly."""
    return json.dumps({name: plain_value(value) for name, value in params.items()})


def decode_params(text: str) -> dict[str, Any]:
    """Return the parameters that `encode_params` wrote."""
    params = parse_json(text, allow_nan=True)
    if not isinstance(params, dict):
        raise ValueError(f"parameters must be a JSON object, got {text[:40]!r}")
    return {_name(name): _tuples(value) for name, value in params.items()}


def encode_metrics(metrics: Mapping[str, float]) -> str:
    """Return metrics as JSON text that SQL can read too: what is not finite becomes null."""
    # As json.dumps would write it: this is done for every record.
    values = [
        f"{_quoted(name)}: {float(value)!r}" if math.isfinite(value) else f"{_quoted(name)}: null"
        for name, value in metrics.items()
    ]
    return f"{{{', '.join(values)}}}"


@lru_cache(maxsize=1024)
def _quoted(name: str) -> str:
    return json.dumps(name)


def decode_metrics(text: str) -> dict[str, float]:
    """Return the metrics that `encode_metrics` wrote, null as NaN."""
    metrics = parse_json(text)
    if not isinstance(metrics, dict):
        raise ValueError(f"metrics must be a JSON object, got {text[:40]!r}")
    return {_name(name): math.nan if value is None else _number(value) for name, value in metrics.items()}


def decode_names(text: str) -> list[str]:
    """Return the names of curves, a list in JSON."""
    names = parse_json(text)
    if not isinstance(names, list) or len(names) != len({_name(name) for name in names}):
        raise ValueError(f"names of curves must be a JSON list of distinct texts, got {text[:40]!r}")
    return names


def _name(name: object) -> str:
    if not isinstance(name, str) or not is_unicode(name):
        raise ValueError(f"names must be texts without lone surrogates, got {shown(name)}")
    return name


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"a metric must be a number, got {str(value)[:40]!r}")
    return float(value)


def _tuples(value: Any) -> Any:
    """Return JSON arrays as tuples: they can be grouped and sorted as values of a parameter."""
    if isinstance(value, dict):
        raise ValueError(f"a parameter's value must be a number, a text or a list, got {str(value)[:40]!r}")
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
