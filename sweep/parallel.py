"""parallel_train: many networks over all cores, their models in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike

from neuralnet_core import Model, Network, Optimizer, broadcast, check_dtype, shown

from .data import Data
from .execution import Execution, check_workers, model_task
from .jobs import Job
from .planner import plan
from .splits import RowSplit

__all__ = ["parallel_train"]


def parallel_train(
    networks: Network | Sequence[Network],
    optimizers: Optimizer | Sequence[Optimizer],
    X: ArrayLike,
    y: ArrayLike,
    *,
    seeds: int | Sequence[int],
    n_jobs: int = -1,
    backend: str = "auto",
    rows: Any = None,
    validation_rows: Any = None,
    validation: tuple[ArrayLike, ArrayLike] | None = None,
    sample_weight: ArrayLike | None = None,
    initial: Mapping[str, ArrayLike] | Sequence[Mapping[str, ArrayLike] | None] | None = None,
    dtype: str = "float32",
) -> list[Model]:
    """Train many networks over all cores: `neuralnet_core.train_many`, with joblib around it.

    A model's bits do not depend on `n_jobs`, on `backend` or on the other networks.

    Parameters
    ----------
    networks, optimizers, seeds
        Sequences of equal length; a single value serves all.
    X : array of shape (n, ...)
    y : array of shape (n,) or (n, outputs)
    n_jobs : int
        Workers, as in joblib: -1 is every CPU, -2 all but one.
    backend : {"auto", "threads", "processes", "sequential"}
        "auto" is threads.
    rows, validation_rows : array of int, or a sequence of them, optional
        The rows of `X` that a network trains and validates on; one array serves all.
    validation : (Xv, yv), optional
        Data to validate on instead.
    sample_weight : array of shape (n,), optional
    initial : dict or sequence of dict, optional
        Parameters to start from.
    dtype : {"float32", "float64"}

    Returns
    -------
    list of Model
        In the order of `networks`.

    Raises
    ------
    ValueError, TypeError
        If arguments, or a network and the data, do not fit.
    KeyboardInterrupt
        After Ctrl-C: the kernels stop within about a millisecond.

    Examples
    --------
    >>> from neuralnet_core import Dense, GradientDescent, Network
    >>> network = Network([Dense(1)], loss="mse")
    >>> models = parallel_train(network, GradientDescent(0.5, epochs=200), [[0.0], [1.0]], [1.0, 3.0], seeds=range(3))
    >>> [round(float(model.predict([[2.0]])[0]), 3) for model in models]
    [5.0, 5.0, 5.0]
    """
    workers, backend = check_workers(n_jobs, backend)
    check_dtype(dtype)
    if validation is not None and not (isinstance(validation, tuple | list) and len(validation) == 2):
        raise TypeError(f"validation must be a pair (Xv, yv) or None, got {shown(validation)}")
    data = Data.of(X, y, validation, sample_weight, dtype)
    columns = broadcast(networks, optimizers, seeds, rows, validation_rows, initial)
    jobs = _jobs(columns, data)
    packs = plan(jobs, data.input_shape, dtype, apart=data.has_zero_weights)
    execution = Execution(jobs, packs, workers, backend)
    models: list[Model | None] = [None] * len(jobs)
    for numbers, outcome in execution.run(model_task, data=data, dtype=dtype):
        for number, model in zip(numbers, outcome.models, strict=True):
            models[number] = model
        for record in outcome.records:
            if record is not None:
                raise RuntimeError(f"a network could not be trained: {record.error}")
    if execution.interruption is not None:
        raise execution.interruption.error()
    return [model for model in models if model is not None]


def _jobs(columns: dict[str, list[Any]], data: Data) -> list[Job]:
    splits: dict[tuple[int, int], RowSplit] = {}
    settings: dict[tuple[Network, Optimizer], int] = {}
    jobs = []
    for network, optimizer, seed, rows, validation_rows, initial in zip(*columns.values(), strict=True):
        # The same two arrays are one split, so that a repeat is recognised and its rows reach the engine once.
        place = (id(rows), id(validation_rows))
        if place not in splits:
            splits[place] = RowSplit.of(data, rows, validation_rows)
        setting = settings.setdefault((network, optimizer), len(settings))
        jobs.append(Job(network, optimizer, seed, splits[place], setting, "", initial))
    return jobs
