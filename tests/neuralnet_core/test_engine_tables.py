"""The compiled twins of activations.py and losses.py, number by number, in both widths."""

from __future__ import annotations

import numpy as np
import pytest

from neuralnet_core import (
    ACTIVATIONS,
    LOSSES,
    Dense,
    Network,
)
from neuralnet_core.evaluation import evaluate, forward, gradients

DTYPES = ("float64", "float32")

GRID = np.concatenate([np.linspace(-12, 12, 241), [-700.0, -50.0, -1e-4, -0.0, 0.0, 1e-4, 50.0, 700.0]])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_has_its_twin(name: str, dtype: str) -> None:
    z = GRID.astype(dtype)[:, None]
    network, one = Network([Dense(1, name, bias=False)]), {"0.weight": np.ones((1, 1), dtype)}
    expected = ACTIVATIONS[name].function(z.astype(float))
    tolerance = {"rtol": 4e-15, "atol": 1e-15} if dtype == "float64" else {"rtol": 2e-6, "atol": 5e-7}
    np.testing.assert_allclose(forward(network, one, z), expected, **tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slope_has_its_twin(name: str, dtype: str) -> None:
    row, tolerance = ACTIVATIONS[name], 1e-14 if dtype == "float64" else 3e-6
    network = Network([Dense(1, name)])
    parameters = {"0.weight": np.ones((1, 1), dtype), "0.bias": np.zeros(1, dtype)}
    for z in GRID[::5].astype(dtype):
        x = np.array([[z]], dtype)
        a = forward(network, parameters, x)
        bias = gradients(network, parameters, x, a - np.array(0.5, dtype))[
            "0.bias"
        ]  # 2 (a - t) slope = slope
        expected = row.derivative(x.astype(float), row.function(x.astype(float)))[0, 0]
        near = 2 * float(
            a[0, 0] - (a[0, 0] - np.array(0.5, dtype))
        )  # what is left of 1 after rounding a - 0.5
        assert bias[0] == pytest.approx(expected * near, rel=tolerance, abs=tolerance), z


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivative_at_zero_follows_the_convention(name: str) -> None:
    network = Network([Dense(1, name)])
    parameters = {"0.weight": np.ones((1, 1)), "0.bias": np.zeros(1)}
    for zero in (0.0, -0.0):
        x = np.array([[zero]])
        a = forward(network, parameters, x)
        bias = gradients(network, parameters, x, a - 0.5)["0.bias"][0]
        assert bias == pytest.approx(ACTIVATIONS[name].derivative(x, a)[0, 0], rel=1e-14)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", LOSSES)
def test_loss_has_its_twin(loss: str, dtype: str) -> None:
    row = LOSSES[loss]
    z = np.array(
        [[0.0, 0.0], [1.0, -1.0], [0.3, 30.0], [-80.0, 80.0], [-3.0, 0.5], [2.0, 1.0], [500.0, -500.0]], dtype
    )
    t = {
        "classes": np.array([[0], [1], [0], [1], [0], [1], [0]]),
        "binary": np.array([[0, 1], [1, 0], [1, 1], [0, 0], [0.25, 1], [1, 1], [1, 0]]),
        "regression": np.array([[0, 0], [0, 0], [0.3, -1], [5, 5], [-2, 0.5], [1, 1], [0, 0]]),
    }[row.kind].astype(dtype)
    tolerance = 1e-14 if dtype == "float64" else 2e-6
    network = Network([Dense(2)], loss=loss)
    for x, target in zip(z[:, None, :], t[:, None, :], strict=True):
        parameters = {"0.weight": np.zeros((1, 2), dtype), "0.bias": x[0]}
        one = np.ones((1, 1), dtype)
        share = 1 / 2 if row.per_output else 1.0
        exact = x.astype(float), target.astype(float)
        value = evaluate(network, parameters, one, target)["loss"]
        assert value == pytest.approx(row.value(*exact)[0] * share, rel=tolerance, abs=tolerance)
        delta = gradients(network, parameters, one, target)["0.bias"]
        np.testing.assert_allclose(delta, row.delta(*exact)[0] * share, rtol=tolerance, atol=tolerance)
