"""The identity of a trial follows the value that was built: however it was written, and whatever differs in it."""

from __future__ import annotations

import functools
import json
import tomllib
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import assume, example, given
from hypothesis import strategies as st

from neuralnet_core import ACTIVATIONS, INITIALIZERS, LOSSES, Adam, Dense, Network, from_dict, to_dict
from sweep.config.recipe import Recipe
from sweep.jobs import trial_identity

rates = st.floats(1e-6, 1.0)
small = st.integers(1, 50)
names = {"activation": sorted(ACTIVATIONS), "initializer": sorted(INITIALIZERS), "loss": sorted(LOSSES)}


def table(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw a description of a value; each field but those of classes may be left out for its default."""
    return st.fixed_dictionaries({"type": st.just(kind)}, optional=fields)


schedules = st.recursive(
    rates | table("StepDecay", initial=rates, every=small, factor=rates).filter(lambda one: len(one) == 4),
    lambda inner: st.builds(lambda n, after: {"type": "WarmUp", "updates": n, "after": after}, small, inner),
    max_leaves=2,
)
common = {
    "learning_rate": schedules,
    "epochs": small,
    "batch_size": st.none() | small,
    "l2": rates,
    "shuffle": st.booleans(),
}
optimizers = st.one_of(
    table("Adam", beta1=st.floats(0, 0.99), **common),
    table("AdamW", weight_decay=rates, **common),
    table("Momentum", momentum=st.floats(0, 0.99), **common),
    table("RMSprop", early_stopping=table("EarlyStopping", patience=small), **common),
)
dense = st.builds(
    lambda units, rest: {"type": "Dense", "units": units, **rest},
    small,
    st.fixed_dictionaries(
        {},
        optional={
            "activation": st.sampled_from(names["activation"]),
            "bias": st.booleans(),
            "initializer": st.sampled_from(names["initializer"]) | st.floats(-1, 1) | st.integers(-1, 1),
        },
    ),
)
dropout = st.builds(lambda rate: {"type": "Dropout", "rate": rate}, st.floats(0, 0.9))
networks = st.builds(
    lambda layers, last, loss: {"type": "Network", "layers": [*layers, last], "loss": loss},
    st.lists(dense | dropout, max_size=3),
    dense,
    st.sampled_from(names["loss"]),
)


def made(table: dict[str, Any]) -> Any:
    """Return the value of a description, or drop the example where there is none."""
    try:
        return from_dict(table)
    except (TypeError, ValueError):
        assume(False)


def identity(network: Network, optimizer: Any) -> str:
    return trial_identity(network, optimizer, "float32", 7, "data", "rows")


def respelt(value: Any, draw: Callable[..., Any]) -> Any:
    """Return a description with its keys in another order and its numbers written in another way."""
    if isinstance(value, dict):
        return {key: respelt(value[key], draw) for key in draw(st.permutations(list(value)))}
    if isinstance(value, list | tuple):
        return [respelt(item, draw) for item in value]
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return draw(st.sampled_from([value, np.int64(value), np.uint8(value) if 0 <= value < 256 else value]))
    if isinstance(value, float):
        spellings = [value, np.float64(value), float(f"{value:.17g}"), float(f"{value:.30e}")]
        spellings += [int(value)] if value.is_integer() else []
        return draw(st.sampled_from([*spellings, -value if value == 0 else value]))
    return value


@given(networks, optimizers, st.data())
def test_the_order_of_keys_and_the_spelling_of_numbers_do_not_matter(
    network: dict[str, Any], optimizer: dict[str, Any], data: st.DataObject
) -> None:
    first = made(network), made(optimizer)
    second = made(respelt(network, data.draw)), made(respelt(optimizer, data.draw))
    assert first == second
    assert identity(*first) == identity(*second)


@given(networks, optimizers)
def test_defaults_may_be_left_out_and_a_store_gives_the_value_back(
    network: dict[str, Any], optimizer: dict[str, Any]
) -> None:
    first = made(network), made(optimizer)
    written = [json.loads(json.dumps(to_dict(value))) for value in first]  # every field is there
    assert identity(*map(from_dict, written)) == identity(*first)


@given(networks, networks, optimizers, optimizers)
def test_identities_are_equal_exactly_if_the_values_are(
    network: dict[str, Any],
    other_network: dict[str, Any],
    optimizer: dict[str, Any],
    other_optimizer: dict[str, Any],
) -> None:
    one, other = (made(network), made(optimizer)), (made(other_network), made(other_optimizer))
    assert (identity(*one) == identity(*other)) == (one == other)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path to every plain value of a description."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, item in items if key != "type" for place in places(item, (*path, key))] or [path]


def like(value: Any, key: Any) -> st.SearchStrategy[Any]:
    """Draw a value that may stand in the place of another one; often one that is nearly the same."""
    if isinstance(value, bool):
        return st.booleans()
    if isinstance(value, str):
        return st.sampled_from(names.get(key, [value]))
    if isinstance(value, float):
        return st.sampled_from([value, float(np.nextafter(value, 0)), float(np.nextafter(value, 1))]) | rates
    return small | st.just(value)


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(value[path[0]], path[1:], new)
    return copy


@given(networks, optimizers, st.data())
def test_a_change_of_any_one_field_shows_exactly_if_it_changes_the_value(
    network: dict[str, Any], optimizer: dict[str, Any], data: st.DataObject
) -> None:
    first = made(network), made(optimizer)
    tables = [json.loads(json.dumps(to_dict(value))) for value in first]
    place = data.draw(st.sampled_from(places(tables)))
    new = data.draw(like(functools.reduce(lambda inside, key: inside[key], place, tables), place[-1]))
    other = [made(table) for table in changed(tables, place, new)]
    assert (identity(*other) == identity(*first)) == (tuple(other) == first)


@example(rate="0.001", l2="0.0")
@given(
    rate=st.sampled_from(["1e-3", "0.001", "1.0E-3", "0.00_1", "10e-4"]),
    l2=st.sampled_from(["0", "0.0", "-0.0", "0e0", "+0"]),
)
def test_numbers_of_an_experiment_file_may_be_written_in_any_way(rate: str, l2: str) -> None:
    table = tomllib.loads(f'type = "Adam"\nl2 = {l2}\nlearning_rate = {rate}')
    recipe = Recipe({"loss": "mse", "layers": [{"units": 1, "type": "Dense"}]}, table, rows=10)
    assert identity(*recipe()) == identity(Network([Dense(1)], loss="mse"), Adam(0.001))
