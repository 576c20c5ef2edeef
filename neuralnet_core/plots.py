"""Plots of one model. What they show is taken out of the model by plot_data.py; here it is drawn.

Every function draws on the Axes it is given, so a figure of several panels is
``figure, (left, right) = pyplot.subplots(1, 2)``, then ``model.plot_decision_boundary(X, y, ax=left)`` and
``model.plot_cost(ax=right)``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .plot_data import CostCurves, DecisionBoundary, cost_curves, decision_boundary, said

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .model import Model

__all__ = ["draw_cost", "draw_decision_boundary", "plot_cost", "plot_decision_boundary"]

# M. Okabe and K. Ito, "Color Universal Design", 2008: told apart with every kind of colour vision.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5b5b5b")
MARKERS = "os^DvPX"  # classes differ in shape too
PALE, DARK = "#e4e4e4", "#333333"
COLOURMAP = "viridis"
DEEPEST = 0.55  # how strong the colour of a region is where the network is certain
LEGEND_ROWS, LEGEND_MOST = 10, 20
SEARCHED = 5000  # with more data than this, no free place for the legend is looked for: it takes too long


def draw_cost(curves: CostCurves, ax: Axes) -> Axes:
    """Draw the losses by epoch, and the epoch that was kept where that is not the last."""
    from matplotlib.ticker import MaxNLocator

    marker = "o" if len(curves.epochs) == 1 else None
    shown = {"training": curves.train, "validation": curves.validation}
    for (name, losses), colour in zip(shown.items(), COLOURS, strict=False):
        if losses is not None:
            finite = np.where(np.isfinite(losses), losses, np.nan)
            ax.plot(curves.epochs, finite, color=colour, label=name, marker=marker, linewidth=1.8)
    if curves.kept != len(curves.epochs):
        ax.axvline(curves.kept, color=DARK, linestyle=":", linewidth=1.2, label=f"kept: epoch {curves.kept}")
    if curves.logarithmic:
        ax.set_yscale("log")
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    ax.set(xlabel="epoch", ylabel=f"loss ({said(curves.loss)})", title=curves.title)
    ax.grid(color=PALE, linewidth=0.8)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc=_legend_place(len(curves.epochs)))
    return ax


def plot_cost(model: Model, *, ax: Axes | None = None) -> Axes:
    """Draw a model's losses by epoch, on `ax` or on a new figure."""
    return draw_cost(cost_curves(model), _own_axes(ax))


def draw_decision_boundary(boundary: DecisionBoundary, ax: Axes, *, legend: bool = True) -> Axes:
    """Draw regions (or a map of the predictions) with the points on top."""
    if boundary.names:
        _draw_classes(boundary, ax, legend and len(boundary.names) <= LEGEND_MOST)
    else:
        _draw_regression(boundary, ax, legend)
    left, right, bottom, top = boundary.extent
    ax.set(xlim=(left, right), ylim=(bottom, top))
    ax.set(xlabel="first input", ylabel="second input", title=boundary.title)
    return ax


def _draw_classes(boundary: DecisionBoundary, ax: Axes, legend: bool) -> None:
    count = len(boundary.names)
    colours = _colours(count)
    winners = boundary.values.argmax(axis=-1)
    certainty = (boundary.values.max(axis=-1) * count - 1) / max(count - 1, 1)  # 0 at chance, 1 when certain
    strength = DEEPEST * certainty.clip(0, 1)[..., None]
    ax.imshow(
        1 - strength * (1 - colours[winners]), extent=boundary.extent, origin="lower", aspect="auto", zorder=0
    )
    for label in range(count if count > 2 else 1):
        others = np.delete(boundary.values, label, axis=-1).max(axis=-1, initial=0)
        lead = boundary.values[..., label] - others
        if lead.min() < 0 < lead.max():
            ax.contour(boundary.horizontal, boundary.vertical, lead, levels=[0], colors=DARK, linewidths=1.0)
    look = _points(boundary, ax)
    for label, name in enumerate(boundary.names):
        points = boundary.points[boundary.targets == label]
        marker = MARKERS[label % len(MARKERS)]
        ax.scatter(points[:, 0], points[:, 1], color=colours[label], marker=marker, label=name, **look)
    if legend:
        place, columns = _legend_place(len(boundary.points)), math.ceil(count / LEGEND_ROWS)
        ax.legend(title="class", loc=place, ncols=columns, fontsize="small", title_fontsize="small")


def _legend_place(size: int) -> Literal["best", "upper right"]:
    return "best" if size <= SEARCHED else "upper right"


def _draw_regression(boundary: DecisionBoundary, ax: Axes, legend: bool) -> None:
    from matplotlib.ticker import MaxNLocator

    low, high = float(boundary.targets.min()), float(boundary.targets.max())
    levels = MaxNLocator(12).tick_values(low, high)
    span: dict[str, Any] = {"vmin": levels[0], "vmax": levels[-1], "cmap": COLOURMAP}  # one scale for both
    places = boundary.horizontal, boundary.vertical, boundary.values
    filled = ax.contourf(*places, levels=levels, extend="both", **span)
    ax.scatter(
        boundary.points[:, 0], boundary.points[:, 1], c=boundary.targets, **span, **_points(boundary, ax)
    )
    if legend:
        ax.figure.colorbar(filled, ax=ax, label="prediction, and target of the points")


def _points(boundary: DecisionBoundary, ax: Axes) -> dict[str, Any]:
    """Return how points are drawn: the more of them, and the smaller their panel, the smaller."""
    panel = ax.get_window_extent()
    square_inches = panel.width * panel.height / ax.figure.dpi**2
    size = float(np.clip(750 * square_inches / len(boundary.points), 5, 36))
    return {"s": size, "edgecolors": "white", "linewidths": size / 60, "zorder": 2, "rasterized": True}


def _colours(count: int) -> NDArray[Any]:
    """Return RGB colours (count, 3); beyond the palette, evenly spaced ones of a colour map."""
    from matplotlib import colormaps, colors

    palette = COLOURS if count <= len(COLOURS) else colormaps[COLOURMAP](np.linspace(0, 0.95, count))
    return np.array([colors.to_rgb(colour) for colour in palette])


def plot_decision_boundary(
    model: Model, X: ArrayLike, y: ArrayLike, *, ax: Axes | None = None, legend: bool = True
) -> Axes:
    """Draw what a network of two inputs predicts and the data, on `ax` or on a new figure."""
    return draw_decision_boundary(decision_boundary(model, X, y), _own_axes(ax), legend=legend)


def _own_axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    from matplotlib import pyplot

    return pyplot.subplots(figsize=(5.8, 4.4), layout="constrained")[1]
