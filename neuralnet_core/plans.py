"""From the networks of one pack to the arrays that one engine call takes."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .activations import get_activation
from .engine.dispatch import StrictFloats, instruction_sets, kernel
from .layers import Dense, Dropout
from .layout import Layout
from .losses import get_loss
from .network import Network
from .optimizers import Adam, AdamW, EarlyStopping, Momentum, Optimizer, RMSprop
from .random import dropout_threshold, initial_values
from .schedules import CosineDecay, ExponentialDecay, Schedule, StepDecay, WarmUp
from .ways import CHUNK, SLICED, SLICES, Way

__all__ = ["Lane", "PackData", "PackPlan", "make_plan", "optimizer_code", "schedule_row", "visiting_order"]

# Codes and rows that the kernels know by the same names (engine/structs.pxd).
STAGE_DENSE, STAGE_DROPOUT = 0, 1
GRADIENT_DESCENT, MOMENTUM, NESTEROV, RMSPROP, ADAM, ADAMW = range(6)
HYPER_ROWS = 9


@dataclass(frozen=True)
class Lane:
    """One network of a pack: what to train, from which seed, on which rows."""

    network: Network
    optimizer: Optimizer
    seed: int
    rows: NDArray[np.int64]
    validation_rows: NDArray[np.int64] | None = None
    initial: Mapping[str, ArrayLike] | None = None


@dataclass(frozen=True)
class PackData:
    """The data that all lanes of a pack read: features (n, inputs) and targets (n, width) in the engine's width."""

    features: NDArray[Any]
    targets: NDArray[Any]
    weights: NDArray[np.float64] | None = None
    validation_features: NDArray[Any] | None = None
    validation_targets: NDArray[Any] | None = None


@dataclass
class PackPlan:
    """The arguments of an engine call; engine/pack.pyx reads them by these names."""

    engine: ModuleType  # the compiled module, whose lanes the arrays are made for
    program: NDArray[np.int64]  # (layers, 5): kind, activation, inputs, units, has bias
    lane_units: NDArray[
        np.int64
    ]  # (layers, LANES): the units that a lane has of a layer; the rest is padding
    solo: bool  # one network, whose units are the lanes
    chunk: int  # samples worked through at a time
    inputs: int
    outputs: int
    target_width: int
    loss: int
    optimizer: int
    clipping: bool
    hyper: NDArray[np.float64]  # (HYPER_ROWS, LANES)
    schedules: NDArray[np.float64]  # (5, LANES)
    dropout: NDArray[np.float64]  # (2 x dropout layers, LANES): thresholds, then scales
    seeds: NDArray[np.uint64]
    initial: list[NDArray[Any]]  # of each lane, flat, in layout order
    features: NDArray[Any]
    targets: NDArray[Any]
    weights: NDArray[np.float64] | None
    rows: NDArray[np.int64]  # (n, 1) where all lanes share them, else (n, LANES)
    order: NDArray[np.int64]  # work space of the same shape
    # Work space: the rows of each slice, where one network has the pack alone.
    spread: NDArray[np.int64] | None
    shared_rows: bool
    validation_features: NDArray[Any] | None
    validation_targets: NDArray[Any] | None
    validation_rows: NDArray[np.int64] | None
    used: int
    epochs: int
    batch_size: int  # 0: full batch
    shuffle: bool
    stopping: NDArray[np.float64]  # (4, LANES): metric or -1, patience, min_delta, restore_best
    cancel: NDArray[np.int32]
    trains: bool = True


def make_plan(
    lanes: Sequence[Lane],
    data: PackData,
    cancel: NDArray[np.int32],
    *,
    trains: bool = True,
    way: Way | None = None,
) -> PackPlan:
    """Return the plan of one pack: `lanes` agree in signature, narrow ones are padded, idle ones repeat the first.

    In which `way` they train changes no bit.
    """
    first, dtype = lanes[0], data.features.dtype.name
    way = way or usual_way(lanes)
    engine = kernel(dtype, way.instruction_set)
    width = engine.lanes
    padded = [*lanes, *[first] * (width - len(lanes))]
    layout = reduce(Network.room_for, (lane.network for lane in lanes)).build(data.features.shape[1:])
    own = [lane.network.build(layout.input_shape) for lane in padded]
    shared = all(_same_order(lane, first) for lane in lanes)
    rows = _rows([lane.rows for lane in padded], shared)
    validates = first.validation_rows is not None
    return PackPlan(
        engine=engine,
        program=_program(layout),
        lane_units=np.array([_units(mine) for mine in own], np.int64).T.copy(),
        solo=way.mode == "units",
        chunk=CHUNK[way.mode],
        inputs=data.features.shape[1],
        outputs=layout.output_shape[0],
        target_width=data.targets.shape[1],
        loss=get_loss(first.network.loss).code,
        optimizer=optimizer_code(first.optimizer),
        clipping=any(lane.optimizer.clip_norm is not None for lane in lanes),
        hyper=_table(_hyper(lane.optimizer) for lane in padded),
        schedules=_table(schedule_row(lane.optimizer.learning_rate) for lane in padded),
        dropout=_dropout(padded),
        seeds=np.array([lane.seed for lane in padded], np.uint64),
        initial=_initial(padded, own, dtype),
        features=data.features.reshape(len(data.features), -1),
        targets=data.targets,
        weights=data.weights,
        rows=rows,
        order=np.empty_like(rows),
        spread=np.empty((_longest_slice(lanes), width), np.int64) if way.mode == "slices" else None,
        shared_rows=shared,
        validation_features=data.features if data.validation_features is None else data.validation_features,
        validation_targets=data.targets if data.validation_targets is None else data.validation_targets,
        validation_rows=_rows([lane.validation_rows for lane in padded], shared) if validates else None,
        used=len(lanes),
        epochs=first.optimizer.epochs,
        batch_size=first.optimizer.batch_size or 0,
        shuffle=first.optimizer.shuffle,
        stopping=_table(_stopping(lane.optimizer.early_stopping) for lane in padded),
        cancel=cancel,
        trains=trains,
    )


