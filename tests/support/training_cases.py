"""Trainings that two implementations are compared on, spread so that every pair of features occurs together.

Plain values only: the tests of the engine and those against PyTorch read the same list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from neuralnet_core import (
    ACTIVATIONS,
    LOSSES,
    Adam,
    AdamW,
    CosineDecay,
    Dense,
    Dropout,
    ExponentialDecay,
    GradientDescent,
    Layer,
    Momentum,
    Network,
    Optimizer,
    RMSprop,
    StepDecay,
    WarmUp,
)

Array = NDArray[np.float64]

# Name -> (class, rate that converges, its own options).
OPTIMIZERS = {
    "gradient_descent": (GradientDescent, 0.03, {}),
    "momentum": (Momentum, 0.005, {"momentum": 0.9}),
    "averaged_momentum": (Momentum, 0.03, {"momentum": 0.8, "dampening": 0.8}),
    "nesterov": (Momentum, 0.004, {"momentum": 0.9, "nesterov": True}),
    "rmsprop": (RMSprop, 0.001, {"decay": 0.9}),
    "adam": (Adam, 0.003, {"beta1": 0.85, "beta2": 0.99}),
    "adamw": (AdamW, 0.003, {"weight_decay": 0.1}),
}

# Name -> the schedule of a rate; the updates are chosen so that every piece of the schedule is used.
SCHEDULES = {
    "constant": lambda rate: rate,
    "step": lambda rate: StepDecay(rate, factor=0.5, every=70),
    "exponential": lambda rate: ExponentialDecay(rate, decay=0.995),
    "cosine": lambda rate: CosineDecay(rate, updates=150, final=rate / 10),
    "warm_up": lambda rate: WarmUp(updates=40, after=CosineDecay(rate, updates=400)),
}

# Name -> (rows, minibatch size, epochs): at least 200 updates each. Sums over more than 256 samples are sliced.
BATCHES = {
    "short last": (45, 16, 70),
    "full batch": (45, None, 200),
    "larger than the data": (45, 64, 200),
    "sliced full batch": (300, None, 200),
    "sliced and a short last": (300, 257, 100),
}

FACTORS: dict[str, tuple[object, ...]] = {
    "activation": tuple(ACTIVATIONS),
    "loss": tuple(LOSSES),
    "optimizer": tuple(OPTIMIZERS),
    "schedule": tuple(SCHEDULES),
    "batches": tuple(BATCHES),
    "depth": (1, 2, 3, 4),
    "weights": ("none", "positive", "zeros"),
    "clipping": (False, True),
    "l1": (0.0, 0.002),
    "l2": (0.0, 0.01),
    "dropout": (False, True),
    "bias": (True, False),
    "shuffle": (True, False),
}

Row = Mapping[str, object]
Pair = tuple[str, object, str, object]


@dataclass(frozen=True)
class TrainingCase:
    """A training: what to train, from what start, on what."""

    row: Row
    network: Network
    optimizer: Optimizer
    seed: int
    X: Array
    y: Array
    weights: Array | None
    validation: tuple[Array, Array]
    initial: dict[str, Array]

    def __str__(self) -> str:
        return "-".join(str(self.row[name]) for name in ("activation", "loss", "optimizer", "depth"))

    @property
    def targets(self) -> Array:
        """The targets as the losses take them: (n, outputs), or (n, 1) labels."""
        return as_targets(self.y)


def as_targets(y: Array) -> Array:
    return y.reshape(len(y), -1).astype(np.float64)


def pairs_of(row: Row) -> Iterator[Pair]:
    for a, b in combinations(row, 2):
        yield a, row[a], b, row[b]


def every_pair() -> set[Pair]:
    return {(a, x, b, y) for a, b in combinations(FACTORS, 2) for x, y in product(FACTORS[a], FACTORS[b])}


@cache
def covering_rows() -> tuple[Row, ...]:
    """Rows of factors in which every pair of values occurs: greedily, the same list every time."""
    missing = every_pair()
    rows: list[Row] = []
    while missing:
        seed_pair = min(missing, key=repr)
        row: dict[str, object] = {seed_pair[0]: seed_pair[1], seed_pair[2]: seed_pair[3]}
        for turn, name in enumerate(name for name in FACTORS if name not in row):
            values = FACTORS[name]
            shifted = [values[(i + len(rows) + turn) % len(values)] for i in range(len(values))]
            row[name] = max(shifted, key=lambda value: _gain({**row, name: value}, name, missing))
        rows.append({name: row[name] for name in FACTORS})
        missing -= set(pairs_of(rows[-1]))
    return tuple(rows)


def _gain(row: Row, name: str, missing: set[Pair]) -> int:
    """How many missing pairs the value of `name` adds."""
    ordered = {key: row[key] for key in FACTORS if key in row}
    return sum(pair in missing for pair in pairs_of(ordered) if name in (pair[0], pair[2]))


@cache
def training_cases() -> tuple[TrainingCase, ...]:
    return tuple(_case(number, row) for number, row in enumerate(covering_rows()))


def _case(number: int, row: Row) -> TrainingCase:
    random = np.random.default_rng(number)
    network = _network(row, number)
    rows, batch_size, epochs = BATCHES[str(row["batches"])]
    X = random.normal(size=(rows, 5))
    held_out = random.normal(size=(23, 5))
    layout = network.build(5)
    outputs = layout.output_shape[0]
    initial = network.initialize(number, input_shape=5, dtype="float64")
    for slot in layout.parameters:
        if slot.parameter.name == "bias":
            initial[slot.name] = random.normal(scale=0.1, size=slot.shape)
    kind, rate, own = OPTIMIZERS[str(row["optimizer"])]
    optimizer = kind(
        SCHEDULES[str(row["schedule"])](rate),
        epochs=epochs,
        batch_size=batch_size,
        l1=row["l1"],
        l2=row["l2"],
        clip_norm=0.5 if row["clipping"] else None,
        shuffle=row["shuffle"],
        **own,
    )
    return TrainingCase(
        row=row,
        network=network,
        optimizer=optimizer,
        seed=1000 + number,
        X=X,
        y=_targets(X, str(row["loss"]), outputs),
        weights=_weights(random, rows, str(row["weights"])),
        validation=(held_out, _targets(held_out, str(row["loss"]), outputs)),
        initial=initial,
    )


def _network(row: Row, number: int) -> Network:
    """A network whose layers take turns in their activations, beginning with the row's."""
    names = tuple(ACTIVATIONS)
    start, depth = names.index(str(row["activation"])), int(str(row["depth"]))
    outputs = 3 if row["loss"] == "softmax_cross_entropy" else 1 + number % 3
    layers: list[Layer] = [Dropout(0.1)] if row["dropout"] and depth == 1 else []
    for position in range(depth - 1):
        activation = names[(start + 3 * position) % len(names)]
        layers.append(Dense(3 + (number + 4 * position) % 9, activation, bias=bool(row["bias"])))
        if row["dropout"]:
            layers.append(Dropout(0.2 if position else 0.4))
    last = names[start] if depth == 1 else "identity"
    if (last, row["loss"]) == ("sigmoid", "binary_cross_entropy"):
        last = "tanh"  # the loss takes logits
    return Network([*layers, Dense(outputs, last, bias=bool(row["bias"]))], loss=str(row["loss"]))


def _targets(X: Array, loss: str, outputs: int) -> Array:
    """Something to learn: a smooth function, its sign, or which of three is largest."""
    wave = np.sin(X @ np.linspace(-1.0, 1.0, X.shape[1] * 3).reshape(-1, 3)) + 0.5 * X[:, :3]
    if LOSSES[loss].kind == "classes":
        return wave.argmax(axis=1)
    wave = wave[:, :outputs]
    return (wave > 0).astype(np.float64) if LOSSES[loss].kind == "binary" else wave


def _weights(random: np.random.Generator, rows: int, kind: str) -> Array | None:
    """Weights of the rows; "zeros" has many, among them the whole second minibatch if rows are not shuffled."""
    if kind == "none":
        return None
    weights = random.uniform(0.5, 2.0, rows)
    if kind == "zeros":
        weights[random.uniform(size=rows) < 0.3] = 0.0
        weights[16:32] = 0.0
    return weights


def largest_difference(a: Array, b: Array) -> float:
    """max|a - b| / max(1, max|b|); NaN where either is."""
    return float(np.abs(a - b).max() / max(1.0, np.abs(b).max()))
