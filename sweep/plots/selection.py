"""What all plots ask of results: configurations in order of a metric, with their parameters and values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuralnet_core import check_integer
from sweep.labels import Labels, configuration_labels, counted, varying_parameters
from sweep.objective import choose_objective, higher_is_better, rank
from sweep.tables import names_after

from .parameters import Scale, scale_of

if TYPE_CHECKING:
    import pandas

    from sweep.results import Results


@dataclass(frozen=True, slots=True)
class Selection:
    """Configurations, best first (C of them): numbers, parameters (plain values), means of the metric (C,).

    `total` configurations were tried, `measured` of them have a mean.
    """

    metric: str
    higher: bool
    configurations: tuple[int, ...]
    params: tuple[dict[str, Any], ...]
    varying: tuple[str, ...]
    means: NDArray[np.float64]
    complete: tuple[bool, ...]
    total: int
    measured: int

    def labels(self, longest: int = 36) -> Labels:
        """Return a label per configuration."""
        return configuration_labels(self.params, self.varying, longest)

    def values(self, name: str) -> list[Any]:
        """Return a parameter's value in every configuration; None where it has none."""
        return [params.get(name) for params in self.params]

    def scale(self, name: str) -> Scale:
        """Return the scale of a parameter; what is no number comes in the order of the space."""
        in_space = np.argsort(self.configurations)
        values = self.values(name)
        return scale_of(name, [values[i] for i in in_space])

    @property
    def extent(self) -> str:
        """How much of the sweep is shown, for a title."""
        shown = len(self.configurations)
        total = counted(self.total, "configuration")
        if shown == self.total:
            return total
        return (
            f"best {shown} of {total}" if shown < self.measured else f"the {shown} of {total} with a result"
        )


def select(results: Results, metric: str | None, top: int | None = None) -> Selection:
    """Return the best configurations by a metric, those with a trial that is not done last.

    Raises
    ------
    ValueError
        If the metric was not measured or has no finite mean, no trial is done, or `top` is not positive.
    """
    if top is not None:
        check_integer("top", top, at_least=1)
    summary = results.summary
    measured = names_after("mean_", summary)
    name = choose_objective(measured, results.objective if metric is None else metric)
    if not summary["n"].any():
        raise ValueError("there is nothing to plot: no trial is done")
    means = summary[f"mean_{name}"].to_numpy()
    planned = summary["configuration"].map(results.trials["configuration"].value_counts())
    complete = (summary["n"] == planned).to_numpy() & np.isfinite(means)
    higher = higher_is_better(name)
    # The summary is in the objective's order: with a stable sort it decides between equals.
    order = np.argsort(rank(means, complete, higher), kind="stable")
    order = order[np.isfinite(means[order])]
    if not len(order):
        raise ValueError(f"there is nothing to plot: no configuration has a finite mean of {name}")
    params = _params(summary)
    shown = order[:top]
    return Selection(
        metric=name,
        higher=higher,
        configurations=tuple(int(c) for c in summary["configuration"].iloc[shown]),
        params=tuple(params[i] for i in shown),
        varying=tuple(varying_parameters(params)),
        means=means[shown],
        complete=tuple(bool(c) for c in complete[shown]),
        total=len(summary),
        measured=len(order),
    )


def _params(summary: pandas.DataFrame) -> list[dict[str, Any]]:
    names = names_after("params_", summary)
    columns = [summary[f"params_{name}"].tolist() for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)] or [{}] * len(summary)
