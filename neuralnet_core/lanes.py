"""What trains in a lane of a pack: a network with its optimizer and rows, a seed, and where it starts."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .layers import Shape
from .layout import Layout
from .network import Network
from .optimizers import Optimizer

__all__ = ["Lane", "LaneState", "Setting", "likeness"]


def likeness(layout: Layout, optimizer: Optimizer, lengths: tuple[int, int]) -> Hashable:
    """Return what lanes of one pack must have in common; every rate may differ.

    `lengths` is how many rows a lane trains and validates on.
    """
    return layout.signature, optimizer._codes.shared, lengths


class Setting:
    """All of a lane but its seed and its start: what a call has few of is looked at once.

    Attributes
    ----------
    network, optimizer, rows, validation_rows
        As train_many was given them; `validation_rows` may be None.
    layout : Layout
        The network as built.
    lengths : (int, int)
        How many rows it trains and validates on.
    likeness : tuple
        See the function of that name.
    draws_orders : bool
        Whether epochs have orders of their own, drawn from the seed.
    row_ids : (int, int)
        The ids of both arrays of rows: they count as the same if they are one object.
    plan_row : tuple
        What a PackPlan holds of it: widths, starts, dropout, the optimizer's numbers, both arrays of rows.
    """

    # No frozen dataclass: a sweep has as many settings as networks, and each would take a microsecond more.
    __slots__ = (
        "draws_orders",
        "layout",
        "lengths",
        "likeness",
        "network",
        "optimizer",
        "plan_row",
        "row_ids",
        "rows",
        "validation_rows",
    )

    def __init__(
        self,
        network: Network,
        optimizer: Optimizer,
        input_shape: Shape,
        rows: NDArray[np.int64],
        validation_rows: NDArray[np.int64] | None = None,
    ) -> None:
        self.network, self.optimizer = network, optimizer
        self.rows, self.validation_rows = rows, validation_rows
        self.layout: Layout = network.build(input_shape)
        count, batch = len(rows), optimizer.batch_size
        self.lengths = count, 0 if validation_rows is None else len(validation_rows)
        self.likeness = likeness(self.layout, optimizer, self.lengths)
        self.draws_orders = optimizer.shuffle and batch is not None and batch < count
        self.row_ids = id(rows), id(validation_rows)
        codes = self.layout.codes
        self.plan_row = (
            self.layout.widths, codes.starts, codes.dropout, optimizer._codes.numbers, rows, validation_rows
        )  # fmt: skip


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
        return (self.seed, setting.row_ids) if setting.draws_orders else setting.row_ids
