"""Trials, configurations and records <-> rows. What a file says is checked: it may come from a stranger."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from types import NoneType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuralnet_core import Network, Optimizer, from_dict, parse_json
from sweep.jobs import STATES, Configuration, Curves, Record, Trial, built_key, failed_key
from sweep.values import decode_metrics, decode_names, decode_params, encode_metrics, encode_params

from .faults import StoreError

__all__ = [
    "BuiltRows",
    "Row",
    "configurations_of",
    "curves_of",
    "description_of",
    "moment_of",
    "record_of",
    "record_row",
    "states_of",
    "trial_rows",
    "trials_of",
]

# identity, state, epoch, metrics, error, digest, started, seconds, worker
RECORD_KINDS: tuple[Any, ...] = (str, str, int, str, (str, NoneType), (str, NoneType), float, float, str)
LAST_SECOND = 9e9  # of 2255; a table's times end in 2262
Row = tuple[Any, ...]


# --- What the sweep is ------------------------------------------------------------------------------------------

# Of what one that reads relies on; None is always allowed.
KINDS: dict[str, Any] = {
    "objective": str,
    "higher_is_better": bool,
    "parameters": list,
    "repeats": int,
    "seed": int,
    "dtype": str,
    "validation": float | str,
    "data_digest": str,
    "numerics_version": int,
    "source": dict,
    "functions": dict,
}


def description_of(rows: Iterable[Row]) -> dict[str, Any]:
    """Return what the sweep is, of (key, JSON) rows."""
    description = {key: parse_json(text) for key, text in rows}
    for key, value in description.items():
        _check(value is None or isinstance(value, KINDS.get(key, object)), f"{key} is {str(value)[:40]!r}")
    return description


# --- Trials and configurations ----------------------------------------------------------------------------------


def trial_rows(trials: Sequence[Trial]) -> list[Row]:
    """Return the rows of trials."""
    rows = [(t.trial, t.configuration, t.repeat, t.fold, t.seed, t.identity) for t in trials]
    for row in rows:
        if max(row[:5]) >= 2**63:
            raise StoreError(f"numbers of a trial must be < 2**63, got {max(row[:5])} in trial {row[0]}")
    return rows


def trials_of(rows: Iterable[Row]) -> list[Trial]:
    """Return the trials of (trial, configuration, repeat, fold, seed, identity, params) rows."""
    params: dict[int, dict[str, Any]] = {}
    trials = []
    for trial, configuration, repeat, fold, seed, identity, text in rows:
        _check(min(trial, configuration, repeat, fold, seed) >= 0, f"trial {trial} has a number below 0")
        _check(isinstance(identity, str), f"trial {trial} has no identity")
        if configuration not in params:
            _check(isinstance(text, str), f"the configuration {configuration} is missing")
            params[configuration] = decode_params(text)
        trials.append(Trial(trial, configuration, repeat, fold, seed, params[configuration], identity))
    return trials


class BuiltRows:
    """The rows of configurations and of their networks; equal networks share a row."""

    def __init__(self, trials: Iterable[Trial], built: Iterable[Configuration]) -> None:
        self._numbers: dict[str, int] = {}
        made = {one.number: self._built(one) for one in built}
        params = {trial.configuration: trial.params for trial in trials}
        nothing = (None, None, None)
        self.configurations = [
            (number, encode_params(values), *made.get(number, nothing)) for number, values in params.items()
        ]
        self.networks = [(number, text) for text, number in self._numbers.items()]

    def _built(self, one: Configuration) -> Row:
        if one.texts is None:
            return None, None, one.error
        network, optimizer = one.texts
        return self._numbers.setdefault(network, len(self._numbers)), optimizer, None


def configurations_of(rows: Iterable[Row], networks: Iterable[Row], dtype: str) -> list[Configuration]:
    """Return the configurations of (configuration, params, network, optimizer, error) rows.

    One that was recorded without what was built has neither network nor error.
    """
    made = {number: _value(text, Network) for number, text in networks}
    found = []
    for number, params, network, optimizer, error in rows:
        if network is None or optimizer is None:
            key = failed_key(params, error or "")
            found.append(Configuration(number, decode_params(params), None, None, error, key))
            continue
        value = (made[network], _value(optimizer, Optimizer))
        found.append(Configuration(number, decode_params(params), *value, None, built_key(*value, dtype)))
    return found


def _value(text: object, kind: type) -> Any:
    _check(isinstance(text, str), f"a {kind.__name__} is missing")
    value = from_dict(parse_json(str(text)))
    _check(isinstance(value, kind), f"{str(text)[:40]!r} is no {kind.__name__}")
    return value


# --- Records ----------------------------------------------------------------------------------------------------


def record_row(record: Record) -> Row:
    """Return the row of a record."""
    curves = record.curves
    if not isinstance(curves, Curves):
        curves = Curves(curves, list(curves.values()))
    names, points = curves.encoded()
    return (
        record.identity, record.state, int(record.epoch), encode_metrics(record.metrics), record.error,
        record.digest, float(record.started), float(record.seconds), record.worker, _names_as_json(names), points,
    )  # fmt: skip


@lru_cache(maxsize=256)
def _names_as_json(names: tuple[str, ...]) -> str:
    return json.dumps(names)


def record_of(row: Sequence[Any]) -> Record:
    """Return the record of a row, with or without its curves."""
    identity, state, epoch, metrics, error, digest, started, seconds, worker, *curves = row
    # A damaged file holds anything anywhere, whatever its schema says.
    kinds = zip(row, RECORD_KINDS, strict=False)
    _check(
        all(isinstance(value, kind) for value, kind in kinds), f"the record {str(identity)[:20]!r} is none"
    )
    _check(state in STATES, f"a record has the state {state[:20]!r}")
    _check(epoch >= 0, f"a record has the epoch {epoch}")
    values = decode_metrics(metrics)
    _check(bool(values) or state != "done", "a record is done and has no metrics")
    _check(0 <= started <= LAST_SECOND and 0 <= seconds < math.inf, f"a record has the times {row[6:8]}")
    return Record(
        identity,
        state,
        epoch,
        values,
        curves_of(*curves) if curves else {},
        error,
        digest,
        started,
        seconds,
        worker,
    )


def curves_of(text: Any, points: Any) -> dict[str, NDArray[np.float64]]:
    """Return the curves whose names and values a row has, by metric."""
    _check(isinstance(text, str) and isinstance(points, bytes), "a record has no curves")
    names = decode_names(text)
    values = np.frombuffer(points, "<f4").astype(np.float64)
    fits = values.size % len(names) == 0 if names else not values.size
    _check(fits, f"{len(names)} curves have {values.size} values")
    return dict(zip(names, np.split(values, len(names) or 1), strict=False))


def states_of(rows: Iterable[Row]) -> dict[str | None, int]:
    """Return how often each state is there, of (state, count) rows."""
    counts: dict[Any, int] = dict(rows)
    _check(counts.keys() <= {None, *STATES}, f"there are records of the states {list(counts)[:9]}")
    return counts


def moment_of(rows: Sequence[Row]) -> float | None:
    """Return the moment of an (at) row, None without one."""
    if not rows:
        return None
    at = float(rows[0][0])
    _check(0 <= at <= LAST_SECOND, f"it was last written at {at}")
    return at


def _check(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)
