"""Counter-based randomness: every draw is a function of a seed and of what it is for, never of what was drawn before.

Raw words come from Philox4x64-10; uniform, normal, Fisher-Yates and the dropout hash on top are the project's own, so
that the draws are the same with every NumPy (which promises its raw streams, not its distributions).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .engine import _random
from .initializers import INITIALIZERS
from .layout import Layout, ParameterSlot

__all__ = ["derive_seed", "dropout_keep", "dropout_threshold", "initial_values", "permutation"]


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
    flat = np.empty(layout.size)
    for slot in layout.parameters:
        flat[slot.start : slot.stop] = _initial(slot, seed).reshape(-1)
    return flat


def _initial(slot: ParameterSlot, seed: int) -> NDArray[Any]:
    parameter = slot.parameter
    if not isinstance(parameter.initializer, str):
        return np.full(parameter.shape, parameter.initializer)
    row = INITIALIZERS[parameter.initializer]
    if row.distribution == "constant":
        return np.zeros(parameter.shape)
    outputs = parameter.shape[-1]
    normal = row.distribution == "normal"
    draws = _draws(seed, slot.layer, slot.ordinal, parameter.size // outputs, outputs, normal)
    return draws * row.spread(parameter.fan_in, parameter.fan_out)


# Networks of one repeat share a seed, so neighbours in a sweep ask for the same draws.
@lru_cache(maxsize=128)
def _draws(
    seed: int, layer: int, parameter: int, inputs: int, outputs: int, normal: bool
) -> NDArray[np.float64]:
    draws: NDArray[np.float64] = _random.draws(seed, layer, parameter, inputs, outputs, normal)
    draws.flags.writeable = False
    return draws
