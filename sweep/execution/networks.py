"""Networks: what a worker does with a task of them. The one place of `sweep` that calls the engine."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from neuralnet_core import CancelToken, Model, Pack, TrainingCancelled, train_many
from sweep.data import Data
from sweep.jobs import Curves, Job, Record, error_text

from .tasks import Outcome, Task, Watch

__all__ = ["model_task", "record_task", "train_jobs"]


def record_task(task: Task, watch: Watch, *, data: Data, dtype: str, keep_models: bool) -> Outcome:
    """Train the jobs of a task and return their records: the function that a sweep's workers run.

    If a network does not fit the data, the rest of its chunk is trained without it.
    """
    started = time.time()
    clock = time.perf_counter()
    try:
        models = _train_or_blame(task, data, dtype, watch.token)
    except TrainingCancelled:
        return Outcome(task.number, time.perf_counter() - clock)
    each = (time.perf_counter() - clock) / len(task.jobs)
    worker = f"{os.getpid()}/{threading.get_native_id()}"
    with np.errstate(over="ignore"):  # for all: to say so once for each would take a tenth of a record's time
        records = [
            _record(job, model, started, each, worker) for job, model in zip(task.jobs, models, strict=True)
        ]
    kept = [None if isinstance(model, str) else model for model in models] if keep_models else []
    return Outcome(task.number, time.perf_counter() - clock, records, kept)


def model_task(task: Task, watch: Watch, *, data: Data, dtype: str) -> Outcome:
    """Train the jobs of a task and return their models; an error raises."""
    clock = time.perf_counter()
    try:
        models = train_jobs(task.jobs, data, dtype, watch.token, task.packs)
    except TrainingCancelled:
        return Outcome(task.number, time.perf_counter() - clock)
    return Outcome(task.number, time.perf_counter() - clock, models=models)


def _train_or_blame(task: Task, data: Data, dtype: str, cancel: CancelToken | None) -> list[Model | str]:
    """Return a model for each job, or the text of the error that it raises when trained alone."""
    try:
        return list(train_jobs(task.jobs, data, dtype, cancel, task.packs))
    except TrainingCancelled:
        raise
    except Exception as error:
        if len(task.jobs) == 1:
            return [error_text(error)]
    groups = [pack.members for pack in task.packs if len(task.packs) > 1] or [
        (n,) for n in range(len(task.jobs))
    ]
    models: list[Model | str] = []
    for places in groups:
        models += _train_or_blame(task.part(places), data, dtype, cancel)
    return models


def train_jobs(
    jobs: Sequence[Job],
    data: Data,
    dtype: str,
    cancel: CancelToken | None = None,
    packs: Sequence[Pack] = (),
) -> list[Model]:
    """Train jobs on the calling thread, in the packs that were planned, if they were."""
    rows: list[Any] = [job.split.rows for job in jobs]
    validation_rows: list[Any] = [job.split.validation_rows for job in jobs]
    initial: list[Any] = [job.initial for job in jobs]
    return train_many(
        [job.network for job in jobs],
        [job.optimizer for job in jobs],
        data.X,
        data.y,
        seeds=[job.seed for job in jobs],
        rows=rows,
        validation_rows=validation_rows,
        validation=data.validation,
        sample_weight=data.sample_weight,
        initial=initial,
        dtype=dtype,
        cancel=cancel,
        warn=False,
        packs=packs or None,
    )


def _record(job: Job, model: Model | str, started: float, seconds: float, worker: str) -> Record:
    if isinstance(model, str):
        return Record(job.identity, "failed", 0, {}, {}, model, None, started, seconds, worker)
    curves = Curves.owning(*model.history_table("float32"))
    digest = model.digest() if model.state == "done" else None
    return Record(
        job.identity, model.state, model.epoch, model.metrics, curves, None, digest, started, seconds, worker
    )
