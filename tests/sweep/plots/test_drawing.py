"""Whatever is drawn is whole, and nothing lies on anything else."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
from drawn import check
from matplotlib import pyplot

from sweep.plots.decision_boundaries import extract_decision_boundaries
from sweep.results import Results

Make = Callable[..., Results]
Change = Callable[[Results], Results]
SIZES = [4, 400]  # and 24 where some trials have no results

PLOTS: dict[str, Callable[[Results], Any]] = {
    "comparison": lambda results: results.plot.comparison(),
    "comparison of losses": lambda results: results.plot.comparison("train_loss", top=30),
    "learning curves": lambda results: results.plot.learning_curves(),
    "learning curves of both splits": lambda results: results.plot.learning_curves("loss", top=7),
    "heatmap": lambda results: results.plot.heatmap(),
    "heatmap of losses": lambda results: results.plot.heatmap(
        "hidden", "activation", "train_loss", others="best"
    ),
    "slice": lambda results: results.plot.slice("hidden"),
    "slices": lambda results: results.plot.slice(),
    "parallel coordinates": lambda results: results.plot.parallel_coordinates(),
    "parallel coordinates of the best": lambda results: results.plot.parallel_coordinates(
        "train_loss", top=50
    ),
}


@pytest.fixture(scope="module")
def made(make_results: Make) -> Make:
    """Return a function that makes the same results once."""
    return cache(make_results)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
def test_a_plot_is_whole(made: Make, plot: Callable[[Results], Any], size: int) -> None:
    check(plot(made(size, repeats=3, epochs=6)))


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
@pytest.mark.parametrize("repeats", [1, 2])
def test_few_repeats_suffice(made: Make, plot: Callable[[Results], Any], repeats: int) -> None:
    check(plot(made(4, repeats=repeats, epochs=1)))


@pytest.mark.parametrize("plot", ["comparison", "learning_curves", "heatmap", "parallel_coordinates"])
def test_a_plot_goes_where_it_is_told(make_results: Make, plot: str) -> None:
    ax = pyplot.subplots(figsize=(9, 9))[1]
    assert getattr(make_results(4).plot, plot)(ax=ax) is ax
    assert make_results(4).plot.slice("hidden", ax=ax) is ax
    assert len(pyplot.get_fignums()) == 1


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
def test_trials_without_results_do_no_harm(
    made: Make, with_faults: Change, plot: Callable[[Results], Any]
) -> None:
    check(plot(with_faults(made(24, repeats=3))))


def test_long_names_are_kept_apart(make_results: Make) -> None:
    names = [
        "number_of_residual_blocks",
        "an_optimizer_with_its_schedule",
        "use_batch_normalisation",
        "hidden",
    ]
    kinds = [
        [1, 2],
        ["CosineDecay(initial=0.1, updates=1000)", "StepDecay(initial=0.1)"],
        [True, False],
        [8, 16],
    ]
    grid = [dict(zip(names, values, strict=True), activation="relu") for values in itertools.product(*kinds)]
    results = make_results(grid, epochs=4)
    for plot in (results.plot.comparison, results.plot.learning_curves, results.plot.slice):
        check(plot())
    check(results.plot.heatmap(names[1], names[0]))
    check(results.plot.parallel_coordinates())


def test_no_validation_and_one_configuration(make_results: Make) -> None:
    results = make_results(4, validation=False)
    assert results.plot.comparison().get_title("left") == "training loss: 4 configurations"
    one = Results(results._trials[:5], results._records, {})
    assert one.plot.comparison().get_title("left") == "training loss: 1 configuration"
    check(one.plot.learning_curves())
    for plot in (one.plot.heatmap, one.plot.slice, one.plot.parallel_coordinates):
        with pytest.raises(ValueError, match=r"var(ies|y)"):
            plot()


@dataclass(frozen=True)
class FakeModel:
    name: str

    def digest(self) -> str:
        return self.name

    def plot_decision_boundary(self, X: Any, y: Any, ax: Any, *, legend: bool) -> Any:
        for label in np.unique(y):
            ax.scatter(*X[y == label].T, label=f"class {label}")
        ax.set_title("accuracy 0.875 on 50 points")
        assert not legend
        return ax


def test_decision_boundaries_are_small_multiples(make_results: Make) -> None:
    made = make_results(24)
    results = Results(made._trials, made._records, {}, lambda trial: FakeModel(f"digest of {trial.identity}"))
    X, y = np.random.default_rng(0).normal(size=(50, 2)), np.arange(50) % 2
    axes = results.plot.decision_boundaries(X, y)
    check(axes)
    assert axes.shape == (2, 3)
    assert axes[0, 0].get_title().endswith("32 · relu · 0.1\naccuracy 0.875 on 50 points")
    (legend,) = axes[0, 0].figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["class 0", "class 1"]
    assert not any(ax.get_legend() for ax in axes.flat)
    assert results.plot.decision_boundaries(X, y, trials=[3, 60]).shape == (1, 2)
    assert extract_decision_boundaries(results, X, y, [7]).models == (FakeModel(results.trials["digest"][7]),)
    with pytest.raises(
        ValueError, match=r"X must have shape \(n, 2\) for decision boundaries, got \(50, 3\)"
    ):
        results.plot.decision_boundaries(np.zeros((50, 3)), y)
    with pytest.raises(ValueError, match=r"trials must be numbers of trials \(0 to 119\), got \[120\]"):
        results.plot.decision_boundaries(X, y, trials=[120])
