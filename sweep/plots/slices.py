"""A metric against one parameter at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuralnet_core import check_choice

from .parameters import Scale, label_axis, side_of
from .selection import Selection, select
from .style import (
    BLUE,
    GREY,
    VERMILLION,
    add_legend,
    grid_of_axes,
    is_wide,
    make_logarithmic,
    metric_label,
    own_axes,
    spanned,
    tidy,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sweep.results import Results

SPREAD = 0.12  # of the distance between two values, so that dots of one value do not all lie on each other
MANY = 30  # so many dots spread as far as that, fewer less


@dataclass(frozen=True, slots=True)
class Slice:
    """What `draw_slice` shows: a dot per configuration (C,), and the median per value or bin (V,)."""

    scale: Scale
    metric: str
    higher: bool
    positions: NDArray[np.float64]
    values: NDArray[np.float64]
    median_positions: NDArray[np.float64]
    medians: NDArray[np.float64]


def extract_slice(results: Results, parameter: str, metric: str | None = None) -> Slice:
    """Return the mean of the metric of every configuration over the values of one parameter."""
    selection = select(results, metric)
    return _slice(selection, check_choice("parameter", parameter, list(selection.params[0])))


def extract_slices(results: Results, metric: str | None = None) -> list[Slice]:
    """Return a slice per parameter that varies."""
    selection = select(results, metric)
    if not selection.varying:
        raise ValueError("there is nothing to plot: no parameter varies")
    return [_slice(selection, name) for name in selection.varying]


def draw_slice(data: Slice, ax: Axes | None = None) -> Axes:
    """Draw a dot per configuration and a line through the medians."""
    own_figure = ax is None
    ax = own_axes(ax, 5.6, 4.0)
    _draw(ax, data)
    ax.set_ylabel(metric_label(data.metric))
    ax.set_title(f"{metric_label(data.metric)} by {data.scale.name}", loc="left")
    add_legend(ax, own_figure, "outside lower right", ncols=3)
    return ax


def draw_slices(slices: list[Slice]) -> Any:
    """Draw a panel per parameter; all share the vertical axis."""
    axes = grid_of_axes(len(slices), 3.4, 2.9, sharey=True)
    for ax, data in zip(axes.flat, slices, strict=False):
        _draw(ax, data)
    for ax in axes[:, 0]:
        ax.set_ylabel(metric_label(slices[0].metric))
    figure = axes.flat[0].figure
    figure.legend(*axes.flat[0].get_legend_handles_labels(), loc="outside upper left", ncols=3, frameon=False)
    return axes


def _slice(selection: Selection, name: str) -> Slice:
    taken, scale = selection.values(name), selection.scale(name)
    positions = scale.positions(taken)
    side = side_of(scale, taken, alone=len(selection.varying) < 2)
    cells = np.unique(side.cells)
    return Slice(
        scale=scale,
        metric=selection.metric,
        higher=selection.higher,
        positions=positions,
        values=selection.means,
        median_positions=np.array([positions[side.cells == cell].mean() for cell in cells]),
        medians=np.array([np.median(selection.means[side.cells == cell]) for cell in cells]),
    )


def _draw(ax: Axes, data: Slice) -> None:
    logarithmic = data.scale.kind == "log"
    x = data.positions + _offsets(data)
    opacity = float(np.clip(220 / len(x), 0.06, 0.55))
    ax.scatter(
        10**x if logarithmic else x,
        data.values,
        s=16,
        color=GREY,
        alpha=opacity,
        linewidth=0,
        label="configuration",
    )
    middle = 10**data.median_positions if logarithmic else data.median_positions
    style = "o--" if data.scale.kind == "places" else "o-"
    ax.plot(middle, data.medians, style, color=BLUE, linewidth=1.8, markersize=5, label="median")
    best = int(np.argmax(data.values) if data.higher else np.argmin(data.values))
    first = 10 ** x[best] if logarithmic else x[best]
    ax.plot(
        first,
        data.values[best],
        "*",
        color=VERMILLION,
        markersize=13,
        markeredgecolor="white",
        label="best",
        zorder=4,
    )
    if logarithmic:
        ax.set_xscale("log")
    if data.scale.kind == "places":
        ax.set_xlim(-0.5, len(data.scale.values) - 0.5)
    label_axis(ax.xaxis, data.scale)
    _limit(ax, data)
    tidy(ax, grid="y")


def _offsets(data: Slice) -> NDArray[np.float64]:
    """Return small shifts for configurations that share a value: evenly spread, in order of the metric."""
    distinct = np.unique(data.positions)
    if len(distinct) < 2 or len(distinct) == len(data.positions):
        return np.zeros(len(data.positions))
    step = np.diff(distinct).min()
    shifts: NDArray[np.float64] = np.empty(len(data.positions))
    for position in distinct:
        here = data.positions == position
        # The golden ratio's multiples spread any number of dots evenly, neighbours in value far apart.
        shifts[here] = (np.arange(here.sum()) * 0.618034 + 0.5) % 1.0 - 0.5
        shifts[here] *= min(1.0, here.sum() / MANY)
    return shifts * (2 * SPREAD * float(step))


def _limit(ax: Axes, data: Slice) -> None:
    """Leave out hopeless configurations that lie far from all others; say how many."""
    if is_wide(data.values, data.metric):
        make_logarithmic(ax.yaxis, data.values)
        return
    sign = 1.0 if data.higher else -1.0
    least, greatest = spanned(sign * data.values)
    low, high = np.quantile(sign * data.values, [0.25, 0.75])
    floor = max(least, low - 3.0 * (high - low))
    left_out = int((sign * data.values < floor).sum())
    space = 0.07 * (greatest - floor)
    ends = sorted((sign * (floor - space), sign * (greatest + space)))
    ax.set_ylim(ends[0], ends[1])
    if left_out:
        side, where, alignment = ("below", 0.02, "bottom") if data.higher else ("above", 0.98, "top")
        ax.text(
            0.98, where, f"{left_out} {side}", transform=ax.transAxes, ha="right", va=alignment, fontsize="small",
            color=GREY,
        )  # fmt: skip
