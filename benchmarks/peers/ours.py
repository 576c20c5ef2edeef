"""Our side: `train_many`, with what a user gets from it - training curves, and models to predict with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from harness.problem import Problem
from numpy.typing import NDArray

from neuralnet_core import Model, Optimizer, train_many

from .training import Parameters, Training

__all__ = ["TrainMany"]


class TrainMany(Training):
    """`train_many` on the calling thread."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self._optimizers = [self._in_order(member.optimizer) for member in problem.members]
        self._models: list[Model] = []

    def _in_order(self, optimizer: Optimizer) -> Optimizer:
        return optimizer if self.problem.shuffles else replace(optimizer, shuffle=False)

    def train(self) -> None:
        problem, data = self.problem, self.problem.data
        self._models = train_many(
            [member.network for member in problem.members],
            self._optimizers,
            data.X,
            data.y,
            seeds=[member.seed for member in problem.members],
            validation=(data.X_validation, data.y_validation) if problem.validates else None,
            dtype=problem.dtype,
        )

    def parameters(self) -> list[Parameters]:
        return [list(model.parameters.values()) for model in self._models]

    def validation_losses(self) -> NDArray[np.float64]:
        return np.array([model.metrics["validation_loss"] for model in self._models])
