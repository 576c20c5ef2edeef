"""Packs: which networks train together as lanes of one computation, and in which way that costs least."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from numbers import Real
from typing import NamedTuple

from .brief import shown
from .checks import check_choice, check_dtype, check_integer
from .costs import Recipe, recipe_of
from .division import Divider, Kind, Share, costs_of
from .engine.dispatch import kernel, supported_sets
from .lanes import likeness
from .layout import Layout
from .network import Network, check_shape
from .optimizers import Optimizer
from .ways import MODES, Way

__all__ = ["Pack", "check_packs", "plan_packs"]

LONGEST = sys.float_info.max  # seconds


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
    shape, dtype = check_shape(input_shape), check_dtype(dtype)
    _check_columns(networks=networks, optimizers=optimizers, lengths=lengths, orders=orders, keys=keys)
    _check_kinds(networks, Network, "networks must be Network values")
    _check_kinds(optimizers, Optimizer, "optimizers must be values such as Adam(1e-3)")
    _check_kinds(lengths, tuple, "lengths must be tuples (rows trained on, rows validated on)")
    for length in lengths:
        _check_length(length)
    if epochs is not None:
        check_integer("epochs", epochs, at_least=1)
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
            like = likeness(layout, optimizer, length), key
            group = groups.get(like)
            if group is None:
                recipe = recipe_of(optimizer, shape, dtype, *length)
                group = groups[like] = _Group(recipe, optimizer.epochs if epochs is None else epochs)
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
    for members, _, _ in packs:
        if not isinstance(members, tuple) or set(map(type, members)) - {int}:
            raise TypeError(f"a pack's members must be a tuple of int, got {shown(members)}")
    if sorted(index for pack in packs for index in pack.members) != list(range(len(likes))):
        raise ValueError(f"packs must hold each of the {len(likes)} networks once")
    supported = supported_sets()
    for members, way, seconds in packs:
        if not isinstance(way, Way):
            raise TypeError(f"a pack's way must be a Way, got {shown(way)}")
        if isinstance(seconds, bool) or not isinstance(seconds, Real) or not 0 <= seconds <= LONGEST:
            raise ValueError(f"a pack's seconds must be a finite number >= 0, got {shown(seconds)}")
        mode, instruction_set = way
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


def _check_columns(**columns: Sequence[object] | None) -> None:
    """Raise ValueError unless all that is given has an entry for each network."""
    counts = {name: len(column) for name, column in columns.items() if column is not None}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        raise ValueError(f"there must be one of each for every network; got {told}")


def _check_kinds(values: Sequence[object], wanted: type, rule: str) -> None:
    """Raise TypeError unless all values are of the kind that is wanted; each of their types is looked at once."""
    for kind in set(map(type, values)):
        if not issubclass(kind, wanted):
            raise TypeError(f"{rule}, got {shown(next(one for one in values if type(one) is kind))}")


def _check_length(length: tuple[int, ...]) -> None:
    # The common case first: there is one for each network of a sweep.
    if len(length) == 2 and type(length[0]) is type(length[1]) is int and length[0] > 0 <= length[1]:
        return
    if len(length) != 2:
        raise ValueError(f"lengths must be tuples (rows trained on, rows validated on), got {shown(length)}")
    rows, validation_rows = length
    check_integer("the rows that a network is trained on", rows, at_least=1)
    check_integer("the rows that a network is validated on", validation_rows, at_least=0)


class _Group:
    """Networks that may be lanes of one pack; those of one kind are equal in all that time depends on."""

    def __init__(self, recipe: Recipe, epochs: int) -> None:
        self._recipe, self._epochs = recipe, epochs
        self._kinds: list[Kind] = []
        self._numbers: dict[tuple[tuple[int, ...], bool], int] = {}
        # Kinds and numbers of networks.
        self.by_order: dict[Hashable, list[tuple[int, int]]] = defaultdict(list)

    def kind(self, network: Network, layout: Layout, optimizer: Optimizer) -> int:
        """Return the number of a network's kind."""
        key = layout.widths, optimizer.clip_norm is not None
        number = self._numbers.setdefault(key, len(self._kinds))
        if number == len(self._kinds):
            self._kinds.append(Kind(*key, network, layout.size))
        return number

    def packs(self) -> Iterator[Pack]:
        """Yield the packs: full ones of one order first, from the largest networks on; what is left is mixed."""
        costs = costs_of(self._kinds[0].network.signature(self._recipe.input_shape), self._recipe)
        by_size = sorted(range(len(self._kinds)), key=lambda kind: -self._kinds[kind].size)
        rank = {kind: place for place, kind in enumerate(by_size)}
        divider = Divider([self._kinds[kind] for kind in by_size], costs, self._epochs)
        wide = {place for place in range(len(by_size)) if divider.is_wide(place)}
        most = max(costs.lanes.values())
        rest: list[tuple[int, int, Hashable]] = []
        for order, members in self.by_order.items():
            ranked = sorted([(rank[kind], index) for kind, index in members])
            if wide:
                for place, index in ranked:
                    if place in wide:
                        yield from _packs([divider.alone[place]], [index])
                ranked = [one for one in ranked if one[0] not in wide]
            full = len(ranked) // most * most
            for start in range(0, full, most):
                ranks, indices = zip(*ranked[start : start + most], strict=True)
                yield from _packs(divider.of_one_order(ranks), indices)
            rest += [(place, index, order) for place, index in ranked[full:]]
        rest.sort(key=lambda one: one[0])
        if rest:
            ranks, indices, orders = zip(*rest, strict=True)
            yield from _packs(divider.mixed(ranks, orders), indices)


def _packs(division: Iterable[Share], members: Sequence[int]) -> Iterator[Pack]:
    """Yield the packs of networks that are divided so."""
    start = 0
    for count, way, seconds in division:
        yield Pack(tuple(members[start : start + count]), way, seconds)
        start += count
