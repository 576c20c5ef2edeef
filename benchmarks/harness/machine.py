"""The machine: one core of it, and what a reader must know about it to judge a figure."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["all_cores", "hold_to_one_core", "memory_peak", "setting"]

ONE_THREAD = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
    "TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1",  # or only the first run ever would compile
}
PACKAGES = ("neuralnet-sweep", "numpy", "scikit-learn", "joblib", "pandas", "torch", "jax", "jaxlib")


def hold_to_one_core() -> None:
    """Keep this process, and every thread a library starts in it, on one core.

    Libraries read these variables when they are loaded, so the program starts again with them set.
    """
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        os.environ.update(ONE_THREAD)
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, *sys.argv])
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


@contextmanager
def all_cores() -> Iterator[None]:
    """Let this process use every core for a while: for what is meant to run on several."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    held = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    try:
        yield
    finally:
        os.sched_setaffinity(0, held)


def memory_peak() -> int:
    """Return the most bytes this process ever had in memory."""
    status = Path("/proc/self/status")
    if status.exists():
        # getrusage would count what the parent had before this program was started.
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def setting() -> dict[str, Any]:
    """Return when, on what and with what a run is made."""
    from neuralnet_core import engine_info

    engine = engine_info()
    return {
        "date": datetime.date.today().isoformat(),
        "command": " ".join(["python", *map(_relative, sys.argv)]),
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "versions": {name: version for name in PACKAGES if (version := _version(name))},
        "engine": {
            "instruction_set": engine.instruction_set,
            "lanes": engine.lanes,
            "numerics_version": engine.numerics_version,
            "compiler": engine.compiler,
        },
    }


def cpu_name() -> str:
    """Return the processor's name as the system gives it."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _relative(argument: str) -> str:
    """Return a path as seen from the clone; of one elsewhere the last name, for where is no reader's business."""
    root, path = Path(__file__).resolve().parents[2], Path(argument)
    if not path.is_absolute():
        return argument
    return str(path.relative_to(root)) if path.is_relative_to(root) else path.name
