"""256 small classifiers on the digits: this engine beside scikit-learn's loop, in one run.

The work (W2): 64-32-10 relu, softmax cross-entropy, momentum, batches of 32, 10 epochs over the first 1437
of scikit-learn's 1797 digits; 8 learning rates x 4 momenta x 8 seeds. One step is one minibatch update of one
network.

First the two are shown to compute the same thing; only then is either timed. Nothing here asserts a time.

    python benchmarks/digits.py [--runs 5] [--peer-networks 16]
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

import joblib
import numpy as np
import sklearn
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

import neuralnet_core
from neuralnet_core import Dense, Model, Momentum, Network, train_many
from sweep import Sweep

TRAINED_ROWS = 1437
UNITS = 32
EPOCHS = 10
BATCH = 32
LEARNING_RATES = [float(rate) for rate in np.geomspace(0.002, 0.1, 8).round(4)]
MOMENTA = [0.0, 0.5, 0.8, 0.9]
SEEDS = list(range(8))
STEPS_PER_NETWORK = EPOCHS * -(-TRAINED_ROWS // BATCH)

Configuration = tuple[float, float, int]  # learning rate, momentum, seed
ALL: list[Configuration] = list(product(LEARNING_RATES, MOMENTA, SEEDS))


def load(dtype: str = "float32") -> tuple[np.ndarray, np.ndarray]:
    """X (1437, 64) in [0, 1] and the labels y (1437,)."""
    X, y = load_digits(return_X_y=True)
    return np.ascontiguousarray(X[:TRAINED_ROWS] / 16, dtype), y[:TRAINED_ROWS]


# --- Ours ---------------------------------------------------------------------------------------------------


def build(learning_rate: float, momentum: float, shuffle: bool = True) -> tuple[Network, Momentum]:
    network = Network([Dense(UNITS, "relu"), Dense(10)], loss="softmax_cross_entropy")
    optimizer = Momentum(learning_rate, momentum=momentum, epochs=EPOCHS, batch_size=BATCH, shuffle=shuffle)
    return network, optimizer


def ours(
    configurations: Sequence[Configuration], shuffle: bool = True, dtype: str = "float32"
) -> list[Model]:
    """Train on the calling thread."""
    X, y = load(dtype)
    built = [build(rate, momentum, shuffle) for rate, momentum, _ in configurations]
    networks, optimizers = zip(*built, strict=True)
    return train_many(networks, optimizers, X, y, seeds=[seed for *_, seed in configurations], dtype=dtype)


def our_sweep() -> list[float]:
    """The same 256 as a user runs them, a sweep on all cores: the last training losses from its table."""
    sweep = Sweep(build, {"learning_rate": LEARNING_RATES, "momentum": MOMENTA}, repeats=len(SEEDS))
    return list(sweep.run(*load(), n_jobs=-1, progress=False).trials["train_loss"])


# --- scikit-learn -------------------------------------------------------------------------------------------


def peer(configuration: Configuration, shuffle: bool = True) -> MLPClassifier:
    """The same network and optimizer in scikit-learn's words; its stopping rule cannot act in 10 epochs."""
    learning_rate, momentum, seed = configuration
    return MLPClassifier(
        (UNITS,),
        activation="relu",
        solver="sgd",
        alpha=0.0,
        batch_size=BATCH,
        learning_rate_init=learning_rate,
        max_iter=EPOCHS,
        shuffle=shuffle,
        random_state=seed,
        tol=0.0,
        momentum=momentum,
        nesterovs_momentum=False,
        n_iter_no_change=EPOCHS + 1,
    )


def fit(model: MLPClassifier, X: np.ndarray, y: np.ndarray) -> float:
    """Train and return the last epoch's training loss."""
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 10 epochs are the task
        return float(model.fit(X, y).loss_curve_[-1])


def peer_loop(configurations: Sequence[Configuration], n_jobs: int = 1) -> list[float]:
    X, y = load()
    tasks = (joblib.delayed(fit)(peer(configuration), X, y) for configuration in configurations)
    return list(joblib.Parallel(n_jobs)(tasks))


# --- The same thing? ----------------------------------------------------------------------------------------


def peer_losses_from(configuration: Configuration, start: dict[str, np.ndarray]) -> np.ndarray:
    """scikit-learn's loss of every epoch from given weights, in the data's own order, in float64."""
    X, y = load("float64")
    model = peer(configuration, shuffle=False).set_params(warm_start=True, max_iter=1)
    fit(model, X, y)  # makes its arrays; with warm_start the next fit begins from what they hold
    model.coefs_ = [start["0.weight"].copy(), start["1.weight"].copy()]
    model.intercepts_ = [start["0.bias"].copy(), start["1.bias"].copy()]
    model.loss_curve_.clear()
    fit(model.set_params(max_iter=EPOCHS), X, y)
    return np.array(model.loss_curve_)


