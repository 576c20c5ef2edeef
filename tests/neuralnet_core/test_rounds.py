"""Survivors of packs move into others: the same bits, whenever and wherever to; and less is computed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from neuralnet_core import (
    Adam,
    AdamW,
    Dense,
    Dropout,
    EarlyStopping,
    GradientDescent,
    Model,
    Momentum,
    Network,
    Optimizer,
    RMSprop,
    rounds,
    train_many,
)
from neuralnet_core.engine.dispatch import instruction_sets, kernel
from neuralnet_core.packing import Pack
from neuralnet_core.ways import Way

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(90, 4))
Y = np.c_[X[:, 0] * X[:, 1], X[:, 2]] + RANDOM.normal(size=(90, 2))
TRAINED, HELD_OUT = np.arange(60), np.arange(60, 90)
OPTIMIZERS: dict[str, Optimizer] = {
    "gradient descent": GradientDescent(0.05),
    "momentum": Momentum(0.01, clip_norm=0.5),
    "nesterov": Momentum(0.01, nesterov=True, l1=1e-4),
    "rmsprop": RMSprop(0.01),
    "adam": Adam(0.02),
    "adamw": AdamW(0.02, batch_size=None),
    "unshuffled": Adam(0.02, shuffle=False),
}
COUNT = 40


def networks(count: int) -> list[Network]:
    """Return networks of several widths."""
    return [Network([Dense(3 + place % 5, "tanh"), Dropout(0.1), Dense(2)]) for place in range(count)]


def optimizers(kind: Optimizer, patience: list[int | None], restore_best: bool = True) -> list[Optimizer]:
    """Return optimizers with a rate and a patience for each; None never stops, 0 diverges."""
    found = []
    for place, wanted in enumerate(patience):
        rate = kind.learning_rate * (1 + place % 3)
        early = None
        if wanted:
            early = EarlyStopping(patience=wanted, restore_best=restore_best)
        found.append(
            replace(kind, learning_rate=1e25 if wanted == 0 else rate, early_stopping=early, epochs=40)
        )
    return found


def train(given: list[Optimizer], dtype: str = "float32", packs: list[Pack] | None = None) -> list[Model]:
    count = len(given)
    seeds = [place % 3 for place in range(count)]
    rows: dict[str, Any] = {"rows": [TRAINED] * count, "validation_rows": [HELD_OUT] * count}
    return train_many(networks(count), given, X, Y, seeds=seeds, dtype=dtype, packs=packs, **rows)


def bits(models: list[Model]) -> list[tuple[Any, ...]]:
    """Return all that came of trainings."""
    return [
        (
            model.state,
            model.epoch,
            model.digest(),
            *(values.tobytes() for values in model.history_arrays.values()),
        )
        for model in models
    ]


def packs_of(count: int, dtype: str = "float32") -> list[Pack]:
    """Return packs of networks as they come."""
    way = Way("networks", instruction_sets()[0])
    lanes = kernel(dtype, way.instruction_set).lanes
    return [
        Pack(tuple(range(start, min(start + lanes, count))), way, 1.0) for start in range(0, count, lanes)
    ]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list of how many networks every pack that is opened has; they move whenever one has ended."""
    seen: list[int] = []
    open_pack = rounds.open_pack

    def counted(plan: Any) -> Any:
        seen.append(len(plan.seeds))
        return open_pack(plan)

    monkeypatch.setattr(rounds, "open_pack", counted)
    monkeypatch.setattr(rounds, "WORTH_A_MOVE", np.inf)
    monkeypatch.setattr(rounds, "SHORTEST_ROUND", 0.0)
    monkeypatch.setattr(rounds, "SECONDS_PER_BYTE", 0.0)
    return seen


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", OPTIMIZERS)
@pytest.mark.filterwarnings("ignore:.*diverged:RuntimeWarning")
def test_early_stopping_at_very_different_epochs(kind: str, dtype: str, opened: list[int]) -> None:
    patience = [place % 8 or None for place in range(COUNT)]
    given = optimizers(OPTIMIZERS[kind], patience)
    models = train(given, dtype, packs_of(COUNT, dtype))
    assert len({len(model.history_arrays["train_loss"]) for model in models}) > 4
    assert len(opened) > len(packs_of(COUNT, dtype))  # they did move
    alone = [Pack((place,), Way("units", instruction_sets()[-1]), 1.0) for place in range(COUNT)]
    assert bits(models) == bits(train(given, dtype, alone))


@pytest.mark.filterwarnings("ignore:.*diverged:RuntimeWarning")
@hypothesis.settings(max_examples=60, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(
    kind=st.sampled_from(list(OPTIMIZERS)),
    patience=st.lists(st.sampled_from([None, 0, 1, 2, 3, 5, 9]), min_size=1, max_size=COUNT),
    restore_best=st.booleans(),
)
def test_whoever_ends_when_each_network_is_what_it_is_alone(
    kind: str, patience: list[int | None], restore_best: bool, opened: list[int]
) -> None:
    given = optimizers(OPTIMIZERS[kind], patience, restore_best)
    alone = [Pack((place,), Way("networks", "baseline"), 1.0) for place in range(len(given))]
    assert bits(train(given, packs=packs_of(len(given)))) == bits(train(given, packs=alone))


@pytest.mark.filterwarnings("ignore:.*diverged:RuntimeWarning")
def test_survivors_of_divergence_close_up(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    open_pack = rounds.open_pack
    monkeypatch.setattr(rounds, "open_pack", lambda plan: seen.append(len(plan.seeds)) or open_pack(plan))
    lanes = kernel("float32").lanes
    rates = [1e25 if place % 4 else 0.01 for place in range(4 * lanes)]
    optimizers = [GradientDescent(rate, epochs=2000) for rate in rates]
    network = Network([Dense(4, "relu"), Dense(2)])
    models = train_many(network, optimizers, X, Y, seeds=0)
    assert seen == [*[lanes] * 4, lanes]
    assert [model.state for model in models] == ["done" if rate < 1 else "diverged" for rate in rates]


def test_networks_that_all_go_on_stay_where_they_are(opened: list[int]) -> None:
    given = optimizers(Adam(0.01), [None] * COUNT)
    assert bits(train(given)) == bits(train(given))
    assert sum(opened) == 2 * COUNT


def test_no_more_packs_train_at_a_time_than_there_is_memory_for(
    monkeypatch: pytest.MonkeyPatch, opened: list[int]
) -> None:
    given = optimizers(Adam(0.02), [place % 8 or None for place in range(COUNT)])
    expected = bits(train(given))
    monkeypatch.setattr(rounds, "MOST_BYTES", 1)
    assert bits(train(given)) == expected


def test_the_memory_of_long_histories_counts(monkeypatch: pytest.MonkeyPatch, opened: list[int]) -> None:
    def stop(pack: Any, epochs: int) -> None:
        raise RuntimeError("packs are open")

    monkeypatch.setattr(rounds, "advance", stop)
    epochs = rounds.MOST_BYTES // (24 * kernel("float32").lanes)
    network = Network([Dense(2)])
    with pytest.raises(RuntimeError, match="packs are open"):
        train_many(network, GradientDescent(0.01, epochs=epochs), X, Y, seeds=range(100))
    assert len(opened) == 1
