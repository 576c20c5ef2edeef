"""train_many: broadcasting, rows, validation, early stopping, divergence, cancelling, and what it refuses."""

from __future__ import annotations

import threading

import numpy as np
import pandas as pd
import pytest

from neuralnet_core import (
    METRICS,
    Adam,
    AdamW,
    CancelToken,
    Dense,
    Dropout,
    EarlyStopping,
    GradientDescent,
    Momentum,
    Network,
    Optimizer,
    Pack,
    TrainingCancelled,
    Way,
    train_many,
)
from neuralnet_core.engine.dispatch import supported_sets
from neuralnet_core.ways import MODES, Mode

REGRESSION = Network([Dense(6, "tanh"), Dense(1)])
CLASSIFICATION = Network([Dense(6, "relu"), Dense(3)], loss="softmax_cross_entropy")
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(120, 4))
Y = X @ [1.0, -2.0, 0.5, 0.0]
LABELS = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


X_LONG = RANDOM.normal(size=(310, 4))
Y_LONG = X_LONG[:, :2] - np.abs(X_LONG[:, 2:])


START = REGRESSION.initialize(input_shape=4)


def digests(models: list) -> list[str]:
    return [model.digest() for model in models]


def test_single_values_are_broadcast() -> None:
    models = train_many(REGRESSION, [Adam(1e-3), Adam(1e-2)], X, Y, seeds=3)
    assert [model.optimizer.learning_rate for model in models] == [1e-3, 1e-2]
    assert digests(models) == digests([REGRESSION.train(X, Y, Adam(rate), seed=3) for rate in (1e-3, 1e-2)])


def test_no_networks_are_no_models() -> None:
    assert train_many([], Adam(), X, Y, seeds=0) == []


def test_one_list_of_rows_is_told_from_one_for_each_network() -> None:
    own = np.arange(50, 90)
    expected = REGRESSION.train(X[own], Y[own], Adam(epochs=2), seed=3).digest()
    same = [own, own.tolist(), pd.Series(own, index=own), [own, own], np.stack([own, own]), [own.tolist()]]
    for rows in same:
        models = train_many([REGRESSION] * 2, Adam(epochs=2), X, Y, seeds=3, rows=rows)
        assert digests(models) == [expected] * 2


def test_an_iterator_of_rows_is_the_list_of_them() -> None:
    splits = [np.arange(0, 50), np.arange(50, 90)]
    expected = digests(train_many(REGRESSION, Adam(epochs=2), X, Y, seeds=[0, 0], rows=splits))
    for rows in (iter(splits), (split for split in splits), map(list, splits)):
        assert digests(train_many(REGRESSION, Adam(epochs=2), X, Y, seeds=[0, 0], rows=rows)) == expected
    held_out = train_many(REGRESSION, Adam(epochs=2), X, Y, seeds=[0, 0], validation_rows=iter(splits))
    assert held_out[0].history_arrays["validation_loss"][-1] == held_out[0].loss(X[:50], Y[:50])


def test_rows_train_as_a_copy_of_those_rows_would() -> None:
    rows = [np.arange(0, 120, 2), np.arange(30)]
    held_out = [np.arange(1, 120, 2), np.arange(40, 100)]
    models = train_many(REGRESSION, Adam(epochs=3), X, Y, seeds=[1, 2], rows=rows, validation_rows=held_out)
    for model, own, other, seed in zip(models, rows, held_out, [1, 2], strict=True):
        alone = REGRESSION.train(X[own], Y[own], Adam(epochs=3), seed=seed, validation=(X[other], Y[other]))
        assert model.digest() == alone.digest()
        for name, history in alone.history_arrays.items():
            np.testing.assert_array_equal(model.history_arrays[name], history)


def test_the_history_has_a_row_per_epoch_and_ends_with_the_score() -> None:
    model = CLASSIFICATION.train(X[:80], LABELS[:80], Adam(0.01, epochs=7), validation=(X[80:], LABELS[80:]))
    history = model.history_arrays
    assert list(history) == ["train_loss", "validation_loss", "validation_accuracy"]
    assert all(len(values) == 7 for values in history.values())
    assert model.score(X[80:], LABELS[80:]) == history["validation_accuracy"][-1]


