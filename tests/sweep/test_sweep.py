from __future__ import annotations

import functools
import gc
import subprocess
import sys
from functools import partial, reduce
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from neuralnet_core import Adam, Dense, EarlyStopping, GradientDescent, Network, derive_seed, engine_info
from sweep import Results, Sweep, uniform
from sweep.errors import UserError
from sweep.study import Study
from sweep.values import plain_value

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3))
LABELS = (X[:, 0] + 0.5 * X[:, 1] > 0).astype(int) + (X[:, 2] > 1)
TARGETS = X @ [1.0, -2.0, 0.5]
CLOCK = ["started", "seconds", "worker"]
GRID = {"hidden": [3, 5], "rate": [0.01, 0.1]}


def classify(hidden: int = 4, rate: float = 0.01) -> tuple[Network, Adam]:
    return Network([Dense(hidden, "relu"), Dense(3)], loss="softmax_cross_entropy"), Adam(rate, epochs=3)


def regress(hidden: int = 4, rate: float = 0.01) -> tuple[Network, Adam]:
    return Network([Dense(hidden, "tanh"), Dense(1)], loss="mse"), Adam(rate, epochs=3)


def run(sweep: Sweep, X: Any = X, y: Any = LABELS, **options: Any) -> Any:
    return sweep.run(X, y, **({"validation": 0.25, "n_jobs": 1} | options))


def table(results: Any) -> pd.DataFrame:
    frame: pd.DataFrame = results.trials.drop(columns=CLOCK)
    return frame


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


# --- With a store -------------------------------------------------------------------------------------------


def test_a_store_gives_the_same_tables(tmp_path: Path) -> None:
    path = tmp_path / "grid.sweep"
    results = run(Sweep(classify, GRID, repeats=2), store=path)
    memory = run(Sweep(classify, GRID, repeats=2))
    for other in (memory, Results.open(path)):
        pd.testing.assert_frame_equal(table(results), table(other))
        pd.testing.assert_frame_equal(results.summary, other.summary)
        pd.testing.assert_frame_equal(results.curves, other.curves)
        assert results.objective == other.objective


def test_a_store_gives_back_the_deepest_value_that_a_space_may_have(tmp_path: Path) -> None:
    deep = reduce(lambda inner, _: [inner], range(38), [8])
    sweep = Sweep(lambda layers: classify(), {"layers": [deep]})
    best = run(sweep, store=tmp_path / "deep.sweep").best
    assert Results.open(tmp_path / "deep.sweep").best == {"layers": plain_value(best["layers"])}
    with pytest.raises(ValueError, match="nested at most 39 deep"):
        Sweep(lambda layers: classify(), {"layers": [[deep]]})


def test_a_store_says_which_engine_trained(tmp_path: Path) -> None:
    run(Sweep(classify, GRID), store=tmp_path / "a.sweep")
    description, engine = Results.open(tmp_path / "a.sweep").description, engine_info()
    assert description["instruction_set"] == engine.instruction_set
    assert description["numerics_version"] == engine.numerics_version


def test_a_store_is_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "grid.sweep"
    half = run(Sweep(classify, {"hidden": [3], "rate": [0.01, 0.1]}, repeats=2), store=path)
    trained: list[int] = []
    monkeypatch.setattr("sweep.study.plan", _counting(trained))
    whole = run(Sweep(classify, GRID, repeats=2), store=path)
    assert trained == [4]
    again = run(Sweep(classify, GRID, repeats=2), store=path)
    assert trained == [4]
    pd.testing.assert_frame_equal(table(whole), table(run(Sweep(classify, GRID, repeats=2))))
    pd.testing.assert_frame_equal(whole.trials, again.trials)
    assert set(half.trials["identity"]) < set(whole.trials["identity"])
    pd.testing.assert_frame_equal(whole.curves, run(Sweep(classify, GRID, repeats=2)).curves)


def _counting(trained: list[int]) -> Any:
    from sweep.planner import plan

    def counted(jobs: Any, *rest: Any, **options: Any) -> Any:
        trained.append(len(jobs))
        return plan(jobs, *rest, **options)

    return counted


def test_other_data_is_trained_anew(tmp_path: Path) -> None:
    path = tmp_path / "grid.sweep"
    first = run(Sweep(classify, GRID), store=path)
    with pytest.warns(UserWarning, match="the data .* are not those"):
        second = run(Sweep(classify, GRID), X=X + 1, store=path)
    assert not set(first.trials["identity"]) & set(second.trials["identity"])


