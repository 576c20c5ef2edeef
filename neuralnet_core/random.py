"""Counter-based randomness: every draw is a function of a seed and of what it is for, never of what was drawn before.

Raw words come from Philox4x64-10; uniform, normal, Fisher-Yates and the dropout hash on top are the project's own, so
that the draws are the same with every NumPy (which promises its raw streams, not its distributions).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .engine import _random
from .initializers import INITIALIZERS, Initializer
from .layout import Layout, ParameterSlot

__all__ = ["derive_seed", "dropout_keep", "dropout_threshold", "initial_values", "permutation", "raw_draws"]


def derive_seed(root: int, repeat: int, fold: int = 0) -> int:
    """Return the seed (63 bits) of a repeat and fold of a sweep.

    Examples
    --------
    >>> derive_seed(0, repeat=0) == derive_seed(0, repeat=0, fold=0) != derive_seed(0, repeat=1)
    True
    """
    return int(_random.derived_seed(root, repeat, fold))


def permutation(seed: int, epoch: int, n: int) -> NDArray[np.int64]:
    """Return the order in which epoch `epoch` (from 0) visits n rows.

    Examples
    --------
    >>> sorted(permutation(seed=1, epoch=0, n=5).tolist())
    [0, 1, 2, 3, 4]
    """
    order: NDArray[np.int64] = _random.permutation(seed, epoch, n)
    return order


def dropout_threshold(rate: float) -> int:
    """Return the 24-bit word below which a unit is dropped."""
    return round(rate * 2**24)


def dropout_keep(
    seed: int, layer: int, update: int, samples: int, units: int, rate: float
) -> NDArray[np.bool_]:
    """Return (samples, units): which units a Dropout layer keeps for each sample of a minibatch.

    `layer` is its position in the network, `update` counts the optimizer's updates from 0.

    Examples
    --------
    >>> dropout_keep(seed=0, layer=1, update=0, samples=2, units=3, rate=0.0).all()
    np.True_
    """
    words: NDArray[np.uint32] = _random.dropout_words(seed, layer, update, samples, units)
    return words >= dropout_threshold(rate)


def initial_values(layout: Layout, seed: int) -> NDArray[np.float64]:
    """Return the flat initial parameters of a layout in float64."""
    flat = np.zeros(layout.size)
    for slot in layout.parameters:
        initializer = slot.parameter.initializer
        if not isinstance(initializer, str):
            flat[slot.start : slot.stop] = initializer
        elif (row := INITIALIZERS[initializer]).distribution != "constant":
            _draw(flat[slot.start : slot.stop], slot, seed, row)
    return flat


def _draw(target: NDArray[np.float64], slot: ParameterSlot, seed: int, row: Initializer) -> None:
    parameter = slot.parameter
    outputs = parameter.shape[-1]
    inputs = len(target) // outputs
    drawn = raw_draws(seed, slot.layer, slot.ordinal, row.distribution == "normal", inputs, outputs)
    np.multiply(
        drawn[:inputs, :outputs],
        row.spread(parameter.fan_in, parameter.fan_out),
        out=target.reshape(inputs, outputs),
    )


class _Draws:
    """The raw draws of one weight: those of a narrow network are a corner of those of a wide one."""

    def __init__(self, seed: int, layer: int, parameter: int, normal: bool) -> None:
        self._key = (seed, layer, parameter)
        self._normal = normal
        self._drawn = np.empty((0, 0))

    def at_least(self, inputs: int, outputs: int) -> NDArray[np.float64]:
        drawn = self._drawn  # looked at once: another thread may put a wider one in its place
        if drawn.shape[0] < inputs or drawn.shape[1] < outputs:
            wide = max(drawn.shape[0], inputs), max(drawn.shape[1], outputs)
            drawn = self._drawn = _random.draws(*self._key, *wide, self._normal)
        return drawn


# Networks of one repeat share a seed, so neighbours in a sweep ask for the same draws.
_draws = lru_cache(maxsize=128)(_Draws)


def raw_draws(
    seed: int, layer: int, parameter: int, normal: bool, inputs: int, outputs: int
) -> NDArray[np.float64]:
    """Return the raw draws of a weight: (inputs, outputs), or more of both."""
    return _draws(seed, layer, parameter, normal).at_least(inputs, outputs)
