"""check_gradients: right gradients pass for every activation and loss, wrong ones do not, and the report says which."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from neuralnet_core import ACTIVATIONS, LOSSES, Dense, Dropout, Network, check_gradients, gradcheck
from neuralnet_core.gradcheck import compare, numeric_gradients

X = np.random.default_rng(3).normal(size=(9, 3))
NETWORK = Network([Dense(4, "tanh"), Dense(2)])
Y = X[:, :2] ** 2


def targets_for(loss: str) -> np.ndarray:
    random = np.random.default_rng(4)
    match LOSSES[loss].kind:
        case "classes":
            return np.arange(len(X)) % 2
        case "binary":
            return random.integers(0, 2, (len(X), 2))
        case _:
            return random.normal(size=(len(X), 2))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_engine_gradients_pass(activation: str, loss: str, dtype: str) -> None:
    network = Network([Dense(2, activation), Dense(3, activation), Dense(2)], loss=loss)
    check = check_gradients(network, X, targets_for(loss), dtype=dtype)
    assert check.passed, check
    assert max(row.error for row in check.rows) < (1e-8 if dtype == "float64" else 1e-4)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_engine_gradients_of_an_output_activation_pass(activation: str) -> None:
    assert check_gradients(Network([Dense(2, activation)]), X, Y).passed


@pytest.mark.parametrize(
    "network",
    [
        Network([Dropout(0.4), Dense(6, "relu"), Dropout(0.5), Dense(2)]),
        Network([Dense(5, "silu", bias=False), Dense(2, bias=False)]),
        Network([Dense(3, "relu", initializer="zeros"), Dense(2)]),
        Network([Dense(1, "sigmoid")] * 3 + [Dense(2)]),
        Network([Dense(17, "gelu"), Dense(2)], loss="huber"),
    ],
    ids=["dropout", "no biases", "zero weights", "narrow and deep", "wide"],
)
def test_engine_gradients_pass_for_other_shapes(network: Network) -> None:
    check = check_gradients(network, X, Y, seed=2)
    assert check.passed, check


def test_many_samples_are_summed_in_slices() -> None:
    X = np.random.default_rng(5).normal(size=(300, 2))
    assert check_gradients(Network([Dense(2, "tanh"), Dense(1)]), X, X[:, 0] * X[:, 1]).passed


def test_string_labels_are_understood() -> None:
    network = Network([Dense(3)], loss="softmax_cross_entropy")
    assert check_gradients(network, X, ["ash", "elm", "oak"] * 3).passed


def test_a_few_rows_may_miss_classes() -> None:
    network = Network([Dense(3)], loss="softmax_cross_entropy")
    assert check_gradients(network, X, np.zeros(len(X))).passed


Fault = Callable[[dict[str, np.ndarray]], None]


def without_last_bias(gradients: dict[str, np.ndarray]) -> None:
    gradients["1.bias"][-1] = 0.0


def transposed(gradients: dict[str, np.ndarray]) -> None:
    gradients["1.weight"] = gradients["1.weight"].T.reshape(gradients["1.weight"].shape)


def slightly_long(gradients: dict[str, np.ndarray]) -> None:
    gradients["0.weight"] = gradients["0.weight"] * (1 + 1e-4)


def not_a_number(gradients: dict[str, np.ndarray]) -> None:
    gradients["0.bias"][0] = np.nan


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        (without_last_bias, "1.bias"),
        (transposed, "1.weight"),
        (slightly_long, "0.weight"),
        (not_a_number, "0.bias"),
    ],
)
def test_a_wrong_gradient_fails_by_name(fault: Fault, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = gradcheck.gradients

    def wrong(*arguments: object) -> dict[str, np.ndarray]:
        found = {key: value.copy() for key, value in right(*arguments).items()}
        fault(found)
        return found

    monkeypatch.setattr(gradcheck, "gradients", wrong)
    check = check_gradients(NETWORK, X, Y)
    assert not check.passed
    assert [row.name for row in check.rows if not row.passed] == [name]
    assert "FAILED" in repr(check)
    assert repr(check).count("WRONG") == 1


def test_report_has_a_row_per_parameter() -> None:
    check = check_gradients(NETWORK, X, Y)
    assert isinstance(check.table, pd.DataFrame)
    assert check.table.index.tolist() == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert check.table["shape"].tolist() == [(3, 4), (4,), (4, 2), (2,)]
    assert check.table["passed"].all()
    assert "passed" in repr(check)
    assert all(name in repr(check) for name in check.table.index)


def test_the_same_call_gives_the_same_numbers() -> None:
    assert check_gradients(NETWORK, X, Y, seed=5) == check_gradients(NETWORK, X, Y, seed=5)
    assert check_gradients(NETWORK, X, Y, seed=5) != check_gradients(NETWORK, X, Y, seed=6)


def test_a_kink_near_a_sample_does_not_spoil_the_differences() -> None:
    slopes = numeric_gradients(
        lambda p: float(np.maximum(p["w"] - 2.0, 0.0).sum()), {"w": np.array([2.0005, 1.9999])}
    )
    np.testing.assert_allclose(slopes["w"], [1.0, 0.0], atol=1e-9)


def test_numeric_gradients_leave_the_parameters_alone() -> None:
    parameters = {"w": np.array([1.0, 2.0])}
    numeric_gradients(lambda p: float((p["w"] ** 3).sum()), parameters)
    assert parameters["w"].tolist() == [1.0, 2.0]


def test_gradients_of_zero_compare_as_equal() -> None:
    zeros = {"w": np.zeros(3)}
    assert compare(zeros, zeros, 1e-6).passed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((NETWORK, X, Y[:5]), "5"),
        ((NETWORK, X, Y, 0, "float16"), "float16"),
        ((NETWORK, np.full((2, 3), np.nan), Y[:2]), "finite"),
        ((Network([Dense(2)], loss="softmax_cross_entropy"), X, np.arange(9)), "label"),
    ],
)
def test_bad_input_is_named(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_gradients(*arguments)
