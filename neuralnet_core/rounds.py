"""Packs in training: those of one kind stop at the same epochs, and what is left of them moves into fewer packs.

Networks end at different epochs, by early stopping or because they diverge, and an empty lane costs what a full one
does. So like packs are stopped at the same epochs, now and then, and where it is predicted to pay the networks that
still train are put together anew, in whatever way is best for so many. Lanes of different epochs never mix.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cancel import TrainingCancelled
from .lanes import Lane, LaneState
from .packing import Pack, plan_packs
from .plans import PackData, PackPlan, make_plan

__all__ = ["Trained", "advance", "open_pack", "train_packs"]

# Packs in training at a time: their memory, and how many may exchange lanes.
MOST_BYTES, MOST_PACKS = 64 << 20, 64
# A stop is made after an eighth of the epochs so far, as networks that stop early do so at any time; without early
# stopping at the first and after twice as many each, as those that diverge do so soon.
SHARE = 8
# Between two stops a pack trains for so long at least, and for long enough to have paid for its way into the cache.
SHORTEST_ROUND, SECONDS_PER_BYTE = 100e-6, 2e-9
WORTH_A_MOVE = 0.85  # of what going on as before costs


# What came of a network: parameters (flat, in layout order), history (metrics, epochs trained), whether it diverged,
# and the epoch, counted from 1, whose parameters these are. A tuple without names, as the engine gives it: to name each
# takes a microsecond, of some fifteen that a network takes beside its training.
Trained = tuple[NDArray[Any], NDArray[np.float64], bool, int]


def open_pack(plan: PackPlan) -> Any:
    """Return a pack in the engine; every pack in the project begins here."""
    return plan.engine.Pack(plan)


def advance(pack: Any, epochs: int) -> None:
    """Train a pack for so many epochs; every training in the project passes here."""
    try:
        pack.train(epochs)
    except InterruptedError as error:
        raise TrainingCancelled(str(error)) from None


def train_packs(
    lanes: Sequence[Lane], packs: Sequence[Pack], data: PackData, flag: NDArray[np.int32]
) -> Iterator[tuple[int, Trained]]:
    """Train packs that read the same data; yield the number of each lane and what came of it, as it ends."""
    by_kind: dict[Hashable, list[Pack]] = {}
    apart = data.weights is not None and not data.weights.all()
    for pack in packs:
        first = lanes[pack.members[0]]
        kind: Hashable = pack.members  # alone to the end
        if pack.way.mode == "networks":
            kind = first.setting.likeness, first.order if apart else None
        by_kind.setdefault(kind, []).append(pack)
    for like in by_kind.values():
        for some in _at_a_time(like, lanes, data):
            yield from _Rounds(lanes, some, data, flag).train()


def _at_a_time(packs: Sequence[Pack], lanes: Sequence[Lane], data: PackData) -> Iterator[list[Pack]]:
    """Divide packs so that the memory of those in training at a time is bounded."""
    some: list[Pack] = []
    size = 0
    for pack in packs:
        own = _bytes_of(pack, lanes, data) + _bytes_of_histories(pack, lanes)
        if some and (size + own > MOST_BYTES or len(some) == MOST_PACKS):
            yield some
            some, size = [], 0
        some.append(pack)
        size += own
    yield some


def _bytes_of(pack: Pack, lanes: Sequence[Lane], data: PackData) -> int:
    """Return about how much memory a pack takes: parameters, gradients, the optimizer's state."""
    # Members come by size, or nearly so.
    first, last = lanes[pack.members[0]].setting.layout, lanes[pack.members[-1]].setting.layout
    largest = max(first.size, last.size)
    return 5 * len(pack.members) * largest * data.features.dtype.itemsize


def _bytes_of_histories(pack: Pack, lanes: Sequence[Lane]) -> int:
    """Return how much memory the histories of a pack take: as many epochs as it may have, in three metrics."""
    return 3 * 8 * len(pack.members) * lanes[pack.members[0]].setting.optimizer.epochs


@dataclass
class _Running:
    """A pack in training: its lanes by number, those that go on by place, and what an epoch is predicted to take."""

    pack: Any
    members: tuple[int, ...]
    epoch_seconds: float
    going: list[int]
    considered: int  # lanes that went on when it was last asked whether they should move

    def advance(self, epochs: int) -> None:
        """Train for so many epochs."""
        advance(self.pack, epochs)
        self.going = self.pack.training()

    @property
    def full(self) -> bool:
        """Whether all of its lanes go on."""
        return len(self.going) == len(self.members)

    def ended(self) -> list[tuple[int, Trained]]:
        """Return the lanes that are at their end, by number."""
        return [(self.members[place], trained) for place, trained in self.pack.ended()]


