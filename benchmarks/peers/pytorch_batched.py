"""PyTorch at its best: a chunk of networks as stacked matrices, both passes by hand, compiled where that is faster."""

from __future__ import annotations

from typing import Any

import torch
from harness.problem import Problem
from harness.workloads import Member
from numpy.typing import NDArray

from neuralnet_core import Adam, Momentum

from .batched import Batched

__all__ = ["PytorchBatched", "PytorchCompiled"]

Tensors = list[torch.Tensor]

# Every chunk size and every size of minibatch is compiled for itself; beyond the limit it would be run uncompiled.
torch._dynamo.config.recompile_limit = 64


class PytorchBatched(Batched):
    """`torch.baddbmm` and hand-written gradients, without autograd."""

    chunks = (16, 32, 64, 128, 256)
    compiles = False

    def __init__(self, problem: Problem, chunk: int) -> None:
        torch.set_num_threads(1)
        data = problem.data
        self._X, self._X_validation = torch.from_numpy(data.X), torch.from_numpy(data.X_validation)
        self._y, self._y_validation = torch.from_numpy(data.y), torch.from_numpy(data.y_validation)
        self._step = torch.compile(_step, dynamic=False) if self.compiles else _step
        super().__init__(problem, chunk)
        if self.compiles:
            self._compile()

    def _compile(self) -> None:
        """Take a step on a minibatch of each size with chunks of each shape: that is when PyTorch compiles."""
        n, batch = len(self._X), self.problem.batch
        with torch.no_grad():
            for initial, rates, _, activation in self._ready:
                for size in {batch, n % batch or batch}:
                    values = [value.clone() for value in initial]
                    state = _state(values, self.problem.optimizer)
                    minibatch = self._X[:size], self._y[:size]
                    self._step(values, state, rates, minibatch, self.problem.loss, activation)

    def _prepare(self, members: tuple[Member, ...], initial: list[NDArray[Any]]) -> tuple[Any, ...]:
        problem, optimizer = self.problem, self.problem.optimizer
        tensors = [torch.from_numpy(array if array.ndim == 3 else array[:, None, :]) for array in initial]

        def column(name: str) -> torch.Tensor:
            return torch.from_numpy(problem.column(name, members))[:, None, None]

        rates = {"learning_rate": column("learning_rate")}
        if problem.column("l2", members).any():
            rates["l2"] = column("l2")
        if isinstance(optimizer, Momentum):
            rates["momentum"] = column("momentum")
        if isinstance(optimizer, Adam):
            width = tensors[0].dtype
            for name in ("beta1", "beta2", "epsilon"):
                rates[name] = torch.tensor(getattr(optimizer, name), dtype=width)
        return tensors, rates, torch.from_numpy(problem.orders(members[0].seed)), members[0].activation

    @torch.no_grad()
    def _train(self, ready: tuple[Any, ...]) -> tuple[Tensors, list[NDArray[Any]]]:
        initial, rates, orders, activation = ready
        problem = self.problem
        parameters = [value.clone() for value in initial]
        state = _state(parameters, problem.optimizer)
        full, validation = problem.batch == len(self._X), []
        for order in orders:
            for start in range(0, len(order), problem.batch):
                rows = order[start : start + problem.batch]
                X, y = (self._X, self._y) if full else (self._X[rows], self._y[rows])
                self._step(parameters, state, rates, (X, y), problem.loss, activation)
            if problem.validates:
                validation.append(self._validated(parameters, activation))
        return [
            value if like.ndim == 3 and layer % 2 == 0 else value[:, 0]
            for layer, (value, like) in enumerate(zip(parameters, initial, strict=True))
        ], validation

    def _validated(self, parameters: Tensors, activation: str) -> NDArray[Any]:
        outputs = _forward(parameters, self._X_validation, activation)[-1]
        y, loss = self._y_validation, self.problem.loss
        if loss == "mse":
            return ((outputs - y) ** 2).mean(dim=(1, 2)).numpy()
        if loss == "binary_cross_entropy":
            outputs = outputs[..., 0]
            ((outputs > 0) == y).double().mean(dim=1)
            return (torch.nn.functional.softplus(outputs) - outputs * y).mean(dim=1).numpy()
        (outputs.argmax(dim=2) == y).double().mean(dim=1)
        logs = torch.log_softmax(outputs, dim=2)
        return -logs[:, torch.arange(len(y)), y].mean(dim=1).numpy()


