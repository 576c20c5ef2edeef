"""Tables of results as text to read, CSV, JSON and Parquet."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import ConfigError
from .labels import format_interval, format_value, printable
from .results import Results
from .tables import names_after, varying_columns

if TYPE_CHECKING:
    from pandas import DataFrame  # noqa: TID251 - a type only

__all__ = ["as_csv", "as_json", "as_parquet", "readable_summary", "readable_trials"]

# What a spreadsheet takes for a formula when a cell begins with it (OWASP, "CSV Injection").
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
NUMBER = re.compile(r"-?\d|-$")  # how a cell with a number begins, or one without
HIDDEN = ("configuration", "fold", "seed", "identity", "digest", "started", "worker")


# --- To read --------------------------------------------------------------------------------------------------


def readable_summary(results: Results, top: int | None = None) -> str:
    """Return the best configurations as aligned text: what varies, and each metric's mean with its interval."""
    summary = results.summary if top is None else results.summary.head(top)
    metrics = sorted(names_after("mean_", summary), key=lambda name: name != results.objective)
    parameters = _varying(results.summary)
    header = ["rank", *(name.removeprefix("params_") for name in parameters), *metrics, "n"]
    rows = []
    for row in summary.to_dict("records"):
        intervals = [
            _interval(*(row[f"{part}_{name}"] for part in ("mean", "ci_low", "ci_high"))) for name in metrics
        ]
        rows.append(
            [
                str(int(row["rank"])) if row["n"] else "-",
                *(_cell(row[name]) for name in parameters),
                *intervals,
                str(int(row["n"])),
            ]
        )
    return align(header, rows)


def readable_trials(results: Results) -> str:
    """Return the trials as aligned text, without what only a program wants to know."""
    trials = results.trials
    params = [name for name in trials.columns if name.startswith("params_")]
    constant = set(params) - set(_varying(trials))
    columns = [
        name for name in trials.columns if name not in {*HIDDEN, *constant} and not trials[name].isna().all()
    ]
    header = [name.removeprefix("params_") for name in columns]
    cells = [_cell if name in params else _measured for name in columns]
    rows = trials[columns].itertuples(index=False)
    return align(header, [[cell(value) for cell, value in zip(cells, row, strict=True)] for row in rows])


def align(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return columns of equal width; those of numbers are aligned to the right.

    Examples
    --------
    >>> print(align(["rank", "activation"], [["1", "relu"], ["12", "tanh"]]))
    rank  activation
       1  relu
      12  tanh
    >>> print(align(["change"], [["-1.5"], ["12.0"], ["-"]]))
    change
      -1.5
      12.0
         -
    """
    columns = [tuple(map(printable, column)) for column in zip(header, *rows, strict=True)]
    widths = [max(map(len, column)) for column in columns]
    right = [all(map(NUMBER.match, column[1:])) for column in columns]
    lines = (
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in zip(*columns, strict=True)
    )
    return "\n".join(lines)


def _varying(table: DataFrame) -> list[str]:
    """Return the parameters that vary, or all if none does: a table that showed none would say little."""
    return varying_columns(table) or [f"params_{name}" for name in names_after("params_", table)]


def _interval(mean: float, low: float, high: float) -> str:
    return format_interval(mean, low, high) if math.isfinite(mean) else "-"


def _measured(value: Any) -> str:
    """Return a cell of what was measured: 0.9250 above 0.9111, so that a column's points are in line."""
    if not isinstance(value, float | np.floating) or not math.isfinite(value):
        return _cell(value)
    number = float(value)
    return f"{number:.0f}" if 1e3 <= abs(number) < 1e7 else f"{number:#.4g}"


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    return str(value) if isinstance(value, str) else format_value(_plain(value))


# --- For programs ---------------------------------------------------------------------------------------------


def as_csv(table: DataFrame) -> str:
    """Return a table as CSV. Text that a spreadsheet would run as a formula gets a ``'`` in front."""
    safe = table.map(lambda value: _no_formula(_flat(value)))
    safe.columns = [_no_formula(str(name)) for name in table.columns]
    text: str = safe.to_csv(index=False, lineterminator="\n")
    return text


def as_json(table: DataFrame) -> str:
    """Return a table as a JSON list of objects; what is not a finite number is null."""
    rows = [{name: _json(value) for name, value in row.items()} for row in table.to_dict("records")]
    return json.dumps(rows, indent=1, allow_nan=False)


def as_parquet(table: DataFrame) -> bytes:
    """Return a table as a Parquet file; lists and mixed parameters become text."""
    for name in table.columns:
        kinds = {type(value) for value in table[name] if value is not None}
        if table[name].dtype == object and (len(kinds) > 1 or kinds & {tuple, list, dict}):
            table = table.assign(**{name: table[name].map(lambda value: str(_flat(value)))})
    try:
        content: bytes = table.to_parquet(None, index=False)
    except ImportError:
        raise ConfigError(
            "writing Parquet needs pyarrow; install it: pip install 'neuralnet-sweep[parquet]'"
        ) from None
    return content


def _no_formula(value: Any) -> Any:
    """Return text that no spreadsheet runs, anything else as it is.

    Examples
    --------
    >>> _no_formula("=1+1"), _no_formula(-1.5)
    ("'=1+1", -1.5)
    """
    if not isinstance(value, str):
        return value
    text = value.replace("\r", "\n")  # the writer quotes this one only, and an unquoted one would end the row
    return f"'{text}" if value.startswith(FORMULA_STARTS) else text


def _flat(value: Any) -> Any:
    return json.dumps(_json(value)) if isinstance(value, tuple | list | dict) else value


def _json(value: Any) -> Any:
    value = _plain(value)
    if isinstance(value, tuple | list):
        return [_json(item) for item in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return None if value != value else str(value)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
