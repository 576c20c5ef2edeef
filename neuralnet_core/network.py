"""Network: the architecture as a frozen value, which can be built, initialised and trained."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike, NDArray

from .brief import shown
from .checks import check_dtype, check_integer, check_seed
from .layers import BuiltLayer, Dense, Dropout, Layer, Shape
from .layout import Layout, ParameterSlot
from .losses import get_loss
from .optimizers import Optimizer
from .random import initial_values

if TYPE_CHECKING:
    from .model import Model

__all__ = ["Network"]


@dataclass(frozen=True, repr=False)
class Network:
    """A stack of layers and a loss. A value: it holds no weights and can be hashed, compared and pickled.

    Parameters
    ----------
    layers : sequence of Layer
        The last one gives the raw outputs (logits for the cross-entropies).
    loss : str
        A name of `neuralnet_core.LOSSES`.

    Examples
    --------
    >>> network = Network([Dense(32, "relu"), Dense(10)], loss="softmax_cross_entropy")
    >>> print(network.build(64))
    input (64,)
    0 Dense(32, activation='relu') -> (32,), 2080 parameters
    1 Dense(10) -> (10,), 330 parameters
    2410 parameters in all
    """

    layers: tuple[Layer, ...]
    loss: str = field(default="mse")

    def __post_init__(self) -> None:
        if isinstance(self.layers, Layer) or not isinstance(self.layers, Sequence):
            raise TypeError(f"layers must be a sequence of layers, got {shown(self.layers)}")
        object.__setattr__(self, "layers", tuple(self.layers))
        for index, layer in enumerate(self.layers):
            if not isinstance(layer, Layer):
                raise TypeError(f"layers must be layers such as Dense(32); item {index} is {shown(layer)}")
        loss = get_loss(self.loss)
        match self.layers:
            case () | (*_, Dropout()):
                raise ValueError("a network must end with a layer that gives its outputs, such as Dense(1)")
            case (*_, Dense(activation="sigmoid")) if loss.kind == "binary":
                raise ValueError(
                    f"{self.loss} takes logits and applies the sigmoid itself: give the last layer "
                    "activation='identity', not 'sigmoid'"
                )

        # A sweep looks the same networks up again and again.
        object.__setattr__(self, "_hash", hash((self.layers, self.loss)))
        object.__setattr__(self, "_layouts", {})

    def __hash__(self) -> int:
        known: int = vars(self)["_hash"]
        return known

    def __reduce__(self) -> tuple[object, ...]:
        return Network, (self.layers, self.loss)  # a hash is of one process only

    def __repr__(self) -> str:
        return f"Network({list(self.layers)!r}, loss={self.loss!r})"

    def build(self, input_shape: int | Sequence[int]) -> Layout:
        """Return the layout for samples of `input_shape`; an error names the layer that does not fit.

        Raises
        ------
        ValueError
            If a layer does not take the shape that the layer before it gives.
        """
        layouts: dict[Shape, Layout] = self.__dict__["_layouts"]
        shape = check_shape(input_shape)
        layout = layouts.get(shape)
        if layout is None:
            layout = layouts[shape] = _build(self, shape)
        return layout

    def initialize(
        self, seed: int = 0, *, input_shape: int | Sequence[int], dtype: str = "float32"
    ) -> dict[str, NDArray[Any]]:
        """Return the initial parameters of a seed: ``"0.weight"`` (inputs, units), ``"0.bias"`` (units,) ...

        Every weight has a counter of its own (layer, parameter, in, out), so the raw draws of a narrow
        network are a corner of those of a wide one.

        Examples
        --------
        >>> network = Network([Dense(3), Dense(1)])
        >>> {name: value.shape for name, value in network.initialize(seed=0, input_shape=2).items()}
        {'0.weight': (2, 3), '0.bias': (3,), '1.weight': (3, 1), '1.bias': (1,)}
        """
        layout = self.build(input_shape)
        return layout.unflatten(initial_values(layout, check_seed(seed)).astype(check_dtype(dtype)))

    def train(
        self,
        X: ArrayLike,
        y: ArrayLike,
        optimizer: Optimizer,
        *,
        seed: int = 0,
        validation: tuple[ArrayLike, ArrayLike] | None = None,
        sample_weight: ArrayLike | None = None,
        initial: Mapping[str, ArrayLike] | None = None,
        dtype: str = "float32",
    ) -> Model:
        """Train this network alone; `train_many` with one network. See there for the arguments.

        Examples
        --------
        >>> from neuralnet_core import GradientDescent
        >>> model = Network([Dense(1)]).train([[0.0], [1.0]], [1.0, 3.0], GradientDescent(0.5, epochs=200))
        >>> model.predict([[2.0]]).round(3)
        array([5.], dtype=float32)
        """
        from .training import train_many

        return train_many(
            [self],
            [optimizer],
            X,
            y,
            seeds=[seed],
            validation=validation,
            sample_weight=sample_weight,
            initial=None if initial is None else [initial],
            dtype=dtype,
        )[0]

    def signature(self, input_shape: int | Sequence[int]) -> tuple[object, ...]:
        """Return what networks must have in common to be lanes of one pack.

        Widths, dropout rates and initializers may differ from lane to lane; the kinds of layers, activations,
        the loss and the shapes of input and output may not.
        """
        return self.build(input_shape).signature

    def room_for(self, other: Network) -> Network:
        """Return a network whose every layer is wide enough for both, of the same signature.

        Examples
        --------
        >>> narrow, wide = Network([Dense(3), Dense(1)]), Network([Dense(8), Dense(1)])
        >>> narrow.room_for(wide) == wide.room_for(narrow) == wide
        True
        """
        if other is self:
            return self
        pairs = list(zip(self.layers, other.layers, strict=True))
        wider = [mine.room_for(theirs) for mine, theirs in pairs]
        if all(layer is mine for layer, (mine, _) in zip(wider, pairs, strict=True)):
            return self
        return Network(tuple(wider), self.loss)


@lru_cache(maxsize=4096)
def _build(network: Network, shape: Shape) -> Layout:
    input_shape = shape
    built_layers: list[BuiltLayer] = []
    slots: list[ParameterSlot] = []
    offset = 0
    for index, layer in enumerate(network.layers):
        try:
            built = layer.build(shape)
        except ValueError as error:
            raise ValueError(f"layer {index}: {error}") from None
        for ordinal, parameter in enumerate(built.parameters):
            stop = offset + math.prod(parameter.shape)
            slots.append(ParameterSlot(f"{index}.{parameter.name}", offset, stop, parameter, index, ordinal))
            offset = stop
        built_layers.append(built)
        shape = built.output_shape
    signature = input_shape, shape, network.loss, *(layer.signature() for layer in network.layers)
    return Layout(input_shape, shape, tuple(built_layers), tuple(slots), offset, signature)


def check_shape(input_shape: int | Sequence[int]) -> Shape:
    """Return an input shape as a tuple; an int is the number of features."""
    # The common case first: this runs several times for each network of a sweep.
    if (
        type(input_shape) is tuple
        and len(input_shape) == 1
        and type(input_shape[0]) is int
        and input_shape[0] > 0
    ):
        return input_shape
    sizes = input_shape if isinstance(input_shape, Sequence) else (input_shape,)
    return tuple(check_integer("input_shape", size, at_least=1) for size in sizes)
