"""Optimizers as values: defaults, conversions, and one clear line for every bad number."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from neuralnet_core import (
    Adam,
    AdamW,
    EarlyStopping,
    GradientDescent,
    Momentum,
    Optimizer,
    RMSprop,
    StepDecay,
)

OPTIMIZERS = [GradientDescent, Momentum, RMSprop, Adam, AdamW]


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_an_optimizer_is_a_value(kind: type[Optimizer]) -> None:
    optimizer = kind(1, epochs=np.int64(3), batch_size=None, l2=1)
    assert optimizer == kind(1.0, epochs=3, batch_size=None, l2=1.0)
    assert hash(optimizer) == hash(kind(1.0, epochs=3, batch_size=None, l2=1.0))
    assert pickle.loads(pickle.dumps(optimizer)) == optimizer
    assert isinstance(optimizer.learning_rate, float)
    assert isinstance(optimizer.epochs, int)
    with pytest.raises(AttributeError):
        optimizer.l1 = 2.0  # type: ignore[misc]


@pytest.mark.parametrize("kind", OPTIMIZERS)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"learning_rate": -0.1}, "learning_rate must be > 0, got -0.1"),
        ({"learning_rate": float("nan")}, "learning_rate must be > 0, got nan"),
        ({"learning_rate": float("inf")}, "learning_rate must be > 0, got inf"),
        ({"epochs": 0}, "epochs must be >= 1, got 0"),
        ({"epochs": 10**20}, "epochs must be < 2147483648, got 100000000000000000000"),
        ({"batch_size": 0}, "batch_size must be >= 1, got 0"),
        ({"l1": -1}, "l1 must be >= 0, got -1"),
        ({"l2": -1}, "l2 must be >= 0, got -1"),
        ({"clip_norm": 0}, "clip_norm must be > 0, got 0"),
    ],
)
def test_every_optimizer_refuses_bad_numbers(
    kind: type[Optimizer], arguments: dict[str, float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        kind(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Optimizer(0.1), TypeError, "abstract"),
        (lambda: Momentum(0.1, momentum=1.0), ValueError, "momentum must be >= 0 and < 1, got 1.0"),
        (lambda: Momentum(0.1, nesterov=True, dampening=0.5), ValueError, "requires dampening=0"),
        (lambda: Momentum(0.1, nesterov=1), TypeError, "nesterov must be True or False, got 1"),
        (lambda: RMSprop(epsilon=0), ValueError, "epsilon must be > 0, got 0"),
        (lambda: RMSprop(epsilon=1e-60), ValueError, "epsilon must be >= 1.17549e-38, got 1e-60"),
        (lambda: Adam(epsilon=5e-324), ValueError, "epsilon must be >= 1.17549e-38, got 5e-324"),
        (lambda: Adam(beta2=1), ValueError, "beta2 must be >= 0 and < 1, got 1"),
        (lambda: Adam("fast"), TypeError, "learning_rate must be a number"),
        (lambda: Adam(True), TypeError, "learning_rate must be a number"),
        (lambda: Adam(epochs=2.5), TypeError, "epochs must be an integer >= 1, got 2.5"),
        (lambda: AdamW(weight_decay=-1), ValueError, "weight_decay must be >= 0"),
        (lambda: Adam(early_stopping=5), TypeError, "early_stopping must be an EarlyStopping or None, got 5"),
        (lambda: EarlyStopping(monitor="val_loss"), ValueError, "monitor must be one of train_loss, "),
        (lambda: EarlyStopping(patience=0), ValueError, "patience must be >= 1, got 0"),
        (lambda: EarlyStopping(patience=2**70), ValueError, "patience must be < 2147483648, got"),
        (lambda: StepDecay(0.1, 0.5, 2**70), ValueError, "every must be < 2147483648, got"),
    ],
)
def test_a_bad_argument_gets_one_clear_line(make: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        make()  # type: ignore[operator]
    assert "\n" not in str(caught.value)


def test_a_learning_rate_may_be_a_schedule() -> None:
    assert Adam(StepDecay(0.1, 0.5, 10)) == Adam(StepDecay(0.1, 0.5, 10))
