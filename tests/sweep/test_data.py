from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from sweep.data import Data

RNG = np.random.default_rng(0)
X = RNG.normal(size=(100, 3))
LABELS = np.repeat([0, 1, 2], [70, 20, 10])


def data(y: Any = LABELS, **options: Any) -> Data:
    return Data.of(X, y, options.get("validation"), options.get("sample_weight"), "float32")


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
        (LABELS[:7], {}, "X and y must have the same number of rows; X has 100, y has 7"),
        (np.float64(3), {}, "y must be an array with a row per sample, got array\\(3.\\)"),
        (np.where(np.arange(100) == 5, np.nan, 1.0), {}, "y must be finite, got nan at row 5"),
        (
            np.array(["a", 1] * 50, object),
            {},
            "y must be all numbers or all strings, none missing; got 1 among others",
        ),
        (
            np.array([None, 1] * 50, object),
            {},
            "y must be all numbers or all strings, none missing; got None among others",
        ),
        (["a", np.nan] * 50, {}, "y must be all numbers or all strings, none missing; got nan among others"),
        ([[1], [1, 2]] * 50, {}, "y must be a table: rows of equal length"),
        (np.ma.array(LABELS, mask=LABELS == 1), {}, "y must have no missing values, got 20 masked"),
        (LABELS * 1j, {}, "y must be all numbers or all strings, .*; got an array of complex128"),
        (
            np.full(100, np.datetime64("2026-01-01")),
            {},
            "y must be all numbers or all strings, .*; got an array of datetime64",
        ),
        (LABELS, {"sample_weight": np.ones(3)}, "sample_weight"),
        (LABELS, {"sample_weight": -np.ones(100)}, "sample_weight"),
        (LABELS, {"validation": (X[:4, :2], LABELS[:4])}, r"validation X .*\(3,\) like X, got \(2,\)"),
        (
            LABELS,
            {"validation": (X[:4], LABELS[:3])},
            "validation X and validation y must have the same number of rows; validation X has 4, ",
        ),
    ],
)
def test_bad_data(y: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        data(y, **options)
