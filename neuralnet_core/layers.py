"""Layers: frozen values that say what a layer is. A layer is built for its input shape before it is used."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

from .activations import get_activation
from .brief import brief
from .checks import check_count, check_flag, check_number
from .initializers import check_initializer

__all__ = ["BuiltLayer", "Dense", "Dropout", "Layer", "Parameter", "Shape"]

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Parameter:
    """One array that a built layer trains.

    `initializer` is a name of `INITIALIZERS` or a number (every entry starts at it). `penalized` says
    whether l1, l2 and weight decay apply to it.
    """

    name: str
    shape: Shape
    initializer: str | float
    fan_in: int
    fan_out: int
    penalized: bool

    @property
    def size(self) -> int:
        """The number of entries."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class BuiltLayer:
    """A layer together with the shapes and parameters that its input shape gives it."""

    layer: Layer
    input_shape: Shape
    output_shape: Shape
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True, repr=False)
class Layer(ABC):
    """What every layer has in common: it can be built for an input shape (of one sample)."""

    def __repr__(self) -> str:
        return brief(self)

    @abstractmethod
    def build(self, input_shape: Shape) -> BuiltLayer:
        """Return the built layer, or raise ValueError where the shape does not fit."""

    @abstractmethod
    def signature(self) -> tuple[object, ...]:
        """Return what must be equal in layers that train as lanes of one pack."""

    def room_for(self, other: Layer) -> Layer:  # noqa: ARG002
        """Return a layer wide enough for both, of the same signature; a pack pads its lanes to it."""
        return self


@dataclass(frozen=True, repr=False)
class Dense(Layer):
    """A fully connected layer: ``activation(X @ weight + bias)``.

    Parameters
    ----------
    units : int
        The number of outputs.
    activation : str
        A name of `neuralnet_core.ACTIVATIONS`.
    bias : bool
        Whether a bias is added; it starts at zero.
    initializer : str or float, optional
        How the weights start: a name of `neuralnet_core.INITIALIZERS`, or one number for all of them.
        By default ``he_normal`` for the relu family, ``lecun_normal`` for selu, ``glorot_uniform`` otherwise.

    Examples
    --------
    >>> built = Dense(32, "relu").build((64,))
    >>> built.output_shape
    (32,)
    >>> [(parameter.name, parameter.shape) for parameter in built.parameters]
    [('weight', (64, 32)), ('bias', (32,))]
    """

    units: int
    activation: str = "identity"
    bias: bool = True
    initializer: str | float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", check_count("units", self.units))
        activation = get_activation(self.activation)
        check_flag("bias", self.bias)
        initializer = activation.initializer if self.initializer is None else self.initializer
        object.__setattr__(self, "initializer", check_initializer(initializer))

    def __repr__(self) -> str:
        return brief(self, initializer=get_activation(self.activation).initializer)

    def build(self, input_shape: Shape) -> BuiltLayer:
        """Return the layer built for flat inputs of shape ``(inputs,)``."""
        if len(input_shape) != 1:
            raise ValueError(f"Dense takes inputs of shape (inputs,), got {input_shape}")
        assert self.initializer is not None
        fans = (input_shape[0], self.units)
        weight = Parameter("weight", fans, self.initializer, *fans, penalized=True)
        bias = Parameter("bias", (self.units,), 0.0, *fans, penalized=False)
        return BuiltLayer(self, input_shape, (self.units,), (weight, bias) if self.bias else (weight,))

    def signature(self) -> tuple[object, ...]:
        """Return activation and bias; units and initializers may differ from lane to lane."""
        return ("dense", self.activation, self.bias)

    def room_for(self, other: Layer) -> Layer:
        """Return the wider of two dense layers."""
        return other if isinstance(other, Dense) and other.units > self.units else self


@dataclass(frozen=True, repr=False)
class Dropout(Layer):
    """Set each input to zero with probability `rate` in training and scale the rest by ``1 / (1 - rate)``.

    "Inverted" dropout (Srivastava et al., 2014): prediction uses the inputs as they are.

    Examples
    --------
    >>> Dropout(0.5).build((32,)).output_shape
    (32,)
    """

    rate: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate", check_number("rate", self.rate, at_least=0, below=1))

    def build(self, input_shape: Shape) -> BuiltLayer:
        """Return the layer built for inputs of any shape, which it keeps."""
        return BuiltLayer(self, input_shape, input_shape, ())

    def signature(self) -> tuple[object, ...]:
        """Return the kind alone; rates may differ from lane to lane."""
        return ("dropout",)
