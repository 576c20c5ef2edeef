"""Packs: which networks train together as lanes of one computation, and in which way that costs least."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from functools import reduce
from typing import NamedTuple

from .brief import shown
from .checks import check_choice
from .costs import Recipe, pack_seconds
from .engine.dispatch import instruction_sets, kernel, supported_sets
from .layers import Shape
from .network import Network, check_shape
from .optimizers import Optimizer
from .ways import MODES, SLICED, Mode, Way

__all__ = ["Pack", "check_packs", "plan_packs", "recipe_of", "training_cost"]


class Pack(NamedTuple):
    """Networks (their numbers) that train as one computation: in which way, and the seconds that is predicted to take.

    The seconds are those of the machine that the cost model was fitted on; on others all packs are faster or slower.

    Examples
    --------
    >>> from neuralnet_core import Adam, Dense, Network, train_many
    >>> pack = Pack((0, 1), Way("networks", "baseline"), seconds=0.001)
    >>> models = train_many(Network([Dense(1)]), Adam(), [[0.0], [1.0]], [0.0, 1.0], seeds=[0, 1], packs=[pack])
    >>> len(models)
    2
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
    epochs: int | None = None,
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
    epochs : int, optional
        How many epochs they have before them, if not all of their optimizers'.

    Examples
    --------
    >>> from neuralnet_core import Adam, Dense, Network
    >>> networks = [Network([Dense(4, name), Dense(1)]) for name in ["relu", "tanh"] * 4]
    >>> packs = plan_packs(networks, [Adam()] * 8, 2, lengths=[(100, 0)] * 8)
    >>> [pack.members for pack in packs]
    [(0, 2, 4, 6), (1, 3, 5, 7)]
    """
    shape = check_shape(input_shape)
    groups: dict[Hashable, _Group] = {}
    # A sweep has few values and many networks: what is to be known of a value is looked up once.
    known: dict[Hashable, tuple[_Group, int]] = {}
    everything = zip(networks, optimizers, lengths, strict=True)
    for index, (network, optimizer, length) in enumerate(everything):
        setting = id(network), id(optimizer), length, keys[index] if keys else None
        if setting not in known:
            like = likeness(network, optimizer, shape, length, setting[-1])
            if like not in groups:
                recipe = recipe_of(optimizer, shape, dtype, *length)
                groups[like] = _Group(recipe if epochs is None else recipe._replace(epochs=epochs))
            known[setting] = groups[like], groups[like].kind(network, optimizer)
        group, kind = known[setting]
        group.add(index, kind, orders[index] if orders else None)
    return [pack for group in groups.values() for pack in group.packs()]


def likeness(
    network: Network, optimizer: Optimizer, shape: Shape, length: tuple[int, int], key: Hashable = None
) -> tuple[Hashable, ...]:
    """Return what networks must have in common to be lanes of one pack; every rate may differ."""
    return network.build(shape).signature, optimizer.codes.shared, length, key


def check_packs(packs: Sequence[Pack], likes: Sequence[Hashable], dtype: str) -> None:
    """Raise ValueError unless the packs hold each network once, with networks that are alike, in a way there is.

    `likes` has the `likeness` of every network.
    """
    if not isinstance(packs, Sequence) or not all(isinstance(pack, Pack) for pack in packs):
        raise TypeError(f"packs must be a list of Pack, as plan_packs returns it, got {shown(packs)}")
    if sorted(index for pack in packs for index in pack.members) != list(range(len(likes))):
        raise ValueError(f"packs must hold each of the {len(likes)} networks once")
    for members, (mode, instruction_set), _ in packs:
        check_choice("a pack's mode", mode, MODES)
        check_choice("a pack's instruction_set", instruction_set, supported_sets())
        most = kernel(dtype, instruction_set).lanes if mode == "networks" else 1
        if not 0 < len(members) <= most:
            raise ValueError(
                f"a pack of mode {mode} and {instruction_set} must hold 1 to {most} networks, got {len(members)}"
            )
        if any(likes[index] != likes[members[0]] for index in members):
            raise ValueError(f"networks {members} are not alike and cannot be one pack; see plan_packs")


class _Group:
    """Networks that may be lanes of one pack; those of one kind are equal in all that time depends on."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._lanes = {name: kernel(recipe.dtype, name).lanes for name in instruction_sets()}
        self._numbers: dict[tuple[Network, bool], int] = {}
        self._by_order: dict[Hashable, list[tuple[int, int]]] = defaultdict(list)

    def kind(self, network: Network, optimizer: Optimizer) -> int:
        """Return the number of a network's kind."""
        return self._numbers.setdefault((network, optimizer.clip_norm is not None), len(self._numbers))

    def add(self, index: int, kind: int, order: Hashable) -> None:
        """Take a network in."""
        self._by_order[order].append((kind, index))

    def packs(self) -> Iterator[Pack]:
        """Yield the packs: full ones of one order first, from the largest networks on; what is left is mixed."""
        divider = _Divider(list(self._numbers), self._recipe, self._lanes)
        most = max(self._lanes.values())
        rest: list[tuple[int, int, Hashable]] = []
        for order, members in self._by_order.items():
            ranked = sorted((divider.rank[kind], index, order) for kind, index in members)
            waiting = []
            for one in ranked:
                if divider.is_wide(one[0]):
                    yield Pack((one[1],), *divider.alone(one[0]))
                else:
                    waiting.append(one)
            full = len(waiting) // most * most
            for start in range(0, full, most):
                yield from divider.divided(waiting[start : start + most])
            rest += waiting[full:]
        rest.sort(key=lambda one: one[0])
        yield from divider.divided(rest)