@pytest.mark.filterwarnings("ignore:the data .* are not those:UserWarning")
def test_another_split_is_trained_anew(tmp_path: Path) -> None:
    path = tmp_path / "grid.sweep"
    first = run(Sweep(classify, GRID), store=path)
    for validation in (0.5, (X[:30], LABELS[:30]), None):
        second = run(Sweep(classify, GRID), store=path, validation=validation)
        assert not set(first.trials["identity"]) & set(second.trials["identity"])
        assert set(second.trials["state"]) == {"done"}


def test_more_repeats_keep_the_first_ones(tmp_path: Path) -> None:
    path = tmp_path / "grid.sweep"
    few = run(Sweep(classify, GRID, repeats=2), store=path).trials
    many = run(Sweep(classify, GRID, repeats=3), store=path).trials
    assert set(few["identity"]) < set(many["identity"])
    assert many[many["repeat"] < 2]["started"].tolist() == few["started"].tolist()


def test_a_store_keeps_models(tmp_path: Path) -> None:
    path = tmp_path / "grid.sweep"
    results = run(Sweep(classify, GRID), store=path, keep_models=True)
    assert Results.open(path).model(1).digest() == results.trials.loc[1, "digest"]


# --- Wrong use ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"build": 3}, TypeError, "build must be a function"),
        ({"space": {}}, ValueError, "space is empty"),
        ({"space": {"hidden": []}}, ValueError, r"space\['hidden'\] has no values"),
        ({"repeats": 0}, ValueError, "repeats must be >= 1, got 0"),
        ({"repeats": 1.5}, TypeError, "repeats must be an integer >= 1"),
        ({"seed": -1}, ValueError, "seed must be >= 0, got -1"),
        ({"seed": 2**64}, ValueError, "seed must be < 2"),
        ({"seed": "a"}, TypeError, "seed must be an integer"),
        ({"dtype": "float16"}, ValueError, "dtype must be one of float32, float64; got 'float16'"),
        (
            {"space": {f"p{i}": range(10) for i in range(30)}},
            ValueError,
            r"about 10\^30 configurations x 1 repeat are more than 10,000,000 trials; give samples=",
        ),
        ({"repeats": 10**5000}, ValueError, r"x about 10\^5000 repeats are more than 10,000,000 trials"),
        ({"samples": 10**5000}, ValueError, r"about 10\^5000 configurations x 1 repeat are more than"),
    ],
)
def test_a_bad_sweep(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Sweep(**({"build": classify, "space": GRID} | arguments))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_jobs": 0}, ValueError, "n_jobs must not be 0"),
        ({"backend": "gpu"}, ValueError, "backend must be one of"),
        ({"validation": 1.0}, ValueError, "validation must be a fraction > 0 and < 1"),
        ({"validation": "some"}, TypeError, "validation must be"),
        ({"validation": 0.001}, ValueError, "validation"),
        ({"y": LABELS[:-1]}, ValueError, "X and y must have the same number of rows; X has 120, y has 119"),
        ({"X": np.where(X > 2, np.nan, X)}, ValueError, "X must be finite|X .*finite"),
        ({"X": X[:0], "y": LABELS[:0]}, ValueError, "X"),
        ({"sample_weight": np.ones(3)}, ValueError, "sample_weight"),
        (
            {"objective": "accuracy"},
            ValueError,
            "objective must be one of validation_accuracy, .*got 'accuracy'",
        ),
        (
            {"objective": "validation_r2"},
            ValueError,
            "objective must be one of train_loss, validation_loss, val",
        ),
        ({"objective": "validation_loss", "validation": None}, ValueError, "needs validation=, such as"),
        ({"progress": "loud"}, ValueError, "progress must be True, False or"),
    ],
)
def test_a_bad_run(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        run(Sweep(classify, GRID), **options)
    assert "\n" not in str(caught.value)


def wrapped(build: Any) -> Any:
    """Return a build that gives another one half the units, and says to be that one."""

    @functools.wraps(build)
    def halved(units: int, **others: Any) -> Any:
        return build(hidden=units // 2, **others)

    return halved


class Builder:
    """A callable that is no function."""

    def __call__(self, hidden: int, /, rate: float = 0.01, *, epochs: int) -> tuple[Network, Adam]:
        return Network([Dense(hidden), Dense(3)], loss="softmax_cross_entropy"), Adam(rate, epochs=epochs)

    def method(self, hidden: int) -> tuple[Network, Adam]:
        return classify(hidden)


def takes_all(**params: Any) -> tuple[Network, Adam]:
    return classify(**params)


def needs_both(hidden: int, rate: float) -> tuple[Network, Adam]:
    return classify(hidden, rate)


@pytest.mark.parametrize(
    ("build", "space", "message"),
    [
        (
            classify,
            {"hiden": [3], "rate": [0.1]},
            "space does not fit build: unknown parameter 'hiden'; did you mean hidden?"
            " (allowed: hidden, rate)",
        ),
        (
            needs_both,
            {"hidden": [3]},
            "space does not fit build: no values for 'rate'; give it some, or give it a default in build",
        ),
        (
            needs_both,
            [{"hidden": [3], "rate": [0.1]}, {"hidden": [3], "rat": uniform(0, 1)}],
            "space[1] does not fit build: unknown parameter 'rat'; did you mean rate?"
            " (allowed: hidden, rate)",
        ),
        (
            lambda: needs_both(3, 0.1),
            {"hidden": [3]},
            "space does not fit build: unknown parameter 'hidden' (none is allowed here)",
        ),
        (
            partial(needs_both, 4),
            {"hidden": [3], "rate": [0.1]},
            "space does not fit build: unknown parameter 'hidden' (allowed: rate)",
        ),
        (
            partial(needs_both, rate=0.1),
            {"hidden": [3], "rat": [0.1]},
            "space does not fit build: unknown parameter 'rat'; did you mean rate? (allowed: hidden, rate)",
        ),
        (
            Builder().method,
            {"self": [1], "hidden": [3]},
            "space does not fit build: unknown parameter 'self' (allowed: hidden)",
        ),
        (
            partial(Builder(), 3),
            {"rate": [0.1]},
            "space does not fit build: no values for 'epochs'; give it some, or give it a default in build",
        ),
        (
            wrapped(classify),
            {"hidden": [3]},
            "space does not fit build: no values for 'units'; give it some, or give it a default in build",
        ),
    ],
)
def test_parameters_that_build_does_not_take_are_told_before_anything_is_built(
    build: Any, space: Any, message: str
) -> None:
    with pytest.raises(UserError) as caught:
        Sweep(build, space, samples=2)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("build", "space"),
    [
        (takes_all, {"hidden": [3]}),
        (partial(classify, rate=0.1), {"hidden": [3], "rate": [0.2]}),
        (partial(Builder(), 3, epochs=1), {"rate": [0.1]}),
        (Builder().method, {"hidden": [3]}),
        (wrapped(classify), {"units": [6], "rate": [0.1]}),
        (functools.lru_cache(classify), {"hidden": [3]}),
    ],
)
def test_parameters_that_build_takes_in_its_own_way(build: Any, space: Any) -> None:
    assert set(run(Sweep(build, space)).trials["state"]) == {"done"}


def test_a_build_that_says_nothing_about_what_it_takes_is_called() -> None:
    with pytest.warns(UserWarning, match="every configuration failed"):
        assert set(run(Sweep(getattr, {"hidden": [3]})).trials["state"]) == {"failed"}


def test_importing_sweep_is_light() -> None:
    heavy = ["pandas", "matplotlib", "sklearn", "scipy", "pydantic", "rich", "click"]
    script = f"import sweep, sys; print([name for name in {heavy} if name in sys.modules])"
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"


@pytest.mark.parametrize("young", [0, 700, 90_000])
def test_python_looks_for_garbage_rarely_while_networks_train(young: int) -> None:
    seen: list[int] = []

    def noted(rate: float) -> tuple[Network, GradientDescent]:
        seen.append(gc.get_threshold()[0])
        return Network([Dense(1)]), GradientDescent(rate, epochs=1)

    before = gc.get_threshold()
    gc.set_threshold(young, 7, 8)
    try:
        Sweep(noted, {"rate": [0.1]}).run([[0.0], [1.0]], [0.0, 1.0], n_jobs=1)
        with pytest.raises(ValueError, match="objective"):
            Sweep(noted, {"rate": [0.1]}).run([[0.0], [1.0]], [0.0, 1.0], objective="validation_loss")
        assert gc.get_threshold() == (young, 7, 8)
    finally:
        gc.set_threshold(*before)
    assert seen == [young and max(young, 50_000)] * 2
