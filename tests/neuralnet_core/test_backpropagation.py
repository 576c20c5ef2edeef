"""Forward, loss, gradients and scores of the reference: by finite differences and by numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, r2_score

from neuralnet_core import (
    ACTIVATIONS,
    LOSSES,
    Dense,
    Dropout,
    Network,
)
from neuralnet_core.backpropagation import (
    evaluate,
    forward,
    loss_and_gradients,
    mean_loss,
)
from neuralnet_core.gradcheck import compare, numeric_gradients

X = np.random.default_rng(7).normal(size=(12, 4))
LINE = Network([Dense(1, bias=False)])  # one weight W: the loss on x = 1, t = 0 is W^2, its gradient 2 W
ONE = np.ones((1, 1))
ZERO = np.zeros((1, 1))


def draws() -> np.random.Generator:
    """A generator of the test's own, so that tests may run in any order."""
    return np.random.default_rng(8)


def targets_for(loss: str, outputs: int) -> np.ndarray:
    random = draws()
    match LOSSES[loss].kind:
        case "classes":
            return random.integers(0, outputs, (len(X), 1)).astype(float)
        case "binary":
            return random.integers(0, 2, (len(X), outputs)).astype(float)
        case _:
            return random.normal(scale=2.0, size=(len(X), outputs))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_are_those_of_finite_differences(activation: str, loss: str) -> None:
    network = Network([Dense(3, activation), Dense(2, activation), Dense(2)], loss=loss)
    random, parameters = draws(), network.initialize(1, input_shape=4, dtype="float64")
    for bias in ("0.bias", "1.bias", "2.bias"):
        parameters[bias] = random.normal(size=parameters[bias].shape)
    targets, c = targets_for(loss, 2), random.uniform(0.1, 1.0, len(X))
    value, gradients = loss_and_gradients(network, parameters, X, targets, c)
    numeric = numeric_gradients(lambda trial: mean_loss(network, trial, X, targets, c), parameters)
    check = compare(gradients, numeric, 1e-7)
    assert check.passed, check
    assert value == mean_loss(network, parameters, X, targets, c)
    assert list(gradients) == list(parameters)


def test_gradients_pass_through_dropout() -> None:
    network = Network([Dropout(0.3), Dense(5, "tanh"), Dropout(0.5), Dense(1)])
    parameters, targets = network.initialize(1, input_shape=4, dtype="float64"), targets_for("mse", 1)
    keep = {0: draws().uniform(size=(12, 4)) > 0.3, 2: draws().uniform(size=(12, 5)) > 0.5}
    _, gradients = loss_and_gradients(network, parameters, X, targets, keep=keep)
    numeric = numeric_gradients(lambda trial: mean_loss(network, trial, X, targets, keep=keep), parameters)
    assert compare(gradients, numeric, 1e-7).passed
    _, without = loss_and_gradients(network, parameters, X, targets)
    assert not np.allclose(without["1.weight"], gradients["1.weight"])


def test_dropout_scales_what_it_keeps_and_is_off_in_prediction() -> None:
    network = Network([Dropout(0.75), Dense(1, bias=False)])
    parameters = {"1.weight": np.ones((4, 1))}
    keep = {0: np.array([[True, False, False, True]])}
    loss = mean_loss(network, parameters, np.ones((1, 4)), ZERO, keep=keep)
    assert loss == (2 * 4.0) ** 2  # two of the four, each times 1 / (1 - 0.75)
    assert forward(network, parameters, np.ones((1, 4))).tolist() == [[4.0]]


def test_loss_is_a_mean_over_samples_and_outputs() -> None:
    network, parameters = Network([Dense(2, bias=False)]), {"0.weight": np.array([[1.0, 2.0]])}
    loss, gradients = loss_and_gradients(network, parameters, np.array([[1.0], [3.0]]), np.zeros((2, 2)))
    assert loss == (1 + 4 + 9 + 36) / 4
    assert gradients["0.weight"].tolist() == [[(2 * 1 * 1 + 2 * 3 * 3) / 4, (2 * 2 * 1 + 2 * 6 * 3) / 4]]


def test_softmax_loss_is_a_mean_over_samples_only() -> None:
    network = Network([Dense(4)], loss="softmax_cross_entropy")
    parameters = {"0.weight": np.zeros((1, 4)), "0.bias": np.zeros(4)}
    loss, gradients = loss_and_gradients(network, parameters, np.ones((2, 1)), np.array([[0.0], [3.0]]))
    assert loss == pytest.approx(math.log(4), rel=1e-15)
    assert gradients["0.bias"].tolist() == [-0.25, 0.25, 0.25, -0.25]


def test_scores_are_those_of_scikit_learn() -> None:
    weights = {"0.weight": draws().normal(size=(4, 3)), "0.bias": np.zeros(3)}
    for loss in LOSSES:
        network, t = Network([Dense(3)], loss=loss), targets_for(loss, 3)
        z = forward(network, weights, X)
        expected = {
            "regression": lambda z, t: r2_score(t, z),
            "binary": lambda z, t: accuracy_score(t, z > 0),
            "classes": lambda z, t: accuracy_score(t[:, 0], z.argmax(axis=1)),
        }[LOSSES[loss].kind](z, t)
        assert evaluate(network, weights, X, t)[1] == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize(("offset", "expected"), [(0.0, 1.0), (0.5, 0.0)])
def test_r2_of_targets_that_do_not_vary(offset: float, expected: float) -> None:
    parameters = {"0.weight": np.zeros((4, 1)), "0.bias": np.array([2.0 + offset])}
    assert evaluate(Network([Dense(1)]), parameters, X, np.full((12, 1), 2.0))[1] == expected
