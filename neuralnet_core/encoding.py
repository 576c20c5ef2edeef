"""Optimizers, schedules and early stopping as the numbers that the kernels read (engine/structs.pxd)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .optimizers import Adam, AdamW, EarlyStopping, Momentum, Optimizer, RMSprop
from .schedules import CosineDecay, ExponentialDecay, Schedule, StepDecay, WarmUp

__all__ = ["HYPER", "SCHEDULE", "STOPPING", "lane_numbers", "optimizer_code", "schedule_row"]

GRADIENT_DESCENT, MOMENTUM, NESTEROV, RMSPROP, ADAM, ADAMW = range(6)
HYPER_ROWS, SCHEDULE_FIELDS = 9, 5

# Where they stand among the numbers of a lane.
HYPER = slice(0, HYPER_ROWS)
SCHEDULE = slice(HYPER.stop, HYPER.stop + SCHEDULE_FIELDS)
STOPPING = slice(SCHEDULE.stop, None)


@lru_cache(maxsize=8192)
def lane_numbers(optimizer: Optimizer) -> NDArray[np.float64]:
    """Return all that the engine is told of an optimizer's numbers: hyperparameters, schedule, early stopping."""
    numbers = (
        *_hyper(optimizer),
        *schedule_row(optimizer.learning_rate),
        *_stopping(optimizer.early_stopping),
    )
    return np.array(numbers, np.float64)


def optimizer_code(optimizer: Optimizer) -> int:
    """Return how the engine calls the kind of an optimizer (engine/structs.pxd)."""
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
    limit = np.inf if optimizer.clip_norm is None else optimizer.clip_norm
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
