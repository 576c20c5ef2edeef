"""What training costs: the time of an epoch, predicted from shapes. It decides between ways to train, never the bits.

An engine call does a few kinds of work. How much of each there is follows from the network and the minibatches and is
counted here; what one piece of each takes was measured on one machine (`cost_table.py`, made by
`tools/engine_costs.py`). Other machines are faster or slower as a whole, which decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from .activations import get_activation
from .cost_table import CURVATURE, NANOSECONDS, SECONDS_PER_NETWORK, SECONDS_PER_PACK
from .engine.dispatch import kernel
from .layers import Dense, Shape
from .losses import get_loss
from .network import Network
from .optimizers import Optimizer
from .ways import CHUNK, SLICED, SLICES, Way

__all__ = ["KINDS", "Recipe", "epoch_seconds", "pack_seconds", "pieces_of_work", "recipe_of", "training_cost"]

TILE, K_BLOCK = (8, 3), 128  # engine/product.h, where registers are 64 bytes
FIRST_CACHE, SECOND_CACHE = 48 * 1024, 2 * 1024 * 1024
# By the engine's codes: what a step is called, and how many registers of optimizer state a parameter has.
STEPS = ("descent", "momentum", "momentum", "rmsprop", "adam", "adam")
STATES = (0, 1, 1, 1, 2, 2)


class Recipe(NamedTuple):
    """What an epoch's time depends on besides the network: all lanes agree in it, or have what costs more."""

    input_shape: Shape
    dtype: str
    optimizer: int
    clips: bool
    batch_size: int
    rows: int
    validation_rows: int


def recipe_of(
    optimizer: Optimizer, input_shape: Shape, dtype: str, rows: int, validation_rows: int
) -> Recipe:
    """Return what the time of an epoch depends on besides the network."""
    return Recipe(
        input_shape,
        dtype,
        optimizer._codes.kind,
        optimizer.clip_norm is not None,
        optimizer.batch_size or 0,
        rows,
        validation_rows,
    )


# The kinds of work. A register's worth is one piece, unless it says otherwise.
KINDS = (
    "minibatches",
    "products",  # calls of the product kernel
    "multiply_adds",
    "sums",  # that a product stores
    "curves",  # tanh and the like
    "loss",  # outputs whose loss takes an exponential
    "samples", "lane_samples",  # fetched for all lanes, or by each for itself
    "copied", "scattered",  # their features: the same for all lanes, or each lane's own
    "drawn",  # places in an order of minibatches
    "turned",  # weights turned for the input gradient of units
    "dropped",  # words drawn for dropout
    "unfused",  # gradients that wait for clipping, or for the sums of other slices
    "joined",  # gradients of slices added up
    "descent", "momentum", "rmsprop", "adam",  # the optimizer's steps
    "far", "farther",  # bytes of weights that come from the second cache, or from beyond it
    "stayed",  # bytes of a full batch, gathered once, that are more than the first cache holds
    "passed",  # bytes that a product goes through again and again, where they are more than the first cache holds
)  # fmt: skip
PLACE = {name: place for place, name in enumerate(KINDS)}


def pack_seconds(epoch: float, epochs: int, networks: int) -> float:
    """Return the seconds, on the machine of the table, that a pack takes whose epoch takes `epoch`."""
    return epochs * epoch + SECONDS_PER_PACK + networks * SECONDS_PER_NETWORK


def epoch_seconds(room: Network, recipe: Recipe, way: Way, mixes_orders: bool = False) -> float:
    """Return the seconds of an epoch, validation included, of a pack with room for `room`.

    Examples
    --------
    >>> from neuralnet_core import Dense
    >>> recipe = Recipe((64,), "float32", 1, False, batch_size=32, rows=100, validation_rows=0)
    >>> narrow, wide = (Network([Dense(units, "relu"), Dense(1)]) for units in (32, 256))
    >>> way = Way("units", "baseline")
    >>> epoch_seconds(narrow, recipe, way) < epoch_seconds(wide, recipe, way)
    True
    """
    prices = _prices(way, recipe.dtype)
    pieces = pieces_of_work(room, recipe, way, mixes_orders)
    return 1e-9 * sum(count * price for count, price in zip(pieces, prices, strict=True))


