"""Plans: what lanes start from."""

from __future__ import annotations

import numpy as np
import pytest

from neuralnet_core import Adam, Dense, Dropout, Network, Pack, Way, train_many
from neuralnet_core.engine.dispatch import instruction_sets

X = np.random.default_rng(0).normal(size=(20, 3))
ADAM = Adam(epochs=1)
NARROW, WIDE = (Network([Dense(units, "tanh"), Dropout(0.1), Dense(1)]) for units in (4, 8))
TOGETHER = [Pack((0, 1), Way("networks", instruction_sets()[0]), 0.0)]


@pytest.mark.parametrize("packs", [None, TOGETHER], ids=["planned", "given"])
@pytest.mark.parametrize("start", [NARROW, WIDE], ids=["narrow", "wide"])
@pytest.mark.parametrize("networks", [[NARROW, WIDE], [WIDE, NARROW]], ids=["narrow first", "wide first"])
def test_first_values_of_one_network_do_not_fit_another(
    networks: list[Network], start: Network, packs: list[Pack] | None
) -> None:
    initial = start.initialize(0, input_shape=3)
    with pytest.raises(
        ValueError, match=r"^parameter 0\.weight must have shape \(3, [48]\), got \(3, [48]\)$"
    ):
        train_many(networks, ADAM, X, X[:, 0], seeds=0, initial=initial, packs=packs)


def test_one_dict_serves_all_networks_that_it_fits() -> None:
    initial = WIDE.initialize(0, input_shape=3)
    together = train_many([WIDE, Network(WIDE.layers)] * 4, ADAM, X, X[:, 0], seeds=0, initial=initial)
    assert {model.digest() for model in together} == {WIDE.train(X, X[:, 0], ADAM, initial=initial).digest()}
