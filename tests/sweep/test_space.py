from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from odd_values import Unspeakable

from sweep import choice, loguniform, randint, uniform
from sweep.distributions import DISTRIBUTIONS, Distribution
from sweep.space import Space
from sweep.values import plain_value

WORDS = st.integers(0, 2**64 - 1)

# A row for each distribution: an example, its least and its greatest value.
EXAMPLES = [
    (choice([3, 5, 9]), 3, 9),
    (uniform(-1.0, 2.0), -1.0, 2.0),
    (loguniform(1e-5, 1e-1), 1e-5, 1e-1),
    (randint(2, 9), 2, 8),
]


def test_every_distribution_has_its_row() -> None:
    assert [type(one) for one, _, _ in EXAMPLES] == list(DISTRIBUTIONS.values())


def test_last_name_varies_fastest() -> None:
    space = Space.of({"a": [1, 2], "b": ["x", "y", "z"]})
    assert [(one["a"], one["b"]) for one in space] == [
        (1, "x"), (1, "y"), (1, "z"), (2, "x"), (2, "y"), (2, "z"),
    ]  # fmt: skip
    assert space.names == ("a", "b")
    assert space[-1] == space[5] == {"a": 2, "b": "z"}
    assert space[1:3] == [space[1], space[2]]


def test_index_out_of_range() -> None:
    with pytest.raises(IndexError, match="configuration 2 of a space of 2"):
        Space.of({"a": [1, 2]})[2]


def test_union_of_grids_is_one_after_the_other() -> None:
    space = Space.of([{"optimizer": ["sgd"], "momentum": [0.0, 0.9]}, {"optimizer": ["adam"]}])
    assert list(space) == [
        {"optimizer": "sgd", "momentum": 0.0},
        {"optimizer": "sgd", "momentum": 0.9},
        {"optimizer": "adam"},
    ]
    assert space.names == ("optimizer", "momentum")


def index_of(configuration: dict[str, int], parts: list[list[int]]) -> int:
    """Return the number of a configuration of `union_of`, worked out from its values alone."""
    number = int(next(iter(configuration)).split("_")[0])
    index = 0
    for length, value in zip(parts[number], configuration.values(), strict=True):
        index = index * length + value
    return sum(math.prod(lengths) for lengths in parts[:number]) + index


def union_of(parts: list[list[int]]) -> Space:
    """Return the union of grids with so many values per parameter."""
    return Space.of(
        [{f"{n}_{i}": range(length) for i, length in enumerate(lengths)} for n, lengths in enumerate(parts)]
    )


def lengths_up_to(most: int) -> st.SearchStrategy[list[int]]:
    """Draw how many values each parameter of a grid has, `most` configurations at most."""
    lengths = st.lists(st.integers(1, 10**6), min_size=1, max_size=30)
    return lengths.filter(lambda drawn: math.prod(drawn) <= most)


@given(st.lists(lengths_up_to(10**30), min_size=1, max_size=3), st.data())
def test_index_and_configuration_are_a_bijection(parts: list[list[int]], data: st.DataObject) -> None:
    space = union_of(parts)
    assert space.size == sum(map(math.prod, parts))
    index = data.draw(st.integers(0, space.size - 1) | st.sampled_from([0, space.size - 1]))
    assert index_of(space[index], parts) == index
    lengths = data.draw(st.sampled_from(parts))
    number = parts.index(lengths)
    configuration = {
        f"{number}_{i}": data.draw(st.integers(0, length - 1)) for i, length in enumerate(lengths)
    }
    assert space[index_of(configuration, parts)] == configuration


def test_a_space_of_ten_to_the_thirtieth_has_as_many_configurations() -> None:
    parts = [[10] * 30]
    space = union_of(parts)
    assert space.size == 10**30
    for index in (0, 1, 10**15, 123456789012345678901234567890, 10**30 - 1):
        assert "".join(map(str, space[index].values())) == f"{index:030}"
        assert index_of(space[index], parts) == index


def test_a_space_of_any_size_is_not_materialised() -> None:
    space = Space.of({f"digit{i}": range(10) for i in range(30)})
    assert space.size == 10**30
    assert list(space[10**30 - 1].values()) == [9] * 30
    assert next(iter(space))["digit0"] == 0
    with pytest.raises(OverflowError, match=r"use space\.size"):
        len(space)
    assert sys.maxsize < space.size


@pytest.mark.parametrize(("distribution", "low", "high"), EXAMPLES)
def test_distribution_reaches_its_ends_and_no_further(
    distribution: Distribution, low: float, high: float
) -> None:
    assert distribution.draw(0) == low
    assert distribution.draw(2**64 - 1) == pytest.approx(high)
    assert low <= distribution.draw(2**64 - 1) <= high


@given(word=WORDS, other=WORDS)
@pytest.mark.parametrize(("distribution", "low", "high"), EXAMPLES)
def test_distribution_is_increasing(
    distribution: Distribution, low: float, high: float, word: int, other: int
) -> None:
    first, second = sorted((word, other))
    assert low <= distribution.draw(first) <= distribution.draw(second) <= high


def test_loguniform_has_a_uniform_logarithm() -> None:
    draws = [one["rate"] for one in Space.of({"rate": loguniform(1e-4, 1.0)}, samples=4000)]
    shares, _ = np.histogram(np.log10(draws), bins=4, range=(-4, 0))
    assert np.all(np.abs(shares / 4000 - 0.25) < 0.03)


