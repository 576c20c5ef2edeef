"""A trial is (configuration, repeat, fold); here are its identity, its record, and the building of configurations."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuralnet_core import NUMERICS_VERSION, Network, Optimizer, canonical_json, shown

from .errors import UserError, unknown
from .labels import shorten
from .space import Space
from .splits import RowSplit
from .values import encode_params

__all__ = [
    "FAILURES",
    "RESULTS",
    "STATES",
    "Configuration",
    "Curves",
    "FunctionJob",
    "Job",
    "Record",
    "Trial",
    "built_key",
    "check_parameters",
    "failed_key",
    "trial_identity",
]

# The states of a record. A diverged trial is a result: it says that this configuration does not train. A record in
# any other state ("cancelled", or a failure) gives way to a result.
RESULTS = ("done", "diverged")
FAILURES = ("failed", "timeout", "quarantined")
STATES = (*RESULTS, *FAILURES, "cancelled")

LONGEST_ERROR = 2000  # characters; what is longer loses its middle

Build = Callable[..., tuple[Network, Optimizer]]


# Trials, records and jobs are named tuples: a sweep makes one of each for every training, and these are the quickest.


class Trial(NamedTuple):
    """One training of one configuration: its place in the sweep, and the identity its record goes by."""

    trial: int
    configuration: int
    repeat: int
    fold: int
    seed: int
    params: Mapping[str, Any]
    identity: str


class Record(NamedTuple):
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


class Curves(Mapping[str, NDArray[np.float32]]):
    """The learning curves of one training, as one array: a dict of arrays would take three times the memory.

    They are as a store gives them back: in order of name, in single precision.

    Examples
    --------
    >>> curves = Curves(["train_loss", "validation_loss"], np.array([[2.0, 1.0], [2.5, 1.5]]))
    >>> curves["validation_loss"]
    array([2.5, 1.5], dtype=float32)
    """

    __slots__ = ("_names", "_values")

    def __init__(self, names: Iterable[str], values: ArrayLike) -> None:
        names, values = tuple(names), np.asarray(values)
        if len(names) != len(values):
            raise ValueError(f"curves must be a row for each name, got {len(values)} rows for {shown(names)}")
        with np.errstate(over="ignore"):  # what is beyond single precision is inf
            self._hold(names, values.astype(np.float32))

    @classmethod
    def owning(cls, names: tuple[str, ...], values: NDArray[np.float32]) -> Curves:
        """Return curves whose values are this array, which nobody else holds: a row for each name."""
        curves = cls.__new__(cls)
        curves._hold(names, values)
        return curves

    def _hold(self, names: tuple[str, ...], values: NDArray[np.float32]) -> None:
        self._names, places = _in_order(names)
        self._values = values if places is None else values[places]

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        if name not in self._names:
            raise KeyError(name)
        values: NDArray[np.float32] = self._values[self._names.index(name)]
        return values

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def encoded(self) -> tuple[tuple[str, ...], bytes]:
        """Return the names, and the values of all, curve by curve, as bytes of little-endian single precision."""
        return self._names, self._values.astype("<f4", copy=False).tobytes()


@lru_cache(maxsize=256)
def _in_order(names: tuple[str, ...]) -> tuple[tuple[str, ...], list[int] | None]:
    """Return names in order, and where they stood; None if they were in order."""
    places = sorted(range(len(names)), key=names.__getitem__)
    return tuple(names[place] for place in places), None if places == sorted(places) else places


class Job(NamedTuple):
    """One network to train: what an engine needs to know. `setting` numbers the distinct built values."""

    network: Network
    optimizer: Optimizer
    seed: int
    split: RowSplit
    setting: int
    identity: str
    initial: Mapping[str, ArrayLike] | None = None


class FunctionJob(NamedTuple):
    """One call of a user's function: what it is given."""

    params: Mapping[str, Any]
    seed: int
    split: RowSplit
    identity: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """Parameters and what `build` made of them: a network and an optimizer, or the text of an error.

    `key` is the hash of the built value in canonical JSON, never of parameters, names or code. A user's function in
    place of `build` makes neither: there it is that of the function's name and the parameters. `texts` are network and
    optimizer in canonical JSON, for the store; equal networks share one text.
    """

    number: int
    params: Mapping[str, Any]
    network: Network | None
    optimizer: Optimizer | None
    error: str | None
    key: str
    texts: tuple[str, str] | None = field(default=None, compare=False)


