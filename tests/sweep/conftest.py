"""Synthetic results: what a sweep would have found, without training anything."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from sweep.jobs import Record, Trial
from sweep.results import Results

GRIDS = {
    4: {"hidden": [16, 32], "activation": ["relu", "tanh"]},
    24: {"hidden": [8, 16, 32], "activation": ["relu", "tanh"], "learning_rate": [1e-4, 1e-3, 1e-2, 1e-1]},
}


def grid(size: int) -> list[dict[str, Any]]:
    """Return a realistic grid of 4 or 24 configurations, or `size` random configurations."""
    if size in GRIDS:
        names = GRIDS[size]
        return [dict(zip(names, values, strict=True)) for values in itertools.product(*names.values())]
    random = np.random.default_rng(0)
    return [
        {
            "hidden": int(random.integers(4, 65)),
            "activation": ["relu", "tanh", "gelu"][random.integers(3)],
            "learning_rate": float(10 ** random.uniform(-4, -0.5)),
            "l2": [0.0, 1e-5, 1e-4, 1e-3][random.integers(4)],
            "momentum": float(random.uniform(0.0, 0.99)),
            "batch_size": [16, 32, 64, None][random.integers(4)],
        }
        for _ in range(size)
    ]


def accuracy_of(params: Mapping[str, Any]) -> float:
    """Return the accuracy that such a configuration would have on the digits."""
    rate = np.log10(params.get("learning_rate", 0.01) / (1 - params.get("momentum", 0.0)))
    error = 0.02 + 0.25 / params["hidden"] + 0.03 * (rate + 1.5) ** 2
    error += {"relu": 0.0, "tanh": 0.006, "gelu": -0.002}[params["activation"]]
    return float(1 - min(0.9, error))


def synthetic(
    configurations: Sequence[Mapping[str, Any]], repeats: int = 5, epochs: int = 20, validation: bool = True
) -> tuple[list[Trial], dict[str, Record]]:
    """Return trials and records; accuracies are multiples of 1/360, a repeat's luck is shared by all."""
    random = np.random.default_rng(1)
    luck = random.normal(0, 0.006, repeats)
    trials, records = [], {}
    for number, params in enumerate(configurations):
        for repeat in range(repeats):
            trial = len(trials)
            identity = hashlib.sha256(f"{number} {repeat}".encode()).hexdigest()
            trials.append(Trial(trial, number, repeat, 0, 1000 + repeat, params, identity))
            final = accuracy_of(params) + luck[repeat] + random.normal(0, 0.004)
            diverges = params.get("learning_rate", 0) / (1 - params.get("momentum", 0)) > 8
            records[identity] = record_of(
                identity, final, epochs, random, validation=validation, diverges=diverges
            )
    return trials, records


def record_of(
    identity: str,
    accuracy: float,
    epochs: int,
    random: Any,
    *,
    validation: bool = True,
    diverges: bool = False,
) -> Record:
    """Return a record with learning curves that end near an accuracy."""
    if diverges:
        curves = {"train_loss": np.array([2.5, 80.0, np.inf])}
        metrics = {"train_loss": float("inf")}
        return Record(identity, "diverged", 3, metrics, curves, None, None, 1.8e9, 0.01, "thread-0")
    decay = np.exp(-np.arange(1, epochs + 1) / (epochs / 5)) * random.uniform(0.9, 1.1)
    noise = random.normal(0, 0.002, epochs)
    curves = {"train_loss": 2.0 * (1 - accuracy) + 2.2 * decay + abs(noise)}
    if validation:
        curves["validation_loss"] = 3.5 * (1 - accuracy) + 2.1 * decay + abs(noise)
        curves["validation_accuracy"] = np.round(np.clip(accuracy - 0.8 * decay + noise, 0, 1) * 360) / 360
    metrics = {name: float(values[-1]) for name, values in curves.items()}
    return Record(
        identity, "done", epochs, metrics, curves, None, f"digest of {identity}", 1.8e9, 0.02, "thread-0"
    )


@pytest.fixture(scope="session")
def make_results() -> Callable[..., Results]:
    """Return a function that makes results of so many configurations, or of these."""

    def make(of: int | Sequence[Mapping[str, Any]] = 24, description: Any = None, **options: Any) -> Results:
        configurations = grid(of) if isinstance(of, int) else of
        return Results(*synthetic(configurations, **options), description or {})

    return make


@pytest.fixture(scope="session")
def with_faults() -> Callable[[Results], Results]:
    """Return a function that makes a trial of some results failed, one pending and one diverged."""

    def make(results: Results) -> Results:
        trials, records = results._trials, dict(results._records)
        del records[trials[0].identity]
        for number, state in ((6, "failed"), (13, "diverged")):
            identity = trials[number].identity
            records[identity] = records[identity]._replace(state=state, metrics={}, curves={}, digest=None)
        return Results(trials, records, results.description)

    return make
