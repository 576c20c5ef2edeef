"""Training: from networks and data to models, through packs. The only place that trains in the engine."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .batch import Batch, Task
from .cancel import CancelToken, TrainingCancelled
from .checks import check_dtype
from .data import Targets, check_features, check_same_length, check_weights
from .losses import get_loss
from .model import Model
from .network import Network
from .optimizers import Optimizer
from .packing import Pack, plan_packs
from .plans import Lane, PackPlan, make_plan, visiting_order
from .ways import Way

__all__ = ["run_pack", "train_many"]


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
    batch = Batch.of(networks, optimizers, seeds, rows, validation_rows, initial)
    features = check_features(X, dtype)
    check_same_length(X=features, y=y)
    weights = check_weights(sample_weight, len(features), dtype)
    lanes = batch.lanes(len(features), has_validation_set=validation is not None)
    task = Task(features, y, weights, validation, dtype)
    for lane in lanes:
        task.check(lane)
    models: list[Model | None] = [None] * len(lanes)
    flag = (cancel or CancelToken()).flag
    for pack in packs or _packs(lanes, task):
        members = [lanes[index] for index in pack.members]
        for index, model in zip(pack.members, _train_pack(members, pack.way, task, flag), strict=True):
            models[index] = model
    trained = [model for model in models if model is not None]
    diverged = sum(model.state == "diverged" for model in trained)
    if warn and diverged:
        warnings.warn(
            f"{diverged} of {len(trained)} networks diverged (loss or parameters no longer finite); "
            "a smaller learning_rate or clip_norm may help",
            RuntimeWarning,
            stacklevel=2,
        )
    return trained


def _packs(lanes: Sequence[Lane], task: Task) -> list[Pack]:
    orders = [visiting_order(lane.optimizer, lane.seed, lane.rows, lane.validation_rows) for lane in lanes]
    held_out = 0 if task.validation_features is None else len(task.validation_features)
    lengths = [
        (len(lane.rows), held_out if lane.validation_rows is None else len(lane.validation_rows))
        for lane in lanes
    ]
    # A minibatch of weight 0 makes no update: lanes that might skip one another's updates may not share a pack.
    apart = task.weights is not None and not task.weights.all()
    return plan_packs(
        [lane.network for lane in lanes],
        [lane.optimizer for lane in lanes],
        task.input_shape,
        task.dtype,
        lengths=lengths,
        orders=orders,
        keys=orders if apart else None,
    )


def run_pack(plan: PackPlan) -> Any:
    """Train one pack in the engine; every training in the project passes here."""
    pack = plan.engine.Pack(plan)
    try:
        pack.train(plan.epochs)
    except InterruptedError as error:
        raise TrainingCancelled(str(error)) from None
    return pack


def _train_pack(lanes: Sequence[Lane], way: Way, task: Task, flag: NDArray[np.int32]) -> list[Model]:
    data, targets = task.data_for(lanes[0].network)
    if task.validation_features is not None:
        held_out = np.arange(len(task.validation_features))
        lanes = [replace(lane, validation_rows=held_out) for lane in lanes]
    plan = make_plan(lanes, data, flag, way=way)
    pack = run_pack(plan)
    validates = lanes[0].validation_rows is not None
    metric = get_loss(lanes[0].network.loss).metric
    names = ["train_loss", "validation_loss", f"validation_{metric}"] if validates else ["train_loss"]
    models = []
    for index, lane in enumerate(lanes):
        history = dict(zip(names, _one_nan(pack.history_of(index)), strict=True))
        models.append(_model(lane, pack.parameters(index), history, pack.outcome(index), targets, task))
    return models


def _one_nan(history: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values with one NaN for all: which of its many bit patterns a diverging sum ends in is no promise."""
    return np.where(np.isnan(history), np.nan, history)


def _model(
    lane: Lane,
    flat: NDArray[Any],
    history: dict[str, NDArray[np.float64]],
    outcome: tuple[bool, int],
    targets: Targets,
    task: Task,
) -> Model:
    diverged, epoch = outcome
    return Model(
        network=lane.network,
        optimizer=lane.optimizer,
        seed=lane.seed,
        dtype=task.dtype,
        input_shape=task.input_shape,
        parameters=lane.network.build(task.input_shape).unflatten(flat),
        state="diverged" if diverged else "done",
        history_arrays=history,
        epoch=epoch,
        classes=targets.classes,
    )
