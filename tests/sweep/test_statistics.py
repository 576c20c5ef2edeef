"""Intervals, paired tests and the correction for many of them, against SciPy and by their properties."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from sweep.statistics import group_statistics, holm, paired_differences, summarize, t_interval

samples = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20)
probabilities = st.lists(st.floats(0, 1), min_size=1, max_size=30)


def table(values: dict[int, list[float | None]]) -> pd.DataFrame:
    """Return a table of trials: per configuration a value per repeat, None where the trial diverged."""
    rows = [
        {
            "configuration": configuration,
            "repeat": repeat,
            "fold": 0,
            "state": "diverged" if value is None else "done",
            "score": np.nan if value is None else value,
        }
        for configuration, repeats in values.items()
        for repeat, value in enumerate(repeats)
    ]
    return pd.DataFrame(rows)


# --- Means ------------------------------------------------------------------------------------------------------


@given(samples, st.floats(0.5, 0.999))
def test_the_interval_is_scipys(values: list[float], confidence: float) -> None:
    mean, std = np.mean(values), np.std(values, ddof=1)
    low, high = t_interval(mean, std, len(values), confidence)
    if std == 0:
        assert low == high == mean
    else:
        scale = std / np.sqrt(len(values))
        expected = scipy.stats.t.interval(confidence, len(values) - 1, mean, scale)
        np.testing.assert_allclose((low, high), expected, rtol=1e-9, atol=1e-9 * abs(mean))


@given(st.lists(samples, min_size=1, max_size=5))
def test_groups_are_as_if_each_were_alone(groups: list[list[float]]) -> None:
    values = np.concatenate(groups)
    number = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    mixed = np.argsort(np.sin(np.arange(len(values)) * 99.0))
    found = group_statistics(values[mixed], number[mixed], len(groups))
    for i, group in enumerate(groups):
        size = np.abs(group).max()
        assert found.n[i] == len(group)
        np.testing.assert_allclose(found.mean[i], np.mean(group), rtol=1e-12, atol=1e-12 * size)
        np.testing.assert_allclose(found.std[i], np.std(group, ddof=1), rtol=1e-9, atol=1e-12 * size)


def test_spread_survives_a_large_mean() -> None:
    found = group_statistics([1e9, 1e9 + 1, 1e9 + 2], [0, 0, 0], 1)
    assert found.std[0] == 1.0


def test_what_cannot_be_known_is_nan_and_spoils_nothing() -> None:
    found = group_statistics([1.0, np.nan, 3.0, 7.0, np.inf], [0, 0, 0, 1, 1], 3)
    np.testing.assert_array_equal(found.n, [2, 1, 0])
    np.testing.assert_array_equal(found.mean, [2.0, 7.0, np.nan])
    np.testing.assert_array_equal(np.isnan(found.std), [False, True, True])
    np.testing.assert_array_equal(np.isnan(found.ci_high), [False, True, True])


def test_a_summary_counts_only_what_is_done() -> None:
    trials = table({3: [0.5, 0.7, None], 1: [0.9, 0.9, 0.9], 7: [None, None, None]})
    trials.loc[2, "score"] = 123.0  # what a diverged trial had got to
    found = summarize(trials, ["score"])
    assert list(found) == ["n", "mean_score", "std_score", "ci_low_score", "ci_high_score"]
    assert found["n"].to_dict() == {1: 3, 3: 2, 7: 0}
    assert found.loc[3, "mean_score"] == pytest.approx(0.6)
    assert found.loc[1, ["std_score", "ci_low_score", "ci_high_score"]].tolist() == pytest.approx(
        [0, 0.9, 0.9]
    )
    assert np.isnan(found.loc[7, "mean_score"])


@pytest.mark.parametrize("repeats", [2, 5, 30])
def test_the_interval_covers_the_true_mean_as_often_as_it_says(repeats: int) -> None:
    draws = np.random.default_rng(0).normal(3.0, 2.0, (4000, repeats))
    low, high = t_interval(draws.mean(axis=1), draws.std(axis=1, ddof=1), np.full(4000, repeats))
    assert 0.94 < np.mean((low <= 3.0) & (high >= 3.0)) < 0.96


# --- Pairs ------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100)), min_size=2, max_size=12))
def test_a_pair_is_scipys_paired_t_test(values: list[tuple[float, float]]) -> None:
    a, b = np.transpose(values)
    found = paired_differences(table({0: list(a), 1: list(b)}), "score", [(0, 1)]).iloc[0]
    size = np.abs(values).max()
    spread = np.std(a - b, ddof=1)
    assert found["n"] == len(values)
    np.testing.assert_allclose(found["mean_difference"], np.mean(a - b), rtol=1e-9, atol=1e-12 * size)
    if spread > 1e-6 * size:
        expected = scipy.stats.ttest_rel(a, b)
        low, high = expected.confidence_interval(0.95)
        np.testing.assert_allclose(found["p_value"], expected.pvalue, rtol=1e-6, atol=1e-12)
        np.testing.assert_allclose(
            [found["ci_low"], found["ci_high"]], [low, high], rtol=1e-6, atol=1e-9 * size
        )
    elif spread == 0:
        assert found["p_value"] == float(np.array_equal(a, b))


def test_only_shared_repeats_count() -> None:
    trials = table({0: [0.9, 0.8, None, 0.7], 1: [0.5, None, 0.4, 0.6], 2: [None, 0.1, None, None]})
    found = paired_differences(trials, "score", [(0, 1), (0, 2), (1, 2)])
    assert found["n"].tolist() == [2, 1, 0]
    assert found["mean_difference"][0] == pytest.approx((0.4 + 0.1) / 2)
    assert found["p_value"].isna().tolist() == [False, True, True]
    assert found["p_holm"][0] == found["p_value"][0]  # pairs that cannot be tested are no tests


def test_folds_pair_like_repeats() -> None:
    trials = pd.concat([table({0: [1.0, 2.0], 1: [0.5, 0.5]}).assign(fold=fold) for fold in range(3)])
    assert paired_differences(trials, "score", [(1, 0)])["n"].tolist() == [6]


def test_sharing_luck_makes_a_pair_sharp() -> None:
    luck = np.random.default_rng(2).normal(0, 0.05, 6)
    noise = np.random.default_rng(3).normal(0, 0.002, (2, 6))
    a, b = 0.92 + luck + noise[0], 0.91 + luck + noise[1]
    found = paired_differences(table({0: list(a), 1: list(b)}), "score", [(0, 1)]).iloc[0]
    assert found["p_value"] < 0.01 < 0.5 < scipy.stats.ttest_ind(a, b).pvalue
    assert found["ci_low"] < 0.01 < found["ci_high"]


def test_equal_differences_leave_nothing_to_judge_by() -> None:
    # 0.1 + 0.2 is not 0.3 to the last digit: rounding is no spread.
    trials = table({0: [0.3, 0.7, 1.1], 1: [0.1 + 0.2, 0.7, 1.1], 2: [0.2, 0.6, 1.0]})
    found = paired_differences(trials, "score", [(0, 1), (0, 2)])
    assert found["mean_difference"].tolist() == pytest.approx([0.0, 0.1])
    assert found["std"].tolist() == [0.0, 0.0]
    assert found["p_value"].tolist() == [1.0, 0.0]


def test_there_may_be_no_pairs() -> None:
    found = paired_differences(table({0: [0.5]}), "score", [])
    assert len(found) == 0
    assert list(found)[:3] == ["a", "b", "n"]


# --- Many of them -----------------------------------------------------------------------------------------------


@given(probabilities)
def test_holm_corrects_no_less_than_nothing_and_no_more_than_bonferroni(p: list[float]) -> None:
    corrected = holm(p)
    values = np.array(p)
    assert (corrected >= values).all()
    assert (corrected <= np.minimum(1, values * len(p)) + 1e-15).all()
    order = np.argsort(values, kind="stable")
    assert (np.diff(corrected[order]) >= 0).all()


@given(probabilities, st.floats(0.001, 0.5))
def test_holm_rejects_as_its_definition_does(p: list[float], level: float) -> None:
    rejected = np.zeros(len(p), bool)
    for step, i in enumerate(np.argsort(p, kind="stable")):
        if p[i] * (len(p) - step) > level:
            break
        rejected[i] = True
    np.testing.assert_array_equal(holm(p) <= level, rejected)


def test_holm_leaves_out_what_was_not_tested() -> None:
    np.testing.assert_allclose(holm([0.02, np.nan, 0.01]), [0.02, np.nan, 0.02])
    assert holm([]).shape == (0,)
    np.testing.assert_array_equal(holm([np.nan]), [np.nan])


def test_nothing_warns_about_trials_without_results() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trials = table({0: [None, None], 1: [0.5, None]})
        summarize(trials, ["score"])
        paired_differences(trials, "score", [(0, 1)])


def test_nothing_warns_about_values_near_the_largest_float() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trials = table({0: [1.7e308, 1.7e308, 1.6e308], 1: [-1.7e308, -1.7e308, 1.0]})
        assert not np.isfinite(summarize(trials, ["score"])["mean_score"][0])
        assert paired_differences(trials, "score", [(0, 1)])["n"][0] == 1
