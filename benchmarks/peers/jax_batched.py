"""JAX: the whole training of a chunk of networks is one compiled call - a scan over epochs and minibatches of vmap."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from harness.problem import Problem
from harness.workloads import Member
from jax import lax
from numpy.typing import NDArray

from neuralnet_core import Adam, Momentum

from .batched import Batched

__all__ = ["JaxBatched"]

jax.config.update("jax_enable_x64", True)  # or float64 would be float32; arrays keep the width they have

Tree = Any


class JaxBatched(Batched):
    """`jit(scan(vmap))`. Networks of unlike width are padded to the widest of their chunk."""

    chunks = (8, 16, 32, 64, 128)

    def __init__(self, problem: Problem, chunk: int) -> None:
        self._functions: dict[Any, Callable[..., Any]] = {}
        data = problem.data
        self._data = tuple(map(jnp.asarray, (data.X, data.y, data.X_validation, data.y_validation)))
        super().__init__(problem, chunk)

    def _prepare(self, members: tuple[Member, ...], initial: list[NDArray[Any]]) -> tuple[Any, ...]:
        problem = self.problem
        names = ["learning_rate", "momentum", "l2"] if isinstance(problem.optimizer, Momentum) else []
        names = names or ["learning_rate", "l2"]
        rates = {name: jnp.asarray(problem.column(name, members)) for name in names}
        orders = problem.orders(members[0].seed)
        arguments = ([jnp.asarray(array) for array in initial], rates, jnp.asarray(orders), self._data)
        key = members[0].activation, *(array.shape for array in initial)
        if key not in self._functions:
            function = jax.jit(partial(_train, problem=problem, activation=members[0].activation))
            self._functions[key] = function.lower(*arguments).compile()
        return self._functions[key], arguments

    def _train(self, ready: tuple[Any, ...]) -> tuple[Any, Any]:
        function, arguments = ready
        return jax.block_until_ready(function(*arguments))


def _train(
    parameters: Tree,
    rates: dict[str, Any],
    orders: Any,
    data: tuple[Any, ...],
    *,
    problem: Problem,
    activation: str,
) -> tuple[Tree, Any]:
    """Return trained parameters (networks, ...) and validation losses (epochs, networks)."""
    X, y, X_validation, y_validation = data
    n, batch = len(X), problem.batch
    loss = partial(_loss, name=problem.loss, activation=activation)
    step = partial(_step, loss=loss, penalised=bool(problem.column("l2").any()), optimizer=problem.optimizer)
    on_all = jax.vmap(step, in_axes=(0, 0, None, None))
    held_out = jax.vmap(partial(_validate, name=problem.loss, activation=activation), in_axes=(0, None, None))

    def minibatch(state: Tree, rows: Any) -> tuple[Tree, None]:
        return on_all(state, rates, X[rows], y[rows]), None

    def epoch(state: Tree, order: Any) -> tuple[Tree, Any]:
        if batch == n:
            state = on_all(state, rates, X, y)
        else:
            whole = n // batch * batch
            state, _ = lax.scan(minibatch, state, order[:whole].reshape(-1, batch))
            if whole < n:
                state, _ = minibatch(state, order[whole:])
        return state, held_out(state[0], X_validation, y_validation) if problem.validates else None

    state, losses = lax.scan(epoch, _state(parameters, problem.optimizer), orders)
    return state[0], losses[0] if problem.validates else None


def _state(parameters: Tree, optimizer: Any) -> Tree:
    zeros = jax.tree.map(jnp.zeros_like, parameters)
    networks = parameters[0].shape[0]
    if isinstance(optimizer, Adam):
        ones = jnp.ones(networks, parameters[0].dtype)
        return parameters, zeros, zeros, ones, ones
    return (parameters, zeros) if isinstance(optimizer, Momentum) else (parameters,)


def _step(
    state: Tree, rates: dict[str, Any], X: Any, y: Any, *, loss: Any, penalised: bool, optimizer: Any
) -> Tree:
    """Train one network on one minibatch."""
    parameters, *rest = state
    gradient = jax.grad(loss)(parameters, X, y)
    if penalised:
        gradient = [
            g + rates["l2"] * p if p.ndim == 2 else g for g, p in zip(gradient, parameters, strict=True)
        ]
    rate = rates["learning_rate"]
    if isinstance(optimizer, Adam):
        first, second, left1, left2 = rest
        beta1, beta2 = optimizer.beta1, optimizer.beta2
        first = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, first, gradient)
        second = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, second, gradient)
        left1, left2 = left1 * beta1, left2 * beta2
        rate, root = rate / (1 - left1), 1 / jnp.sqrt(1 - left2)
        parameters = jax.tree.map(
            lambda p, m, v: p - rate * m / (jnp.sqrt(v) * root + optimizer.epsilon), parameters, first, second
        )
        return parameters, first, second, left1, left2
    if isinstance(optimizer, Momentum):
        gradient = jax.tree.map(lambda v, g: rates["momentum"] * v + g, rest[0], gradient)
        rest = [gradient]
    return jax.tree.map(lambda p, g: p - rate * g, parameters, gradient), *rest


def _outputs(parameters: Tree, X: Any, activation: str) -> Any:
    values = X
    for layer in range(0, len(parameters), 2):
        values = values @ parameters[layer] + parameters[layer + 1]
        if layer + 2 < len(parameters):
            values = jnp.maximum(values, 0) if activation == "relu" else jnp.tanh(values)
    return values


def _loss(parameters: Tree, X: Any, y: Any, *, name: str, activation: str) -> Any:
    return _loss_of(_outputs(parameters, X, activation), y, name)


def _loss_of(outputs: Any, y: Any, name: str) -> Any:
    if name == "mse":
        return jnp.mean((outputs - y) ** 2)
    if name == "binary_cross_entropy":
        return jnp.mean(jnp.logaddexp(0, outputs[:, 0]) - outputs[:, 0] * y)
    logs = jax.nn.log_softmax(outputs)
    return -jnp.mean(jnp.take_along_axis(logs, y[:, None], axis=1))


def _validate(parameters: Tree, X: Any, y: Any, *, name: str, activation: str) -> tuple[Any, Any]:
    """Return loss and score."""
    outputs = _outputs(parameters, X, activation)
    if name == "mse":
        score = 1 - jnp.sum((outputs - y) ** 2) / jnp.sum((y - y.mean()) ** 2)
    elif name == "binary_cross_entropy":
        score = jnp.mean((outputs[:, 0] > 0) == y)
    else:
        score = jnp.mean(outputs.argmax(axis=1) == y)
    return _loss_of(outputs, y, name), score
