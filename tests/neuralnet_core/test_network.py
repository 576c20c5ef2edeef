"""Layers and networks as values: building for an input shape, layout, initial parameters, errors."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from neuralnet_core import INITIALIZERS, Adam, Dense, Dropout, Network
from neuralnet_core.layers import BuiltLayer, Layer


def test_building_gives_a_shape_per_layer_and_a_place_per_parameter() -> None:
    layout = Network([Dense(5, "relu"), Dropout(0.1), Dense(1, bias=False)]).build(2)
    assert [built.output_shape for built in layout.layers] == [(5,), (5,), (1,)]
    assert [(slot.name, slot.shape, slot.start, slot.stop) for slot in layout.parameters] == [
        ("0.weight", (2, 5), 0, 10),
        ("0.bias", (5,), 10, 15),
        ("2.weight", (5, 1), 15, 20),
    ]
    assert (layout.size, layout.output_shape) == (20, (1,))


def test_a_network_is_a_value() -> None:
    network = Network([Dense(np.int64(3), "relu"), Dense(1)])
    twin = Network((Dense(3, "relu"), Dense(1)))
    assert network == twin
    assert hash(network) == hash(twin)
    assert pickle.loads(pickle.dumps(network)) == network


def test_an_error_names_the_layer_that_does_not_fit() -> None:
    with pytest.raises(ValueError, match=r"layer 1: Dense takes inputs of shape \(inputs,\), got \(8, 8\)"):
        Network([Dropout(0.5), Dense(3)]).build((8, 8))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Dense(0), ValueError, "units must be >= 1, got 0"),
        (lambda: Dense(2.5), TypeError, "units must be an integer >= 1, got 2.5"),
        (lambda: Dense(3, "rellu"), ValueError, "rellu"),
        (
            lambda: Dense(3, initializer="best"),
            ValueError,
            "initializer must be a number or one of he_uniform",
        ),
        (lambda: Dense(3, bias="yes"), TypeError, "bias must be True or False, got 'yes'"),
        (lambda: Dropout(1.0), ValueError, "rate must be >= 0 and < 1, got 1.0"),
        (lambda: Network([]), ValueError, "must end with a layer that gives its outputs"),
        (
            lambda: Network([Dense(3), Dropout(0.1)]),
            ValueError,
            "must end with a layer that gives its outputs",
        ),
        (lambda: Network([3]), TypeError, "item 0 is 3"),
        (lambda: Network(Dense(3)), TypeError, "layers must be a sequence"),
        (lambda: Network([Dense(1)], loss="l2"), ValueError, "l2"),
        (lambda: Network([Dense(1, "sigmoid")], "binary_cross_entropy"), ValueError, "takes logits"),
        (lambda: Network([Dense(1)]).build(0), ValueError, "input_shape must be >= 1, got 0"),
    ],
)
def test_a_bad_network_gets_one_clear_line(make: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        make()  # type: ignore[operator]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_initial_weights_have_the_spread_of_their_initializer(name: str) -> None:
    weight = Network([Dense(200, initializer=name)]).initialize(seed=1, input_shape=100, dtype="float64")[
        "0.weight"
    ]
    row = INITIALIZERS[name]
    spread = row.spread(100, 200)
    if row.distribution == "uniform":
        assert np.abs(weight).max() <= spread
        assert weight.std() == pytest.approx(spread / np.sqrt(3), rel=0.02)
    else:
        assert weight.std() == pytest.approx(spread, rel=0.02)
    assert abs(weight.mean()) <= 4 * weight.std() / np.sqrt(weight.size)


def test_known_spreads() -> None:
    assert INITIALIZERS["he_normal"].spread(50, 10) == pytest.approx(np.sqrt(2 / 50))
    assert INITIALIZERS["glorot_uniform"].spread(20, 10) == pytest.approx(np.sqrt(6 / 30))
    assert INITIALIZERS["lecun_normal"].spread(25, 10) == pytest.approx(0.2)
    assert INITIALIZERS["neuralnet"].spread(25, 8) == pytest.approx(0.5)


def test_a_number_is_a_constant_initializer_and_biases_start_at_zero() -> None:
    parameters = Network([Dense(3, initializer=0.25)]).initialize(input_shape=2)
    assert (parameters["0.weight"] == 0.25).all()
    assert (parameters["0.bias"] == 0).all()


def test_the_draws_of_a_narrow_network_are_a_corner_of_a_wide_one() -> None:
    narrow = Network([Dense(3, initializer="he_normal")]).initialize(seed=7, input_shape=4, dtype="float64")
    wide = Network([Dense(9, initializer="he_normal")]).initialize(seed=7, input_shape=4, dtype="float64")
    np.testing.assert_array_equal(narrow["0.weight"], wide["0.weight"][:, :3])


def test_initial_parameters_depend_on_seed_layer_and_width_only() -> None:
    network = Network([Dense(4), Dense(4), Dense(1)])
    first, again = (network.initialize(seed=3, input_shape=4) for _ in range(2))
    other = network.initialize(seed=4, input_shape=4)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["0.weight"], other["0.weight"])
    assert not np.array_equal(first["0.weight"], first["1.weight"])
    assert first["0.weight"].dtype == np.float32


def test_a_layer_of_another_package_can_be_built() -> None:
    """The contract is open: a network asks a layer for its shapes and knows nothing else of it."""

    class Flatten(Layer):
        def build(self, input_shape: tuple[int, ...]) -> BuiltLayer:
            return BuiltLayer(self, input_shape, (int(np.prod(input_shape)),), ())

        def signature(self) -> tuple[object, ...]:
            return ("flatten",)

    network = Network([Flatten(), Dense(2)])
    assert network.build((4, 4)).parameters[0].shape == (16, 2)
    assert network.signature((4, 4)) != network.signature((2, 8))


def test_validation_data_are_a_pair() -> None:
    X, y = [[0.0], [1.0]], [0.0, 1.0]
    with pytest.raises(
        TypeError, match=r"^validation must be a pair \(X, y\), got 0.2; a fraction is for Sweep.run$"
    ):
        Network([Dense(1)]).train(X, y, Adam(), validation=0.2)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^validation must be a pair \(X, y\), got an object of type str$"):
        Network([Dense(1)]).train(X, y, Adam(), validation="10%")  # type: ignore[arg-type]
