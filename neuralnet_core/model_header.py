"""The header of a model's file: all of a model but its arrays, as JSON that is checked before it is believed."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any

from .checks import check_choice, check_dtype, check_integer, check_seed
from .layers import Shape
from .layout import Layout
from .losses import get_loss
from .model import Model
from .network import Network, check_shape
from .optimizers import Optimizer
from .serialize import from_dict, parse_json, to_dict

__all__ = ["MAX_JSON", "Header", "read_header"]

FORMAT = {"format": "neuralnet_core.Model", "version": 1}
STATES = ("done", "diverged")
MAX_JSON = 1 << 20  # bytes


@dataclass(frozen=True)
class Header:
    """All of a model but its arrays, and which arrays there are: `history` names those with a value per epoch.

    Making one checks that its parts fit one another.
    """

    network: Network
    optimizer: Optimizer
    seed: int
    dtype: str
    input_shape: Shape
    state: str
    epoch: int
    classes: tuple[str, ...] | None
    history: tuple[str, ...]
    epochs_trained: int

    def __post_init__(self) -> None:
        if not isinstance(self.network, Network) or not isinstance(self.optimizer, Optimizer):
            raise TypeError(
                f"a model has a network and an optimizer, got {self.network!r}, {self.optimizer!r}"
            )
        check_seed(self.seed)
        check_dtype(self.dtype)
        check_shape(self.input_shape)
        check_choice("state", self.state, STATES)
        self._check_epochs()
        self._check_history()
        self._check_classes()

    def _check_epochs(self) -> None:
        check_integer("epochs_trained", self.epochs_trained, at_least=1)
        check_integer("epoch", self.epoch, at_least=1)
        last = self.optimizer.epochs
        if self.epochs_trained > last:
            raise ValueError(
                f"epochs_trained must be at most the optimizer's {last}, got {self.epochs_trained}"
            )
        if self.epoch > self.epochs_trained or (
            self.state == "diverged" and self.epoch != self.epochs_trained
        ):
            raise ValueError(f"epoch {self.epoch} does not fit {self.epochs_trained} epochs, {self.state}")

    def _check_history(self) -> None:
        validated = ("train_loss", "validation_loss", f"validation_{get_loss(self.network.loss).metric}")
        if self.history not in (validated[:1], validated):
            raise ValueError(f"history must be train_loss, or {', '.join(validated)}; got {self.history!r}")

    def _check_classes(self) -> None:
        if self.classes is None:
            return
        outputs = self.layout.output_shape
        allowed = {"regression": None, "binary": 2 if outputs == (1,) else None, "classes": outputs[0]}
        if len(self.classes) != allowed[get_loss(self.network.loss).kind]:
            raise ValueError(
                f"{len(self.classes)} classes do not fit {self.network.loss} with {outputs} outputs"
            )
        if not all(isinstance(label, str) for label in self.classes) or len(set(self.classes)) != len(
            self.classes
        ):
            raise ValueError("classes must be different strings")

    @property
    def layout(self) -> Layout:
        """The network built for its inputs: names and shapes of the parameters."""
        return self.network.build(self.input_shape)

    @classmethod
    def of(cls, model: Model) -> Header:
        """Return the header of a model."""
        shared = {field.name for field in fields(cls)} & {field.name for field in fields(model)}
        return cls(
            **{name: getattr(model, name) for name in shared},
            history=tuple(model.history_arrays),
            epochs_trained=len(model.history_arrays.get("train_loss", ())),
        )

    def json(self) -> bytes:
        """Return the header as JSON in UTF-8."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        plain |= {"network": to_dict(self.network), "optimizer": to_dict(self.optimizer)}
        content = json.dumps(FORMAT | plain).encode()
        if len(content) > MAX_JSON:
            raise ValueError(
                f"a model's header may have {MAX_JSON} bytes, this one would have {len(content)}"
            )
        return content


def read_header(content: bytes) -> Header:
    """Return the header that JSON of at most MAX_JSON bytes describes, or raise ValueError or TypeError."""
    plain = parse_json(content.decode())
    names = [field.name for field in fields(Header)]
    if not isinstance(plain, dict) or any(plain.get(name) != value for name, value in FORMAT.items()):
        raise ValueError(
            f"its header must say {json.dumps(FORMAT)}; it is of another kind or of a newer version"
        )
    if set(plain) != {*FORMAT, *names}:
        raise ValueError(f"its header must have the fields {', '.join(names)}")
    plain |= {name: from_dict(plain[name]) for name in ("network", "optimizer")}
    plain |= {name: _as_tuple(name, plain[name]) for name in ("input_shape", "history")}
    if plain["classes"] is not None:
        plain["classes"] = _as_tuple("classes", plain["classes"])
    return Header(**{name: plain[name] for name in names})


def _as_tuple(name: str, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{name} must be a list, got {value!r}")
    return tuple(value)
