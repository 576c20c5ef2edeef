"""How a parameter is laid out on an axis: numbers evenly or by their logarithm, everything else in places."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sweep.labels import format_value, wrapped

if TYPE_CHECKING:
    from matplotlib.axis import Axis

NAME = 24  # characters of a parameter's name in a line
FEW = 8  # so many values of a number are each given a tick
MOST_CELLS = 12  # a number with more values is put into bins
BINS = 8
IN_A_BIN = 4  # configurations, on average, that a bin has where there are few
CHARACTER = 0.09  # inches, in the width of a tick's text
LOGARITHMIC_FROM = 4.0  # least ratio of the largest to the smallest value for a logarithmic axis


@dataclass(frozen=True, slots=True)
class Scale:
    """Where the values of one parameter go.

    `kind` is "linear", "log" or "places"; `values` are the distinct values in order. Positions are numbers, of
    which those of a "log" scale are base-10 logarithms, and those of "places" 0, 1, 2, ...
    """

    name: str
    kind: str
    values: tuple[Any, ...]

    def positions(self, values: Sequence[Any]) -> NDArray[np.float64]:
        """Return where values go on an axis."""
        if self.kind == "places":
            place = {_key(value): i for i, value in enumerate(self.values)}
            return np.array([place[_key(value)] for value in values], np.float64)
        numbers = np.array(values, np.float64)
        return np.log10(numbers) if self.kind == "log" else numbers

    def ticks(self) -> tuple[NDArray[np.float64], list[str]]:
        """Return positions and texts of ticks: the values if they are few, otherwise round numbers."""
        if self.kind == "places" or len(self.values) <= FEW:
            return self.positions(self.values), [format_value(value) for value in self.values]
        if self.kind == "log":
            return self._decades()
        from matplotlib.ticker import MaxNLocator

        places = MaxNLocator(nbins=6).tick_values(self.values[0], self.values[-1])
        places = places[(places >= self.values[0]) & (places <= self.values[-1])]
        return places, [format_value(float(place)) for place in places]

    def _decades(self) -> tuple[NDArray[np.float64], list[str]]:
        low, high = math.log10(self.values[0]), math.log10(self.values[-1])
        steps = (1,) if high - low > 2 else (1, 2, 5)
        decades = range(math.floor(low), math.ceil(high) + 1)
        places = np.array([decade + math.log10(step) for decade in decades for step in steps])
        places = places[(places >= low - 1e-9) & (places <= high + 1e-9)]
        return places, [format_value(float(f"{10**place:.1g}")) for place in places]


@dataclass(frozen=True, slots=True)
class Side:
    """A parameter in cells: their labels, or the edges of bins, and each configuration's cell (C,)."""

    name: str
    labels: tuple[str, ...]
    binned: bool
    cells: NDArray[np.int64]

    @property
    def count(self) -> int:
        """Number of cells."""
        return len(self.labels) - self.binned


def scale_of(name: str, values: Sequence[Any]) -> Scale:
    """Return the scale for a parameter that takes these values.

    Examples
    --------
    >>> scale_of("learning_rate", [0.1, 0.001, 0.01]).kind
    'log'
    >>> scale_of("activation", ["tanh", "relu", "tanh"]).values
    ('tanh', 'relu')
    """
    distinct = list({_key(value): value for value in values}.values())
    numbers = [value for value in distinct if _is_number(value)]
    if len(numbers) < len(distinct):
        return Scale(name, "places", (*sorted(numbers), *(v for v in distinct if not _is_number(v))))
    ordered = np.sort(np.array(numbers, np.float64))
    if _even_in_logarithm(ordered):
        return Scale(name, "log", tuple(sorted(numbers)))
    # Few numbers that are far from even, like 0, 0.0001 and 0.01, would lie on each other.
    crowded = len(ordered) <= FEW and _unevenness(ordered) > 0.3
    return Scale(name, "places" if crowded else "linear", tuple(sorted(numbers)))


def side_of(scale: Scale, values: Sequence[Any], *, alone: bool = False) -> Side:
    """Return the cells for a parameter's values: one per value, or bins where a number takes many.

    Many are more than a dozen, or, unless nothing but this parameter varies (`alone`), so many that most
    configurations have a value to themselves: what is drawn from a distribution. A cell for each would then show
    what the other parameters do.
    """
    scattered = not alone and len(scale.values) > FEW and 2 * len(scale.values) > len(values)
    if scale.kind == "places" or (len(scale.values) <= MOST_CELLS and not scattered):
        places = Scale(scale.name, "places", scale.values)
        labels = tuple(format_value(value) for value in scale.values)
        return Side(scale.name, labels, binned=False, cells=places.positions(values).astype(np.int64))
    positions = scale.positions(values)
    bins = int(np.clip(len(values) // IN_A_BIN, 2, BINS))
    edges = np.linspace(positions.min(), positions.max(), bins + 1)
    cells = np.clip(np.searchsorted(edges, positions, side="right") - 1, 0, bins - 1)
    shown = 10**edges if scale.kind == "log" else edges
    return Side(scale.name, tuple(_edge(value) for value in shown), binned=True, cells=cells)


def label_axis(axis: Axis, scale: Scale) -> None:
    """Give an axis of matplotlib, logarithmic for a "log" scale, the parameter's name and ticks."""
    from matplotlib.ticker import NullLocator

    places, texts = scale.ticks()
    if scale.kind == "log":
        places = 10**places
        axis.set_minor_locator(NullLocator())
    set_ticks(axis, places, texts)
    axis.set_label_text(wrapped(scale.name, NAME) + (" (log scale)" if scale.kind == "log" else ""))


def set_ticks(axis: Axis, places: NDArray[Any], texts: Sequence[str]) -> None:
    """Give an axis its ticks; on a horizontal one, tilt the texts where they would run into each other."""
    tilted = axis is axis.axes.xaxis and _collide(axis, places, texts)
    options: dict[str, Any] = {"rotation": 30, "ha": "right"} if tilted else {}
    axis.set_ticks(places, texts, **options)


def _collide(axis: Axis, places: NDArray[Any], texts: Sequence[str]) -> bool:
    axis.get_view_interval()  # has matplotlib bring the limits up to date
    points = np.column_stack([places, np.zeros(len(places))])
    inches = axis.axes.get_xaxis_transform().transform(points)[:, 0] / axis.axes.figure.dpi
    lengths = np.array([len(text) for text in texts])
    needed = CHARACTER * ((lengths[:-1] + lengths[1:]) / 2 + 1)
    return bool((np.diff(inches) < needed).any())


def _edge(value: float) -> str:
    return format_value(float(f"{value:.2g}"))


def _even_in_logarithm(ordered: NDArray[np.float64]) -> bool:
    if len(ordered) < 2 or ordered[0] <= 0 or ordered[-1] / ordered[0] < LOGARITHMIC_FROM:
        return False
    if len(ordered) == 2:
        return bool(ordered[-1] / ordered[0] >= 10)
    return _unevenness(np.log(ordered)) < _unevenness(ordered)


def _unevenness(ordered: NDArray[np.float64]) -> float:
    """Return the greatest distance (0-1) of ordered values from evenly spaced ones between the same ends."""
    if len(ordered) < 3:
        return 0.0
    shares = (ordered - ordered[0]) / (ordered[-1] - ordered[0])
    return float(np.abs(shares - np.linspace(0, 1, len(ordered))).max())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _key(value: Any) -> Any:
    """Return what tells values apart: 1 and True are equal to Python."""
    return (isinstance(value, bool | np.bool_), value)
