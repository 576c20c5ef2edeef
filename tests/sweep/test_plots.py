"""Plots: what is extracted is right, what is drawn is whole and nothing lies on anything else."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import matplotlib
import numpy as np
import pytest

from neuralnet_core import Dense, Dropout
from sweep.labels import configuration_labels, format_interval, format_value, varying_parameters, wrapped
from sweep.plots.comparison import extract_comparison
from sweep.plots.decision_boundaries import extract_decision_boundaries
from sweep.plots.heatmap import extract_heatmap
from sweep.plots.learning_curves import extract_learning_curves
from sweep.plots.parallel_coordinates import extract_parallel_coordinates
from sweep.plots.parameters import scale_of
from sweep.plots.slices import extract_slice, extract_slices
from sweep.plots.style import metric_label
from sweep.results import Results

matplotlib.use("Agg")
from matplotlib import pyplot

Make = Callable[..., Results]
SIZES = [4, 24, 400]


@pytest.fixture(autouse=True)
def close_figures() -> Iterator[None]:
    yield
    pyplot.close("all")


def check(axes: Any) -> None:
    """Draw the figure and check that its texts are inside it and its tick labels apart."""
    figure = np.ravel(axes)[0].figure
    figure.draw_without_rendering()
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            labels = shown_labels(axis)
            boxes = [text.get_window_extent() for text in labels if text.get_rotation() == 0]
            for one, other in itertools.pairwise(boxes):
                assert not one.overlaps(other), f"{axis.get_label_text()}: tick labels overlap"
            for text in (*labels, axis.label, ax.title, ax._left_title):
                inside(figure, text)
    for legend in figure.legends:
        inside(figure, legend)
    names = [axis.label for ax in figure.axes for axis in (ax.xaxis, ax.yaxis) if axis.get_label_text()]
    for one, other in itertools.combinations([text.get_window_extent() for text in names], 2):
        assert not one.overlaps(other), "two axes' names overlap"


def shown_labels(axis: Any) -> list[Any]:
    """Return the labels of the ticks that lie in view: matplotlib has some beyond, and does not draw them."""
    low, high = sorted(axis.get_view_interval())
    space = 1e-9 * (high - low)
    ticks = [tick for tick in axis.get_major_ticks() if low - space <= tick.get_loc() <= high + space]
    labels = [label for tick in ticks for label in (tick.label1, tick.label2)]
    return [label for label in labels if label.get_visible() and label.get_text()]


def inside(figure: Any, artist: Any) -> None:
    box = artist.get_window_extent()
    if box.width > 0:
        assert box.x0 >= -1, f"{artist} is cut off on the left"
        assert box.y0 >= -1, f"{artist} is cut off below"
        assert box.x1 <= figure.bbox.x1 + 1, f"{artist} is cut off on the right"
        assert box.y1 <= figure.bbox.y1 + 1, f"{artist} is cut off above"


# --- Every plot, few and many configurations --------------------------------------------------------------------

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


def with_faults(results: Results) -> Results:
    """Return the results with a failed, a pending and a diverged trial."""
    trials, records = results._trials, dict(results._records)
    del records[trials[0].identity]
    for number, state in ((6, "failed"), (13, "diverged")):
        identity = trials[number].identity
        records[identity] = records[identity]._replace(state=state, metrics={}, curves={}, digest=None)
    return Results(trials, records, results.description)


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
def test_trials_without_results_do_no_harm(made: Make, plot: Callable[[Results], Any]) -> None:
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


# --- What is extracted ------------------------------------------------------------------------------------------


def test_a_comparison_holds_every_repeat(make_results: Make) -> None:
    results = make_results(24)
    data = extract_comparison(results, top=5)
    summary = results.summary.head(5)
    assert data.selection.configurations == tuple(summary["configuration"])
    np.testing.assert_allclose(data.values.mean(axis=1), summary["mean_validation_accuracy"])
    np.testing.assert_array_equal(data.interval[:, 0], summary["ci_low_validation_accuracy"])
    assert data.values.shape == (5, 5)
    assert not data.worse[0]
    against = results.compare().set_index("b")["p_holm"]
    expected = [against[number] < 0.05 for number in data.selection.configurations[1:]]
    assert data.worse[1:].tolist() == expected
    assert any(extract_comparison(results, top=24).worse)


def test_no_axis_goes_where_its_metric_cannot(make_results: Make) -> None:
    results = make_results([{"hidden": hidden, "activation": "relu"} for hidden in (200, 2000)], repeats=2)
    assert extract_comparison(results).interval.max() > 1.01
    assert results.plot.comparison().get_xlim()[1] < 1.01


def test_what_needs_no_legend_has_none(make_results: Make) -> None:
    assert len(make_results(4).plot.comparison().figure.legends) == 1
    assert make_results([{"hidden": 16, "activation": "relu"}]).plot.comparison().figure.legends == []


def test_a_loss_over_few_decades_has_its_2_and_5(make_results: Make) -> None:
    ax = make_results(24).plot.learning_curves("train_loss")
    ax.figure.draw_without_rendering()
    assert ax.get_yscale() == "log"
    assert {"0.2", "0.5", "1"} <= {label.get_text() for label in shown_labels(ax.yaxis)}


def test_incomplete_configurations_are_marked(make_results: Make) -> None:
    ax = with_faults(make_results(4, repeats=4)).plot.comparison()
    texts = [text.get_text() for text in ax.get_yticklabels()]
    assert [text.endswith("(incomplete)") for text in texts] == [False, True, True, True]


def test_curves_that_stopped_early_end_early(make_results: Make) -> None:
    results = make_results(4, repeats=2)
    short = results._trials[0].identity
    record = results._records[short]
    cut = record._replace(curves={name: values[:7] for name, values in record.curves.items()})
    data = extract_learning_curves(Results(results._trials, {**results._records, short: cut}, {}), top=4)
    values = data.curves[0, "validation"]
    np.testing.assert_array_equal(np.isfinite(values).sum(axis=1), [7, 20])
    ax = Results(results._trials, {**results._records, short: cut}, {}).plot.learning_curves()
    check(ax)
    for drawn, said in ((ax, True), (results.plot.learning_curves(), False)):
        (legend,) = drawn.figure.legends
        assert legend.get_title().get_text().endswith("thin: repeats that stopped later") is said


def test_a_heatmap_averages_or_takes_the_best(make_results: Make) -> None:
    results = make_results(24)
    mean = extract_heatmap(results, "learning_rate", "hidden")
    summary = results.summary
    cell = summary[(summary["params_learning_rate"] == 1e-2) & (summary["params_hidden"] == 8)]
    assert mean.values.shape == (3, 4)
    assert mean.values[0, 2] == pytest.approx(cell["mean_validation_accuracy"].mean())
    best = extract_heatmap(results, "learning_rate", "hidden", others="best")
    assert best.values[0, 2] == pytest.approx(cell["mean_validation_accuracy"].max())
    titles = [results.plot.heatmap(others=others).get_title("left") for others in ("mean", "best")]
    assert titles == [
        f"validation accuracy\n{others} over activation; framed: the best cell" for others in ("mean", "best")
    ]
    chosen = extract_heatmap(results)
    assert {chosen.x.name, chosen.y.name} == {"learning_rate", "hidden"}  # what matters most


def test_many_values_are_put_into_bins(make_results: Make) -> None:
    data = extract_heatmap(make_results(400, repeats=1), "learning_rate", "batch_size")
    assert data.x.binned
    assert data.x.count == 8
    assert not data.y.binned
    assert data.y.labels == ("16", "32", "64", "None")
    assert data.values.shape == (4, 8)


def test_a_dozen_draws_from_a_distribution_share_bins(make_results: Make) -> None:
    """A cell for each would show noise as an effect: the other parameters differ from draw to draw."""
    rates = np.geomspace(1e-4, 1e-1, 12).tolist()
    same = {"hidden": 8, "activation": "relu"}
    drawn = [
        {**same, "learning_rate": rate, "hidden": hidden}
        for rate, hidden in zip(rates, [4, 8, 16] * 4, strict=True)
    ]
    results = make_results(drawn)
    assert extract_heatmap(results, "learning_rate", "hidden").values.shape == (3, 3)
    assert len(extract_slice(results, "learning_rate").medians) == 3
    check(results.plot.slice())
    alone = make_results([{**same, "learning_rate": rate} for rate in rates])
    assert len(extract_slice(alone, "learning_rate").medians) == 12


def test_a_slice_is_logarithmic_where_values_are(make_results: Make) -> None:
    results = make_results(400, repeats=1)
    assert results.plot.slice("learning_rate").get_xscale() == "log"
    assert results.plot.slice("momentum").get_xscale() == "linear"
    assert [data.scale.name for data in extract_slices(results)][:2] == ["hidden", "activation"]
    data = extract_slice(make_results(24), "activation")
    accuracy = make_results(24).summary.groupby("params_activation")["mean_validation_accuracy"].median()
    assert dict(zip(data.scale.values, data.medians, strict=True)) == pytest.approx(accuracy.to_dict())


def test_parallel_coordinates_lie_between_0_and_1(make_results: Make) -> None:
    data = extract_parallel_coordinates(make_results(400, repeats=1), top=100)
    assert data.heights.shape == (100, 6)
    assert data.heights.min() > -0.05
    assert data.heights.max() < 1.05
    # The best lies on top within each value of a parameter.
    at_relu = [row for row, params in enumerate(data.selection.params) if params["activation"] == "relu"]
    assert np.argmax(data.heights[at_relu, 1]) == 0


SCALES = [
    ([1e-4, 1e-3, 1e-2], "log"), ([8, 16, 32, 64], "log"), ([0.001, 0.1], "log"), ([1, 2, 3, 4], "linear"),
    ([16, 32], "linear"), ([0.0, 0.5, 0.9], "linear"), ([0.0, 1e-5, 1e-4, 1e-2], "places"),
    (["relu", "tanh"], "places"), ([True, False], "places"), ([32, None], "places"), ([-1, 10, 1000], "places"),
    (list(np.random.default_rng(0).uniform(0, 1, 50)), "linear"), (list(np.geomspace(1, 1e6, 50)), "log"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "kind"), SCALES)
def test_a_parameter_lies_as_it_was_spaced(values: list[Any], kind: str) -> None:
    scale = scale_of("p", values)
    assert scale.kind == kind
    positions = scale.positions(values)
    assert np.isfinite(positions).all()
    assert len(np.unique(positions)) == len(values)
    ticks, texts = scale.ticks()
    assert len(ticks) == len(texts) > 1
    assert len(set(texts)) == len(texts)


def test_true_is_not_one() -> None:
    assert scale_of("p", [True, 1, 2]).positions([True, 1, 2]).tolist() == [2, 0, 1]


# --- Labels -----------------------------------------------------------------------------------------------------


def test_labels_name_only_what_varies() -> None:
    params = [{"hidden": 8, "rate": 0.1, "l2": 0}, {"hidden": 8, "rate": 0.2, "l2": 0}]
    names = varying_parameters(params)
    assert names == ["rate"]
    assert configuration_labels(params, names).texts == ("rate=0.1", "rate=0.2")
    assert configuration_labels(params[:1], []).texts == ("the configuration",)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"), (1e-5, "1e-05"), (2.0, "2"), (1e6, "1e+06"), (64, "64"), (True, "True"), (None, "None"),
        ("relu", "relu"), ((64, 32, 16), "64-32-16"), (float("inf"), "inf"), ("x" * 40, "xxxxxxxxx…xxxxxxxx"),
        ((Dense(16, "relu"), Dense(3)), "16 relu-3"), ((), "()"), ([{"type": "Dense", "units": 3}], "3"),
        (Dropout(0.2), "Dropout 0.2"),
    ],
)  # fmt: skip
def test_values_take_few_characters(value: Any, text: str) -> None:
    assert format_value(value) == text


def test_intervals_show_digits_that_mean_something() -> None:
    assert format_interval(0.97812, 0.96812, 0.98812) == "0.978 ± 0.010"
    assert format_interval(1234.5, 1000.0, 1469.0) == "1230 ± 230"
    assert format_interval(-0.3, -11.3, 10.7) == "0 ± 11"
    assert format_interval(1.5e7, 1.0e7, 2.0e7) == "1.5e+07 ± 5e+06"
    assert format_interval(0.5, 0.5, 0.5) == "0.5"


def test_names_are_broken_where_they_may_be() -> None:
    assert wrapped("", 10) == ""
    assert wrapped("hidden · learning_rate · l2", 16) == "hidden ·\nlearning_rate ·\nl2"
    assert metric_label("validation_accuracy") == "validation accuracy"


# --- Faults -----------------------------------------------------------------------------------------------------


def test_wrong_names_are_told_the_right_ones(make_results: Make) -> None:
    plot = make_results(4).plot
    with pytest.raises(ValueError, match="metric must be one of train_loss, validation_loss"):
        plot.comparison("f1")
    with pytest.raises(ValueError, match="metric must be one of accuracy, loss, train_loss"):
        plot.learning_curves("f1")
    with pytest.raises(ValueError, match="parameter must be one of hidden, activation; got 'width'"):
        plot.slice("width")
    with pytest.raises(ValueError, match="parameter must be one of hidden, activation; got 'width'"):
        plot.heatmap("width")
    with pytest.raises(ValueError, match="two different parameters"):
        plot.heatmap("hidden", "hidden")
    with pytest.raises(ValueError, match="others must be one of mean, best; got 'median'"):
        plot.heatmap(others="median")
    with pytest.raises(ValueError, match="top must be >= 1, got 0"):
        plot.comparison(top=0)
    with pytest.raises(ValueError, match="top must be 1 to 7"):
        plot.learning_curves(top=8)


def test_results_of_a_function_have_no_curves(make_results: Make) -> None:
    results = make_results(4)
    records = {identity: record._replace(curves={}) for identity, record in results._records.items()}
    with pytest.raises(ValueError, match="nothing to plot: no trial has curves"):
        Results(results._trials, records, results.description).plot.learning_curves()


def test_nothing_done_is_nothing_to_plot(make_results: Make) -> None:
    results = make_results(4)
    nothing = Results(results._trials, {}, {})
    for plot in (
        nothing.plot.comparison,
        nothing.plot.learning_curves,
        nothing.plot.heatmap,
        nothing.plot.slice,
    ):
        with pytest.raises(ValueError, match="nothing to plot: no trial is done"):
            plot()


def test_a_metric_without_a_finite_mean_is_nothing_to_plot(make_results: Make) -> None:
    results = make_results(4, repeats=2)
    records = {
        identity: record._replace(metrics={"train_loss": 1e308})
        for identity, record in results._records.items()
    }
    plot = Results(results._trials, records, {}).plot
    for draw in (plot.comparison, plot.heatmap, plot.slice, plot.parallel_coordinates):
        with pytest.raises(
            ValueError, match="nothing to plot: no configuration has a finite mean of train_loss"
        ):
            draw()


# --- Decision boundaries ----------------------------------------------------------------------------------------


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
