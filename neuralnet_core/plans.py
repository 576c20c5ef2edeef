"""From the networks of one pack to the arrays that one engine call takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .activations import get_activation
from .encoding import HYPER, SCHEDULE, STOPPING, lane_numbers, optimizer_code
from .engine.dispatch import StrictFloats, instruction_sets, kernel
from .layers import Dense, Dropout, Shape
from .layout import Layout
from .losses import get_loss
from .network import Network
from .optimizers import Optimizer
from .random import dropout_threshold, initial_values
from .ways import CHUNK, SLICED, SLICES, Way

__all__ = ["Lane", "LaneState", "PackData", "PackPlan", "make_plan"]

# Codes that the kernels know by the same names (engine/structs.pxd).
STAGE_DENSE, STAGE_DROPOUT = 0, 1

SMALL = 4096  # parameters: the initial values of such networks are kept for the others of a seed


class LaneState(NamedTuple):
    """Where the training of a network stands at the end of an epoch: it goes on from there in any pack.

    Arrays are flat, in the network's own layout; those that its optimizer or its early stopping do not have are None.
    """

    epoch: int
    updates: int
    parameters: NDArray[Any]
    first_state: NDArray[Any] | None
    second_state: NDArray[Any] | None
    beta_powers: tuple[float, float]
    best: float  # what early stopping has seen, and when
    best_epoch: int
    kept: NDArray[Any] | None  # the parameters of the best epoch
    history: NDArray[np.float64]  # (metrics, epochs so far)


class Lane(NamedTuple):
    """One network of a pack: what to train, from which seed, on which rows, and from where it goes on."""

    network: Network
    optimizer: Optimizer
    seed: int
    rows: NDArray[np.int64]
    validation_rows: NDArray[np.int64] | None = None
    initial: Mapping[str, ArrayLike] | None = None
    state: LaneState | None = None

    @property
    def order(self) -> tuple[Hashable, ...]:
        """What says in which order it visits which rows; arrays count as the same if they are one object."""
        optimizer, rows = self.optimizer, self.rows
        full = optimizer.batch_size is None or optimizer.batch_size >= len(rows)
        draws = optimizer.shuffle and not full
        return self.seed if draws else None, id(rows), id(self.validation_rows)


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
    lane_units: NDArray[np.int64]  # (layers, LANES): units that a lane has of a layer; the rest is padding
    solo: bool  # one network, whose units are the lanes
    chunk: int  # samples worked through at a time
    inputs: int
    outputs: int
    target_width: int
    loss: int
    optimizer: int
    clipping: bool
    hyper: NDArray[np.float64]  # (HYPER_ROWS, LANES): encoding.py
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
    trains: bool
    states: Sequence[LaneState] | None  # of each lane, where their trainings go on


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
    first, dtype, shape = lanes[0], data.features.dtype.name, data.features.shape[1:]
    way = way or usual_way(lanes)
    engine = kernel(dtype, way.instruction_set)
    padded = [*lanes, *[first] * (engine.lanes - len(lanes))]
    layouts = [lane.network.build(shape) for lane in lanes]
    room = _room(lanes, layouts)
    shared = len({lane.order for lane in lanes}) == 1
    rows = _rows([lane.rows for lane in padded], shared)
    validates = first.validation_rows is not None
    numbers = _columns(lane_numbers, [lane.optimizer for lane in padded])
    return PackPlan(
        engine=engine,
        program=_program(room, shape),
        lane_units=_lane_units(layouts, engine.lanes),
        solo=way.mode == "units",
        chunk=CHUNK[way.mode],
        inputs=data.features.shape[1],
        outputs=layouts[0].output_shape[0],
        target_width=data.targets.shape[1],
        loss=get_loss(first.network.loss).code,
        optimizer=optimizer_code(first.optimizer),
        clipping=any(lane.optimizer.clip_norm is not None for lane in lanes),
        hyper=numbers[HYPER],
        schedules=numbers[SCHEDULE],
        dropout=_columns(_dropout, [lane.network for lane in padded])
        if _dropout(room).size
        else np.empty((0, engine.lanes)),
        seeds=np.array([lane.seed for lane in padded], np.uint64),
        initial=_initial(lanes, layouts, engine.lanes, dtype),
        features=data.features.reshape(len(data.features), -1),
        targets=data.targets,
        weights=data.weights,
        rows=rows,
        order=np.empty_like(rows),
        spread=np.empty((_longest_slice(first), engine.lanes), np.int64) if way.mode == "slices" else None,
        shared_rows=shared,
        validation_features=data.features if data.validation_features is None else data.validation_features,
        validation_targets=data.targets if data.validation_targets is None else data.validation_targets,
        validation_rows=_rows([lane.validation_rows for lane in padded], shared) if validates else None,
        used=len(lanes),
        epochs=first.optimizer.epochs,
        batch_size=first.optimizer.batch_size or 0,
        shuffle=first.optimizer.shuffle,
        stopping=numbers[STOPPING],
        cancel=cancel,
        trains=trains,
        states=None if first.state is None else [lane.state for lane in padded if lane.state is not None],
    )


def _columns(function: Callable[[Any], NDArray[Any]], values: Sequence[Any]) -> NDArray[Any]:
    """Return (numbers, lanes): what a function gives of each lane's value, called once for the same object."""
    known: dict[int, NDArray[Any]] = {}
    for value in values:
        if id(value) not in known:
            known[id(value)] = function(value)
    return np.concatenate([known[id(value)] for value in values]).reshape(len(values), -1).T.copy()


