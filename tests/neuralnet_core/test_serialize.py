"""Values as dictionaries and as their one JSON text: every class goes there and back; nothing else is made."""

from __future__ import annotations

import inspect
import json
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neuralnet_core
from neuralnet_core import (
    ACTIVATIONS,
    Adam,
    AdamW,
    CosineDecay,
    Dense,
    Dropout,
    EarlyStopping,
    ExponentialDecay,
    GradientDescent,
    Layer,
    Momentum,
    Network,
    Optimizer,
    RMSprop,
    Schedule,
    StepDecay,
    WarmUp,
    canonical_json,
    from_dict,
    to_dict,
)
from neuralnet_core.serialize import VALUE_TYPES

VALUES = [
    Dense(3),
    Dense(3, "relu", bias=False, initializer="zeros"),
    Dense(3, initializer=0.1),
    Dropout(0.5),
    Network([Dense(3, "relu"), Dropout(0.1), Dense(2)], loss="softmax_cross_entropy"),
    GradientDescent(WarmUp(10, StepDecay(0.1, 0.5, 7)), batch_size=None),
    Momentum(ExponentialDecay(0.1, 0.99), dampening=0.9),
    RMSprop(1e-3, clip_norm=1.0),
    Adam(CosineDecay(0.1, 100, 0.01), early_stopping=EarlyStopping("validation_r2", patience=2)),
    AdamW(0.1, weight_decay=0.3, l1=1e-5, l2=0.1, shuffle=False),
    EarlyStopping(restore_best=False),
    StepDecay(0.1, 0.5, 3),
    ExponentialDecay(0.1, 0.5),
    CosineDecay(0.1, 3),
    WarmUp(3, 0.1),
]

rates = st.floats(1e-300, 1e300)
shares = st.floats(0, 1, exclude_max=True)
denses = st.builds(
    Dense,
    st.integers(1, 10**6),
    st.sampled_from(sorted(ACTIVATIONS)),
    st.booleans(),
    st.none() | st.floats(-9, 9),
)
networks = st.builds(
    lambda layers, last: Network([*layers, last]),
    st.lists(denses | st.builds(Dropout, shares)),
    st.builds(Dense, st.integers(1, 9)),
)
steps = st.builds(StepDecay, rates, st.floats(1e-9, 1), st.integers(1, 99))
optimizers = st.builds(
    AdamW,
    rates | steps | st.builds(WarmUp, st.integers(1, 99), rates | steps),
    beta1=shares,
    weight_decay=rates,
    batch_size=st.none() | st.integers(1, 999),
    early_stopping=st.none() | st.builds(EarlyStopping, min_delta=st.floats(0, 1)),
)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_goes_there_and_back(value: Any) -> None:
    plain = to_dict(value)
    assert plain["type"] == type(value).__name__
    assert list(plain)[1:] == [field.name for field in fields(value)]
    assert from_dict(json.loads(json.dumps(plain))) == value


@given(value=networks | optimizers)
def test_any_network_or_optimizer_goes_there_and_back(value: Any) -> None:
    again = from_dict(json.loads(canonical_json(value)))
    assert again == value
    assert canonical_json(again) == canonical_json(value)


def test_every_public_value_class_is_known() -> None:
    public = [getattr(neuralnet_core, name) for name in neuralnet_core.__all__]
    kinds = (Layer, Optimizer, Schedule, Network, EarlyStopping)
    values = {kind for kind in public if inspect.isclass(kind) and issubclass(kind, kinds)}
    assert set(VALUE_TYPES.values()) == values - {Layer, Optimizer, Schedule}
    assert {type(value) for value in VALUES} == set(VALUE_TYPES.values())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (GradientDescent(1), GradientDescent(1.0)),
        (GradientDescent(np.float64(0.1)), GradientDescent(0.1)),
        (GradientDescent(0.1, epochs=np.int32(3)), GradientDescent(0.1, epochs=3)),
        (GradientDescent(0.1, l2=-0.0), GradientDescent(0.1, l2=0.0)),
        (Dense(3, initializer=-0.0), Dense(3, initializer=0)),
        (Dense(3, "relu"), Dense(3, "relu", initializer="he_normal")),
        (Network([Dense(1)]), Network((Dense(1),), "mse")),
    ],
)
def test_equal_values_have_one_text(one: Any, other: Any) -> None:
    assert one == other
    assert canonical_json(one) == canonical_json(other)


