"""Steps per second and share of the core's peak on W1-W4 and W6, beside other ways of training, on one core.

python benchmarks/speed.py                      every workload, both float widths, every side installed
python benchmarks/speed.py W2 W3 --dtype float32 --sides ours scikit-learn --runs 3
"""

from __future__ import annotations

import argparse
import statistics
import sys

from harness.comparison import Disagreement, Row, compare
from harness.machine import hold_to_one_core, setting
from harness.problem import Problem
from harness.workloads import WORKLOADS
from peers import SIDES


def main() -> None:
    hold_to_one_core()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "workloads", nargs="*", default=list(WORKLOADS), metavar="workload", help=" ".join(WORKLOADS)
    )
    parser.add_argument("--dtype", nargs="+", default=["float32", "float64"], choices=["float32", "float64"])
    parser.add_argument("--sides", nargs="+", default=list(SIDES), choices=list(SIDES))
    parser.add_argument("--validation", nargs="+", default=["without"], choices=["without", "with"])
    parser.add_argument("--runs", type=int, default=5, help="timed runs of each; the table shows medians")
    options = parser.parse_args()
    print(setting())
    print(
        f"\n{'':28}{'networks':>9}{'steps/s':>12}{'% of peak':>11}{'x sklearn':>11}{'cpu s':>9}{'wall s':>9}"
    )
    for name in options.workloads:
        for dtype in options.dtype:
            for validation in options.validation:
                problem = Problem.of(WORKLOADS[name], dtype, validation == "with")
                try:
                    rows = compare(problem, options.sides, options.runs, lambda _: None)
                except Disagreement as error:
                    sys.exit(str(error))
                show(rows)


def show(rows: list[Row]) -> None:
    rates = {row.side: row.steps / statistics.median(row.cpu) for row in rows}
    for row in rows:
        seconds = statistics.median(row.cpu)
        share = row.flops / seconds / statistics.median(row.peak)
        ratio = rates[row.side] / rates.get("scikit-learn", float("nan"))
        label = f"{row.workload:5}{row.dtype:8}{'+val ' if row.validates else ' '}{row.side}"
        wall = statistics.median(row.wall)
        print(
            f"{label:28}{row.networks:>9}{rates[row.side]:>12,.0f}{share:>11.1%}{ratio:>11.1f}{seconds:>9.3f}{wall:>9.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
