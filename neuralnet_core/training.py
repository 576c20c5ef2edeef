"""Training: from networks and data to models, through packs."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterator, Mapping, Sequence

from numpy.typing import ArrayLike

from .batch import Batch, Task
from .brief import shown
from .cancel import CancelToken
from .checks import check_dtype, check_flag
from .data import check_features, check_same_length, check_weights
from .layers import Shape
from .losses import get_loss
from .model import Model
from .network import Network
from .optimizers import Optimizer
from .packing import Pack, check_packs, likeness, plan_packs
from .plans import Lane, PackData
from .rounds import Trained, lengths_of, train_packs

__all__ = ["train_many"]


def train_many(
    networks: Network | Sequence[Network],
    optimizers: Optimizer | Sequence[Optimizer],
    X: ArrayLike,
    y: ArrayLike,
    *,
    seeds: int | Sequence[int],
    rows: ArrayLike | Sequence[ArrayLike | None] | None = None,
    validation_rows: ArrayLike | Sequence[ArrayLike | None] | None = None,
    validation: tuple[ArrayLike, ArrayLike] | None = None,
    sample_weight: ArrayLike | None = None,
    initial: Mapping[str, ArrayLike] | Sequence[Mapping[str, ArrayLike] | None] | None = None,
    dtype: str = "float32",
    cancel: CancelToken | None = None,
    warn: bool = True,
    packs: Sequence[Pack] | None = None,
) -> list[Model]:
    """Train many networks as few computations, on the calling thread.

    Networks of like shape share packs: a register's lanes hold one number of each. A network's result depends
    on its own configuration, seed and rows alone, bit for bit, whatever it is trained beside.

    Parameters
    ----------
    networks, optimizers, seeds : sequences of equal length, or single values used for all
    X : array-like, shape (n, features)
        Finite numbers; converted once to `dtype`. A split never copies it: see `rows`.
    y : array-like, shape (n,) or (n, outputs)
        Numbers for the regression losses, labels for the cross-entropies.
    rows, validation_rows : array of int, or a sequence of them, optional
        Which rows of X each network is trained on (all by default) and validated on.
    validation : (X, y), optional
        Validation data for all networks, instead of `validation_rows`.
    sample_weight : array-like, shape (n,), optional
        Weights of the rows of X in training.
    initial : dict or sequence of dicts, optional
        Initial parameters by name, instead of draws from the seed.
    dtype : {"float32", "float64"}
    cancel : CancelToken, optional
    warn : bool
        Warn (once) if networks diverge. A diverged network has the state "diverged"; it raises nothing.
    packs : sequence of Pack, optional
        Which networks share a computation and how each trains, as `plan_packs` says it. It changes no bit.

    Returns
    -------
    list of Model
        In the order of the arguments.

    Raises
    ------
    ValueError, TypeError
        For arguments or data that cannot be trained on: the rule, the value, what to do.
    TrainingCancelled
        If the token was used.

    Examples
    --------
    >>> import numpy as np
    >>> from neuralnet_core import Dense, Momentum, Network
    >>> X = np.linspace(-1, 1, 64)[:, None]
    >>> network = Network([Dense(8, "tanh"), Dense(1)])
    >>> models = train_many(network, [Momentum(rate, epochs=50) for rate in (0.01, 0.1)], X, X**2, seeds=0)
    >>> [model.state for model in models]
    ['done', 'done']
    """
    dtype = check_dtype(dtype)
    check_flag("warn", warn)
    if not isinstance(cancel, CancelToken | None):
        raise TypeError(f"cancel must be a CancelToken or None, got {shown(cancel)}")
    batch = Batch.of(networks, optimizers, seeds, rows, validation_rows, initial)
    features = check_features(X, dtype)
    check_same_length(X=features, y=y)
    weights = check_weights(sample_weight, len(features), dtype)
    task = Task(features, y, weights, validation, dtype)
    lanes = batch.lanes(len(features), task.validation_rows)
    task.check(lanes)
    models: list[Model | None] = [None] * len(lanes)
    flag = (cancel or CancelToken()).flag
    packs = _packs(lanes, task, packs)
    for some, data, finish in _by_data(lanes, packs, task):
        for index, trained in train_packs(lanes, some, data, flag):
            models[index] = finish(lanes[index], trained)
    found = [model for model in models if model is not None]
    diverged = sum(model.state == "diverged" for model in found)
    if warn and diverged:
        warnings.warn(
            f"{diverged} of {len(found)} networks diverged (loss or parameters no longer finite); "
            "a smaller learning_rate or clip_norm may help",
            RuntimeWarning,
            stacklevel=2,
        )
    return found


def _packs(lanes: Sequence[Lane], task: Task, given: Sequence[Pack] | None) -> Sequence[Pack]:
    """Return the packs, planned here or checked."""
    lengths, orders = [lengths_of(lane) for lane in lanes], [lane.order for lane in lanes]
    keys = orders if task.skips_minibatches else [None] * len(lanes)
    if given is not None:
        check_packs(given, _likes(lanes, task.input_shape, lengths, keys), task.dtype)
        return given
    networks, optimizers = [lane.network for lane in lanes], [lane.optimizer for lane in lanes]
    return plan_packs(
        networks, optimizers, task.input_shape, task.dtype, lengths=lengths, orders=orders, keys=keys
    )


def _likes(
    lanes: Sequence[Lane], shape: Shape, lengths: Sequence[tuple[int, int]], keys: Sequence[Hashable]
) -> list[Hashable]:
    known: dict[Hashable, Hashable] = {}
    likes = []
    for lane, length, key in zip(lanes, lengths, keys, strict=True):
        setting = id(lane.network), id(lane.optimizer), length, key
        if setting not in known:
            known[setting] = likeness(lane.network, lane.optimizer, shape, length, key)
        likes.append(known[setting])
    return likes


def _by_data(
    lanes: Sequence[Lane], packs: Sequence[Pack], task: Task
) -> Iterator[tuple[list[Pack], PackData, _Finisher]]:
    """Yield the packs that read the same data, these data, and what makes models of what comes of them."""
    by_data: dict[tuple[str, int], list[Pack]] = {}
    for pack in packs:
        by_data.setdefault(task.key(lanes[pack.members[0]].network), []).append(pack)
    for some in by_data.values():
        network = lanes[some[0].members[0]].network
        data, targets = task.data_for(network)
        yield some, data, _Finisher(task, get_loss(network.loss).metric, targets.classes)


class _Finisher:
    """Makes models of what training gave."""

    def __init__(self, task: Task, metric: str, classes: tuple[str, ...] | None) -> None:
        self._dtype, self._shape, self._classes = task.dtype, task.input_shape, classes
        self._names = ("train_loss", "validation_loss", f"validation_{metric}")

    def __call__(self, lane: Lane, trained: Trained) -> Model:
        flat, history, diverged, epoch = trained
        return Model(
            network=lane.network,
            optimizer=lane.optimizer,
            seed=lane.seed,
            dtype=self._dtype,
            input_shape=self._shape,
            parameters=lane.network.build(self._shape).unflatten(flat),
            state="diverged" if diverged else "done",
            history_arrays=dict(zip(self._names[: len(history)], history, strict=True)),
            epoch=epoch,
            classes=self._classes,
        )
