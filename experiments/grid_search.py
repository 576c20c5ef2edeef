"""A grid over width, activation and learning rate: the table, and a picture of the comparison.

python experiments/grid_search.py [--quick]
"""

from __future__ import annotations

import sys

from sklearn.datasets import load_digits

from neuralnet_core import Adam, Dense, Network
from sweep import Sweep

EPOCHS, REPEATS = (2, 2) if "--quick" in sys.argv else (20, 5)


def build(hidden: int, activation: str, learning_rate: float) -> tuple[Network, Adam]:
    """One configuration -> what to train."""
    network = Network([Dense(hidden, activation), Dense(10)], loss="softmax_cross_entropy")
    return network, Adam(learning_rate, epochs=EPOCHS, batch_size=32)


space = {"hidden": [8, 16, 32], "activation": ["relu", "tanh"], "learning_rate": [1e-3, 1e-2]}
X, y = load_digits(return_X_y=True)

results = Sweep(build, space, repeats=REPEATS, seed=0).run(X / 16, y, validation=0.2)

columns = ["rank", *(f"params_{name}" for name in space), "n"]
columns += [f"{part}_validation_accuracy" for part in ("mean", "ci_low", "ci_high")]
print(results.summary[columns].to_string(index=False))
results.plot.comparison().figure.savefig("grid_search.png", dpi=150)
print("\nwrote grid_search.png: every configuration's mean, 95 % interval and repeats")
