"""Results: tables, the best configuration, comparisons and models, from memory and from a store alike."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from pandas.testing import assert_frame_equal

from sweep.jobs import Record, Trial
from sweep.objective import choose_objective, higher_is_better, rank
from sweep.results import Results
from sweep.store import Store, StoreError

CLOCK = ["started", "seconds", "worker"]


def trial(number: int, configuration: int, repeat: int, **params: Any) -> Trial:
    return Trial(number, configuration, repeat, 0, 7 + repeat, params, f"id{number}")


def done(number: int, **metrics: float) -> Record:
    return Record(f"id{number}", "done", 2, metrics, {}, None, f"digest{number}", 1.8e9, 0.1, "thread-0")


def not_done(number: int, state: str, error: str | None = None) -> Record:
    return done(number)._replace(state=state, error=error, digest=None, metrics={})


def results_of(
    scores: dict[int, list[float | str]], metric: str = "validation_accuracy", **options: Any
) -> Results:
    """Return results with a score, or a state, per configuration and repeat."""
    trials, records = [], {}
    for configuration, repeats in scores.items():
        for repeat, value in enumerate(repeats):
            number = len(trials)
            trials.append(trial(number, configuration, repeat, hidden=8 * (configuration + 1)))
            if value == "pending":
                continue
            known = not_done(number, value) if isinstance(value, str) else done(number, **{metric: value})
            records[f"id{number}"] = known
    return Results(trials, records, {}, **options)


# --- Tables -----------------------------------------------------------------------------------------------------


def test_a_row_per_trial(make_results: Callable[..., Results]) -> None:
    results = make_results(4, repeats=3)
    table = results.trials
    assert list(table) == [
        "trial", "configuration", "params_hidden", "params_activation", "repeat", "fold", "seed", "state", "epoch",
        "train_loss", "validation_loss", "validation_accuracy", "error", "identity", "digest", *CLOCK,
    ]  # fmt: skip
    assert table["trial"].tolist() == list(range(12))
    assert table["configuration"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert table["params_hidden"].tolist() == [16] * 6 + [32] * 6
    assert table["params_hidden"].dtype == np.int64
    assert table["started"].dt.year.eq(2027).all()


def test_a_table_is_the_callers_own(make_results: Callable[..., Results]) -> None:
    results = make_results(4)
    for name in ("trials", "summary", "curves"):
        before = getattr(results, name)
        changed = getattr(results, name)
        changed.iloc[0, 0] = 99
        changed["more"] = 1
        assert_frame_equal(getattr(results, name), before)


def test_parameters_keep_their_kinds() -> None:
    values = [
        {"batch": 32, "rate": 1, "deep": True, "layers": [8, 4], "name": "a"},
        {"batch": None, "rate": 0.5, "deep": False, "layers": (8,), "name": "b"},
        {"batch": 16, "rate": 2, "deep": True, "layers": (), "momentum": 0.5},
    ]
    results = Results([trial(i, i, 0, **params) for i, params in enumerate(values)], {}, {})
    table = results.trials
    assert table["params_batch"].tolist() == [32, None, 16]
    assert table["params_rate"].tolist() == [1.0, 0.5, 2.0]
    assert table["params_deep"].tolist() == [True, False, True]
    assert table["params_layers"].tolist() == [(8, 4), (8,), ()]
    assert table["params_momentum"].tolist() == [None, None, 0.5]
    assert table["params_name"].tolist() == ["a", "b", None]


def test_trials_without_results_are_rows_too() -> None:
    results = results_of({0: [0.5, "diverged", "pending"], 1: ["failed", 0.25, 0.5]})
    table = results.trials
    assert table["state"].tolist() == ["done", "diverged", "pending", "failed", "done", "done"]
    assert table["validation_accuracy"].isna().tolist() == [False, True, True, True, False, False]
    assert table["epoch"].tolist() == [2, 2, 0, 2, 2, 2]
    assert table["seconds"].isna().tolist() == [False, False, True, False, False, False]


def test_a_row_per_configuration(make_results: Callable[..., Results]) -> None:
    results = make_results(24)
    table = results.summary
    assert list(table)[:5] == [
        "configuration",
        "params_hidden",
        "params_activation",
        "params_learning_rate",
        "n",
    ]
    assert list(table)[-5:] == [
        f"{name}_validation_accuracy" for name in ("mean", "std", "ci_low", "ci_high")
    ] + ["rank"]
    assert table["rank"].is_monotonic_increasing
    assert table["mean_validation_accuracy"].is_monotonic_decreasing
    expected = results.trials.groupby("configuration")["validation_loss"].agg(["count", "mean", "std"])
    found = table.set_index("configuration").sort_index()
    np.testing.assert_allclose(
        found[["n", "mean_validation_loss", "std_validation_loss"]], expected, rtol=1e-12
    )


def test_incomplete_configurations_rank_last_and_count_what_is_done() -> None:
    results = results_of(
        {0: [0.5, 0.6], 1: [0.9, "diverged"], 2: [0.7, 0.7], 3: ["failed"] * 2, 4: [0.95, "pending"]}
    )
    table = results.summary
    assert table["configuration"].tolist() == [2, 0, 4, 1, 3]
    assert table["rank"].tolist() == [1, 2, 3, 4, 5]
    assert table["n"].tolist() == [2, 2, 1, 1, 0]
    assert table["mean_validation_accuracy"].tolist()[:4] == pytest.approx([0.7, 0.55, 0.95, 0.9])
    assert results.best == {"hidden": 24}


def test_a_loss_is_better_when_lower() -> None:
    results = results_of({0: [0.5], 1: [0.1]}, "train_loss")
    assert results.objective == "train_loss"
    assert results.best == {"hidden": 16}
    assert "no validation data" in repr(results)


def test_the_objective_can_be_chosen(make_results: Callable[..., Results]) -> None:
    results = make_results(24, {"objective": "train_loss"})
    assert results.summary["mean_train_loss"].is_monotonic_increasing


def test_ranks() -> None:
    assert rank([0.1 + 0.2, 0.3, 0.5], [True] * 3, higher=False).tolist() == [1, 1, 3]
    assert rank([np.nan, np.nan, 0.5], [False, False, True], higher=True).tolist() == [2, 2, 1]
    assert rank([], [], higher=True).tolist() == []


def test_objectives() -> None:
    assert choose_objective(["train_loss", "validation_r2"]) == "validation_r2"
    assert choose_objective(["seconds_per_row"]) == "seconds_per_row"
    assert choose_objective([]) == "train_loss"
    with pytest.raises(ValueError, match=r"metric must be one of train_loss; got 'f1'"):
        choose_objective(["train_loss"], "f1")
    assert [higher_is_better(name) for name in ("validation_r2", "f1", "log_loss", "test_mae")] == [
        1,
        1,
        0,
        0,
    ]


def test_curves_are_tidy() -> None:
    curves = {"train_loss": np.array([0.5, 0.1]), "validation_accuracy": np.array([0.25])}
    trials = [trial(0, 0, 0, hidden=8), trial(1, 0, 1, hidden=8), trial(2, 0, 2, hidden=8)]
    records = {
        "id0": done(0)._replace(curves=curves),
        "id2": done(2)._replace(curves={"loss": np.array([1.0])}),
    }
    expected = pd.DataFrame(
        {
            "trial": [0, 0, 0, 2],
            "epoch": [1, 2, 1, 1],
            "split": ["train", "train", "validation", ""],
            "metric": ["loss", "loss", "accuracy", "loss"],
            "value": np.array([0.5, 0.1, 0.25, 1.0], np.float32),
        }
    )
    assert_frame_equal(
        Results(trials, records, {}).curves, expected, check_categorical=False, check_dtype=False
    )
    assert Results(trials, {}, {}).curves.empty


def test_two_configurations_that_build_the_same_are_both_reported() -> None:
    trials = [trial(0, 0, 0, hidden=8), trial(1, 1, 0, hidden=8.0)._replace(identity="id0")]
    records = {"id0": done(0, train_loss=0.5)._replace(curves={"train_loss": np.array([0.5])})}
    results = Results(trials, records, {})
    assert results.trials["train_loss"].tolist() == [0.5, 0.5]
    assert results.summary["rank"].tolist() == [1, 1]
    assert results.curves["trial"].tolist() == [0, 1]


def test_a_store_gives_the_same_tables_as_memory(
    make_results: Callable[..., Results], tmp_path: Path
) -> None:
    memory = make_results(40, {"objective": "validation_loss"})
    with Store.open(tmp_path / "digits.sweep") as store:
        store.describe(memory.description)
        store.replace_trials(memory._trials)
        for record in memory._records.values():
            store.record(record)
        store.record(done(9)._replace(identity="of another sweep", metrics={"f1": 0.5}))
    stored = Results.open(tmp_path / "digits.sweep")
    for name in ("trials", "summary", "curves"):
        assert_frame_equal(getattr(stored, name), getattr(memory, name))
    assert stored.objective == memory.objective
    assert stored.best == memory.best
    assert repr(stored) == repr(memory)
    with pytest.raises(StoreError):
        Results.open(tmp_path / "nothing.sweep")


# --- Answers ----------------------------------------------------------------------------------------------------


def test_compare_with_the_best(make_results: Callable[..., Results]) -> None:
    results = make_results(24)
    table = results.compare()
    assert list(table) == [
        "a", "b", "params_hidden", "params_activation", "params_learning_rate", "n", "mean_difference", "std",
        "ci_low", "ci_high", "p_value", "p_holm",
    ]  # fmt: skip
    order = results.summary["configuration"].tolist()
    assert set(table["a"]) == {order[0]}
    assert table["b"].tolist() == order[1:]
    scores = results.trials.pivot_table(index="repeat", columns="configuration", values="validation_accuracy")
    expected = scipy.stats.ttest_rel(scores[order[0]], scores[order[5]])
    assert table["p_value"][4] == pytest.approx(expected.pvalue)
    assert table["mean_difference"][4] == pytest.approx((scores[order[0]] - scores[order[5]]).mean())
    first = results.trials.drop_duplicates("configuration").set_index("configuration")
    assert table["params_hidden"].tolist() == first.loc[table["b"], "params_hidden"].tolist()


def test_compare_with_another_baseline(make_results: Callable[..., Results]) -> None:
    results = make_results(4)
    by_number = results.compare("train_loss", baseline=2)
    assert_frame_equal(by_number, results.compare("train_loss", {"hidden": 32, "activation": "relu"}))
    assert set(by_number["a"]) == {2}
    assert len(results.compare(baseline="all")) == 6
    with pytest.raises(
        ValueError, match="baseline must be a configuration's number or parameters, or 'all', got 17"
    ):
        results.compare(baseline=17)
    with pytest.raises(ValueError, match="metric must be one of train_loss, validation_loss"):
        results.compare("f1")


def test_nothing_done_has_no_best() -> None:
    results = Results([trial(0, 0, 0)], {"id0": not_done(0, "failed", "ValueError: units must be > 0")}, {})
    with pytest.raises(ValueError, match=r"no trial is done \(1 failed\): ValueError: units must be > 0"):
        _ = results.best
    assert repr(results).splitlines()[1:] == [
        "  1 trial of 1 configuration: 1 failed",
        "  the first error: ValueError: units must be > 0",
    ]
    assert Results([], {}, {}).summary.empty
    for nothing_done in (results, Results([], {}, {})):
        for ask in (lambda it: it.best, lambda it: it.compare(), lambda it: it.compare(baseline="all")):
            with pytest.raises(ValueError, match=r"no trial is done \("):
                ask(nothing_done)
    assert repr(Results([], {}, {})).startswith("Results")
    wanted = results_of({0: ["diverged"]})
    wanted.description["objective"] = "validation_accuracy"
    assert wanted.summary["rank"].tolist() == [1]


def test_best_gives_back_what_build_was_given() -> None:
    schedule = object()
    results = Results([trial(0, 0, 0, rate=schedule)], {"id0": done(0, train_loss=1.0)}, {})
    assert results.best["rate"] is schedule


# --- Models -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FakeModel:
    name: str

    def digest(self) -> str:
        return self.name


def test_a_model_is_kept_or_trained_again_and_proven() -> None:
    asked = []

    def train_again(one: Trial) -> FakeModel:
        asked.append(one.trial)
        return FakeModel(f"digest{one.trial}" if one.trial != 2 else "another")

    results = results_of(
        {0: [0.5, 0.6, 0.7, "failed", "pending"]},
        train_again=train_again,
        kept_models={"id0": FakeModel("digest0")},
    )
    assert results.model(0) == FakeModel("digest0")
    assert results.model(1) == FakeModel("digest1")
    assert asked == [1]
    with pytest.raises(
        ValueError, match=r"trial 2 is not the recorded one \(digest another, recorded digest2\)"
    ):
        results.model(2)
    with pytest.raises(ValueError, match=r"trial 3 has no model \(failed"):
        results.model(3)
    with pytest.raises(ValueError, match=r"trial 4 has no model \(pending\)"):
        results.model(4)
    with pytest.raises(ValueError, match="trial must be one of the 5 trials, got 5"):
        results.model(5)


def test_the_model_asked_for_by_no_number_is_the_first_done_of_the_best() -> None:
    models = {f"id{number}": FakeModel(f"digest{number}") for number in range(6)}
    results = results_of({0: [0.5, 0.6, 0.7], 1: ["failed", 0.9, 0.9]}, kept_models=models)
    assert results.best == {"hidden": 8}  # the other has a trial that is not done
    assert results.model() == FakeModel("digest0")
    results = results_of({0: ["diverged", 0.6, 0.7]}, kept_models=models)
    assert results.model() == FakeModel("digest1")
    with pytest.raises(ValueError, match=r"no trial is done \(1 failed\)"):
        results_of({0: ["failed"]}).model()


def test_a_model_that_was_not_kept_needs_the_sweep() -> None:
    with pytest.raises(ValueError, match="trial 0 was not kept: run the sweep on this store again"):
        results_of({0: [0.5]}).model(0)


# --- Seen -------------------------------------------------------------------------------------------------------


def test_a_short_text(make_results: Callable[..., Results]) -> None:
    lines = repr(make_results(24)).splitlines()
    assert lines[:2] == ["Results", "  120 trials of 24 configurations: 120 done"]
    assert lines[2].startswith("  best validation_accuracy: 0.9617 ± 0.0093 (mean and 95 % interval, n = 5)")
    assert lines[3] == "  hidden=32, activation=relu, learning_rate=0.1"


def test_a_count_is_a_whole_number_where_all_parameters_are_numbers() -> None:
    lines = repr(results_of({0: [0.25, 0.75, 0.5], 1: [0.5, 0.25, 0.25]})).splitlines()
    assert lines[2].endswith("(mean and 95 % interval, n = 3)")


def test_what_is_best_of_an_unfinished_sweep_is_so_so_far() -> None:
    lines = repr(results_of({0: [0.25, 0.75], 1: [0.5, "pending"]})).splitlines()
    assert lines[2].startswith("  best so far, validation_accuracy: 0.5")


def test_a_trial_that_never_started_has_no_time_of_start() -> None:
    failed = not_done(0, "failed", "ValueError: no")._replace(started=0.0)
    assert Results([trial(0, 0, 0)], {"id0": failed}, {}).trials["started"].isna().all()


def test_the_plots_name_themselves(make_results: Callable[..., Results]) -> None:
    text = repr(make_results(4).plot)
    assert text.startswith("Plots: comparison(), learning_curves(), heatmap(), slice(), ")
    assert text.endswith("; each returns Axes")


def test_a_notebook_shows_a_table_and_runs_no_code() -> None:
    trials = [trial(i, i, 0, name=f"<script>{i}</script>") for i in range(12)]
    results = Results(trials, {f"id{i}": done(i, train_loss=float(i)) for i in range(12)}, {})
    html = results._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;0&lt;/script&gt;" in html
    assert "and 2 more in <code>results.summary</code>" in html


def test_heavy_libraries_are_imported_late() -> None:
    code = (
        "import sys, sweep, sweep.results, sweep.store, sweep.statistics, sweep.plots\n"
        "print([m for m in ('joblib', 'pandas', 'matplotlib', 'scipy', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
