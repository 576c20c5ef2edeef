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
from neuralnet_core.data import check_features, check_rows, check_same_length, check_weights

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


def test_rows_are_copied() -> None:
    """The engine reads them without looking whether they are still what was checked."""
    rows = np.arange(3)
    assert not np.shares_memory(check_rows(rows, 3), rows)


def test_rows_may_be_read_only() -> None:
    rows = np.array([0, 2])
    rows.flags.writeable = False
    assert check_rows(rows, 3) is rows
    network, X = Network([Dense(1)]), np.eye(3)
    for count in (1, 2):
        for optimizer in (Adam(epochs=1), Adam(epochs=1, batch_size=1)):
            models = train_many(
                network, optimizer, X, X[:, 0], seeds=range(count), rows=rows, validation_rows=rows
            )
            assert [model.state for model in models] == ["done"] * count


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
        (
            [1e-310, 1.0, 0.0],
            "sample_weight must be normal numbers of float64, and so must their sum; 1e-310 is",
        ),
    ],
)
def test_weights_that_do_not_fit_are_one_line(weights: object, message: str) -> None:
    with pytest.raises(ValueError, match="^" + message):
        check_weights(weights, 3, "float32")  # type: ignore[arg-type]


@pytest.mark.parametrize("weights", [[1e308, 1e308, 0.0], [5e-324, 5e-324, 0.0]])
def test_weights_whose_sums_are_no_numbers_are_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match=r"^sample_weight must be normal numbers"):
        check_weights(weights, 3, "float64")


def test_lengths_that_differ_are_named() -> None:
    check_same_length(X=np.ones((3, 2)), y=[1, 2, 3])
    with pytest.raises(ValueError, match=r"X and y must have .*; X has 3, y has 2"):
        check_same_length(X=np.ones((3, 2)), y=[1, 2])
    with pytest.raises(ValueError, match="y must be an array with a row per sample, got 3"):
        check_same_length(X=np.ones((3, 2)), y=3)


arrays_of_any_kind = npst.arrays(
    npst.scalar_dtypes() | npst.unicode_string_dtypes(max_len=3),
    npst.array_shapes(min_dims=0, max_dims=3, max_side=4),
)


@given(X=arrays_of_any_kind, dtype=st.sampled_from(["float32", "float64"]))
def test_any_array_is_features_or_refused(X: NDArray[np.generic], dtype: str) -> None:
    try:
        features = check_features(X, dtype)
    except ValueError:
        return
    assert features.shape == X.shape
    assert np.isfinite(features).all()
