"""A metric over two parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuralnet_core import check_choice

from .parameters import Side, set_ticks, side_of
from .selection import Selection, select
from .style import COLOURMAP, PALE, VERMILLION, is_wide, metric_label, own_axes, spanned

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

    from sweep.results import Results

WRITTEN = 12  # so many rows and columns leave room for the cells' values


@dataclass(frozen=True, slots=True)
class Heatmap:
    """What `draw_heatmap` shows: `values` (Y, X), NaN where no configuration lies."""

    metric: str
    higher: bool
    x: Side
    y: Side
    values: NDArray[np.float64]
    others: str
    averaged: tuple[str, ...]


def extract_heatmap(
    results: Results,
    x: str | None = None,
    y: str | None = None,
    metric: str | None = None,
    *,
    others: str = "mean",
) -> Heatmap:
    """Return the mean (or best) value of the metric in every cell of two parameters."""
    check_choice("others", others, ("mean", "best"))
    selection = select(results, metric)
    names = _chosen(selection, x, y)
    sides = [side_of(selection.scale(name), selection.values(name)) for name in names]
    return Heatmap(
        metric=selection.metric,
        higher=selection.higher,
        x=sides[0],
        y=sides[1],
        values=_cells(selection, sides[0], sides[1], others),
        others=others,
        averaged=tuple(name for name in selection.varying if name not in names),
    )


def draw_heatmap(data: Heatmap, ax: Axes | None = None) -> Axes:
    """Draw a cell per pair of values, bright where the metric is good; the best cell is framed."""
    from matplotlib.patches import Rectangle

    rows, columns = data.values.shape
    ax = own_axes(ax, 3.2 + 0.62 * max(columns, 4), 1.9 + 0.42 * max(rows, 4))
    ax.set_facecolor(PALE)
    mesh = ax.pcolormesh(
        np.ma.masked_invalid(data.values),
        cmap=_colours(data),
        norm=_norm(data),
        edgecolor="white",
        linewidth=1,
    )
    _label_side(ax.xaxis, data.x)
    _label_side(ax.yaxis, data.y)
    if rows * columns <= WRITTEN**2:
        _write_values(ax, data, mesh)
    row, column = divmod(_best_cell(data), columns)
    ax.add_patch(
        Rectangle((column, row), 1, 1, fill=False, edgecolor=VERMILLION, linewidth=2.5, clip_on=False)
    )
    bar = ax.figure.colorbar(mesh, ax=ax, label=metric_label(data.metric), extend=_beyond(data))
    if not data.higher:
        bar.ax.invert_yaxis()  # the better end is up, in every plot
    ax.set_title(_title(data), loc="left", fontsize="medium")
    ax.tick_params(length=0, pad=6)
    ax.spines[:].set_visible(False)
    return ax


def _chosen(selection: Selection, x: str | None, y: str | None) -> tuple[str, str]:
    known = list(selection.params[0]) if selection.params else []
    for name in (x, y):
        if name is not None:
            check_choice("parameter", name, known)
    by_effect = sorted(selection.varying, key=lambda name: -main_effect(selection, name))
    free = [name for name in by_effect if name not in (x, y)]
    chosen = [name if name is not None else (free.pop(0) if free else "") for name in (x, y)]
    if not all(chosen) or chosen[0] == chosen[1]:
        raise ValueError(
            "a heatmap needs two different parameters: name both, or let two vary"
            f" (varying here: {', '.join(selection.varying) or 'none'})"
        )
    return chosen[0], chosen[1]


def main_effect(selection: Selection, name: str) -> float:
    """Return the variance of the metric's mean between a parameter's values (or bins): how much it matters."""
    side = side_of(selection.scale(name), selection.values(name))
    # Ranks, not values: one hopeless configuration must not decide.
    order = np.argsort(np.argsort(selection.means)).astype(np.float64)
    counts = np.bincount(side.cells, minlength=side.count)
    means = np.bincount(side.cells, order, side.count) / np.maximum(counts, 1)
    return float((counts * (means - order.mean()) ** 2).sum())


def _cells(selection: Selection, x: Side, y: Side, others: str) -> NDArray[np.float64]:
    values = np.full((y.count, x.count), np.nan)
    for row in range(y.count):
        for column in range(x.count):
            found = selection.means[(y.cells == row) & (x.cells == column)]
            if len(found):
                best = found.max() if selection.higher else found.min()
                values[row, column] = found.mean() if others == "mean" else best
    return values


def _label_side(axis: Axis, side: Side) -> None:
    places = np.arange(len(side.labels)) + (0.0 if side.binned else 0.5)
    set_ticks(axis, places, side.labels)
    axis.set_label_text(side.name)


def _colours(data: Heatmap) -> Any:
    from matplotlib import colormaps

    return colormaps[COLOURMAP] if data.higher else colormaps[COLOURMAP].reversed()


def _norm(data: Heatmap) -> Any:
    from matplotlib.colors import LogNorm, Normalize

    least, greatest = _limits(data)
    return (LogNorm if is_wide(data.values, data.metric) else Normalize)(least, greatest)


def _limits(data: Heatmap) -> tuple[float, float]:
    """Return the range of colours: all values, but for bad ones far off, which would leave one colour for the rest."""
    least, greatest = spanned(data.values)
    if is_wide(data.values, data.metric):
        return least, greatest
    low, high = np.nanquantile(data.values, [0.25, 0.75])
    reach = 3.0 * (high - low)
    return (max(least, low - reach), greatest) if data.higher else (least, min(greatest, high + reach))


def _beyond(data: Heatmap) -> str:
    least, greatest = spanned(data.values)
    low, high = _limits(data)
    return "min" if low > least else "max" if high < greatest else "neither"


def _write_values(ax: Axes, data: Heatmap, mesh: Any) -> None:
    least, greatest = spanned(data.values)
    digits = int(np.clip(2 - np.floor(np.log10(greatest - least)), 0, 4))
    fixed = not is_wide(data.values, data.metric) and 0.01 <= max(-least, greatest) < 1000
    for (row, column), value in np.ndenumerate(data.values):
        if np.isfinite(value):
            red, green, blue, _ = mesh.cmap(mesh.norm(value))
            dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
            text = f"{round(value, digits) + 0.0:.{digits}f}" if fixed else f"{value:.2g}"
            colour = "white" if dark else "black"
            ax.text(column + 0.5, row + 0.5, text, ha="center", va="center", color=colour, fontsize="small")


def _best_cell(data: Heatmap) -> int:
    return int(np.nanargmax(data.values) if data.higher else np.nanargmin(data.values))


def _title(data: Heatmap) -> str:
    cells = f"{data.others} over {', '.join(data.averaged)}; " if data.averaged else ""
    return f"{metric_label(data.metric)}\n{cells}framed: the best cell"
