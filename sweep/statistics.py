"""How sure are we: means with t intervals, and paired differences with corrected p-values.

Sources: W. S. Gosset ("Student"), "The probable error of a mean", Biometrika 6, 1908 (the t interval and the
paired comparison); S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
Statistics 6, 1979.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import pandas

CONFIDENCE = 0.95
# Differences that agree to this share of the values' size differ by rounding only.
ROUNDING = 1e-13

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GroupStatistics:
    """Per group (G,): count, mean, standard deviation (n - 1) and the ends of the 95 % t interval of the mean.

    What n values cannot tell is NaN: the mean of none, the spread of fewer than two.
    """

    n: NDArray[np.int64]
    mean: Floats
    std: Floats
    ci_low: Floats
    ci_high: Floats


def t_interval(
    mean: ArrayLike, std: ArrayLike, n: ArrayLike, confidence: float = CONFIDENCE
) -> tuple[Floats, Floats]:
    """Return the ends of the t interval of a mean: ``mean -+ t(n - 1) * std / sqrt(n)``.

    Parameters
    ----------
    mean, std, n
        Mean, standard deviation (with n - 1) and number of the values; arrays of one shape, or numbers.
    confidence
        Share of such intervals that hold the true mean, if the values are independent and normal.

    Returns
    -------
    tuple of arrays
        Low and high end; NaN for n < 2.

    Examples
    --------
    >>> low, high = t_interval(0.9, 0.02, 5)
    >>> print(round(float(low), 4), round(float(high), 4))
    0.8752 0.9248
    """
    from scipy.special import stdtrit  # quicker to import than scipy.stats, which calls it

    mean, std, n = (np.asarray(value, np.float64) for value in (mean, std, n))
    enough = n > 1
    counts = np.where(enough, n, 2.0)
    half = stdtrit(counts - 1, 0.5 + confidence / 2) * std / np.sqrt(counts)
    half = np.where(enough, half, np.nan)
    return mean - half, mean + half


def group_statistics(values: ArrayLike, groups: ArrayLike, count: int) -> GroupStatistics:
    """Return the statistics of every group; values that are not finite are left out.

    Parameters
    ----------
    values : (n,)
    groups : (n,)
        Number of each value's group, 0 to ``count - 1``.
    count
        Number of groups; one without values has n = 0.

    Examples
    --------
    >>> group_statistics([1.0, 3.0, 5.0], [0, 0, 1], count=2).mean
    array([2., 5.])
    """
    given = np.asarray(values, np.float64)
    finite = np.isfinite(given)
    known, group = given[finite], np.asarray(groups, np.int64)[finite]
    n = np.bincount(group, minlength=count)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        mean = np.bincount(group, known, count) / n
        # In two passes: the squares of small deviations from a large mean would be lost in its square.
        squares = np.bincount(group, (known - mean[group]) ** 2, count)
        std = np.where(n > 1, np.sqrt(squares / (n - 1)), np.nan)
        return GroupStatistics(n, mean, std, *t_interval(mean, std, n))


def summarize(trials: pandas.DataFrame, metrics: Sequence[str]) -> pandas.DataFrame:
    """Return a row per configuration: n (trials done) and each metric's mean, std and 95 % t interval.

    Parameters
    ----------
    trials
        A table with the columns ``configuration``, ``state`` and the metrics.
    metrics
        Names of the metrics; columns are ``mean_<metric>``, ``std_<metric>``, ``ci_low_<metric>`` and
        ``ci_high_<metric>``.

    Returns
    -------
    DataFrame
        Indexed by configuration, in order of number. Trials that are not done count for nothing.
    """
    import pandas as pd

    configurations, groups = np.unique(trials["configuration"].to_numpy(), return_inverse=True)
    done = (trials["state"] == "done").to_numpy()
    columns: dict[str, Any] = {"n": np.bincount(groups[done], minlength=len(configurations))}
    for metric in metrics:
        found = group_statistics(trials[metric].to_numpy()[done], groups[done], len(configurations))
        for name in ("mean", "std", "ci_low", "ci_high"):
            columns[f"{name}_{metric}"] = getattr(found, name)
    return pd.DataFrame(columns, index=pd.Index(configurations, name="configuration"))


def paired_differences(
    trials: pandas.DataFrame, metric: str, pairs: Sequence[tuple[int, int]]
) -> pandas.DataFrame:
    """Compare pairs of configurations over the (repeat, fold) that both have done.

    All configurations of one repeat share seed and split, so what a lucky split gives to both cancels in the
    difference: far fewer repeats are needed than with two separate means.

    Parameters
    ----------
    trials
        A table with the columns ``configuration``, ``repeat``, ``fold``, ``state`` and the metric.
    metric
        The column to compare.
    pairs
        Numbers of the configurations to compare.

    Returns
    -------
    DataFrame
        A row per pair: ``a``, ``b``, ``n`` (shared repeats), ``mean_difference`` (a minus b), ``std``,
        ``ci_low``, ``ci_high`` (95 % t interval), ``p_value`` (two-sided paired t test) and ``p_holm`` (corrected
        by Holm's method for the number of pairs in this table). With fewer than two shared repeats these are NaN.

    Notes
    -----
    The t test takes the repeats for independent. Repeats that draw their split from the same rows overlap, so
    p-values near the threshold deserve more repeats.
    """
    import pandas as pd

    configurations, table = _by_pairing(trials, metric)
    row = {int(configuration): i for i, configuration in enumerate(configurations)}
    first = np.array([row[a] for a, _ in pairs], np.int64)
    second = np.array([row[b] for _, b in pairs], np.int64)
    found = _difference_statistics(table[first], table[second])
    frame = pd.DataFrame({"a": [a for a, _ in pairs], "b": [b for _, b in pairs], "n": found.n})
    frame["mean_difference"], frame["std"] = found.mean, found.std
    frame["ci_low"], frame["ci_high"] = found.ci_low, found.ci_high
    frame["p_value"] = paired_p_values(found)
    frame["p_holm"] = holm(frame["p_value"])
    return frame


def paired_p_values(differences: GroupStatistics) -> Floats:
    """Return two-sided p-values of "the mean difference is 0" (Student's t); NaN for n < 2.

    Where all differences are equal there is no spread to judge by: p is 1 if they are 0, otherwise 0.
    """
    from scipy.special import stdtr

    enough = differences.n > 1
    n = np.where(enough, differences.n, 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        t = np.abs(differences.mean) / (differences.std / np.sqrt(n))
    p = np.where(np.isnan(t), 1.0, 2 * stdtr(n - 1, -np.where(np.isnan(t), 0.0, t)))
    return np.where(enough, p, np.nan)


def holm(p_values: ArrayLike) -> Floats:
    """Return p-values corrected for their number by Holm's step-down method; NaN stays and counts for nothing.

    Of the configurations called different at ``p_holm < 0.05``, the chance that any is not is at most 5 %.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    p = np.asarray(p_values, np.float64)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    corrected = np.full(p.shape, np.nan)
    factors = np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * factors)) if len(order) else np.nan
    return corrected


