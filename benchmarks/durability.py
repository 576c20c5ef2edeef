"""What it costs that nothing is lost: the same sweep with a store and without one, in turn, on one core.

    python benchmarks/durability.py [--quick]

Trials of about 1 ms and 10 ms, networks as well as calls of a function in a process of its own. A trial's length is
found by training, or calling, a few first; every run has a new store. The cost is the time in the store's own code; the
difference of the runs with and without one is told beside it, and on a shared machine is mostly noise.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from harness.machine import hold_to_one_core
from harness.records import RESULTS, write
from harness.store_clock import StoreSeconds, store_seconds
from harness.sweeps import call_busy, run_busy, run_epochs
from harness.timing import Samples, in_turn

from sweep import Results

TRIALS = {1e-3: 4000, 10e-3: 1000}  # by the seconds that one takes


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a hundredth of the trials, one run of each")
    parser.add_argument("--runs", type=int, default=5, help="runs of each way")
    parser.add_argument("--out", default=str(RESULTS / "durability.json"), help="file for the rows")
    options = parser.parse_args()
    hold_to_one_core()
    share, runs = (100, 1) if options.quick else (1, options.runs)
    write(Path(options.out), list(measured(share, runs)))


def measured(share: int, runs: int) -> Iterator[dict[str, Any]]:
    """Yield a row for each kind and length of trials."""
    for length, trials in TRIALS.items():
        for what, kind in KINDS.items():
            row = {"what": what, "length": length, "trials": trials // share}
            row |= _timed(kind(length, trials // share), runs)
            print({name: value for name, value in row.items() if not isinstance(value, dict)}, flush=True)
            yield row


def _networks(length: float, trials: int) -> Callable[..., Results]:
    """Return a sweep of digits classifiers, with as many epochs as take about so long."""
    sample, epochs = 256, 20
    run_epochs(epochs, sample)
    each = _seconds(lambda: run_epochs(epochs, sample)) / sample / epochs
    return partial(run_epochs, max(1, round(length / each)), trials)


def _calls(length: float, trials: int) -> Callable[..., Results]:
    """Return a sweep of a function that counts as far as takes about so long."""
    sample = 10**6
    each = statistics.median(_seconds(lambda: call_busy(sample)) for _ in range(9)) / sample
    return partial(run_busy, round(length / each), trials)


KINDS = {"networks": _networks, "calls of a function, in a process": _calls}


def _seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _timed(sweep: Callable[..., Results], runs: int) -> dict[str, Any]:
    """Return what the sweep takes without a store and with one, run by run in turn, and the cost of the store."""
    own: list[StoreSeconds] = []
    with tempfile.TemporaryDirectory() as folder:
        numbers = count()

        def run(**options: Any) -> None:
            states = sweep(n_jobs=1, **options).states
            assert states.keys() == {"done"}, states  # what fails is over sooner

        def run_with_store() -> None:
            with store_seconds() as seconds:
                run(store=Path(folder, f"{next(numbers)}.sweep"))
            own.append(seconds)

        samples = in_turn({"without": run, "with": run_with_store}, runs)
    stores = {clock: [getattr(one, clock) for one in own[-runs:]] for clock in ("cpu", "wall")}
    return {
        **{f"cost {clock}": _cost(getattr(samples["with"], clock), stores[clock]) for clock in stores},
        **{f"difference {clock}": _difference(samples, clock) for clock in stores},
        **{name: {"cpu": one.cpu, "wall": one.wall} for name, one in samples.items()},
        "store": stores,
    }


def _cost(all_seconds: list[float], in_store: list[float]) -> float:
    """Return the store's time as a share of all the rest: the median of the runs."""
    pairs = zip(all_seconds, in_store, strict=True)
    return statistics.median(own / (every - own) for every, own in pairs)


def _difference(samples: dict[str, Samples], clock: str) -> float:
    """Return what the fastest run with a store takes more than the fastest without, as a share."""
    fastest = {name: min(getattr(own, clock)) for name, own in samples.items()}
    return fastest["with"] / fastest["without"] - 1


if __name__ == "__main__":
    main()
