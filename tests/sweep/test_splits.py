from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from neuralnet_core import Dense, Network
from sweep.splits import Data, RowSplit, Splits, check_validation

RNG = np.random.default_rng(0)
X = RNG.normal(size=(100, 3))
LABELS = np.repeat([0, 1, 2], [70, 20, 10])
CLASSES = Network([Dense(3)], loss="softmax_cross_entropy")
BINARY = Network([Dense(1)], loss="binary_cross_entropy")
REGRESSION = Network([Dense(1)], loss="mse")


def data(y: Any = LABELS, **options: Any) -> Data:
    return Data.of(X, y, options.get("validation"), options.get("sample_weight"), "float32")


def split(network: Network, y: Any = LABELS, repeat: int = 0, seed: int = 0) -> RowSplit:
    return Splits(data(y), 0.2, seed).of(network, repeat, 0)


def rows_of(one: RowSplit) -> tuple[np.ndarray, np.ndarray]:
    assert one.rows is not None
    assert one.validation_rows is not None
    return one.rows, one.validation_rows


def test_a_split_takes_every_row_once() -> None:
    rows, held_out = rows_of(split(CLASSES))
    assert sorted([*rows, *held_out]) == list(range(100))
    assert (split(CLASSES).n_train, split(CLASSES).n_validation) == (80, 20)


@pytest.mark.parametrize(
    "y",
    [
        LABELS,
        np.array(["cat", "dog", "eel"])[LABELS],
        LABELS.astype(float),
        np.eye(3)[LABELS],
        LABELS[:, None],
    ],
    ids=["int", "string", "float", "one-hot", "column"],
)
def test_class_labels_are_stratified(y: np.ndarray) -> None:
    _, held_out = rows_of(split(CLASSES, y))
    assert np.bincount(LABELS[held_out]).tolist() == [14, 4, 2]


def test_binary_labels_are_stratified_and_soft_ones_are_not() -> None:
    hard = (LABELS > 0).astype(float)
    _, held_out = rows_of(split(BINARY, hard))
    assert hard[held_out].sum() == 6
    assert split(BINARY, np.linspace(0, 1, 100)).digest == split(REGRESSION, np.linspace(0, 1, 100)).digest


def test_regression_is_not_stratified() -> None:
    counts = {
        tuple(np.bincount(LABELS[rows_of(split(REGRESSION, repeat=i))[1]], minlength=3)) for i in range(5)
    }
    assert len(counts) > 1


def test_a_split_depends_on_root_seed_and_repeat_alone() -> None:
    first = split(CLASSES).digest
    assert first == split(CLASSES).digest
    assert len({first, split(CLASSES, repeat=1).digest, split(CLASSES, seed=1).digest}) == 3


def test_all_configurations_of_a_repeat_share_one_array_of_rows() -> None:
    splits = Splits(data(), 0.2, 0)
    wider = Network([Dense(8), Dense(3)], loss="softmax_cross_entropy")
    assert splits.of(CLASSES, 3, 0) is splits.of(wider, 3, 0)


def test_without_a_fraction_all_rows_train() -> None:
    own = Splits(data(validation=(X[:10], LABELS[:10])), None, 0).of(CLASSES, 0, 0)
    assert own.rows is None
    assert (own.n_train, own.n_validation) == (100, 10)


def test_data_are_converted_once() -> None:
    converted = data(pd.Series(["a", "b"] * 50))
    assert converted.X.dtype == np.float32
    assert converted.X.flags.c_contiguous
    assert converted.y.dtype.kind == "U"
    assert Data.of(converted.X, LABELS, None, None, "float32").X is converted.X


def test_validation_data_are_part_of_the_digest() -> None:
    digests = {
        data().digest,
        data(validation=(X[:10], LABELS[:10])).digest,
        data(validation=(X[:20], LABELS[:20])).digest,
        data(sample_weight=np.linspace(1, 2, 100)).digest,
    }
    assert len(digests) == 4


@pytest.mark.parametrize(
    ("y", "options", "message"),
    [
        (LABELS[:7], {}, "X and y must have one length, got 100 and 7"),
        (np.float64(3), {}, "X and y must have one length, got 100 and 1"),
        (np.where(np.arange(100) == 5, np.nan, 1.0), {}, "y must be finite, got nan in row 5"),
        (np.array(["a", 1] * 50, object), {}, "y must hold numbers or strings alone, got 1 among others"),
        (np.array([None, 1] * 50, object), {}, "y must hold numbers or strings alone, got None among others"),
        (["a", np.nan] * 50, {}, "y must hold numbers or strings alone, got nan among others"),
        ([[1], [1, 2]] * 50, {}, "y must have rows of equal length"),
        (np.ma.array(LABELS, mask=LABELS == 1), {}, "y must have no missing values, got 20 masked"),
        (LABELS * 1j, {}, "y must hold numbers or strings, got an array of complex128"),
        (
            np.full(100, np.datetime64("2026-01-01")),
            {},
            "y must hold numbers or strings, got an array of datetime64",
        ),
        (LABELS, {"sample_weight": np.ones(3)}, "sample_weight"),
        (LABELS, {"sample_weight": -np.ones(100)}, "sample_weight"),
        (LABELS, {"validation": (X[:4, :2], LABELS[:4])}, r"validation X .*\(3,\) like X, got \(2,\)"),
        (LABELS, {"validation": (X[:4], LABELS[:3])}, "validation X and validation y must have one length"),
    ],
)
def test_bad_data(y: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        data(y, **options)


@pytest.mark.parametrize("bad", [0, 1, 1.0, -0.2, 1.5, float("nan"), 10**400])
def test_fraction_must_lie_between_0_and_1(bad: float) -> None:
    with pytest.raises(ValueError, match="validation must be a fraction > 0 and < 1, got"):
        check_validation(bad)


@pytest.mark.parametrize("bad", ["0.2", True, (X,), {"X": X}])
def test_validation_must_be_a_fraction_or_a_pair(bad: object) -> None:
    with pytest.raises(TypeError, match=r"validation must be a fraction such as 0\.2, a pair"):
        check_validation(bad)
