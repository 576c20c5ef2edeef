"""One look for all plots: colours that everybody can tell apart, names of metrics, figures of a fitting size."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuralnet_core import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

# M. Okabe and K. Ito, "Color Universal Design", 2008: told apart with every kind of colour vision.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
BLUE, VERMILLION = COLOURS[:2]
GREY, PALE = "#8c8c8c", "#e4e4e4"
COLOURMAP = "viridis"  # bright is better, in every plot

MOST_COLUMNS = 3

# From this ratio of largest to smallest on, a loss is read better on a logarithmic axis.
LOGARITHMIC_FROM = 20.0
FEW_DECADES = 1e3


def own_axes(ax: Axes | None, width: float, height: float) -> Axes:
    """Return `ax`, or the Axes of a new figure of this size in inches."""
    from matplotlib import pyplot
    from matplotlib.axes import Axes

    if isinstance(ax, Axes):
        return ax
    if ax is not None:
        raise TypeError(
            f"ax must be Axes, such as pyplot.subplots()[1], or None for a figure of its own; got {shown(ax)}"
        )
    return pyplot.subplots(figsize=(width, height), layout="constrained")[1]


def grid_of_axes(panels: int, width: float, height: float, **options: Any) -> Any:
    """Return an array (rows, columns) of Axes of a new figure, the size being that of one panel in inches."""
    from matplotlib import pyplot

    columns = 2 if panels == 4 else min(MOST_COLUMNS, panels)
    rows = math.ceil(panels / columns)
    _, axes = pyplot.subplots(
        rows,
        columns,
        figsize=(width * columns, height * rows + 0.5),
        layout="constrained",
        squeeze=False,
        **options,
    )
    for ax in axes.flat[panels:]:
        ax.set_axis_off()
    return axes


def add_legend(ax: Axes, own_figure: bool, place: Any, **options: Any) -> None:
    """Put the legend outside the Axes where the figure is ours, inside where it is somebody else's."""
    options = {"frameon": False, "fontsize": "small", "title_fontsize": "small"} | options
    if own_figure:
        handles, labels = ax.get_legend_handles_labels()
        ax.figure.legend(handles, labels, loc=place, **options)
    else:
        ax.legend(loc="best", **options | {"ncols": 1})


def tidy(ax: Axes, *, grid: str = "both") -> None:
    """Take away what is no data: two of the four spines; the grid stays behind, faintly."""
    ax.spines[["top", "right"]].set_visible(False)
    if grid:
        ax.grid(axis=grid, color=PALE, linewidth=0.8)  # type: ignore[arg-type]
    ax.set_axisbelow(True)


def metric_label(metric: str) -> str:
    """Return a metric's name as it is said.

    Examples
    --------
    >>> metric_label("validation_r2"), metric_label("train_loss")
    ('validation R²', 'training loss')
    """
    words = {"train": "training", "r2": "R²"}
    return " ".join(words.get(word, word) for word in metric.split("_"))


def possible(metric: str) -> tuple[float, float]:
    """Return the least and the greatest value that a metric can have.

    Examples
    --------
    >>> possible("validation_accuracy"), possible("validation_r2"), possible("train_loss")
    ((0.0, 1.0), (-inf, 1.0), (0.0, inf))
    """
    ends = {"accuracy": (0.0, 1.0), "r2": (-math.inf, 1.0), "loss": (0.0, math.inf)}
    return ends.get(metric.rpartition("_")[2], (-math.inf, math.inf))


def is_wide(values: NDArray[np.float64], metric: str) -> bool:
    """Return whether values of this metric call for a logarithmic axis."""
    finite = values[np.isfinite(values)]
    if not metric.endswith("loss") or len(finite) == 0 or finite.min() <= 0:
        return False
    return bool(finite.max() / finite.min() >= LOGARITHMIC_FROM)


def make_logarithmic(axis: Axis, values: NDArray[np.float64]) -> None:
    """Make the axis of a wide metric logarithmic; where it spans a few decades only, 2 and 5 are told too."""
    from matplotlib.ticker import FuncFormatter, LogLocator

    least, greatest = spanned(values)
    set_scale = axis.axes.set_xscale if axis is axis.axes.xaxis else axis.axes.set_yscale
    set_scale("log")
    if greatest / least <= FEW_DECADES:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def spanned(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return least and greatest of the finite values, apart even if all are equal."""
    finite = values[np.isfinite(values)]
    if len(finite) == 0:
        return 0.0, 1.0
    least, greatest = float(finite.min()), float(finite.max())
    return (least, greatest) if greatest > least else (least - 0.5e-3, greatest + 0.5e-3)
