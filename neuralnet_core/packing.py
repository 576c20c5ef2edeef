"""Packs: which networks train together as lanes of one computation, and in which way that costs least."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from functools import lru_cache, reduce
from typing import Any, NamedTuple

from .brief import shown
from .checks import check_choice
from .costs import Recipe, pack_seconds
from .engine.dispatch import instruction_sets, kernel, supported_sets
from .layers import Shape
from .layout import Layout
from .network import Network, check_shape
from .optimizers import Optimizer
from .ways import MODES, SLICED, Mode, Way

__all__ = ["Pack", "check_packs", "plan_packs", "recipe_of", "training_cost"]

MOST_KNOWN = 16384  # costs of one kind that are kept


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
    known: dict[Hashable, tuple[dict[Hashable, list[tuple[int, int]]], int]] = {}
    none = [None] * len(networks)
    everything = zip(networks, optimizers, lengths, keys or none, orders or none, strict=True)
    for index, (network, optimizer, length, key, order) in enumerate(everything):
        setting = id(network), id(optimizer), length, key
        place = known.get(setting)
        if place is None:
            layout = network.build(shape)
            like = layout.signature, optimizer.codes.shared, length, key
            group = groups.get(like)
            if group is None:
                recipe = recipe_of(optimizer, shape, dtype, *length)
                group = groups[like] = _Group(recipe if epochs is None else recipe._replace(epochs=epochs))
            place = known[setting] = group.by_order, group.kind(network, layout, optimizer)
        by_order, kind = place
        by_order[order].append((kind, index))
    return [pack for group in groups.values() for pack in group.packs()]


def check_packs(packs: Sequence[Pack], likes: Sequence[Hashable], dtype: str) -> None:
    """Raise ValueError unless the packs hold each network once, with networks that are alike, in a way there is.

    `likes` has the `likeness` of every network.
    """
    if not isinstance(packs, Sequence) or not all(isinstance(pack, Pack) for pack in packs):
        raise TypeError(f"packs must be a list of Pack, as plan_packs returns it, got {shown(packs)}")
    if sorted(index for pack in packs for index in pack.members) != list(range(len(likes))):
        raise ValueError(f"packs must hold each of the {len(likes)} networks once")
    supported = supported_sets()
    for members, (mode, instruction_set), _ in packs:
        check_choice("a pack's mode", mode, MODES)
        check_choice("a pack's instruction_set", instruction_set, supported)
        most = kernel(dtype, instruction_set).lanes if mode == "networks" else 1
        if not 0 < len(members) <= most:
            raise ValueError(
                f"a pack of mode {mode} and {instruction_set} must hold 1 to {most} networks, got {len(members)}"
            )
        like = likes[members[0]]
        if any(likes[index] != like for index in members):
            raise ValueError(f"networks {members} are not alike and cannot be one pack; see plan_packs")


class _Kind(NamedTuple):
    """What the time of a network depends on, within its group: the widths of its layers, and whether it clips."""

    widths: tuple[int, ...]
    clips: bool
    network: Network
    size: int


class _Group:
    """Networks that may be lanes of one pack; those of one kind are equal in all that time depends on."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._kinds: list[_Kind] = []
        self._numbers: dict[tuple[tuple[int, ...], bool], int] = {}
        self.by_order: dict[Hashable, list[tuple[int, int]]] = defaultdict(
            list
        )  # kinds and numbers of networks

    def kind(self, network: Network, layout: Layout, optimizer: Optimizer) -> int:
        """Return the number of a network's kind."""
        key = layout.widths, optimizer.clip_norm is not None
        number = self._numbers.setdefault(key, len(self._kinds))
        if number == len(self._kinds):
            self._kinds.append(_Kind(*key, network, layout.size))
        return number

    def packs(self) -> Iterator[Pack]:
        """Yield the packs: full ones of one order first, from the largest networks on; what is left is mixed."""
        costs = _costs(self._kinds[0].network.build(self._recipe.input_shape).signature, self._recipe)
        by_size = sorted(range(len(self._kinds)), key=lambda kind: -self._kinds[kind].size)
        rank = {kind: place for place, kind in enumerate(by_size)}
        divider = _Divider([self._kinds[kind] for kind in by_size], costs)
        wide = {place for place, kind in enumerate(by_size) if costs.is_wide(self._kinds[kind])}
        most = max(costs.lanes.values())
        rest: list[tuple[int, int, Hashable]] = []
        for order, members in self.by_order.items():
            ranked = sorted([(rank[kind], index) for kind, index in members])
            if wide:
                for place, index in ranked:
                    if place in wide:
                        yield Pack((index,), *divider.alone(place))
                ranked = [one for one in ranked if one[0] not in wide]
            full = len(ranked) // most * most
            for start in range(0, full, most):
                yield from divider.of_one_order(ranked[start : start + most])
            rest += [(place, index, order) for place, index in ranked[full:]]
        rest.sort(key=lambda one: one[0])
        yield from divider.mixed(rest)


