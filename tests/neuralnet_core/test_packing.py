"""Packs: which networks may train together, and how full the registers are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralnet_core import Adam, Dense, Dropout, Momentum, Network, engine_info, plan_packs, training_cost

LANES = engine_info().lanes["float32"]

NETWORKS = [
    Network([Dense(4, "relu"), Dense(1)]),
    Network([Dense(4, "tanh"), Dense(1)]),
    Network([Dense(5, "relu"), Dense(1)]),
    Network([Dense(4, "relu"), Dense(1)], loss="mae"),
    Network([Dense(4, "relu"), Dropout(0.1), Dense(1)]),
]
LIKE = [0, 1, 0, 3, 4]  # networks that differ in width alone may share a pack
OPTIMIZERS = [Adam(), Adam(epochs=3), Momentum(), Momentum(nesterov=True), Adam(batch_size=8)]


def test_like_networks_fill_packs() -> None:
    packs = plan_packs([NETWORKS[0]] * (3 * LANES + 2), [Adam()] * (3 * LANES + 2), 2)
    assert [len(pack) for pack in packs] == [LANES, LANES, LANES, 2]


def test_rates_penalties_initializers_and_dropout_rates_may_differ_in_a_pack() -> None:
    networks = [Network([Dense(4, initializer=0.1), Dropout(rate), Dense(1)]) for rate in (0.0, 0.5)]
    assert plan_packs(networks, [Adam(1e-3, l2=1e-4), Adam(1.0, clip_norm=1.0)], 2) == [(0, 1)]


@given(
    kinds=st.lists(
        st.tuples(st.sampled_from(range(5)), st.sampled_from(range(5)), st.integers(0, 3)), max_size=120
    )
)
def test_packs_are_a_partition_of_like_networks(kinds: list[tuple[int, int, int]]) -> None:
    networks = [NETWORKS[network] for network, _, _ in kinds]
    optimizers = [OPTIMIZERS[optimizer] for _, optimizer, _ in kinds]
    packs = plan_packs(networks, optimizers, 2, orders=[order for _, _, order in kinds])
    assert sorted(index for pack in packs for index in pack) == list(range(len(kinds)))
    likes = [(LIKE[network], optimizer) for network, optimizer, _ in kinds]
    for pack in packs:
        assert len(pack) <= LANES
        assert len({likes[index] for index in pack}) == 1
    counts = [likes.count(like) for like in set(likes)]
    assert len(packs) == sum(-(-count // LANES) for count in counts)  # as few as there can be


def test_full_packs_share_one_order_before_the_rest_is_mixed() -> None:
    count = LANES + 1
    orders = ["a", "b"] * count
    packs = plan_packs([NETWORKS[0]] * 2 * count, [Adam()] * 2 * count, 2, orders=orders)
    assert [sorted({orders[index] for index in pack}) for pack in packs] == [["a"], ["b"], ["a", "b"]]


def test_packs_are_sorted_by_size_so_that_little_is_padding() -> None:
    widths = list(range(1, 4 * LANES + 1))
    networks = [Network([Dense(width, "relu"), Dense(1)]) for width in reversed(widths)]
    packs = plan_packs(networks, [Adam()] * len(networks), 2)
    spans = [sorted(networks[index].layers[0].units for index in pack) for pack in packs]
    assert sorted(spans) == [widths[start : start + LANES] for start in range(0, len(widths), LANES)]


def test_networks_that_would_be_mostly_padding_do_not_share_a_pack() -> None:
    networks = [Network([Dense(a), Dense(b), Dense(1)]) for a, b in [(4, 64), (64, 4)]]
    assert len(plan_packs(networks, [Adam()] * 2, 2)) == 2


def test_keys_keep_networks_apart() -> None:
    assert plan_packs([NETWORKS[0]] * 3, [Adam()] * 3, 2, keys=["x", "y", "x"]) == [(0, 2), (1,)]


@pytest.mark.parametrize(("layers", "expected"), [([Dense(10)], 2), ([Dense(8), Dense(10)], 2)])
def test_the_cost_counts_the_multiply_adds_of_the_products(layers: list[Dense], expected: int) -> None:
    cost = training_cost(Network(layers), Adam(epochs=5), 4, n_train=7, n_validation=3)
    forward = 4 * 10 if len(layers) == 1 else 4 * 8 + 8 * 10
    weight_gradients, input_gradients = forward, 0 if len(layers) == 1 else 8 * 10
    assert cost == expected * 5 * (7 * (forward + weight_gradients + input_gradients) + 3 * forward)
