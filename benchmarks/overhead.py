"""What the whole path costs, from `Sweep.run` to its tables, beyond the engine's own time, on one core.

    python benchmarks/overhead.py [--quick]

Networks of next to no work tell the cost of a network; W2's grid tells what is added to real work.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from harness.kernel import kernel_seconds
from harness.machine import hold_to_one_core
from harness.records import RESULTS, write
from harness.sweeps import run_digits, run_idle
from harness.timing import Samples, in_turn


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the networks, 3 runs")
    parser.add_argument("--out", default=str(RESULTS / "overhead.json"), help="file for the rows")
    options = parser.parse_args()
    hold_to_one_core()
    runs = 3 if options.quick else 5
    rows = [*idle(1000, 10 if options.quick else 100, runs), *real(runs)]
    for row in rows:
        print(row)
    write(Path(options.out), rows)


def idle(configurations: int, repeats: int, runs: int) -> list[dict[str, Any]]:
    """Return rows for networks of next to no work, without and with a store."""
    networks = configurations * repeats
    with tempfile.TemporaryDirectory() as folder:
        stores = (Path(folder, f"{number}.sweep") for number in range(2 * runs + 2))
        ways = {
            "in memory": lambda: run_idle(configurations, repeats, n_jobs=1),
            "with a store": lambda: run_idle(configurations, repeats, n_jobs=1, store=next(stores)),
        }
        samples = in_turn(ways, runs)
    return [
        {"what": f"overhead per network, {name}", "networks": networks, **_seconds(own, networks)}
        for name, own in samples.items()
    ]


def real(runs: int) -> list[dict[str, Any]]:
    """Return the row for W2 through `Sweep.run`: processor time of all, and of the engine within it."""
    kernel: list[float] = []

    def timed() -> None:
        with kernel_seconds() as seconds:
            run_digits(n_jobs=1)
        kernel.append(sum(seconds))

    samples = in_turn({"": timed}, runs)[""]
    return [
        {"what": "W2 through Sweep.run", "networks": 256, **_seconds(samples, 1), "kernel": kernel[-runs:]}
    ]


def _seconds(samples: Samples, networks: int) -> dict[str, list[float]]:
    return {name: [value / networks for value in getattr(samples, name)] for name in ("cpu", "wall")}


if __name__ == "__main__":
    main()