def test_the_text_is_what_identities_were_made_of() -> None:
    # Stores hold hashes of this text: another spelling would train everything again.
    assert canonical_json(Network([Dense(2, "relu"), Dropout(0.5), Dense(1)])) == (
        '{"layers":[{"activation":"relu","bias":true,"initializer":"he_normal","type":"Dense","units":2},'
        '{"rate":0.5,"type":"Dropout"},'
        '{"activation":"identity","bias":true,"initializer":"glorot_uniform","type":"Dense","units":1}],'
        '"loss":"mse","type":"Network"}'
    )
    assert canonical_json(GradientDescent(1)) == (
        '{"batch_size":32,"clip_norm":null,"early_stopping":null,"epochs":10,"l1":0.0,"l2":0.0,'
        '"learning_rate":1.0,"shuffle":true,"type":"GradientDescent"}'
    )


@pytest.mark.parametrize("plain", [{"b": 1, "a": [1, 2]}])
def test_plain_dictionaries_have_a_text_too(plain: dict[str, Any]) -> None:
    assert canonical_json(plain) == '{"a":[1,2],"b":1}'


def nested(depth: int) -> Any:
    value: Any = 0.1
    for _ in range(depth):
        value = {"type": "WarmUp", "updates": 1, "after": value}
    return value


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ({}, r"type must be one of Network, .*; got None"),
        ({"type": "Conv3D"}, r"type must be one of Network, .*; got 'Conv3D'"),
        ({"type": "Optimizer"}, "type must be one of"),
        ({"type": ["Dense"]}, "type must be one of"),
        ({"type": "Dense"}, "Dense needs the field 'units'"),
        (
            {"type": "Dense", "units": 3, "size": 1},
            "Dense has no field 'size'; its fields are units, activation",
        ),
        ({"type": "Dense", "units": 0}, "units must be >= 1, got 0"),
        ({"type": "Dense", "units": 2.5}, "units must be an integer >= 1, got 2.5"),
        ({"type": "Dense", "units": "3"}, "units must be an integer >= 1, got '3'"),
        ({"type": "Dense", "units": {"type": "Dense", "units": 3}}, "units must be an integer"),
        ({"type": "Dropout", "rate": 10**400}, "rate must be >= 0 and < 1"),
        ({"type": "Dropout", "rate": float("nan")}, "rate must be >= 0 and < 1, got nan"),
        ({"type": "Network", "layers": 3}, "layers must be a sequence of layers"),
        ({"type": "Network", "layers": [3]}, "item 0 is 3"),
        ({"type": "Network", "layers": "Dense"}, "layers must be layers"),
        (
            {"type": "Adam", "early_stopping": {"type": "Dense", "units": 1}},
            "early_stopping must be an EarlyStopping",
        ),
        ({"type": "Adam", 3: 1}, "Adam has no field 3"),
        (nested(30), "must be nested at most 20 deep"),
        ([], "a description must be a dictionary with a type"),
        ("Dense", "a description must be a dictionary with a type"),
    ],
)
def test_a_wrong_description_is_one_line(plain: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        from_dict(plain)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [object(), 3, {"type": "Dense"}, np.zeros(3)])
def test_only_the_known_classes_become_dictionaries(value: Any) -> None:
    with pytest.raises(TypeError, match="to_dict takes networks, layers, optimizers and schedules"):
        to_dict(value)


def test_a_class_that_only_has_a_known_name_is_refused() -> None:
    class Dense:
        units = 3

    with pytest.raises(TypeError, match="to_dict takes"):
        to_dict(Dense())
