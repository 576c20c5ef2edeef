"""Sweeps of networks: what is trained, what becomes of it, and what fails alone."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_sweeps import CLOCK, GRID, LABELS, TARGETS, X, classify, regress, run, table

from neuralnet_core import Adam, Dense, EarlyStopping, GradientDescent, Network, derive_seed
from sweep import Sweep, uniform
from sweep.study import Study


def test_a_row_per_trial_in_order_of_configuration_then_repeat() -> None:
    trials = run(Sweep(classify, GRID, repeats=3)).trials
    assert trials["trial"].tolist() == list(range(12))
    assert trials["params_hidden"].tolist() == [3] * 6 + [5] * 6
    assert trials["params_rate"].tolist() == [0.01] * 3 + [0.1] * 3 + [0.01] * 3 + [0.1] * 3
    assert trials["repeat"].tolist() == [0, 1, 2] * 4
    assert set(trials["state"]) == {"done"}
    assert trials["validation_accuracy"].between(0, 1).all()
    assert trials.columns[-3:].tolist() == CLOCK


def test_all_configurations_of_a_repeat_share_the_seed() -> None:
    trials = run(Sweep(classify, GRID, repeats=3, seed=5)).trials
    expected = {repeat: derive_seed(5, repeat, 0) for repeat in range(3)}
    assert all(
        seed == expected[repeat] for seed, repeat in zip(trials["seed"], trials["repeat"], strict=True)
    )


def test_a_trial_is_what_network_train_gives() -> None:
    sweep = Sweep(classify, GRID, repeats=2)
    results = run(sweep, validation=(X[:30], LABELS[:30]))
    for trial in (0, 5):
        row = results.trials.loc[trial]
        network, optimizer = classify(row["params_hidden"], row["params_rate"])
        model = network.train(X, LABELS, optimizer, seed=int(row["seed"]), validation=(X[:30], LABELS[:30]))
        assert model.digest() == row["digest"]
        assert model.score(X[:30], LABELS[:30]) == row["validation_accuracy"]


def test_results_hold_the_same_model_again() -> None:
    results = run(Sweep(classify, GRID))
    again = results.model(2)
    assert again.digest() == results.trials.loc[2, "digest"]
    kept = run(Sweep(classify, GRID), keep_models=True).model(2)
    assert kept.digest() == again.digest()


def test_string_labels() -> None:
    names = np.array(["cat", "dog", "eel"])[LABELS]
    assert table(run(Sweep(classify, GRID), y=names))["validation_accuracy"].equals(
        table(run(Sweep(classify, GRID)))["validation_accuracy"]
    )


def test_configurations_that_build_the_same_are_trained_once_and_reported_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    studies: list[Study] = []
    of = Study.of
    monkeypatch.setattr(Study, "of", lambda *arguments: studies.append(of(*arguments)) or studies[-1])
    results = run(
        Sweep(lambda name, rate: classify(rate=rate), {"name": ["a", "b"], "rate": [0.01]}, repeats=2)
    )
    assert len(studies[0].jobs) == 2
    trials = table(results)
    first, second = (trials[trials["params_name"] == name] for name in "ab")
    assert len(first) == len(second) == 2
    same = [name for name in trials if name not in ("trial", "configuration", "params_name")]
    assert first[same].reset_index(drop=True).equals(second[same].reset_index(drop=True))


def test_a_trial_does_not_depend_on_what_else_is_in_the_space() -> None:
    mixed = Sweep(
        lambda kind, hidden: {"c": classify, "r": regress}[kind](hidden), {"kind": ["c", "r"], "hidden": [3]}
    )
    alone = Sweep(lambda kind, hidden: classify(hidden), {"kind": ["c"], "hidden": [3]})
    assert table(run(mixed)).loc[0, "digest"] == table(run(alone)).loc[0, "digest"]


def test_a_build_that_raises_fails_alone() -> None:
    results = run(Sweep(classify, {"hidden": [3, 0], "rate": [0.01]}, repeats=2))
    trials = results.trials
    assert trials["state"].tolist() == ["done", "done", "failed", "failed"]
    assert trials["error"].tolist()[2:] == ["ValueError: units must be >= 1, got 0"] * 2
    assert trials["identity"].is_unique
    assert results.best == {"hidden": 3, "rate": 0.01}
    with pytest.raises(ValueError, match="trial 2 has no model"):
        results.model(2)


def test_a_network_the_data_does_not_fit_fails_alone() -> None:
    def build(outputs: int) -> Any:
        return Network([Dense(outputs)], loss="softmax_cross_entropy"), Adam(epochs=1)

    results = run(Sweep(build, {"outputs": [2, 3, 7]}))
    assert results.trials["state"].tolist() == ["failed", "done", "failed"]
    assert "Dense(7)" in results.trials.loc[2, "error"]


def test_early_stopping_without_validation_is_a_failure_with_a_reason() -> None:
    def build(stop: bool) -> Any:
        early = EarlyStopping() if stop else None
        return Network([Dense(1)]), GradientDescent(0.1, epochs=3, early_stopping=early)

    results = run(Sweep(build, {"stop": [True, False]}), y=TARGETS, validation=None)
    assert results.trials["state"].tolist() == ["failed", "done"]
    assert "needs validation" in results.trials.loc[0, "error"]


def test_divergence_is_a_state_and_no_warning() -> None:
    def build(rate: float) -> Any:
        return Network([Dense(1)]), GradientDescent(rate, epochs=30)

    results = run(Sweep(build, {"rate": [0.01, 1e7]}), y=TARGETS)
    assert results.trials["state"].tolist() == ["done", "diverged"]
    assert pd.isna(results.trials.loc[1, "digest"])
    assert results.best == {"rate": 0.01}


def test_if_every_configuration_fails_one_line_says_so() -> None:
    with pytest.warns(UserWarning, match=r"every configuration failed \(2\); the first: ValueError: units"):
        results = run(Sweep(classify, {"hidden": [0, -1]}))
    assert set(results.trials["state"]) == {"failed"}
    with pytest.raises(ValueError, match="no trial is done"):
        _ = results.best


def test_objectives() -> None:
    assert run(Sweep(classify, GRID)).objective == "validation_accuracy"
    assert run(Sweep(regress, GRID), y=TARGETS).objective == "validation_r2"
    assert run(Sweep(regress, GRID), y=TARGETS, validation=None).objective == "train_loss"
    assert run(Sweep(classify, GRID), objective="validation_loss").objective == "validation_loss"


def test_distributions_are_drawn() -> None:
    sweep = Sweep(classify, {"rate": uniform(0.001, 0.1)}, samples=7, seed=3)
    rates = run(sweep).trials["params_rate"]
    assert rates.is_unique
    assert rates.between(0.001, 0.1).all()
    assert rates.tolist() == [one["rate"] for one in sweep.space]
    assert rates.tolist() != [
        one["rate"] for one in Sweep(classify, {"rate": uniform(0.001, 0.1)}, samples=7).space
    ]


def test_sample_weights_and_float64() -> None:
    sweep = Sweep(regress, GRID, dtype="float64")
    plain, weighted = (run(sweep, y=TARGETS, sample_weight=one) for one in (None, np.linspace(0, 1, 120)))
    assert not plain.trials["digest"].isin(weighted.trials["digest"]).any()
    assert weighted.model(0).dtype == "float64"


def test_importing_sweep_is_light() -> None:
    heavy = ["pandas", "matplotlib", "sklearn", "scipy", "pydantic", "rich", "click"]
    script = f"import sweep, sys; print([name for name in {heavy} if name in sys.modules])"
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"
