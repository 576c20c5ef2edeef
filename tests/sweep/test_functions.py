"""Sweeps of a user's own function: what it is given, what it may give back, what its results are known by."""

from __future__ import annotations

import dataclasses
import functools
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import user_functions
from hypothesis import given
from hypothesis import strategies as st
from user_functions import distance, greedy, held_out, sort_of, weighted

from neuralnet_core import Dense, derive_seed
from sweep import Results, Sweep
from sweep.functions import Function, exact
from sweep.tables import COLUMNS

X = np.random.default_rng(0).normal(size=(40, 3))
LABELS = (X[:, 0] > 0).astype(int)
CLOCK = ["started", "seconds", "worker"]
A = {"a": [0.0, 1.0, 2.0]}


def run(sweep: Sweep, **options: Any) -> Results:
    return sweep.run(X, LABELS, **({"backend": "sequential"} | options))


def table(results: Results) -> pd.DataFrame:
    return results.trials.drop(columns=CLOCK)


@pytest.mark.parametrize(("backend", "n_jobs"), [("auto", 1), ("auto", 2), ("threads", 2), ("sequential", 1)])
def test_a_row_per_trial_whoever_runs_it(backend: str, n_jobs: int, tmp_path: Path) -> None:
    sweep = Sweep(function=distance, space=A, repeats=2, seed=5)
    results = run(sweep, backend=backend, n_jobs=n_jobs, store=tmp_path / "distance.sweep")
    pd.testing.assert_frame_equal(table(results), table(run(sweep)))
    pd.testing.assert_frame_equal(table(results), table(Results.open(tmp_path / "distance.sweep")))
    seeds = [derive_seed(5, repeat, 0) % 2**32 for repeat in range(2)]
    assert results.trials["seed"].tolist() == seeds * 3
    expected = [distance({"a": a}, seed, X, LABELS)["distance"] for a in A["a"] for seed in seeds]
    assert results.trials["distance"].tolist() == expected
    assert (results.objective, results.best) == ("distance", {"a": 2.0})
    workers = set(results.trials["worker"].str.split("/").str[0])
    assert (str(subprocess.os.getpid()) in workers) == (backend != "auto")


def test_no_other_columns_than_those_no_metric_may_be_called() -> None:
    trials = run(Sweep(function=distance, space=A)).trials
    assert {*trials} == COLUMNS | {"params_a", "distance"}


def test_functions_of_a_program_that_was_started_reach_its_workers(tmp_path: Path) -> None:
    program = """
import numpy as np
from dataclasses import dataclass
from sweep import Sweep
@dataclass(frozen=True)
class Shift:
    by: float
def helper(x):
    return 2 * x
def function(params, seed, X, y):
    return {"value": helper(params["shift"].by) + params["f"](3)}
Sweep(function=function, space={"shift": [Shift(1.0), Shift(2.0)], "f": [helper]}).run(
    [[1.0], [2.0]], [0.0, 1.0], n_jobs=2, store="a.sweep")
"""
    (tmp_path / "program.py").write_text(program)
    ended = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert (ended.stdout, ended.stderr) == ("", "")
    assert Results.open(tmp_path / "a.sweep").trials["value"].tolist() == [8.0, 10.0]


# --- What a function is given -------------------------------------------------------------------------------


def test_without_validation_it_gets_all_rows() -> None:
    (row,) = run(Sweep(function=held_out, space={"a": [1]})).trials.to_dict("records")
    assert (row["n_train"], row["first_train"], row["sum"]) == (40, X[0, 0], X.sum() + LABELS.sum())
    assert "n_validation" not in row


def test_a_fraction_is_held_out_as_for_networks() -> None:
    sweep = Sweep(function=held_out, space={"a": [1]}, repeats=3)
    trials = run(sweep, validation=0.25).trials
    splits = [job.split for job in sweep.study(X, LABELS, 0.25).jobs.values()]
    assert trials["n_train"].tolist() == [30] * 3
    assert trials["n_validation"].tolist() == [10] * 3
    assert trials["first_train"].tolist() == [X[split.rows[0], 0] for split in splits]
    assert trials["first_validation"].tolist() == [X[split.validation_rows[0], 0] for split in splits]
    assert {int(LABELS[split.validation_rows].sum()) for split in splits} == {round(LABELS.sum() / 4)}


def test_numbers_to_predict_are_split_without_regard_to_them() -> None:
    sweep = Sweep(function=held_out, space={"a": [1]})
    trials = sweep.run(X, np.arange(40), validation=0.25, backend="sequential").trials
    assert trials["n_validation"].tolist() == [10]


def test_validation_data_of_their_own() -> None:
    trials = run(Sweep(function=held_out, space={"a": [1]}), validation=(X[:7] + 1, LABELS[:7])).trials
    assert trials["n_train"].tolist() == [40]
    assert trials["n_validation"].tolist() == [7]
    assert trials["first_validation"].tolist() == [X[0, 0] + 1]


def test_weights() -> None:
    sweep = Sweep(function=weighted, space={"a": [1]})
    assert run(sweep, sample_weight=np.arange(40)).trials["weight"].tolist() == [780]
    assert run(sweep).trials["weight"].tolist() == [-1]
    assert run(sweep, validation=0.5).trials["extras"].tolist() == [2]