def visiting_order(
    optimizer: Optimizer, seed: int, rows: NDArray[np.int64], validation_rows: NDArray[np.int64] | None
) -> tuple[Hashable, ...]:
    """Return what says in which order a network visits which rows; arrays count as the same if they are one object."""
    full = optimizer.batch_size is None or optimizer.batch_size >= len(rows)
    draws = optimizer.shuffle and not full
    return (seed if draws else None, id(rows), None if validation_rows is None else id(validation_rows))


def _same_order(a: Lane, b: Lane) -> bool:
    orders = (visiting_order(lane.optimizer, lane.seed, lane.rows, lane.validation_rows) for lane in (a, b))
    return next(orders) == next(orders)


def _table(by_lane: Iterable[Sequence[float]]) -> NDArray[np.float64]:
    """Return (numbers, lanes) from the numbers of each lane."""
    return np.array(list(by_lane), np.float64).T.copy()


def _rows(rows: Sequence[Any], shared: bool) -> NDArray[np.int64]:
    return np.ascontiguousarray((rows[0][:, None] if shared else np.stack(rows, axis=1)), np.int64)


def usual_way(lanes: Sequence[Lane]) -> Way:
    """Return a way that always does: plan_packs finds the fastest."""
    if len(lanes) > 1:
        return Way("networks", instruction_sets()[0])
    optimizer, rows = lanes[0].optimizer, len(lanes[0].rows)
    sliced = min(optimizer.batch_size or rows, rows) > SLICED
    return Way("slices" if sliced else "units", instruction_sets()[-1 if sliced else 0])


def _longest_slice(lanes: Sequence[Lane]) -> int:
    """Return the samples in a slice of the largest sum over samples: an eighth of the rows."""
    held_out = lanes[0].validation_rows
    return -(-max(len(lanes[0].rows), 0 if held_out is None else len(held_out)) // SLICES)


def _program(layout: Layout) -> NDArray[np.int64]:
    rows = []
    for built in layout.layers:
        inputs, units = math.prod(built.input_shape), math.prod(built.output_shape)
        match built.layer:
            case Dense(activation=activation, bias=bias):
                rows.append((STAGE_DENSE, get_activation(activation).code, inputs, units, bias))
            case _:
                rows.append((STAGE_DROPOUT, 0, inputs, units, False))
    return np.array(rows, np.int64)


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
        case WarmUp(updates=updates, after=after):
            return (*schedule_row(after)[:4], updates)
        case StepDecay(initial=initial, factor=factor, every=every):
            return (1, initial, factor, every, 0)
        case ExponentialDecay(initial=initial, decay=decay):
            return (2, initial, decay, 1, 0)
        case CosineDecay(initial=initial, updates=updates, final=final):
            return (3, initial, final, updates, 0)
        case Schedule():
            raise TypeError(f"the engine knows no schedule {type(rate).__name__}")
        case _:
            return (0, rate, 0, 1, 0)


def _dropout(lanes: Sequence[Lane]) -> NDArray[np.float64]:
    rates = [[layer.rate for layer in lane.network.layers if isinstance(layer, Dropout)] for lane in lanes]
    return _table([dropout_threshold(r) for r in own] + [1.0 / (1.0 - r) for r in own] for own in rates)


def _units(layout: Layout) -> list[int]:
    return [math.prod(built.output_shape) for built in layout.layers]


def _initial(lanes: Sequence[Lane], own: Sequence[Layout], dtype: str) -> list[NDArray[Any]]:
    """Return the flat initial parameters of each lane; an idle lane has those of the lane it repeats."""
    found: dict[int, NDArray[Any]] = {}
    with StrictFloats():
        for lane, layout in zip(lanes, own, strict=True):
            if id(lane) not in found:
                given = lane.initial
                flat = initial_values(layout, lane.seed) if given is None else layout.flatten(given, dtype)
                found[id(lane)] = flat.astype(dtype, copy=False)
    return [found[id(lane)] for lane in lanes]


METRIC_OF_MONITOR = {"train_loss": 0, "validation_loss": 1, "validation_accuracy": 2, "validation_r2": 2}


def _stopping(early: EarlyStopping | None) -> tuple[float, ...]:
    if early is None:
        return (-1, 0, 0, 0)
    return (METRIC_OF_MONITOR[early.monitor], early.patience, early.min_delta, early.restore_best)
