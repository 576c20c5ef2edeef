"""A disk that is full at many moments of a sweep: one line, what was committed is read, the rest comes after growth."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from store_values import assert_whole, small_disk

from neuralnet_core import Dense, Momentum, Network
from sweep import Results, StoreError, Sweep

DISK = 3 << 20
STEP = 64 << 10
CLOCK = ["started", "seconds", "worker"]
X = np.linspace(-1, 1, 48).reshape(16, 3)


def build(rate: float, units: int) -> tuple[Network, Momentum]:
    return Network([Dense(units, "tanh"), Dense(1)]), Momentum(rate, epochs=30, batch_size=8)


def run(store: Path | None, keep_models: bool = False) -> Results:
    """Run a sweep that takes more than the disk has."""
    space = {"rate": np.geomspace(1e-4, 1e-1, 75).tolist(), "units": [2, 3, 5, 8]}
    sweep = Sweep(build, space, repeats=5)
    return sweep.run(
        X, X[:, 0] ** 2, validation=0.25, n_jobs=2, store=store, keep_models=keep_models, progress=False
    )


def digest_of(results: Results) -> str:
    """Return a digest of all tables but for the clock's columns."""
    trials = results.trials.drop(columns=CLOCK).sort_values("trial")
    tables = (trials, results.summary, results.curves.sort_values(["trial", "metric", "split", "epoch"]))
    return hashlib.sha256("\n".join(table.to_csv(index=False) for table in tables).encode()).hexdigest()


@pytest.fixture(scope="module")
def undisturbed() -> str:
    return digest_of(run(None))


def ballast(folder: Path, size: int) -> None:
    (folder / "ballast").write_bytes(bytes(size))


@pytest.mark.parametrize("keep_models", [False, True])
def test_a_disk_filled_at_many_sizes(tmp_path: Path, undisturbed: str, keep_models: bool) -> None:
    ended: dict[str, int] = {"at once": 0, "before its end": 0, "done": 0}
    for size in range(0, DISK, STEP):
        folder = tmp_path / str(size)
        folder.mkdir()
        with small_disk(folder, DISK) as resize:
            ballast(folder, size)
            ended[fill(folder / "full.sweep", keep_models)] += 1
            resize(64 << 20)
            (folder / "ballast").unlink()
            results: Any = run(folder / "full.sweep", keep_models)
            assert digest_of(results) == undisturbed
            assert digest_of(Results.open(folder / "full.sweep")) == undisturbed
            assert_whole(folder / "full.sweep")
            assert [name.name for name in folder.iterdir()] == ["full.sweep"]
    print(f"\nof {DISK // STEP} fillings the run was done or found the disk full: {ended}")
    assert ended["before its end"] > 10


def fill(path: Path, keep_models: bool) -> str:
    """Run the sweep on what room there is; what it says it has recorded can be read, however full the disk is."""
    told = None
    try:
        run(path, keep_models)
    except StoreError as error:
        told = error
    if told is None:
        return "done"
    assert told.temporary
    assert "no space left for" in str(told)
    states = states_of(path)
    assert states <= {"done", "pending"}
    return "before its end" if "done" in states else "at once"


def states_of(path: Path) -> set[str]:
    """Return the states of the trials in a store; none if there was no room even for its tables."""
    try:
        return set(Results.open(path).trials["state"])
    except StoreError as error:
        if re.search("is empty|does not exist", str(error)):
            return set()
        raise
