"""A value shows itself as one would write it, and what it shows makes the value again."""

from __future__ import annotations

import pytest

import neuralnet_core
from neuralnet_core import (
    Adam,
    AdamW,
    CosineDecay,
    Dense,
    Dropout,
    EarlyStopping,
    ExponentialDecay,
    GradientDescent,
    Momentum,
    Network,
    RMSprop,
    StepDecay,
    WarmUp,
)

SHOWN = [
    (Dense(3), "Dense(3)"),
    (
        Dense(3, "relu", bias=False, initializer="zeros"),
        "Dense(3, activation='relu', bias=False, initializer='zeros')",
    ),
    (Dense(3, "relu", initializer="he_normal"), "Dense(3, activation='relu')"),
    (Dropout(0.5), "Dropout(0.5)"),
    (EarlyStopping(patience=3), "EarlyStopping('validation_loss', patience=3)"),
    (CosineDecay(0.1, 100, final=0.01), "CosineDecay(0.1, updates=100, final=0.01)"),
    (Adam(), "Adam(0.001)"),
    (AdamW(0.01, weight_decay=0.1, batch_size=None), "AdamW(0.01, batch_size=None, weight_decay=0.1)"),
    (GradientDescent(0.1, epochs=5, shuffle=False), "GradientDescent(0.1, epochs=5, shuffle=False)"),
    (Momentum(0.1, nesterov=True), "Momentum(0.1, nesterov=True)"),
    (
        RMSprop(0.1, early_stopping=EarlyStopping()),
        "RMSprop(0.1, early_stopping=EarlyStopping('validation_loss'))",
    ),
    (StepDecay(0.1, 0.5, 100), "StepDecay(0.1, factor=0.5, every=100)"),
    (ExponentialDecay(0.1, 0.99), "ExponentialDecay(0.1, decay=0.99)"),
    (WarmUp(4, CosineDecay(0.1, 100)), "WarmUp(4, after=CosineDecay(0.1, updates=100))"),
    (Network([Dense(3, "tanh"), Dense(1)]), "Network([Dense(3, activation='tanh'), Dense(1)], loss='mse')"),
]


@pytest.mark.parametrize(("value", "text"), SHOWN, ids=[text for _, text in SHOWN])
def test_a_value_shows_itself_as_one_would_write_it(value: object, text: str) -> None:
    assert repr(value) == text
    assert eval(text, vars(neuralnet_core)) == value


def test_every_kind_of_value_is_shown() -> None:
    assert {type(value).__name__ for value, _ in SHOWN} == set(neuralnet_core.serialize.VALUE_TYPES)
