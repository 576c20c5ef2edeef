"""Every loss: the textbook formula, its gradient, large logits, ties, both widths."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralnet_core.losses import LOSSES, Loss, get_loss, softmax

NAMES = tuple(LOSSES)
DTYPES = ("float32", "float64")


@dataclass(frozen=True)
class Expected:
    """What is known of a loss: the textbook's formula for one sample, and a sample whose numbers are plain."""

    formula: Callable[[list[float], list[float]], float]
    outputs: list[float]
    targets: list[float]
    value: float
    delta: list[float]


def total(of_one: Callable[[float, float], float]) -> Callable[[list[float], list[float]], float]:
    return lambda z, t: sum(map(of_one, z, t))


EXPECTED = {
    "mse": Expected(total(lambda z, t: (z - t) ** 2), [1.0, -1.0], [0.0, 1.0], 5.0, [2.0, -4.0]),
    "mae": Expected(total(lambda z, t: abs(z - t)), [1.0, 1.0], [3.0, 1.0], 2.0, [-1.0, 0.0]),
    "huber": Expected(
        total(lambda z, t: (z - t) ** 2 / 2 if abs(z - t) <= 1 else abs(z - t) - 0.5),
        [0.5, 3.0],
        [0.0, 0.0],
        2.625,
        [0.5, 1.0],
    ),
    "binary_cross_entropy": Expected(
        total(
            lambda z, t: (
                -t * math.log(1 / (1 + math.exp(-z))) - (1 - t) * math.log(1 - 1 / (1 + math.exp(-z)))
            )
        ),
        [0.0, 0.0],
        [0.0, 1.0],
        2 * math.log(2),
        [0.5, -0.5],
    ),
    "softmax_cross_entropy": Expected(
        lambda z, t: -math.log(math.exp(z[int(t[0])]) / sum(map(math.exp, z))),
        [0.0, 0.0],
        [1.0],
        math.log(2),
        [0.5, -0.5],
    ),
}


@pytest.fixture(params=NAMES)
def loss(request: pytest.FixtureRequest) -> Loss:
    return LOSSES[request.param]


