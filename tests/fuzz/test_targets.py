"""The targets of the fuzzers hold for what they begin with and for what lies near: a look that takes seconds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import cache

import pytest
from fuzz_targets import TARGETS, folder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sweep import datasets


@pytest.fixture(scope="module", autouse=True)
def clean() -> Iterator[None]:
    most = datasets.MOST_NUMBERS
    yield
    datasets.MOST_NUMBERS = most
    shutil.rmtree(folder())
    folder.cache_clear()


@cache
def seeds(name: str) -> list[bytes]:
    return TARGETS[name].seeds()


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_takes_what_it_begins_with(name: str) -> None:
    odd = len(seeds(name)) // 40 | 1  # so that of seeds that take turns, each has its turn
    for seed in seeds(name)[::odd]:
        TARGETS[name].run(seed)


@st.composite
def edits(draw: st.DrawFn) -> list[tuple[float, int, bytes]]:
    """Draw where (a share of the length), how many bytes go, and what comes in their place."""
    one = st.tuples(st.floats(0, 1), st.integers(0, 9), st.binary(max_size=9))
    return draw(st.lists(one, min_size=1, max_size=4))


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(data=st.data(), edits=edits())
def test_a_target_takes_what_lies_near(
    name: str, data: st.DataObject, edits: list[tuple[float, int, bytes]]
) -> None:
    content = data.draw(st.sampled_from(seeds(name)))
    for share, gone, come in edits:
        place = int(share * len(content))
        content = content[:place] + come + content[place + gone :]
    TARGETS[name].run(content)
