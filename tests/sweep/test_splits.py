from __future__ import annotations

from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from neuralnet_core import Dense, Network
from sweep.data import Data
from sweep.splits import RowSplit, Splits, check_validation, split_rows

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


@pytest.mark.parametrize("bad", [0, 1, 1.0, -0.2, 1.5, float("nan"), 10**400])
def test_fraction_must_lie_between_0_and_1(bad: float) -> None:
    with pytest.raises(ValueError, match="validation must be a fraction > 0 and < 1, got"):
        check_validation(bad)


@pytest.mark.parametrize("bad", ["0.2", True, (X,), {"X": X}])
def test_validation_must_be_a_fraction_or_a_pair(bad: object) -> None:
    with pytest.raises(TypeError, match=r"validation must be a fraction such as 0\.2, a pair"):
        check_validation(bad)


@hypothesis.given(
    counts=st.lists(st.integers(2, 40), min_size=1, max_size=5),
    fraction=st.floats(0.2, 0.6),
    seed=st.integers(0, 2**63 - 1),
    stratify=st.booleans(),
)
@hypothesis.settings(max_examples=50)
def test_a_split_holds_every_row_once(counts: list[int], fraction: float, seed: int, stratify: bool) -> None:
    y = np.repeat(np.arange(len(counts)), counts)
    held_out = int(np.ceil(fraction * len(y)))
    hypothesis.assume(min(held_out, len(y) - held_out) >= len(counts))
    rows, validation_rows = split_rows(y, fraction, seed, stratify)
    assert rows.dtype == validation_rows.dtype == np.int64
    assert len(validation_rows) == held_out
    np.testing.assert_array_equal(np.sort(np.concatenate([rows, validation_rows])), np.arange(len(y)))
    assert (np.diff(rows) > 0).all()
    assert (np.diff(validation_rows) > 0).all()
    again = split_rows(y, fraction, seed, stratify)
    np.testing.assert_array_equal(rows, again[0])
    np.testing.assert_array_equal(validation_rows, again[1])


def test_a_stratified_split_keeps_the_proportions() -> None:
    y = np.array(["rare"] * 10 + ["often"] * 90)
    _, validation_rows = split_rows(y, 0.2, 7, stratify=True)
    assert (y[validation_rows] == "rare").sum() == 2


def test_seeds_differ_beyond_32_bits() -> None:
    y = np.zeros(100)
    one, other = split_rows(y, 0.2, 1, False), split_rows(y, 0.2, 1 + 2**32, False)
    assert one[1].tolist() != other[1].tolist()


def test_the_split_of_a_seed_never_changes() -> None:
    """Another split is another experiment: recorded results would silently be trained again."""
    y = np.repeat([0, 1], [6, 14])
    assert split_rows(y, 0.25, 12345678901234567890 % 2**63, True)[1].tolist() == [2, 8, 13, 15, 19]
    assert split_rows(y, 0.25, 0, False)[1].tolist() == [1, 4, 9, 10, 11]


@pytest.mark.parametrize(
    ("y", "fraction", "stratify", "message"),
    [
        ([0, 0, 1, 1], 1.0, True, "fraction > 0 and < 1, got 1.0"),
        ([0, 0, 1, 1], 0.0, False, "fraction > 0 and < 1, got 0.0"),
        ([0, 0, 1, 1], 0.99, False, "leaves no row to train on"),
        ([0, 0, 1], 0.5, True, "at least 2 rows of every class, got 1 of class 1"),
        ([0, 0, 1, 1, 2, 2], 0.2, True, "a part of 2 for 3 classes"),
    ],
)
def test_impossible_splits(y: list[int], fraction: float, stratify: bool, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        split_rows(y, fraction, 0, stratify)
