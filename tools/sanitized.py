"""Run tests on an engine that was built with the address and undefined-behaviour sanitizers (`tox -e sanitize`).

    python tools/sanitized.py [ARGUMENT OF PYTEST ...]

First plants what must be found: a read beyond an array, one beyond a buffer in the engine's arena, an overflow, and an
arena that is lost, each in a process of its own. Where the sanitizers pass over those, the tests would prove nothing.
Then runs pytest. The first finding ends a process, and Python's faulthandler says in which test; the address
sanitizer's reports go to files and are printed at the end, the other's to stderr. Exits with 1 if a plant is not found,
a test fails or there is any report, also of a process that a test started. Memory that Python or NumPy keep is no
finding; memory that the engine takes and loses is.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

# Loaded first. The C++ library must come with them: they look for its exceptions when they start, and pandas throws.
LIBRARIES = ("libasan.so", "libubsan.so", "libstdc++.so")
# The caller of the allocator, in the report of a leak.
ENGINE = re.compile(r"^\s*#1 .*neuralnet_core/engine/_\w+\.[\w-]+\.so", re.MULTILINE)

# A pack of one network in training, and its plan.
PACK = """
import numpy as np
from neuralnet_core import Dense, GradientDescent, Network
from neuralnet_core.lanes import Lane, Setting
from neuralnet_core.plans import PackData, make_plan

network, rows = Network([Dense(3), Dense(2)]), np.arange(20)
optimizer = GradientDescent(0.01, epochs=9, batch_size=4, shuffle=False)
lane = Lane(Setting(network, optimizer, (3,), rows), 0)
data = PackData(np.ones((20, 3), "float32"), np.ones((20, 2), "float32"))
plan = make_plan([lane, lane], data, np.zeros(1, np.int32))
"""
PLANTS = {
    "a row beyond the data": (
        PACK + "rows[7] = 20; plan.engine.Pack(plan).train(9)",
        "heap-buffer-overflow",
    ),
    "targets beyond their buffer in the arena": (
        PACK + "plan.chunk, plan.target_width = 4, 1; plan.engine.Pack(plan).train(9)",
        "use-after-poison",
    ),
    "an integer that overflows": (
        PACK + "pack = plan.engine.Pack(plan); pack.train(1); pack.train(2**63 - 1)",
        "signed integer overflow",
    ),
    "a pack whose arena is forgotten": (
        PACK
        + "import ctypes; pack = plan.engine.Pack(plan); place = ctypes.c_void_p(id(pack))\n"
        + "ctypes.pythonapi.Py_IncRef(place); del pack; ctypes.pythonapi.PyObject_GC_Del(place)",
        "Direct leak of ",
    ),
}


def library(name: str) -> str:
    """Return the path of one of the compiler's libraries."""
    compiler = os.environ.get("CC", "gcc").split()[-1]
    path = subprocess.check_output([compiler, f"-print-file-name={name}"], text=True).strip()
    if not Path(path).is_absolute():
        raise SystemExit(
            f"the sanitizers need {name}, which {compiler} does not have: set CC to one that does"
        )
    return path


def environment(reports: Path) -> dict[str, str]:
    """Return the environment of a process that is watched."""
    options = f"log_path={reports / 'report'}:abort_on_error=1:print_stacktrace=1"
    return {
        **os.environ,
        "LD_PRELOAD": " ".join(library(name) for name in LIBRARIES),
        "ASAN_OPTIONS": f"{options}:detect_leaks=1:detect_stack_use_after_return=1",
        "UBSAN_OPTIONS": options,
        "LSAN_OPTIONS": "exitcode=0",  # Python's own leaks are none of ours: `findings` looks for the engine's
        "PYTHONMALLOC": "malloc",  # so that objects are watched one by one, not in pools
        "PYTHONFAULTHANDLER": "1",
    }


def findings(text: str) -> list[str]:
    """Return what a report finds, leaks left out of which the engine is innocent."""
    parts = re.split(r"\n(?=(?:Direct|Indirect) leak of )", text)
    leaks = [part for part in parts[1:] if ENGINE.search(part)]
    other = [] if "LeakSanitizer" in parts[0] else [parts[0]]
    return [part.strip() for part in other + leaks if part.strip()]


def watched(*command: str, quiet: bool = False) -> tuple[int, list[str]]:
    """Run Python with these arguments; return its exit code and what was found in it and the processes it started."""
    with tempfile.TemporaryDirectory() as folder:
        reports = Path(folder)
        run = subprocess.run(
            [sys.executable, "-P", *command],  # never the source folder's packages
            env=environment(reports),
            check=False,
            capture_output=quiet,
            text=True,
        )
        texts = [path.read_text(errors="replace") for path in sorted(reports.iterdir())]
    found = [finding for text in texts for finding in findings(text)]
    return run.returncode, found + ([run.stderr] if quiet else [])


def main(arguments: list[str]) -> int:
    """Plant, run the tests, print what was found."""
    for name, (code, expected) in PLANTS.items():
        status, found = watched("-c", code, quiet=True)
        if not any(expected in finding for finding in found):
            print(f"planted and not found (exit {status}): {name}", *found, sep="\n")
            return 1
    print(f"sanitizers: {len(PLANTS)} plants found", flush=True)
    # Python's own streams only: what a dying process writes must not be captured with it.
    status, found = watched("-m", "pytest", "--capture=sys", *arguments)
    print(*found, f"sanitizers: {len(found)} findings", sep="\n\n")
    return 1 if found or status else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
