"""PyTorch as a user writes it: a module, an optimizer, a loop over minibatches, one network after another."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from harness.problem import Problem
from harness.workloads import Member
from numpy.typing import NDArray
from torch import nn

from neuralnet_core import Adam

from .training import Parameters, Training

__all__ = ["PytorchEager", "targets"]

LOSSES = {
    "mse": nn.MSELoss,
    "binary_cross_entropy": nn.BCEWithLogitsLoss,
    "softmax_cross_entropy": nn.CrossEntropyLoss,
}
ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh}


def targets(y: NDArray[Any], loss: str, dtype: str) -> torch.Tensor:
    """Return targets as PyTorch's losses take them."""
    if loss == "binary_cross_entropy":
        return torch.from_numpy(y.astype(dtype)[:, None])
    return torch.from_numpy(y)


class PytorchEager(Training):
    """The loop of a tutorial; minibatches are gathered by index, which is faster than a DataLoader."""

    one_by_one = True

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        torch.set_num_threads(1)
        data = problem.data
        self._X, self._X_validation = torch.from_numpy(data.X), torch.from_numpy(data.X_validation)
        self._y = targets(data.y, problem.loss, problem.dtype)
        self._y_validation = targets(data.y_validation, problem.loss, problem.dtype)
        self._orders = {
            member.seed: torch.from_numpy(problem.orders(member.seed)) for member in problem.members
        }
        self._loss = LOSSES[problem.loss]()
        self._modules: list[nn.Module] = []
        self._validation: list[float] = []

    def train(self) -> None:
        self._validation = []
        self._modules = [self._trained(member) for member in self.problem.members]

    def _trained(self, member: Member) -> nn.Module:
        problem, module = self.problem, self._module(member)
        optimizer = _optimizer(module, member)
        full, loss = problem.batch == len(self._X), float("nan")
        for order in self._orders[member.seed]:
            for start in range(0, len(order), problem.batch):
                rows = order[start : start + problem.batch]
                X, y = (self._X, self._y) if full else (self._X[rows], self._y[rows])
                optimizer.zero_grad()
                self._loss(module(X), y).backward()
                optimizer.step()
            if problem.validates:
                loss = self._validated(module)
        self._validation.append(loss)
        return module

    def _module(self, member: Member) -> nn.Module:
        initial = self.problem.initial(member)
        layers: list[nn.Module] = []
        for weight, bias in zip(initial[::2], initial[1::2], strict=True):
            linear = nn.Linear(*weight.shape, dtype=getattr(torch, self.problem.dtype))
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(weight.T))
                linear.bias.copy_(torch.from_numpy(bias))
            layers += [linear, ACTIVATIONS[member.activation]()]
        return nn.Sequential(*layers[:-1])

    @torch.no_grad()
    def _validated(self, module: nn.Module) -> float:
        outputs, y = module(self._X_validation), self._y_validation
        if self.problem.loss != "mse":
            answers = outputs > 0 if self.problem.loss == "binary_cross_entropy" else outputs.argmax(dim=1)
            (answers == y).double().mean()
        return float(self._loss(outputs, y))

    def parameters(self) -> list[Parameters]:
        return [
            [value.detach().numpy().T for value in module.parameters()]  # the bias is its own transpose
            for module in self._modules
        ]

    def validation_losses(self) -> NDArray[np.float64]:
        return np.array(self._validation)


def _optimizer(module: nn.Module, member: Member) -> torch.optim.Optimizer:
    own = member.optimizer
    groups = [
        {"params": [p for p in module.parameters() if p.ndim == 2], "weight_decay": own.l2},
        {"params": [p for p in module.parameters() if p.ndim == 1]},  # biases have no penalty
    ]
    if isinstance(own, Adam):
        return torch.optim.Adam(groups, own.learning_rate, (own.beta1, own.beta2), own.epsilon)
    return torch.optim.SGD(groups, own.learning_rate, momentum=getattr(own, "momentum", 0.0))
