"""Networks and optimizers as plain dictionaries: for stores, model files and the identity of a trial."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from . import layers, optimizers, schedules
from .layers import Layer
from .network import Network
from .optimizers import EarlyStopping, Optimizer
from .schedules import Schedule

__all__ = ["VALUE_TYPES", "canonical_json", "from_dict", "parse_json", "to_dict"]

# The only classes that a dictionary can name: the public ones of these modules that are not abstract.
_ABSTRACT = (Layer, Optimizer, Schedule)
VALUE_TYPES: dict[str, Any] = {"Network": Network} | {
    name: kind
    for module in (layers, optimizers, schedules)
    for name in module.__all__
    if isinstance(kind := getattr(module, name), type)
    and issubclass(kind, (*_ABSTRACT, EarlyStopping))
    and kind not in _ABSTRACT
}
_FIELDS = {name: tuple(field.name for field in fields(kind)) for name, kind in VALUE_TYPES.items()}
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)
MAX_DEPTH = 20
MAX_JSON_DEPTH = 40
STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*+"|[][{}]')  # strings whole, so that brackets in them do not count


def to_dict(value: Any) -> dict[str, Any]:
    """Return a value as a dictionary of plain numbers, strings and lists, its class under "type".

    Examples
    --------
    >>> from neuralnet_core import Dropout
    >>> to_dict(Dropout(0.5))
    {'type': 'Dropout', 'rate': 0.5}
    """
    if VALUE_TYPES.get(type(value).__name__) is not type(value):
        raise TypeError(f"to_dict takes networks, layers, optimizers and schedules, got {value!r}")
    plain: dict[str, Any] = {"type": type(value).__name__}
    for name in _FIELDS[type(value).__name__]:
        plain[name] = _plain(getattr(value, name))
    return plain


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return [_plain(item) for item in value] if isinstance(value, tuple) else to_dict(value)


def from_dict(plain: Mapping[str, Any]) -> Any:
    """Return the value that `to_dict` described; its constructor checks every field.

    A description may come from a stranger: it can make values of the classes here and nothing else.

    Raises
    ------
    ValueError, TypeError
        If the description names no known class, lacks a field, has one too many, or a value breaks its rule.

    Examples
    --------
    >>> from_dict({"type": "Dense", "units": 3, "activation": "relu"}).units
    3
    >>> from_dict({"type": "Dropout", "rate": 2})
    Traceback (most recent call last):
    ValueError: rate must be >= 0 and < 1, got 2
    """
    if not isinstance(plain, Mapping):
        raise TypeError(f"a description must be a dictionary with a type, got {plain!r}")
    return _value(plain, MAX_DEPTH)


def _value(plain: Any, depth: int) -> Any:
    if depth == 0:
        raise ValueError(f"a description must be nested at most {MAX_DEPTH} deep")
    if isinstance(plain, list | tuple):
        return tuple(_value(item, depth - 1) for item in plain)
    if not isinstance(plain, Mapping):
        return plain
    kind = VALUE_TYPES.get(str(plain.get("type")))
    if kind is None:
        raise ValueError(f"type must be one of {', '.join(VALUE_TYPES)}; got {plain.get('type')!r}")
    given = {name: value for name, value in plain.items() if name != "type"}
    _check_fields(kind, given)
    return kind(**{name: _value(value, depth - 1) for name, value in given.items()})


def _check_fields(kind: type, given: Mapping[str, Any]) -> None:
    known = {field.name: field.default is MISSING for field in fields(kind)}
    unknown = next((name for name in given if name not in known), None)
    if unknown is not None:
        raise ValueError(f"{kind.__name__} has no field {unknown!r}; its fields are {', '.join(known)}")
    missing = next((name for name, required in known.items() if required and name not in given), None)
    if missing is not None:
        raise ValueError(f"{kind.__name__} needs the field {missing!r}")


def canonical_json(value: Any) -> str:
    """Return the one JSON text of a value: equal values have equal texts, however their numbers were spelled.

    Keys are sorted, there are no spaces, and a number is the shortest text that reads back as the same bits.
    A dictionary of plain values is taken as it is.

    Examples
    --------
    >>> from neuralnet_core import Dropout, GradientDescent
    >>> canonical_json(Dropout(0.25))
    '{"rate":0.25,"type":"Dropout"}'
    >>> canonical_json(GradientDescent(1)) == canonical_json(GradientDescent(1.0))
    True
    """
    plain = value if isinstance(value, dict) else to_dict(value)
    return _CANONICAL.encode(plain)


def parse_json(text: str, *, allow_nan: bool = False) -> Any:
    """Return what JSON from a stranger says: deep nesting is refused before it can use up the stack.

    Raises
    ------
    ValueError
        If it is no JSON, nested too deep, or (unless `allow_nan`) has NaN or an infinity, which JSON has not.

    Examples
    --------
    >>> parse_json('{"units": [8, 4]}')
    {'units': [8, 4]}
    >>> parse_json("[" * 10**6)
    Traceback (most recent call last):
    ValueError: JSON is nested more than 40 deep
    """
    if text.count("[") + text.count("{") > MAX_JSON_DEPTH:
        _check_depth(text)
    return json.loads(text, parse_constant=None if allow_nan else _refuse)


def _check_depth(text: str) -> None:
    depth = 0
    for token in STRUCTURE.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth > MAX_JSON_DEPTH:
            raise ValueError(f"JSON is nested more than {MAX_JSON_DEPTH} deep")


def _refuse(constant: str) -> None:
    raise ValueError(f"JSON has no number {constant}")
