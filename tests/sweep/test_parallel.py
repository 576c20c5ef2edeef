from __future__ import annotations

import numpy as np
import pytest

from neuralnet_core import Adam, Dense, GradientDescent, Model, Network
from sweep import parallel_train

X = np.random.default_rng(0).normal(size=(60, 3))
BACKENDS = [("sequential", 1), ("threads", 1), ("threads", 2), ("processes", 2)]


@pytest.mark.parametrize(("backend", "workers"), BACKENDS)
def test_parallel_train_keeps_the_order(backend: str, workers: int) -> None:
    networks = [Network([Dense(units, "tanh"), Dense(1)]) for units in (2, 3, 4) * 8]
    models = parallel_train(
        networks, Adam(0.01, epochs=2), X, X[:, 0], seeds=range(24), n_jobs=workers, backend=backend
    )
    assert [model.network for model in models] == networks
    assert [model.seed for model in models] == list(range(24))


def test_parallel_train_with_rows_and_initial_values_of_each_network() -> None:
    network, optimizer = Network([Dense(1)]), GradientDescent(0.1, epochs=3)
    rows = [np.arange(40), np.arange(20, 60), np.arange(40)]
    initial = [{"0.weight": np.full((3, 1), value), "0.bias": np.zeros(1)} for value in (0.0, 0.5, 1.0)]
    held_out = np.arange(5)
    together = parallel_train(
        network,
        optimizer,
        X,
        X[:, 0],
        seeds=3,
        rows=rows,
        validation_rows=held_out,
        initial=initial,
        n_jobs=2,
    )
    for model, own, start in zip(together, rows, initial, strict=True):
        alone = network.train(X[own], X[own, 0], optimizer, seed=3, initial=start)
        assert model.digest() == alone.digest()
        assert "validation_loss" in model.history_arrays


@pytest.mark.parametrize("units", [(8, 4), (4, 8)])
def test_first_values_of_one_network_do_not_fit_another(units: tuple[int, int]) -> None:
    networks = [Network([Dense(own, "tanh"), Dense(1)]) for own in units]
    initial = networks[0].initialize(0, input_shape=3)
    with pytest.raises(ValueError, match=r"^parameter 0\.weight must have shape"):
        parallel_train(networks, Adam(epochs=1), X, X[:, 0], seeds=0, initial=initial, backend="sequential")


def test_parallel_train_of_one_or_none() -> None:
    (one,) = parallel_train(Network([Dense(1)]), Adam(epochs=1), X, X[:, 0], seeds=0, n_jobs=1)
    assert isinstance(one, Model)
    assert parallel_train([], Adam(epochs=1), X, X[:, 0], seeds=0, n_jobs=1) == []


def test_parallel_train_raises_for_what_does_not_fit() -> None:
    network = Network([Dense(1)])
    with pytest.raises(ValueError, match="equal in number, or single; got 2 networks, 3 seeds"):
        parallel_train([network] * 2, Adam(), X, X[:, 0], seeds=[1, 2, 3])
    with pytest.raises(TypeError, match="networks must be Network values, got 'mlp'"):
        parallel_train([network, "mlp"], Adam(), X, X[:, 0], seeds=0)  # type: ignore[list-item]
    for workers in (1, 2):
        with pytest.raises(ValueError, match=r"Dense\(3\)|outputs|units"):
            parallel_train([Network([Dense(3)])] * 20, Adam(), X, X[:, 0], seeds=range(20), n_jobs=workers)