@pytest.mark.parametrize(("dtype", "expected"), [({}, "float64"), ({"dtype": "float32"}, "float32")])
def test_what_is_given_may_be_changed_by_the_call_alone(dtype: Any, expected: str) -> None:
    sweep = Sweep(function=greedy, space={"a": [0], "layers": [[1, 2]]}, repeats=3, **dtype)
    for options in ({}, {"backend": "processes", "n_jobs": 1}):
        before = run(sweep, **options).trials["before"]
        assert before.tolist() == [X.astype(expected).sum() + LABELS.sum() + 2] * 3


# --- What it may give back ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "state", "error"),
    [
        ("raise", "failed", "ValueError: no such kernel (in raise_error, user_functions.py:"),
        ("sys.exit", "failed", "SystemExit: enough (in "),
        ("nan", "diverged", "validation_accuracy is nan"),
        ("infinite", "diverged", "loss is inf"),
        (
            "none",
            "failed",
            "TypeError: a function must return a dict of metrics such as {'validation_accuracy': 0.9}, got",
        ),
        ("empty", "failed", "TypeError: a function must return a dict of metrics"),
        ("text", "failed", "TypeError: metric 'validation_accuracy' must be a number, got '0.5'"),
        ("array", "failed", "TypeError: metric 'validation_accuracy' must be a number, got array(["),
        ("complex", "failed", "TypeError: metric 'validation_accuracy' must be a number, got 1j"),
        ("number", "failed", "TypeError: names of metrics must be texts, got 3"),
        ("column", "failed", "ValueError: no metric may be called 'seed'"),
        ("parameter", "failed", "ValueError: no metric may be called 'params_kind'"),
        (
            "surrogate",
            "failed",
            r"ValueError: names of metrics must be texts without lone surrogates, got '\ud800'",
        ),
    ],
)
def test_what_is_wrong_fails_alone_and_says_why(kind: str, state: str, error: str) -> None:
    results = run(Sweep(function=sort_of, space={"kind": ["good", kind]}))
    assert results.trials["state"].tolist() == ["done", state]
    assert results.trials["error"][1].startswith(error)
    assert results.best == {"kind": "good"}
    with pytest.raises(ValueError, match=f"trial 1 has no model .{state}"):
        results.model(1)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # Python's own advice against it
@pytest.mark.parametrize(("backend", "n_jobs"), [("processes", 2), ("threads", 2), ("sequential", 1)])
def test_a_process_forked_by_a_call_and_not_ended_has_no_say(backend: str, n_jobs: int) -> None:
    space = {"kind": ["fork", "forked raise", "good"], "number": range(10)}
    trials = Sweep(function=sort_of, space=space).run(X, LABELS, backend=backend, n_jobs=n_jobs).trials
    assert trials["state"].tolist() == ["done"] * 30
    assert trials["copied"][:20].tolist() == [0.0] * 20
    assert trials["worker"].str.partition("/")[0].nunique() <= n_jobs


def unreadable(params: Any, seed: int, X: Any, y: Any) -> Any:
    raise ValueError("the file " + params["name"])


def test_an_error_of_any_text_is_kept(tmp_path: Path) -> None:
    sweep = Sweep(function=unreadable, space={"name": ["caf\udce9", "x" * 10**6]})
    with pytest.warns(UserWarning, match=r"every configuration failed \(2\)"):
        results = run(sweep, store=tmp_path / "any.sweep")
    for trials in (results.trials, Results.open(tmp_path / "any.sweep").trials):
        assert trials["state"].tolist() == ["failed", "failed"]
        assert trials["error"][0].startswith("ValueError: the file caf\\udce9 (in unreadable, ")
        assert len(trials["error"][1]) < 2100


def test_the_metric_that_decides() -> None:
    def many(params: Any, seed: int, X: Any, y: Any) -> Any:
        return {"zeal": params["a"], "mae": params["a"], "accuracy": -params["a"]}

    sweep = Sweep(function=many, space=A)
    assert (run(sweep).objective, run(sweep).best) == ("accuracy", {"a": 0.0})
    assert run(sweep, objective="mae").best == {"a": 0.0}
    assert run(sweep, objective="zeal").best == {"a": 2.0}


def test_a_trial_by_itself() -> None:
    sweep = Sweep(function=sort_of, space={"kind": ["good", "raise", "none"]})
    identity = run(sweep).trials["identity"][1]
    assert sweep.run_trial(0, X, LABELS) == {"validation_accuracy": 0.0}
    with pytest.raises(ValueError, match="no such\nkernel"):
        sweep.run_trial(identity[:12], X, LABELS)
    with pytest.raises(TypeError, match="a function must return a dict"):
        sweep.run_trial(2, X, LABELS)
    with pytest.raises(
        ValueError, match="trial must be one of the 3 trials or begin an identity of these, got 3"
    ):
        sweep.run_trial(3, X, LABELS)


# --- What results are known by ------------------------------------------------------------------------------


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


# --- Wrong use ----------------------------------------------------------------------------------------------


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


def divmod_of_four(a: Any, b: Any, c: Any, d: Any) -> Any:
    """Has other names for what it is given."""
    return {"loss": b}


def test_what_a_function_is_known_by_says_where_it_is() -> None:
    assert Function.of(distance).name == "user_functions.distance"
    assert Function.of(divmod_of_four).source is not None
    assert Function.of(max).source is None
