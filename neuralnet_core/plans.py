"""From the networks of one pack to what one engine call takes."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .engine.dispatch import StrictFloats, instruction_sets, kernel
from .lanes import Lane, LaneState, Setting
from .losses import get_loss
from .ways import CHUNK, SLICED, SLICES, Way

__all__ = ["PackData", "PackPlan", "make_plan"]


@dataclass(frozen=True)
class PackData:
    """The data that all lanes of a pack read: features (n, inputs) and targets (n, width) in the engine's width."""

    features: NDArray[Any]
    targets: NDArray[Any]
    weights: NDArray[np.float64] | None = None
    validation_features: NDArray[Any] | None = None
    validation_targets: NDArray[Any] | None = None

    @cached_property
    def dtype(self) -> str:
        """The engine's width."""
        return str(self.features.dtype.name)

    @cached_property
    def table(self) -> NDArray[Any]:
        """The features (n, inputs)."""
        return self.features.reshape(len(self.features), -1)

    @cached_property
    def held_out(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """The features and targets that are validated on."""
        if self.validation_features is None or self.validation_targets is None:
            return self.table, self.targets
        return self.validation_features.reshape(len(self.validation_features), -1), self.validation_targets


@dataclass
class PackPlan:
    """The arguments of an engine call; engine/plan.pxd reads them by these names. Lists have an entry for each lane."""

    engine: ModuleType  # the compiled module
    program: tuple[tuple[int, int, bool], ...]  # of each layer: kind, activation, has bias
    widths: list[tuple[int, ...]]  # of each layer
    solo: bool  # one network, whose units are the lanes
    chunk: int  # samples worked through at a time
    inputs: int
    outputs: int
    target_width: int
    loss: int
    optimizer: int
    clipping: bool
    numbers: list[array[float]]  # encoding.OptimizerCodes
    dropout: list[array[float]]  # encoding.NetworkCodes
    starts: list[array[float]]  # the same
    given: list[NDArray[Any] | None]  # parameters, flat, in layout order, instead of `starts`
    seeds: list[int]
    features: NDArray[Any]
    targets: NDArray[Any]
    weights: NDArray[np.float64] | None
    shared_rows: bool
    rows: list[NDArray[np.int64]]
    validation_features: NDArray[Any]
    validation_targets: NDArray[Any]
    validation_rows: list[NDArray[np.int64]] | None
    longest_slice: int  # samples in a slice of the largest sum, where slices are the lanes; else 0
    epochs: int
    batch_size: int  # 0: full batch
    shuffle: bool
    cancel: NDArray[np.int32]
    trains: bool
    states: list[LaneState] | None  # where their trainings go on


def make_plan(
    lanes: Sequence[Lane],
    data: PackData,
    cancel: NDArray[np.int32],
    *,
    trains: bool = True,
    way: Way | None = None,
) -> PackPlan:
    """Return the plan of one pack: `lanes` agree in likeness; the engine pads narrow ones.

    In which `way` they train changes no bit.
    """
    settings, seeds = [lane.setting for lane in lanes], [lane.seed for lane in lanes]
    first = settings[0]
    network, optimizer, layout = first.network, first.optimizer, first.layout
    way = way or usual_way(len(lanes), first)
    columns = zip(*[setting.plan_row for setting in settings], strict=True)
    widths, starts, dropout, numbers, rows, held_out = map(list, columns)
    validation_features, validation_targets = data.held_out
    return PackPlan(
        engine=kernel(data.dtype, way.instruction_set),
        program=layout.codes.program,
        widths=widths,
        solo=way.mode == "units",
        chunk=CHUNK[way.mode],
        inputs=data.table.shape[1],
        outputs=layout.output_shape[0],
        target_width=data.targets.shape[1],
        loss=get_loss(network.loss).code,
        optimizer=optimizer._codes.kind,
        clipping=any(setting.optimizer.clip_norm is not None for setting in settings),
        numbers=numbers,
        dropout=dropout,
        starts=starts,
        given=_given(lanes, data.dtype),
        seeds=seeds,
        features=data.table,
        targets=data.targets,
        weights=data.weights,
        shared_rows=_share_rows(settings, seeds),
        rows=rows,
        validation_features=validation_features,
        validation_targets=validation_targets,
        validation_rows=held_out if first.lengths[1] else None,
        longest_slice=-(-max(first.lengths) // SLICES) if way.mode == "slices" else 0,
        epochs=optimizer.epochs,
        batch_size=optimizer.batch_size or 0,
        shuffle=optimizer.shuffle,
        cancel=cancel,
        trains=trains,
        states=None if lanes[0].state is None else [lane.state for lane in lanes if lane.state is not None],
    )


def _share_rows(settings: Sequence[Setting], seeds: Sequence[int]) -> bool:
    """Whether all lanes visit the same rows in the same order."""
    first = settings[0]
    for setting in settings:
        if setting is not first and setting.row_ids != first.row_ids:
            return False
    return not first.draws_orders or seeds.count(seeds[0]) == len(seeds)


def usual_way(lanes: int, setting: Setting) -> Way:
    """Return a way that always does: plan_packs finds the fastest."""
    if lanes > 1:
        return Way("networks", instruction_sets()[0])
    rows = len(setting.rows)
    sliced = min(setting.optimizer.batch_size or rows, rows) > SLICED
    return Way("slices" if sliced else "units", instruction_sets()[-1 if sliced else 0])


def _given(lanes: Sequence[Lane], dtype: str) -> list[NDArray[Any] | None]:
    """Return the flat parameters that lanes start from, where they were given or a training goes on."""
    known: dict[tuple[int, int], NDArray[Any]] = {}
    given: list[NDArray[Any] | None] = []
    for setting, _, initial, state in lanes:
        if state is not None:
            given.append(state.parameters)
        elif initial is None:
            given.append(None)
        else:
            key = id(initial), id(setting.layout)
            if key not in known:
                with StrictFloats():
                    known[key] = setting.layout.flatten(initial, dtype)
            given.append(known[key])
    return given
