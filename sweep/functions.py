"""A user's own function in place of a network: what its results are known by, and what it takes."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from neuralnet_core import shown

from .errors import UserError
from .values import is_unicode

__all__ = ["Function", "changed_source"]

EXTRAS = ("validation", "sample_weight")  # given by name to a function that has parameters of these names


@dataclass(frozen=True)
class Function:
    """A function to run for every trial: ``f(params, seed, X, y) -> dict of metrics``.

    Attributes
    ----------
    call : callable
    name : str
        Module and qualified name, by which its results are known; never its code.
    version : str
        The user's own word for what its code computes.
    source : str or None
        The digest of its text, None where that cannot be had. It is recorded, and no part of an identity.
    extras : tuple of str
        Which of "validation" and "sample_weight" it takes.

    Examples
    --------
    >>> def train(params, seed, X, y, validation):
    ...     return {"validation_accuracy": 0.9}
    >>> function = Function.of(train, version=2)
    >>> function.name.rpartition(".")[2], function.version, function.extras
    ('train', '2', ('validation',))
    """

    call: Callable[..., Any]
    name: str
    version: str
    source: str | None
    extras: tuple[str, ...]

    @classmethod
    def of(cls, call: object, version: object = "") -> Function:
        """Return the function checked, or say in one line what is wrong with it."""
        if not callable(call):
            raise TypeError(f"function must be a function of (params, seed, X, y), got {shown(call)}")
        name = _name(call)
        if name is None:
            raise TypeError(
                "function must have a name that its results are known by: define one with def around"
                f" {type(call).__name__} {shown(call)}"
            )
        return cls(call, name, _version(version), _source(call), _extras(call, name))

    def key(self, params: Mapping[str, Any]) -> str:
        """Return what the results of this function with these parameters are known by, but for seed and data."""
        try:
            text = json.dumps(["function", self.name, self.version, exact(params)])
        except TypeError as error:
            raise UserError(f"parameters {shown(params)}: {error}") from None
        return hashlib.sha256(text.encode()).hexdigest()

    def check_given(self, **given: object) -> None:
        """Say in one line if something is given that the function does not take."""
        for name, value in given.items():
            if value is not None and name not in self.extras:
                raise UserError(
                    f"{name}= needs a function that takes it: def {self.name.rpartition('.')[2]}(params, seed, X, y,"
                    f" {name})"
                )


def _name(call: Any) -> str | None:
    """Return module and qualified name of a function or class, None of what has none of its own."""
    module, name = getattr(call, "__module__", None), getattr(call, "__qualname__", None)
    return f"{module}.{name}" if isinstance(module, str) and isinstance(name, str) else None


def _version(version: object) -> str:
    if not isinstance(version, str | Integral):
        raise TypeError(f"version must be a text or an integer, got {shown(version)}")
    try:
        text = str(version)
    except ValueError:  # thousands of digits
        raise ValueError(f"version must be a text or a shorter integer, got {shown(version)}") from None
    if not is_unicode(text):
        raise ValueError(f"version must be a text without lone surrogates, got {shown(version)}")
    return text


def _source(call: Any) -> str | None:
    try:
        lines = inspect.getsource(inspect.unwrap(call)).splitlines()
    except (OSError, TypeError, ValueError):
        return None
    return hashlib.sha256("\n".join(line.rstrip() for line in lines).encode()).hexdigest()


def _extras(call: Callable[..., Any], name: str) -> tuple[str, ...]:
    try:
        signature = inspect.signature(call)
    except (TypeError, ValueError):  # written in C: it says nothing about itself
        return ()
    kinds = {parameter.kind for parameter in signature.parameters.values()}
    takes_all = inspect.Parameter.VAR_KEYWORD in kinds
    extras = tuple(extra for extra in EXTRAS if takes_all or extra in signature.parameters)
    try:
        signature.bind(*range(4), **dict.fromkeys(extras))
    except TypeError as error:
        raise TypeError(
            f"function must take (params, seed, X, y), and validation= and sample_weight= if it wants them;"
            f" {name} does not: {error}"
        ) from None
    return extras


def exact(value: Any) -> Any:
    """Return a parameter's value as JSON can write it, so that different values have different texts.

    Raises
    ------
    TypeError
        If a value has no text that is the same in every process.

    Examples
    --------
    >>> exact({"rate": np.float64(0.5), "layers": (8, 4), "kind": dict})
    {'map': [['"kind"', {'name': 'builtins.dict'}], ['"layers"', [8, 4]], ['"rate"', 0.5]]}
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    match value:
        case list() | tuple():
            return [exact(item) for item in value]
        case set() | frozenset():
            return {"set": sorted(json.dumps(exact(item)) for item in value)}
        case Mapping():
            return {"map": sorted([json.dumps(exact(key)), exact(item)] for key, item in value.items())}
        case np.ndarray() if value.dtype != object:
            digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
            return {"array": [value.dtype.str, list(value.shape), digest]}
        case functools.partial():
            return {"partial": [exact(value.func), exact(value.args), exact(value.keywords)]}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {"dataclass": [_name(type(value)), exact(fields)]}
    return _named_or_shown(value)


def _named_or_shown(value: Any) -> Any:
    name = _name(value)
    if name is not None and "<" not in name:
        return {"name": name}
    shown = repr(value)
    if name is not None or re.search(r"\bat 0x[0-9a-f]+", shown):
        raise TypeError(
            f"{shown} has no text of its own to know its results by; use a number, a text or a def"
        )
    return {"shown": [_name(type(value)), shown]}


def changed_source(
    function: Function, recorded: Mapping[str, Any], accept_changed: bool
) -> dict[str, str | None]:
    """Return what is to be recorded about functions' texts, or say that this one's is not the recorded one.

    `recorded` is what this returned before, for the same store.
    """
    key = f"{function.name} {function.version}".rstrip()
    before = recorded.get(key)
    if not accept_changed and None not in (before, function.source) and before != function.source:
        raise UserError(
            f"function {function.name} is not the one that the recorded results are from, its text has changed:"
            " give version= a new value to run it anew, or accept_changed=True to keep what is recorded"
        )
    return {**recorded, key: function.source or before}
