"""The ways to train a pack: what the lanes of a register are, in which compiled module. All give the same bits."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

__all__ = ["CHUNK", "MODES", "SLICED", "SLICES", "Mode", "Way"]

# What the lanes of a register are: networks of a pack, slices of one network's samples, or its units.
Mode = Literal["networks", "slices", "units"]
MODES: tuple[Mode, ...] = get_args(Mode)

SLICES, SLICED = 8, 256  # a sum over more than SLICED samples is one of SLICES sums

# Samples worked through at a time, so that their activations stay in cache: those of one network are small.
CHUNK: dict[Mode, int] = {"networks": 32, "slices": 32, "units": 128}


class Way(NamedTuple):
    """How a pack trains: what its lanes are, and in the module of which instruction set.

    Examples
    --------
    >>> Way("units", "v3").mode
    'units'
    """

    mode: Mode
    instruction_set: str