@pytest.mark.parametrize("count", [1, 3, 20])
def test_mixed_networks_come_back_in_order(count: int) -> None:
    networks = [Network([Dense(2 + index % 3, "relu"), Dropout(0.1), Dense(1)]) for index in range(count)]
    models = train_many(networks, GradientDescent(), X, Y, seeds=range(count))
    assert [model.network for model in models] == networks
    assert [model.seed for model in models] == list(range(count))


def test_a_diverging_neighbour_changes_nothing() -> None:
    with pytest.warns(RuntimeWarning, match="1 of 3 networks diverged"):
        models = train_many(
            REGRESSION, [Momentum(0.01), Momentum(1e30), Momentum(0.02)], X, Y, seeds=[0, 0, 1]
        )
    assert [model.state for model in models] == ["done", "diverged", "done"]
    assert models[1].epoch == len(models[1].history_arrays["train_loss"]) < 10
    assert models[0].digest() == REGRESSION.train(X, Y, Momentum(0.01), seed=0).digest()
    assert models[2].digest() == REGRESSION.train(X, Y, Momentum(0.02), seed=1).digest()


def test_a_diverged_network_is_the_same_alone_and_in_a_pack() -> None:
    with pytest.warns(RuntimeWarning, match="diverged"):
        packed = train_many(REGRESSION, [Momentum(1e30), Momentum(0.01)], X, Y, seeds=0)[0]
    with pytest.warns(RuntimeWarning, match="diverged"):
        alone = REGRESSION.train(X, Y, Momentum(1e30), seed=0)
    assert packed.epoch == alone.epoch
    for name, value in alone.parameters.items():
        np.testing.assert_array_equal(packed.parameters[name], value)
    np.testing.assert_array_equal(packed.history_arrays["train_loss"], alone.history_arrays["train_loss"])


