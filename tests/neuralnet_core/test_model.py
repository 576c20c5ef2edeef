"""What a model answers: labels as they were given, probabilities, scores that are the history's, its digest."""

from __future__ import annotations

import copy
import pickle
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from neuralnet_core import Adam, Dense, Dropout, EarlyStopping, GradientDescent, Model, Network, train_many

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(150, 3))
NUMBERS = X @ [1.0, -2.0, 0.5] + 0.1 * RANDOM.normal(size=150)
LABELS = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
TRAINED, HELD_OUT = slice(100), slice(100, None)
TARGETS = {
    "mse": NUMBERS,
    "mae": np.stack([NUMBERS, -NUMBERS], axis=1),
    "huber": NUMBERS,
    "binary_cross_entropy": NUMBERS > 0,
    "softmax_cross_entropy": LABELS,
}
NAMES = np.array(["ant", "bee", "cat"])


def train(loss: str, y: np.ndarray, dtype: str = "float32") -> Model:
    outputs = 3 if loss == "softmax_cross_entropy" else 1 if y.ndim == 1 else y.shape[1]
    network = Network([Dense(8, "tanh"), Dropout(0.1), Dense(outputs)], loss)
    optimizer = Adam(0.03, epochs=15)
    return network.train(
        X[TRAINED], y[TRAINED], optimizer, validation=(X[HELD_OUT], y[HELD_OUT]), dtype=dtype
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", TARGETS)
def test_scores_are_the_numbers_of_the_history(loss: str, dtype: str) -> None:
    y = TARGETS[loss]
    model = train(loss, y, dtype)
    metric = "accuracy" if loss.endswith("entropy") else "r2"
    assert model.score(X[HELD_OUT], y[HELD_OUT]) == model.metrics[f"validation_{metric}"]
    assert model.loss(X[HELD_OUT], y[HELD_OUT]) == model.metrics["validation_loss"]


@pytest.mark.parametrize("loss", ["binary_cross_entropy", "softmax_cross_entropy"])
def test_accuracy_is_the_share_of_right_predictions(loss: str) -> None:
    y = TARGETS[loss]
    model = train(loss, y)
    assert model.score(X, y) == pytest.approx(np.mean(model.predict(X) == y), abs=1e-12)
    assert model.score(X, y) > 0.8


def test_a_regression_predicts_numbers_and_has_no_probabilities() -> None:
    one, several = train("mse", TARGETS["mse"]), train("mae", TARGETS["mae"])
    assert one.predict(X).shape == (150,)
    assert several.predict(X).shape == (150, 2)
    np.testing.assert_array_equal(several.predict(X), several.decision_function(X))
    residual = ((one.predict(X).astype(float) - NUMBERS) ** 2).sum() / ((NUMBERS - NUMBERS.mean()) ** 2).sum()
    assert one.score(X, NUMBERS) == pytest.approx(1 - residual, abs=1e-5)
    with pytest.raises(ValueError, match="a network with the loss mse has no probabilities; use predict"):
        one.predict_proba(X)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", ["binary_cross_entropy", "softmax_cross_entropy"])
def test_probabilities_agree_with_predictions(loss: str, dtype: str) -> None:
    model = train(loss, TARGETS[loss], dtype)
    probabilities = model.predict_proba(X)
    assert probabilities.dtype == np.dtype(dtype)
    assert probabilities.shape == (150, 2 if loss.startswith("binary") else 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(probabilities.argmax(axis=1), model.predict(X))


def test_several_binary_outputs_are_labels_and_probabilities_each() -> None:
    model = train("binary_cross_entropy", np.stack([X[:, 0] > 0, X[:, 1] > 0], axis=1))
    assert model.predict(X).shape == model.predict_proba(X).shape == (150, 2)
    np.testing.assert_array_equal(model.predict_proba(X) > 0.5, model.predict(X))


@pytest.mark.parametrize("loss", ["binary_cross_entropy", "softmax_cross_entropy"])
def test_strings_come_back_as_they_were_given(loss: str) -> None:
    numbers = TARGETS[loss].astype(int)
    plain, named = train(loss, numbers), train(loss, NAMES[numbers])
    assert plain.classes is None
    assert plain.predict(X).dtype == np.int64
    assert named.digest() == plain.digest()
    assert named.predict(X).tolist() == NAMES[plain.predict(X)].tolist()
    assert named.score(X, NAMES[numbers]) == plain.score(X, numbers)
    with pytest.raises(ValueError, match=r"labels must be among 'ant', 'bee'.*; got 'dog'"):
        named.score(X[:1], ["dog"])


def test_predictions_do_not_depend_on_what_they_are_asked_with() -> None:
    model = train("mse", NUMBERS)
    alone = np.concatenate([model.predict(X[[row]]) for row in range(len(X))])
    np.testing.assert_array_equal(model.predict(X), alone)
    np.testing.assert_array_equal(model.predict(pd.DataFrame(X)), alone)


@pytest.mark.parametrize("method", ["predict", "decision_function"])
def test_inputs_of_another_shape_are_refused(method: str) -> None:
    with pytest.raises(ValueError, match=r"X must have samples of shape \(3,\), got \(4,\)"):
        getattr(train("mse", NUMBERS), method)(np.ones((2, 4)))


def test_the_history_is_a_row_per_epoch_from_1() -> None:
    model = train("mse", NUMBERS)
    assert list(model.history) == ["train_loss", "validation_loss", "validation_r2"]
    assert model.history.index.tolist() == list(range(1, 16))
    assert model.history.index.name == "epoch"
    assert model.metrics == model.history.iloc[-1].to_dict()
    assert all(type(value) is float for value in model.metrics.values())


def test_the_metrics_are_those_of_the_restored_epoch() -> None:
    stopping = EarlyStopping(patience=2)
    optimizer = Adam(0.3, epochs=60, early_stopping=stopping)
    held_out = X[HELD_OUT], NUMBERS[HELD_OUT] + 3 * RANDOM.normal(size=50)
    model = Network([Dense(16, "tanh"), Dense(1)]).train(
        X[TRAINED], NUMBERS[TRAINED], optimizer, validation=held_out
    )
    assert model.epoch < len(model.history)
    assert model.metrics["validation_loss"] == model.history["validation_loss"].min() == model.loss(*held_out)


def test_a_digest_is_of_names_shapes_width_and_bytes() -> None:
    model = train("mse", NUMBERS)
    parameters = model.parameters
    assert replace(model, parameters=copy.deepcopy(parameters), seed=1).digest() == model.digest()
    changed = copy.deepcopy(parameters)
    changed["2.weight"][-1] = np.nextafter(changed["2.weight"][-1], 9)
    other = [
        changed,
        {name: value.astype(np.float64) for name, value in parameters.items()},
        {f"1{name}": value for name, value in parameters.items()},
        parameters | {"0.weight": parameters["0.weight"].reshape(8, 3)},
    ]
    digests = {replace(model, parameters=values).digest() for values in other}
    assert len(digests | {model.digest()}) == 5


def test_a_model_is_the_same_before_and_after_its_arrays_were_asked_for() -> None:
    model, asked = train("mse", NUMBERS), train("mse", NUMBERS)
    assert set(asked.parameters) == {"0.weight", "0.bias", "2.weight", "2.bias"}
    assert list(asked.history_arrays) == ["train_loss", "validation_loss", "validation_r2"]
    assert asked.parameters is asked.parameters
    assert (model.digest(), model.metrics) == (asked.digest(), asked.metrics)
    model.parameters["0.bias"][0] += 1  # what is written into them, or put in their place, is the model's
    written = model.digest()
    model.parameters["0.bias"] = model.parameters["0.bias"] + 1
    assert len({asked.digest(), written, model.digest()}) == 3


def test_a_history_as_one_array_is_a_copy_whether_or_not_its_arrays_were_asked_for() -> None:
    model = train("mse", NUMBERS)
    names, rows = model.history_table()
    assert names == tuple(model.history_arrays) == ("train_loss", "validation_loss", "validation_r2")
    asked_names, asked = model.history_table()
    assert (asked_names, asked.tobytes()) == (names, rows.tobytes())
    single = train("mse", NUMBERS).history_table("float32")[1]
    assert single.tobytes() == model.history_table("float32")[1].tobytes() == rows.astype("f4").tobytes()
    with pytest.raises(ValueError, match="dtype must be one of float32, float64; got 'int8'"):
        model.history_table("int8")
    rows[0, 0] = asked[0, 0] = -1.0  # who has the array may write into it
    assert model.history_arrays["train_loss"][0] >= 0.0
    model.history_arrays["train_loss"][0] = 7.0  # what a user writes is the model's
    assert model.history_table()[1][0, 0] == 7.0


@pytest.mark.parametrize("values", [[1.0, 2.0], 3.0, [[1.0], [2.0, 3.0]], [[1.0]], ["high"]])
def test_a_history_whose_metrics_differ_in_length_is_one_line(values: object) -> None:
    model = train("mse", NUMBERS)
    model.history_arrays["train_loss"] = values  # type: ignore[assignment]
    with pytest.raises(ValueError, match=r"^history_arrays must hold a number per epoch for each") as caught:
        model.history_table()
    assert "\n" not in str(caught.value)


def test_a_model_keeps_the_numbers_of_no_other_alive() -> None:
    network = Network([Dense(50), Dense(1)])
    models = train_many(network, Adam(epochs=5), X, NUMBERS, seeds=range(8))
    assert models[0].parameters["0.weight"].base.size == network.build(3).size
    assert models[0].history_arrays["train_loss"].base.size == 5


def test_a_model_keeps_no_epoch_alive_that_it_was_not_trained_for() -> None:
    optimizer = Adam(epochs=50, early_stopping=EarlyStopping("train_loss", patience=1, min_delta=1e9))
    models = train_many(Network([Dense(1)]), optimizer, X, NUMBERS, seeds=range(8))
    assert [model.history_arrays["train_loss"].base.size for model in models] == [2] * 8


def test_a_diverged_model_still_answers() -> None:
    network = Network([Dense(4, "relu"), Dense(1)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        model = network.train(X, NUMBERS, GradientDescent(1e30, epochs=9))
    assert model.state == "diverged"
    assert model.epoch == len(model.history)
    assert model.predict(X).shape == (150,)


def test_a_model_crosses_processes() -> None:
    model = train("softmax_cross_entropy", NAMES[LABELS])
    again = pickle.loads(pickle.dumps(model))
    assert again.digest() == model.digest()
    assert again.to_bytes() == model.to_bytes()


def test_a_model_reads_as_what_it_is() -> None:
    text = repr(train("mse", NUMBERS))
    assert text.startswith("Model(network=Network(")
    assert "state='done'" in text
    assert "array" not in text
