"""Sweeps of a user's own function: what it is given, and what it may give back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from function_sweeps import LABELS, A, X, run, table
from user_functions import distance, greedy, held_out, sort_of, weighted

from neuralnet_core import derive_seed
from sweep import Results, Sweep
from sweep.tables import COLUMNS


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
        (
            "huge",
            "failed",
            "ValueError: metric 'validation_accuracy' is beyond double precision, got an object",
        ),
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


def test_the_name_of_a_metric_may_be_of_a_class_of_its_own() -> None:
    trials = Sweep(function=sort_of, space={"kind": ["own text", "good"]}).run(X, LABELS, n_jobs=1).trials
    assert trials["state"].tolist() == ["done", "done"]
    assert trials["validation_accuracy"].tolist() == [0.5, 0.0]


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
