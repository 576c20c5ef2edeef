"""Targets as a loss takes them: in every form they may have, and one clear line for what does not fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from neuralnet_core import Adam, Dense, Network
from neuralnet_core.losses import LOSSES, get_loss
from neuralnet_core.targets import encode_targets

SOFTMAX = get_loss("softmax_cross_entropy")
BINARY = get_loss("binary_cross_entropy")
MSE = get_loss("mse")
NAMES = np.array(["cat", "ant", "bee", "cat"])


@pytest.mark.parametrize(
    "y",
    [
        [0, 2, 1],
        [0.0, 2.0, 1.0],
        np.array([0, 2, 1], np.uint8),
        [[0], [2], [1]],
        np.eye(3)[[0, 2, 1]],
        np.eye(3, dtype=bool)[[0, 2, 1]],
    ],
    ids=["int", "integral float", "uint8", "column", "one-hot", "one-hot bool"],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_labels_in_any_form_are_label_numbers(y: object, dtype: str) -> None:
    targets = encode_targets(y, SOFTMAX, 3, dtype, exact=True)  # type: ignore[arg-type]
    assert targets.values.dtype == np.dtype(dtype)
    assert targets.values.tolist() == [[0], [2], [1]]
    assert targets.classes is None


@pytest.mark.parametrize(
    "y",
    [
        NAMES,
        NAMES.tolist(),
        NAMES[:, None],
        NAMES.astype(object),
        NAMES.astype("S"),
        pd.Series(NAMES),
        pd.Series(NAMES, dtype="category"),
    ],
    ids=["U", "list", "column", "object", "S", "Series", "categorical"],
)
def test_strings_are_encoded_in_sorted_order(y: object) -> None:
    targets = encode_targets(y, SOFTMAX, 3, "float32", exact=True)  # type: ignore[arg-type]
    assert targets.classes == ("ant", "bee", "cat")
    assert all(type(label) is str for label in targets.classes)
    assert targets.values.tolist() == [[2], [0], [1], [2]]


def test_known_classes_keep_their_numbers() -> None:
    known = ("ant", "bee", "cat")
    assert encode_targets(["cat"], SOFTMAX, 3, "float32", classes=known).values.tolist() == [[2]]
    with pytest.raises(ValueError, match=r"labels must be among 'ant', 'bee', 'cat'; got 'dog'"):
        encode_targets(["cat", "dog"], SOFTMAX, 3, "float32", classes=known)
    with pytest.raises(ValueError, match=r"labels must be among 'ant', 'bee', 'cat'; got 1"):
        encode_targets([1, 2], SOFTMAX, 3, "float32", classes=known)


def test_strings_are_no_labels_where_numbers_were_trained_on() -> None:
    assert encode_targets([0, 1], BINARY, 1, "float32", classes=()).values.tolist() == [[0], [1]]
    for loss, outputs in ((SOFTMAX, 2), (BINARY, 1)):
        with pytest.raises(ValueError, match="labels must be numbers like those trained on, got 'no'"):
            encode_targets(["no", "yes"], loss, outputs, "float32", classes=())
    X = np.ones((2, 1))
    network = Network([Dense(2)], loss="softmax_cross_entropy")
    with pytest.raises(ValueError, match="labels must be numbers like those trained on, got 'no'"):
        network.train(X, [0, 1], Adam(epochs=1), validation=(X, ["no", "yes"]))
    with pytest.raises(ValueError, match="labels must be numbers like those trained on, got 'no'"):
        network.train(X, [0, 1], Adam(epochs=1)).score(X, ["no", "yes"])


def test_a_validation_set_may_miss_classes() -> None:
    assert encode_targets([0, 1], SOFTMAX, 3, "float32").values.tolist() == [[0], [1]]


@pytest.mark.parametrize(
    "y", [[0, 1, 1], [False, True, True], [0.0, 1.0, 1.0], ["no", "yes", "yes"], [[0], [1], [1]]]
)
def test_binary_labels_in_any_form_are_0_and_1(y: object) -> None:
    targets = encode_targets(y, BINARY, 1, "float32", exact=True)  # type: ignore[arg-type]
    assert targets.values.tolist() == [[0], [1], [1]]
    assert targets.classes == (("no", "yes") if isinstance(y, list) and y[0] == "no" else None)


def test_binary_targets_may_be_probabilities_and_several() -> None:
    assert encode_targets([[0.25, 1.0]], BINARY, 2, "float64").values.tolist() == [[0.25, 1.0]]


@pytest.mark.parametrize("name", [name for name, loss in LOSSES.items() if loss.kind == "regression"])
def test_numbers_are_columns(name: str) -> None:
    assert encode_targets([1, 2], get_loss(name), 1, "float32").values.tolist() == [[1], [2]]
    table = pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]})
    assert encode_targets(table, get_loss(name), 2, "float64").values.tolist() == [[1, 0.5], [2, 1.5]]


@pytest.mark.parametrize(
    ("y", "loss", "outputs", "message"),
    [
        ([0, 12], SOFTMAX, 10, r"labels must be 0..9 for Dense\(10\), got 12"),
        ([0, -1], SOFTMAX, 10, r"labels must be 0..9 for Dense\(10\), got -1"),
        ([0, 1, 2], SOFTMAX, 10, r"y has 3 classes \(labels 0..2\) but .* Dense\(10\); end it in Dense\(3\)"),
        ([0, 0, 0], SOFTMAX, 3, r"y has one class only \(label 0 in every row\); 3 outputs need 3 classes"),
        ([0, 0.5], SOFTMAX, 2, "labels must be integers 0..1, got 0.5"),
        (NAMES, SOFTMAX, 10, r"y has 3 classes \('ant', 'bee', 'cat'\) but .* Dense\(10\); end it in Dense\(3\)"),
        (NAMES, SOFTMAX, 2, r"y has 3 classes .* ends in Dense\(2\)"),
        (NAMES, BINARY, 1, r"binary_cross_entropy takes 2 classes and Dense\(1\), but y has 3 classes"),
        (["a", "b"], BINARY, 2, r"binary_cross_entropy takes 2 classes and Dense\(1\), .* ends in Dense\(2\)"),
        (["a", "a"], BINARY, 1, r"y has 1 class \('a'\)"),
        (NAMES, MSE, 1, "mse takes numbers as targets, got 'cat'"),
        ([["a", "b"]], SOFTMAX, 2, "softmax_cross_entropy takes one label a row as targets"),
        ([[0, 1, 1]], SOFTMAX, 3, r"one-hot labels for Dense\(3\) must have 3 columns and a single 1 in every row"),
        ([[0, 1]], SOFTMAX, 3, r"one-hot labels for Dense\(3\) must have 3 columns .* got shape \(1, 2\)"),
        ([[0, 0.5, 0.5]], SOFTMAX, 3, "one-hot labels"),
        ([0, 2], BINARY, 1, r"labels of binary_cross_entropy must be 0 or 1 \(or probabilities between\), got 2"),
        ([0, -1], BINARY, 1, "labels of binary_cross_entropy must be 0 or 1 .*, got -1"),
        ([[1, 2]], MSE, 1, r"y has 2 columns but the network ends in Dense\(1\); they must agree"),
        ([1, 2], MSE, 3, r"y has 1 column but the network ends in Dense\(3\)"),
        ([1, np.nan], MSE, 1, "y must be finite, got nan at row 1"),
        ([0, np.inf], SOFTMAX, 2, "y must be finite, got inf at row 1"),
        ([1e300], MSE, 1, r"y must be finite, 1e\+300 is too large for float32"),
        ([], MSE, 1, r"y must have shape \(n,\) or \(n, outputs\) and not be empty, got \(0,\)"),
        (np.ones((2, 2, 2)), MSE, 1, r"y must have shape .* got \(2, 2, 2\)"),
        (np.array(["a", None]), SOFTMAX, 2, "y must be all numbers or all strings, none missing"),
        (["a", np.nan, "b"], SOFTMAX, 2, "y must be all numbers or all strings, none missing"),
        (["a", 1, "b"], SOFTMAX, 2, "y must be all numbers or all strings, none missing"),
        (np.ma.array([0, 1, 1], mask=[False, False, True]), SOFTMAX, 2, "y must have no missing values, got 1 masked"),
        ([0, 1e300], SOFTMAX, 2, r"labels must be 0..1 for Dense\(2\), got 1e\+300$"),
        ([1j], MSE, 1, "y must be all numbers or all strings"),
        ([[1.0], [1.0, 2.0]], MSE, 1, "y must be a table: rows of equal length"),
        (np.array(["2026-01-01"], "M8[D]"), MSE, 1, "y must be all numbers or all strings"),
    ],
)  # fmt: skip
def test_targets_that_do_not_fit_are_one_line(y: object, loss: object, outputs: int, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        encode_targets(y, loss, outputs, "float32", exact=True)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


arrays_of_any_kind = npst.arrays(
    npst.scalar_dtypes() | npst.unicode_string_dtypes(max_len=3),
    npst.array_shapes(min_dims=0, max_dims=3, max_side=4),
)


@given(
    y=arrays_of_any_kind, name=st.sampled_from(sorted(LOSSES)), outputs=st.integers(1, 3), exact=st.booleans()
)
def test_any_array_is_encoded_or_refused(
    y: NDArray[np.generic], name: str, outputs: int, exact: bool
) -> None:
    loss = get_loss(name)
    try:
        targets = encode_targets(y, loss, outputs, "float32", exact=exact)
    except ValueError:
        return
    assert targets.values.shape == (len(y), 1 if loss.kind == "classes" else outputs)
    assert np.isfinite(targets.values).all()