def samples(loss: Loss, count: int = 40, outputs: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Outputs and targets with no residual at a kink of mae or huber."""
    random = np.random.default_rng(1)
    z = random.normal(scale=2.0, size=(count, outputs))
    if loss.kind == "classes":
        return z, random.integers(0, outputs, (count, 1)).astype(float)
    if loss.kind == "binary":
        return z, random.integers(0, 2, (count, outputs)).astype(float)
    t = random.normal(size=(count, outputs))
    r = np.abs(z - t)
    keep = ((r > 0.01) & (np.abs(r - 1) > 0.01)).all(axis=1)
    return z[keep], t[keep]


def test_every_loss_has_a_row() -> None:
    assert set(NAMES) == set(EXPECTED)


def test_codes_kinds_and_metrics() -> None:
    assert [row.code for row in LOSSES.values()] == list(range(len(LOSSES)))
    assert [row.name for row in LOSSES.values()] == list(NAMES)
    assert {name: (row.kind, row.metric, row.per_output) for name, row in LOSSES.items()} == {
        "mse": ("regression", "r2", True),
        "mae": ("regression", "r2", True),
        "huber": ("regression", "r2", True),
        "binary_cross_entropy": ("binary", "accuracy", True),
        "softmax_cross_entropy": ("classes", "accuracy", False),
    }


def test_known_numbers(loss: Loss) -> None:
    row = EXPECTED[loss.name]
    z, t = np.array([row.outputs]), np.array([row.targets])
    np.testing.assert_allclose(loss.value(z, t), [row.value], rtol=1e-15)
    np.testing.assert_allclose(loss.delta(z, t), [row.delta], rtol=1e-15)


def test_value_is_the_textbook_formula_of_each_sample(loss: Loss) -> None:
    z, t = samples(loss)
    expected = list(map(EXPECTED[loss.name].formula, z.tolist(), t.tolist()))
    np.testing.assert_allclose(loss.value(z, t), expected, rtol=1e-12)


def test_delta_is_the_gradient_of_the_value(loss: Loss) -> None:
    z, t = samples(loss)
    for output in range(z.shape[1]):
        step = np.zeros(z.shape[1])
        step[output] = h = 1e-3
        near, far = (loss.value(z + k * step, t) - loss.value(z - k * step, t) for k in (1, 2))
        np.testing.assert_allclose(
            loss.delta(z, t)[:, output], (8 * near - far) / (12 * h), rtol=0, atol=1e-10
        )


@pytest.mark.parametrize("dtype", DTYPES)
def test_shapes_and_dtype(loss: Loss, dtype: str) -> None:
    z, t = (array.astype(dtype) for array in samples(loss))
    assert (loss.value(z, t).shape, loss.value(z, t).dtype) == ((len(z),), np.dtype(dtype))
    assert (loss.delta(z, t).shape, loss.delta(z, t).dtype) == (z.shape, np.dtype(dtype))


def test_float32_is_float64_rounded(loss: Loss) -> None:
    z, t = (array.astype(np.float32) for array in samples(loss))
    exact = z.astype(float), t.astype(float)
    np.testing.assert_allclose(loss.value(z, t), loss.value(*exact), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(loss.delta(z, t), loss.delta(*exact), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["binary_cross_entropy", "softmax_cross_entropy"])
def test_huge_logits_neither_overflow_nor_warn(name: str, dtype: str) -> None:
    z = np.array([[1e4, -1e4], [-1e4, 1e4]], dtype)
    t = np.array([[0.0], [0.0]] if name == "softmax_cross_entropy" else [[1.0, 0.0], [1.0, 0.0]], dtype)
    assert LOSSES[name].value(z, t).tolist() == [0.0, 2e4]
    wrong = LOSSES[name].delta(z, t)
    assert wrong.tolist() == [[0.0, 0.0], [-1.0, 1.0]]


def test_derivatives_where_there_is_none_are_zero() -> None:
    at_target = np.zeros((1, 2))
    assert LOSSES["mae"].delta(at_target, at_target).tolist() == [[0.0, 0.0]]
    assert LOSSES["huber"].delta(np.array([[1.0, -1.0]]), at_target).tolist() == [[1.0, -1.0]]


def test_binary_targets_may_be_probabilities() -> None:
    z = np.array([[math.log(3.0)]])  # sigmoid(z) = 3/4
    loss = LOSSES["binary_cross_entropy"]
    assert loss.delta(z, np.array([[0.75]]))[0, 0] == pytest.approx(0.0, abs=1e-16)
    assert loss.value(z, np.array([[0.75]]))[0] == pytest.approx(
        -0.75 * math.log(0.75) - 0.25 * math.log(0.25)
    )


@st.composite
def logits(draw: st.DrawFn) -> np.ndarray:
    rows, columns = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    number = st.floats(-1e3, 1e3)
    return np.array(
        draw(st.lists(st.lists(number, min_size=columns, max_size=columns), min_size=rows, max_size=rows))
    )


@given(z=logits(), shift=st.floats(-100, 100))
def test_softmax_is_a_distribution_that_a_shift_does_not_change(z: np.ndarray, shift: float) -> None:
    p = softmax(z)
    assert (p >= 0).all()
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-13)
    np.testing.assert_allclose(softmax(z + shift), p, rtol=0, atol=1e-11)


@given(z=logits())
def test_softmax_cross_entropy_is_never_negative_and_its_gradient_sums_to_zero(z: np.ndarray) -> None:
    loss, label = LOSSES["softmax_cross_entropy"], np.zeros((len(z), 1))
    assert (loss.value(z, label) >= 0).all()
    np.testing.assert_allclose(loss.delta(z, label).sum(axis=1), 0.0, atol=1e-13)


@given(z=logits())
def test_regression_losses_are_zero_at_the_target_only(z: np.ndarray) -> None:
    for name in ("mse", "mae", "huber"):
        assert (LOSSES[name].value(z, z) == 0).all()
        assert (LOSSES[name].value(z + 1.0, z) > 0).all()


@pytest.mark.parametrize("name", ["cross_entropy", "MSE", None])
def test_unknown_name_lists_the_known_ones(name: object) -> None:
    with pytest.raises(ValueError, match=r"^loss must be one of mse, mae, .*softmax_cross_entropy; got "):
        get_loss(name)