@cache
def _prices(way: Way, dtype: str) -> tuple[float, ...]:
    """Return the price of each kind of work; v3's where none was measured: what matters is how they compare."""
    found = NANOSECONDS.get((*way, dtype)) or NANOSECONDS[way.mode, "v3", dtype]
    return tuple(found.get(name, 0.0) for name in KINDS)


def pieces_of_work(room: Network, recipe: Recipe, way: Way, mixes_orders: bool = False) -> list[float]:
    """Return how many pieces of each of the `KINDS` an epoch has."""
    counted = _Counter(room, recipe, way, mixes_orders)
    total = [0.0] * len(KINDS)
    size = min(recipe.batch_size or recipe.rows, recipe.rows)
    for samples, times, training in (
        (size, recipe.rows // size, True),
        (recipe.rows % size, 1, True),
        (recipe.validation_rows, 1, False),
    ):
        if samples:
            for name, count in counted.minibatch(samples, training):
                total[PLACE[name]] += times * count
    return total


def training_cost(
    network: Network,
    optimizer: Optimizer,
    input_shape: int | Sequence[int],
    n_train: int,
    n_validation: int = 0,
) -> float:
    """Return the multiply-adds, counted as two operations each, that training one network takes.

    Examples
    --------
    >>> from neuralnet_core import Adam, Dense, Network
    >>> training_cost(Network([Dense(1)]), Adam(epochs=2), 3, n_train=10)
    240.0
    """
    forward = gradient = 0
    for index, built in enumerate(network.build(input_shape).layers):
        products = sum(parameter.size for parameter in built.parameters if parameter.penalized)
        forward += products
        gradient += products * (2 if index else 1)
    return float(2 * optimizer.epochs * (n_train * (forward + gradient) + n_validation * forward))


class _Counter:
    """Counts the work of one minibatch of a pack."""

    def __init__(self, room: Network, recipe: Recipe, way: Way, mixes_orders: bool) -> None:
        self._way, self._recipe, self._mixes = way, recipe, mixes_orders
        self._lanes = kernel(recipe.dtype, way.instruction_set).lanes
        layout = room.build(recipe.input_shape)
        self._inputs, self._outputs = math.prod(recipe.input_shape), math.prod(layout.output_shape)
        self._exponential = get_loss(room.loss).kind != "regression"
        self._dense: list[tuple[int, int]] = []
        self._dropped, self._curves = 0, 0.0
        for built in layout.layers:
            units = math.prod(built.output_shape)
            if isinstance(built.layer, Dense):
                self._dense.append((math.prod(built.input_shape), units))
                curvature = CURVATURE.get(get_activation(built.layer.activation).name, 1.0)  # if new, as tanh
                self._curves += curvature * self._columns(units)
            else:
                self._dropped += units
        self._size = sum((inputs + 1) * self._columns(units) for inputs, units in self._dense)
        self._register = self._lanes * (4 if recipe.dtype == "float32" else 8)

    def _columns(self, units: int) -> int:
        """Return the registers that hold an entry for each unit."""
        return -(-units // self._lanes) if self._way.mode == "units" else units

    def minibatch(self, n: int, training: bool) -> Iterator[tuple[str, float]]:
        """Yield the kinds of work and how much there is of each in a minibatch of `n` samples."""
        samples, chunks = self._passes(n)
        yield "minibatches", 1
        yield "products", chunks * (3 * len(self._dense) - 1 if training else len(self._dense))
        yield "multiply_adds", samples * self._products(training)
        yield "sums", samples * self._stored(training) + (chunks * self._size if training else 0)
        yield "curves", samples * self._curves
        yield from self._at_the_ends(n, samples, training)
        yield from self._from_memory(chunks, training)
        yield "passed", chunks * self._passed(-(-samples // chunks), training)
        if self._dropped and training:
            yield "dropped", samples * self._dropped * (1 if self._way.mode == "units" else self._lanes)
        if training:
            yield from self._update(n, chunks)

    def _passes(self, n: int) -> tuple[int, int]:
        """Return the samples that go through, one after another, and in how many chunks."""
        length = n if n <= SLICED else -(-n // SLICES)
        slices = -(-n // length)
        if self._way.mode == "slices" and n > SLICED:
            slices = SLICES // min(SLICES, self._lanes)
        return slices * length, slices * -(-length // CHUNK[self._way.mode])

    def _products(self, training: bool) -> int:
        forward = sum(inputs * self._columns(units) for inputs, units in self._dense)
        backward = sum(units * self._columns(inputs) for inputs, units in self._dense[1:])
        return 2 * forward + backward if training else forward

    def _stored(self, training: bool) -> int:
        forward = sum(self._columns(units) for _, units in self._dense)
        return forward + (sum(self._columns(inputs) for inputs, _ in self._dense[1:]) if training else 0)

    def _at_the_ends(self, n: int, samples: int, training: bool) -> Iterator[tuple[str, float]]:
        if self._exponential:
            rows = -(-samples // self._lanes) if self._way.mode == "units" else samples
            yield "loss", rows * self._outputs
        apart = self._mixes or (self._way.mode == "slices" and n > SLICED)
        if not training or n == self._recipe.rows:  # held out, or a full batch: gathered once
            size = samples * self._inputs * self._register / (1 if apart else self._lanes)
            yield "stayed", max(0.0, size - FIRST_CACHE)
        elif apart:
            yield "lane_samples", samples * self._lanes
            yield "scattered", samples * self._lanes * self._inputs
        else:
            yield "samples", samples
            yield "copied", samples * self._inputs
        if training and n < self._recipe.rows:
            yield "drawn", n * (self._lanes if self._mixes else 1)

    def _update(self, n: int, chunks: int) -> Iterator[tuple[str, float]]:
        if self._way.mode == "units":
            yield "turned", chunks * sum(inputs * units for inputs, units in self._dense[1:])
        yield STEPS[self._recipe.optimizer], self._size
        if n > SLICED or self._recipe.clips:
            yield "unfused", self._size
        if n > SLICED:
            yield "joined", self._size * (self._lanes if self._way.mode == "slices" else SLICES)

    def _from_memory(self, chunks: int, training: bool) -> Iterator[tuple[str, float]]:
        """Yield the bytes that do not stay in the caches from one product to the next."""
        weights = self._size * self._register
        used = weights * (2 + STATES[self._recipe.optimizer] if training else 1)
        streamed = weights * (3 * chunks + 2 * STATES[self._recipe.optimizer] if training else chunks)
        yield "far", streamed * max(0.0, 1.0 - FIRST_CACHE / used)
        yield "farther", streamed * max(0.0, 1.0 - SECOND_CACHE / used)

    def _passed(self, samples: int, training: bool) -> float:
        """Return the bytes that the products of a chunk go through beyond the first time."""
        total = 0.0
        for layer, (inputs, units) in enumerate(self._dense):
            # A register for an entry, or a number that all lanes share.
            own = layer > 0 and self._way.mode != "units"
            total += self._again(samples, self._columns(units), inputs, own)
            if training:
                total += self._again(inputs, self._columns(units), samples, own)
            if training and layer > 0:
                total += self._again(samples, self._columns(inputs), units, own)
        return total

    def _again(self, m: int, n: int, k: int, own: bool) -> float:
        """The same for C[m][n], summed over k: of the two operands the smaller is gone through, in blocks of k."""
        block = min(k, K_BLOCK)
        left = m * block * (self._register if own else self._register / self._lanes)
        right = n * block * self._register
        smaller, passes = (left, n / TILE[1]) if right > left else (right, m / TILE[0])
        again: float = k / block * passes * max(0.0, smaller - FIRST_CACHE)
        return again
