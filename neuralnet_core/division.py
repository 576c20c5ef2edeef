"""Dividing networks that may share packs into packs, at the least predicted cost."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import lru_cache, reduce
from typing import NamedTuple

from .costs import Recipe, epoch_seconds, pack_seconds
from .engine.dispatch import instruction_sets, kernel
from .network import Network
from .ways import SLICED, Mode, Way

__all__ = ["Costs", "Divider", "Kind", "Share", "costs_of"]

MOST_KNOWN = 1 << 15  # predictions that are kept: some 10 MB


class Kind(NamedTuple):
    """What the time of a network depends on, beside its recipe: the widths of its layers, and whether it clips."""

    widths: tuple[int, ...]
    clips: bool
    network: Network
    size: int


# Neighbours that are a pack: how many, in which way they train, and the seconds that is predicted to take.
Share = tuple[int, Way, float]


class Divider:
    """Divides networks, which come by rank (the largest first) and train for so many epochs."""

    def __init__(self, kinds: Sequence[Kind], costs: Costs, epochs: int) -> None:
        self._kinds, self._costs, self._epochs = kinds, costs, epochs
        self.alone = [self._share(1, *costs.alone(kind)) for kind in kinds]  # each in its best way
        self._divisions: dict[tuple[int, ...], list[Share]] = {}

    def _share(self, count: int, way: Way, epoch: float) -> Share:
        return count, way, pack_seconds(epoch, self._epochs, count)

    def is_wide(self, rank: int) -> bool:
        """Whether a network alone costs less than its share of the fullest pack."""
        kinds, costs = [self._kinds[rank]], self._costs
        full = [
            self._share(lanes, *costs.together(kinds, name, False))[2] / lanes
            for name, lanes in costs.lanes.items()
        ]
        return bool(self.alone[rank][2] <= min(full))

    def of_one_order(self, ranks: tuple[int, ...]) -> list[Share]:
        """Return the packs of networks of one order."""
        division = self._divisions.get(ranks)
        if division is None:
            division = self._divisions[ranks] = self.mixed(ranks, [None] * len(ranks))
        return division

    def mixed(self, ranks: tuple[int, ...], orders: Sequence[Hashable]) -> list[Share]:
        """Return the packs of the cheapest division that leaves neighbours together, whatever their orders."""
        cheapest = [0.0] * (len(ranks) + 1)
        chosen: list[Share] = []
        kinds = [self._kinds[rank] for rank in ranks]
        for place in range(len(ranks) - 1, -1, -1):
            options = [self.alone[ranks[place]]]
            for name, lanes in self._costs.lanes.items():
                window = kinds[place : place + lanes]
                if len(window) > 1:
                    mixed = len(set(orders[place : place + lanes])) > 1
                    options.append(self._share(len(window), *self._costs.together(window, name, mixed)))
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


class Costs:
    """What an epoch of networks of one signature and recipe is predicted to take, by the widths of their layers."""

    def __init__(self, signature: Hashable, recipe: Recipe) -> None:
        self.signature, self.recipe = signature, recipe
        self._recipes = {clips: recipe._replace(clips=clips) for clips in (False, True)}
        self.lanes = {name: kernel(recipe.dtype, name).lanes for name in instruction_sets()}
        self._ways = {name: Way("networks", name) for name in self.lanes}

    def alone(self, kind: Kind) -> tuple[Way, float]:
        """Return the best way of a network alone, and the seconds of an epoch."""
        key = self, kind.widths, kind.clips
        found = _known.get(key)
        if found is None:
            found = _keep(key, *_best_alone(kind.network, self._recipes[kind.clips]))
        return found

    def together(self, kinds: Sequence[Kind], instruction_set: str, mixed: bool) -> tuple[Way, float]:
        """Return the way and the seconds of an epoch of networks of these kinds, together in one pack."""
        widths = tuple(map(max, *[kind.widths for kind in kinds], kinds[0].widths))
        clips = any(kind.clips for kind in kinds)
        key = self, widths, clips, instruction_set, mixed
        found = _known.get(key)
        if found is None:
            room = reduce(Network.room_for, (kind.network for kind in kinds))
            way = self._ways[instruction_set]
            found = _keep(key, way, epoch_seconds(room, self._recipes[clips], way, mixed))
        return found


@lru_cache(maxsize=1024)
def costs_of(signature: Hashable, recipe: Recipe) -> Costs:
    """Return the costs of networks of a signature: a sweep asks for the same again and again."""
    return Costs(signature, recipe)


_known: dict[tuple[Hashable, ...], tuple[Way, float]] = {}


def _keep(key: tuple[Hashable, ...], way: Way, seconds: float) -> tuple[Way, float]:
    """Keep a prediction; where there are many, only this one."""
    if len(_known) >= MOST_KNOWN:
        _known.clear()
    found = _known[key] = way, seconds
    return found


def _best_alone(network: Network, recipe: Recipe) -> tuple[Way, float]:
    """Return the best way of a network alone, and the seconds of an epoch."""
    largest = max(min(recipe.batch_size or recipe.rows, recipe.rows), recipe.validation_rows)
    modes: tuple[Mode, ...] = ("units", "slices") if largest > SLICED else ("units",)
    ways = [Way(mode, name) for name in instruction_sets() for mode in modes]
    seconds, way = min((epoch_seconds(network, recipe, way), way) for way in ways)
    return way, seconds
