"""The engine against the reference: whole trainings of every pair of features, and the places where faults hide."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from agreement import assert_equal_runs
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
    AdamW,
    Dense,
    Dropout,
    Model,
    Network,
    Optimizer,
    train_many,
)
from neuralnet_core.backpropagation import evaluate as reference_evaluate
from neuralnet_core.backpropagation import loss_and_gradients
from neuralnet_core.evaluation import evaluate, gradients
from neuralnet_core.reference import ReferenceRun, train_reference

CASES = training_cases()


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
    found = gradients(network, parameters, X, t, weights)
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
        assert list(evaluate(network, parameters, X, t).values()) == pytest.approx(
            reference_evaluate(network, parameters, X, t), rel=1e-12
        )


@pytest.mark.parametrize("units", range(1, 20))
def test_every_width_of_a_layer(units: int) -> None:
    random = np.random.default_rng(units)
    network = Network([Dense(units, "softplus"), Dense(20 - units, "tanh"), Dense(1)])
    parameters = network.initialize(units, input_shape=units, dtype="float64")
    X, t = random.normal(size=(13, units)), random.normal(size=(13, 1))
    _, expected = loss_and_gradients(network, parameters, X, t)
    for name, value in gradients(network, parameters, X, t).items():
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
    narrow = gradients(network, parameters, X, t)
    exact = {name: value.astype(float) for name, value in parameters.items()}
    wide = gradients(network, exact, X.astype(float), t.astype(float))
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
