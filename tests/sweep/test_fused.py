"""A pack of networks is one computation: count the engine's calls."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import neuralnet_core.rounds
from neuralnet_core import Dense, Momentum, Network, engine_info
from sweep import Sweep, parallel_train

X = np.random.default_rng(0).normal(size=(64, 4))
Y = (X[:, 0] > 0).astype(int)
RATES = [0.01 * (place + 1) for place in range(8)]
MOMENTA = [0.0, 0.3, 0.6, 0.9]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows by the number of lanes used with every call of the engine."""
    seen: list[int] = []
    open_pack = neuralnet_core.rounds.open_pack

    def counted(plan: Any) -> Any:
        seen.append(len(plan.seeds))
        return open_pack(plan)

    monkeypatch.setattr(neuralnet_core.rounds, "open_pack", counted)
    return seen


def build(rate: float, momentum: float) -> tuple[Network, Momentum]:
    return Network([Dense(5, "relu"), Dense(2)], loss="softmax_cross_entropy"), Momentum(
        rate, momentum=momentum, epochs=2, batch_size=16
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_256_like_networks_fill_every_lane(calls: list[int], dtype: str) -> None:
    lanes = engine_info().lanes[dtype]
    sweep = Sweep(build, {"rate": RATES, "momentum": MOMENTA}, repeats=8, dtype=dtype)
    results = sweep.run(X, Y, validation=0.25, n_jobs=2)
    assert len(results.trials) == 256
    assert len(calls) == 256 // lanes  # 32 packs in float32 with 8 lanes
    assert set(calls) == {lanes}


def test_repeats_of_one_configuration_share_packs(calls: list[int]) -> None:
    lanes = engine_info().lanes["float32"]
    Sweep(build, {"rate": [0.1], "momentum": [0.9]}, repeats=2 * lanes).run(X, Y, validation=0.25, n_jobs=1)
    assert calls == [lanes, lanes]


def test_parallel_train_fills_lanes(calls: list[int]) -> None:
    lanes = engine_info().lanes["float32"]
    network, optimizer = build(0.1, 0.9)
    parallel_train(network, optimizer, X, Y, seeds=range(4 * lanes), n_jobs=2)
    assert calls == [lanes] * 4


COUNTED = """
import numpy as np
import neuralnet_core.rounds as rounds
from neuralnet_core import Dense, Momentum, Network
from sweep import Sweep

used, open_pack = [], rounds.open_pack
rounds.open_pack = lambda plan: used.append(len(plan.seeds)) or open_pack(plan)

def build(rate, momentum):
    return Network([Dense(5, "relu"), Dense(1)]), Momentum(rate, momentum=momentum, epochs=2, batch_size=16)

X = np.arange(192.0).reshape(64, 3) / 192
space = {"rate": [k / 100 for k in range(1, 9)], "momentum": [0.0, 0.3, 0.6, 0.9]}
Sweep(build, space, repeats=8).run(X, X[:, 0], validation=(X[:16], X[:16, 0]), n_jobs=1)
print(len(used), set(used))
"""


def test_256_like_networks_are_32_packs_in_registers_of_8_lanes() -> None:
    environment = {**os.environ, "NEURALNET_INSTRUCTION_SET": "baseline"}
    run = subprocess.run(
        [sys.executable, "-c", COUNTED], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.split("\n")[0] == "32 {8}"
