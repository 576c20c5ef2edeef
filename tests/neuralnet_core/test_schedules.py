"""Schedules: the formulas, their compiled twins, and what they refuse."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralnet_core import CosineDecay, ExponentialDecay, Schedule, StepDecay, WarmUp
from neuralnet_core.encoding import schedule_row
from neuralnet_core.engine import _random
from neuralnet_core.schedules import learning_rate_at

SCHEDULES: list[float | Schedule] = [
    0.1,
    StepDecay(0.1, factor=0.5, every=7),
    ExponentialDecay(0.3, decay=0.999),
    CosineDecay(0.2, updates=1000, final=0.01),
    WarmUp(50, after=0.1),
    WarmUp(3, after=CosineDecay(0.2, updates=90)),
    WarmUp(10, after=StepDecay(1.0, factor=0.1, every=100)),
]


@pytest.mark.parametrize("rate", SCHEDULES, ids=str)
@given(t=st.integers(0, 10_000))
def test_the_engine_computes_the_rate_of_the_schedule(rate: float | Schedule, t: int) -> None:
    compiled = _random.rate_at(np.array(schedule_row(rate), np.float64), t)
    assert compiled == pytest.approx(learning_rate_at(rate, t), rel=1e-12, abs=1e-17)


def test_cosine_ends_at_its_final_rate_and_stays_there() -> None:
    schedule = CosineDecay(0.1, updates=10, final=0.02)
    assert [round(schedule.rate(t), 12) for t in (0, 5, 10, 99)] == [0.1, 0.06, 0.02, 0.02]


def test_warm_up_grows_linearly_to_the_rate() -> None:
    schedule = WarmUp(4, after=0.8)
    np.testing.assert_allclose([schedule.rate(t) for t in range(6)], [0.2, 0.4, 0.6, 0.8, 0.8, 0.8])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: StepDecay(-1, 0.5, 10), "initial must be > 0, got -1"),
        (lambda: StepDecay(0.1, 1.5, 10), "factor must be > 0 and <= 1, got 1.5"),
        (lambda: StepDecay(0.1, 0.5, 0), "every must be >= 1, got 0"),
        (lambda: ExponentialDecay(0.1, 0.0), "decay must be > 0 and <= 1, got 0.0"),
        (lambda: CosineDecay(0.1, 10, final=0.2), "final must be <= initial"),
        (lambda: WarmUp(5, WarmUp(5, 0.1)), "another kind of schedule"),
        (lambda: WarmUp(5, math.nan), "after must be > 0, got nan"),
    ],
)
def test_a_bad_schedule_says_which_rule_it_breaks(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        make()  # type: ignore[operator]


def test_own_cosine_and_logarithm_are_right_to_the_last_places() -> None:
    turns = np.linspace(0, 3, 10_001)
    cosines = np.array([_random.cosine(t) for t in turns])
    np.testing.assert_allclose(cosines, np.cos(2 * np.pi * turns), rtol=0, atol=4e-16 * 10)
    values = np.concatenate([np.geomspace(1e-300, 1e300, 10_001), np.linspace(0.5, 2, 10_001)])
    logarithms = np.array([_random.logarithm(x) for x in values])
    np.testing.assert_allclose(logarithms, np.log(values), rtol=4e-16, atol=1e-16)
