"""What trains in a lane of a pack: a network with its optimizer and rows, a seed, and where it starts."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .layers import Shape
from .layout import Layout
from .network import Network
from .optimizers import Optimizer

__all__ = ["Lane", "LaneState", "Setting"]


@dataclass(frozen=True, eq=False)
class Setting:
    """All of a lane but its seed and its start: what a call has few of is looked at once."""

    network: Network
    optimizer: Optimizer
    input_shape: Shape
    rows: NDArray[np.int64]
    validation_rows: NDArray[np.int64] | None = None

    @cached_property
    def layout(self) -> Layout:
        """The network as built."""
        return self.network.build(self.input_shape)

    @cached_property
    def lengths(self) -> tuple[int, int]:
        """How many rows it trains and validates on."""
        return len(self.rows), 0 if self.validation_rows is None else len(self.validation_rows)

    @cached_property
    def likeness(self) -> tuple[Hashable, ...]:
        """What lanes of one pack must have in common; every rate may differ."""
        return self.layout.signature, self.optimizer.codes.shared, self.lengths

    @cached_property
    def draws_orders(self) -> bool:
        """Whether epochs have orders of their own, drawn from the seed."""
        optimizer = self.optimizer
        full = optimizer.batch_size is None or optimizer.batch_size >= len(self.rows)
        return optimizer.shuffle and not full

    @cached_property
    def places(self) -> tuple[int, int]:
        """Which rows: arrays count as the same if they are one object."""
        return id(self.rows), id(self.validation_rows)


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
    """One network of a pack: what to train, from which seed, and from where it starts or goes on."""

    setting: Setting
    seed: int
    initial: Mapping[str, ArrayLike] | None = None
    state: LaneState | None = None

    @property
    def order(self) -> Hashable:
        """What says in which order it visits which rows."""
        setting = self.setting
        return (self.seed, setting.places) if setting.draws_orders else setting.places
