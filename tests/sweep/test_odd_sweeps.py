"""Whatever a sweep is given, the error is one short line with the rule and the value."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from odd_values import ODD_VALUES, assert_one_short_line

from neuralnet_core import Dense, Momentum, Network
from sweep import Results, Sweep, parallel_train
from sweep.splits import check_validation
from sweep.store import StoreError

X = np.linspace(-1, 1, 40).reshape(20, 2)
Y = X.sum(axis=1)


def build(**params: Any) -> tuple[Network, Momentum]:
    """Build what is trained only if something odd was taken."""
    return Network([Dense(1)]), Momentum(0.1, epochs=1)


def run(**options: Any) -> Any:
    return Sweep(build, {"a": [1]}).run(X, Y, **({"n_jobs": 1, "progress": False} | options))


def train(**options: Any) -> Any:
    return parallel_train(*build(), X, Y, **({"seeds": 1, "n_jobs": 1} | options))


@pytest.mark.parametrize("value", ODD_VALUES)
@pytest.mark.parametrize(
    "take",
    [
        lambda value: Sweep(value, {"a": [1]}),
        lambda value: Sweep(build, [value]),
        lambda value: Sweep(build, {"a": {1: value}}),
        lambda value: Sweep(build, {"a": [1]}, repeats=value),
        lambda value: Sweep(build, {"a": [1]}, seed=value),
        lambda value: Sweep(build, {"a": [1]}, dtype=value),
        lambda value: Sweep(function=value, space={"a": [1]}),
        check_validation,
        lambda value: run(keep_models=value),
        lambda value: run(accept_changed=value),
        lambda value: run(source=value),
        lambda value: Sweep(build, {"a": [1]}).verify(X, Y, store="none.sweep", seed=value),
        lambda value: Sweep(build, {"a": [1]}).run_trial(value, X, Y),
        lambda value: train(dtype=value),
        lambda value: train(validation=value),
        lambda value: train(initial=value),
    ],
    ids=[
        *("build", "part", "values", "repeats", "seed", "dtype", "function", "validation", "keep_models"),
        *(
            "accept_changed",
            "source",
            "verify",
            "run_trial",
            "train dtype",
            "train validation",
            "train initial",
        ),
    ],
)
def test_the_error_is_one_short_line(take: Any, value: Any) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        take(value)
    assert_one_short_line(caught.value)


@pytest.mark.parametrize("value", [*ODD_VALUES, pytest.param(3.5, id="number")])
@pytest.mark.parametrize(
    "ask",
    [
        lambda results, value: results.model(value),
        lambda results, value: results.compare(value),
        lambda results, value: results.compare(baseline=value),
        lambda results, value: results.compare(baseline={"hidden": value}),
        lambda results, value: results.plot.comparison(value),
        lambda results, value: results.plot.comparison(top=value),
        lambda results, value: results.plot.comparison(ax=value),
        lambda results, value: results.plot.learning_curves(value),
        lambda results, value: results.plot.learning_curves(top=value),
        lambda results, value: results.plot.learning_curves(ax=value),
        lambda results, value: results.plot.heatmap(value),
        lambda results, value: results.plot.heatmap(ax=value),
        lambda results, value: results.plot.slice("hidden", ax=value),
        lambda results, value: results.plot.slice(ax=value),
        lambda results, value: results.plot.parallel_coordinates(ax=value),
        lambda results, value: results.plot.decision_boundaries(X, Y, trials=value),
        lambda results, value: results.plot.decision_boundaries(value, Y),
        lambda results, value: results.plot.decision_boundaries(X, value),
    ],
    ids=[
        *(
            "model",
            "compare",
            "baseline",
            "parameters",
            "comparison metric",
            "comparison top",
            "comparison ax",
        ),
        *("curves metric", "curves top", "curves ax", "heatmap x", "heatmap ax", "slice ax", "slices ax"),
        *("coordinates ax", "boundaries trials", "boundaries X", "boundaries y"),
    ],
)
def test_an_odd_question_is_answered_in_one_short_line(
    make_results: Callable[..., Results], ask: Any, value: Any
) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        ask(make_results(4, repeats=2, epochs=3), value)
    assert_one_short_line(caught.value)


@pytest.mark.parametrize("use", [Results.open, lambda store: run(store=store)], ids=["open", "run"])
def test_a_store_that_is_no_path_is_told_in_one_line(use: Any, tmp_path: Path) -> None:
    for value in (5, 2.5, [tmp_path], {}):
        with pytest.raises(TypeError, match="store must be a path, got") as caught:
            use(value)
        assert_one_short_line(caught.value)
    for name in ("a\0b", "x" * 10**6):
        with pytest.raises(StoreError, match="leads to no file: choose another store") as refused:
            use(name)
        assert len(str(refused.value)) < 300


def test_parameters_of_a_baseline_may_be_spelled_as_they_were_given(
    make_results: Callable[..., Results],
) -> None:
    results = make_results(
        [{"layers": (8, 4), "activation": "relu", "hidden": 3}, {"activation": "relu", "hidden": 4}]
    )
    pairs = results.compare(baseline={"layers": [8, 4], "activation": "relu", "hidden": 3})
    assert pairs["a"].tolist() == [0]
