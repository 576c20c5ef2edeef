"""A sweep with a store: the same tables, resumed, and trained anew where something else is asked for."""

from __future__ import annotations

from functools import reduce
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from small_sweeps import GRID, LABELS, X, classify, run, table

from neuralnet_core import engine_info
from sweep import Results, Sweep
from sweep.values import plain_value


def test_a_store_gives_the_same_tables(tmp_path: Path) -> None:
    path = tmp_path / "grid.sweep"
    results = run(Sweep(classify, GRID, repeats=2), store=path)
    memory = run(Sweep(classify, GRID, repeats=2))
    for other in (memory, Results.open(path)):
        pd.testing.assert_frame_equal(table(results), table(other))
        pd.testing.assert_frame_equal(results.summary, other.summary)
        pd.testing.assert_frame_equal(results.curves, other.curves)
        assert results.objective == other.objective


def test_a_store_gives_back_the_deepest_value_that_a_space_may_have(tmp_path: Path) -> None:
    deep = reduce(lambda inner, _: [inner], range(38), [8])
    sweep = Sweep(lambda layers: classify(), {"layers": [deep]})
    best = run(sweep, store=tmp_path / "deep.sweep").best
    assert Results.open(tmp_path / "deep.sweep").best == {"layers": plain_value(best["layers"])}
    with pytest.raises(ValueError, match="nested at most 39 deep"):
        Sweep(lambda layers: classify(), {"layers": [[deep]]})


def test_a_store_says_which_engine_trained(tmp_path: Path) -> None:
    run(Sweep(classify, GRID), store=tmp_path / "a.sweep")
    description, engine = Results.open(tmp_path / "a.sweep").description, engine_info()
    assert description["instruction_set"] == engine.instruction_set
    assert description["numerics_version"] == engine.numerics_version


def test_a_store_is_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "grid.sweep"
    half = run(Sweep(classify, {"hidden": [3], "rate": [0.01, 0.1]}, repeats=2), store=path)
    trained: list[int] = []
    monkeypatch.setattr("sweep.study.plan", _counting(trained))
    whole = run(Sweep(classify, GRID, repeats=2), store=path)
    assert trained == [4]
    again = run(Sweep(classify, GRID, repeats=2), store=path)
    assert trained == [4]
    pd.testing.assert_frame_equal(table(whole), table(run(Sweep(classify, GRID, repeats=2))))
    pd.testing.assert_frame_equal(whole.trials, again.trials)
    assert set(half.trials["identity"]) < set(whole.trials["identity"])
    pd.testing.assert_frame_equal(whole.curves, run(Sweep(classify, GRID, repeats=2)).curves)


def _counting(trained: list[int]) -> Any:
    from sweep.planner import plan

    def counted(jobs: Any, *rest: Any, **options: Any) -> Any:
        trained.append(len(jobs))
        return plan(jobs, *rest, **options)

    return counted


def test_other_data_is_trained_anew(tmp_path: Path) -> None:
    path = tmp_path / "grid.sweep"
    first = run(Sweep(classify, GRID), store=path)
    with pytest.warns(UserWarning, match="the data .* are not those"):
        second = run(Sweep(classify, GRID), X=X + 1, store=path)
    assert not set(first.trials["identity"]) & set(second.trials["identity"])


@pytest.mark.filterwarnings("ignore:the data .* are not those:UserWarning")
def test_another_split_is_trained_anew(tmp_path: Path) -> None:
    path = tmp_path / "grid.sweep"
    first = run(Sweep(classify, GRID), store=path)
    for validation in (0.5, (X[:30], LABELS[:30]), None):
        second = run(Sweep(classify, GRID), store=path, validation=validation)
        assert not set(first.trials["identity"]) & set(second.trials["identity"])
        assert set(second.trials["state"]) == {"done"}


def test_more_repeats_keep_the_first_ones(tmp_path: Path) -> None:
    path = tmp_path / "grid.sweep"
    few = run(Sweep(classify, GRID, repeats=2), store=path).trials
    many = run(Sweep(classify, GRID, repeats=3), store=path).trials
    assert set(few["identity"]) < set(many["identity"])
    assert many[many["repeat"] < 2]["started"].tolist() == few["started"].tolist()


def test_a_store_keeps_models(tmp_path: Path) -> None:
    path = tmp_path / "grid.sweep"
    results = run(Sweep(classify, GRID), store=path, keep_models=True)
    assert Results.open(path).model(1).digest() == results.trials.loc[1, "digest"]
