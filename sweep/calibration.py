"""How fast this machine is: its seconds for one of the machine that the cost model was fitted on."""

from __future__ import annotations

import time
from functools import cache

import numpy as np

from neuralnet_core import Adam, Dense, GradientDescent, Momentum, Network, Optimizer, plan_packs, train_many

__all__ = ["machine_scale"]

ROWS, INPUTS, RUNS = 256, 16, 3
# Trainings of different kinds: the product, the curves and the optimizer's steps take their part of the time.
TRAININGS: list[tuple[Network, Optimizer]] = [
    (Network((Dense(32, "relu"), Dense(8))), Momentum(1e-3, epochs=32)),
    (Network((Dense(16, "tanh"), Dense(16, "tanh"), Dense(1))), Adam(1e-3, epochs=32)),
    (Network((Dense(128, "relu"), Dense(1))), GradientDescent(1e-3, epochs=16, batch_size=128)),
]
EACH = 16


@cache
def machine_scale(dtype: str) -> float:
    """Return the seconds that this machine takes for what the cost model says takes one; measured once.

    It takes less than a tenth of a second, on a slow machine some tenths.
    """
    taken = predicted = 0.0
    X = np.linspace(-1, 1, ROWS * INPUTS).reshape(ROWS, INPUTS)
    for network, optimizer in TRAININGS:
        (outputs,) = network.build(INPUTS).output_shape
        networks, optimizers = [network] * EACH, [optimizer] * EACH
        packs = plan_packs(
            networks, optimizers, INPUTS, dtype, lengths=[(ROWS, 0)] * EACH, orders=[None] * EACH
        )
        runs = []
        for _ in range(RUNS):
            started = time.perf_counter()
            train_many(networks, optimizers, X, X[:, :outputs], seeds=0, dtype=dtype, packs=packs)
            runs.append(time.perf_counter() - started)
        taken += min(runs)  # others disturb, and never help
        predicted += sum(pack.seconds for pack in packs)
    return taken / predicted