class PytorchCompiled(PytorchBatched):
    """The same step through `torch.compile`."""

    chunks = (64, 256)  # each costs half a minute of compilation
    compiles = True

    @classmethod
    def takes(cls, problem: Problem) -> bool:
        """Whether networks are of one shape: a shape costs half a minute of compilation."""
        return len({member.widths for member in problem.members}) == 1


def _state(parameters: Tensors, optimizer: Any) -> dict[str, Any]:
    state: dict[str, Any] = {}
    if isinstance(optimizer, Adam | Momentum):
        state["first"] = [torch.zeros_like(value) for value in parameters]
    if isinstance(optimizer, Adam):
        state["second"] = [torch.zeros_like(value) for value in parameters]
        state["left"] = torch.ones(2, dtype=parameters[0].dtype)  # beta1^t, beta2^t
    return state


def _forward(parameters: Tensors, X: torch.Tensor, activation: str) -> Tensors:
    values = [X.expand(len(parameters[0]), *X.shape)]
    for layer in range(0, len(parameters), 2):
        z = torch.baddbmm(parameters[layer + 1], values[-1], parameters[layer])
        if layer + 2 < len(parameters):
            z = torch.relu_(z) if activation == "relu" else torch.tanh_(z)
        values.append(z)
    return values


def _delta(outputs: torch.Tensor, y: torch.Tensor, loss: str) -> torch.Tensor:
    n = len(y)
    if loss == "mse":
        return (outputs - y) * (2 / n)
    if loss == "binary_cross_entropy":
        return (torch.sigmoid(outputs) - y[:, None]) / n
    classes = torch.arange(outputs.shape[2])
    return (torch.softmax(outputs, dim=2) - (y[:, None] == classes).to(outputs.dtype)) / n


def _step(
    parameters: Tensors,
    state: dict[str, Any],
    rates: dict[str, torch.Tensor],
    minibatch: tuple[torch.Tensor, torch.Tensor],
    loss: str,
    activation: str,
) -> None:
    """Train a chunk on one minibatch, in place."""
    X, y = minibatch
    values = _forward(parameters, X, activation)
    delta = _delta(values.pop(), y, loss)
    gradient: Tensors = []
    for layer in range(len(parameters) - 2, -1, -2):
        below = values[layer // 2]
        gradient = [torch.bmm(below.transpose(1, 2), delta), delta.sum(dim=1, keepdim=True), *gradient]
        if layer:
            delta = torch.bmm(delta, parameters[layer].transpose(1, 2))
            delta = delta * (below > 0) if activation == "relu" else delta * (1 - below * below)
    _update(parameters, gradient, state, rates)


def _update(
    parameters: Tensors, gradient: Tensors, state: dict[str, Any], rates: dict[str, torch.Tensor]
) -> None:
    rate = rates["learning_rate"]
    if "left" in state:
        state["left"].mul_(torch.stack([rates["beta1"], rates["beta2"]]))
        rate = rate / (1 - state["left"][0])
        root = torch.rsqrt(1 - state["left"][1])
    if "l2" in rates:
        gradient[::2] = [g + rates["l2"] * own for g, own in zip(gradient[::2], parameters[::2], strict=True)]
    for place, (parameter, g) in enumerate(zip(parameters, gradient, strict=True)):
        if "left" in state:
            first, second = state["first"][place], state["second"][place]
            first.lerp_(g, 1 - rates["beta1"])
            second.mul_(rates["beta2"]).addcmul_(g * (1 - rates["beta2"]), g)
            parameter.sub_(rate * first / (second.sqrt() * root + rates["epsilon"]))
        elif "first" in state:
            first = state["first"][place]
            first.mul_(rates["momentum"]).add_(g)
            parameter.sub_(rate * first)
        else:
            parameter.sub_(rate * g)
