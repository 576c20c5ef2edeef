"""What users bring: converted without needless copies, and one clear line for whatever does not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from neuralnet_core import Adam, Dense, Network, train_many
from neuralnet_core.data import check_features, check_rows, check_same_length, check_weights, encode_targets
from neuralnet_core.losses import LOSSES, get_loss

SOFTMAX = get_loss("softmax_cross_entropy")
BINARY = get_loss("binary_cross_entropy")
MSE = get_loss("mse")
NAMES = np.array(["cat", "ant", "bee", "cat"])


# --- Features ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_features_that_fit_are_not_copied(dtype: str) -> None:
    X = np.ones((4, 3), dtype)
    X.flags.writeable = False
    assert np.shares_memory(check_features(X, dtype), X)


def test_a_read_only_memmap_is_not_copied(tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", np.ones((4, 3), np.float32))
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    features = check_features(X, "float32")
    assert np.shares_memory(features, X)
    assert type(features) is np.ndarray


@pytest.mark.parametrize(
    "X",
    [
        [[1, 2], [3, 4]],
        [[True, 2.0], [3, 4]],
        np.array([[1, 2], [3, 4]], ">f8"),
        np.array([[1, 2], [3, 4]], np.uint8),
        np.array([[1, 2], [3, 4]], np.float16),
        np.asfortranarray([[1.0, 2.0], [3.0, 4.0]]),
        np.array([[1.0, 0.0, 2.0], [3.0, 0.0, 4.0]])[:, ::2],
        np.frombuffer(b"\0" + np.array([1.0, 2.0, 3.0, 4.0], "<f4").tobytes(), "<f4", offset=1).reshape(2, 2),
        pd.DataFrame({"a": [1, 3], "b": [2.0, 4.0]}),
    ],
    ids=["list", "mixed", "big-endian", "uint8", "float16", "fortran", "strided", "unaligned", "DataFrame"],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_in_any_form_are_converted(X: object, dtype: str) -> None:
    features = check_features(X, dtype)  # type: ignore[arg-type]
    assert features.dtype == np.dtype(dtype)
    assert features.flags.c_contiguous
    assert features.flags.aligned
    np.testing.assert_array_equal(
        features, [[float(X[0][0]), 2], [3, 4]] if isinstance(X, list) else [[1, 2], [3, 4]]
    )


def test_a_table_of_numbers_and_booleans_is_numbers() -> None:
    table = pd.DataFrame({"size": [0.5, 1.5], "colour_red": [True, False]})
    assert np.asarray(table).dtype == object
    assert check_features(table, "float32").tolist() == [[0.5, 1.0], [1.5, 0.0]]


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([["a", "b"]], "X must be numbers, got 'a' at row 0, column 0"),
        (np.array([["a", "b"]]), "X must be numbers, got an array of <U1"),
        (np.array([[1, None]]), "X must be numbers, got None at row 0, column 1"),
        (pd.DataFrame({"a": [1.5, 2.5], "b": [0.5, "?"]}), r"X must be numbers, got '\?' at row 1, column 1"),
        (scipy.sparse.eye_array(3), "X must be numbers, got one .*, which is no array"),
        ([[1j]], "X must be numbers, got an array of complex128"),
        ([[1.0], [1.0, 2.0]], "X must be a table: rows of equal length"),
        (
            [1.0, 2.0],
            r"X must have shape \(samples, features\), got \(2,\); for one feature give X\[:, None\], "
            r"for one sample X\[None, :\]",
        ),
        (3.0, r"X must have shape \(samples, features\), got \(\)"),
        (np.ones((0, 3)), r"X must not be empty, got shape \(0, 3\)"),
        (np.ones((3, 0)), r"X must not be empty, got shape \(3, 0\)"),
        (
            np.ma.array([[1.0], [2.0]], mask=[[False], [True]]),
            "X must have no missing values, got 1 masked; drop their rows or fill them",
        ),
        ([[1, 2], [3, np.nan]], "X must be finite, got nan at row 1, column 1$"),
        ([[1, -np.inf], [np.nan, 2]], "X must be finite, got -inf at row 0, column 1$"),
        (np.full((1, 2, 2), np.inf), r"X must be finite, got inf at row 0, column \(0, 0\)$"),
        ([[1e300, 1.0]], r"X must be finite, 1e\+300 is too large for float32, at row 0, column 0$"),
    ],
)
def test_features_that_do_not_fit_are_one_line(X: object, message: str) -> None:
    with pytest.raises(ValueError, match="^" + message) as caught:
        check_features(X, "float32")  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_an_error_names_the_argument() -> None:
    with pytest.raises(ValueError, match=r"^validation X must be finite"):
        check_features([[np.nan]], "float64", name="validation X")


# --- Rows, weights, lengths -------------------------------------------------------------------------------


def test_rows_and_masks_say_the_same() -> None:
    mask = np.array([True, False, True])
    for rows in (mask, [0, 2], np.array([0, 2], np.uint8)):
        indices = check_rows(rows, 3)
        assert indices.dtype == np.int64
        assert indices.tolist() == [0, 2]


def test_rows_may_be_read_only() -> None:
    rows = np.array([0, 2])
    rows.flags.writeable = False
    assert check_rows(rows, 3).flags.writeable
    network, X = Network([Dense(1)]), np.eye(3)
    (model,) = train_many(network, Adam(epochs=1), X, X[:, 0], seeds=0, rows=rows, validation_rows=rows)
    assert model.state == "done"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "rows must be a non-empty vector of row numbers"),
        ([False, False, False], "rows must be a non-empty vector"),
        ([True, False], r"rows as a mask must have shape \(3,\), got \(2,\)"),
        ([[0, 1]], r"rows must be a non-empty vector of row numbers, got shape \(1, 2\)"),
        ([0.0, 1.0], "rows must be integers"),
        ([0, 3], "rows must be from 0 to 2, got 3"),
        ([-1, 0], "rows must be from 0 to 2, got -1"),
        (np.array([2**64 - 1], np.uint64), "rows must be from 0 to 2, got 18446744073709551615"),
    ],
)
def test_rows_that_do_not_fit_are_one_line(rows: object, message: str) -> None:
    with pytest.raises(ValueError, match="^" + message):
        check_rows(rows, 3)  # type: ignore[arg-type]


def test_weights_are_float64_or_none() -> None:
    assert check_weights(None, 3, "float32") is None
    weights = check_weights(np.array([1, 0, 2], np.int8), 3, "float32")
    assert weights is not None
    assert weights.dtype == np.float64


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0, 2.0], r"sample_weight must be 3 numbers, got shape \(2,\)"),
        (["a", "b", "c"], "sample_weight must be 3 numbers"),
        ([1.0, np.nan, 1.0], "sample_weight must be finite, got nan at row 1"),
        ([1e300, 1.0, 1.0], "sample_weight must be finite, .* is too large for float32"),
        ([1.0, 1.0, -2.0], r"sample_weight must be >= 0, got -2.0 at row 2"),
        ([0.0, 0.0, 0.0], "sample_weight must not be 0 everywhere"),
    ],
)
def test_weights_that_do_not_fit_are_one_line(weights: object, message: str) -> None:
    with pytest.raises(ValueError, match="^" + message):
        check_weights(weights, 3, "float32")  # type: ignore[arg-type]


def test_lengths_that_differ_are_named() -> None:
    check_same_length(X=np.ones((3, 2)), y=[1, 2, 3])
    with pytest.raises(ValueError, match=r"X and y must have .*; X has 3, y has 2"):
        check_same_length(X=np.ones((3, 2)), y=[1, 2])
    with pytest.raises(ValueError, match="y must be an array with a row per sample, got 3"):
        check_same_length(X=np.ones((3, 2)), y=3)


# --- Targets ----------------------------------------------------------------------------------------------


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


@given(X=arrays_of_any_kind, dtype=st.sampled_from(["float32", "float64"]))
def test_any_array_is_features_or_refused(X: NDArray[np.generic], dtype: str) -> None:
    try:
        features = check_features(X, dtype)
    except ValueError:
        return
    assert features.shape == X.shape
    assert np.isfinite(features).all()
