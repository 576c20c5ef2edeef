"""Steps per second and share of the core's peak on W1-W4 and W6, beside other ways of training, on one core.

python benchmarks/speed.py                                  all workloads, float widths and installed sides
python benchmarks/speed.py W2 W3 --dtype float32 --sides ours scikit-learn --runs 3 --out -
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path

from harness.comparison import Disagreement, Row, compare
from harness.machine import hold_to_one_core
from harness.problem import Problem
from harness.records import RESULTS, write
from harness.workloads import WORKLOADS
from peers import SIDES, installed

HEADER = (
    f"{'':34}{'networks':>9}{'chunk':>6}{'steps/s':>12}{'of peak':>9}{'ratio':>8}{'cpu s':>9}{'wall s':>9}"
)


def main() -> None:
    options = parse()
    hold_to_one_core()
    sides = [side for side in options.sides if side in installed()]
    if missing := sorted(set(options.sides) - set(sides)):
        print(f"not installed, left out: {', '.join(missing)} (pip install --group benchmarks)")
    print("Ratios are to scikit-learn's steps per second, of processor time.\n" + HEADER, flush=True)
    for name in options.workloads:
        for dtype in options.dtype:
            rows = []
            for validation in options.validation:
                problem = Problem.of(WORKLOADS[name], dtype, validation == "with")
                try:
                    found = compare(problem, sides, options.runs)
                except Disagreement as error:
                    sys.exit(str(error))
                show(found)
                rows += found
            if options.out != "-":
                write(Path(options.out, f"{name}-{dtype}.json"), rows)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    widths, validations = ["float32", "float64"], ["without", "with"]
    parser.add_argument("workloads", nargs="*", metavar="workload", help=", ".join(WORKLOADS))
    parser.add_argument("--dtype", nargs="+", default=widths, choices=widths)
    parser.add_argument("--sides", nargs="+", default=list(SIDES), choices=list(SIDES))
    parser.add_argument("--validation", nargs="+", default=validations, choices=validations)
    parser.add_argument("--runs", type=int, default=5, help="timed runs of each; the table shows medians")
    parser.add_argument("--out", default=str(RESULTS / "speed"), help="folder for the rows; - for none")
    options = parser.parse_args()
    options.workloads = options.workloads or list(WORKLOADS)
    if unknown := set(options.workloads) - set(WORKLOADS):
        parser.error(f"a workload must be one of {', '.join(WORKLOADS)}, got {', '.join(sorted(unknown))}")
    return options


def show(rows: list[Row]) -> None:
    """Print what was measured."""
    rates = {row.side: row.steps / statistics.median(row.cpu) for row in rows}
    for row in rows:
        cpu, wall = statistics.median(row.cpu), statistics.median(row.wall)
        share = row.flops / cpu / statistics.median(row.peak)
        ratio = rates[row.side] / rates.get("scikit-learn", float("nan"))
        label = f"{row.workload:5}{row.dtype:8}{'+val ' if row.validates else ' '}{row.side}"
        work = f"{row.networks:>9}{row.chunk or '':>6}{rates[row.side]:>12,.0f}"
        print(f"{label:34}{work}{share:>9.1%}{ratio:>8.1f}{cpu:>9.3f}{wall:>9.3f}", flush=True)


if __name__ == "__main__":
    main()
