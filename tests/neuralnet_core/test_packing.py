"""Packs: which networks may train together, how full the registers are, and in which way a pack trains."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralnet_core import (
    Adam,
    Dense,
    Dropout,
    GradientDescent,
    Momentum,
    Network,
    Optimizer,
    Pack,
    Way,
    engine_info,
    plan_packs,
    train_many,
    training_cost,
)
from neuralnet_core.engine.dispatch import kernel

LANES = engine_info().lanes["float32"]

NETWORKS = [
    Network([Dense(4, "relu"), Dense(1)]),
    Network([Dense(4, "tanh"), Dense(1)]),
    Network([Dense(5, "relu"), Dense(1)]),
    Network([Dense(4, "relu"), Dense(1)], loss="mae"),
    Network([Dense(4, "relu"), Dropout(0.1), Dense(1)]),
    Network([Dense(150, "relu"), Dense(1)]),
]
LIKE = [0, 1, 0, 3, 4, 0]  # networks that differ in width alone may share a pack
OPTIMIZERS = [Adam(), Adam(epochs=3), Momentum(), Momentum(nesterov=True), Adam(batch_size=8)]

ADAM = Adam()


def packs_of(
    networks: Sequence[Network],
    optimizers: Sequence[Optimizer] | Optimizer = ADAM,
    inputs: int = 2,
    orders: Sequence[Hashable] | None = None,
    keys: Sequence[Hashable] | None = None,
    rows: int = 200,
) -> list[Pack]:
    """Return the packs of networks that are all trained on so many rows."""
    each = [optimizers] * len(networks) if isinstance(optimizers, Optimizer) else optimizers
    lengths = [(rows, 0)] * len(networks)
    return plan_packs(networks, each, inputs, lengths=lengths, orders=orders, keys=keys)


def test_like_networks_fill_packs() -> None:
    packs = packs_of([NETWORKS[0]] * (3 * LANES))
    assert [len(pack.members) for pack in packs] == [LANES, LANES, LANES]
    assert {pack.way.mode for pack in packs} == {"networks"}


def test_rates_penalties_initializers_and_dropout_rates_may_differ_in_a_pack() -> None:
    networks = [Network([Dense(4, initializer=0.1), Dropout(rate), Dense(1)]) for rate in (0.0, 0.5)]
    optimizers = [Adam(1e-3, l2=1e-4), Adam(1.0, l1=1.0)]
    (pack,) = packs_of(networks * (LANES // 2), optimizers * (LANES // 2))
    assert sorted(pack.members) == list(range(LANES))


@given(
    kinds=st.lists(
        st.tuples(st.sampled_from(range(6)), st.sampled_from(range(5)), st.integers(0, 3)), max_size=120
    )
)
def test_packs_are_a_partition_of_like_networks(kinds: list[tuple[int, int, int]]) -> None:
    networks = [NETWORKS[network] for network, _, _ in kinds]
    optimizers = [OPTIMIZERS[optimizer] for _, optimizer, _ in kinds]
    packs = packs_of(networks, optimizers, orders=[order for _, _, order in kinds])
    assert sorted(index for pack in packs for index in pack.members) == list(range(len(kinds)))
    likes = [(LIKE[network], optimizer) for network, optimizer, _ in kinds]
    for pack in packs:
        assert len(pack.members) <= LANES
        assert len({likes[index] for index in pack.members}) == 1
        assert (pack.way.mode == "networks") == (len(pack.members) > 1)


@given(counts=st.lists(st.integers(0, 40), min_size=6, max_size=6), orders=st.integers(1, 5))
def test_no_plan_is_dearer_than_every_network_alone(counts: list[int], orders: int) -> None:
    networks = [network for network, count in zip(NETWORKS, counts, strict=True) for _ in range(count)]
    packs = packs_of(networks, orders=[index % orders for index in range(len(networks))])
    alone = sum(packs_of([network])[0].seconds for network in networks)
    assert sum(pack.seconds for pack in packs) <= alone * (1 + 1e-9)


def test_a_plan_is_a_function_of_what_is_planned() -> None:
    networks = [NETWORKS[index % 6] for index in range(100)]
    again = [Network(network.layers, network.loss) for network in networks]
    assert packs_of(networks) == packs_of(again)


def test_full_packs_share_one_order_before_the_rest_is_mixed() -> None:
    orders = [order for order in "abcdefgh" for _ in range(LANES + LANES // 8)]
    packs = packs_of([NETWORKS[0]] * len(orders), orders=orders)
    found = [sorted({orders[index] for index in pack.members}) for pack in packs]
    assert found[:8] == [[order] for order in "abcdefgh"]
    assert [len(pack.members) for pack in packs[:8]] == [LANES] * 8
    assert len(packs) < 8 + 8  # the rest of an order is no pack of its own


def test_packs_are_sorted_by_size_so_that_little_is_padding() -> None:
    widths = list(range(1, 4 * LANES + 1))
    networks = [Network([Dense(width // 4 + 1, "relu"), Dense(1)]) for width in reversed(widths)]
    spans = [sorted(networks[index].layers[0].units for index in pack.members) for pack in packs_of(networks)]
    assert sorted(width for span in spans for width in span) == sorted(width // 4 + 1 for width in widths)
    for before, after in zip(sorted(spans), sorted(spans)[1:], strict=False):
        assert before[-1] <= after[0]


def test_networks_that_would_be_mostly_padding_do_not_share_a_pack() -> None:
    networks = [Network([Dense(a), Dense(b), Dense(1)]) for a, b in [(4, 64), (64, 4)]]
    assert len(packs_of(networks)) == 2


def test_keys_keep_networks_apart() -> None:
    keys = ["x", "y"] * LANES
    packs = packs_of([NETWORKS[0]] * 2 * LANES, keys=keys)
    assert [{keys[index] for index in pack.members} for pack in packs] == [{"x"}, {"y"}]


def test_a_wide_network_with_large_batches_has_the_registers_for_its_units() -> None:
    wide = Network([Dense(128, "relu"), Dense(10)], loss="softmax_cross_entropy")
    packs = packs_of([wide] * 16, GradientDescent(epochs=2, batch_size=128), inputs=784, rows=4096)
    assert [pack.way.mode for pack in packs] == ["units"] * 16


def test_one_network_on_a_large_full_batch_has_the_registers_for_slices_of_the_samples() -> None:
    network = Network([Dense(5, "relu"), Dense(4, "relu"), Dense(2, "relu"), Dense(1)])
    (pack,) = packs_of([network], GradientDescent(batch_size=None), rows=1000)
    assert pack.way.mode == "slices"


@pytest.mark.parametrize(("layers", "expected"), [([Dense(10)], 2), ([Dense(8), Dense(10)], 2)])
def test_the_cost_counts_the_multiply_adds_of_the_products(layers: list[Dense], expected: int) -> None:
    cost = training_cost(Network(layers), Adam(epochs=5), 4, n_train=7, n_validation=3)
    forward = 4 * 10 if len(layers) == 1 else 4 * 8 + 8 * 10
    weight_gradients, input_gradients = forward, 0 if len(layers) == 1 else 8 * 10
    assert cost == expected * 5 * (7 * (forward + weight_gradients + input_gradients) + 3 * forward)


# --- Packs that are given -------------------------------------------------------------------------------------

WAY = Way("networks", "baseline")
X, Y = np.linspace(0, 1, 40)[:, None], np.linspace(1, 2, 40)


@pytest.mark.parametrize(
    ("packs", "message"),
    [
        ([], "packs must hold each of the 3 networks once"),
        ([Pack((0, 1), WAY, 0.0)], "packs must hold each of the 3 networks once"),
        ([Pack((0, 1, 2, 2), WAY, 0.0)], "packs must hold each of the 3 networks once"),
        ([Pack((0, 1, 2), WAY, 0.0)], r"networks \(0, 1, 2\) are not alike"),
        (
            [Pack((0, 1), Way("units", "baseline"), 0.0), Pack((2,), WAY, 0.0)],
            "must hold 1 to 1 networks, got 2",
        ),
        ([Pack((0, 1), Way("lanes", "baseline"), 0.0), Pack((2,), WAY, 0.0)], "mode must be one of networks"),
        ([Pack((0, 1), Way("networks", "v9"), 0.0), Pack((2,), WAY, 0.0)], "instruction_set must be one of"),
        ([Pack([0, 1], WAY, 0.0), Pack((2,), WAY, 0.0)], r"members must be a tuple of int, got \[0, 1\]"),
        ([Pack((0.0, 1.0), WAY, 0.0), Pack((2,), WAY, 0.0)], "members must be a tuple of int"),
        ([Pack(None, WAY, 0.0)], "members must be a tuple of int, got None"),
        ([Pack((0, 1), ("networks", "v3"), 0.0), Pack((2,), WAY, 0.0)], "way must be a Way, got"),
        ([Pack((0, 1), None, 0.0), Pack((2,), WAY, 0.0)], "way must be a Way, got None"),
        ([Pack((0, 1), WAY, "1"), Pack((2,), WAY, 0.0)], "seconds must be a finite number >= 0, got '1'"),
        ([Pack((0, 1), WAY, float("nan")), Pack((2,), WAY, 0.0)], "seconds must be a finite number >= 0"),
        ([Pack((0, 1), WAY, 10**400), Pack((2,), WAY, 0.0)], "seconds must be a finite number >= 0"),
    ],
)
def test_packs_that_cannot_be_get_one_clear_line(packs: list[Pack], message: str) -> None:
    networks = [NETWORKS[0], NETWORKS[2], NETWORKS[1]]
    with pytest.raises((TypeError, ValueError), match=message) as caught:
        train_many(networks, Adam(), X, Y, seeds=0, packs=packs)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"dtype": "f4"}, "dtype must be one of float32, float64; got 'f4'"),
        ({"lengths": [(0, 0)] * 3}, "the rows that a network is trained on must be >= 1, got 0"),
        ({"lengths": [(5, -1)] * 3}, "the rows that a network is validated on must be >= 0, got -1"),
        ({"lengths": [(float("nan"), 0)] * 3}, "the rows that a network is trained on must be an integer"),
        ({"lengths": [[5, 0]] * 3}, r"lengths must be tuples .*, got \[5, 0\]"),
        (
            {"lengths": [([5], 0)] * 3},
            r"the rows that a network is trained on must be an integer.*, got \[5\]",
        ),
        ({"lengths": [40] * 3}, "lengths must be tuples .*, got 40"),
        ({"lengths": [(5, 0, 0)] * 3}, r"lengths must be tuples .*, got \(5, 0, 0\)"),
        ({"lengths": [(5, 0)]}, "one of each for every network; got 3 networks, 3 optimizers, 1 lengths"),
        ({"orders": [0]}, "one of each for every network; got .* 1 orders"),
        ({"networks": [5] * 3}, "networks must be Network values, got 5"),
        ({"optimizers": [5] * 3}, "optimizers must be values such as Adam"),
        ({"epochs": 0}, "epochs must be >= 1, got 0"),
    ],
)
def test_what_cannot_be_planned_gets_one_clear_line(changed: dict[str, Any], message: str) -> None:
    given = {
        "networks": NETWORKS[:3],
        "optimizers": [Adam()] * 3,
        "input_shape": 1,
        "lengths": [(40, 0)] * 3,
    }
    with pytest.raises((TypeError, ValueError), match=message) as caught:
        plan_packs(**(given | changed))
    assert "\n" not in str(caught.value)


def test_more_networks_than_lanes_are_no_pack() -> None:
    count = kernel("float32", "baseline").lanes + 1
    with pytest.raises(ValueError, match=f"must hold 1 to {count - 1} networks, got {count}"):
        train_many([NETWORKS[0]] * count, Adam(), X, Y, seeds=0, packs=[Pack(tuple(range(count)), WAY, 0.0)])


def test_networks_that_may_skip_other_minibatches_are_not_alike() -> None:
    weights = np.r_[np.zeros(32), np.ones(8)]
    packs = [Pack((0, 1), WAY, 0.0)]
    with pytest.raises(ValueError, match="not alike"):
        train_many(NETWORKS[0], Adam(), X, Y, seeds=[0, 1], sample_weight=weights, packs=packs)
