"""The work that is timed: W1-W4, W6 and one W2 network alone, as values. Each peer reads the same values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_digits, make_moons, make_regression
from sklearn.preprocessing import StandardScaler

from neuralnet_core import Adam, Dense, GradientDescent, Momentum, Network, Optimizer

__all__ = ["WORKLOADS", "Data", "Member", "Workload"]


@dataclass(frozen=True)
class Member:
    """One network of a workload: its architecture, how it is trained, and the seed of its weights and orders."""

    network: Network
    optimizer: Optimizer
    seed: int

    @property
    def widths(self) -> tuple[int, ...]:
        """Units of each layer."""
        return tuple(layer.units for layer in self.network.layers if isinstance(layer, Dense))

    @property
    def activation(self) -> str:
        """The activation of the hidden layers, which share one."""
        layer = self.network.layers[0]
        assert isinstance(layer, Dense)
        return layer.activation


@dataclass(frozen=True)
class Data:
    """Rows to train on and rows held out, in float64."""

    X: NDArray[Any]
    y: NDArray[Any]
    X_validation: NDArray[Any]
    y_validation: NDArray[Any]


@dataclass(frozen=True)
class Workload:
    """Networks that agree in loss, kind of optimizer, batch size and epochs, and the data they are trained on."""

    name: str
    title: str
    members: tuple[Member, ...]
    load: Callable[[], Data]

    @property
    def loss(self) -> str:
        """The loss of every member."""
        return self.members[0].network.loss

    @property
    def optimizer(self) -> Optimizer:
        """An optimizer of the kind, batch size and epochs of all; the rates are each member's own."""
        return self.members[0].optimizer

    @property
    def networks_of_a_seed(self) -> int:
        """How many members share a seed, and so an order of minibatches."""
        return sum(member.seed == self.members[0].seed for member in self.members)


def _split(X: NDArray[Any], y: NDArray[Any], rows: int) -> Data:
    return Data(np.ascontiguousarray(X[:rows]), y[:rows], np.ascontiguousarray(X[rows:]), y[rows:])


@lru_cache
def moons() -> Data:
    """Return 1000 points of two classes, and 1000 more."""
    return _split(*make_moons(2000, noise=0.2, random_state=0), 1000)


@lru_cache
def digits() -> Data:
    """Return the first 1437 of 1797 images of 8 x 8, in [0, 1], and the rest."""
    X, y = load_digits(return_X_y=True)
    return _split(X / 16, y, 1437)


@lru_cache
def breast_cancer() -> Data:
    """Return 455 rows of 30 features, standardised, and the other 114 by the same means and spreads."""
    X, y = load_breast_cancer(return_X_y=True)
    shuffled = np.random.default_rng(0).permutation(len(X))
    data = _split(X[shuffled], y[shuffled], 455)
    scaler = StandardScaler().fit(data.X)
    return Data(scaler.transform(data.X), data.y, scaler.transform(data.X_validation), data.y_validation)


@lru_cache
def regression() -> Data:
    """Return 1000 rows of 10 features with a target of spread 1, and 250 more."""
    X, y = make_regression(1250, 10, n_informative=10, noise=10.0, random_state=0)
    return _split(X, (y - y.mean()) / y.std(), 1000)


@lru_cache
def images() -> Data:
    """Return 4096 random images of 784 pixels with the labels of a random linear teacher, and 1024 more."""
    generator = np.random.default_rng(0)
    X = generator.random((5120, 784))
    y = ((X - 0.5) @ generator.normal(size=(784, 10))).argmax(axis=1)
    return _split(X, y, 4096)


def _classifier(units: int, activation: str, classes: int) -> Network:
    return Network([Dense(units, activation), Dense(classes)], loss="softmax_cross_entropy")


def _w1() -> tuple[Member, ...]:
    layers = [Dense(5, "relu"), Dense(4, "relu"), Dense(2, "relu"), Dense(1)]
    network = Network(layers, loss="binary_cross_entropy")
    return (Member(network, GradientDescent(0.3, epochs=1000, batch_size=None), seed=1),)


def _w2() -> tuple[Member, ...]:
    network = _classifier(32, "relu", 10)
    rates, momenta = np.geomspace(0.002, 0.1, 8).round(4).tolist(), (0.0, 0.5, 0.8, 0.9)
    return tuple(
        Member(network, Momentum(rate, momentum=momentum, epochs=10, batch_size=32), seed)
        for seed, rate, momentum in product(range(8), rates, momenta)
    )


def _w3() -> tuple[Member, ...]:
    network = Network([Dense(16, "tanh"), Dense(1)], loss="binary_cross_entropy")
    rates, penalties = np.geomspace(3e-4, 3e-2, 8).tolist(), np.geomspace(1e-6, 1e-2, 8).tolist()
    return tuple(
        Member(network, Adam(rate, l2=l2, epochs=20, batch_size=32), seed)
        for seed, rate, l2 in product(range(8), rates, penalties)
    )


def _w4() -> tuple[Member, ...]:
    optimizer = GradientDescent(0.01, epochs=3, batch_size=32)
    return tuple(
        Member(Network([Dense(hidden, activation), Dense(1)], loss="mse"), optimizer, seed)
        for seed, activation, hidden in product(range(5), ("relu", "tanh"), range(1, 101))
    )


def _w6() -> tuple[Member, ...]:
    network = _classifier(128, "relu", 10)
    rates = np.geomspace(0.003, 0.1, 16).tolist()
    return tuple(Member(network, GradientDescent(rate, epochs=2, batch_size=128), 0) for rate in rates)


# By name; "solo" is a network in the middle of W2's grid.
WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("W1", "moons, 2-5-4-2-1 relu, full batch of 1000, one network", _w1(), moons),
        Workload("W2", "digits, 64-32-10 relu, momentum, batch 32, 256 networks", _w2(), digits),
        Workload("W3", "breast cancer, 30-16-1 tanh, Adam, batch 32, 512 networks", _w3(), breast_cancer),
        Workload("W4", "regression, 10-h-1, h = 1..100, SGD, batch 32, 1000 networks", _w4(), regression),
        Workload("W6", "images, 784-128-10 relu, SGD, batch 128, 16 networks", _w6(), images),
        Workload("solo", "one network of W2, alone", (_w2()[18],), digits),
    )
}
