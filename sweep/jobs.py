"""A trial is (configuration, repeat, fold); here are its identity, its record, and the building of configurations."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuralnet_core import NUMERICS_VERSION, Network, Optimizer, canonical_json

from .splits import RowSplit
from .values import encode_params

__all__ = ["STATES", "Configuration", "Job", "Record", "Trial", "trial_identity"]

STATES = ("done", "diverged", "failed", "timeout", "quarantined", "cancelled")

Build = Callable[..., tuple[Network, Optimizer]]


@dataclass(frozen=True, slots=True)
class Trial:
    """One training of one configuration: its place in the sweep, and the identity its record goes by."""

    trial: int
    configuration: int
    repeat: int
    fold: int
    seed: int
    params: Mapping[str, Any]
    identity: str


@dataclass(frozen=True, slots=True)
class Record:
    """What came of one training. The clock's fields are last; they are outside every equality promise.

    `metrics` are those of `epoch` (the last one, or the restored one; for a diverged network the epoch in
    which it diverged); `curves` hold every epoch's. `digest` is that of the parameters, None without any.
    """

    identity: str
    state: str
    epoch: int
    metrics: Mapping[str, float]
    curves: Mapping[str, NDArray[np.floating[Any]]]
    error: str | None
    digest: str | None
    started: float
    seconds: float
    worker: str


class Job(NamedTuple):
    """One network to train: what an engine needs to know. `setting` numbers the distinct built values."""

    network: Network
    optimizer: Optimizer
    seed: int
    split: RowSplit
    setting: int
    identity: str
    initial: Mapping[str, ArrayLike] | None = None


@dataclass(frozen=True, slots=True)
class Configuration:
    """Parameters and what `build` made of them: a network and an optimizer, or the text of an error.

    `key` is equal for configurations that build equal values.
    """

    number: int
    params: Mapping[str, Any]
    network: Network | None
    optimizer: Optimizer | None
    error: str | None
    key: str


def configurations(
    build: Build, space: Iterable[dict[str, Any]], input_shape: tuple[int, ...], dtype: str
) -> list[Configuration]:
    """Return the built configurations of a space; one whose `build` raises, or does not fit, holds its error."""
    return [_configuration(build, number, params, input_shape, dtype) for number, params in enumerate(space)]


def _configuration(
    build: Build, number: int, params: dict[str, Any], input_shape: tuple[int, ...], dtype: str
) -> Configuration:
    try:
        network, optimizer = _checked(build(**params))
        network.build(input_shape)
        return Configuration(number, params, network, optimizer, None, built_key(network, optimizer, dtype))
    except Exception as error:  # whatever the user's function raises is that configuration's result
        text = error_text(error)
        key = f"failed\n{encode_params(params)}\n{text}"
        return Configuration(number, params, None, None, text, key)


def _checked(built: object) -> tuple[Network, Optimizer]:
    match built:
        case (Network() as network, Optimizer() as optimizer):
            return network, optimizer
    raise TypeError(f"build must return (network, optimizer), got {built!r}")


def error_text(error: BaseException) -> str:
    """Return an exception as one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def built_key(network: Network, optimizer: Optimizer, dtype: str) -> str:
    """Return the text that stands for a built value: canonical JSON, never parameters, names or code."""
    return f"{NUMERICS_VERSION}\n{dtype}\n{canonical_json(network)}\n{canonical_json(optimizer)}"


def identity_of(key_hash: Any, seed: int, data_digest: str, rows_digest: str) -> str:
    """Return a trial's identity from the sha256 object of its key, which serves every repeat."""
    identity = key_hash.copy()
    identity.update(f"\n{seed}\n{data_digest}\n{rows_digest}".encode())
    text: str = identity.hexdigest()
    return text


def trial_identity(
    network: Network, optimizer: Optimizer, dtype: str, seed: int, data_digest: str, rows_digest: str
) -> str:
    """Return the identity of a trial: sha256 of everything that its trained bits are a function of.

    That is the built value in canonical JSON, the dtype, the seed, the data, the rows used, and the engine's
    NUMERICS_VERSION. Parameters' names, `build` and its code are no part of it.

    Examples
    --------
    >>> from neuralnet_core import Adam, Dense
    >>> network = Network([Dense(1)], loss="mse")
    >>> one = trial_identity(network, Adam(0.01), "float32", 7, "data", "rows")
    >>> one == trial_identity(network, Adam(1e-2), "float32", 7, "data", "rows")
    True
    >>> one == trial_identity(network, Adam(0.01), "float32", 8, "data", "rows")
    False
    """
    key_hash = hashlib.sha256(built_key(network, optimizer, dtype).encode())
    return identity_of(key_hash, seed, data_digest, rows_digest)
