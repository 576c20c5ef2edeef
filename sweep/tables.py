"""Trials and records -> DataFrames, a column at a time: 100,000 trials take well under a second."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .jobs import Record, Trial
from .objective import OBJECTIVES
from .values import plain_value

if TYPE_CHECKING:
    import pandas

PENDING = "pending"  # the state of a trial without a record: it waits, runs or was interrupted
# In the place of a record that is not there.
NOT_YET = Record("", PENDING, 0, {}, {}, None, None, 0.0, math.nan, "")
SPLITS = ("train", "validation")
# The table's columns besides parameters and metrics: no metric may be called so.
COLUMNS = frozenset(
    {
        *("trial", "configuration", "repeat", "fold", "seed", "state", "epoch"),
        *("error", "identity", "digest", "started", "seconds", "worker"),
    }
)


def metric_names(records: Iterable[Record]) -> list[str]:
    """Return the names of all metrics: the engine's, losses first, then what was measured besides."""
    return _in_order(dict.fromkeys(name for record in records for name in record.metrics))


def trials_table(
    trials: Sequence[Trial], records: Mapping[str, Record], metrics: Sequence[str]
) -> pandas.DataFrame:
    """Return a row per trial: what was trained, what came of it, and the clock's columns last."""
    import pandas as pd

    trial, configuration, repeat, fold, seed, _, identity = _fields(trials, Trial)
    found = [records.get(name, NOT_YET) for name in identity]
    _, state, epoch, measured, _, error, digest, started, seconds, worker = _fields(found, Record)
    columns: dict[str, Any] = {
        "trial": np.array(trial, np.int64),
        "configuration": np.array(configuration, np.int64),
        **_params_columns(trials),
        "repeat": np.array(repeat, np.int64),
        "fold": np.array(fold, np.int64),
        "seed": np.array(seed, np.int64),
        "state": state,
        "epoch": np.array(epoch, np.int64),
        **{name: _metric_column(measured, name) for name in metrics},
        "error": error,
        "identity": identity,
        "digest": digest,
        "started": _started_column(started),
        "seconds": np.array(seconds, np.float64),
        "worker": [None if record is NOT_YET else name for record, name in zip(found, worker, strict=True)],
    }
    return pd.DataFrame(columns)


def configurations_table(trials: Sequence[Trial]) -> pandas.DataFrame:
    """Return a row per configuration, indexed by its number: ``params_*``."""
    import pandas as pd

    first = {trial.configuration: trial for trial in reversed(trials)}
    numbers = sorted(first)
    columns = _params_columns([first[number] for number in numbers])
    index = pd.Index(numbers, dtype=np.int64, name="configuration")
    return pd.DataFrame(columns, index=range(len(numbers))).set_axis(index, axis=0)


def curves_table(trials: Sequence[Trial], records: Mapping[str, Record]) -> pandas.DataFrame:
    """Return a row per trial, metric and epoch: trial, epoch, split, metric, value (as stored: float32)."""
    import pandas as pd

    found = [(trial.trial, records[trial.identity].curves) for trial in trials if trial.identity in records]
    names = _in_order({name: None for _, curves in found for name in curves})
    keys = [(number, place) for number, curves in found for place, name in enumerate(names) if name in curves]
    curves = [curves[name] for _, curves in found for name in names if name in curves]
    lengths = np.array([len(values) for values in curves], np.int64)
    starts = np.cumsum(lengths) - lengths
    which = np.repeat(np.array([place for _, place in keys], np.int64), lengths)
    split, metric = _split_and_metric(names)
    return pd.DataFrame(
        {
            "trial": np.repeat(np.array([number for number, _ in keys], np.int64), lengths),
            "epoch": np.arange(lengths.sum()) - np.repeat(starts, lengths) + 1,
            "split": split.take(which) if names else split,
            "metric": metric.take(which) if names else metric,
            "value": np.concatenate(curves or [np.empty(0)]).astype(np.float32),
        }
    )


def names_after(prefix: str, table: pandas.DataFrame) -> list[str]:
    """Return what follows a prefix (``params_``, ``mean_``) in the names of a table's columns."""
    return [str(name).removeprefix(prefix) for name in table.columns if str(name).startswith(prefix)]


def varying_columns(table: pandas.DataFrame) -> list[str]:
    """Return the names of the ``params_`` columns that do not hold one value everywhere."""
    params = [f"params_{name}" for name in names_after("params_", table)]
    return [name for name in params if table[name].map(repr).nunique() > 1]


def _params_columns(trials: Sequence[Trial]) -> dict[str, Any]:
    """Return a ``params_`` column per parameter; one that a configuration does not have is None there."""
    place: dict[int, int] = {}
    row = np.array([place.setdefault(trial.configuration, len(place)) for trial in trials], np.int64)
    # Repeats of a configuration share its parameters: each value is looked at once.
    configurations = list({trial.configuration: trial.params for trial in trials}.values())
    names = dict.fromkeys(name for params in configurations for name in params)
    columns = {n: _inferred([plain_value(params.get(n)) for params in configurations]) for n in names}
    return {f"params_{name}": column.iloc[row].reset_index(drop=True) for name, column in columns.items()}


def _inferred(values: list[Any]) -> pandas.Series[Any]:
    """Return values as the column pandas would choose, but keep None and what stands beside it as they are."""
    import pandas as pd

    # As numbers, [32, None] would be [32.0, nan], and nan is left out of every grouping.
    return pd.Series(values, dtype=object if None in values else None)


def _in_order(names: Mapping[str, None]) -> list[str]:
    """Return names in the tables' order, which is the same however they were come by."""
    return [
        *(name for name in reversed(OBJECTIVES) if name in names),
        *sorted(names.keys() - set(OBJECTIVES)),
    ]


def _fields(rows: Sequence[tuple[Any, ...]], kind: type[Trial | Record]) -> list[list[Any]]:
    """Return what rows of a kind hold, field by field."""
    # Not by zip(*rows): an iterator for every row sends Python looking for garbage among all that there is.
    return [[row[place] for row in rows] for place in range(len(kind._fields))]


def _metric_column(measured: Sequence[Mapping[str, float]], name: str) -> Any:
    values = np.array([metrics.get(name, math.nan) for metrics in measured], np.float64)
    values[~np.isfinite(values)] = np.nan  # as a store has it
    return values


def _started_column(started: Sequence[float]) -> Any:
    import pandas as pd

    # What failed before anything was trained never started: its clock stands at 0.
    seconds = np.array(started, np.float64)
    # Not by way of nan, for which pandas 2 rounds memory that nobody wrote and may raise what it finds there.
    return pd.to_datetime(seconds, unit="s", utc=True).where(seconds != 0.0)


def _split_and_metric(names: Sequence[str]) -> tuple[Any, Any]:
    """Return the two parts of names like validation_loss, as categories to pick from."""
    import pandas as pd

    parts = [
        name.split("_", 1) if name.startswith(tuple(f"{s}_" for s in SPLITS)) else ("", name)
        for name in names
    ]
    return pd.Categorical([part[0] for part in parts]), pd.Categorical([part[1] for part in parts])
