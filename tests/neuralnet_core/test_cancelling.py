"""A cancel token ends a training amid an epoch: the kernels look for it as they go, whatever takes long in them."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from neuralnet_core import (
    Adam,
    CancelToken,
    Dense,
    GradientDescent,
    Network,
    Optimizer,
    TrainingCancelled,
    rounds,
    train_many,
)
from neuralnet_core.engine.dispatch import instruction_sets, kernel
from neuralnet_core.lanes import Lane, Setting
from neuralnet_core.plans import PackData, make_plan
from neuralnet_core.ways import MODES, Mode, Way

WIDE = Network([Dense(256, "relu"), Dense(1)])
RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(1000, 10)), RANDOM.normal(size=(1000, 1))
EVERY_ROW_OFTEN = np.resize(np.arange(1000), 4_000_000)


def cancelled_as_soon_as_it_trains(monkeypatch: pytest.MonkeyPatch, **options: Any) -> Any:
    """Train networks of one epoch, cancel from another thread, return the pack that was cancelled."""
    token, training, packs = CancelToken(), threading.Event(), []

    def advance(pack: Any, epochs: int, train: Any = rounds.advance) -> None:
        packs.append(pack)
        training.set()
        train(pack, epochs)

    def cancel() -> None:
        training.wait()
        token.cancel()

    monkeypatch.setattr(rounds, "advance", advance)
    other = threading.Thread(target=cancel)
    other.start()
    try:
        with pytest.raises(TrainingCancelled, match="training was cancelled"):
            train_many(WIDE, GradientDescent(1e-9, epochs=1, batch_size=None), X, Y, cancel=token, **options)
    finally:
        training.set()
        other.join()
    return packs[0]


def epochs_and_updates(pack: Any) -> tuple[int, int]:
    return pack.state(0)[:2]


@pytest.mark.parametrize("count", [1, 8])
def test_a_training_ends_amid_its_only_minibatch(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    pack = cancelled_as_soon_as_it_trains(monkeypatch, seeds=range(count), rows=EVERY_ROW_OFTEN)
    assert epochs_and_updates(pack) == (0, 0)


def test_a_training_ends_amid_its_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    pack = cancelled_as_soon_as_it_trains(
        monkeypatch, seeds=range(8), rows=[0, 1], validation_rows=EVERY_ROW_OFTEN
    )
    assert epochs_and_updates(pack)[0] == 0


def polls_of_an_epoch(
    way: Way, network: Network, optimizer: Optimizer, *, inputs: int, rows: int, held_out: int = 0
) -> int:
    """Return how often an epoch looks for the flag."""
    count = 1 if way.mode != "networks" else kernel("float32", way.instruction_set).lanes
    features = np.zeros((1000, inputs), np.float32)
    data = PackData(features, np.zeros((1000, 1), np.float32))
    every, validation = np.resize(np.arange(1000), rows), np.resize(np.arange(1000), held_out)
    setting = Setting(network, optimizer, (inputs,), every, validation if held_out else None)
    lanes = [Lane(setting, seed) for seed in range(count)]
    pack = rounds.open_pack(make_plan(lanes, data, CancelToken().flag, way=way))
    pack.train(1)
    return int(pack.polls())


BEST = instruction_sets()[0]
# Samples that a millisecond is enough for, by far, where a layer has 256 units.
FEW = 130


@pytest.mark.parametrize("mode", MODES)
def test_every_few_samples_are_looked_after(mode: Mode) -> None:
    way = Way(mode, BEST)
    step = GradientDescent(1e-3, epochs=1, batch_size=None)
    narrow = Network([Dense(2, "relu"), Dense(1)])
    assert polls_of_an_epoch(way, narrow, step, inputs=3, rows=100_000) >= 100_000 / 8 / FEW
    assert polls_of_an_epoch(way, narrow, step, inputs=3, rows=8, held_out=100_000) >= 100_000 / 8 / FEW


@pytest.mark.parametrize("mode", ["networks", "units"])
def test_every_product_of_a_wide_layer_is_looked_after(mode: Mode) -> None:
    """Four products a chunk: forward twice, the second layer's inputs, both layers' weights; two are wide."""
    step = GradientDescent(1e-3, epochs=1, batch_size=None)
    network = Network([Dense(512, "relu"), Dense(512, "relu"), Dense(1)])
    chunks = 256 / 128
    found = polls_of_an_epoch(Way(mode, BEST), network, step, inputs=784, rows=256)
    assert found >= chunks * (1 + 2 + 2 + 1)


def test_a_long_order_is_looked_after_as_it_is_drawn() -> None:
    network, step = Network([Dense(1)]), GradientDescent(1e-3, epochs=1, batch_size=99_999)
    way = Way("networks", BEST)
    drawn = polls_of_an_epoch(way, network, step, inputs=1, rows=100_000)
    full = polls_of_an_epoch(
        way, network, GradientDescent(1e-3, epochs=1, batch_size=None), inputs=1, rows=100_000
    )
    lanes = kernel("float32", BEST).lanes
    assert drawn - full >= 100_000 * lanes // (1 << 14)


def test_a_step_of_many_parameters_that_is_not_fused_is_looked_after() -> None:
    network, way = Network([Dense(1024, "relu"), Dense(1)]), Way("networks", BEST)
    fused, apart = (
        polls_of_an_epoch(
            way, network, Adam(1e-3, epochs=1, batch_size=None, clip_norm=limit), inputs=784, rows=8
        )
        for limit in (None, 1.0)
    )
    assert apart > fused
