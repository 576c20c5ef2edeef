"""The engine against the reference: whole trainings of every pair of features, and the places where faults hide."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from training_cases import (
    BATCHES,
    TrainingCase,
    as_targets,
    covering_rows,
    every_pair,
    largest_difference,
    pairs_of,
    training_cases,
)

from neuralnet_core import (
    ACTIVATIONS,
    LOSSES,
    Adam,
    AdamW,
    Dense,
    Dropout,
    EarlyStopping,
    ExponentialDecay,
    GradientDescent,
    Model,
    Momentum,
    Network,
    Optimizer,
    RMSprop,
    train_many,
)
from neuralnet_core.evaluation import evaluate, forward, gradients
from neuralnet_core.reference import ReferenceRun, loss_and_gradients, train_reference
from neuralnet_core.reference import evaluate as reference_evaluate
from neuralnet_core.reference import forward as reference_forward

CASES = training_cases()
TOLERANCE = 1e-9
DTYPES = ("float64", "float32")


def assert_equal_runs(model: Model, run: ReferenceRun, tolerance: float = TOLERANCE) -> None:
    assert (model.state, model.epoch) == (run.state, run.epoch)
    assert list(model.parameters) == list(run.parameters)
    assert list(model.history_arrays) == list(run.history)
    for name, value in run.parameters.items():
        assert largest_difference(model.parameters[name], value) <= tolerance, name
    for name, values in run.history.items():
        assert len(model.history_arrays[name]) == len(values), name
        assert largest_difference(model.history_arrays[name], values) <= tolerance, name


def in_engine(case: TrainingCase) -> Model:
    [model] = train_many(
        case.network,
        case.optimizer,
        case.X,
        case.y,
        seeds=case.seed,
        sample_weight=case.weights,
        validation=case.validation,
        initial=case.initial,
        dtype="float64",
    )
    return model


def in_reference(case: TrainingCase) -> ReferenceRun:
    return train_reference(
        case.network,
        case.optimizer,
        case.X,
        case.targets,
        initial=case.initial,
        seed=case.seed,
        sample_weight=case.weights,
        validation=(case.validation[0], as_targets(case.validation[1])),
    )


# --- Whole trainings ------------------------------------------------------------------------------------------------


def test_cases_cover_every_pair_of_features() -> None:
    covered = {pair for row in covering_rows() for pair in pairs_of(row)}
    assert covered == every_pair()
    assert len(CASES) == len(covering_rows()) < 100


def test_cases_are_what_their_rows_say() -> None:
    def layers(case: TrainingCase) -> list[Dense]:
        return [layer for layer in case.network.layers if isinstance(layer, Dense)]

    used = {(layer.activation, case.network.loss) for case in CASES for layer in layers(case)}
    assert used >= {(activation, loss) for activation in ACTIVATIONS for loss in LOSSES} - {
        ("sigmoid", "binary_cross_entropy")
    }
    assert {type(case.optimizer) for case in CASES} == set(Optimizer.__subclasses__()) | {AdamW}
    for case in CASES:
        assert len(layers(case)) == case.row["depth"]
        assert (case.optimizer.clip_norm is not None) == case.row["clipping"]
        assert any(isinstance(layer, Dropout) for layer in case.network.layers) == case.row["dropout"]
        rows, batch_size, epochs = BATCHES[str(case.row["batches"])]
        assert epochs * -(-rows // (batch_size or rows)) >= 200


@pytest.mark.parametrize("case", CASES, ids=str)
def test_training_agrees_with_the_reference(case: TrainingCase) -> None:
    run = in_reference(case)
    assert run.state == "done"
    moved = [np.abs(run.parameters[name] - start).max() for name, start in case.initial.items()]
    assert min(moved) > 1e-3
    assert max(moved) > 0.05
    assert_equal_runs(in_engine(case), run)


def test_clipping_bites_in_some_updates_and_not_in_others() -> None:
    clipped = [case for case in CASES if case.row["clipping"]]
    loose = [replace(case, optimizer=replace(case.optimizer, clip_norm=1e3)) for case in clipped]
    free = [replace(case, optimizer=replace(case.optimizer, clip_norm=None)) for case in clipped]
    digests = [[in_engine(case).digest() for case in cases] for cases in (clipped, loose, free)]
    assert digests[1] == digests[2]
    assert sum(a != b for a, b in zip(digests[0], digests[2], strict=True)) > len(clipped) / 2


# --- Sums over samples: slices from 257 samples on, chunks of 32, remainders of the tile ----------------------------

COUNTS = (1, 2, 31, 32, 33, 64, 65, 255, 256, 257, 258, 264, 265, 300, 1025)


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("n", COUNTS)
def test_gradients_of_n_samples(n: int, weighted: bool) -> None:
    random = np.random.default_rng(n)
    network = Network([Dense(7, "tanh"), Dense(5, "silu"), Dense(3)])
    parameters = network.initialize(n, input_shape=6, dtype="float64")
    X, t = random.normal(size=(n, 6)), random.normal(size=(n, 3))
    weights = random.uniform(0.1, 2.0, n) if weighted else None
    found = gradients(network, parameters, X, t, "float64", weights)
    c = None if weights is None else weights / weights.sum()
    _, expected = loss_and_gradients(network, parameters, X, t, c)
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("n", COUNTS)
def test_loss_and_score_of_n_samples(n: int) -> None:
    random = np.random.default_rng(n)
    X = random.normal(size=(n, 6))
    for loss in LOSSES:
        network = Network([Dense(7, "elu"), Dense(3)], loss=loss)
        parameters = network.initialize(n, input_shape=6, dtype="float64")
        t = {
            "classes": random.integers(0, 3, (n, 1)).astype(float),
            "binary": random.integers(0, 2, (n, 3)).astype(float),
            "regression": random.normal(size=(n, 3)),
        }[LOSSES[loss].kind]
        assert list(evaluate(network, parameters, X, t, "float64").values()) == pytest.approx(
            reference_evaluate(network, parameters, X, t), rel=1e-12
        )


@pytest.mark.parametrize("units", range(1, 20))
def test_every_width_of_a_layer(units: int) -> None:
    random = np.random.default_rng(units)
    network = Network([Dense(units, "softplus"), Dense(20 - units, "tanh"), Dense(1)])
    parameters = network.initialize(units, input_shape=units, dtype="float64")
    X, t = random.normal(size=(13, units)), random.normal(size=(13, 1))
    _, expected = loss_and_gradients(network, parameters, X, t)
    for name, value in gradients(network, parameters, X, t, "float64").items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-11, atol=1e-15)


# --- float32 --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_float32_gradients_are_the_float64_ones(activation: str, loss: str) -> None:
    random = np.random.default_rng(5)
    network = Network([Dense(6, activation), Dense(5, activation), Dense(3)], loss=loss)
    parameters = network.initialize(1, input_shape=4, dtype="float32")
    X = random.normal(size=(50, 4)).astype("float32")
    t = {
        "classes": random.integers(0, 3, (50, 1)),
        "binary": random.integers(0, 2, (50, 3)),
        "regression": random.normal(size=(50, 3)),
    }[LOSSES[loss].kind].astype("float32")
    narrow = gradients(network, parameters, X, t, "float32")
    exact = {name: value.astype(float) for name, value in parameters.items()}
    wide = gradients(network, exact, X.astype(float), t.astype(float), "float64")
    for name, value in wide.items():
        assert narrow[name].dtype == np.float32
        assert np.abs(narrow[name] - value).max() <= 1e-4 * np.abs(value).max(), name


@pytest.mark.parametrize("case", CASES[::9], ids=str)
def test_float32_training_stays_near_float64(case: TrainingCase) -> None:
    initial = {name: value.astype("float32") for name, value in case.initial.items()}
    weights = {"sample_weight": case.weights, "seed": case.seed}
    short = replace(case.optimizer, epochs=10)
    run = train_reference(
        case.network, short, case.X, case.targets, initial=initial, dtype="float32", **weights
    )
    [model] = train_many(
        case.network, short, case.X, case.y, seeds=case.seed, sample_weight=case.weights, initial=initial
    )
    for name, value in run.parameters.items():
        assert largest_difference(model.parameters[name], value) <= 1e-4, name


# --- The compiled twins of the tables -------------------------------------------------------------------------------

GRID = np.concatenate([np.linspace(-12, 12, 241), [-700.0, -50.0, -1e-4, -0.0, 0.0, 1e-4, 50.0, 700.0]])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_has_its_twin(name: str, dtype: str) -> None:
    z = GRID.astype(dtype)[:, None]
    network, one = Network([Dense(1, name, bias=False)]), {"0.weight": np.ones((1, 1), dtype)}
    expected = ACTIVATIONS[name].function(z.astype(float))
    tolerance = {"rtol": 4e-15, "atol": 1e-15} if dtype == "float64" else {"rtol": 2e-6, "atol": 5e-7}
    np.testing.assert_allclose(forward(network, one, z, dtype), expected, **tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slope_has_its_twin(name: str, dtype: str) -> None:
    row, tolerance = ACTIVATIONS[name], 1e-14 if dtype == "float64" else 3e-6
    network = Network([Dense(1, name)])
    parameters = {"0.weight": np.ones((1, 1), dtype), "0.bias": np.zeros(1, dtype)}
    for z in GRID[::5].astype(dtype):
        x = np.array([[z]], dtype)
        a = forward(network, parameters, x, dtype)
        bias = gradients(network, parameters, x, a - np.array(0.5, dtype), dtype)[
            "0.bias"
        ]  # 2 (a - t) slope = slope
        expected = row.derivative(x.astype(float), row.function(x.astype(float)))[0, 0]
        near = 2 * float(
            a[0, 0] - (a[0, 0] - np.array(0.5, dtype))
        )  # what is left of 1 after rounding a - 0.5
        assert bias[0] == pytest.approx(expected * near, rel=tolerance, abs=tolerance), z


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivative_at_zero_follows_the_convention(name: str) -> None:
    network = Network([Dense(1, name)])
    parameters = {"0.weight": np.ones((1, 1)), "0.bias": np.zeros(1)}
    for zero in (0.0, -0.0):
        x = np.array([[zero]])
        a = forward(network, parameters, x, "float64")
        bias = gradients(network, parameters, x, a - 0.5, "float64")["0.bias"][0]
        assert bias == pytest.approx(ACTIVATIONS[name].derivative(x, a)[0, 0], rel=1e-14)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", LOSSES)
def test_loss_has_its_twin(loss: str, dtype: str) -> None:
    row = LOSSES[loss]
    z = np.array(
        [[0.0, 0.0], [1.0, -1.0], [0.3, 30.0], [-80.0, 80.0], [-3.0, 0.5], [2.0, 1.0], [500.0, -500.0]], dtype
    )
    t = {
        "classes": np.array([[0], [1], [0], [1], [0], [1], [0]]),
        "binary": np.array([[0, 1], [1, 0], [1, 1], [0, 0], [0.25, 1], [1, 1], [1, 0]]),
        "regression": np.array([[0, 0], [0, 0], [0.3, -1], [5, 5], [-2, 0.5], [1, 1], [0, 0]]),
    }[row.kind].astype(dtype)
    tolerance = 1e-14 if dtype == "float64" else 2e-6
    network = Network([Dense(2)], loss=loss)
    for x, target in zip(z[:, None, :], t[:, None, :], strict=True):
        parameters = {"0.weight": np.zeros((1, 2), dtype), "0.bias": x[0]}
        one = np.ones((1, 1), dtype)
        share = 1 / 2 if row.per_output else 1.0
        exact = x.astype(float), target.astype(float)
        value = evaluate(network, parameters, one, target, dtype)["loss"]
        assert value == pytest.approx(row.value(*exact)[0] * share, rel=tolerance, abs=tolerance)
        delta = gradients(network, parameters, one, target, dtype)["0.bias"]
        np.testing.assert_allclose(delta, row.delta(*exact)[0] * share, rtol=tolerance, atol=tolerance)


# --- Faults that a long training could hide -------------------------------------------------------------------------

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
        forward(network, parameters, X, "float64"),
        reference_forward(network, parameters, X),
        rtol=1e-13,
        atol=1e-15,
    )
