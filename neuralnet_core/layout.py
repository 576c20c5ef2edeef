"""The layout of a built network: a shape per layer, and the place of every parameter in one flat vector."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .brief import shown
from .layers import BuiltLayer, Parameter, Shape

if TYPE_CHECKING:
    from .encoding import NetworkCodes

__all__ = ["Layout", "ParameterSlot", "heading_of"]


@dataclass(frozen=True)
class ParameterSlot:
    """Where one parameter lives in the flat vector of all: entries ``start:stop``, in C order."""

    name: str
    start: int
    stop: int
    parameter: Parameter
    layer: int
    ordinal: int

    @property
    def shape(self) -> Shape:
        """The shape of the parameter."""
        return self.parameter.shape


@dataclass(frozen=True)
class Layout:
    """A network built for an input shape: the shape per layer and the place of every parameter.

    `signature` is what networks must have in common to be lanes of one pack.
    """

    input_shape: Shape
    output_shape: Shape
    layers: tuple[BuiltLayer, ...]
    parameters: tuple[ParameterSlot, ...]
    size: int
    signature: tuple[object, ...]

    def __str__(self) -> str:
        """Return a table with a line per layer."""
        lines = [f"input {self.input_shape}"]
        for index, built in enumerate(self.layers):
            count = sum(parameter.size for parameter in built.parameters)
            lines.append(f"{index} {built.layer} -> {built.output_shape}, {count} parameters")
        return "\n".join([*lines, f"{self.size} parameters in all"])

    def arrays(self, parameters: Mapping[str, ArrayLike]) -> dict[str, NDArray[Any]]:
        """Return parameters as arrays, in the layout's order, or raise ValueError naming what does not fit."""
        names = [slot.name for slot in self.parameters]
        if not isinstance(parameters, Mapping):
            raise TypeError(f"parameters must be a dict of arrays by name, got {shown(parameters)}")
        if set(parameters) != set(names):
            got = shown(list(parameters)) if parameters else "none"
            raise ValueError(f"parameters must be named {', '.join(names)}; got {got}")
        arrays = {slot.name: _numbers(parameters[slot.name], slot) for slot in self.parameters}
        for slot in self.parameters:
            if arrays[slot.name].shape != slot.shape:
                raise ValueError(
                    f"parameter {slot.name} must have shape {slot.shape}, got {arrays[slot.name].shape}"
                )
        return arrays

    def flatten(self, parameters: Mapping[str, ArrayLike], dtype: str) -> NDArray[Any]:
        """Return the parameters as one flat vector, or raise ValueError naming what does not fit."""
        flat = np.empty(self.size, dtype)
        for slot, value in zip(self.parameters, self.arrays(parameters).values(), strict=True):
            flat[slot.start : slot.stop] = value.reshape(-1)
        return flat

    def unflatten(self, flat: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return the parameters of a flat vector by name; each is a view of it."""
        return {
            name: flat[start:stop] if len(shape) == 1 else flat[start:stop].reshape(shape)
            for name, start, stop, shape in self._places
        }

    def headings(self, dtype: str) -> list[tuple[bytes, int, int]]:
        """Return the parameters in the order of a digest: what stands before each, and its place in a flat vector."""
        if dtype not in self._headings:
            self._headings[dtype] = [
                (heading_of(name, shape, dtype), start, stop)
                for name, start, stop, shape in sorted(self._places)
            ]
        return self._headings[dtype]

    @cached_property
    def _headings(self) -> dict[str, list[tuple[bytes, int, int]]]:
        return {}

    @cached_property
    def codes(self) -> NetworkCodes:
        """The network as the engine reads it."""
        from .encoding import network_codes

        return network_codes(self)

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """How many numbers each layer gives for a sample."""
        return tuple(math.prod(built.output_shape) for built in self.layers)

    @cached_property
    def _places(self) -> list[tuple[str, int, int, Shape]]:
        return [(slot.name, slot.start, slot.stop, slot.shape) for slot in self.parameters]


def heading_of(name: str, shape: Shape, dtype: str) -> bytes:
    """Return what stands before a parameter's bytes in the digest of a model."""
    return f"{name} {shape} {dtype};".encode()


def _numbers(given: ArrayLike, slot: ParameterSlot) -> NDArray[Any]:
    with suppress(ValueError):  # of rows of unequal length, or lists nested without end
        value = np.asarray(given)
        if value.dtype.kind in "biuf":
            return value
    raise ValueError(f"parameter {slot.name} must be numbers of shape {slot.shape}, got {shown(given)}")