def test_draws_are_the_same_for_ever() -> None:
    space = Space.of(
        {"rate": loguniform(1e-4, 1.0), "units": randint(1, 100), "name": ["a", "b"]}, samples=2, seed=7
    )
    assert list(space) == [
        {"rate": 0.3078178633413832, "units": 30, "name": "a"},
        {"rate": 0.3117462256000087, "units": 84, "name": "a"},
    ]


def test_more_samples_keep_the_first_ones() -> None:
    spec = {"rate": uniform(0, 1), "hidden": [8, 16]}
    assert list(Space.of(spec, samples=50))[:20] == list(Space.of(spec, samples=20))


def test_parameters_parts_and_seeds_draw_independently() -> None:
    one = {"a": uniform(0, 1), "b": uniform(0, 1)}
    space = Space.of([one, one], samples=100)
    values = [value for drawn in space for value in drawn.values()]
    values += [value for drawn in Space.of(one, samples=100, seed=1) for value in drawn.values()]
    assert len(set(values)) == len(values) == 600


def test_a_grid_can_be_drawn_from() -> None:
    space = Space.of({f"digit{i}": range(10) for i in range(30)}, samples=5)
    assert len(space) == 5
    assert len({tuple(one.values()) for one in space}) == 5


def test_numpy_values_become_plain_ones() -> None:
    space = Space.of({"rate": np.logspace(-2, 0, 3), "n": [np.int64(4)]})
    assert [type(value) for value in space[0].values()] == [float, int]


def test_values_may_be_lists_and_equal_numbers_of_other_types() -> None:
    assert len(Space.of({"layers": [[8], [8, 8]], "n": [1, 1.0, True]})) == 6


@pytest.mark.parametrize(
    ("spec", "samples", "error", "message"),
    [
        ({}, None, ValueError, "space is empty"),
        ([], None, ValueError, "space is empty"),
        ([{"a": [1]}, {}], None, ValueError, "space is empty"),
        ({"a": []}, None, ValueError, r"space\['a'\] has no values"),
        ({"a": [1, 2, 1]}, None, ValueError, r"space\['a'\] has the value 1 twice.*repeats="),
        ({"a": 3}, None, TypeError, r"space\['a'\] must be a list of values or a distribution, got 3"),
        (
            {"a": [Unspeakable()]},
            None,
            TypeError,
            "a value of space.*must have a text, got an object of type",
        ),
        ({"a": "relu"}, None, TypeError, r"space\['a'\] must be a list.*got 'relu'"),
        ({1: [2]}, None, TypeError, "parameter names must be strings, got 1"),
        ({"\ud800": [2]}, None, ValueError, "parameter names must be texts without lone surrogates"),
        ("hidden", None, TypeError, "space must be a dict of lists"),
        ([3], None, TypeError, "space must be a dict of lists.*got the item 3"),
        ({"a": uniform(0, 1)}, None, ValueError, "needs samples="),
        ({"a": uniform(0, 1)}, 0, ValueError, "samples must be >= 1, got 0"),
        ({"a": uniform(0, 1)}, 2.5, TypeError, "samples must be an integer"),
    ],
)
def test_bad_space(spec: object, samples: int | None, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Space.of(spec, samples)


@dataclass
class Holder:
    held: Any


class Shows:
    """Holds a value in a way that only its text tells."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __repr__(self) -> str:
        return f"Shows({self._value!r})"


def test_a_table_with_names_that_are_no_texts_shows_itself() -> None:
    assert plain_value({"type": "Dense", 5: 1}) == "{'type': 'Dense', 5: 1}"


def nested(levels: int) -> Any:
    return reduce(lambda inner, _: [inner], range(levels - 1), [8])


ENDLESS: list[Any] = [8]
ENDLESS.append(ENDLESS)
OBJECTS = np.empty(1, object)
OBJECTS[0] = OBJECTS


@pytest.mark.parametrize(
    "value",
    [
        ENDLESS,
        {"layers": ENDLESS},
        (ENDLESS,),
        Holder(ENDLESS),
        partial(max, ENDLESS),
        OBJECTS,
        nested(40),
        nested(10**5),
        {"type": "Dense", "units": nested(10**5)},
        Shows(nested(10**5)),
        reduce(lambda inner, _: [inner, inner], range(40), [8]),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("kind", [list, choice])
def test_a_value_without_end_is_told_in_one_line(kind: Any, value: Any) -> None:
    with pytest.raises(
        ValueError, match="must be nested at most 39 deep and not contain itself, got"
    ) as told:
        Space.of({"a": kind([4, value])}, samples=1)
    assert len(str(told.value).splitlines()) == 1
    assert len(str(told.value)) < 300


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: choice([]), ValueError, "choice has no values"),
        (lambda: choice("relu"), TypeError, "choice must be a list"),
        (lambda: uniform(1, 1), ValueError, "uniform needs low < high, got 1.0 and 1.0"),
        (lambda: uniform(0, math.inf), ValueError, "uniform's high must be a finite number, got inf"),
        (lambda: uniform("a", 1), TypeError, "uniform's low must be a finite number, got 'a'"),
        (lambda: loguniform(0, 1), ValueError, "loguniform needs low > 0, got low=0.0"),
        (lambda: loguniform(2, 1), ValueError, "loguniform needs low < high"),
        (lambda: randint(0.5, 3), TypeError, "randint's low must be an integer, got 0.5"),
        (lambda: randint(3, 3), ValueError, "randint needs low < high"),
    ],
)
def test_bad_distribution(make: object, error: type[Exception], message: str) -> None:
    assert callable(make)
    with pytest.raises(error, match=message):
        make()


def test_distributions_are_values() -> None:
    assert loguniform(1e-3, 1) == loguniform(0.001, 1.0)
    assert hash(choice([1, 2])) == hash(choice((1, 2)))
