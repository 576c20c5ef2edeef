"""Choose the compiled modules for this processor. The only place that reads the environment."""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from functools import cache
from types import ModuleType

from . import _cpu
from ._cpu import StrictFloats

__all__ = [
    "INSTRUCTION_SET_VARIABLE",
    "NUMERICS_VERSION",
    "EngineInfo",
    "StrictFloats",
    "engine_info",
    "instruction_sets",
    "kernel",
    "supported_sets",
]

INSTRUCTION_SET_VARIABLE = "NEURALNET_INSTRUCTION_SET"

# The bits of a trained network are a function of its configuration and of this number: it changes when they do.
NUMERICS_VERSION = 6


@dataclass(frozen=True)
class EngineInfo:
    """Which engine trains here: the instruction set chosen, networks per register, and what built it.

    Examples
    --------
    >>> engine_info().numerics_version
    6
    """

    instruction_set: str
    lanes: dict[str, int]
    numerics_version: int
    fma: bool
    compiler: str


def _instruction_set() -> str:
    supported = _cpu.supported()
    wanted = os.environ.get(INSTRUCTION_SET_VARIABLE, supported[-1])
    if wanted not in supported:
        raise ValueError(
            f"{INSTRUCTION_SET_VARIABLE} must be one of {', '.join(supported)} on this processor, got {wanted!r}"
        )
    return wanted


@cache
def kernel(dtype: str, instruction_set: str | None = None) -> ModuleType:
    """Return the compiled module for a float width: of an instruction set, by default of the one chosen here."""
    name = instruction_set or _instruction_set()
    return importlib.import_module(f".engine._{name}_{dtype}", "neuralnet_core")


def supported_sets() -> tuple[str, ...]:
    """Return all instruction sets that this processor runs."""
    return tuple(_cpu.supported())


@cache
def instruction_sets() -> tuple[str, ...]:
    """Return those that trainings may use side by side, the chosen one first; one that was asked for is alone.

    Half a wide register costs more than all of a narrow one: few networks, or a narrow one alone, are faster in
    v4narrow, which has as many registers, of half the width.
    """
    chosen = _instruction_set()
    return ("v4", "v4narrow") if chosen == "v4" and INSTRUCTION_SET_VARIABLE not in os.environ else (chosen,)


def engine_info() -> EngineInfo:
    """Return which engine was chosen on this machine.

    Examples
    --------
    >>> engine_info().lanes["float32"] in (8, 16)
    True
    """
    lanes = {dtype: kernel(dtype).lanes for dtype in ("float32", "float64")}
    return EngineInfo(_instruction_set(), lanes, NUMERICS_VERSION, _cpu.has_fma(), _cpu.compiler())
