from __future__ import annotations

import pickle
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralnet_core import Adam, Dense, Momentum, Network
from sweep.data import data_digest
from sweep.jobs import Configuration, Curves, Record, Trial, configurations, trial_identity
from sweep.space import Space

NETWORK = Network([Dense(4, "tanh"), Dense(1)], loss="mse")


def identity(network: Network = NETWORK, optimizer: Any = None, **changes: Any) -> str:
    place = {"dtype": "float32", "seed": 1, "data_digest": "data", "rows_digest": "rows"} | changes
    return trial_identity(network, optimizer or Adam(0.01, l2=1e-4), **place)


def built(build: Any, *params: dict[str, Any]) -> list[Configuration]:
    return configurations(build, params, (3,), "float32")


def test_identity_is_a_sha256() -> None:
    assert len(identity()) == 64
    assert int(identity(), 16) >= 0


def test_identity_ignores_how_a_number_is_written() -> None:
    spelt = Network([Dense(np.int64(4), "tanh"), Dense(units=1, activation="identity")], loss="mse")
    assert identity(spelt, Adam(1e-2, l2=0.0001)) == identity(optimizer=Adam(learning_rate=0.01, l2=1e-4))
    assert identity(optimizer=Adam(1)) == identity(optimizer=Adam(1.0))


@pytest.mark.parametrize(
    "change",
    [
        {"network": Network([Dense(5, "tanh"), Dense(1)], loss="mse")},
        {"network": Network([Dense(4, "relu"), Dense(1)], loss="mse")},
        {"network": Network([Dense(4, "tanh"), Dense(1)], loss="mae")},
        {"optimizer": Adam(0.01, l2=2e-4)},
        {"optimizer": Momentum(0.01, l2=1e-4)},
        {"dtype": "float64"},
        {"seed": 2},
        {"data_digest": "other"},
        {"rows_digest": "other"},
    ],
)
def test_identity_differs_when_anything_does(change: dict[str, Any]) -> None:
    assert identity(**change) != identity()


@given(st.floats(1e-6, 10), st.floats(1e-6, 10))
def test_identity_differs_exactly_when_the_rate_does(one: float, other: float) -> None:
    assert (identity(optimizer=Adam(one)) == identity(optimizer=Adam(other))) == (one == other)


def test_equal_built_values_have_equal_keys() -> None:
    one, two = built(lambda name: (NETWORK, Adam()), {"name": "a"}, {"name": "b"})
    assert one.key == two.key
    assert one.params != two.params


def test_a_build_that_raises_is_a_failed_configuration_and_the_rest_goes_on() -> None:
    def build(units: int) -> Any:
        return Network([Dense(units), Dense(1)]), Adam()

    bad, good = built(build, {"units": 0}, {"units": 2})
    assert bad.network is None
    assert bad.error == "ValueError: units must be >= 1, got 0"
    assert good.error is None


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda units: None, r"TypeError: build must return \(network, optimizer\), got None"),
        (lambda units: (Adam(), NETWORK), r"TypeError: build must return \(network, optimizer\)"),
        (lambda hidden: (NETWORK, Adam()), "TypeError: .*unexpected keyword argument 'units'"),
        (lambda units: 1 / 0, "ZeroDivisionError: division by zero"),
    ],
)
def test_what_cannot_be_trained_is_an_error_of_its_configuration(build: Any, message: str) -> None:
    (failed,) = built(build, {"units": 2})
    assert failed.error is not None
    assert re.search(message, failed.error)


def test_an_error_is_one_line() -> None:
    def build(units: int) -> Any:
        raise ValueError("first\nsecond\n\tthird")

    (failed,) = built(build, {"units": 2})
    assert failed.error == "ValueError: first second third"


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("nothing to say")


@pytest.mark.parametrize(
    ("error", "text"), [(SystemExit(3), "SystemExit: 3"), (Unspeakable(), "Unspeakable")], ids=["exit", "str"]
)
def test_no_error_of_a_build_ends_the_others(error: BaseException, text: str) -> None:
    def build(fails: bool) -> Any:
        if fails:
            raise error
        return Network([Dense(1)]), Adam()

    failed, fine = configurations(build, [{"fails": True}, {"fails": False}], (3,), "float32")
    assert failed.error == text
    assert fine.error is None


def test_a_build_may_change_what_it_is_given() -> None:
    def build(units: list[int], rate: float) -> Any:
        units.append(1)
        return Network([Dense(one) for one in units]), Adam(rate)

    space = Space.of({"units": [[8]], "rate": [0.1, 0.2]})
    one, other = configurations(build, space, (3,), "float32")
    assert one.network == other.network == Network([Dense(8), Dense(1)])
    assert one.params == {"units": [8], "rate": 0.1}


def test_trials_and_records_are_values() -> None:
    trial = Trial(0, 0, 0, 0, 1, {"units": 2}, "id")
    record = Record("id", "done", 1, {"train_loss": 1.0}, {}, None, "digest", 0.0, 0.0, "")
    assert pickle.loads(pickle.dumps((trial, record))) == (trial, record)
    with pytest.raises(AttributeError):
        trial.seed = 3  # type: ignore[misc]


def test_data_digest_sees_dtype_shape_values_and_weights() -> None:
    X, y = np.arange(6.0).reshape(3, 2), np.arange(3)
    digests = [
        data_digest(X, y),
        data_digest(X.astype(np.float32), y),
        data_digest(X.reshape(2, 3), y),
        data_digest(-X, y),
        data_digest(X, y.astype(float)),
        data_digest(X, y, np.ones(3)),
    ]
    assert len(set(digests)) == len(digests)
    assert data_digest(X, y) == data_digest(np.asfortranarray(X), y.copy())


def test_curves_are_a_mapping_in_order_of_name_and_single_precision() -> None:
    curves = Curves(["validation_loss", "train_loss"], [[0.1, 0.2], [1.0, 1 / 3]])
    assert list(curves) == ["train_loss", "validation_loss"]
    assert len(curves) == 2
    assert curves["train_loss"].tolist() == [1.0, float(np.float32(1 / 3))]
    assert "validation_accuracy" not in curves
    with pytest.raises(KeyError):
        curves["validation_accuracy"]
    again = pickle.loads(pickle.dumps(curves))
    assert {name: values.tolist() for name, values in again.items()} == {
        name: values.tolist() for name, values in curves.items()
    }


def test_curves_have_a_name_each() -> None:
    with pytest.raises(ValueError, match=r"a row for each name, got 2 rows for \('train_loss',\)"):
        Curves(["train_loss"], np.zeros((2, 3)))


def test_a_curve_beyond_single_precision_is_infinite_and_warns_nobody() -> None:
    assert Curves(["train_loss"], [[1e30, 1e39]])["train_loss"].tolist() == [float(np.float32(1e30)), np.inf]


def test_configurations_with_equal_networks_share_one() -> None:
    one, two = built(lambda rate: (Network([Dense(4), Dense(1)]), Adam(rate)), {"rate": 0.1}, {"rate": 0.2})
    assert one.network is two.network
    assert one.key != two.key
