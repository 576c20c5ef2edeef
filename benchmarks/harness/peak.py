"""The core's own limit: its multiply-adds per second in a float width, measured where the work is measured."""

from __future__ import annotations

import ctypes
import os
import shlex
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path

__all__ = ["measure_peak", "register_bits"]

ROUNDS = 4_000_000
TYPES = {"float32": (ctypes.c_float, 4), "float64": (ctypes.c_double, 8)}


def measure_peak(dtype: str) -> float:
    """Return the operations (a multiply-add is two) per second of processor time, in `dtype`."""
    library, (_, size) = _library(), TYPES[dtype]
    start = time.process_time()
    getattr(library, f"peak_{dtype}")(ROUNDS, 0.5, 1.0)
    return ROUNDS * library.flops_per_round(size) / (time.process_time() - start)


def register_bits() -> int:
    """Return the width of the registers that the peak is measured with."""
    return int(_library().register_bits())


@cache
def _library() -> ctypes.CDLL:
    source = Path(__file__).with_name("peak.c")
    compiler = shlex.split(os.environ.get("CC", "cc"))  # it may have arguments of its own, as for make
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder, "peak.so")
        flags = ["-O3", "-march=native", "-ffp-contract=fast", "-shared", "-fPIC"]
        subprocess.run([*compiler, *flags, str(source), "-o", str(built)], check=True)
        library = ctypes.CDLL(str(built))
    for dtype, (kind, _) in TYPES.items():
        function = getattr(library, f"peak_{dtype}")
        function.argtypes, function.restype = [ctypes.c_long, kind, kind], kind
    library.flops_per_round.argtypes, library.flops_per_round.restype = [ctypes.c_long], ctypes.c_long
    return library
