"""Decision boundaries of several trials as small multiples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike, NDArray

from neuralnet_core import check_features, check_same_length, check_targets, shown
from sweep.labels import Labels, wrapped

from .selection import select
from .style import grid_of_axes

if TYPE_CHECKING:
    from neuralnet_core import Model
    from sweep.results import Results

SHOWN = 6
LEGEND_MOST = 20  # classes


@dataclass(frozen=True, slots=True)
class DecisionBoundaries:
    """What `draw_decision_boundaries` shows: a model per trial, its label, and the points (n, 2)."""

    X: NDArray[Any]
    y: NDArray[Any]
    models: tuple[Model, ...]
    labels: Labels


def extract_decision_boundaries(
    results: Results, X: ArrayLike, y: ArrayLike, trials: int | Sequence[int] | None = None
) -> DecisionBoundaries:
    """Return the models of some trials: those given, or one of each of the best configurations."""
    points, targets = check_features(X, "float64"), check_targets(y)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"X must have shape (n, 2) for decision boundaries, got {points.shape}")
    check_same_length(X=points, y=targets)
    selection = select(results, None)
    table = results.trials.set_index("trial")
    if trials is None:
        done = table[table["state"] == "done"].reset_index().groupby("configuration")["trial"].first()
        trials = [int(done[number]) for number in selection.configurations[:SHOWN]]
    numbers = list(trials) if isinstance(trials, Iterable) else [trials]
    if not numbers or not all(isinstance(one, Integral) and one in table.index for one in numbers):
        raise ValueError(f"trials must be numbers of trials (0 to {len(table) - 1}), got {shown(trials)}")
    place = {number: i for i, number in enumerate(selection.configurations)}
    labels = selection.labels(30)
    texts = tuple(labels.texts[place[int(table["configuration"][trial])]] for trial in numbers)
    models = tuple(results.model(trial) for trial in numbers)
    return DecisionBoundaries(points, targets, models, Labels(texts, labels.names))


def draw_decision_boundaries(data: DecisionBoundaries) -> Any:
    """Draw a panel per model; all share their axes and what says which colour is which."""
    axes = grid_of_axes(len(data.models), 3.1, 2.9, sharex=True, sharey=True)
    for ax, model, text in zip(axes.flat, data.models, data.labels.texts, strict=False):
        model.plot_decision_boundary(data.X, data.y, ax=ax, legend=False)
        ax.set_title(f"{text}\n{ax.get_title()}", fontsize="small")
        ax.label_outer()
    _explain(axes)
    if data.labels.names:
        axes.flat[0].figure.suptitle(wrapped(data.labels.names, 26 * axes.shape[1]), fontsize="medium")
    return axes


def _explain(axes: Any) -> None:
    """Add the legend of the classes; of a regression, whose panels have one scale, the colour bar."""
    figure, (handles, labels) = axes.flat[0].figure, axes.flat[0].get_legend_handles_labels()
    if not handles:
        figure.colorbar(axes.flat[0].collections[0], ax=axes, label="prediction, and target of the points")
    elif len(labels) <= LEGEND_MOST:
        place = {"loc": "outside right upper", "frameon": False}
        figure.legend(handles, labels, title="class", fontsize="small", title_fontsize="small", **place)
