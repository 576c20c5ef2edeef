"""The machine: one core of it, and what a reader must know about it to judge a figure."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import sys
from pathlib import Path
from typing import Any

__all__ = ["hold_to_one_core", "setting"]

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
    """Return a path without the folders above the clone, which are no reader's business."""
    root = Path(__file__).resolve().parents[2]
    path = Path(argument)
    return str(path.relative_to(root)) if path.is_absolute() and path.is_relative_to(root) else argument
