"""The drawings: on the Axes given or on a new figure, with the title, labels, legend and scale that they promise."""

from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from neuralnet_core import Adam, Dense, EarlyStopping, GradientDescent, Model, Network
from neuralnet_core.plot_data import cost_curves, decision_boundary
from neuralnet_core.plots import COLOURS, LEGEND_MOST, MARKERS, draw_cost, draw_decision_boundary

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(90, 2))
TARGETS = {
    "mse": X[:, 0] ** 2,
    "binary_cross_entropy": X[:, 0] > 0,
    "softmax_cross_entropy": (X[:, 0] > 0).astype(int) + (X[:, 1] > 0),
}


def train(loss: str, epochs: int = 20, **options: object) -> Model:
    network = Network([Dense(8, "tanh"), Dense(3 if loss.startswith("softmax") else 1)], loss)
    y = TARGETS[loss]
    return network.train(X[:60], y[:60], Adam(0.03, epochs=epochs, **options), validation=(X[60:], y[60:]))


def drawn(ax: Axes) -> None:
    """Draw for real: what matplotlib only finds then is a failure too."""
    ax.figure.savefig(io.BytesIO())


def legend_of(ax: Axes) -> list[str]:
    legend = ax.get_legend()
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


@pytest.mark.parametrize("loss", TARGETS)
def test_both_are_panels_of_one_figure(loss: str) -> None:
    model = train(loss)
    figure, (left, right) = pyplot.subplots(1, 2, layout="constrained")
    assert model.plot_decision_boundary(X, TARGETS[loss], ax=left) is left
    assert model.plot_cost(ax=right) is right
    drawn(left)
    assert len(figure.axes) == (3 if loss == "mse" else 2)  # a regression has a colour bar
    assert left.get_title() == decision_boundary(model, X, TARGETS[loss]).title
    assert (left.get_xlabel(), left.get_ylabel()) == ("first input", "second input")
    assert right.get_title() == cost_curves(model).title
    assert right.get_xlabel() == "epoch"
    assert right.get_ylabel().startswith("loss (")


def test_without_axes_each_has_a_figure_of_its_own() -> None:
    model = train("binary_cross_entropy")
    one, other = model.plot_cost(), model.plot_decision_boundary(X, TARGETS["binary_cross_entropy"])
    drawn(one)
    drawn(other)
    assert one.figure is not other.figure


def test_a_cost_plot_shows_both_losses_and_the_kept_epoch() -> None:
    model = train("mse", epochs=200, early_stopping=EarlyStopping(patience=3))
    ax = model.plot_cost()
    drawn(ax)
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), model.history["train_loss"])
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), model.history["validation_loss"])
    assert legend_of(ax) == ["training", "validation", f"kept: epoch {model.epoch}"]


def test_losses_that_span_much_are_on_a_logarithmic_axis() -> None:
    y = 30 * X[:, 0]
    model = Network([Dense(1)]).train(X, y, GradientDescent(0.3, epochs=30))
    assert draw_cost(cost_curves(model), pyplot.figure().add_subplot()).get_yscale() == "log"
    assert train("softmax_cross_entropy").plot_cost().get_yscale() == "linear"


@pytest.mark.parametrize("rate", [1e2, 1e30])
def test_a_diverged_cost_is_drawn_as_far_as_it_is_finite(rate: float) -> None:
    with pytest.warns(RuntimeWarning, match="diverged"):
        model = Network([Dense(4, "relu"), Dense(1)]).train(X, X[:, 0], GradientDescent(rate, epochs=50))
    ax = model.plot_cost()
    drawn(ax)
    assert ax.get_title() == f"diverged in epoch {model.epoch}"


def test_one_epoch_is_a_dot_at_a_whole_number() -> None:
    ax = train("mse", epochs=1).plot_cost()
    drawn(ax)
    assert [line.get_marker() for line in ax.lines] == ["o", "o"]
    assert [tick for tick in ax.get_xticks() if 0.9 < tick < 1.1] == [1]


def test_classes_differ_in_colour_and_in_shape() -> None:
    names = np.array(["ant", "bee", "cat"])[TARGETS["softmax_cross_entropy"]]
    model = Network([Dense(3)], "softmax_cross_entropy").train(X, names, Adam(0.1))
    ax = model.plot_decision_boundary(X, names)
    drawn(ax)
    assert legend_of(ax) == ["ant", "bee", "cat"]
    points = ax.collections[-3:]
    assert len({tuple(part.get_facecolor()[0]) for part in points}) == 3
    assert len({part.get_paths()[0].vertices.tobytes() for part in points}) == 3


@pytest.mark.parametrize("classes", [9, LEGEND_MOST + 1])
def test_many_classes_have_a_colour_each(classes: int) -> None:
    y = np.arange(90) % classes
    model = Network([Dense(classes)], "softmax_cross_entropy").train(X, y, Adam(0.1, epochs=2))
    ax = model.plot_decision_boundary(X, y)
    drawn(ax)
    assert len({tuple(part.get_facecolor()[0]) for part in ax.collections[-classes:]}) == classes
    assert len(legend_of(ax)) == (classes if classes <= LEGEND_MOST else 0)


def test_regions_are_white_where_the_network_is_at_chance() -> None:
    model = Network([Dense(2, initializer="zeros")], "softmax_cross_entropy").train(
        X, TARGETS["binary_cross_entropy"].astype(int), GradientDescent(1e-30, epochs=1)
    )
    ax = model.plot_decision_boundary(X, TARGETS["binary_cross_entropy"].astype(int))
    drawn(ax)
    np.testing.assert_allclose(ax.images[0].get_array(), 1, atol=1e-6)


@pytest.mark.parametrize(
    "y", [X[:, 0], np.zeros(90), X[:, 0] * 1e-12, 1e6 + X[:, 0]], ids=["wide", "constant", "tiny", "far"]
)
def test_any_regression_is_drawn_with_one_scale_for_points_and_map(y: np.ndarray) -> None:
    model = train("mse")
    ax = draw_decision_boundary(decision_boundary(model, X, y, resolution=9), pyplot.figure().add_subplot())
    drawn(ax)
    filled, points = ax.collections
    assert filled.get_clim() == points.get_clim()
    assert points.get_clim()[0] <= y.min() <= y.max() <= points.get_clim()[1]


def test_small_multiples_share_one_legend_or_colour_bar() -> None:
    figure, axes = pyplot.subplots(1, 3, figsize=(7, 2), layout="constrained")
    for loss, ax in zip(TARGETS, axes, strict=True):
        alone = train(loss).plot_decision_boundary(X, TARGETS[loss])
        small = train(loss).plot_decision_boundary(X, TARGETS[loss], ax=ax, legend=False)
        assert legend_of(small) == []
        assert small.collections[-1].get_sizes()[0] < alone.collections[-1].get_sizes()[0]
    drawn(axes[0])
    assert len(figure.axes) == 3  # no colour bar


def test_many_points_are_drawn_small_and_without_a_search_for_free_places() -> None:
    many = RANDOM.normal(size=(20_000, 2))
    ax = train("binary_cross_entropy").plot_decision_boundary(many, many[:, 0] > 0)
    drawn(ax)
    assert ax.collections[-1].get_sizes()[0] == 5


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.1)."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_colours_are_told_apart_without_colour_in_the_first_two() -> None:
    assert len(COLOURS) == len(MARKERS) == len(set(COLOURS)) == len(set(MARKERS))
    assert abs(luminance(COLOURS[0]) - luminance(COLOURS[1])) > 0.05
