"""What is extracted from results is right, and is what a plot shows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from drawn import check, shown_labels

from sweep.plots.comparison import extract_comparison
from sweep.plots.heatmap import extract_heatmap
from sweep.plots.learning_curves import extract_learning_curves
from sweep.plots.parallel_coordinates import extract_parallel_coordinates
from sweep.plots.slices import extract_slice, extract_slices
from sweep.results import Results

Make = Callable[..., Results]


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


def test_incomplete_configurations_are_marked(
    make_results: Make, with_faults: Callable[[Results], Results]
) -> None:
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