def _by_pairing(trials: pandas.DataFrame, metric: str) -> tuple[NDArray[Any], Floats]:
    """Return the configurations (C,) and their values (C, repeats x folds), NaN where there is no done trial."""
    configurations, row = np.unique(trials["configuration"].to_numpy(), return_inverse=True)
    together = trials[["repeat", "fold"]].to_numpy()
    columns, column = np.unique(together, axis=0, return_inverse=True)
    table = np.full((len(configurations), len(columns)), np.nan)
    done = (trials["state"] == "done").to_numpy()
    table[row[done], column.reshape(-1)[done]] = trials[metric].to_numpy(np.float64)[done]
    return configurations, table


def _difference_statistics(a: Floats, b: Floats) -> GroupStatistics:
    """Return the statistics of a - b (P, R) per pair; spread below the rounding of a and b is none."""
    with np.errstate(
        over="ignore"
    ):  # a difference that no float holds counts for nothing, as every infinite value
        difference = a - b
    pairs, repeats = difference.shape
    found = group_statistics(difference.ravel(), np.repeat(np.arange(pairs), repeats), pairs)
    size = np.nan_to_num(np.fmax(np.abs(a), np.abs(b))).max(axis=1, initial=0.0)
    std = np.where(found.std <= ROUNDING * size, 0.0, found.std)
    mean = np.where((std == 0.0) & (np.abs(found.mean) <= ROUNDING * size), 0.0, found.mean)
    return GroupStatistics(found.n, mean, std, *t_interval(mean, std, found.n))
