"""Decision boundaries of several trials as small multiples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sweep.labels import Labels

from .selection import select
from .style import grid_of_axes

if TYPE_CHECKING:
    from neuralnet_core import Model
    from sweep.results import Results

SHOWN = 6


@dataclass(frozen=True, slots=True)
class DecisionBoundaries:
    """What `draw_decision_boundaries` shows: a model per trial, its label, and the points (n, 2)."""

    X: NDArray[Any]
    y: NDArray[Any]
    models: tuple[Model, ...]
    labels: Labels


def extract_decision_boundaries(
    results: Results, X: ArrayLike, y: ArrayLike, trials: Sequence[int] | None = None
) -> DecisionBoundaries:
    """Return the models of some trials: those given, or one of each of the best configurations."""
    points = np.asarray(X)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"decision boundaries need X of shape (n, 2), got {points.shape}")
    selection = select(results, None)
    table = results.trials.set_index("trial")
    if trials is None:
        done = table[table["state"] == "done"].reset_index().groupby("configuration")["trial"].first()
        trials = [int(done[number]) for number in selection.configurations[:SHOWN]]
    unknown = [trial for trial in trials if trial not in table.index]
    if unknown or not trials:
        raise ValueError(f"trials must be numbers of trials (0 to {len(table) - 1}), got {list(trials)}")
    place = {number: i for i, number in enumerate(selection.configurations)}
    labels = selection.labels(30)
    texts = tuple(labels.texts[place[int(table["configuration"][trial])]] for trial in trials)
    return DecisionBoundaries(
        points, np.asarray(y), tuple(results.model(trial) for trial in trials), Labels(texts, labels.names)
    )


def draw_decision_boundaries(data: DecisionBoundaries) -> Any:
    """Draw a panel per model; all share their axes."""
    axes = grid_of_axes(len(data.models), 3.1, 2.9, sharex=True, sharey=True)
    for ax, model, text in zip(axes.flat, data.models, data.labels.texts, strict=False):
        model.plot_decision_boundary(data.X, data.y, ax=ax)
        ax.set_title(f"{text}\nscore {model.score(data.X, data.y):.3f}", fontsize="small")
        ax.label_outer()
        if ax.get_legend() is not None and ax is not axes.flat[0]:
            ax.get_legend().remove()
    if data.labels.names:
        axes.flat[0].figure.suptitle(data.labels.names, fontsize="medium")
    return axes