def largest_difference(configurations: Sequence[Configuration]) -> float:
    """The largest relative difference of the two's training losses: same start, same order, every epoch."""
    models = ours(configurations, shuffle=False, dtype="float64")
    differences = []
    for configuration, model in zip(configurations, models, strict=True):
        start = model.network.initialize(configuration[-1], input_shape=64, dtype="float64")
        theirs = peer_losses_from(configuration, start)
        differences.append(np.max(np.abs(model.history["train_loss"].to_numpy() - theirs) / theirs))
    return float(max(differences))


def check_agreement(sample: Sequence[Configuration]) -> None:
    """Stop unless both train the same networks: exactly alike when they can be, alike on average when not."""
    difference = largest_difference(sample)
    print(
        f"{len(sample)} networks from the same weights in the same order (float64): training losses of all epochs"
    )
    print(f"  differ by at most {difference:.1e} of their value (allowed 1e-6)")
    own = float(np.mean([model.metrics["train_loss"] for model in ours(sample)]))
    theirs = float(np.mean(peer_loop(sample)))
    print(f"each with its own draws (float32): mean last training loss {own:.4f}, scikit-learn {theirs:.4f}")
    print("  (may differ by 10 %)\n")
    if difference > 1e-6 or abs(own - theirs) > 0.1 * theirs:
        sys.exit("the two do not train the same networks: nothing to time")


# --- Timing -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Timing:
    """Steps a second of several runs of one way of working."""

    name: str
    networks: int
    seconds: tuple[float, ...]

    @property
    def rates(self) -> list[float]:
        return [self.networks * STEPS_PER_NETWORK / seconds for seconds in self.seconds]

    def row(self, baseline: Timing) -> str:
        rates = self.rates
        ratio = statistics.median(rates) / statistics.median(baseline.rates)
        return (
            f"{self.name:<44}{self.networks:>9}{statistics.median(self.seconds):>10.3f}"
            f"{statistics.median(rates):>12,.0f}{f'{min(rates):,.0f}-{max(rates):,.0f}':>19}{ratio:>8.1f}"
        )


def interleaved(ways: Sequence[tuple[str, int, Callable[[], object]]], runs: int) -> list[Timing]:
    """Time every way once a round, so that a slow minute of the machine meets all of them."""
    seconds: list[list[float]] = [[] for _ in ways]
    for _ in range(runs):
        for (_, _, way), record in zip(ways, seconds, strict=True):
            start = time.perf_counter()
            way()
            record.append(time.perf_counter() - start)
    return [Timing(name, n, tuple(record)) for (name, n, _), record in zip(ways, seconds, strict=True)]


def cpu_name() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def print_setting() -> None:
    load = f"load average at the start {os.getloadavg()[0]:.2f}"
    versions = [f"{module.__name__} {module.__version__}" for module in (np, sklearn, joblib)]
    print(f"{datetime.date.today()}, {cpu_name()}, {joblib.cpu_count()} cores, {load}")
    print(f"Python {platform.python_version()}, {', '.join(versions)}")
    print(f"{neuralnet_core.engine_info()}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="timed runs of each; the table shows medians")
    parser.add_argument(
        "--peer-networks", type=int, default=16, help="how many scikit-learn trains of the 256"
    )
    options = parser.parse_args()
    # Every 17th by default: all rates, momenta and seeds occur.
    sample = [ALL[i] for i in np.linspace(0, len(ALL) - 1, options.peer_networks).astype(int)]

    print_setting()
    check_agreement(sample)
    timings = interleaved(
        [
            ("scikit-learn, one after another, one thread", len(sample), partial(peer_loop, sample)),
            ("scikit-learn, joblib on all cores", len(sample), partial(peer_loop, sample, n_jobs=-1)),
            ("train_many, one thread", len(ALL), partial(ours, ALL)),
            ("Sweep.run, all cores, with its tables", len(ALL), our_sweep),
        ],
        options.runs,
    )
    print(f"{'':<44}{'networks':>9}{'seconds':>10}{'steps/s':>12}{'range':>19}{'ratio':>8}")
    for timing in timings:
        print(timing.row(timings[0]))
    print(
        f"\nMedians of {options.runs}; {STEPS_PER_NETWORK} steps a network; float32. scikit-learn trains a sample;"
    )
    print(
        "its networks are all of one size and trained one by one, so its steps/s do not depend on how many."
    )


if __name__ == "__main__":
    main()
