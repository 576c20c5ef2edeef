"""The best configurations beside each other: how good, how sure, and every repeat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sweep.labels import Labels, wrapped

from .selection import Selection, select
from .style import (
    BLUE,
    GREY,
    add_legend,
    is_wide,
    make_logarithmic,
    metric_label,
    own_axes,
    possible,
    spanned,
    tidy,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sweep.results import Results

SIGNIFICANCE = 0.05
ROW, CHARACTER = 0.3, 0.085  # inches


@dataclass(frozen=True, slots=True)
class Comparison:
    """What `draw_comparison` shows, a row per configuration (C), best first.

    `values` (C, R) holds a column per repeat and fold, NaN where there is no result; `interval` (C, 2) the 95 %
    interval of the mean; `worse` (C,) whether the paired difference from the first is significant.
    """

    selection: Selection
    labels: Labels
    values: NDArray[np.float64]
    interval: NDArray[np.float64]
    worse: NDArray[np.bool_]


def extract_comparison(results: Results, metric: str | None = None, top: int = 20) -> Comparison:
    """Return the best configurations by a metric, and which of them are worse than the best beyond doubt."""
    selection = select(results, metric, top)
    name, shown = selection.metric, list(selection.configurations)
    trials = results.trials
    done = trials[(trials["state"] == "done") & trials["configuration"].isin(shown)]
    values = done.pivot_table(index="configuration", columns=["repeat", "fold"], values=name).loc[shown]
    summary = results.summary.set_index("configuration").loc[shown]
    against = results.compare(name, baseline=shown[0]).set_index("b")["p_holm"]
    return Comparison(
        selection=selection,
        labels=selection.labels(),
        values=values.to_numpy(),
        interval=summary[[f"ci_low_{name}", f"ci_high_{name}"]].to_numpy(),
        worse=np.array([against.get(number, 1.0) < SIGNIFICANCE for number in shown]),
    )


def draw_comparison(comparison: Comparison, ax: Axes | None = None) -> Axes:
    """Draw a row per configuration: its mean, the interval of the mean, and a dot per repeat."""
    rows, repeats = comparison.values.shape
    selection = comparison.selection
    own_figure = ax is None
    longest = max(map(len, comparison.labels.texts))
    ax = own_axes(ax, max(8.0, 5.2 + CHARACTER * longest), 1.5 + ROW * max(rows, 3))
    places = np.arange(rows)
    # One repeat has one height in all rows, so that it can be followed, and equal results lie apart.
    heights = np.linspace(-0.22, 0.22, repeats) if repeats > 1 else np.zeros(1)
    for alike, colour, text in (
        (~comparison.worse, BLUE, "the best and what cannot be told from it"),
        (comparison.worse, GREY, "worse (paired t test, Holm, 5 %)"),
    ):
        if alike.any():
            _draw_rows(ax, comparison, places[alike], colour, text, heights)
    _limit(ax, comparison)
    texts = [
        text if complete else f"{text} (incomplete)"
        for text, complete in zip(comparison.labels.texts, selection.complete, strict=True)
    ]
    ax.set_yticks(places, texts)
    ax.set_ylim(rows - 0.4, -0.6)
    _head(ax, comparison.labels)
    shown = f"mean, 95 % interval and {repeats} repeats" if repeats > 1 else "one repeat, so no interval"
    ax.set_xlabel(f"{metric_label(selection.metric)}: {shown}")
    ax.set_title(f"{metric_label(selection.metric)}: {selection.extent}", loc="left")
    ax.tick_params(axis="y", length=0)
    tidy(ax, grid="x")
    if rows > 1:
        add_legend(ax, own_figure, "outside lower right", ncols=2)
    return ax


def _draw_rows(
    ax: Axes,
    comparison: Comparison,
    rows: NDArray[np.int64],
    colour: str,
    text: str,
    heights: NDArray[np.float64],
) -> None:
    low, high = comparison.interval[rows].T
    ax.hlines(rows, low, high, color=colour, alpha=0.25, linewidth=9)
    means = comparison.selection.means[rows]
    ax.vlines(means, rows - 0.3, rows + 0.3, color=colour, linewidth=2.2, label=text)
    y = (rows[:, None] + heights).ravel()
    ax.scatter(
        comparison.values[rows].ravel(), y, s=18, color=colour, edgecolor="white", linewidth=0.5, zorder=3
    )


def _head(ax: Axes, labels: Labels) -> None:
    """Write the parameters' names over the column of their values."""
    width = max(24, *map(len, labels.texts))
    ax.annotate(
        wrapped(labels.names, width),
        xy=(0, 1),
        xytext=(-5, 4),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        va="bottom",
        style="italic",
    )


def _limit(ax: Axes, comparison: Comparison) -> None:
    """Let the results, not the widest interval, decide what is shown: that of two repeats can be huge.

    Nor is there anything to see beyond what the metric can be: an interval knows nothing of an accuracy's end at 1.
    """
    values = comparison.values.ravel()
    if is_wide(values, comparison.selection.metric):
        make_logarithmic(ax.xaxis, values)
        return
    least, greatest = spanned(values)
    ends = comparison.interval[np.isfinite(comparison.interval)]
    margin = 0.6 * (greatest - least)
    lowest, highest = possible(comparison.selection.metric)
    low = max(min(ends.min(initial=least), least), least - margin, lowest)
    high = min(max(ends.max(initial=greatest), greatest), greatest + margin, highest)
    space = 0.03 * (high - low)
    ax.set_xlim(low - space, high + space)