class _Divider:
    """Divides networks, which come by rank (the largest first), into packs at the least cost."""

    def __init__(self, kinds: list[_Kind], costs: _Costs) -> None:
        self._kinds, self._costs = kinds, costs
        self._divisions: dict[tuple[int, ...], list[tuple[int, Way, float]]] = {}

    def alone(self, rank: int) -> tuple[Way, float]:
        """Return the best way of a network alone, and its predicted seconds."""
        return self._costs.alone(self._kinds[rank])

    def of_one_order(self, members: list[tuple[int, int]]) -> Iterator[Pack]:
        """Yield the packs of networks of one order, each given by its rank and its number."""
        ranks = tuple([rank for rank, _ in members])
        division = self._divisions.get(ranks)
        if division is None:
            division = self._divisions[ranks] = self._divide(ranks, [None] * len(ranks))
        return _divided(division, [index for _, index in members])

    def mixed(self, members: list[tuple[int, int, Hashable]]) -> Iterator[Pack]:
        """Yield the packs of networks of any order, each given by its rank, its number and its order."""
        ranks = tuple([rank for rank, _, _ in members])
        division = self._divide(ranks, [order for _, _, order in members])
        return _divided(division, [index for _, index, _ in members])

    def _divide(self, ranks: tuple[int, ...], orders: list[Hashable]) -> list[tuple[int, Way, float]]:
        """Return the packs of the cheapest division that leaves neighbours together: how many, way, seconds."""
        cheapest = [0.0] * (len(ranks) + 1)
        chosen: list[tuple[int, Way, float]] = []
        kinds = [self._kinds[rank] for rank in ranks]
        for place in range(len(ranks) - 1, -1, -1):
            options = [(1, *self._costs.alone(kinds[place]))]
            for name, lanes in self._costs.lanes.items():
                window = kinds[place : place + lanes]
                if len(window) > 1:
                    mixed = len(set(orders[place : place + lanes])) > 1
                    options.append((len(window), *self._costs.together(window, len(window), name, mixed)))
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


def _divided(division: Sequence[tuple[int, Way, float]], members: Sequence[int]) -> Iterator[Pack]:
    start = 0
    for count, way, seconds in division:
        yield Pack(tuple(members[start : start + count]), way, seconds)
        start += count


class _Costs:
    """What packs of networks of one signature and recipe are predicted to take, by the widths of their layers."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipes = {clips: recipe._replace(clips=clips) for clips in (False, True)}
        self.lanes = {name: kernel(recipe.dtype, name).lanes for name in instruction_sets()}
        self._ways = {name: Way("networks", name) for name in self.lanes}
        self._alone: dict[tuple[Hashable, ...], tuple[Way, float]] = {}
        self._wide: dict[tuple[Hashable, ...], bool] = {}
        self._together: dict[tuple[Hashable, ...], tuple[Way, float]] = {}

    def alone(self, kind: _Kind) -> tuple[Way, float]:
        """Return the best way of a network alone, and its predicted seconds."""
        key = kind[:2]
        found = self._alone.get(key)
        if found is None:
            found = way_alone(kind.network, self._recipes[kind.clips])
            _keep(self._alone, key, found)
        return found

    def is_wide(self, kind: _Kind) -> bool:
        """Whether a network alone costs less than its share of the fullest pack."""
        key = kind[:2]
        found = self._wide.get(key)
        if found is None:
            full = [
                self.together([kind], lanes, name, False)[1] / lanes for name, lanes in self.lanes.items()
            ]
            found = self.alone(kind)[1] <= min(full)
            _keep(self._wide, key, found)
        return found

    def together(
        self, kinds: Sequence[_Kind], networks: int, instruction_set: str, mixed: bool
    ) -> tuple[Way, float]:
        """Return the way and the seconds of so many networks, of these kinds, together in one pack."""
        widths = tuple(map(max, *[kind.widths for kind in kinds], kinds[0].widths))
        clips = any(kind.clips for kind in kinds)
        key = widths, clips, networks, instruction_set, mixed
        found = self._together.get(key)
        if found is None:
            room = reduce(Network.room_for, (kind.network for kind in kinds))
            way = self._ways[instruction_set]
            found = way, pack_seconds(room, self._recipes[clips], way, networks, mixes_orders=mixed)
            _keep(self._together, key, found)
        return found


@lru_cache(maxsize=32)
def _costs(signature: Hashable, recipe: Recipe) -> _Costs:  # noqa: ARG001
    """Return the costs of networks of a signature: a sweep asks for the same again and again."""
    return _Costs(recipe)


def _keep(known: dict[Any, Any], key: Hashable, value: object) -> None:
    """Keep a value; where there are many, only this one."""
    if len(known) >= MOST_KNOWN:
        known.clear()
    known[key] = value


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
