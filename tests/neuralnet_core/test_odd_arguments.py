"""Whatever an argument is given, the error is one short line with the rule and the value."""

from __future__ import annotations

from typing import Any

import pytest
from odd_values import ODD_VALUES, assert_one_short_line

from neuralnet_core import Adam, Dense, EarlyStopping, Network, check_targets


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


@pytest.mark.parametrize("y", [float("nan"), "label", 3])
def test_one_value_is_no_targets(y: Any) -> None:
    with pytest.raises(ValueError, match="y must be an array with a row per sample, got"):
        check_targets(y)
