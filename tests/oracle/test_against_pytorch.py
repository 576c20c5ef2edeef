"""The engine and the NumPy reference against PyTorch: same start, same order of rows, same units dropped.

What differs by habit is set to the definitions of docs/design.md: momentum buffers start at zero (PyTorch starts them
at the first gradient, which matters with dampening), gradients are clipped by hand (its clip adds 1e-6 to the norm),
penalties touch weights only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from training_cases import TrainingCase, as_targets, largest_difference, training_cases

from neuralnet_core import (
    ACTIVATIONS,
    LOSSES,
    Adam,
    AdamW,
    CosineDecay,
    Dense,
    Dropout,
    ExponentialDecay,
    GradientDescent,
    Momentum,
    Network,
    Optimizer,
    RMSprop,
    StepDecay,
    WarmUp,
    train_many,
)
from neuralnet_core.backpropagation import loss_and_gradients
from neuralnet_core.evaluation import evaluate, forward, gradients
from neuralnet_core.random import dropout_keep, permutation
from neuralnet_core.reference import train_reference
from neuralnet_core.schedules import Schedule, learning_rate_at

CASES = training_cases()
TOLERANCE = 1e-7

# A row per activation and loss: what PyTorch calls it.
ACTIVATION_OF: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "identity": nn.Identity(),
    "relu": functional.relu,
    "leaky_relu": lambda z: functional.leaky_relu(z, negative_slope=0.01),
    "elu": functional.elu,
    "selu": functional.selu,
    "gelu": lambda z: functional.gelu(z, approximate="tanh"),
    "silu": functional.silu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softplus": lambda z: functional.softplus(z, threshold=50.0),
    "softsign": functional.softsign,
}
LOSS_OF: dict[str, Callable[..., torch.Tensor]] = {
    "mse": functional.mse_loss,
    "mae": functional.l1_loss,
    "huber": functional.huber_loss,
    "binary_cross_entropy": functional.binary_cross_entropy_with_logits,
    "softmax_cross_entropy": lambda z, t, **k: functional.cross_entropy(z, t[:, 0].long(), **k),
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Twin(nn.Module):
    """The same network in PyTorch, in float64."""

    def __init__(self, network: Network, initial: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.network = network
        self.tensors = nn.ParameterList(
            [torch.tensor(value, dtype=torch.float64) for value in initial.values()]
        )
        self.names = list(initial)

    @property
    def by_name(self) -> dict[str, torch.Tensor]:
        return dict(zip(self.names, self.tensors, strict=True))

    def arrays(self) -> dict[str, np.ndarray]:
        return {name: value.detach().numpy().copy() for name, value in self.by_name.items()}

    def forward(self, x: torch.Tensor, keep: dict[int, np.ndarray]) -> torch.Tensor:
        own = self.by_name
        for position, layer in enumerate(self.network.layers):
            match layer:
                case Dense(activation=activation):
                    bias = own.get(f"{position}.bias")
                    x = ACTIVATION_OF[activation](functional.linear(x, own[f"{position}.weight"].T, bias))
                case Dropout(rate=rate) if position in keep:
                    x = x * torch.tensor(keep[position]) / (1 - rate)
        return x

    def loss(
        self, x: torch.Tensor, t: torch.Tensor, weights: torch.Tensor | None, keep: dict[int, np.ndarray]
    ) -> torch.Tensor:
        z, loss = self(x, keep), LOSS_OF[self.network.loss]
        if weights is None:
            return loss(z, t)
        by_sample = loss(z, t, reduction="none").reshape(len(z), -1).mean(dim=1)
        return (weights * by_sample).sum() / weights.sum()

    def keep(self, seed: int, update: int, x: torch.Tensor) -> dict[int, np.ndarray]:
        """Return the units kept by each Dropout layer in an update; the widths are those of the layers before."""
        kept, width = {}, x.shape[1]
        for position, layer in enumerate(self.network.layers):
            match layer:
                case Dense(units=units):
                    width = units
                case Dropout(rate=rate):
                    kept[position] = dropout_keep(seed, position, update, len(x), width, rate)
        return kept


def optimizer_of(optimizer: Optimizer, twin: Twin) -> torch.optim.Optimizer:
    weights = [value for name, value in twin.by_name.items() if name.endswith("weight")]
    biases = [value for name, value in twin.by_name.items() if name.endswith("bias")]
    match optimizer:
        case GradientDescent():
            return torch.optim.SGD(twin.parameters(), lr=1.0)
        case Momentum(momentum=momentum, dampening=dampening, nesterov=nesterov):
            sgd = torch.optim.SGD(
                twin.parameters(), lr=1.0, momentum=momentum, dampening=dampening, nesterov=nesterov
            )
            for value in twin.parameters():
                sgd.state[value]["momentum_buffer"] = torch.zeros_like(value)
            return sgd
        case RMSprop(decay=decay, epsilon=epsilon):
            return torch.optim.RMSprop(twin.parameters(), lr=1.0, alpha=decay, eps=epsilon)
        case AdamW(beta1=beta1, beta2=beta2, epsilon=epsilon, weight_decay=decay):
            groups = [{"params": weights, "weight_decay": decay}, {"params": biases, "weight_decay": 0.0}]
            return torch.optim.AdamW(
                [g for g in groups if g["params"]], lr=1.0, betas=(beta1, beta2), eps=epsilon
            )
        case Adam(beta1=beta1, beta2=beta2, epsilon=epsilon):
            return torch.optim.Adam(twin.parameters(), lr=1.0, betas=(beta1, beta2), eps=epsilon)
    raise TypeError(f"no twin of {optimizer!r}")


def clip_and_penalize(optimizer: Optimizer, twin: Twin) -> None:
    if optimizer.clip_norm is not None:
        norm = math.sqrt(sum(float((value.grad**2).sum()) for value in twin.parameters()))
        for value in twin.parameters():
            value.grad *= min(1.0, optimizer.clip_norm / norm)
    for name, value in twin.by_name.items():
        if name.endswith("weight"):
            value.grad += optimizer.l2 * value.detach() + optimizer.l1 * torch.sign(value.detach())


def train_in_pytorch(case: TrainingCase) -> tuple[dict[str, np.ndarray], dict[str, list[float]]]:
    """Return the parameters and history of the training loop that a PyTorch user writes."""
    twin, settings = Twin(case.network, case.initial), case.optimizer
    optimizer = optimizer_of(settings, twin)
    X, t = torch.tensor(case.X), torch.tensor(case.targets)
    weights = None if case.weights is None else torch.tensor(case.weights)
    held_out = torch.tensor(case.validation[0]), torch.tensor(as_targets(case.validation[1]))
    n, size = len(X), settings.batch_size or len(X)
    history: dict[str, list[float]] = {"train_loss": [], "validation_loss": []}
    update = 0
    for epoch in range(settings.epochs):
        order = permutation(case.seed, epoch, n) if settings.shuffle and size < n else np.arange(n)
        total = seen = 0.0
        for start in range(0, n, size):
            rows = order[start : start + size]
            w = None if weights is None else weights[rows]
            share = len(rows) if w is None else float(w.sum())
            if share == 0.0:
                continue
            optimizer.zero_grad()
            loss = twin.loss(X[rows], t[rows], w, twin.keep(case.seed, update, X[rows]))
            loss.backward()
            clip_and_penalize(settings, twin)
            for group in optimizer.param_groups:
                group["lr"] = learning_rate_at(settings.learning_rate, update)
            optimizer.step()
            update += 1
            total += loss.item() * share
            seen += share
        history["train_loss"].append(total / seen)
        with torch.no_grad():
            history["validation_loss"].append(twin.loss(*held_out, None, {}).item())
    return twin.arrays(), history


@pytest.mark.parametrize("case", CASES, ids=str)
def test_training_agrees_with_pytorch(case: TrainingCase) -> None:
    parameters, history = train_in_pytorch(case)
    [model] = train_many(
        case.network,
        case.optimizer,
        case.X,
        case.y,
        seeds=case.seed,
        sample_weight=case.weights,
        validation=case.validation,
        initial=case.initial,
        dtype="float64",
    )
    run = train_reference(
        case.network,
        case.optimizer,
        case.X,
        case.targets,
        initial=case.initial,
        seed=case.seed,
        sample_weight=case.weights,
        validation=(case.validation[0], as_targets(case.validation[1])),
    )
    for ours, curves in ((model.parameters, model.history_arrays), (run.parameters, run.history)):
        for name, value in parameters.items():
            assert largest_difference(ours[name], value) <= TOLERANCE, name
        for name, values in history.items():
            assert largest_difference(curves[name], np.array(values)) <= TOLERANCE, name


def test_every_activation_and_loss_has_a_twin() -> None:
    assert set(ACTIVATION_OF) == set(ACTIVATIONS)
    assert set(LOSS_OF) == set(LOSSES)


def targets_for(loss: str, random: np.random.Generator, n: int) -> np.ndarray:
    match LOSSES[loss].kind:
        case "classes":
            return random.integers(0, 3, (n, 1)).astype(float)
        case "binary":
            return random.integers(0, 2, (n, 3)).astype(float)
        case _:
            return random.normal(size=(n, 3))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_outputs_loss_and_gradients_agree(activation: str, loss: str) -> None:
    random = np.random.default_rng(6)
    network = Network([Dense(7, activation), Dense(5, activation), Dense(3)], loss=loss)
    parameters = network.initialize(1, input_shape=4, dtype="float64")
    X = 3 * random.normal(size=(300, 4))  # wide enough for the tails
    t = targets_for(loss, random, 300)
    twin = Twin(network, parameters)
    value = twin.loss(torch.tensor(X), torch.tensor(t), None, {})
    value.backward()
    outputs = twin(torch.tensor(X), {}).detach().numpy()
    expected = {name: tensor.grad.numpy() for name, tensor in twin.by_name.items()}
    own_loss, own = loss_and_gradients(network, parameters, X, t)
    assert own_loss == pytest.approx(value.item(), rel=1e-12)
    assert evaluate(network, parameters, X, t)["loss"] == pytest.approx(value.item(), rel=1e-12)
    np.testing.assert_allclose(forward(network, parameters, X), outputs, rtol=1e-11, atol=1e-12)
    for found in (own, gradients(network, parameters, X, t)):
        for name, gradient in expected.items():
            np.testing.assert_allclose(found[name], gradient, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("loss", LOSSES)
def test_large_logits_agree(loss: str) -> None:
    z, random = np.array([[400.0, -400.0, 0.0], [-30.0, 60.0, 59.0]]), np.random.default_rng(0)
    network, t = Network([Dense(3)], loss=loss), targets_for(loss, random, 2)
    parameters = {"0.weight": np.eye(3), "0.bias": np.zeros(3)}
    twin = Twin(network, parameters)
    value = twin.loss(torch.tensor(z), torch.tensor(t), None, {})
    value.backward()
    assert loss_and_gradients(network, parameters, z, t)[0] == pytest.approx(value.item(), rel=1e-14)
    found = gradients(network, parameters, z, t)["0.bias"]
    np.testing.assert_allclose(found, twin.by_name["0.bias"].grad.numpy(), rtol=1e-12, atol=1e-16)


# A row per schedule that PyTorch has too.
SCHEDULERS: dict[
    str, tuple[Schedule, Callable[[torch.optim.Optimizer], torch.optim.lr_scheduler.LRScheduler]]
] = {
    "step": (StepDecay(0.1, 0.5, 30), lambda o: torch.optim.lr_scheduler.StepLR(o, step_size=30, gamma=0.5)),
    "exponential": (
        ExponentialDecay(0.1, 0.97),
        lambda o: torch.optim.lr_scheduler.ExponentialLR(o, gamma=0.97),
    ),
    "cosine": (
        CosineDecay(0.1, updates=100, final=0.01),
        lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, T_max=100, eta_min=0.01),
    ),
    "warm-up": (
        WarmUp(20, after=0.1),
        lambda o: torch.optim.lr_scheduler.LinearLR(o, start_factor=1 / 20, end_factor=1.0, total_iters=19),
    ),
}


@pytest.mark.parametrize("name", SCHEDULERS)
def test_schedules_agree(name: str) -> None:
    schedule, make = SCHEDULERS[name]
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1, dtype=torch.float64))], lr=0.1)
    scheduler = make(optimizer)
    for update in range(100):
        assert schedule.rate(update) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9), update
        optimizer.step()
        scheduler.step()