class _Rounds:
    """Trains like packs from stop to stop, to the end of all.

    A pack whose lanes all go on needs no others: it goes on alone, and is mostly at its end when the next one begins,
    so that few are in memory at a time. One that has lost a lane waits for others at the stop where it did.
    """

    def __init__(
        self, lanes: Sequence[Lane], packs: Sequence[Pack], data: PackData, flag: NDArray[np.int32]
    ) -> None:
        self._lanes, self._data, self._flag = lanes, data, flag
        members = [lanes[index].setting for pack in packs for index in pack.members]
        self._epochs, self._lengths = members[0].optimizer.epochs, members[0].lengths
        self._stops_early = any(setting.optimizer.early_stopping is not None for setting in members)
        largest = max(_bytes_of(pack, lanes, data) for pack in packs)
        shortest = max(SHORTEST_ROUND, SECONDS_PER_BYTE * largest)
        seconds = min(pack.seconds for pack in packs) / self._epochs
        self._least = int(min(shortest / seconds, self._epochs)) if seconds > 0 else 1
        self._alone = packs[0].way.mode != "networks"
        self._packs = packs
        self._waiting: dict[int, list[_Running]] = {}  # by the epochs they have trained for

    def train(self) -> Iterator[tuple[int, Trained]]:
        """Yield every lane as it ends."""
        # All plans before any training, which leaves nothing of what planning reads in the processor's caches.
        plans = [self._plan(pack, {}) for pack in self._packs]
        for pack, plan in zip(self._packs, plans, strict=True):
            yield from self._go_on(self._begin(pack, plan, self._epochs), 0)
        while self._waiting:
            epoch = min(self._waiting)
            running = self._waiting.pop(epoch)
            if any(len(one.going) < one.considered for one in running):
                moved = self._moved(running, epoch)
                if moved is not None:
                    for one in running:
                        yield from one.ended()
                    running = moved
            for one in running:
                one.considered = len(one.going)
                yield from self._go_on(one, epoch)

    def _plan(self, pack: Pack, states: Mapping[int, LaneState]) -> PackPlan:
        """Return the plan of a pack whose lanes go on from these states, or begin."""
        members = [self._lanes[index] for index in pack.members]
        if states:
            members = [
                lane._replace(state=states[index]) for index, lane in zip(pack.members, members, strict=True)
            ]
        return make_plan(members, self._data, self._flag, way=pack.way)

    def _begin(self, pack: Pack, plan: PackPlan, epochs: int) -> _Running:
        going = list(range(len(pack.members)))
        return _Running(open_pack(plan), pack.members, pack.seconds / epochs, going, len(going))

    def _go_on(self, one: _Running, epoch: int) -> Iterator[tuple[int, Trained]]:
        """Train a pack to the next stop, and on as long as it is full; yield its lanes if all are at their end."""
        while True:
            stop = self._next_stop(epoch)
            one.advance(stop - epoch)
            epoch = stop
            if not one.going:
                yield from one.ended()
                return
            if not one.full:
                self._waiting.setdefault(epoch, []).append(one)
                return

    def _next_stop(self, epoch: int) -> int:
        """Return the epoch up to which packs train before one looks again: the same for all of them."""
        if self._alone:
            return self._epochs
        step = epoch // SHARE if self._stops_early else epoch
        return min(self._epochs, epoch + max(1, step, self._least))

    def _moved(self, running: Sequence[_Running], epoch: int) -> list[_Running] | None:
        """Return the packs that go on where some have empty lanes, if other packs of their networks cost less."""
        # Nobody knows for how long they will: probably for about as long as they did.
        ahead = min(self._epochs - epoch, epoch if self._stops_early else self._epochs)
        places = [(one, place) for one in running for place in one.going]
        indices = [one.members[place] for one, place in places]
        packs = self._planned(indices, ahead)
        before = sum(ahead * one.epoch_seconds for one in running)
        if sum(pack.seconds for pack in packs) > WORTH_A_MOVE * before:
            return None
        states = {
            index: LaneState(*one.pack.state(place))
            for index, (one, place) in zip(indices, places, strict=True)
        }
        return [self._begin(pack, self._plan(pack, states), ahead) for pack in packs]

    def _planned(self, indices: Sequence[int], epochs: int) -> list[Pack]:
        """Return the best packs of some lanes, whose members are numbers of lanes."""
        lanes = [self._lanes[index] for index in indices]
        packs = plan_packs(
            [lane.setting.network for lane in lanes],
            [lane.setting.optimizer for lane in lanes],
            self._data.features.shape[1:],
            self._data.dtype,
            lengths=[self._lengths] * len(lanes),
            orders=[lane.order for lane in lanes],
            epochs=epochs,
        )
        return [pack._replace(members=tuple(indices[place] for place in pack.members)) for pack in packs]
