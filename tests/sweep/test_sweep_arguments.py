"""What a sweep, its run and its build take, and the line that anything else gets."""

from __future__ import annotations

import functools
from functools import partial
from typing import Any

import numpy as np
import pytest
from small_sweeps import GRID, LABELS, X, classify, run

from neuralnet_core import Adam, Dense, Network
from sweep import Sweep, uniform
from sweep.errors import UserError


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"build": 3}, TypeError, "build must be a function"),
        ({"space": {}}, ValueError, "space is empty"),
        ({"space": {"hidden": []}}, ValueError, r"space\['hidden'\] has no values"),
        ({"repeats": 0}, ValueError, "repeats must be >= 1, got 0"),
        ({"repeats": 1.5}, TypeError, "repeats must be an integer >= 1"),
        ({"seed": -1}, ValueError, "seed must be >= 0, got -1"),
        ({"seed": 2**64}, ValueError, "seed must be < 2"),
        ({"seed": "a"}, TypeError, "seed must be an integer"),
        ({"dtype": "float16"}, ValueError, "dtype must be one of float32, float64; got 'float16'"),
        (
            {"space": {f"p{i}": range(10) for i in range(30)}},
            ValueError,
            r"about 10\^30 configurations x 1 repeat are more than 10,000,000 trials; give samples=",
        ),
        ({"repeats": 10**5000}, ValueError, r"x about 10\^5000 repeats are more than 10,000,000 trials"),
        ({"samples": 10**5000}, ValueError, r"about 10\^5000 configurations x 1 repeat are more than"),
    ],
)
def test_a_bad_sweep(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Sweep(**({"build": classify, "space": GRID} | arguments))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_jobs": 0}, ValueError, "n_jobs must not be 0"),
        ({"backend": "gpu"}, ValueError, "backend must be one of"),
        ({"validation": 1.0}, ValueError, "validation must be a fraction > 0 and < 1"),
        ({"validation": "some"}, TypeError, "validation must be"),
        ({"validation": 0.001}, ValueError, "validation"),
        ({"y": LABELS[:-1]}, ValueError, "X and y must have the same number of rows; X has 120, y has 119"),
        ({"X": np.where(X > 2, np.nan, X)}, ValueError, "X must be finite|X .*finite"),
        ({"X": X[:0], "y": LABELS[:0]}, ValueError, "X"),
        ({"sample_weight": np.ones(3)}, ValueError, "sample_weight"),
        (
            {"objective": "accuracy"},
            ValueError,
            "objective must be one of validation_accuracy, .*got 'accuracy'",
        ),
        (
            {"objective": "validation_r2"},
            ValueError,
            "objective must be one of train_loss, validation_loss, val",
        ),
        ({"objective": "validation_loss", "validation": None}, ValueError, "needs validation=, such as"),
        ({"progress": "loud"}, ValueError, "progress must be True, False or"),
    ],
)
def test_a_bad_run(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        run(Sweep(classify, GRID), **options)
    assert "\n" not in str(caught.value)


def wrapped(build: Any) -> Any:
    """Return a build that gives another one half the units, and says to be that one."""

    @functools.wraps(build)
    def halved(units: int, **others: Any) -> Any:
        return build(hidden=units // 2, **others)

    return halved


class Builder:
    """A callable that is no function."""

    def __call__(self, hidden: int, /, rate: float = 0.01, *, epochs: int) -> tuple[Network, Adam]:
        return Network([Dense(hidden), Dense(3)], loss="softmax_cross_entropy"), Adam(rate, epochs=epochs)

    def method(self, hidden: int) -> tuple[Network, Adam]:
        return classify(hidden)


def takes_all(**params: Any) -> tuple[Network, Adam]:
    return classify(**params)


def needs_both(hidden: int, rate: float) -> tuple[Network, Adam]:
    return classify(hidden, rate)


@pytest.mark.parametrize(
    ("build", "space", "message"),
    [
        (
            classify,
            {"hiden": [3], "rate": [0.1]},
            "space does not fit build: unknown parameter 'hiden'; did you mean hidden?"
            " (allowed: hidden, rate)",
        ),
        (
            needs_both,
            {"hidden": [3]},
            "space does not fit build: no values for 'rate'; give it some, or give it a default in build",
        ),
        (
            needs_both,
            [{"hidden": [3], "rate": [0.1]}, {"hidden": [3], "rat": uniform(0, 1)}],
            "space[1] does not fit build: unknown parameter 'rat'; did you mean rate?"
            " (allowed: hidden, rate)",
        ),
        (
            lambda: needs_both(3, 0.1),
            {"hidden": [3]},
            "space does not fit build: unknown parameter 'hidden' (none is allowed here)",
        ),
        (
            partial(needs_both, 4),
            {"hidden": [3], "rate": [0.1]},
            "space does not fit build: unknown parameter 'hidden' (allowed: rate)",
        ),
        (
            partial(needs_both, rate=0.1),
            {"hidden": [3], "rat": [0.1]},
            "space does not fit build: unknown parameter 'rat'; did you mean rate? (allowed: hidden, rate)",
        ),
        (
            Builder().method,
            {"self": [1], "hidden": [3]},
            "space does not fit build: unknown parameter 'self' (allowed: hidden)",
        ),
        (
            partial(Builder(), 3),
            {"rate": [0.1]},
            "space does not fit build: no values for 'epochs'; give it some, or give it a default in build",
        ),
        (
            wrapped(classify),
            {"hidden": [3]},
            "space does not fit build: no values for 'units'; give it some, or give it a default in build",
        ),
    ],
)
def test_parameters_that_build_does_not_take_are_told_before_anything_is_built(
    build: Any, space: Any, message: str
) -> None:
    with pytest.raises(UserError) as caught:
        Sweep(build, space, samples=2)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("build", "space"),
    [
        (takes_all, {"hidden": [3]}),
        (partial(classify, rate=0.1), {"hidden": [3], "rate": [0.2]}),
        (partial(Builder(), 3, epochs=1), {"rate": [0.1]}),
        (Builder().method, {"hidden": [3]}),
        (wrapped(classify), {"units": [6], "rate": [0.1]}),
        (functools.lru_cache(classify), {"hidden": [3]}),
    ],
)
def test_parameters_that_build_takes_in_its_own_way(build: Any, space: Any) -> None:
    assert set(run(Sweep(build, space)).trials["state"]) == {"done"}


def test_a_build_that_says_nothing_about_what_it_takes_is_called() -> None:
    with pytest.warns(UserWarning, match="every configuration failed"):
        assert set(run(Sweep(getattr, {"hidden": [3]})).trials["state"]) == {"failed"}
