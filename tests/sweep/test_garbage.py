"""Python's search for cyclic garbage: rare while a sweep runs or a store is read, and left as the user has it."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from neuralnet_core import Dense, GradientDescent, Network
from sweep import Results, Sweep
from sweep.garbage import rare_collections
from sweep.store import Store


@contextmanager
def searches_for_garbage() -> Iterator[list[str]]:
    """Note every search that Python begins for cyclic garbage."""
    searches: list[str] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            searches.append(str(info))

    gc.collect()
    gc.callbacks.append(note)
    try:
        yield searches
    finally:
        gc.callbacks.remove(note)


@pytest.mark.parametrize("young", [0, 700, 900_000])
def test_python_looks_for_garbage_rarely_while_networks_train(young: int) -> None:
    seen: list[int] = []

    def noted(rate: float) -> tuple[Network, GradientDescent]:
        seen.append(gc.get_threshold()[0])
        return Network([Dense(1)]), GradientDescent(rate, epochs=1)

    before = gc.get_threshold()
    gc.set_threshold(young, 7, 8)
    try:
        Sweep(noted, {"rate": [0.1]}).run([[0.0], [1.0]], [0.0, 1.0], n_jobs=1)
        with pytest.raises(ValueError, match="objective"):
            Sweep(noted, {"rate": [0.1]}).run([[0.0], [1.0]], [0.0, 1.0], objective="validation_loss")
        assert gc.get_threshold() == (young, 7, 8)
    finally:
        gc.set_threshold(*before)
    assert seen == [young and max(young, 200_000)] * 2


def test_two_that_hold_the_collector_back_at_once_leave_it_as_it_was() -> None:
    before = gc.get_threshold()
    first, second = rare_collections(), rare_collections()
    with first:
        second.__enter__()
        assert gc.get_threshold()[0] == 200_000
    second.__exit__(None, None, None)
    assert gc.get_threshold() == before


def test_tables_of_many_trials_are_made_without_searches(make_results: Callable[..., Results]) -> None:
    assert len(make_results(4).trials) == 20  # pandas is imported
    results = make_results(1000, repeats=5)
    with searches_for_garbage() as searches:
        table = results.trials
    assert len(table) == 5000
    assert len(searches) < 5  # an object for each row that Python keeps account of would make it 14


def test_a_store_of_many_trials_is_read_without_searches(
    make_results: Callable[..., Results], tmp_path: Path
) -> None:
    memory = make_results(1000, repeats=5)
    with Store.open(tmp_path / "many.sweep") as store:
        store.describe(memory.description)
        store.replace_trials(memory._trials)
        store.record_all((record, None) for record in memory._records.values())
    with searches_for_garbage() as searches:
        stored = Results.open(tmp_path / "many.sweep")
    assert len(stored.trials) == 5000
    assert len(searches) < 5  # it would be 43
