"""Tasks -> threads of the coordinator, as many at a time as there are workers.

The only importer of joblib, and a late one: worker processes that train networks start without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from multiprocessing.pool import ThreadPool
from typing import Any, TypeVar

from neuralnet_core import check_choice, check_integer

__all__ = ["BACKENDS", "by_value", "check_workers", "dispatch"]

BACKENDS = ("auto", "threads", "processes", "sequential")

T = TypeVar("T")
R = TypeVar("R")


def check_workers(n_jobs: object, backend: object, automatic: str = "threads") -> tuple[int, str]:
    """Return (workers, back end), or say which rule the arguments break; `automatic` is what "auto" means.

    `n_jobs` is as in joblib: -1 is every CPU this process may use, -2 all but one.
    """
    backend = check_choice("backend", backend, BACKENDS)
    workers = check_integer("n_jobs", n_jobs)
    if workers == 0:
        raise ValueError("n_jobs must not be 0; give a number of workers, or -1 for every CPU")
    if workers < 0:
        import joblib

        workers = max(1, int(joblib.cpu_count()) + 1 + workers)
    return (1, backend) if backend == "sequential" else (workers, automatic if backend == "auto" else backend)


def dispatch(work: Callable[[T], R], tasks: Iterable[T], workers: int, *, here: bool) -> Iterator[R]:
    """Yield the result of every task in order of completion, from so many threads or (`here`) the calling one.

    Processes have a thread each, too, which watches over one of them.
    """
    if here:
        yield from map(work, tasks)
    elif workers == 1:
        # Beside the calling thread all the same: signals are handled in the main thread, between byte codes.
        with ThreadPool(1) as pool:
            for task in tasks:
                yield pool.apply(work, (task,))
    else:
        import joblib

        parallel = joblib.Parallel(
            n_jobs=workers,
            backend="threading",
            batch_size=1,
            pre_dispatch=workers + 1,
            return_as="generator_unordered",
        )
        yield from parallel(joblib.delayed(work)(task) for task in tasks)


def by_value(value: Any) -> Any:
    """Return a value that is pickled with the code of functions and classes of its own, read as what it was.

    So a function of a notebook, or of the program that was started, reaches a process that does not run it.
    """
    return _Packed(value)


class _Packed:
    def __init__(self, value: Any) -> None:
        import joblib

        # In a tuple, so that joblib takes a class for a value too.
        self._value = joblib.wrap_non_picklable_objects((value,), keep_wrapper=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return _first, (self._value,)


def _first(values: tuple[Any]) -> Any:
    return values[0]
