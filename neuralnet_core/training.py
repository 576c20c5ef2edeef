"""Training: from networks and data to models, through packs."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterator, Mapping, Sequence

from numpy.typing import ArrayLike

from .batch import Batch, Task, check_initial, data_key
from .brief import shown
from .cancel import CancelToken
from .checks import check_dtype, check_flag
from .data import check_features, check_same_length, check_weights
from .lanes import Lane
from .losses import get_loss
from .model import Model, trained_model
from .network import Network
from .optimizers import Optimizer
from .packing import Pack, check_packs, plan_packs
from .plans import PackData
from .rounds import Trained, train_packs

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
    lanes, settings = batch.lanes(len(features), task.input_shape, task.validation_rows)
    task.check(settings)
    check_initial(lanes, dtype)
    models: list[Model | None] = [None] * len(lanes)
    flag = (cancel or CancelToken()).flag
    packs = _packs(lanes, task, packs)
    for some, data, finish in _by_data(lanes, packs, task):
        # All of them before the first model: a training leaves nothing in the caches of what models are made with.
        for index, trained in list(train_packs(lanes, some, data, flag)):
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
    if given is not None:
        likes: list[Hashable] = [lane.setting.likeness for lane in lanes]
        if task.skips_minibatches:
            likes = [(lane.setting.likeness, lane.order) for lane in lanes]
        check_packs(given, likes, task.dtype)
        return given
    orders = [lane.order for lane in lanes]
    return plan_packs(
        [lane.setting.network for lane in lanes],
        [lane.setting.optimizer for lane in lanes],
        task.input_shape,
        task.dtype,
        lengths=[lane.setting.lengths for lane in lanes],
        orders=orders,
        keys=orders if task.skips_minibatches else None,
    )


def _by_data(
    lanes: Sequence[Lane], packs: Sequence[Pack], task: Task
) -> Iterator[tuple[list[Pack], PackData, _Finisher]]:
    """Yield the packs that read the same data, these data, and what makes models of what comes of them."""
    by_data: dict[tuple[str, int], list[Pack]] = {}
    for pack in packs:
        by_data.setdefault(data_key(lanes[pack.members[0]].setting), []).append(pack)
    for some in by_data.values():
        setting = lanes[some[0].members[0]].setting
        data, targets = task.data_for(setting)
        yield some, data, _Finisher(task, get_loss(setting.network.loss).metric, targets.classes)


class _Finisher:
    """Makes models of what training gave."""

    def __init__(self, task: Task, metric: str, classes: tuple[str, ...] | None) -> None:
        names = ("train_loss", "validation_loss", f"validation_{metric}")
        self._names = {count: names[:count] for count in (1, 3)}  # without and with validation
        self._dtype, self._input_shape, self._classes = task.dtype, task.input_shape, classes

    def __call__(self, lane: Lane, trained: Trained) -> Model:
        flat, history, diverged, epoch = trained
        setting = lane.setting
        return trained_model(
            {
                "network": setting.network,
                "optimizer": setting.optimizer,
                "seed": lane.seed,
                "dtype": self._dtype,
                "input_shape": self._input_shape,
                "classes": self._classes,
                "state": "diverged" if diverged else "done",
                "epoch": epoch,
                "_layout": setting.layout,
                "_flat": flat,
                "_names": self._names[len(history)],
                "_rows": history,
            }
        )
