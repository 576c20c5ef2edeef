"""How values, configurations and metrics are called where they are shown."""

from __future__ import annotations

from typing import Any

import pytest

from neuralnet_core import Dense, Dropout
from sweep.labels import configuration_labels, format_interval, format_value, varying_parameters, wrapped
from sweep.plots.style import metric_label


def test_labels_name_only_what_varies() -> None:
    params = [{"hidden": 8, "rate": 0.1, "l2": 0}, {"hidden": 8, "rate": 0.2, "l2": 0}]
    names = varying_parameters(params)
    assert names == ["rate"]
    assert configuration_labels(params, names).texts == ("rate=0.1", "rate=0.2")
    assert configuration_labels(params[:1], []).texts == ("the configuration",)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"), (1e-5, "1e-05"), (2.0, "2"), (1e6, "1e+06"), (64, "64"), (True, "True"), (None, "None"),
        ("relu", "relu"), ((64, 32, 16), "64-32-16"), (float("inf"), "inf"), ("x" * 40, "xxxxxxxxx…xxxxxxxx"),
        ((Dense(16, "relu"), Dense(3)), "16 relu-3"), ((), "()"), ([{"type": "Dense", "units": 3}], "3"),
        (Dropout(0.2), "Dropout 0.2"),
    ],
)  # fmt: skip
def test_values_take_few_characters(value: Any, text: str) -> None:
    assert format_value(value) == text


def test_intervals_show_digits_that_mean_something() -> None:
    assert format_interval(0.97812, 0.96812, 0.98812) == "0.978 ± 0.010"
    assert format_interval(1234.5, 1000.0, 1469.0) == "1230 ± 230"
    assert format_interval(-0.3, -11.3, 10.7) == "0 ± 11"
    assert format_interval(1.5e7, 1.0e7, 2.0e7) == "1.5e+07 ± 5e+06"
    assert format_interval(0.5, 0.5, 0.5) == "0.5"


def test_names_are_broken_where_they_may_be() -> None:
    assert wrapped("", 10) == ""
    assert wrapped("hidden · learning_rate · l2", 16) == "hidden ·\nlearning_rate ·\nl2"
    assert metric_label("validation_accuracy") == "validation accuracy"
