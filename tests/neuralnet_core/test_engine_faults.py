"""Faults that a long training could hide: the engine against the reference where each would show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from agreement import assert_equal_runs
from training_cases import (
    as_targets,
)

from neuralnet_core import (
    Adam,
    AdamW,
    Dense,
    Dropout,
    EarlyStopping,
    ExponentialDecay,
    GradientDescent,
    Momentum,
    Network,
    Optimizer,
    RMSprop,
    train_many,
)
from neuralnet_core.backpropagation import forward as reference_forward
from neuralnet_core.evaluation import forward
from neuralnet_core.reference import ReferenceRun, train_reference

X = np.random.default_rng(1).normal(size=(30, 4))
Y = np.sin(X[:, :2]) + X[:, 2:]
NETWORK = Network([Dense(5, "tanh"), Dense(2)])
INITIAL = NETWORK.initialize(3, input_shape=4, dtype="float64")


def assert_agrees(
    optimizer: Optimizer, network: Network = NETWORK, weights: np.ndarray | None = None, **options: object
) -> ReferenceRun:
    initial = network.initialize(3, input_shape=4, dtype="float64")
    run = train_reference(network, optimizer, X, Y, initial=initial, seed=4, sample_weight=weights, **options)
    validation = options.pop("validation", None)
    [model] = train_many(
        network,
        optimizer,
        X,
        Y,
        seeds=4,
        sample_weight=weights,
        initial=initial,
        dtype="float64",
        validation=validation,
        warn=False,
        **options,
    )
    assert_equal_runs(model, run, 1e-12)
    return run


@pytest.mark.parametrize("batch_size", [1, 7, 29, 30, 31, 1000, None])
def test_minibatch_sizes(batch_size: int | None) -> None:
    assert_agrees(GradientDescent(0.05, epochs=3, batch_size=batch_size))


@pytest.mark.parametrize("batch_size", [4, 30])
def test_rows_of_the_data(batch_size: int) -> None:
    assert_agrees(Adam(0.01, epochs=3, batch_size=batch_size), rows=np.array([29, 3, 3, 17, 8, 0, 11]))


def test_an_order_so_long_that_it_is_drawn_in_pieces() -> None:
    rows, optimizer = np.resize(np.arange(30), 40_001), GradientDescent(0.01, epochs=2, batch_size=10_000)
    assert_agrees(optimizer, rows=rows)


@pytest.mark.parametrize("updates", [1, 2, 3])
@pytest.mark.parametrize("make", [Adam, AdamW, RMSprop, Momentum])
def test_first_updates(make: type[Optimizer], updates: int) -> None:
    """A wrong count of the bias correction shows in the first updates, and fades."""
    run = assert_agrees(make(0.1, epochs=updates, batch_size=None))
    if make is Adam and updates == 1:  # the first step is the rate, whatever the gradient
        step = np.abs(run.parameters["0.weight"] - INITIAL["0.weight"])
        np.testing.assert_allclose(step, 0.1, rtol=1e-5)


SKIPPING = np.repeat([1.0, 0.0, 0.5, 0.0, 0.0, 2.0], 5)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(
    "optimizer",
    [
        Adam(0.01, epochs=4, batch_size=5),
        AdamW(0.01, epochs=4, batch_size=2),
        Momentum(ExponentialDecay(0.01, 0.9), epochs=4, batch_size=1),
    ],
    ids=lambda optimizer: type(optimizer).__name__,
)
def test_minibatches_of_weight_zero_make_no_update(optimizer: Optimizer, shuffle: bool) -> None:
    network = Network([Dropout(0.3), Dense(5, "tanh"), Dense(2)])
    assert_agrees(replace(optimizer, shuffle=shuffle), network, SKIPPING)


@pytest.mark.parametrize("weights", [SKIPPING, SKIPPING + 0.1], ids=["some zero", "none zero"])
def test_weights_in_a_pack_whose_networks_visit_the_rows_in_different_orders(weights: np.ndarray) -> None:
    seeds, optimizer = range(11), Adam(0.01, epochs=3, batch_size=7)
    models = train_many(
        NETWORK, optimizer, X, Y, seeds=list(seeds), sample_weight=weights, initial=INITIAL, dtype="float64"
    )
    for seed, model in zip(seeds, models, strict=True):
        run = train_reference(NETWORK, optimizer, X, Y, initial=INITIAL, seed=seed, sample_weight=weights)
        assert_equal_runs(model, run, 1e-12)


def test_weights_in_a_pack_of_different_rows() -> None:
    random, weights = np.random.default_rng(2), np.linspace(0.1, 3.0, 30)
    rows = [random.choice(30, 20, replace=False) for _ in range(5)]
    optimizer = GradientDescent(0.05, epochs=3, batch_size=8)
    models = train_many(
        NETWORK, optimizer, X, Y, seeds=0, rows=rows, sample_weight=weights, initial=INITIAL, dtype="float64"
    )
    for own, model in zip(rows, models, strict=True):
        run = train_reference(NETWORK, optimizer, X, Y, initial=INITIAL, rows=own, sample_weight=weights)
        assert_equal_runs(model, run, 1e-12)


def test_l1_leaves_weights_of_zero_alone() -> None:
    network = Network([Dense(3, "relu", initializer="zeros"), Dense(2)])
    run = assert_agrees(GradientDescent(0.1, epochs=5, l1=0.5), network)
    assert not run.parameters["0.weight"].any()  # relu of 0 passes no gradient, and sign(0) is 0


def test_a_bias_has_no_penalty() -> None:
    start = {name: np.ones_like(value) for name, value in INITIAL.items()}
    plain = GradientDescent(0.1, epochs=1, batch_size=None)
    models = train_many(
        NETWORK,
        [plain, replace(plain, l1=3.0), replace(plain, l2=3.0)],
        X,
        Y,
        seeds=0,
        initial=start,
        dtype="float64",
    )
    for name in INITIAL:
        for penalized in models[1:]:
            same = np.array_equal(models[0].parameters[name], penalized.parameters[name])
            assert same == name.endswith("bias"), name


@pytest.mark.parametrize("limit", [1e-3, 0.1, 0.5, 1e6])
def test_clipping_by_the_norm_over_all_tensors(limit: float) -> None:
    run = assert_agrees(GradientDescent(1.0, epochs=1, batch_size=None, clip_norm=limit))
    step = np.concatenate([(run.parameters[name] - INITIAL[name]).ravel() for name in INITIAL])
    assert np.linalg.norm(step) <= limit * (1 + 1e-12)
    if limit < 1e6:
        assert np.linalg.norm(step) == pytest.approx(limit, rel=1e-9)


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9])
def test_dropout_in_every_place(rate: float) -> None:
    layers = [
        Dropout(rate),
        Dense(9, "relu"),
        Dropout(rate),
        Dropout(rate),
        Dense(4, "tanh"),
        Dropout(rate),
        Dense(2),
    ]
    assert_agrees(Momentum(0.01, epochs=4, batch_size=11), Network(layers))


@pytest.mark.parametrize("monitor", ["train_loss", "validation_loss", "validation_r2"])
@pytest.mark.parametrize("restore_best", [True, False])
@pytest.mark.parametrize(("patience", "min_delta"), [(1, 0.0), (3, 0.0), (2, 0.05)])
def test_early_stopping(monitor: str, restore_best: bool, patience: int, min_delta: float) -> None:
    early = EarlyStopping(monitor, patience, min_delta, restore_best)
    optimizer = RMSprop(0.05, epochs=60, batch_size=8, early_stopping=early)
    run = assert_agrees(optimizer, validation=(X[:9] + 0.5, Y[:9]))
    assert len(run.history["train_loss"]) < 60


def test_early_stopping_on_the_accuracy() -> None:
    network, labels = Network([Dense(6, "tanh"), Dense(3)], loss="softmax_cross_entropy"), np.arange(30) % 3
    early = EarlyStopping("validation_accuracy", patience=3)
    optimizer = Adam(0.05, epochs=40, batch_size=8, early_stopping=early)
    initial, held_out = network.initialize(0, input_shape=4, dtype="float64"), (X[::-1], labels)
    run = train_reference(
        network, optimizer, X, as_targets(labels), initial=initial, validation=(X[::-1], as_targets(labels))
    )
    model = network.train(X, labels, optimizer, validation=held_out, dtype="float64")
    assert_equal_runs(model, run)
    assert model.epoch < len(model.history_arrays["train_loss"]) < 40


@pytest.mark.parametrize("rate", [5.0, 30.0, 1e6])
def test_divergence_at_the_same_epoch(rate: float) -> None:
    network, initial = Network([Dense(2)]), {"0.weight": np.ones((4, 2)), "0.bias": np.zeros(2)}
    optimizer = GradientDescent(rate, epochs=400, batch_size=None)
    run = train_reference(network, optimizer, X, Y, initial=initial)
    [model] = train_many(network, optimizer, X, Y, seeds=0, initial=initial, dtype="float64", warn=False)
    assert (
        (model.state, model.epoch) == (run.state, run.epoch) == ("diverged", len(run.history["train_loss"]))
    )
    assert len(model.history_arrays["train_loss"]) == run.epoch


def test_every_lane_has_its_own_hyperparameters() -> None:
    networks = [Network([Dropout(rate), Dense(5, "gelu"), Dense(2)]) for rate in (0.0, 0.1, 0.2, 0.3, 0.4)]
    optimizers = [
        AdamW(
            10.0**-k,
            l1=0.01 * k,
            l2=0.02 * k,
            clip_norm=0.3 * k or None,
            beta1=0.8 + 0.03 * k,
            weight_decay=0.1 * k,
        )
        for k in range(1, 6)
    ]
    models = train_many(networks, optimizers, X, Y, seeds=[5, 6, 7, 8, 9], dtype="float64")
    for index, (network, optimizer, model) in enumerate(zip(networks, optimizers, models, strict=True)):
        initial = network.initialize(5 + index, input_shape=4, dtype="float64")
        run = train_reference(network, optimizer, X, Y, initial=initial, seed=5 + index)
        assert_equal_runs(model, run, 1e-12)


def test_prediction_has_no_dropout() -> None:
    network = Network([Dropout(0.5), Dense(5, "relu"), Dropout(0.5), Dense(2)])
    parameters = network.initialize(0, input_shape=4, dtype="float64")
    np.testing.assert_allclose(
        forward(network, parameters, X),
        reference_forward(network, parameters, X),
        rtol=1e-13,
        atol=1e-15,
    )
