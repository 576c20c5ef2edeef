"""User's functions: what a worker does with a task of them, and what it takes for metrics."""

from __future__ import annotations

import math
import os
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any, SupportsFloat

import numpy as np
from numpy.typing import NDArray

from neuralnet_core import shown
from sweep.data import Data
from sweep.jobs import FunctionJob, Record, error_text, own
from sweep.tables import COLUMNS
from sweep.values import is_unicode

from .tasks import Outcome, Task, Watch

__all__ = ["checked_metrics", "function_task", "run_function"]

LONGEST_CHUNK = (
    1.0  # seconds; what has not begun by then is given back: how long a function takes, nobody knows
)


def function_task(
    task: Task, watch: Watch, *, function: Callable[..., Any], extras: tuple[str, ...], data: Data
) -> Outcome:
    """Call a function for each job of a task, for about a second, and return records of what it gave."""
    clock = time.perf_counter()
    records: list[Record] = []
    for place, job in enumerate(task.jobs):
        if place and time.perf_counter() - clock > LONGEST_CHUNK:
            break
        watch.begin(place, place + 1)
        record = _call(job, watch, function, extras, data, alone=task.alone)
        if record is None:
            break
        records.append(record)
    return Outcome(task.number, time.perf_counter() - clock, records)


def run_function(
    job: FunctionJob, function: Callable[..., Any], extras: tuple[str, ...], data: Data
) -> dict[str, float]:
    """Return the metrics of one call, or raise what is wrong with it.

    What the call is given is its own, to change as it likes: the parameters, and copies of the rows of its split.
    """
    rows = job.split.rows
    given: dict[str, Any] = {}
    if "validation" in extras:
        given["validation"] = _held_out(job, data)
    if "sample_weight" in extras:
        given["sample_weight"] = None if data.sample_weight is None else _own_rows(data.sample_weight, rows)
    X, y = _own_rows(data.X, rows), _own_rows(data.y, rows)
    return checked_metrics(function(own(job.params), job.seed, X, y, **given))


def _call(
    job: FunctionJob,
    watch: Watch,
    function: Callable[..., Any],
    extras: tuple[str, ...],
    data: Data,
    *,
    alone: bool,
) -> Record | None:
    """Return the record of one call; None if the run was stopped in it."""
    started, clock, process = time.time(), time.perf_counter(), os.getpid()
    state, error, metrics = "done", None, dict[str, float]()
    try:
        with watch.interruptible():
            try:
                metrics = run_function(job, function, extras, data)
            finally:
                if os.getpid() != process:  # a copy that the call forked and did not end: it has no say here
                    os._exit(0)
    except BaseException as raised:
        if watch.cancelled:
            return None
        signalled = not watch.isolated and threading.current_thread() is threading.main_thread()
        if signalled and not isinstance(raised, Exception | SystemExit):
            raise  # perhaps somebody else's handler of Ctrl-C; elsewhere no signal raises
        if isinstance(raised, MemoryError) and watch.isolated and not alone:
            raise  # perhaps an earlier call keeps the memory: this one gets a process of its own
        state, error = "failed", _explain(raised)
    wild = [name for name, value in metrics.items() if not math.isfinite(value)]
    if wild:
        state, error = "diverged", f"{wild[0]} is {metrics[wild[0]]}"
    seconds = time.perf_counter() - clock
    worker = f"{os.getpid()}/{threading.get_native_id()}"
    return Record(job.identity, state, 0, metrics, {}, error, None, started, seconds, worker)


def _held_out(job: FunctionJob, data: Data) -> tuple[NDArray[Any], NDArray[Any]] | None:
    if data.validation is not None:
        return data.validation[0].copy(), data.validation[1].copy()
    rows = job.split.validation_rows
    return None if rows is None else (data.X[rows], data.y[rows])


def _own_rows(array: NDArray[Any], rows: NDArray[np.int64] | None) -> NDArray[Any]:
    return array.copy() if rows is None else array[rows]


def _explain(error: BaseException) -> str:
    """Return an error in one line, with the place in the user's code that raised it."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    if not frames:
        return error_text(error)
    return f"{error_text(error)} (in {frames[-1].name}, {os.path.basename(frames[-1].filename)}:{frames[-1].lineno})"


def checked_metrics(returned: object) -> dict[str, float]:
    """Return what a function gave back as metrics, or say what is wrong with it. A number may be NaN or infinite.

    Examples
    --------
    >>> checked_metrics({"validation_accuracy": np.float32(0.5), "leaves": 12})
    {'validation_accuracy': 0.5, 'leaves': 12.0}
    """
    if not isinstance(returned, Mapping) or not returned:
        raise TypeError(
            f"a function must return a dict of metrics such as {{'validation_accuracy': 0.9}}, got {returned!r:.80}"
        )
    return {_checked_name(name): _checked_number(name, value) for name, value in returned.items()}


def _checked_name(name: object) -> str:
    if not isinstance(name, str) or not name:
        raise TypeError(f"names of metrics must be texts, got {name!r}")
    if not is_unicode(name):
        raise ValueError(f"names of metrics must be texts without lone surrogates, got {name!r}")
    if name in COLUMNS or name.startswith("params_"):
        raise ValueError(f"no metric may be called {name!r}: that is a column of the table already")
    return str.__str__(name)  # of a class of the user's own it could not be sent, nor stored


def _checked_number(name: object, value: Any) -> float:
    if isinstance(value, SupportsFloat) and not getattr(value, "ndim", 0):
        try:
            return float(value)
        except OverflowError:
            raise ValueError(f"metric {name!r} is beyond double precision, got {shown(value)}") from None
        except (TypeError, ValueError):
            pass
    raise TypeError(f"metric {name!r} must be a number, got {value!r:.80}")
