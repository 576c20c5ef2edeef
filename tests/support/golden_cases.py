"""The trainings whose bits are committed: every layer, loss, optimizer and way of summing, in both widths."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from neuralnet_core import (
    ACTIVATIONS,
    INITIALIZERS,
    LOSSES,
    Adam,
    AdamW,
    CosineDecay,
    Dense,
    Dropout,
    EarlyStopping,
    ExponentialDecay,
    GradientDescent,
    Momentum,
    Network,
    Optimizer,
    RMSprop,
    StepDecay,
    WarmUp,
    engine_info,
    train_many,
)

SEED = 11

# Data by exact arithmetic: no library's sine or draws stand between two machines.
N = 300
X = ((np.arange(N * 4) * 7919) % 1009).reshape(N, 4) / 504.0 - 1.0
TARGETS: dict[str, np.ndarray] = {
    "regression": X[:, :3] * 2.0 - X[:, 1:],
    "binary": (X[:, :3] > X[:, 1:]).astype(float),
    "classes": (X[:, 0] > 0).astype(int) + (X[:, 1] > 0),
}
WEIGHTS = (np.arange(N) % 5).astype(float)


@dataclass(frozen=True)
class Case:
    """What to train, how, and whether the samples have weights."""

    network: Network
    optimizer: Optimizer
    weighted: bool = False

    def digests(self, dtype: str, optimizers: list[Optimizer], seeds: list[int]) -> list[str]:
        """Train a network for each optimizer and seed, all of them together, and return their digests."""
        y = TARGETS[LOSSES[self.network.loss].kind]
        models = train_many(
            self.network,
            optimizers,
            X,
            y,
            seeds=seeds,
            sample_weight=WEIGHTS if self.weighted else None,
            validation=(X[:70], y[:70]),
            dtype=dtype,
        )
        assert {model.state for model in models} == {"done"}
        return [model.digest() for model in models]


SMALL = Network([Dense(6, "tanh"), Dense(3)])
DROPPED = Network([Dropout(0.1), Dense(6, "relu"), Dropout(0.5), Dense(3)])
# More units than a block of the product holds, in numbers that no tile divides.
WIDE = Network([Dense(131, "relu"), Dense(9, "tanh"), Dense(3)])
DEEP = Network([Dense(7, "silu"), Dense(5, "elu"), Dense(6, "softplus"), Dense(4, "gelu"), Dense(3)])
UNBIASED = Network([Dense(6, "tanh", bias=False), Dense(3, bias=False)])
SLICED = {"epochs": 3, "batch_size": None}  # the 300 samples are summed in eight slices

CASES_OF_A_WIDTH: dict[str, Case] = {
    **{
        name: Case(Network([Dense(5, name, initializer=0.3), Dense(4, name), Dense(3)]), Adam(0.01, epochs=2))
        for name in ACTIVATIONS
    },
    **{
        name: Case(Network([Dense(5, "relu"), Dense(3)], loss=name), Momentum(0.01, epochs=2))
        for name in LOSSES
    },
    "gradient_descent": Case(SMALL, GradientDescent(0.05, epochs=3)),
    "gradient_descent_full_batch": Case(SMALL, GradientDescent(0.05, **SLICED)),
    "gradient_descent_sliced": Case(SMALL, GradientDescent(0.05, epochs=3, batch_size=290)),
    "gradient_descent_one_by_one": Case(SMALL, GradientDescent(0.01, epochs=1, batch_size=1)),
    "gradient_descent_clipped": Case(SMALL, GradientDescent(0.05, epochs=3, clip_norm=0.1)),
    "momentum": Case(SMALL, Momentum(0.02, epochs=3, momentum=0.8, dampening=0.5, l2=1e-3)),
    "momentum_sliced": Case(SMALL, Momentum(0.02, momentum=0.8, clip_norm=0.3, l1=1e-3, l2=1e-3, **SLICED)),
    "nesterov": Case(SMALL, Momentum(0.02, epochs=3, nesterov=True, shuffle=False)),
    "rmsprop": Case(SMALL, RMSprop(0.01, epochs=3, l1=1e-3)),
    "adam": Case(SMALL, Adam(0.01, epochs=3)),
    "adam_stopped": Case(SMALL, Adam(0.2, epochs=40, early_stopping=EarlyStopping(patience=2))),
    "adamw": Case(SMALL, AdamW(0.01, epochs=3, weight_decay=0.1)),
    "step": Case(SMALL, GradientDescent(StepDecay(0.1, 0.5, 10), epochs=3)),
    "exponential": Case(SMALL, GradientDescent(ExponentialDecay(0.1, 0.95), epochs=3)),
    "cosine": Case(SMALL, GradientDescent(WarmUp(5, CosineDecay(0.1, 25)), epochs=3)),
    "weighted": Case(SMALL, Adam(epochs=3), weighted=True),
    "weighted_sliced": Case(SMALL, Adam(**SLICED), weighted=True),
    "dropout": Case(DROPPED, Adam(epochs=3)),
    "dropout_sliced": Case(DROPPED, AdamW(weight_decay=0.1, **SLICED)),
    "wide": Case(WIDE, Adam(epochs=2)),
    "wide_large_batches": Case(WIDE, Momentum(0.01, epochs=2, batch_size=150, clip_norm=1.0)),
    "wide_sliced": Case(WIDE, Momentum(0.01, **SLICED)),
    "deep": Case(DEEP, Adam(0.01, epochs=2, l2=1e-3)),
    "unbiased": Case(UNBIASED, Adam(epochs=3)),
}
INITIALIZED = {
    name: Case(
        Network([Dense(5, initializer=name), Dense(3, initializer="lecun_normal")]), GradientDescent(epochs=1)
    )
    for name in INITIALIZERS
}
CASES: dict[str, tuple[Case, str]] = {
    **{
        f"{name} {dtype}": (case, dtype)
        for dtype in ("float32", "float64")
        for name, case in CASES_OF_A_WIDTH.items()
    },
    **{f"{name} float64": (case, "float64") for name, case in INITIALIZED.items()},
}


def alone(name: str) -> str:
    """Return the digest of a case's network, trained by itself."""
    case, dtype = CASES[name]
    return case.digests(dtype, [case.optimizer], [SEED])[0]


def in_packs(name: str) -> list[str]:
    """Return the digests of the same network among others: in packs of one order of samples, and of an order a lane.

    The others fill a register, so that the first and the last network are in different ones.
    """
    case, dtype = CASES[name]
    neighbours = engine_info().lanes[dtype]
    others = [replace(case.optimizer, l2=0.001 * place) for place in range(1, neighbours + 1)]
    optimizers = [case.optimizer, *others, case.optimizer]
    shared = case.digests(dtype, optimizers, [SEED] * len(optimizers))
    own = case.digests(dtype, optimizers, [SEED, *range(100, 100 + neighbours), SEED])
    return [shared[0], shared[-1], own[0], own[-1]]
