"""What the plots show, without drawing: losses by epoch, predictions on a grid, titles, and what cannot be shown."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from neuralnet_core import Adam, Dense, EarlyStopping, GradientDescent, Model, Network
from neuralnet_core.plot_data import CostCurves, cost_curves, decision_boundary, said

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(90, 2)) * [1.0, 10.0]
LABELS = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
NAMES = np.array(["ant", "bee", "cat"])
TRAINED, HELD_OUT = slice(60), slice(60, None)


def train(loss: str, y: np.ndarray, outputs: int = 1, epochs: int = 20) -> Model:
    network = Network([Dense(8, "tanh"), Dense(outputs)], loss)
    return network.train(X, y, Adam(0.03, epochs=epochs))


def curves(*losses: float, validation: list[float] | None = None) -> CostCurves:
    held_out = None if validation is None else np.array(validation)
    return CostCurves(
        np.arange(1, len(losses) + 1), np.array(losses), held_out, "mse", len(losses), None, False
    )


# --- Cost -------------------------------------------------------------------------------------------------


def test_curves_are_the_history_and_the_kept_epoch() -> None:
    optimizer = Adam(0.3, epochs=60, early_stopping=EarlyStopping(patience=2))
    noisy = X[HELD_OUT], RANDOM.permutation(LABELS[HELD_OUT])
    model = Network([Dense(16, "tanh"), Dense(3)], "softmax_cross_entropy").train(
        X[TRAINED], LABELS[TRAINED], optimizer, validation=noisy
    )
    shown = cost_curves(model)
    assert shown.epochs.tolist() == model.history.index.tolist()
    np.testing.assert_array_equal(shown.train, model.history["train_loss"])
    np.testing.assert_array_equal(shown.validation, model.history["validation_loss"])
    assert shown.kept == model.epoch
    assert shown.score == ("validation accuracy", model.score(*noisy))
    assert (
        shown.title
        == f"validation accuracy {model.score(*noisy):.3f} in epoch {shown.kept} of {len(model.history)}"
    )


def test_without_validation_the_title_says_the_training_loss() -> None:
    shown = cost_curves(train("mse", X[:, 0]))
    assert shown.validation is None
    assert shown.title == f"training loss {shown.train[-1]:.3g} after 20 epochs"
    assert cost_curves(train("mse", X[:, 0], epochs=1)).title.endswith("after 1 epoch")


def test_a_diverged_model_says_when() -> None:
    with pytest.warns(RuntimeWarning, match="diverged"):
        model = Network([Dense(4, "relu"), Dense(1)]).train(X, X[:, 0], GradientDescent(1e30))
    assert cost_curves(model).title == f"diverged in epoch {model.epoch}"


@pytest.mark.parametrize(
    ("shown", "logarithmic"),
    [
        (curves(1.0, 0.06), False),
        (curves(1.0, 0.05), True),
        (curves(1.0, 0.5, validation=[1.0, 0.04]), True),
        (curves(1.0, 0.0), False),
        (curves(1.0, np.inf), False),
        (curves(1.0, 1e9, np.nan), True),
        (curves(np.nan), False),
    ],
)
def test_an_axis_is_logarithmic_where_losses_span_much(shown: CostCurves, logarithmic: bool) -> None:
    assert shown.logarithmic is logarithmic


# --- Decision boundary ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "outputs", "count"), [("binary_cross_entropy", 1, 2), ("softmax_cross_entropy", 3, 3)]
)
def test_classes_are_probabilities_on_a_grid_around_the_data(loss: str, outputs: int, count: int) -> None:
    y = LABELS if count == 3 else LABELS > 0
    model = train(loss, NAMES[y.astype(int)], outputs)
    shown = decision_boundary(model, X, NAMES[y.astype(int)], resolution=7)
    assert shown.values.shape == (7, 7, count)
    assert shown.names == tuple(NAMES[:count])
    assert shown.targets.tolist() == y.astype(int).tolist()
    assert shown.horizontal[0] < X[:, 0].min() < X[:, 0].max() < shown.horizontal[-1]
    assert shown.vertical[0] < X[:, 1].min() < X[:, 1].max() < shown.vertical[-1]
    place = np.array([[shown.horizontal[2], shown.vertical[5]]])
    np.testing.assert_allclose(shown.values[5, 2], model.predict_proba(place)[0], rtol=1e-6)
    assert shown.title == f"accuracy {model.score(X, NAMES[y.astype(int)]):.3f} on 90 points"


def test_labels_without_names_are_named_by_their_numbers() -> None:
    model = train("softmax_cross_entropy", LABELS, 3)
    one_hot = decision_boundary(model, X, np.eye(3)[LABELS], resolution=3)
    assert one_hot.names == ("0", "1", "2")
    assert one_hot.targets.tolist() == LABELS.tolist()


def test_a_regression_is_predictions_on_a_grid() -> None:
    model = train("mse", X[:, 0])
    shown = decision_boundary(model, X, X[:, 0], resolution=5)
    assert shown.values.shape == (5, 5)
    assert shown.names == ()
    np.testing.assert_allclose(shown.targets, X[:, 0], rtol=1e-6)
    np.testing.assert_array_equal(
        shown.values[4], model.predict(np.stack([shown.horizontal, [shown.vertical[4]] * 5], 1))
    )
    assert shown.title == f"R² {model.score(X, X[:, 0]):.3f} on 90 points"


def test_data_on_a_line_still_has_a_plane_around_it() -> None:
    model = train("mse", X[:, 0])
    shown = decision_boundary(model, X * [1, 0], X[:, 0], resolution=3)
    assert shown.vertical.tolist() == [-0.5, 0.0, 0.5]
    assert shown.extent[2:] == (-0.75, 0.75)


def test_what_is_shown_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        curves(1.0).kept = 2  # type: ignore[misc]


def test_networks_without_a_boundary_are_refused() -> None:
    three = Network([Dense(1)]).train(np.ones((4, 3)), np.ones(4), Adam(epochs=1))
    with pytest.raises(
        ValueError, match=r"a decision boundary needs a network of 2 inputs, this one has shape \(3,\)"
    ):
        decision_boundary(three, np.ones((4, 3)), np.ones(4))
    for loss in ("mse", "binary_cross_entropy"):
        several = train(loss, (X > 0).astype(float), 2)
        with pytest.raises(
            ValueError, match=f"a decision boundary with {loss} needs one output, this network has 2"
        ):
            decision_boundary(several, X, X > 0)
    model = train("mse", X[:, 0])
    with pytest.raises(ValueError, match="resolution must be >= 2, got 1"):
        decision_boundary(model, X, X[:, 0], resolution=1)
    with pytest.raises(ValueError, match="X and y must have the same number of rows"):
        decision_boundary(model, X, X[:3, 0])
    broken = replace(
        model, parameters=model.parameters | {"1.bias": np.array([np.nan], np.float32)}, state="diverged"
    )
    with pytest.raises(
        ValueError, match="outputs are not finite, so it has no decision boundary; it is diverged"
    ):
        decision_boundary(broken, X, X[:, 0])


def test_names_are_said_as_words() -> None:
    names = ["mse", "huber", "binary_cross_entropy", "r2", "accuracy"]
    assert [said(name) for name in names] == [
        "mean squared error",
        "huber",
        "binary cross-entropy",
        "R²",
        "accuracy",
    ]


def test_extracting_and_importing_need_no_matplotlib() -> None:
    code = "import sys, neuralnet_core.plot_data, neuralnet_core.plots; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
