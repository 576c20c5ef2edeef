"""The training loop of the reference: every rule of it by numbers worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest

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
    Optimizer,
    RMSprop,
    Schedule,
    StepDecay,
    WarmUp,
)
from neuralnet_core.random import dropout_keep, permutation
from neuralnet_core.reference import (
    ReferenceRun,
    train_reference,
)

X = np.random.default_rng(7).normal(size=(12, 4))
Y = np.random.default_rng(8).normal(scale=2.0, size=(12, 1))
LINE = Network([Dense(1, bias=False)])  # one weight W: the loss on x = 1, t = 0 is W^2, its gradient 2 W
ONE = np.ones((1, 1))
ZERO = np.zeros((1, 1))


def train_line(optimizer: Optimizer, start: float = 1.0, **options: object) -> ReferenceRun:
    return train_reference(LINE, optimizer, ONE, ZERO, initial={"0.weight": [[start]]}, **options)


def weight_of(run: ReferenceRun) -> float:
    return float(run.parameters["0.weight"][0, 0])


# --- Optimizers: a row each, the textbook recursion for one number --------------------------------------------------

Recursion = Callable[[float], Iterator[float]]


def gradient_descent(w: float) -> Iterator[float]:
    while True:
        w -= 0.1 * 2 * w
        yield w


def momentum(w: float) -> Iterator[float]:
    v = 0.0
    while True:
        v = 0.9 * v + 2 * w
        w -= 0.1 * v
        yield w


def dampened(w: float) -> Iterator[float]:
    v = 0.0
    while True:
        v = 0.9 * v + (1 - 0.8) * 2 * w  # from the first update on
        w -= 0.1 * v
        yield w


def nesterov(w: float) -> Iterator[float]:
    v = 0.0
    while True:
        g = 2 * w
        v = 0.9 * v + g
        w -= 0.1 * (g + 0.9 * v)
        yield w


def rmsprop(w: float) -> Iterator[float]:
    s = 0.0
    while True:
        s = 0.7 * s + 0.3 * (2 * w) ** 2
        w -= 0.1 * 2 * w / (math.sqrt(s) + 1e-3)
        yield w


def adam(w: float, decay: float = 0.0) -> Iterator[float]:
    m = v = 0.0
    t = 0
    while True:
        t += 1
        g = 2 * w
        m, v = 0.8 * m + 0.2 * g, 0.95 * v + 0.05 * g**2
        w -= 0.1 * decay * w
        w -= 0.1 * (m / (1 - 0.8**t)) / (math.sqrt(v / (1 - 0.95**t)) + 1e-3)
        yield w


ADAM = {"beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3}
RECURSIONS: dict[str, tuple[Callable[..., Optimizer], Recursion]] = {
    "gradient_descent": (GradientDescent, gradient_descent),
    "momentum": (lambda *a, **k: Momentum(*a, momentum=0.9, **k), momentum),
    "dampened": (lambda *a, **k: Momentum(*a, momentum=0.9, dampening=0.8, **k), dampened),
    "nesterov": (lambda *a, **k: Momentum(*a, momentum=0.9, nesterov=True, **k), nesterov),
    "rmsprop": (lambda *a, **k: RMSprop(*a, decay=0.7, epsilon=1e-3, **k), rmsprop),
    "adam": (lambda *a, **k: Adam(*a, **ADAM, **k), adam),
    "adamw": (lambda *a, **k: AdamW(*a, **ADAM, weight_decay=0.3, **k), lambda w: adam(w, decay=0.3)),
}


def test_every_optimizer_has_a_row() -> None:
    assert {type(make(0.1)) for make, _ in RECURSIONS.values()} == set(Optimizer.__subclasses__()) | {AdamW}


@pytest.mark.parametrize("name", RECURSIONS)
def test_optimizer_is_the_textbook_recursion(name: str) -> None:
    make, recursion = RECURSIONS[name]
    steps = recursion(1.5)
    expected = [next(steps) for _ in range(25)]
    for epochs in (1, 2, 3, 25):
        run = train_line(make(0.1, epochs=epochs), start=1.5)
        assert weight_of(run) == pytest.approx(expected[epochs - 1], rel=1e-12, abs=1e-14)


SCHEDULES: dict[str, tuple[Schedule, list[float]]] = {
    "step": (StepDecay(0.1, factor=0.5, every=2), [0.1, 0.1, 0.05, 0.05, 0.025]),
    "exponential": (ExponentialDecay(0.1, decay=0.5), [0.1, 0.05, 0.025, 0.0125, 0.00625]),
    "cosine": (CosineDecay(0.3, updates=2, final=0.1), [0.3, 0.2, 0.1, 0.1, 0.1]),
    "warm-up": (WarmUp(updates=4, after=0.2), [0.05, 0.1, 0.15, 0.2, 0.2]),
    "warm-up, then a schedule": (WarmUp(2, StepDecay(0.2, 0.5, 2)), [0.1, 0.2, 0.1, 0.1, 0.05]),
}


def test_every_schedule_has_a_row() -> None:
    assert {type(schedule) for schedule, _ in SCHEDULES.values()} == set(Schedule.__subclasses__())


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule_gives_the_rate_of_each_update_from_zero(name: str) -> None:
    schedule, rates = SCHEDULES[name]
    weight = 1.0
    for epochs, rate in enumerate(rates, start=1):
        weight -= rate * 2 * weight
        assert weight_of(train_line(GradientDescent(schedule, epochs=epochs))) == pytest.approx(
            weight, rel=1e-14
        )


def test_schedule_counts_updates_not_epochs() -> None:
    X, targets = np.ones((3, 1)), np.zeros((3, 1))
    optimizer = GradientDescent(ExponentialDecay(0.1, decay=0.5), epochs=1, batch_size=1)
    run = train_reference(LINE, optimizer, X, targets, initial={"0.weight": [[1.0]]})
    assert weight_of(run) == pytest.approx((1 - 0.2) * (1 - 0.1) * (1 - 0.05), rel=1e-15)


# --- Clipping and penalties -----------------------------------------------------------------------------------------


def one_step(network: Network, initial: dict[str, np.ndarray], **options: object) -> dict[str, np.ndarray]:
    """Return what one update at rate 1 subtracts, on X with targets 5."""
    optimizer = GradientDescent(1.0, epochs=1, batch_size=None, **options)
    run = train_reference(network, optimizer, X, np.full((12, 1), 5.0), initial=initial)
    return {name: initial[name] - run.parameters[name] for name in initial}


def test_clipping_scales_all_gradients_by_one_factor() -> None:
    network = Network([Dense(3, "tanh"), Dense(1)])
    initial = network.initialize(0, input_shape=4, dtype="float64")
    free, clipped = one_step(network, initial), one_step(network, initial, clip_norm=0.1)
    norm = math.sqrt(sum(float((g**2).sum()) for g in free.values()))
    assert norm > 0.1
    for name, g in free.items():
        np.testing.assert_allclose(clipped[name], g * 0.1 / norm, rtol=1e-10)
    for name, g in one_step(network, initial, clip_norm=norm * 1.001).items():
        np.testing.assert_array_equal(g, free[name])


def test_penalties_come_after_clipping_and_never_touch_biases() -> None:
    network = Network([Dense(3, "tanh"), Dense(1)])
    initial = network.initialize(0, input_shape=4, dtype="float64")
    initial["0.bias"] = np.array([1.0, -1.0, 2.0])
    plain = one_step(network, initial, clip_norm=0.1)
    penalized = one_step(network, initial, clip_norm=0.1, l1=0.3, l2=0.7)
    for name, W in initial.items():
        extra = 0.7 * W + 0.3 * np.sign(W) if name.endswith("weight") else 0.0
        np.testing.assert_allclose(penalized[name], plain[name] + extra, rtol=1e-10, atol=1e-14)


def test_l1_leaves_a_weight_of_zero_alone() -> None:
    assert weight_of(train_line(GradientDescent(0.1, epochs=5, l1=0.5), start=0.0)) == 0.0


def test_weight_decay_comes_first_and_never_touches_biases() -> None:
    network = Network([Dense(1)])
    initial = {"0.weight": np.array([[2.0]]), "0.bias": np.array([3.0])}
    options = {"epochs": 1, "batch_size": None, "beta1": 0.0, "beta2": 0.0}
    start = {"initial": initial}
    plain = train_reference(network, Adam(0.1, **options), ONE, ZERO, **start).parameters
    decayed = train_reference(network, AdamW(0.1, weight_decay=0.5, **options), ONE, ZERO, **start).parameters
    assert decayed["0.weight"][0, 0] == pytest.approx(plain["0.weight"][0, 0] - 0.1 * 0.5 * 2.0, rel=1e-15)
    assert decayed["0.bias"][0] == plain["0.bias"][0]


# --- Minibatches, order, weights ------------------------------------------------------------------------------------


def test_short_last_minibatch_is_averaged_over_its_own_size() -> None:
    X = np.array([[1.0], [1.0], [2.0]])
    optimizer = GradientDescent(0.1, epochs=1, batch_size=2, shuffle=False)
    run = train_reference(LINE, optimizer, X, np.zeros((3, 1)), initial={"0.weight": [[1.0]]})
    after_first = 1 - 0.1 * 2
    assert weight_of(run) == pytest.approx(after_first - 0.1 * 2 * after_first * 4, rel=1e-15)
    loss = (1.0 * 2 + 4 * after_first**2 * 1) / 3  # each before its update, weighted by sample count
    assert run.history["train_loss"][0] == pytest.approx(loss, rel=1e-15)


@pytest.mark.parametrize("batch_size", [12, 13, 1000])
def test_minibatch_of_all_rows_is_a_full_batch(batch_size: int) -> None:
    network = Network([Dense(2, "tanh"), Dense(1)])
    initial = network.initialize(0, input_shape=4, dtype="float64")
    runs = [
        train_reference(network, Adam(0.01, epochs=3, batch_size=size), X, Y, initial=initial, seed=1)
        for size in (None, batch_size)
    ]
    for name in initial:
        np.testing.assert_array_equal(runs[0].parameters[name], runs[1].parameters[name])


def test_every_epoch_has_its_own_order() -> None:
    initial = {"0.weight": np.ones((4, 1))}
    rows = np.arange(2, 9)
    run = train_reference(
        LINE, GradientDescent(0.01, epochs=2, batch_size=3), X, Y, initial=initial, seed=5, rows=rows
    )
    order = np.concatenate([rows[permutation(5, epoch, 7)] for epoch in (0, 1)])
    W = initial["0.weight"]
    for batch in (order[0:3], order[3:6], order[6:7], order[7:10], order[10:13], order[13:14]):
        W = W - 0.01 * 2 * X[batch].T @ (X[batch] @ W - Y[batch]) / len(batch)
    np.testing.assert_allclose(run.parameters["0.weight"], W, rtol=1e-13)


def test_dropout_draws_anew_for_each_update_and_layer() -> None:
    network = Network([Dropout(0.5), Dense(1, bias=False)])
    initial = {"1.weight": np.ones((4, 1))}
    optimizer = GradientDescent(0.01, epochs=2, batch_size=8, shuffle=False)
    run = train_reference(network, optimizer, X, Y, initial=initial, seed=9)
    W = initial["1.weight"]
    for update, batch in enumerate((slice(0, 8), slice(8, 12)) * 2):
        x, t = X[batch], Y[batch]
        x = np.where(dropout_keep(9, 0, update, len(x), 4, 0.5), 2.0 * x, 0.0)
        W = W - 0.01 * 2 * x.T @ (x @ W - t) / len(x)
    np.testing.assert_allclose(run.parameters["1.weight"], W, rtol=1e-13)


def test_integer_weights_are_repeated_rows() -> None:
    network = Network([Dense(3, "tanh"), Dense(1)])
    initial = network.initialize(0, input_shape=4, dtype="float64")
    optimizer = Momentum(0.05, epochs=5, batch_size=None)
    counts = np.arange(len(X)) % 3
    weighted = train_reference(network, optimizer, X, Y, initial=initial, sample_weight=counts)
    rows = np.repeat(np.arange(len(X)), counts)
    repeated = train_reference(network, optimizer, X, Y, initial=initial, rows=rows)
    for name in initial:
        np.testing.assert_allclose(weighted.parameters[name], repeated.parameters[name], rtol=1e-12)
    np.testing.assert_allclose(weighted.history["train_loss"], repeated.history["train_loss"], rtol=1e-12)


@pytest.mark.parametrize("make", [Adam, AdamW, lambda rate, **k: Momentum(ExponentialDecay(rate, 0.9), **k)])
def test_minibatch_of_weight_zero_makes_no_update_and_counts_for_nothing(
    make: Callable[..., Optimizer],
) -> None:
    network = Network([Dropout(0.2), Dense(1)])
    initial = network.initialize(0, input_shape=4, dtype="float64")
    optimizer = make(0.05, epochs=3, batch_size=4, shuffle=False)
    weights = np.repeat([1.0, 0.0, 2.0], 4)
    skipped = train_reference(network, optimizer, X, Y, initial=initial, sample_weight=weights)
    rows = np.flatnonzero(weights)
    absent = train_reference(network, optimizer, X, Y, initial=initial, sample_weight=weights, rows=rows)
    for name in initial:
        np.testing.assert_array_equal(skipped.parameters[name], absent.parameters[name])
    np.testing.assert_array_equal(skipped.history["train_loss"], absent.history["train_loss"])


def test_train_loss_is_weighted_by_the_minibatches_weights() -> None:
    X, targets = np.array([[1.0], [2.0]]), np.zeros((2, 1))
    optimizer = GradientDescent(1e-9, epochs=1, batch_size=1, shuffle=False)
    run = train_reference(
        LINE, optimizer, X, targets, initial={"0.weight": [[1.0]]}, sample_weight=[3.0, 1.0]
    )
    assert run.history["train_loss"][0] == pytest.approx((3 * 1 + 1 * 4) / 4, rel=1e-7)


def test_train_loss_leaves_penalties_out() -> None:
    run = train_line(GradientDescent(0.1, epochs=1, l1=5.0, l2=5.0), start=2.0)
    assert run.history["train_loss"].tolist() == [4.0]


# --- Validation, early stopping, divergence -------------------------------------------------------------------------


def test_validation_follows_the_epochs_last_update() -> None:
    run = train_line(GradientDescent(0.1, epochs=2), validation=(2 * ONE, ZERO))
    assert run.history["train_loss"] == pytest.approx([1.0, 0.64], rel=1e-15)
    assert run.history["validation_loss"] == pytest.approx([4 * 0.64, 4 * 0.64**2], rel=1e-15)
    assert list(run.history) == ["train_loss", "validation_loss", "validation_r2"]


def stopped(early: EarlyStopping, rate: float = 0.1) -> ReferenceRun:
    """Train W towards 0 from 1, while validation wants 0.5: it is best where W is 0.512, after three epochs."""
    return train_line(GradientDescent(rate, epochs=50, early_stopping=early), validation=(ONE, 0.5 * ONE))


def test_early_stopping_restores_the_best_epoch() -> None:
    run = stopped(EarlyStopping(patience=4))
    assert (run.state, run.epoch, len(run.history["train_loss"])) == ("done", 3, 7)
    assert weight_of(run) == pytest.approx(0.8**3, rel=1e-14)


def test_early_stopping_may_keep_the_last_epoch() -> None:
    run = stopped(EarlyStopping(patience=4, restore_best=False))
    assert (run.epoch, weight_of(run)) == (7, pytest.approx(0.8**7, rel=1e-14))


def test_early_stopping_takes_only_changes_above_min_delta_for_improvements() -> None:
    # the validation losses are 0.09, 0.0196, 0.000144, 0.008 ...: only the second gains more than 0.05
    assert stopped(EarlyStopping(patience=3, min_delta=0.05)).epoch == 2


def test_early_stopping_on_the_train_loss_runs_on_while_it_falls() -> None:
    run = stopped(EarlyStopping(monitor="train_loss", patience=2))
    assert run.epoch == len(run.history["train_loss"]) == 50


def test_early_stopping_on_a_score_climbs() -> None:
    t = np.array([[0.5], [0.6]])
    run = train_reference(
        LINE,
        GradientDescent(0.1, epochs=50, early_stopping=EarlyStopping(monitor="validation_r2", patience=2)),
        ONE,
        ZERO,
        initial={"0.weight": [[1.0]]},
        validation=(np.ones((2, 1)), t),
    )
    assert run.epoch == int(np.argmax(run.history["validation_r2"])) + 1 == 3
    assert len(run.history["validation_r2"]) == 5


def test_divergence_ends_training_at_its_epoch() -> None:
    run = train_line(GradientDescent(1e200, epochs=9))
    losses = run.history["train_loss"]
    assert (run.state, run.epoch) == ("diverged", len(losses))
    assert len(losses) < 9
    assert np.isfinite(losses[:-1]).all()


def test_a_validation_loss_that_is_not_finite_is_divergence_too() -> None:
    run = train_line(GradientDescent(0.1, epochs=9), validation=(np.full((1, 1), 1e200), ZERO))
    assert (run.state, run.epoch) == ("diverged", 1)


@pytest.mark.parametrize("name", RECURSIONS)
def test_float32_stays_float32(name: str) -> None:
    network = Network([Dropout(0.1), Dense(3, "gelu"), Dense(1)])
    initial = network.initialize(0, input_shape=4, dtype="float32")
    optimizer = RECURSIONS[name][0](WarmUp(3, 0.01), epochs=2, batch_size=5, l1=0.1, l2=0.1, clip_norm=0.5)
    options = {"initial": initial, "sample_weight": np.arange(12.0), "dtype": "float32"}
    run = train_reference(network, optimizer, X, Y, **options)
    assert {value.dtype for value in run.parameters.values()} == {np.dtype("float32")}


def test_what_is_given_is_left_alone() -> None:
    initial, targets = {"0.weight": np.ones((4, 1))}, Y.copy()
    for array in (initial["0.weight"], targets):
        array.flags.writeable = False
    train_reference(LINE, Adam(0.1, epochs=2, batch_size=5), X, targets, initial=initial)
    assert initial["0.weight"].tolist() == [[1.0]] * 4
