"""Two interleaved half-circles: one network, its decision boundary and cost; then the same as a sweep.

The network is 2-5-4-2-1, relu, trained by full-batch gradient descent on 1000 points. One run of it looks fine.
The sweep shows what one run hides: from about a third of the seeds so narrow a network never learns, at any
learning rate, because both units of its last hidden layer are dead (relu, on its flat side for every point).

python experiments/moons.py [--quick]
"""

from __future__ import annotations

import sys

import matplotlib.pyplot as plt
from sklearn.datasets import make_moons

from neuralnet_core import Dense, GradientDescent, Network
from sweep import Sweep

QUICK = "--quick" in sys.argv
EPOCHS, SEEDS = (200, 4) if QUICK else (4000, 24)
RATES = [0.03, 0.1, 0.3, 1.0]

X, y = make_moons(1000, noise=0.2, random_state=0)
network = Network(
    [Dense(5, "relu"), Dense(4, "relu"), Dense(2, "relu"), Dense(1)],
    loss="binary_cross_entropy",  # takes the last layer's raw output and applies the sigmoid itself
)


def build(learning_rate: float) -> tuple[Network, GradientDescent]:
    """One configuration -> what to train."""
    return network, GradientDescent(learning_rate, epochs=EPOCHS, batch_size=None)


def one_network() -> None:
    """Train one network and show what it learned and how."""
    _, optimizer = build(0.1)
    model = network.train(X, y, optimizer, seed=1)
    print(f"one network: accuracy {model.score(X, y):.3f} on its training data after {EPOCHS} iterations")
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    model.plot_decision_boundary(X, y, ax=left)
    model.plot_cost(ax=right)
    figure.savefig("moons.png", dpi=150)
    print("wrote moons.png: decision boundary and cost")


def many_networks() -> None:
    """Train the same for several learning rates, each from many seeds."""
    sweep = Sweep(build, {"learning_rate": RATES}, repeats=SEEDS, seed=0)
    results = sweep.run(X, y, validation=0.2)
    print(f"\n{len(results.trials)} networks: {len(RATES)} learning rates x {SEEDS} seeds")
    accuracies = results.trials.groupby("params_learning_rate")["validation_accuracy"]
    table = accuracies.agg(["median", "mean", "std"])
    table["never learned"] = accuracies.agg(lambda values: (values < 0.6).sum())
    print(table.round(3).to_string())
    results.plot.comparison().figure.savefig("moons_learning_rates.png", dpi=150)
    print("wrote moons_learning_rates.png: every seed as a dot")
    boundaries = results.plot.decision_boundaries(X, y)
    boundaries.flat[0].figure.savefig("moons_boundaries.png", dpi=150)
    print("wrote moons_boundaries.png: what the first seed of each rate learned")


one_network()
many_networks()
