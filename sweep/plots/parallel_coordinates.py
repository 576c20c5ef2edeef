"""Every configuration as a line through its parameters' values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sweep.labels import wrapped

from .parameters import Scale
from .selection import Selection, select
from .style import COLOURMAP, is_wide, metric_label, own_axes, spanned

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sweep.results import Results

NAME = 16  # characters of a parameter's name in a line
BAND = 0.07  # height over which the lines of one place spread, so that each can be seen


@dataclass(frozen=True, slots=True)
class ParallelCoordinates:
    """What `draw_parallel_coordinates` shows: `heights` (C, P) from 0 to 1, and the metric's `values` (C,)."""

    selection: Selection
    scales: tuple[Scale, ...]
    heights: NDArray[np.float64]
    values: NDArray[np.float64]


def extract_parallel_coordinates(
    results: Results, metric: str | None = None, top: int | None = None
) -> ParallelCoordinates:
    """Return the heights of every configuration on the axis of every parameter that varies."""
    selection = select(results, metric, top)
    if not selection.varying:
        raise ValueError("there is nothing to plot: no parameter varies")
    scales = tuple(selection.scale(name) for name in selection.varying)
    heights = [_height(scale, scale.positions(selection.values(scale.name))) for scale in scales]
    spread = [_spread(height) for height in heights]
    return ParallelCoordinates(selection, scales, np.transpose(spread), selection.means)


def draw_parallel_coordinates(data: ParallelCoordinates, ax: Axes | None = None) -> Axes:
    """Draw a line per configuration, the best on top, ending on the colour bar at its value of the metric."""
    from matplotlib import colormaps
    from matplotlib.collections import LineCollection

    count, parameters = data.heights.shape
    ax = own_axes(ax, 2.6 + 1.7 * max(parameters, 2), 4.8)
    norm = _norm(data)
    last = np.clip(np.ma.getdata(norm(data.values)), 0.0, 1.0)
    last = last if data.selection.higher else 1 - last
    heights = np.column_stack([data.heights, last])
    x = np.arange(parameters + 1)
    lines = [np.column_stack([x, row]) for row in heights[::-1]]  # the selection is best first
    colours = colormaps[COLOURMAP](last[::-1])
    # 10,000 lines must not cover each other, 4 must not be pale.
    opacity = float(np.clip(100 / count, 0.03, 0.9))
    ax.add_collection(LineCollection(lines, colors=colours, linewidths=1.4, alpha=opacity))
    for place, scale in enumerate(data.scales):
        _draw_axis(ax, place, scale)
    _draw_colour_axis(ax, data, norm, parameters)
    ax.set_xlim(-0.35, parameters)
    ax.set_ylim(-0.06, 1.06)
    names = [wrapped(scale.name, NAME) for scale in data.scales]
    ax.set_xticks(x, [*names, metric_label(data.selection.metric)])
    ax.set_yticks([])
    ax.tick_params(axis="x", length=0, pad=6)
    ax.spines[:].set_visible(False)
    ax.set_title(f"{metric_label(data.selection.metric)}: {data.selection.extent}", loc="left", pad=12)
    return ax


def _height(scale: Scale, positions: NDArray[np.float64]) -> NDArray[np.float64]:
    ends = scale.positions(scale.values)
    low, high = float(ends.min()), float(ends.max())
    return np.full(len(positions), 0.5) if high == low else (positions - low) / (high - low)


def _spread(heights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return heights with those that coincide spread over a band around their place, the best on top."""
    distinct, place, counts = np.unique(heights, return_inverse=True, return_counts=True)
    if len(distinct) == len(heights):
        return heights
    spread = heights.copy()
    for number, count in enumerate(counts):
        if count > 1:
            spread[place == number] += np.linspace(BAND / 2, -BAND / 2, count)
    return spread


def _norm(data: ParallelCoordinates) -> Any:
    from matplotlib.colors import LogNorm, Normalize

    least, greatest = spanned(data.values)
    if is_wide(data.values, data.selection.metric):
        return LogNorm(least, greatest)
    low, high = np.quantile(data.values, [0.25, 0.75])
    reach = 3.0 * (high - low)
    if reach > 0 and data.selection.higher:
        least = max(least, low - reach)
    elif reach > 0:
        greatest = min(greatest, high + reach)
    return Normalize(least, greatest)


def _draw_axis(ax: Axes, place: int, scale: Scale) -> None:
    ax.plot([place, place], [-0.04, 1.04], color="black", linewidth=1, zorder=3)
    ticks, texts = scale.ticks()
    for height, text in zip(_height(scale, ticks), texts, strict=True):
        ax.text(
            place - 0.03, height, text, ha="right", va="center", fontsize="small", zorder=4,
            bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1},
        )  # fmt: skip


def _draw_colour_axis(ax: Axes, data: ParallelCoordinates, norm: Any, place: int) -> None:
    """Draw the colour bar where the lines end; the better end is up."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable

    colours = colormaps[COLOURMAP] if data.selection.higher else colormaps[COLOURMAP].reversed()
    bar = ax.inset_axes((place, 0.0, 0.05 * place, 1.0), transform=ax.transData)
    least, greatest = spanned(data.values)
    beyond = "min" if norm.vmin > least else "max" if norm.vmax < greatest else "neither"
    ax.figure.colorbar(ScalarMappable(norm, colours), cax=bar, extend=beyond)
    if not data.selection.higher:
        bar.invert_yaxis()
