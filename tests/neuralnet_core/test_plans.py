"""Plans: what lanes start from, and that the engine reads nothing that does not fit its lane."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from neuralnet_core import Adam, CancelToken, Dense, Dropout, Network, Pack, Way, train_many
from neuralnet_core.engine.dispatch import instruction_sets
from neuralnet_core.lanes import Lane, Setting
from neuralnet_core.plans import PackData, PackPlan, make_plan

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


def plan_of(start: dict[str, np.ndarray] | None) -> PackPlan:
    rows = [np.arange(20), np.arange(20)[::-1].copy()]
    lanes = [Lane(Setting(NARROW, ADAM, (3,), own), 0, start) for own in rows]
    data = PackData(X.astype(np.float32), X[:, :1].astype(np.float32))
    return make_plan(lanes, data, CancelToken().flag)


@pytest.mark.parametrize(
    ("name", "shorten", "message"),
    [
        ("given", lambda one: one[:-1], "a lane has 20 parameters, but the engine reads 21"),
        ("numbers", lambda one: one[:-1], "a lane has 17 numbers of its optimizer, but the engine reads 18"),
        (
            "numbers",
            lambda one: one + array("d", [0]),
            "a lane has 19 numbers of its optimizer, but .* reads 18",
        ),
        ("dropout", lambda one: one[:-1], "a lane has 1 numbers of its dropout, but the engine reads 2"),
        ("rows", lambda one: one[:-1], "a lane has 19 rows, but the engine reads 20"),
    ],
)
def test_the_engine_reads_no_further_than_there_is(
    name: str, shorten: Callable[[Any], Any], message: str
) -> None:
    plan = plan_of(NARROW.initialize(0, input_shape=3))
    first, second = getattr(plan, name)
    plan.engine.Pack(plan)
    with pytest.raises(ValueError, match=f"^{message}$"):
        plan.engine.Pack(replace(plan, **{name: [first, shorten(second)]}))


@pytest.mark.parametrize(
    ("starts", "message"),
    [
        (array("d", [1, 0.5]), "a lane has 2 numbers of its first values, but the engine reads 8"),
        (array("d", [3, 0.5] * 4), "the engine knows no distribution 3"),
    ],
)
def test_the_engine_draws_no_first_values_that_it_does_not_know(starts: array[float], message: str) -> None:
    plan = plan_of(None)
    plan.engine.Pack(plan)
    with pytest.raises(ValueError, match=f"^{message}$"):
        plan.engine.Pack(replace(plan, starts=[plan.starts[0], starts]))
