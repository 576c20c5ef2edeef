"""Small sweeps of a user's function."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sweep import Results, Sweep

X = np.random.default_rng(0).normal(size=(40, 3))
LABELS = (X[:, 0] > 0).astype(int)
CLOCK = ["started", "seconds", "worker"]
A = {"a": [0.0, 1.0, 2.0]}


def run(sweep: Sweep, **options: Any) -> Results:
    return sweep.run(X, LABELS, **({"backend": "sequential"} | options))


def table(results: Results) -> pd.DataFrame:
    return results.trials.drop(columns=CLOCK)
