"""NumPy: a chunk of networks as stacked matrices, both passes by hand, arrays reused from step to step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from harness.problem import Problem
from harness.workloads import Member
from numpy.typing import NDArray

from neuralnet_core import Adam, Momentum

from .batched import Batched

__all__ = ["NumpyBatched"]

Array = NDArray[Any]


class NumpyBatched(Batched):
    """`np.matmul` over stacks of matrices."""

    chunks = (8, 16, 32, 64, 128)

    def _prepare(self, members: tuple[Member, ...], initial: list[Array]) -> tuple[Array, Stack]:
        orders = self.problem.orders(members[0].seed)
        return orders, Stack.of(self.problem, members, initial)

    def _train(self, ready: tuple[Array, Stack]) -> tuple[list[Array], list[Array]]:
        orders, stack = ready
        problem, data = self.problem, self.problem.data
        stack.begin()
        validation = []
        for order in orders:
            for start in range(0, len(order), problem.batch):
                rows = order[start : start + problem.batch]
                full = problem.batch == len(order)
                stack.step(data.X if full else data.X[rows], data.y if full else data.y[rows])
            if problem.validates:
                validation.append(stack.validate(data.X_validation, data.y_validation))
        return [
            array.reshape(shape) for array, shape in zip(stack.views, stack.shapes, strict=True)
        ], validation


@dataclass
class Rates:
    """The optimizer's numbers, a column each: (networks, 1)."""

    learning_rate: Array
    momentum: Array | None
    l2: Array | None
    adam: Adam | None


class Stack:
    """The state of a chunk: all parameters of a network in one row, and views of them by layer."""

    def __init__(self, problem: Problem, members: tuple[Member, ...], initial: list[Array]) -> None:
        networks = len(members)
        self.loss, self.activation = problem.loss, members[0].activation
        # Biases have a row of their own, so that they add to (networks, samples, units).
        self.shapes = [array.shape for array in initial]
        boxes = [(networks, 1, *s[1:]) if len(s) == 2 else s for s in self.shapes]
        self._initial = np.concatenate([array.reshape(networks, -1) for array in initial], axis=1)
        self.flat, self._gradient = self._initial.copy(), np.zeros_like(self._initial)
        self.views, self._gradients = _views(self.flat, boxes), _views(self._gradient, boxes)
        self._buffers = [np.zeros_like(self.flat) for _ in range(3)]
        self._rates = _rates(problem, members, self.shapes)
        self._time = 0

    @classmethod
    def of(cls, *arguments: Any) -> Stack:
        return cls(*arguments)

    def begin(self) -> None:
        """Go back to the initial parameters."""
        self.flat[...] = self._initial
        for buffer in self._buffers:
            buffer.fill(0)
        self._time = 0

    def step(self, X: Array, y: Array) -> None:
        """Train on one minibatch."""
        activations = self._forward(X)
        delta = self._delta(activations.pop(), y)
        for layer in range(len(self.views) // 2 - 1, -1, -1):
            weight, below = self.views[2 * layer], activations[layer]
            np.matmul(below.swapaxes(-1, -2), delta, out=self._gradients[2 * layer])
            delta.sum(axis=1, keepdims=True, out=self._gradients[2 * layer + 1])
            if layer:
                delta = delta @ weight.swapaxes(-1, -2)
                if self.activation == "relu":
                    delta *= below > 0
                else:
                    delta *= 1 - below * below
        self._update()

    def validate(self, X: Array, y: Array) -> Array:
        """Return the loss of each network on other rows; accuracy or R2 is computed beside it, as others do."""
        outputs = self._forward(X)[-1]
        if self.loss == "mse":
            losses = ((outputs - y) ** 2).mean(axis=(1, 2))
        elif self.loss == "binary_cross_entropy":
            outputs = outputs[..., 0]
            ((outputs > 0) == y).mean(axis=1)
            losses = (np.logaddexp(0, outputs) - outputs * y).mean(axis=1)
        else:
            (outputs.argmax(axis=2) == y).mean(axis=1)
            outputs = outputs - outputs.max(axis=2, keepdims=True)
            chosen = outputs[:, np.arange(len(y)), y]
            losses = (np.log(np.exp(outputs).sum(axis=2)) - chosen).mean(axis=1)
        return losses

    def _forward(self, X: Array) -> list[Array]:
        values = [X]
        for layer in range(len(self.views) // 2):
            z = np.matmul(values[-1], self.views[2 * layer])
            z += self.views[2 * layer + 1]
            if 2 * layer + 2 < len(self.views):
                np.maximum(z, 0, out=z) if self.activation == "relu" else np.tanh(z, out=z)
            values.append(z)
        return values

    def _delta(self, outputs: Array, y: Array) -> Array:
        """Return the gradient of the loss by the outputs, in their place."""
        n = len(y)
        if self.loss == "mse":
            outputs -= y
            outputs *= 2 / n
            return outputs
        if self.loss == "binary_cross_entropy":
            np.negative(outputs, out=outputs)
            np.exp(outputs, out=outputs)
            outputs += 1
            np.reciprocal(outputs, out=outputs)
            outputs[..., 0] -= y
        else:
            outputs -= outputs.max(axis=2, keepdims=True)
            np.exp(outputs, out=outputs)
            outputs /= outputs.sum(axis=2, keepdims=True)
            outputs[:, np.arange(n), y] -= 1
        outputs *= 1 / n
        return outputs

    def _update(self) -> None:
        rates, gradient, (first, second, work) = self._rates, self._gradient, self._buffers
        if rates.l2 is not None:
            np.multiply(rates.l2, self.flat, out=work)
            gradient += work
        if rates.adam is not None:
            adam = rates.adam
            self._time += 1
            first *= adam.beta1
            np.multiply(gradient, 1 - adam.beta1, out=work)
            first += work
            second *= adam.beta2
            np.multiply(gradient, gradient, out=work)
            work *= 1 - adam.beta2
            second += work
            np.sqrt(second, out=work)
            work *= 1 / np.sqrt(1 - adam.beta2**self._time)
            work += adam.epsilon
            np.divide(first, work, out=work)
            work *= rates.learning_rate / (1 - adam.beta1**self._time)
        elif rates.momentum is not None:
            first *= rates.momentum
            first += gradient
            np.multiply(first, rates.learning_rate, out=work)
        else:
            np.multiply(gradient, rates.learning_rate, out=work)
        self.flat -= work


def _views(flat: Array, boxes: list[tuple[int, ...]]) -> list[Array]:
    views, start = [], 0
    for box in boxes:
        size = int(np.prod(box[1:]))
        views.append(flat[:, start : start + size].reshape(box))
        start += size
    return views


def _rates(problem: Problem, members: tuple[Member, ...], shapes: list[tuple[int, ...]]) -> Rates:
    optimizer = problem.optimizer
    l2 = None
    if problem.column("l2", members).any():
        # Penalties are for weights: a factor of 0 where the biases are.
        kinds = [np.full(int(np.prod(s[1:])), len(s) == 3, problem.dtype) for s in shapes]
        l2 = problem.column("l2", members)[:, None] * np.concatenate(kinds)
    return Rates(
        problem.column("learning_rate", members)[:, None],
        problem.column("momentum", members)[:, None] if isinstance(optimizer, Momentum) else None,
        l2,
        optimizer if isinstance(optimizer, Adam) else None,
    )
