"""Sweeps that the scripts run as a user would: W2's grid, networks that are next to no work, and a user's function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from neuralnet_core import Dense, GradientDescent, Momentum, Network
from sweep import Results, Sweep

from .workloads import WORKLOADS, digits, moons

__all__ = ["call_busy", "run_busy", "run_digits", "run_epochs", "run_idle", "run_rates"]


def run_digits(repeats: int = 8, **options: Any) -> Results:
    """Train W2's 32 configurations `repeats` times by `Sweep.run` and have its tables made."""
    members = WORKLOADS["W2"].members

    def build(learning_rate: float, momentum: float) -> tuple[Network, Momentum]:
        optimizer = Momentum(learning_rate, momentum=momentum, epochs=10, batch_size=32)
        return members[0].network, optimizer

    space = {
        name: sorted({getattr(member.optimizer, name) for member in members})
        for name in ("learning_rate", "momentum")
    }
    data = digits()
    return _finished(Sweep(build, space, repeats=repeats).run(data.X, data.y, progress=False, **options))


def run_rates(configurations: int, repeats: int, **options: Any) -> Results:
    """Train W2's network for one epoch at many learning rates and have the sweep's tables made."""
    network = WORKLOADS["W2"].members[0].network

    def build(learning_rate: float) -> tuple[Network, Momentum]:
        return network, Momentum(learning_rate, epochs=1, batch_size=32)

    space = {"learning_rate": np.geomspace(0.002, 0.1, configurations).tolist()}
    data = digits()
    return _finished(Sweep(build, space, repeats=repeats).run(data.X, data.y, progress=False, **options))


def run_idle(configurations: int, repeats: int, **options: Any) -> Results:
    """Train networks of one weight on four rows for one step, and have the sweep's tables made."""
    network = Network([Dense(1)])
    X = np.array([[0.0], [1.0], [2.0], [3.0]])

    def build(learning_rate: float) -> tuple[Network, GradientDescent]:
        return network, GradientDescent(learning_rate, epochs=1, batch_size=None)

    space = {"learning_rate": np.linspace(0.001, 0.1, configurations).tolist()}
    sweep = Sweep(build, space, repeats=repeats)
    return _finished(sweep.run(X, 2 * X[:, 0], progress=False, **options))


def run_epochs(epochs: int, trials: int, **options: Any) -> Results:
    """Train so many of W2's networks for so many epochs, validated after each, and have the sweep's tables made."""
    network = WORKLOADS["W2"].members[0].network

    def build(learning_rate: float) -> tuple[Network, Momentum]:
        return network, Momentum(learning_rate, epochs=epochs, batch_size=32)

    space = {"learning_rate": np.geomspace(0.002, 0.1, trials).tolist()}
    data = digits()
    held_out = data.X_validation, data.y_validation
    sweep = Sweep(build, space)
    return _finished(sweep.run(data.X, data.y, validation=held_out, progress=False, **options))


def run_busy(steps: int, trials: int, **options: Any) -> Results:
    """Call `busy` so many times in processes, and have the sweep's tables made."""
    sweep = Sweep(function=busy, space={"steps": [steps], "number": list(range(trials))})
    data = moons()
    return _finished(sweep.run(data.X, data.y, backend="processes", progress=False, **options))


def call_busy(steps: int) -> dict[str, float]:
    """Call the function of `run_busy` here."""
    data = moons()
    return busy({"steps": steps, "number": 0}, 0, data.X, data.y)


def busy(params: Mapping[str, int], seed: int, X: Any, y: Any) -> dict[str, float]:
    """Count to a number: a trial that keeps a core busy in Python, for as long as that takes."""
    total = 0
    for step in range(params["steps"]):
        total += step ^ params["number"]
    return {"train_loss": float(total % 997), "rows": float(len(X) + len(y)), "drawn": float(seed)}


def _finished(results: Results) -> Results:
    """Return results whose tables have been made."""
    assert len(results.trials) >= len(results.summary) > 0
    return results
