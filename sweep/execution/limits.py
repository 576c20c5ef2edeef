"""One thread for BLAS and OpenMP in whoever works: the cores are busy already, and sums keep their order."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from threadpoolctl import ThreadpoolController, threadpool_limits

from .dispatch import check_workers

__all__ = ["ONE_THREAD", "OneThread"]

# For what a worker process loads later than it looks.
ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS",
    ),
    "1",
)  # fmt: skip


class OneThread:
    """Holds the libraries to one thread in this process, for a `with` block.

    OpenMP keeps its limit for each calling thread apart, so each of them asks for it. What is loaded within the block
    reads from the environment that it has one thread; after the block it has as many as there are CPUs, which is
    what it would have taken.
    """

    def __init__(self) -> None:
        self._limits = ExitStack()
        self._seen = threading.local()

    def here(self) -> None:
        """Hold the libraries to one thread where the calling thread uses them."""
        # A look at the libraries takes milliseconds: one at first, and one after something new was imported.
        if getattr(self._seen, "modules", 0) != len(sys.modules):
            self._limits.enter_context(threadpool_limits(1))
            self._seen.modules = len(sys.modules)

    def __enter__(self) -> Self:
        self._before = {name: os.environ.get(name) for name in ONE_THREAD}
        self._known = _libraries().keys()
        os.environ.update(ONE_THREAD)
        self.here()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._limits.close()
        for name, value in self._before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        cpus, _ = check_workers(-1, "threads")
        for path, library in _libraries().items():
            if path not in self._known:
                library.set_num_threads(cpus)


def _libraries() -> dict[str, Any]:
    """Return the libraries with threads of their own that are loaded now, by path."""
    return {one.filepath: one for one in ThreadpoolController().lib_controllers}
