"""Every activation: the textbook formula, its derivative, the ends of the number line, NaN, both widths."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from neuralnet_core import INITIALIZERS
from neuralnet_core.activations import ACTIVATIONS, Activation, get_activation, sigmoid, softplus

NAMES = tuple(ACTIVATIONS)
DTYPES = ("float32", "float64")

SELU, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


@dataclass(frozen=True)
class Expected:
    """What is known of an activation."""

    formula: Callable[[float], float]  # of the textbook, for one number of moderate size
    slope_at_zero: float  # by convention where it has none
    low: float | None  # limit at -infinity and at +infinity; None: it goes on in a straight line
    high: float | None
    slope_low: float
    slope_high: float


EXPECTED = {
    "identity": Expected(lambda z: z, 1, None, None, 1, 1),
    "relu": Expected(lambda z: max(z, 0.0), 0, 0, None, 0, 1),
    "leaky_relu": Expected(lambda z: z if z > 0 else 0.01 * z, 0.01, None, None, 0.01, 1),
    "elu": Expected(lambda z: z if z > 0 else math.exp(z) - 1, 1, -1, None, 0, 1),
    "selu": Expected(
        lambda z: SELU * (z if z > 0 else SELU_ALPHA * (math.exp(z) - 1)),
        SELU * SELU_ALPHA,
        -SELU * SELU_ALPHA,
        None,
        0,
        SELU,
    ),
    "gelu": Expected(
        lambda z: z / 2 * (1 + math.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))), 0.5, 0, None, 0, 1
    ),
    "silu": Expected(lambda z: z / (1 + math.exp(-z)), 0.5, 0, None, 0, 1),
    "tanh": Expected(lambda z: (math.exp(z) - math.exp(-z)) / (math.exp(z) + math.exp(-z)), 1, -1, 1, 0, 0),
    "sigmoid": Expected(lambda z: 1 / (1 + math.exp(-z)), 0.25, 0, 1, 0, 0),
    "softplus": Expected(lambda z: math.log(1 + math.exp(z)), 0.5, 0, None, 0, 1),
    "softsign": Expected(lambda z: z / (1 + abs(z)), 1, -1, 1, 0, 0),
}

GRID = np.concatenate([np.linspace(-6.0, 6.0, 97), [-1e-3, 1e-3, 0.0]])


@pytest.fixture(params=NAMES)
def activation(request: pytest.FixtureRequest) -> Activation:
    return ACTIVATIONS[request.param]


def slopes(activation: Activation, z: np.ndarray) -> np.ndarray:
    return activation.derivative(z, activation.function(z))


def test_every_activation_has_a_row() -> None:
    assert set(NAMES) == set(EXPECTED)


def test_codes_are_the_positions_in_the_table() -> None:
    assert [row.code for row in ACTIVATIONS.values()] == list(range(len(ACTIVATIONS)))
    assert [row.name for row in ACTIVATIONS.values()] == list(NAMES)


def test_value_is_the_textbook_formula(activation: Activation) -> None:
    expected = [EXPECTED[activation.name].formula(float(z)) for z in GRID]
    np.testing.assert_allclose(activation.function(GRID), expected, rtol=1e-12, atol=1e-15)


def test_derivative_is_the_slope_of_the_value(activation: Activation) -> None:
    z, h = GRID[np.abs(GRID) > 0.01], 1e-3
    f = activation.function
    numeric = (f(z - 2 * h) - 8 * f(z - h) + 8 * f(z + h) - f(z + 2 * h)) / (12 * h)
    np.testing.assert_allclose(slopes(activation, z), numeric, rtol=0, atol=2e-11)


def test_derivative_at_zero_follows_the_convention(activation: Activation) -> None:
    for zero in (0.0, -0.0):
        slope = slopes(activation, np.array([zero]))[0]
        assert slope == pytest.approx(EXPECTED[activation.name].slope_at_zero, rel=1e-15)


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtype_and_shape_are_kept(activation: Activation, dtype: str) -> None:
    z = GRID.astype(dtype).reshape(10, 10)
    a = activation.function(z)
    slope = activation.derivative(z, a)
    assert (a.dtype, a.shape) == (slope.dtype, slope.shape) == (np.dtype(dtype), z.shape)


def test_float32_is_float64_rounded(activation: Activation) -> None:
    z = GRID.astype(np.float32)
    exact = z.astype(np.float64)
    np.testing.assert_allclose(activation.function(z), activation.function(exact), rtol=1e-5, atol=2e-7)
    np.testing.assert_allclose(slopes(activation, z), slopes(activation, exact), rtol=1e-5, atol=3e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1e3, 1e30])
def test_large_numbers_neither_overflow_nor_warn(activation: Activation, dtype: str, size: float) -> None:
    z, row = np.array([-size, size], dtype), EXPECTED[activation.name]
    low = -size * row.slope_low if row.low is None else row.low
    high = size * row.slope_high if row.high is None else row.high
    np.testing.assert_allclose(activation.function(z), [low, high], rtol=2e-3, atol=1e-6)
    np.testing.assert_allclose(slopes(activation, z), [row.slope_low, row.slope_high], rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_passes_through(activation: Activation, dtype: str) -> None:
    z = np.array([np.nan, 1.0], dtype)
    assert np.isnan(activation.function(z)).tolist() == [True, False]


def test_inputs_are_left_alone(activation: Activation) -> None:
    z = GRID.copy()
    z.flags.writeable = False
    a = activation.function(z)
    a.flags.writeable = False
    activation.derivative(z, a)
    np.testing.assert_array_equal(z, GRID)


def test_relu_gives_no_negative_zero() -> None:
    assert not np.signbit(get_activation("relu").function(np.array([-0.0, -1.0]))).any()


def test_expm1_keeps_the_digits_of_small_numbers() -> None:
    z = np.array([-1e-12])
    assert get_activation("elu").function(z)[0] == pytest.approx(-1e-12, rel=1e-11)


def test_rectifiers_are_those_that_he_initialisation_suits() -> None:
    assert {row.initializer for row in ACTIVATIONS.values()} <= set(INITIALIZERS)
    rectifiers = {name for name, row in ACTIVATIONS.items() if row.initializer == "he_normal"}
    assert rectifiers == {"relu", "leaky_relu", "elu", "gelu", "silu", "softplus"}


def test_sigmoid_and_softplus_keep_the_digits_of_their_tails() -> None:
    assert sigmoid(np.array([-700.0]))[0] == pytest.approx(math.exp(-700), rel=1e-13)
    assert softplus(np.array([-700.0]))[0] == pytest.approx(math.exp(-700), rel=1e-13)


@pytest.mark.parametrize("name", ["swish", "ReLU", "", None, 1])
def test_unknown_name_lists_the_known_ones(name: object) -> None:
    with pytest.raises(
        ValueError, match=r"^activation must be one of identity, relu, .*softsign; got "
    ) as caught:
        get_activation(name)
    assert repr(name) in str(caught.value)


def test_softmax_belongs_to_the_loss() -> None:
    with pytest.raises(
        ValueError, match=r"^softmax is no activation here: the loss softmax_cross_entropy applies it"
    ):
        get_activation("softmax")
