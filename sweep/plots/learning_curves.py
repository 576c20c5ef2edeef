"""A metric over the epochs: the mean of the repeats and the range they span."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuralnet_core import check_choice, check_integer, shown
from sweep.labels import Labels, wrapped
from sweep.objective import higher_is_better

from .selection import Selection, select
from .style import COLOURS, add_legend, is_wide, make_logarithmic, metric_label, own_axes, spanned, tidy

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

    from sweep.results import Results

LEGEND_WIDTH = 40  # characters
STYLES = {"train": (0, (4, 2)), "validation": "-"}  # training is dashed where both are shown


@dataclass(frozen=True, slots=True)
class LearningCurves:
    """What `draw_learning_curves` shows.

    `curves` holds for each configuration and split an array (R, E), a row per repeat, NaN after its last epoch.
    """

    selection: Selection
    labels: Labels
    metric: str
    curves: dict[tuple[int, str], NDArray[np.float64]]

    @property
    def splits(self) -> list[str]:
        """The splits shown, validation first."""
        return sorted({split for _, split in self.curves}, reverse=True)


def extract_learning_curves(results: Results, metric: str | None = None, top: int = 6) -> LearningCurves:
    """Return the curves of the best configurations by the objective."""
    if not 1 <= check_integer("top", top) <= len(COLOURS):
        raise ValueError(
            f"top must be 1 to {len(COLOURS)} (as many colours can be told apart), got {shown(top)}"
        )
    name = results.objective if metric is None else metric
    selection = select(results, None, top)
    trials = results.trials
    done = trials[(trials["state"] == "done") & trials["configuration"].isin(selection.configurations)]
    curves = results.curves.merge(done[["trial", "configuration"]], on="trial")
    full_name = curves["split"].astype(str) + "_" + curves["metric"].astype(str)
    names = sorted({*full_name, *curves["metric"].astype(str)})
    if not names:
        raise ValueError("there is nothing to plot: no trial has curves (those of a function have none)")
    check_choice("metric", name, names)
    wanted = curves[(full_name == name) | (curves["metric"] == name)]
    groups: Any = wanted.groupby(["configuration", "split"], observed=True)
    return LearningCurves(
        selection=selection,
        labels=selection.labels(28),
        metric=name,
        curves={(int(number), str(split)): _by_repeat(group) for (number, split), group in groups},
    )


def draw_learning_curves(data: LearningCurves, ax: Axes | None = None) -> Axes:
    """Draw the mean over the repeats as a line and their range as a band.

    Where early stopping ended some repeats, the mean and the band end too (a mean of those left would jump), and
    the others go on as thin lines.
    """
    from matplotlib.ticker import MaxNLocator

    own_figure = ax is None
    ax = own_axes(ax, 9.0, 4.6)
    opacity = min(0.18, 0.36 / len(data.curves))  # many bands over each other must not be one grey
    for place, number in enumerate(data.selection.configurations):
        for split in data.splits:
            if (number, split) in data.curves:
                label = data.labels.texts[place] if split == data.splits[0] else None
                style = STYLES.get(split, "-") if len(data.splits) > 1 else "-"
                look = {"color": COLOURS[place], "linestyle": style, "label": label}
                _draw_curve(ax, data.curves[number, split], look, opacity)
    everything = np.concatenate([values.ravel() for values in data.curves.values()])
    if is_wide(everything, data.metric):
        make_logarithmic(ax.yaxis, everything)
    ax.set_xlabel("epoch")
    ax.set_ylabel(metric_label(data.metric))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    ax.set_title(f"{metric_label(data.metric)}: {data.selection.extent}", loc="left")
    tidy(ax)
    _limit(ax, data)
    add_legend(ax, own_figure, "outside right upper", title=_legend_title(data), alignment="left")
    return ax


def _legend_title(data: LearningCurves) -> str:
    lines = [wrapped(data.labels.names, LEGEND_WIDTH)] if data.labels.names else []
    lines.append("mean and range of repeats")
    if any(np.isnan(values).any() for values in data.curves.values()):
        lines.append("thin: repeats that stopped later")
    return "\n".join([*lines, *(["validation solid, training dashed"] if len(data.splits) > 1 else [])])


def _limit(ax: Axes, data: LearningCurves) -> None:
    """Leave out the steep start of a metric that rises: what matters is told apart further on."""
    if not higher_is_better(data.metric):
        return
    late = [values[:, max(1, values.shape[1] // 6) :] for values in data.curves.values()]
    if any(values.size for values in late):
        least, greatest = spanned(np.concatenate([values.ravel() for values in late]))
        ax.set_ylim(least - 0.05 * (greatest - least), greatest + 0.05 * (greatest - least))


def _draw_curve(ax: Axes, values: NDArray[np.float64], look: dict[str, Any], opacity: float) -> None:
    """Draw a configuration's mean in a look, its band in the same colour with thin edges, and what stopped later."""
    epochs = np.arange(1, values.shape[1] + 1)
    common = int(np.isfinite(values).all(axis=0).sum())
    marker = "o" if values.shape[1] == 1 else None
    together, colour = values[:, :common], look["color"]
    ax.plot(epochs[:common], together.mean(axis=0), marker=marker, linewidth=2.0, zorder=3, **look)
    low, high = together.min(axis=0), together.max(axis=0)
    ax.fill_between(epochs[:common], low, high, color=colour, alpha=opacity, linewidth=0)
    if len(values) > 1:
        ax.plot(epochs[:common], np.transpose([low, high]), color=colour, linewidth=0.5, alpha=0.5)
    for repeat in values:
        ax.plot(epochs[common - 1 :], repeat[common - 1 :], color=colour, linewidth=0.6, alpha=0.3)


def _by_repeat(group: pandas.DataFrame) -> NDArray[np.float64]:
    """Return curves as an array (repeats, epochs) padded with NaN."""
    table = group.pivot_table(index="trial", columns="epoch", values="value", observed=True)
    return table.to_numpy(np.float64)
