"""Batched: a chunk of networks as stacked arrays, which is what NumPy, PyTorch and JAX can compute with at once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, ClassVar

import numpy as np
from harness.problem import Problem
from harness.workloads import Member
from numpy.typing import NDArray

from .training import Parameters, Training

__all__ = ["Batched", "in_chunks", "padded", "unpadded"]


def in_chunks(members: Sequence[Member], size: int) -> Iterator[tuple[Member, ...]]:
    """Yield members that are trained together: those of one seed, which share their order of minibatches, by width.

    Where a chunk is larger than what a seed has, it takes the order of its first network for all: less work than
    the others do, in its favour.
    """
    seeds = len({member.seed for member in members})
    mixed = size * seeds > len(members)

    def kind(member: Member) -> tuple[Any, ...]:
        return (0 if mixed else member.seed, member.activation)

    for _, group in groupby(sorted(members, key=lambda m: (*kind(m), m.widths, m.seed)), kind):
        alike = list(group)
        for start in range(0, len(alike), size):
            yield tuple(alike[start : start + size])


def padded(arrays: Sequence[Parameters]) -> list[NDArray[Any]]:
    """Return an array for each parameter, the network being the first axis; what a network lacks is 0, and stays 0."""
    stacked = []
    for values in zip(*arrays, strict=True):
        shape = np.max([value.shape for value in values], axis=0)
        room = np.zeros((len(values), *shape), values[0].dtype)
        for place, value in zip(room, values, strict=True):
            place[tuple(slice(size) for size in value.shape)] = value
        stacked.append(room)
    return stacked


def unpadded(stacked: Sequence[NDArray[Any]], like: Sequence[Parameters]) -> list[Parameters]:
    """Return each network's own parameters again."""
    return [
        [
            room[place][tuple(slice(size) for size in value.shape)]
            for room, value in zip(stacked, own, strict=True)
        ]
        for place, own in enumerate(like)
    ]


class Batched(Training):
    """A way that trains chunks of networks, one chunk after another.

    Parameters
    ----------
    problem : Problem
    chunk : int
        Networks at a time.
    """

    chunks: ClassVar[tuple[int, ...]]

    def __init__(self, problem: Problem, chunk: int) -> None:
        super().__init__(problem)
        self._members = list(in_chunks(problem.members, chunk))
        self._initial = [[problem.initial(member) for member in own] for own in self._members]
        self._ready = [
            self._prepare(own, padded(i)) for own, i in zip(self._members, self._initial, strict=True)
        ]
        self._trained: list[tuple[Any, Any]] = []

    @abstractmethod
    def _prepare(self, members: tuple[Member, ...], initial: list[NDArray[Any]]) -> Any:
        """Return what `_train` takes: a chunk's arrays, converted; compiled, where that is what the way does."""

    @abstractmethod
    def _train(self, ready: Any) -> tuple[Any, Any]:
        """Return the trained arrays of a chunk, and the validation loss of each network after each epoch or None."""

    def train(self) -> None:
        self._trained = [self._train(ready) for ready in self._ready]

    def parameters(self) -> list[Parameters]:
        """Return what the last `train` gave, in the order of the members."""
        found = {}
        for members, initial, (arrays, _) in zip(self._members, self._initial, self._trained, strict=True):
            own = unpadded([np.asarray(array) for array in arrays], initial)
            found.update(zip(map(id, members), own, strict=True))
        return [found[id(member)] for member in self.problem.members]

    def validation_losses(self) -> NDArray[np.float64]:
        found = {}
        for members, (_, losses) in zip(self._members, self._trained, strict=True):
            found.update(zip(map(id, members), np.asarray(losses)[-1], strict=True))
        return np.array([found[id(member)] for member in self.problem.members])
