"""What results of a function are known by: its name, its version, what it is given; and its text, which is watched."""

from __future__ import annotations

import dataclasses
import functools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from function_sweeps import LABELS, A, X, run
from hypothesis import given
from hypothesis import strategies as st
from user_functions import distance, held_out

from neuralnet_core import Dense
from sweep import Sweep
from sweep.functions import Function, exact


def identities(
    function: Any = distance, version: Any = "", space: Any = A, y: Any = LABELS, **options: Any
) -> set[str]:
    study = Sweep(function=function, space=space, version=version, **options).study(X, y)
    return {trial.identity for trial in study.trials}


def test_every_part_of_an_identity_counts() -> None:
    plain = identities()
    assert len(plain) == 3
    assert identities() == plain
    assert identities(space={"a": [2.0, np.float64(1), 0.0]}) == plain
    assert (
        identities(function=functools.wraps(distance)(lambda *_: {})) == plain
    )  # its name counts, not its code
    others = [
        identities(version=np.int64(2)),
        identities(function=held_out),
        identities(seed=1),
        identities(y=LABELS + 1),
        identities(space={"a": [0, 1, 2]}),  # integers are not the same to every function
        identities(space={"b": [0.0, 1.0, 2.0]}),
        identities(space={"a": ["0.0", "1.0", "2.0"]}),
        identities(dtype="float32"),
    ]
    assert all(plain.isdisjoint(other) for other in others)
    assert len(set().union(*others)) == 3 * len(others)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.tuples(inner, inner) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@given(values, values)
def test_different_values_have_different_texts(one: Any, other: Any) -> None:
    assert (repr(exact(one)) == repr(exact(other))) == (repr(_sorted(one)) == repr(_sorted(other)))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return tuple(map(_sorted, value)) if isinstance(value, tuple) else value


def test_values_of_many_kinds() -> None:
    kinds = [
        len,
        np.mean,
        int,
        Dense(3),
        Dense(4),
        {3, 4},
        functools.partial(max, 3),
        np.arange(3),
        b"3",
        range(3),
    ]
    texts = [repr(exact(value)) for value in kinds]
    assert len(set(texts)) == len(kinds)
    assert repr(exact(Dense(3))) == repr(exact(dataclasses.replace(Dense(4), units=3)))


@pytest.mark.parametrize("value", [object(), lambda: 3, threading.Lock(), [1, object()]])
def test_values_without_a_text_of_their_own(value: Any) -> None:
    with pytest.raises(ValueError, match="has no text of its own to know its results by"):
        identities(space={"a": [value]})


CHANGING = """
def function(params, seed, X, y):
    return {{"score": params["a"] * {factor}}}
"""


@pytest.fixture
def changing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Any]:
    """Return a function that gives back the same function with its text changed."""
    monkeypatch.syspath_prepend(tmp_path)

    def load(factor: int) -> Any:
        path = tmp_path / f"version{factor}.py"
        path.write_text(CHANGING.format(factor=factor))
        namespace = {"__name__": "changing"}
        exec(compile(path.read_text(), str(path), "exec"), namespace)
        return namespace["function"]

    return load


def test_a_changed_text_stops_a_run_that_would_mix_old_and_new(changing: Any, tmp_path: Path) -> None:
    path = tmp_path / "changing.sweep"
    first = run(Sweep(function=changing(1), space=A), store=path)
    assert run(Sweep(function=changing(1), space=A), store=path).trials.equals(first.trials)
    with pytest.raises(ValueError, match=r"function changing\.function is not the one") as caught:
        run(Sweep(function=changing(5), space=A), store=path)
    assert "\n" not in str(caught.value)
    anew = run(Sweep(function=changing(5), space=A, version=2), store=path)
    assert anew.trials["score"].tolist() == [0.0, 5.0, 10.0]
    more = {"a": [0.0, 1.0, 2.0, 3.0]}
    kept = run(Sweep(function=changing(7), space=more), store=path, accept_changed=True)
    assert kept.trials["score"].tolist() == [0.0, 1.0, 2.0, 21.0]
    assert run(Sweep(function=changing(7), space=more), store=path).trials.equals(kept.trials)
    with pytest.raises(ValueError, match="give version= a new value"):
        run(Sweep(function=changing(1), space=A), store=path)


def test_a_changed_text_is_no_matter_where_nothing_is_mixed(changing: Any, tmp_path: Path) -> None:
    path = tmp_path / "changing.sweep"
    run(Sweep(function=changing(1), space=A), store=path)
    other = run(Sweep(function=changing(5), space={"a": [7.0]}), store=path)
    assert other.trials["score"].tolist() == [35.0]


def divmod_of_four(a: Any, b: Any, c: Any, d: Any) -> Any:
    """Has other names for what it is given."""
    return {"loss": b}


def test_what_a_function_is_known_by_says_where_it_is() -> None:
    assert Function.of(distance).name == "user_functions.distance"
    assert Function.of(divmod_of_four).source is not None
    assert Function.of(max).source is None
