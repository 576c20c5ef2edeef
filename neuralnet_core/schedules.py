"""Learning-rate schedules: the rate as a function of the update t, counted from 0.

The engine has the compiled twin of every `rate` (engine/scalars.h); a contract test holds the two together.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

from .brief import brief, shown
from .checks import check_count, check_number

__all__ = ["CosineDecay", "ExponentialDecay", "Schedule", "StepDecay", "WarmUp", "learning_rate_at"]


class Schedule(ABC):
    """A learning rate that depends on the update; abstract."""

    def __repr__(self) -> str:
        return brief(self)

    @abstractmethod
    def rate(self, t: int) -> float:
        """Return the learning rate of update `t` (the first update is 0)."""


@dataclass(frozen=True, repr=False)
class StepDecay(Schedule):
    """Multiply the rate by `factor` after every `every` updates: ``initial * factor**(t // every)``.

    Examples
    --------
    >>> StepDecay(0.1, factor=0.5, every=100).rate(250)
    0.025
    """

    initial: float
    factor: float
    every: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "initial", check_number("initial", self.initial, above=0))
        object.__setattr__(self, "factor", check_number("factor", self.factor, above=0, at_most=1))
        object.__setattr__(self, "every", check_count("every", self.every))

    def rate(self, t: int) -> float:
        """Return the learning rate of update `t`."""
        return self.initial * self.factor ** (t // self.every)


@dataclass(frozen=True, repr=False)
class ExponentialDecay(Schedule):
    """Multiply the rate by `decay` at every update: ``initial * decay**t``.

    Examples
    --------
    >>> ExponentialDecay(0.1, decay=0.5).rate(2)
    0.025
    """

    initial: float
    decay: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "initial", check_number("initial", self.initial, above=0))
        object.__setattr__(self, "decay", check_number("decay", self.decay, above=0, at_most=1))

    def rate(self, t: int) -> float:
        """Return the learning rate of update `t`."""
        return self.initial * self.decay**t


@dataclass(frozen=True, repr=False)
class CosineDecay(Schedule):
    """Half a cosine from `initial` down to `final` in `updates` updates, then `final`.

    ``final + (initial - final) * (1 + cos(pi * min(t, updates) / updates)) / 2``
    (Loshchilov and Hutter, "SGDR: Stochastic gradient descent with warm restarts", 2017, without the restarts).

    Examples
    --------
    >>> CosineDecay(0.1, updates=100).rate(50)
    0.05
    """

    initial: float
    updates: int
    final: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "initial", check_number("initial", self.initial, above=0))
        object.__setattr__(self, "updates", check_count("updates", self.updates))
        object.__setattr__(self, "final", check_number("final", self.final, at_least=0))
        if self.final > self.initial:
            raise ValueError(f"final must be <= initial ({self.initial!r}), got {shown(self.final)}")

    def rate(self, t: int) -> float:
        """Return the learning rate of update `t`."""
        progress = min(t, self.updates) / self.updates
        return self.final + (self.initial - self.final) * (1.0 + math.cos(math.pi * progress)) / 2.0


@dataclass(frozen=True, repr=False)
class WarmUp(Schedule):
    """Grow linearly for `updates` updates: ``(t + 1) / updates`` of the rate of `after`, then all of it.

    Examples
    --------
    >>> warm_up = WarmUp(updates=4, after=0.1)
    >>> warm_up.rate(0), warm_up.rate(3), warm_up.rate(99)
    (0.025, 0.1, 0.1)
    """

    updates: int
    after: float | Schedule

    def __post_init__(self) -> None:
        object.__setattr__(self, "updates", check_count("updates", self.updates))
        if isinstance(self.after, WarmUp):
            raise ValueError(f"after must be a rate or another kind of schedule, got {shown(self.after)}")
        object.__setattr__(self, "after", check_rate("after", self.after))

    def rate(self, t: int) -> float:
        """Return the learning rate of update `t`."""
        return learning_rate_at(self.after, t) * (min(t + 1, self.updates) / self.updates)


def check_rate(name: str, value: object) -> float | Schedule:
    """Return a learning rate that is a positive number or a schedule."""
    return value if isinstance(value, Schedule) else check_number(name, value, above=0)


def learning_rate_at(rate: float | Schedule, t: int) -> float:
    """Return the learning rate of update `t`, of a constant or a schedule."""
    return rate.rate(t) if isinstance(rate, Schedule) else rate
