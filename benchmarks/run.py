"""Run every benchmark, keep the rows, and make the tables and plots that README and docs quote.

    python benchmarks/run.py              about two hours on an idle machine
    python benchmarks/run.py --quick      about ten minutes: float32, fewer runs, nothing that compiles for minutes
    python benchmarks/run.py --only speed cold_start

`python benchmarks/render.py` makes tables and plots again from the rows.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from harness.records import RESULTS
from harness.workloads import WORKLOADS
from peers import SIDES

HERE = Path(__file__).resolve().parent
STEPS = ("speed", "cold_start", "overhead", "durability", "prediction", "scaling")
QUICK_SIDES = [side for side in SIDES if side != "pytorch-compiled"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="+", default=STEPS, choices=STEPS)
    parser.add_argument(
        "--out", type=Path, help="folder for rows, tables and plots (default: benchmarks/results)"
    )
    options = parser.parse_args()
    out = options.out or (RESULTS / "quick" if options.quick else RESULTS)
    failed = []
    for command in [*commands(options.only, options.quick, out), ["render.py", "--results", str(out)]]:
        print(f"\n=== python benchmarks/{' '.join(command)}", flush=True)
        # A process for each: what one library does to memory, threads or caches must not meet the next.
        if subprocess.run([sys.executable, str(HERE / command[0]), *command[1:]], check=False).returncode:
            failed.append(" ".join(command))
    if failed:
        sys.exit("FAILED: " + "; ".join(failed))


def commands(steps: list[str], quick: bool, out: Path) -> Iterator[list[str]]:
    """Yield the commands of some steps: a script's name and its arguments."""
    if "speed" in steps:
        less = ["--runs", "3", "--validation", "without", "--sides", *QUICK_SIDES] if quick else []
        for workload in WORKLOADS:
            for dtype in ("float32",) if quick else ("float32", "float64"):
                yield ["speed.py", workload, "--dtype", dtype, "--out", str(out / "speed"), *less]
    if "cold_start" in steps:
        less = ["--runs", "1", "--sides", "ours", "numpy", "jax"] if quick else []
        yield ["cold_start.py", "--out", str(out / "cold_start.json"), *less]
    if "overhead" in steps:
        yield ["overhead.py", "--out", str(out / "overhead.json"), *["--quick"] * quick]
    if "durability" in steps:
        yield ["durability.py", "--out", str(out / "durability.json"), *["--quick"] * quick]
    if "prediction" in steps:
        yield ["prediction.py", "--out", str(out / "prediction.json"), *["--quick"] * quick]
    if "scaling" in steps:
        yield ["scaling.py", "--out", str(out), *["--quick"] * quick]


if __name__ == "__main__":
    main()
