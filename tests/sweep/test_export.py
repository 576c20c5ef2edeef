"""Tables as text and files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from sweep import Results
from sweep.export import align, as_csv, as_json, as_parquet, readable_summary, readable_trials


def test_text_that_a_spreadsheet_would_run_is_made_harmless() -> None:
    wild = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1+1", "relu", "a=b", 'say "hi", you']
    table = pd.DataFrame({"=cmd": wild, "number": [-1.5] * len(wild), "list": [(1, 2)] * len(wild)})
    rows = list(csv.reader(io.StringIO(as_csv(table), newline="")))
    assert rows[0] == ["'=cmd", "number", "list"]
    assert [row[0] for row in rows[1:]] == [f"'{text}".replace("\r", "\n") for text in wild[:7]] + wild[7:]
    assert {row[1] for row in rows[1:]} == {"-1.5"}
    assert {row[2] for row in rows[1:]} == {"[1, 2]"}


def test_json_of_what_json_does_not_have() -> None:
    table = pd.DataFrame(
        {
            "a": [float("nan"), float("inf")],
            "b": [(1, "x"), None],
            "c": pd.to_datetime([1.5e9, None], unit="s", utc=True),
            "d": np.array([True, False]),
        }
    )
    first, second = json.loads(as_json(table))
    assert first == {"a": None, "b": [1, "x"], "c": "2017-07-14 02:40:00+00:00", "d": True}
    assert second == {"a": None, "b": None, "c": None, "d": False}


def test_parquet_of_mixed_parameters() -> None:
    pytest.importorskip("pyarrow")
    table = pd.DataFrame({"params_batch": [16, "full"], "params_layers": [(8, 8), (4,)], "n": [1, 2]})
    read = pd.read_parquet(io.BytesIO(as_parquet(table)))
    assert read["params_batch"].tolist() == ["16", "full"]
    assert read["params_layers"].tolist() == ["[8, 8]", "[4]"]
    assert read["n"].tolist() == [1, 2]


def test_columns_of_numbers_are_aligned_to_the_right() -> None:
    lines = align(["n", "name", "mean"], [["1", "a", "-"], ["10", "bcd", "0.5 ± 0.1"]]).splitlines()
    assert lines == [" n  name       mean", " 1  a             -", "10  bcd   0.5 ± 0.1"]


def test_readable_tables_of_a_large_sweep(make_results: Callable[..., Results]) -> None:
    results = make_results(400)
    assert len(readable_summary(results, 10).splitlines()) == 11
    assert len(readable_trials(results).splitlines()) == 2001
    assert "nan" not in readable_summary(results) + readable_trials(results)
