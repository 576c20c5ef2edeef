"""From the start of a process to W2's finished table: imports, compilation and all 256 networks, on one core.

    python benchmarks/cold_start.py [--runs 5] [--sides ours jax]

Each run is a process of its own. Nothing that a library compiled before is used again.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from harness.machine import hold_to_one_core
from harness.records import RESULTS, write
from harness.timing import Samples
from peers import SIDES, installed

CHUNK = {"numpy": 64, "pytorch": 128, "pytorch-compiled": 256, "jax": 32}  # about the best for W2


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    able = [side for side in installed() if side != "numpy-segments"]
    parser.add_argument("--sides", nargs="+", default=able, choices=able)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--out", default=str(RESULTS / "cold_start.json"), help="file for the rows")
    parser.add_argument("--one", help=argparse.SUPPRESS)  # what the processes are started with
    options = parser.parse_args()
    if options.one:
        print(table(options.one))
        return
    hold_to_one_core()
    samples = {side: Samples() for side in options.sides}
    for _ in range(options.runs):
        for side, own in samples.items():
            run(side, own)
            print(
                f"{side:20}{own.wall[-1]:8.2f} s on the wall{own.cpu[-1]:8.2f} s of processor time",
                flush=True,
            )
    rows = [
        {"side": side, "name": SIDES[side].name, "cpu": s.cpu, "wall": s.wall} for side, s in samples.items()
    ]
    write(Path(options.out), rows)


def run(side: str, samples: Samples) -> None:
    """Time a process from its start to its end."""
    start = time.perf_counter()
    child = subprocess.Popen([sys.executable, __file__, "--one", side], stdout=subprocess.PIPE)
    assert child.stdout is not None
    printed = child.stdout.read()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode or b"train_loss" not in printed:
        sys.exit(f"{side} made no table (exit code {child.returncode})")
    samples.wall.append(time.perf_counter() - start)
    samples.cpu.append(used.ru_utime + used.ru_stime)


def table(side: str) -> str:
    """Train the 256 networks and return the head of a table of their losses, best configuration first."""
    if side == "ours":
        from harness.sweeps import run_digits

        return run_digits(n_jobs=1).summary.head().to_string()
    import pandas as pd
    from harness.agreement import losses
    from harness.comparison import make
    from harness.problem import Problem
    from harness.workloads import WORKLOADS

    problem = Problem.of(WORKLOADS["W2"], "float32")
    training = make(SIDES[side].load(), problem, CHUNK.get(side))
    training.train()
    columns = {name: problem.column(name) for name in ("learning_rate", "momentum")}
    trials = pd.DataFrame({**columns, "train_loss": losses(problem, training.parameters())})
    return trials.groupby(["learning_rate", "momentum"]).mean().sort_values("train_loss").head().to_string()


if __name__ == "__main__":
    main()
