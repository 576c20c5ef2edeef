"""Networks, optimizers, schedules and early stopping as the numbers that the kernels read (engine/plan.pxd)."""

from __future__ import annotations

import math
from array import array
from typing import NamedTuple

from .activations import get_activation
from .initializers import INITIALIZERS
from .layers import Dense, Dropout, Layer
from .layout import Layout, ParameterSlot
from .optimizers import Adam, AdamW, EarlyStopping, Momentum, Optimizer, RMSprop
from .random import dropout_threshold
from .schedules import CosineDecay, ExponentialDecay, Schedule, StepDecay, WarmUp

__all__ = ["NetworkCodes", "OptimizerCodes", "network_codes", "optimizer_codes", "schedule_row"]

STAGE_DENSE, STAGE_DROPOUT = 0, 1
CONSTANT, UNIFORM, NORMAL = range(3)
DISTRIBUTIONS = {"constant": CONSTANT, "uniform": UNIFORM, "normal": NORMAL}

GRADIENT_DESCENT, MOMENTUM, NESTEROV, RMSPROP, ADAM, ADAMW = range(6)
HYPER_ROWS = 9


class NetworkCodes(NamedTuple):
    """A built network: kind, activation and bias of each layer; how each parameter starts; thresholds, then scales."""

    program: tuple[tuple[int, int, bool], ...]
    starts: array[float]  # of each parameter: a distribution, and its value or spread
    dropout: array[float]


class OptimizerCodes(NamedTuple):
    """What lanes of a pack share of their optimizers, and the numbers of each: rates, schedule, early stopping."""

    kind: int
    shared: tuple[int, int, int | None, bool]  # kind, epochs, batch size, shuffle
    numbers: array[float]


def network_codes(layout: Layout) -> NetworkCodes:
    """Return how the engine reads a network."""
    layers = [built.layer for built in layout.layers]
    rates = [layer.rate for layer in layers if isinstance(layer, Dropout)]
    starts = (number for slot in layout.parameters for number in _start(slot))
    dropout = *map(dropout_threshold, rates), *(1.0 / (1.0 - rate) for rate in rates)
    return NetworkCodes(tuple(map(_stage, layers)), array("d", starts), array("d", dropout))


def _stage(layer: Layer) -> tuple[int, int, bool]:
    match layer:
        case Dense(activation=activation, bias=bias):
            return STAGE_DENSE, get_activation(activation).code, bias
        case _:
            return STAGE_DROPOUT, 0, False


def _start(slot: ParameterSlot) -> tuple[float, float]:
    parameter = slot.parameter
    if not isinstance(parameter.initializer, str):
        return CONSTANT, parameter.initializer
    row = INITIALIZERS[parameter.initializer]
    return DISTRIBUTIONS[row.distribution], row.spread(parameter.fan_in, parameter.fan_out)


def optimizer_codes(optimizer: Optimizer) -> OptimizerCodes:
    """Return how the engine reads an optimizer."""
    kind = _kind(optimizer)
    shared = kind, optimizer.epochs, optimizer.batch_size, optimizer.shuffle
    rate, stopping = schedule_row(optimizer.learning_rate), _stopping(optimizer.early_stopping)
    return OptimizerCodes(kind, shared, array("d", (*_hyper(optimizer), *rate, *stopping)))


def _kind(optimizer: Optimizer) -> int:
    match optimizer:
        case Momentum(nesterov=nesterov):
            return NESTEROV if nesterov else MOMENTUM
        case RMSprop():
            return RMSPROP
        case AdamW():
            return ADAMW
        case Adam():
            return ADAM
        case _:
            return GRADIENT_DESCENT


def _hyper(optimizer: Optimizer) -> list[float]:
    """Return the rows of `hyper` (engine/structs.pxd) of one lane; an absent clip limit is infinite."""
    limit = math.inf if optimizer.clip_norm is None else optimizer.clip_norm
    common = [optimizer.l1, optimizer.l2, limit]
    match optimizer:
        case Momentum(momentum=momentum, dampening=dampening):
            own = [momentum, 1.0 - dampening]
        case RMSprop(decay=decay, epsilon=epsilon):
            own = [decay, 1.0 - decay, 0.0, 0.0, epsilon]
        case Adam(beta1=beta1, beta2=beta2, epsilon=epsilon):
            shrinks = optimizer.weight_decay if isinstance(optimizer, AdamW) else 0.0
            own = [beta1, 1.0 - beta1, beta2, 1.0 - beta2, epsilon, shrinks]
        case _:
            own = []
    return common + own + [0.0] * (HYPER_ROWS - 3 - len(own))


def schedule_row(rate: float | Schedule) -> tuple[float, ...]:
    """Return a rate as the engine reads it: kind, initial, factor | decay | final, every | updates, warm-up."""
    match rate:
        case float():
            return (0, rate, 0, 1, 0)
        case WarmUp(updates=updates, after=after):
            return (*schedule_row(after)[:4], updates)
        case StepDecay(initial=initial, factor=factor, every=every):
            return (1, initial, factor, every, 0)
        case ExponentialDecay(initial=initial, decay=decay):
            return (2, initial, decay, 1, 0)
        case CosineDecay(initial=initial, updates=updates, final=final):
            return (3, initial, final, updates, 0)
        case _:
            raise TypeError(f"the engine knows no schedule {type(rate).__name__}")


METRIC_OF_MONITOR = {"train_loss": 0, "validation_loss": 1, "validation_accuracy": 2, "validation_r2": 2}


def _stopping(early: EarlyStopping | None) -> tuple[float, ...]:
    if early is None:
        return (-1, 0, 0, 0)
    return (METRIC_OF_MONITOR[early.monitor], early.patience, early.min_delta, early.restore_best)
