"""What train_many was asked for: networks with their rows, and the data, checked and encoded once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .brief import shown
from .checks import check_seed
from .data import check_features, check_pair, check_rows, check_same_length, converted
from .lanes import Lane, Setting
from .layers import Shape
from .losses import get_loss
from .network import Network
from .optimizers import Optimizer
from .plans import PackData
from .targets import Targets, encode_targets

__all__ = ["Batch", "Task", "broadcast", "check_initial", "data_key"]


def broadcast(
    networks: Any,
    optimizers: Any,
    seeds: Any,
    rows: Any = None,
    validation_rows: Any = None,
    initial: Any = None,
) -> dict[str, list[Any]]:
    """Return a list for each argument, all of one length; what is single serves all networks.

    Raises
    ------
    ValueError, TypeError
        If their numbers do not agree, or if something else is given as a network, optimizer or seed.

    Examples
    --------
    >>> from neuralnet_core import Adam, Dense
    >>> columns = broadcast(Network([Dense(1)]), Adam(), range(3), rows=[0, 1])
    >>> columns["seeds"], columns["rows"]
    ([0, 1, 2], [[0, 1], [0, 1], [0, 1]])
    """
    given = {
        "networks": [networks] if _is_single(networks) else list(networks),
        "optimizers": [optimizers] if _is_single(optimizers) else list(optimizers),
        "seeds": [check_seed(seed) for seed in ([seeds] if _is_single(seeds) else seeds)],
        "rows": _lists_of_rows(rows),
        "validation_rows": _lists_of_rows(validation_rows),
        "initial": [initial] if isinstance(initial, Mapping) or _is_single(initial) else list(initial),
    }
    for network in given["networks"]:
        if not isinstance(network, Network):
            raise TypeError(f"networks must be Network values, got {shown(network)}")
    for optimizer in given["optimizers"]:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"optimizers must be values such as Adam(1e-3), got {shown(optimizer)}")
    for values in given["initial"]:
        if values is not None and not isinstance(values, Mapping):
            raise TypeError(
                f"initial must be a dict of arrays, a list of such dicts or None, got {shown(initial)}"
            )
    several = {name: len(values) for name, values in given.items() if len(values) != 1}
    if len(set(several.values())) > 1:
        counts = ", ".join(f"{count} {name}" for name, count in several.items())
        raise ValueError(f"networks, optimizers, seeds ... must be equal in number, or single; got {counts}")
    count = next(iter(several.values()), 1)
    return {name: values * count if len(values) == 1 else values for name, values in given.items()}


def _is_single(value: Any) -> bool:
    """Return whether this is one value for all networks, not a list of some; an array without dimensions is one."""
    return not isinstance(value, Iterable) or isinstance(value, str | bytes) or getattr(value, "ndim", 1) == 0


def _lists_of_rows(rows: Any) -> list[Any]:
    """Return lists of rows, or a list of the one that serves all networks; an iterator is gone through once."""
    if isinstance(rows, Iterator):
        rows = list(rows)
    return [rows] if _is_one_list(rows) else list(rows)


def _is_one_list(rows: Any) -> bool:
    """Return whether this is one list of rows (or None) for all networks, not a list of such lists."""
    if _is_single(rows) or isinstance(rows, np.ndarray):
        return getattr(rows, "ndim", 0) < 2
    first = next(iter(rows), 0)
    return first is not None and _is_single(first)


@dataclass(frozen=True)
class Batch:
    """The arguments of train_many that are one per network, broadcast to equal length."""

    networks: Sequence[Network]
    optimizers: Sequence[Optimizer]
    seeds: Sequence[int]
    rows: Sequence[Any]
    validation_rows: Sequence[Any]
    initial: Sequence[Any]

    @classmethod
    def of(cls, *arguments: Any) -> Batch:
        """Return the arguments, as `broadcast` takes them."""
        return cls(**broadcast(*arguments))

    def lanes(
        self, n: int, input_shape: Shape, held_out: NDArray[np.int64] | None
    ) -> tuple[list[Lane], list[Setting]]:
        """Return a lane per network, and their settings: equal networks of one optimizer and the same rows share one.

        `held_out` are the rows of the validation data that serve all networks, if there are such data.
        """
        if held_out is not None and any(rows is not None for rows in self.validation_rows):
            raise ValueError("give validation or validation_rows, not both")
        trained, validated = _Rows("rows", n, np.arange(n)), _Rows("validation_rows", n, held_out)
        known: dict[tuple[int, ...], Setting] = {}
        lanes = []
        everything = (
            self.networks, self.optimizers, self.seeds, self.rows, self.validation_rows, self.initial
        )  # fmt: skip
        for network, optimizer, seed, rows, validation_rows, initial in zip(*everything, strict=True):
            key = id(network.build(input_shape)), id(optimizer), id(rows), id(validation_rows)
            setting = known.get(key)
            if setting is None:
                own, held = trained.checked(rows), validated.checked(validation_rows)
                assert own is not None
                setting = known[key] = Setting(network, optimizer, input_shape, own, held)
            lanes.append(Lane(setting, seed, initial))
        return lanes, list(known.values())


class _Rows:
    """Rows of networks, each array of them checked once: equal rows become one array, which packs recognise."""

    def __init__(self, name: str, n: int, usual: NDArray[np.int64] | None) -> None:
        self._name, self._n, self._usual = name, n, usual
        self._known: dict[int, NDArray[np.int64]] = {}

    def checked(self, rows: Any) -> NDArray[np.int64] | None:
        """Return the rows, or the usual ones."""
        if rows is None:
            return self._usual
        if id(rows) not in self._known:
            self._known[id(rows)] = check_rows(rows, self._n, self._name)
        return self._known[id(rows)]


class Task:
    """The data of one train_many call, with targets encoded once per loss and number of outputs."""

    def __init__(
        self,
        features: NDArray[Any],
        y: ArrayLike,
        weights: NDArray[np.float64] | None,
        validation: tuple[ArrayLike, ArrayLike] | None,
        dtype: str,
    ) -> None:
        self.features = features
        self.y = y
        self.weights = weights
        self.dtype = dtype
        self.input_shape: Shape = features.shape[1:]
        self.validation_features: NDArray[Any] | None = None
        self.validation_y: ArrayLike | None = None
        check_pair(validation)
        if validation is not None:
            self.validation_features = check_features(validation[0], dtype, name="validation X")
            if self.validation_features.shape[1:] != self.input_shape:
                raise ValueError(
                    f"validation X must have samples of shape {self.input_shape} like X, "
                    f"got {self.validation_features.shape[1:]}"
                )
            check_same_length(validation_X=self.validation_features, validation_y=validation[1])
            self.validation_y = validation[1]
        held_out = self.validation_features
        self.validation_rows = None if held_out is None else np.arange(len(held_out))
        # A minibatch of weight 0 makes no update: networks of other orders might skip one another's.
        self.skips_minibatches = weights is not None and not weights.all()
        self._encoded: dict[tuple[str, int], tuple[PackData, Targets]] = {}

    def data_for(self, setting: Setting) -> tuple[PackData, Targets]:
        """Return the data with targets as the network's loss takes them."""
        key = data_key(setting)
        if key not in self._encoded:
            self._encoded[key] = self._encode(*key)
        return self._encoded[key]

    def _encode(self, name: str, outputs: int) -> tuple[PackData, Targets]:
        loss = get_loss(name)
        targets = encode_targets(self.y, loss, outputs, self.dtype, exact=True)
        held_out = None
        if self.validation_y is not None:
            classes = targets.classes or ()
            held_out = encode_targets(
                self.validation_y, loss, outputs, self.dtype, classes=classes, name="validation y"
            ).values
        data = PackData(self.features, targets.values, self.weights, self.validation_features, held_out)
        return data, targets

    def check(self, settings: Iterable[Setting]) -> None:
        """Raise for a setting that cannot be trained on this data."""
        weighed: set[int] = set()
        encoded: set[int] = set()
        for setting in settings:
            if self.weights is not None and id(setting.rows) not in weighed:
                weighed.add(id(setting.rows))
                if not self.weights[setting.rows].any():
                    raise ValueError("sample_weight must not be 0 for all rows that a network is trained on")
            if id(setting.layout) not in encoded:
                encoded.add(id(setting.layout))
                self.data_for(setting)
            if setting.optimizer.early_stopping is not None:
                _check_early_stopping(setting, setting.optimizer.early_stopping.monitor)


def check_initial(lanes: Iterable[Lane], dtype: str) -> None:
    """Raise unless the parameters that networks start from fit them and are finite; each dict is looked at once."""
    given = {
        id(initial): (setting.layout, initial) for setting, _, initial, _ in lanes if initial is not None
    }
    for layout, initial in given.values():
        for name, value in layout.arrays(initial).items():
            converted(value, dtype, f"parameter {name}")


def data_key(setting: Setting) -> tuple[str, int]:
    """Return what networks that read the same data have in common: the loss and the number of outputs."""
    return setting.network.loss, setting.layout.output_shape[0]


def _check_early_stopping(setting: Setting, monitor: str) -> None:
    if monitor == "train_loss":
        return
    if setting.validation_rows is None:
        raise ValueError(f"early stopping on {monitor} needs validation data; give validation=(X, y)")
    metric = get_loss(setting.network.loss).metric
    if monitor not in ("validation_loss", f"validation_{metric}"):
        raise ValueError(
            f"early stopping with the loss {setting.network.loss} can monitor validation_loss or "
            f"validation_{metric}, got {shown(monitor)}"
        )
