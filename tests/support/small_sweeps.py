"""Small sweeps of networks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from neuralnet_core import Adam, Dense, Network
from sweep import Sweep

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3))
LABELS = (X[:, 0] + 0.5 * X[:, 1] > 0).astype(int) + (X[:, 2] > 1)
TARGETS = X @ [1.0, -2.0, 0.5]
CLOCK = ["started", "seconds", "worker"]
GRID = {"hidden": [3, 5], "rate": [0.01, 0.1]}


def classify(hidden: int = 4, rate: float = 0.01) -> tuple[Network, Adam]:
    return Network([Dense(hidden, "relu"), Dense(3)], loss="softmax_cross_entropy"), Adam(rate, epochs=3)


def regress(hidden: int = 4, rate: float = 0.01) -> tuple[Network, Adam]:
    return Network([Dense(hidden, "tanh"), Dense(1)], loss="mse"), Adam(rate, epochs=3)


def run(sweep: Sweep, X: Any = X, y: Any = LABELS, **options: Any) -> Any:
    return sweep.run(X, y, **({"validation": 0.25, "n_jobs": 1} | options))


def table(results: Any) -> pd.DataFrame:
    frame: pd.DataFrame = results.trials.drop(columns=CLOCK)
    return frame