def check_parameters(build: Build, space: Space) -> None:
    """Say in one line if the space gives `build` a parameter that it does not take, or does not give one that it needs.

    Examples
    --------
    >>> check_parameters(lambda hidden, rate=0.1: None, Space.of({"hiden": [8]}))
    Traceback (most recent call last):
    sweep.errors.UserError: space does not fit build: unknown parameter 'hiden'; did you mean hidden? (allowed: ...)
    """
    try:
        # What a decorator passes on is its own business: only what itself takes can be told.
        parameters = inspect.signature(build, follow_wrapped=False).parameters
    except (TypeError, ValueError):  # written in C: it says nothing about itself
        return
    kinds = inspect.Parameter
    named = {
        name: one.default is kinds.empty
        for name, one in parameters.items()
        if one.kind in (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY)
    }
    takes_all = any(one.kind is kinds.VAR_KEYWORD for one in parameters.values())
    for number, part in enumerate(space.parts):
        told = [
            unknown("parameter", name, named) for name in part.names if not takes_all and name not in named
        ]
        told += [
            f"no values for {name!r}; give it some, or give it a default in build"
            for name, needed in named.items()
            if needed and name not in part.names
        ]
        if told:
            place = f"space[{number}]" if len(space.parts) > 1 else "space"
            raise UserError(f"{place} does not fit build: {told[0]}")


def configurations(
    build: Build, space: Iterable[dict[str, Any]], input_shape: tuple[int, ...], dtype: str
) -> list[Configuration]:
    """Return the built configurations of a space; one whose `build` raises, or does not fit, holds its error."""
    known: dict[Network, tuple[Network, str]] = {}
    found = []
    for number, params in enumerate(space):
        try:
            network, optimizer = _checked(build(**own(params)))
            # Configurations with equal networks share one: less memory, and looked at once.
            if network not in known:
                network.build(input_shape)
                known[network] = network, canonical_json(network)
            network, text = known[network]
            texts = text, canonical_json(optimizer)
            key = _key(dtype, *texts)
            found.append(Configuration(number, params, network, optimizer, None, key, texts))
        except (Exception, SystemExit) as error:  # whatever the user's function raises is its result
            reason = error_text(error)
            key = failed_key(encode_params(params), reason)
            found.append(Configuration(number, params, None, None, reason, key))
    return found


def own(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters that a user's function may change: the space's lists serve other configurations too."""
    try:
        return deepcopy(dict(params))
    except Exception:  # not everything can be copied: a module, a lock
        return dict(params)


def _checked(built: object) -> tuple[Network, Optimizer]:
    match built:
        case (Network() as network, Optimizer() as optimizer):
            return network, optimizer
    raise TypeError(f"build must return (network, optimizer), got {shown(built)}")


def error_text(error: BaseException) -> str:
    """Return an exception as one line that a store can hold: of bounded length, its lone surrogates escaped."""
    try:
        line = " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")
    except Exception:  # its class comes from a user, and may fail at this too
        line = type(error).__name__
    return shorten(line, LONGEST_ERROR).encode(errors="backslashreplace").decode()


def built_key(network: Network, optimizer: Optimizer, dtype: str) -> str:
    """Return the key of a built value: equal exactly if it is trained in the same way."""
    return _key(dtype, canonical_json(network), canonical_json(optimizer))


def failed_key(params: str, error: str) -> str:
    """Return the key of a configuration that cannot be built, from its parameters as a store writes them."""
    return _key("failed", params, error)


def _key(*texts: str) -> str:
    return hashlib.sha256("\n".join((str(NUMERICS_VERSION), *texts)).encode()).hexdigest()


def identity_of(key: str, seed: int, data_digest: str, rows_digest: str) -> str:
    """Return the identity of a trial from the key of what was built, which serves every repeat."""
    return hashlib.sha256(f"{key}\n{seed}\n{data_digest}\n{rows_digest}".encode()).hexdigest()


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
    key = built_key(network, optimizer, dtype)
    return identity_of(key, seed, data_digest, rows_digest)
