"""Steps per second and share of the core's peak on W1-W4 and W6, beside other ways of training, on one core.

python benchmarks/speed.py                                  all workloads, float widths and installed sides
python benchmarks/speed.py W2 W3 --dtype float32 --sides ours scikit-learn --runs 3 --out -
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.comparison import TOLERANCE, Disagreement, Row, check, compare
from harness.machine import hold_to_one_core
from harness.problem import Problem
from harness.records import RESULTS, write
from harness.workloads import WORKLOADS
from peers import SIDES, installed

HEADER = (
    f"{'':34}{'networks':>9}{'chunk':>6}{'steps/s':>12}{'of peak':>9}{'ratio':>8}{'cpu s':>9}{'wall s':>9}"
)

VALIDATION = {False: " ", True: "+val "}


def main() -> None:
    options = parse()
    hold_to_one_core()
    sides = [side for side in options.sides if side in installed()]
    if missing := sorted(set(options.sides) - set(sides)):
        print(f"not installed, left out: {', '.join(missing)} (pip install --group benchmarks)")
    try:
        run_checks(options, sides) if options.check else run_all(options, sides)
    except Disagreement as error:
        sys.exit(str(error))


def run_checks(options: argparse.Namespace, sides: Sequence[str]) -> None:
    """Print by how much the last losses of each side differ from ours, and time nothing."""
    for problem in problems(options):
        for side in sides:
            kind = SIDES[side].load()
            if side != "ours" and kind.takes(problem):
                print(
                    f"{label(problem.workload.name, problem.dtype, problem.validates, side)}",
                    end="",
                    flush=True,
                )
                print(
                    f"{check(problem, side, kind):10.1e}, allowed {TOLERANCE[problem.dtype]:.0e}", flush=True
                )


def run_all(options: argparse.Namespace, sides: Sequence[str]) -> None:
    """Compare the sides, print a line for each and keep the rows."""
    print("Ratios are to scikit-learn's steps per second, of processor time.\n" + HEADER, flush=True)
    rows: dict[str, list[Row]] = {}
    for problem in problems(options):
        found = compare(problem, sides, options.runs)
        show(found)
        file = f"{problem.workload.name}-{problem.dtype}.json"
        rows.setdefault(file, []).extend(found)
        if options.out != "-":
            write(Path(options.out, file), rows[file])


def problems(options: argparse.Namespace) -> Iterator[Problem]:
    """Yield what was asked for."""
    for name in options.workloads:
        for dtype in options.dtype:
            for validation in options.validation:
                yield Problem.of(WORKLOADS[name], dtype, validation == "with")


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
    parser.add_argument("--check", action="store_true", help="time nothing")
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
        begins = label(row.workload, row.dtype, row.validates, row.side)
        work = f"{row.networks:>9}{row.chunk or '':>6}{rates[row.side]:>12,.0f}"
        print(f"{begins}{work}{share:>9.1%}{ratio:>8.1f}{cpu:>9.3f}{wall:>9.3f}", flush=True)


def label(workload: str, dtype: str, validates: bool, side: str) -> str:
    """Return what a line begins with."""
    return f"{f'{workload:5}{dtype:8}{VALIDATION[validates]}{side}':34}"


if __name__ == "__main__":
    main()
