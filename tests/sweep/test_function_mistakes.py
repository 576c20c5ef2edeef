"""Functions, and options of their runs, that are refused: in one line, before anything runs."""

from __future__ import annotations

import functools
import sys
import threading
from typing import Any

import numpy as np
import pytest
import user_functions
from function_sweeps import A, run
from user_functions import distance

from sweep import Sweep


def nothing_but_keywords(*, params: Any, seed: int) -> None:
    """Cannot be called with four arguments."""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"function": 3}, "function must be a function of .params, seed, X, y., got 3"),
        ({"function": functools.partial(distance)}, "function must have a name .* around partial"),
        (
            {"function": nothing_but_keywords},
            r"function must take \(params, seed, X, y\), .*nothing_but_keywords does not: ",
        ),
        ({"function": distance, "build": distance}, "give build or function, not both"),
        ({"function": distance, "version": 1.5}, "version must be a text or an integer, got 1.5"),
        (
            {"function": distance, "version": 10**5000},
            "version must be a text or a shorter integer, got an object of type int",
        ),
        ({"build": distance, "version": 1}, "version is for function="),
        ({}, "build must be a function"),
    ],
)
def test_a_bad_sweep(arguments: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message) as caught:
        Sweep(space=A, **arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"validation": 0.2},
            r"validation= needs a function that takes it: def distance\(params, seed, X, y, validation\)",
        ),
        ({"sample_weight": np.ones(40)}, "sample_weight= needs a function that takes it"),
        ({"keep_models": True}, "keep_models is for networks"),
        ({"timeout": 5}, "timeout needs processes, .* got backend 'sequential'"),
        ({"timeout": 0, "backend": "processes"}, "timeout must be a number of seconds > 0, got 0"),
        ({"timeout": "5", "backend": "processes"}, "timeout must be a number of seconds > 0, got '5'"),
        (
            {"timeout": 10**400, "backend": "processes"},
            "timeout must be .* within double precision, got 1000",
        ),
        ({"retry": b"failed"}, "retry must be one or more of failed, timeout, quarantined; got b'failed'"),
        ({"timeout": True, "backend": "processes"}, "timeout must be a number of seconds > 0, got True"),
        ({"timeout": np.ones(2), "backend": "processes"}, r"timeout must be a number of .*, got array\("),
        ({"retry": None}, "retry must be one or more of failed, timeout, quarantined; got None"),
        ({"progress": np.ones(2)}, r"progress must be True, False or .plain., got array\("),
        ({"objective": np.ones(2)}, "objective must be the name of a metric, got array"),
        ({"objective": 3}, "objective must be the name of a metric, got 3"),
    ],
)
def test_a_bad_run(options: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        run(Sweep(function=distance, space=A), **options)


class Locked:
    """A value with a text of its own that cannot be pickled."""

    def __repr__(self) -> str:
        return "Locked()"

    def __reduce__(self) -> Any:
        raise TypeError("cannot pickle Locked")


def test_a_function_that_cannot_be_sent_is_told_before_anything_runs() -> None:
    lock = threading.Lock()

    def locked(params: Any, seed: int, X: Any, y: Any) -> Any:
        with lock:
            return {"loss": 0.0}

    with pytest.raises(TypeError, match=r"cannot be sent to worker processes.*use backend='threads'"):
        run(Sweep(function=locked, space=A), backend="processes")
    with pytest.raises(TypeError, match=r"cannot be sent to worker processes"):
        run(Sweep(function=distance, space={"a": [1.0], "bad": [Locked()]}), backend="processes")
    assert set(run(Sweep(function=locked, space=A), backend="threads").trials["state"]) == {"done"}


def test_a_function_that_cannot_be_read_by_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    module = type(sys)("only_here")
    module.function = type(distance)(distance.__code__, vars(user_functions), "function")
    module.function.__module__, module.function.__qualname__ = "only_here", "function"
    monkeypatch.setitem(sys.modules, "only_here", module)
    with pytest.raises(
        RuntimeError, match=r"a worker process cannot begin: ModuleNotFoundError: .*only_here"
    ):
        run(Sweep(function=module.function, space=A), backend="processes")
