"""Packs: which networks train together as lanes of one computation, and in which way that costs least."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

from .costs import Recipe, pack_seconds
from .engine.dispatch import instruction_sets, kernel
from .layers import Shape
from .network import Network, check_shape
from .optimizers import Optimizer
from .plans import optimizer_code
from .ways import SLICED, Mode, Way

__all__ = ["Pack", "plan_packs", "training_cost"]


class Pack(NamedTuple):
    """Networks (their numbers) that train as one computation: in which way, and the seconds that is predicted to take.

    The seconds are those of the machine that the cost model was fitted on; on others all packs are faster or slower.
    """

    members: tuple[int, ...]
    way: Way
    seconds: float


def plan_packs(
    networks: Sequence[Network],
    optimizers: Sequence[Optimizer],
    input_shape: int | Sequence[int],
    dtype: str = "float32",
    *,
    lengths: Sequence[tuple[int, int]],
    orders: Sequence[Hashable] | None = None,
    keys: Sequence[Hashable] | None = None,
) -> list[Pack]:
    """Return the packs that train all networks at the least predicted cost.

    Networks of different widths share packs, the narrow ones padded; sorted by size, few units are padding. A
    network that is wide enough to fill the registers with its units is a pack of its own.

    Parameters
    ----------
    networks, optimizers : sequences of equal length
    input_shape : int or tuple
        The shape of one sample.
    dtype : {"float32", "float64"}
    lengths : sequence of (int, int)
        How many rows each network is trained and validated on.
    orders : sequence, optional
        What says in which order a network visits which rows: (seed, rows). Packs of one order share their
        data loads, so full packs are made of one order before the rest is mixed.
    keys : sequence, optional
        Whatever else must be equal within a pack.

    Examples
    --------
    >>> from neuralnet_core import Adam, Dense, Network
    >>> networks = [Network([Dense(4, name), Dense(1)]) for name in ["relu", "tanh"] * 4]
    >>> packs = plan_packs(networks, [Adam()] * 8, 2, lengths=[(100, 0)] * 8)
    >>> [pack.members for pack in packs]
    [(0, 2, 4, 6), (1, 3, 5, 7)]
    """
    shape = check_shape(input_shape)
    groups: dict[Hashable, dict[Hashable, list[int]]] = defaultdict(lambda: defaultdict(list))
    signatures = {id(network): network.signature(shape) for network in networks}
    recipes = {id(optimizer): optimizer_signature(optimizer) for optimizer in optimizers}
    for index, (network, optimizer, length) in enumerate(zip(networks, optimizers, lengths, strict=True)):
        like = signatures[id(network)], recipes[id(optimizer)], length, keys[index] if keys else None
        groups[like][orders[index] if orders else None].append(index)
    packs: list[Pack] = []
    for by_order in groups.values():
        some = next(iter(by_order.values()))[0]
        recipe = recipe_of(optimizers[some], shape, dtype, *lengths[some])
        packs += _Group(networks, optimizers, recipe).packs(by_order)
    return packs


class _Group:
    """Networks that may be lanes of one pack."""

    def __init__(self, networks: Sequence[Network], optimizers: Sequence[Optimizer], recipe: Recipe) -> None:
        self._networks, self._optimizers = networks, optimizers
        self._recipes = [recipe._replace(clips=clips) for clips in (False, True)]
        self._lanes = {name: kernel(recipe.dtype, name).lanes for name in instruction_sets()}
        self._sizes: dict[int, tuple[int, int]] = {}
        self._numbers: dict[Network, int] = {}
        self._wide: dict[tuple[int, bool], bool] = {}
        self._alone: dict[tuple[int, bool], tuple[float, Way]] = {}

    def packs(self, by_order: dict[Hashable, list[int]]) -> Iterator[Pack]:
        """Yield the packs: full ones of one order first, from the largest networks on; what is left is mixed."""
        rest: list[tuple[int, Hashable]] = []
        most = max(self._lanes.values())
        for order, indices in by_order.items():
            waiting = []
            for index in sorted(indices, key=self._size, reverse=True):
                if self._is_wide(index):
                    yield self._single(index)
                else:
                    waiting.append((index, order))
            full = len(waiting) // most * most
            for start in range(0, full, most):
                yield from self._divided(waiting[start : start + most])
            rest += waiting[full:]
        rest.sort(key=lambda one: self._size(one[0]), reverse=True)
        yield from self._divided(rest)

    def _divided(self, indices: list[tuple[int, Hashable]]) -> Iterator[Pack]:
        """Yield the packs into which networks, each with its order, divide at the least cost, neighbours together."""
        cheapest = [0.0] * (len(indices) + 1)
        chosen: list[Pack] = []
        for place in range(len(indices) - 1, -1, -1):
            options = self._beginnings(indices, place)
            costs = [(pack.seconds + cheapest[place + len(pack.members)], pack) for pack in options]
            cheapest[place], pack = min(costs, key=lambda one: one[0])
            chosen.append(pack)
        place = 0
        while place < len(indices):
            pack = chosen[len(indices) - 1 - place]
            yield pack
            place += len(pack.members)

    def _beginnings(self, indices: list[tuple[int, Hashable]], place: int) -> Iterator[Pack]:
        """Yield the packs that the network at `place` may begin: alone, or with as many as there are lanes."""
        yield self._single(indices[place][0])
        for name, lanes in self._lanes.items():
            window = indices[place : place + lanes]
            if len(window) > 1:
                mixed = len({order for _, order in window}) > 1
                yield self._together(tuple(index for index, _ in window), name, mixed=mixed)

    def _is_wide(self, index: int) -> bool:
        """Whether a network alone costs less than its share of the fullest pack."""
        network, clips = self._networks[index], self._clips(index)
        key = id(network), clips
        if key not in self._wide:
            full = [
                self._together((index,) * lanes, name, mixed=False) for name, lanes in self._lanes.items()
            ]
            share = min(pack.seconds / len(pack.members) for pack in full)
            self._wide[key] = self._single(index).seconds <= share
        return self._wide[key]

    def _together(self, members: tuple[int, ...], instruction_set: str, *, mixed: bool) -> Pack:
        room = self._networks[members[0]]
        for index in members[1:]:
            network = self._networks[index]
            room = room if network is room else room.room_for(network)
        recipe = self._recipes[any(self._clips(index) for index in members)]
        way = Way("networks", instruction_set)
        return Pack(members, way, pack_seconds(room, recipe, way, len(members), mixes_orders=mixed))

    def _single(self, index: int) -> Pack:
        network, clips = self._networks[index], self._clips(index)
        key = id(network), clips
        if key not in self._alone:
            self._alone[key] = way_alone(network, self._recipes[clips])
        seconds, way = self._alone[key]
        return Pack((index,), way, seconds)

    def _clips(self, index: int) -> bool:
        return self._optimizers[index].clip_norm is not None

    def _size(self, index: int) -> tuple[int, int]:
        """Return what networks are sorted by: parameters, and then what they are, so that equal ones are together."""
        network = self._networks[index]
        if id(network) not in self._sizes:
            number = self._numbers.setdefault(network, len(self._numbers))
            self._sizes[id(network)] = network.build(self._recipes[0].input_shape).size, -number
        return self._sizes[id(network)]


def way_alone(network: Network, recipe: Recipe) -> tuple[float, Way]:
    """Return the predicted seconds of a network alone, and the way that takes them."""
    largest = max(min(recipe.batch_size or recipe.rows, recipe.rows), recipe.validation_rows)
    modes: tuple[Mode, ...] = ("units", "slices") if largest > SLICED else ("units",)
    ways = [Way(mode, name) for name in instruction_sets() for mode in modes]
    return min((pack_seconds(network, recipe, way, 1), way) for way in ways)


def recipe_of(
    optimizer: Optimizer, input_shape: Shape, dtype: str, rows: int, validation_rows: int
) -> Recipe:
    """Return what the time of a training depends on besides the network."""
    return Recipe(
        input_shape,
        dtype,
        optimizer_code(optimizer),
        optimizer.clip_norm is not None,
        optimizer.epochs,
        optimizer.batch_size or 0,
        rows,
        validation_rows,
    )


def optimizer_signature(optimizer: Optimizer) -> tuple[Hashable, ...]:
    """Return what optimizers must have in common to be lanes of one pack; every rate may differ."""
    return (optimizer_code(optimizer), optimizer.epochs, optimizer.batch_size, optimizer.shuffle)


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
