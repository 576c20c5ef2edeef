"""Sweeps that the scripts run as a user would: W2's grid, and networks that are next to no work."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuralnet_core import Dense, GradientDescent, Momentum, Network
from sweep import Results, Sweep

from .workloads import WORKLOADS, digits

__all__ = ["run_digits", "run_idle", "run_rates"]


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


def _finished(results: Results) -> Results:
    """Return results whose tables have been made."""
    assert len(results.trials) >= len(results.summary) > 0
    return results