class _Divider:
    """Divides networks, which come by rank (the largest first), into packs at the least cost."""

    def __init__(self, kinds: list[tuple[Network, bool]], recipe: Recipe, lanes: dict[str, int]) -> None:
        self._recipes = {clips: recipe._replace(clips=clips) for clips in (False, True)}
        self._lanes, self._ways = lanes, {name: Way("networks", name) for name in lanes}
        layouts = [network.build(recipe.input_shape) for network, _ in kinds]
        sizes = [layout.size for layout in layouts]
        by_size = sorted(range(len(kinds)), key=lambda kind: -sizes[kind])
        self._kinds = [kinds[kind] for kind in by_size]
        self.rank = {kind: rank for rank, kind in enumerate(by_size)}
        self._alone: dict[int, tuple[Way, float]] = {}
        self._wide: dict[int, bool] = {}
        self._widths = [layouts[kind].widths for kind in by_size]
        self._rooms: dict[tuple[int, ...], Network] = {}
        self._together: dict[tuple[Hashable, ...], tuple[Way, float]] = {}
        self._divisions: dict[tuple[int, ...], list[tuple[int, Way, float]]] = {}

    def alone(self, rank: int) -> tuple[Way, float]:
        """Return the best way of a network alone, and its predicted seconds."""
        if rank not in self._alone:
            network, clips = self._kinds[rank]
            self._alone[rank] = way_alone(network, self._recipes[clips])
        return self._alone[rank]

    def is_wide(self, rank: int) -> bool:
        """Whether a network alone costs less than its share of the fullest pack."""
        if rank not in self._wide:
            full = [self._cost((rank,), lanes, name, False)[1] / lanes for name, lanes in self._lanes.items()]
            self._wide[rank] = self.alone(rank)[1] <= min(full)
        return self._wide[rank]

    def divided(self, members: list[tuple[int, int, Hashable]]) -> Iterator[Pack]:
        """Yield the packs of networks, each given by its rank, its number and its order."""
        ranks = tuple(rank for rank, _, _ in members)
        orders = [order for _, _, order in members]
        alike = len(set(orders)) <= 1
        division = self._divisions.get(ranks) if alike else None
        if division is None:
            division = self._divide(ranks, orders)
            if alike:
                self._divisions[ranks] = division
        start = 0
        for count, way, seconds in division:
            yield Pack(tuple(index for _, index, _ in members[start : start + count]), way, seconds)
            start += count

    def _divide(self, ranks: tuple[int, ...], orders: list[Hashable]) -> list[tuple[int, Way, float]]:
        """Return the packs of the cheapest division that leaves neighbours together: how many, way, seconds."""
        cheapest = [0.0] * (len(ranks) + 1)
        chosen: list[tuple[int, Way, float]] = []
        for place in range(len(ranks) - 1, -1, -1):
            options = [(1, *self.alone(ranks[place]))]
            for name, lanes in self._lanes.items():
                window = ranks[place : place + lanes]
                if len(window) > 1:
                    mixed = len(set(orders[place : place + lanes])) > 1
                    options.append((len(window), *self._cost(window, len(window), name, mixed)))
            cheapest[place], best = min(
                (seconds + cheapest[place + count], number)
                for number, (count, _, seconds) in enumerate(options)
            )
            chosen.append(options[best])
        division, place = [], 0
        while place < len(ranks):
            division.append(chosen[len(ranks) - 1 - place])
            place += division[-1][0]
        return division

    def _cost(
        self, ranks: tuple[int, ...], networks: int, instruction_set: str, mixed: bool
    ) -> tuple[Way, float]:
        """Return the way and the seconds of so many networks, of these ranks, together in one pack."""
        widths = tuple(map(max, *[self._widths[rank] for rank in ranks], self._widths[ranks[0]]))
        clips = any(self._kinds[rank][1] for rank in ranks)
        key = widths, clips, networks, instruction_set, mixed
        if key not in self._together:
            if widths not in self._rooms:
                self._rooms[widths] = reduce(Network.room_for, (self._kinds[rank][0] for rank in ranks))
            recipe, way = self._recipes[clips], self._ways[instruction_set]
            seconds = pack_seconds(self._rooms[widths], recipe, way, networks, mixes_orders=mixed)
            self._together[key] = way, seconds
        return self._together[key]


def way_alone(network: Network, recipe: Recipe) -> tuple[Way, float]:
    """Return the best way of a network alone, and its predicted seconds."""
    largest = max(min(recipe.batch_size or recipe.rows, recipe.rows), recipe.validation_rows)
    modes: tuple[Mode, ...] = ("units", "slices") if largest > SLICED else ("units",)
    ways = [Way(mode, name) for name in instruction_sets() for mode in modes]
    seconds, way = min((pack_seconds(network, recipe, way, 1), way) for way in ways)
    return way, seconds


def recipe_of(
    optimizer: Optimizer, input_shape: Shape, dtype: str, rows: int, validation_rows: int
) -> Recipe:
    """Return what the time of a training depends on besides the network."""
    return Recipe(
        input_shape,
        dtype,
        optimizer.codes.kind,
        optimizer.clip_norm is not None,
        optimizer.epochs,
        optimizer.batch_size or 0,
        rows,
        validation_rows,
    )


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
