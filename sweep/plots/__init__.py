"""Plots of results. Each is two steps: extract what is shown into a value, then draw it on Axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from neuralnet_core import shown

from .comparison import draw_comparison, extract_comparison
from .decision_boundaries import draw_decision_boundaries, extract_decision_boundaries
from .heatmap import draw_heatmap, extract_heatmap
from .learning_curves import draw_learning_curves, extract_learning_curves
from .parallel_coordinates import draw_parallel_coordinates, extract_parallel_coordinates
from .slices import draw_slice, draw_slices, extract_slice, extract_slices

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from sweep.results import Results

__all__ = ["Plots"]


class Plots:
    """The plots of one sweep's results, as ``results.plot``.

    Every method draws on `ax`, or on a figure of its own that has room for what is shown, and returns the Axes.
    `metric` is a column of ``results.trials``; None stands for the objective.
    """

    def __init__(self, results: Results) -> None:
        self._results = results

    def __repr__(self) -> str:
        names = ", ".join(f"{name}()" for name in vars(type(self)) if not name.startswith("_"))
        return f"Plots: {names}; each returns Axes"

    def comparison(self, metric: str | None = None, top: int = 20, ax: Axes | None = None) -> Axes:
        """Draw the best configurations: mean, 95 % interval and a dot per repeat.

        Parameters
        ----------
        metric
            What to compare.
        top
            Number of configurations to show.
        ax
            Where to draw.
        """
        return draw_comparison(extract_comparison(self._results, metric, top), ax)

    def learning_curves(self, metric: str | None = None, top: int = 6, ax: Axes | None = None) -> Axes:
        """Draw a metric over the epochs: mean and range over the repeats of the best configurations.

        Parameters
        ----------
        metric
            A curve's name; ``"loss"`` or ``"accuracy"`` alone shows training and validation together.
        top
            Number of configurations to show, at most 7.
        ax
            Where to draw.
        """
        return draw_learning_curves(extract_learning_curves(self._results, metric, top), ax)

    def heatmap(
        self,
        x: str | None = None,
        y: str | None = None,
        metric: str | None = None,
        *,
        others: str = "mean",
        ax: Axes | None = None,
    ) -> Axes:
        """Draw the metric over two parameters; many values of a number are put into bins.

        Parameters
        ----------
        x, y
            Names of the parameters; None for the two that matter most.
        metric
            What the colour shows.
        others
            What to do with the parameters not shown: ``"mean"`` over their values, or the ``"best"`` of them.
        ax
            Where to draw.
        """
        return draw_heatmap(extract_heatmap(self._results, x, y, metric, others=others), ax)

    def slice(self, parameter: str | None = None, metric: str | None = None, ax: Axes | None = None) -> Any:
        """Draw the metric against one parameter, a dot per configuration.

        Parameters
        ----------
        parameter
            Name of the parameter; None for a panel per parameter that varies.
        metric
            What to show.
        ax
            Where to draw; for one parameter only.

        Returns
        -------
        Axes or array of Axes
            An array if `parameter` is None.
        """
        if parameter is not None:
            return draw_slice(extract_slice(self._results, parameter, metric), ax)
        if ax is not None:
            raise ValueError(f"ax must be None, unless parameter= names the one to draw; got {shown(ax)}")
        return draw_slices(extract_slices(self._results, metric))

    def parallel_coordinates(
        self, metric: str | None = None, top: int | None = None, ax: Axes | None = None
    ) -> Axes:
        """Draw each configuration as a line through its parameters' values, coloured by the metric.

        Parameters
        ----------
        metric
            What the colour shows.
        top
            Show only so many of the best; None for all.
        ax
            Where to draw.
        """
        return draw_parallel_coordinates(extract_parallel_coordinates(self._results, metric, top), ax)

    def decision_boundaries(
        self, X: ArrayLike, y: ArrayLike, trials: int | Sequence[int] | None = None
    ) -> Any:
        """Draw the decision boundary of several trials, for data with two inputs.

        Parameters
        ----------
        X : (n, 2)
        y : (n,)
            The points to show; where the sweep scaled its data, scaled the same way.
        trials
            Numbers of the trials; None for the first repeat of the six best configurations.

        Returns
        -------
        array of Axes
        """
        return draw_decision_boundaries(extract_decision_boundaries(self._results, X, y, trials))
