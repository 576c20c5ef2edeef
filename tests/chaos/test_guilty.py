"""Two thousand calls, twenty of which end, fill up or hold up their process: exactly these are charged."""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from programs import children
from user_functions import sort_of

from sweep import Results, Sweep

TRIALS = 2_000
EACH = 5
GUILTY = {
    "segfault": {"quarantined"},
    "exit": {"quarantined"},
    "memory": {"failed", "quarantined"},
    "hang": {"timeout"},
}
X = np.random.default_rng(0).normal(size=(60, 3))
LABELS = (X[:, 0] > 0).astype(int)


@pytest.mark.parametrize("order", ["mixed", "first", "last"])
def test_exactly_the_guilty_are_charged(order: str, tmp_path: Path, draws: random.Random) -> None:
    good = [{"kind": ["good"], "number": [number]} for number in range(TRIALS - EACH * len(GUILTY))]
    bad = [{"kind": [kind], "number": [number]} for number in range(EACH) for kind in GUILTY]
    space = bad + good if order == "first" else good + bad
    if order == "mixed":
        draws.shuffle(space)
    sweep = Sweep(function=sort_of, space=space)
    sweep.run(X, LABELS, n_jobs=2, timeout=10, store=tmp_path / "some.sweep", progress=False)
    trials = Results.open(tmp_path / "some.sweep").trials
    states = Counter(zip(trials["params_kind"], trials["state"], strict=True))
    assert states.pop(("good", "done")) == TRIALS - EACH * len(GUILTY)
    assert all(state in GUILTY[kind] for kind, state in states), states
    assert states.total() == EACH * len(GUILTY)
    print(f"\n{order}: {dict(sorted(states.items()))}")
    assert children(os.getpid()) == []
