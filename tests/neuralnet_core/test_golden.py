"""Golden digests: the bits of trained networks, committed. Changing one bumps NUMERICS_VERSION.

After a change that is meant to move the bits, raise NUMERICS_VERSION and run this file as a script.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from neuralnet_core import (
    ACTIVATIONS,
    INITIALIZERS,
    LOSSES,
    NUMERICS_VERSION,
    Adam,
    AdamW,
    CosineDecay,
    Dense,
    Dropout,
    EarlyStopping,
    ExponentialDecay,
    GradientDescent,
    Model,
    Momentum,
    Network,
    Optimizer,
    RMSprop,
    StepDecay,
    WarmUp,
)

GOLDEN = Path(__file__).with_name("golden.json")

# Data by exact arithmetic: no library's sine or draws stand between two machines.
N = 300
X = ((np.arange(N * 4) * 7919) % 1009).reshape(N, 4) / 504.0 - 1.0
TARGETS: dict[str, np.ndarray] = {
    "regression": X[:, :3] * 2.0 - X[:, 1:],
    "binary": (X[:, :3] > X[:, 1:]).astype(float),
    "classes": (X[:, 0] > 0).astype(int) + (X[:, 1] > 0),
}


def trained(network: Network, optimizer: Optimizer, dtype: str, weighted: bool = False) -> Model:
    y = TARGETS[LOSSES[network.loss].kind]
    weights = (np.arange(N) % 5).astype(float) if weighted else None
    return network.train(
        X, y, optimizer, seed=11, sample_weight=weights, validation=(X[:70], y[:70]), dtype=dtype
    )


SMALL = Network([Dense(6, "tanh"), Dense(3)])
DROPPED = Network([Dropout(0.1), Dense(6, "relu"), Dropout(0.5), Dense(3)])
OPTIMIZERS: dict[str, Optimizer] = {
    "gradient_descent": GradientDescent(0.05, epochs=3),
    "gradient_descent_full_batch": GradientDescent(0.05, epochs=3, batch_size=None),
    "gradient_descent_sliced": GradientDescent(0.05, epochs=3, batch_size=290),
    "gradient_descent_clipped": GradientDescent(0.05, epochs=3, clip_norm=0.1),
    "momentum": Momentum(0.02, epochs=3, momentum=0.8, dampening=0.5, l2=1e-3),
    "nesterov": Momentum(0.02, epochs=3, nesterov=True, shuffle=False),
    "rmsprop": RMSprop(0.01, epochs=3, l1=1e-3),
    "adam": Adam(0.01, epochs=3),
    "adam_stopped": Adam(0.2, epochs=40, early_stopping=EarlyStopping(patience=2)),
    "adamw": AdamW(0.01, epochs=3, weight_decay=0.1),
    "step": GradientDescent(StepDecay(0.1, 0.5, 10), epochs=3),
    "exponential": GradientDescent(ExponentialDecay(0.1, 0.95), epochs=3),
    "cosine": GradientDescent(WarmUp(5, CosineDecay(0.1, 25)), epochs=3),
}

CASES: dict[str, Callable[[], Model]] = {}
for dtype in ("float32", "float64"):
    for name in ACTIVATIONS:
        network = Network([Dense(5, name, initializer=0.3), Dense(4, name), Dense(3)])
        CASES[f"{name} {dtype}"] = lambda network=network, dtype=dtype: trained(
            network, Adam(0.01, epochs=2), dtype
        )
    for name in LOSSES:
        network = Network([Dense(5, "relu"), Dense(3)], loss=name)
        CASES[f"{name} {dtype}"] = lambda network=network, dtype=dtype: trained(
            network, Momentum(0.01, epochs=2), dtype
        )
    for name, optimizer in OPTIMIZERS.items():
        CASES[f"{name} {dtype}"] = lambda optimizer=optimizer, dtype=dtype: trained(SMALL, optimizer, dtype)
    CASES[f"weighted {dtype}"] = lambda dtype=dtype: trained(SMALL, Adam(epochs=3), dtype, weighted=True)
    CASES[f"dropout {dtype}"] = lambda dtype=dtype: trained(DROPPED, Adam(epochs=3), dtype)
for name in INITIALIZERS:
    network = Network([Dense(5, initializer=name), Dense(3, initializer="lecun_normal")])
    CASES[f"{name} float64"] = lambda network=network: trained(network, GradientDescent(epochs=1), "float64")


def digest(name: str) -> str:
    model = CASES[name]()
    assert model.state == "done"
    return model.digest()


@pytest.mark.parametrize("name", CASES)
def test_the_bits_are_those_of_this_numerics_version(name: str) -> None:
    golden = json.loads(GOLDEN.read_text())
    assert golden["numerics_version"] == NUMERICS_VERSION
    assert digest(name) == golden["digests"][name]


def test_no_golden_digest_is_left_over() -> None:
    assert sorted(json.loads(GOLDEN.read_text())["digests"]) == sorted(CASES)


if __name__ == "__main__":
    content = {"numerics_version": NUMERICS_VERSION, "digests": {name: digest(name) for name in CASES}}
    GOLDEN.write_text(json.dumps(content, indent=1) + "\n")
