"""Whatever an argument is given, the error is one short line with the rule and the value."""

from __future__ import annotations

from typing import Any

import pytest
from odd_values import ODD_VALUES, assert_one_short_line

from neuralnet_core import Adam, Dense, EarlyStopping, Network, check_targets, train_many


@pytest.mark.parametrize("value", ODD_VALUES)
@pytest.mark.parametrize(
    "take",
    [
        Dense,
        lambda value: Dense(3, value),
        lambda value: Dense(3, initializer=value),
        lambda value: Network([value]),
        lambda value: Network([Dense(1)], loss=value),
        Adam,
        lambda value: Adam(1e-3, early_stopping=value),
        lambda value: EarlyStopping(restore_best=value),
    ],
    ids=["units", "activation", "initializer", "layer", "loss", "rate", "early_stopping", "flag"],
)
def test_the_error_is_one_short_line(take: Any, value: Any) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        take(value)
    assert_one_short_line(caught.value)


@pytest.mark.parametrize("value", ODD_VALUES)
@pytest.mark.parametrize(
    "name",
    [
        *("networks", "optimizers", "X", "y", "seeds", "rows", "validation_rows", "validation"),
        *("sample_weight", "initial", "dtype", "cancel", "warn", "packs"),
    ],
)
def test_an_argument_of_training_is_told_in_one_short_line(name: str, value: Any) -> None:
    given = {
        "networks": Network([Dense(1)]),
        "optimizers": Adam(epochs=1),
        "X": [[0.0], [1.0], [2.0]],
        "y": [0, 1, 0],
        "seeds": 0,
    }
    with pytest.raises((TypeError, ValueError)) as caught:
        train_many(**(given | {name: value}))
    assert_one_short_line(caught.value)


@pytest.mark.parametrize("value", ODD_VALUES)
@pytest.mark.parametrize("loss", ["mse", "binary_cross_entropy", "softmax_cross_entropy"])
@pytest.mark.parametrize(
    "arguments",
    [
        lambda value: {"X": [[value], [1.0], [2.0]]},
        lambda value: {"y": [value] * 3},
        lambda value: {"y": [value, 1, 0]},
        lambda value: {"validation": ([[0.0]], [value])},
        lambda value: {"sample_weight": [value, 1.0, 1.0]},
        lambda value: {"initial": {"0.weight": [[value]], "0.bias": [0.0]}},
        lambda value: {"initial": {"0.weight": [[0.0]], str(type(value)) * 99: value}},
    ],
    ids=["X", "all of y", "y", "validation", "sample_weight", "initial", "its name"],
)
def test_a_value_among_data_is_told_in_one_short_line(arguments: Any, loss: str, value: Any) -> None:
    given = {
        "networks": Network([Dense(2 if loss.startswith("softmax") else 1)], loss=loss),
        "optimizers": Adam(epochs=1),
        "X": [[0.0], [1.0], [2.0]],
        "y": [0, 1, 0],
        "seeds": 0,
    }
    with pytest.raises((TypeError, ValueError)) as caught:
        train_many(**(given | arguments(value)))
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("y", [float("nan"), "label", 3])
def test_one_value_is_no_targets(y: Any) -> None:
    with pytest.raises(ValueError, match="y must be an array with a row per sample, got"):
        check_targets(y)
