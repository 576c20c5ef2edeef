"""Whatever a sweep is given, the error is one short line with the rule and the value."""

from __future__ import annotations

from typing import Any

import pytest
from odd_values import ODD_VALUES, assert_one_short_line

from sweep import Sweep
from sweep.splits import check_validation


def build(**params: Any) -> None:
    """Build nothing: no sweep here comes so far."""


@pytest.mark.parametrize("value", ODD_VALUES)
@pytest.mark.parametrize(
    "take",
    [
        lambda value: Sweep(value, {"a": [1]}),
        lambda value: Sweep(build, [value]),
        lambda value: Sweep(build, {"a": {1: value}}),
        lambda value: Sweep(build, {"a": [1]}, seed=value),
        lambda value: Sweep(build, {"a": [1]}, dtype=value),
        lambda value: Sweep(function=value, space={"a": [1]}),
        check_validation,
    ],
    ids=["build", "part", "values", "seed", "dtype", "function", "validation"],
)
def test_the_error_is_one_short_line(take: Any, value: Any) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        take(value)
    assert_one_short_line(caught.value)
