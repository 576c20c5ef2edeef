"""One thread for BLAS and OpenMP in whoever works: the cores are busy already, and sums keep their order."""

from __future__ import annotations

import sys
import threading
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from threadpoolctl import threadpool_limits

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

    OpenMP keeps its limit for each calling thread apart, so each of them asks for it.
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
        self.here()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._limits.close()