def _lane_units(layouts: Sequence[Layout], width: int) -> NDArray[np.int64]:
    widths = [layout.widths for layout in layouts]
    return np.array(list(zip(*widths, *widths[:1] * (width - len(widths)), strict=True)), np.int64)


def _room(lanes: Sequence[Lane], layouts: Sequence[Layout]) -> Network:
    """Return a network with room for all: mostly one of them."""
    widths = [layout.widths for layout in layouts]
    widest = tuple(map(max, *widths, widths[0]))
    if widest in widths:
        return lanes[widths.index(widest)].network
    return reduce(Network.room_for, [lane.network for lane in lanes])


def _rows(rows: Sequence[Any], shared: bool) -> NDArray[np.int64]:
    return np.ascontiguousarray((rows[0][:, None] if shared else np.stack(rows, axis=1)), np.int64)


def usual_way(lanes: Sequence[Lane]) -> Way:
    """Return a way that always does: plan_packs finds the fastest."""
    if len(lanes) > 1:
        return Way("networks", instruction_sets()[0])
    optimizer, rows = lanes[0].optimizer, len(lanes[0].rows)
    sliced = min(optimizer.batch_size or rows, rows) > SLICED
    return Way("slices" if sliced else "units", instruction_sets()[-1 if sliced else 0])


def _longest_slice(lane: Lane) -> int:
    """Return the samples in a slice of the largest sum over samples: an eighth of the rows."""
    held_out = lane.validation_rows
    return -(-max(len(lane.rows), 0 if held_out is None else len(held_out)) // SLICES)


@lru_cache(maxsize=4096)
def _program(network: Network, shape: Shape) -> NDArray[np.int64]:
    rows = []
    for built in network.build(shape).layers:
        inputs, units = math.prod(built.input_shape), math.prod(built.output_shape)
        match built.layer:
            case Dense(activation=activation, bias=bias):
                rows.append((STAGE_DENSE, get_activation(activation).code, inputs, units, bias))
            case _:
                rows.append((STAGE_DROPOUT, 0, inputs, units, False))
    return np.array(rows, np.int64)


@lru_cache(maxsize=4096)
def _dropout(network: Network) -> NDArray[np.float64]:
    rates = [layer.rate for layer in network.layers if isinstance(layer, Dropout)]
    return np.array([*map(dropout_threshold, rates), *(1.0 / (1.0 - rate) for rate in rates)], np.float64)


def _initial(lanes: Sequence[Lane], layouts: Sequence[Layout], width: int, dtype: str) -> list[NDArray[Any]]:
    """Return the flat parameters that each of so many lanes starts from; an idle one repeats the first."""
    with StrictFloats():
        starts = [_start_of(lane, layout, dtype) for lane, layout in zip(lanes, layouts, strict=True)]
    return [*starts, *starts[:1] * (width - len(lanes))]


def _start_of(lane: Lane, layout: Layout, dtype: str) -> NDArray[Any]:
    if lane.state is not None:
        return lane.state.parameters
    if lane.initial is not None:
        return layout.flatten(lane.initial, dtype)
    if layout.size <= SMALL:
        return _drawn(lane.network, layout.input_shape, lane.seed, dtype)
    return initial_values(layout, lane.seed).astype(dtype)


@lru_cache(maxsize=1024)
def _drawn(network: Network, shape: Shape, seed: int, dtype: str) -> NDArray[Any]:
    return initial_values(network.build(shape), seed).astype(dtype)