WIDTHS = [(1, 3), (2, 2), (7, 5), (8, 8), (9, 1), (16, 3), (5, 31)]
UNLIKE: dict[str, Optimizer] = {
    "clip and l1": Momentum(0.01, epochs=3, clip_norm=0.5, l1=1e-3),
    "adamw": AdamW(0.01, epochs=3, weight_decay=0.1),
    "large batches": Adam(0.01, epochs=3, batch_size=None),
    "diverging": Momentum(1e3, epochs=6),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("how", UNLIKE)
@pytest.mark.parametrize("activation", ["relu", "sigmoid", "softplus", "gelu"])
@pytest.mark.filterwarnings("ignore:.*diverged:RuntimeWarning")
def test_networks_of_unlike_widths_are_padded_without_a_trace(activation: str, how: str, dtype: str) -> None:
    """sigmoid(0) and softplus(0) are not 0, and infinity times a padded 0 is NaN: both must stay out."""
    networks = [
        Network([Dense(a, activation), Dropout(0.2), Dense(b, activation), Dense(2)]) for a, b in WIDTHS
    ]
    data = {"rows": np.arange(290), "validation_rows": np.arange(40, 310), "dtype": dtype}
    packed = train_many(networks, UNLIKE[how], X_LONG, Y_LONG, seeds=range(len(WIDTHS)), **data)
    if (activation, how) == ("relu", "diverging"):
        assert "diverged" in {model.state for model in packed}
    for network, model, seed in zip(networks, packed, range(len(WIDTHS)), strict=True):
        alone = train_many(network, UNLIKE[how], X_LONG, Y_LONG, seeds=seed, **data)[0]
        assert (model.state, model.epoch) == (alone.state, alone.epoch)
        for name, value in alone.parameters.items():
            np.testing.assert_array_equal(model.parameters[name], value)
        for name, history in alone.history_arrays.items():
            np.testing.assert_array_equal(model.history_arrays[name], history)


def test_early_stopping_restores_the_best_epoch_and_frees_no_neighbour() -> None:
    stops = Adam(0.1, epochs=60, early_stopping=EarlyStopping(patience=3))
    goes_on = Adam(0.1, epochs=60)
    data = {"validation": (X[60:], Y[60:] + 5 * RANDOM.normal(size=60))}
    early, late = train_many(REGRESSION, [stops, goes_on], X[:60], Y[:60], seeds=0, **data)
    losses = early.history_arrays["validation_loss"]
    assert early.epoch == np.argmin(losses) + 1
    assert len(losses) == early.epoch + 3 < 60
    assert early.digest() == REGRESSION.train(X[:60], Y[:60], Adam(0.1, epochs=int(early.epoch))).digest()
    assert late.digest() == REGRESSION.train(X[:60], Y[:60], goes_on).digest()


def test_early_stopping_without_restoring_keeps_the_last_epoch() -> None:
    stopping = EarlyStopping(monitor="validation_r2", patience=2, restore_best=False)
    optimizer = Adam(0.1, epochs=60, early_stopping=stopping)
    packed = train_many(
        REGRESSION, [optimizer, Adam(0.1, epochs=60)], X[:60], Y[:60], seeds=0, validation=(X[60:], -Y[60:])
    )
    assert packed[0].epoch == len(packed[0].history_arrays["train_loss"]) < 60
    alone = REGRESSION.train(X[:60], Y[:60], Adam(0.1, epochs=int(packed[0].epoch)))
    assert packed[0].digest() == alone.digest()


@pytest.mark.parametrize("monitor", METRICS)
def test_every_metric_can_be_monitored(monitor: str) -> None:
    network, y = (CLASSIFICATION, LABELS) if monitor == "validation_accuracy" else (REGRESSION, Y)
    optimizer = Adam(0.3, epochs=25, early_stopping=EarlyStopping(monitor, patience=25))
    model = network.train(X[:60], y[:60], optimizer, validation=(X[60:], y[60:]))
    values = model.history_arrays[monitor]
    assert model.epoch == 1 + (values.argmin() if monitor.endswith("loss") else values.argmax())


def test_weights_of_zero_leave_rows_out() -> None:
    weights = (np.arange(120) % 3 > 0).astype(float)
    kept = np.flatnonzero(weights)
    optimizer = GradientDescent(0.01, epochs=4, batch_size=None)
    weighted = REGRESSION.train(X, Y, optimizer, sample_weight=weights, dtype="float64")
    fewer = REGRESSION.train(X[kept], Y[kept], optimizer, dtype="float64")
    for name, value in fewer.parameters.items():
        np.testing.assert_allclose(weighted.parameters[name], value, rtol=1e-12)


def test_a_minibatch_of_weight_zero_is_not_trained_on_in_any_pack() -> None:
    weights = np.r_[np.zeros(32), np.ones(88)]
    optimizers = [Adam(rate, epochs=2, shuffle=shuffle) for rate in (0.01, 0.1) for shuffle in (False, True)]
    packed = train_many(REGRESSION, optimizers, X, Y, seeds=[0, 1, 2, 3], sample_weight=weights)
    alone = [
        REGRESSION.train(X, Y, optimizer, seed=seed, sample_weight=weights)
        for seed, optimizer in enumerate(optimizers)
    ]
    assert digests(packed) == digests(alone)


def test_initial_parameters_are_used_as_given() -> None:
    initial = {name: value + 1 for name, value in REGRESSION.initialize(seed=9, input_shape=4).items()}
    model = REGRESSION.train(X, Y, GradientDescent(1e-30, epochs=1), initial=initial)
    for name, value in initial.items():
        np.testing.assert_array_equal(model.parameters[name], value)


def test_inputs_of_any_memory_layout_give_the_same_bits() -> None:
    expected = REGRESSION.train(X, Y, Adam(epochs=2)).digest()
    read_only = X.copy()
    read_only.flags.writeable = False
    for same in (np.asfortranarray(X), np.repeat(X, 2, axis=0)[::2], read_only, X.tolist()):
        assert REGRESSION.train(same, Y, Adam(epochs=2)).digest() == expected


def test_a_token_cancels_training_from_another_thread() -> None:
    token = CancelToken()
    timer = threading.Timer(0.2, token.cancel)
    timer.start()
    with pytest.raises(TrainingCancelled, match="cancelled"):
        train_many(
            REGRESSION, GradientDescent(0.001, epochs=10**8, batch_size=None), X, Y, seeds=0, cancel=token
        )
    timer.join()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"optimizers": [Adam()] * 2, "seeds": [1, 2, 3]},
            "equal in number, or single; got 2 optimizers, 3 seeds",
        ),
        ({"seeds": -1}, "seed must be >= 0, got -1"),
        ({"seeds": 2**64}, "seed must be < 2"),
        ({"dtype": "float16"}, "dtype must be one of float32, float64; got 'float16'"),
        ({"X": np.where(X > 2, np.nan, X)}, "finite"),
        ({"y": Y[:-1]}, "119"),
        ({"networks": [REGRESSION, "mlp"]}, "networks must be Network values, got 'mlp'"),
        ({"optimizers": ["adam"]}, "optimizers must be values such as Adam"),
        ({"networks": 7}, "networks must be Network values, got 7"),
        ({"seeds": 1.5}, "seed must be an integer >= 0, got 1.5"),
        ({"rows": np.array([0, 500])}, "500"),
        ({"rows": []}, "rows must be a non-empty vector of row numbers"),
        ({"rows": 7}, "rows must be a non-empty vector of row numbers"),
        (
            {"sample_weight": np.arange(120) > 60, "rows": [None, np.arange(50)]},
            "sample_weight must not be 0 for all rows that a network is trained on",
        ),
        ({"validation": (X[:, :2], Y)}, r"validation X must have samples of shape \(4,\)"),
        ({"validation": (X, Y), "validation_rows": np.arange(3)}, "not both"),
        ({"optimizers": Adam(early_stopping=EarlyStopping())}, "needs validation data"),
        (
            {"optimizers": Adam(early_stopping=EarlyStopping("validation_accuracy")), "validation": (X, Y)},
            "can monitor validation_loss or validation_r2",
        ),
        (
            {"initial": {"0.weight": np.zeros((4, 6))}},
            "parameters must be named 0.weight, 0.bias, 1.weight, 1.bias",
        ),
        ({"initial": {}}, "parameters must be named 0.weight, .*; got none"),
        ({"initial": "zeros"}, "initial must be a dict of arrays, a list of such dicts or None, got 'zeros'"),
        (
            {"initial": {**START, "1.bias": np.array([np.nan])}},
            "parameter 1.bias must be finite, got nan at row 0",
        ),
        (
            {"initial": {**START, "1.bias": [1e39]}},
            r"parameter 1.bias must be finite, 1e\+39 is too large for float32",
        ),
        ({"validation": (X, Y * np.nan)}, "validation y must be finite, got nan at row 0"),
        (
            {"validation": (X, np.ones((120, 2)))},
            r"validation y has 2 columns but the network ends in Dense\(1\)",
        ),
        ({"validation": (X, Y, Y)}, r"validation must be a pair \(X, y\), got 3 items"),
        ({"networks": CLASSIFICATION, "y": LABELS + 1}, "labels"),
    ],
)
def test_a_bad_argument_gets_one_clear_line(arguments: dict[str, object], message: str) -> None:
    defaults = {"networks": REGRESSION, "optimizers": Adam(), "X": X, "y": Y, "seeds": 0}
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        train_many(**(defaults | arguments))  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_that_shrink_end_at_zero_not_among_the_subnormal_numbers(dtype: str) -> None:
    tiny = np.finfo(dtype).tiny
    X, y = np.zeros((4, 2)), np.zeros(4)
    start = {"0.weight": np.full((2, 1), tiny / 4, dtype), "0.bias": np.zeros(1, dtype)}
    optimizers = [
        GradientDescent(0.5, epochs=3, l2=1.0),
        GradientDescent(0.5, epochs=3, l1=tiny),
        GradientDescent(0.5, epochs=3),
        AdamW(0.5, epochs=3, weight_decay=1.0),
        AdamW(0.5, epochs=3, weight_decay=0.0),
    ]
    models = train_many(Network([Dense(1)]), optimizers, X, y, seeds=0, initial=start, dtype=dtype)
    found = [model.parameters["0.weight"].ravel().tolist() for model in models]
    # What nothing shrinks is left as it is, whatever its neighbours in the pack are.
    kept = start["0.weight"].ravel().tolist()
    assert found == [[0.0, 0.0], [0.0, 0.0], kept, [0.0, 0.0], kept]


@pytest.mark.parametrize("mode", MODES)
def test_hits_are_counted_beyond_what_float32_counts(mode: Mode) -> None:
    """2^24 + 1 is no number of float32: a count that goes on in it stands still."""
    network = Network([Dense(2, bias=False)], loss="softmax_cross_entropy")
    optimizer = GradientDescent(1e-9, epochs=1)
    many = np.zeros(2**24 + 2**20, np.int64)
    many.flags.writeable = False
    model = train_many(
        network, optimizer, [[1.0], [-1.0]], [0, 1], seeds=0, initial={"0.weight": [[1.0, -1.0]]},
        validation_rows=many, packs=[Pack((0,), Way(mode, supported_sets()[-1]), 0.0)],
    )[0]  # fmt: skip
    assert model.metrics["validation_accuracy"] == 1.0
