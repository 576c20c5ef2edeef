"""How time and memory grow: with workers, networks, width, batch size and iterations.

python benchmarks/scaling.py [workers] [networks] [width] [batch] [iterations] [--quick]
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from harness.machine import all_cores, hold_to_one_core, memory_peak
from harness.peak import measure_peak
from harness.records import RESULTS, write
from harness.sweeps import run_digits, run_rates
from harness.timing import Samples, in_turn
from harness.workloads import digits, moons

from neuralnet_core import (
    Adam,
    Dense,
    GradientDescent,
    Momentum,
    Network,
    Optimizer,
    train_many,
    training_cost,
)

Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="less of everything")
    parser.add_argument("--out", default=str(RESULTS), help="folder for the rows")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"a part must be one of {', '.join(PARTS)}, got {', '.join(sorted(unknown))}")
    hold_to_one_core()
    for part in options.parts or PARTS:
        rows = []
        for row in PARTS[part](options.quick):
            print(part, {name: value for name, value in row.items() if name != "peak"}, flush=True)
            rows.append(row)
        write(Path(options.out, f"scaling-{part}.json"), rows)


# --- Workers ------------------------------------------------------------------------------------------------


def workers(quick: bool) -> Iterator[Row]:
    """Yield W2's grid, and five times as much, on 1 to N threads: seconds on the wall, for that is the claim."""
    counts = [2**power for power in range(os.cpu_count().bit_length())]
    with all_cores():
        for repeats in (8, 40):
            ways = {str(n): _digits_on(n, repeats) for n in counts}
            for name, samples in in_turn(ways, 2 if quick else 5).items():
                yield {"networks": 32 * repeats, "workers": int(name), **_times(samples)}


def _digits_on(n_jobs: int, repeats: int) -> Callable[[], object]:
    return lambda: run_digits(repeats, n_jobs=n_jobs)


# --- Networks -----------------------------------------------------------------------------------------------


def networks(quick: bool) -> Iterator[Row]:
    """Yield sweeps of 10 to 100,000 networks of W2, one epoch each: time, and the memory of a process of its own."""
    grids = ((10, 1), (100, 1), (100, 10), (1000, 10), (1000, 100))
    for configurations, repeats in grids[: 2 if quick else None]:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
            yield pool.submit(_many, configurations, repeats, runs=1 if repeats > 10 else 5).result()


def _many(configurations: int, repeats: int, runs: int) -> Row:
    before = memory_peak()
    samples = in_turn({"": lambda: run_rates(configurations, repeats, n_jobs=1)}, runs)[""]
    facts = {"networks": configurations * repeats, "bytes": memory_peak(), "bytes_before": before}
    return {**facts, **_times(samples)}


# --- Width and batch ----------------------------------------------------------------------------------------


def width(quick: bool) -> Iterator[Row]:
    """Yield packs of 64-h-10 with h = 2..256, batch 32."""
    for units in (4, 32, 256) if quick else (2, 4, 8, 16, 32, 64, 128, 256):
        yield {"width": units, **_digits_row(units, 32, epochs=10 if units < 64 else 3, runs=5)}


def batch(quick: bool) -> Iterator[Row]:
    """Yield packs of 64-32-10 with batches of 1 to all 1437 rows."""
    for size in (1, 32, None) if quick else (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, None):
        yield {
            "batch": size or len(digits().X),
            **_digits_row(32, size, epochs=2 if (size or 99) < 8 else 10, runs=5),
        }


def _digits_row(units: int, size: int | None, epochs: int, runs: int) -> Row:
    network = Network([Dense(units, "relu"), Dense(10)], loss="softmax_cross_entropy")
    optimizers = [
        Momentum(rate, epochs=epochs, batch_size=size) for rate in np.geomspace(0.002, 0.05, 32).tolist()
    ]
    data, peaks = digits(), []
    ways = {
        "peak": lambda: peaks.append(measure_peak("float32")),
        "": lambda: train_many(network, optimizers, data.X, data.y, seeds=0),
    }
    samples = in_turn(ways, runs)[""]
    steps = len(optimizers) * epochs * -(-len(data.X) // (size or len(data.X)))
    flops = len(optimizers) * training_cost(network, optimizers[0], 64, len(data.X))
    return {"networks": len(optimizers), "steps": steps, "flops": flops, "peak": peaks, **_times(samples)}


# --- Iterations ---------------------------------------------------------------------------------------------


def iterations(quick: bool) -> Iterator[Row]:
    """Yield the time of 1,000 to 1,000,000 full-batch iterations, history included, and of a call with only one."""
    counts = (1, 1_000, 10_000) if quick else (1, 1_000, 10_000, 100_000, 1_000_000)
    for kind in (GradientDescent(0.05), Momentum(0.05), Adam(0.01)):
        for variant in ("alive", "dead units", "dead units, l2"):
            ways = {str(count): _iterated(kind, variant, count) for count in counts}
            for name, samples in in_turn(ways, 3 if quick else 5).items():
                facts = {"optimizer": type(kind).__name__, "variant": variant, "iterations": int(name)}
                yield {**facts, **_times(samples)}


def _iterated(kind: Optimizer, variant: str, count: int) -> Callable[[], object]:
    data = moons()
    X, y = data.X[:64], data.y[:64]
    network = Network([Dense(8, "relu"), Dense(1)], loss="binary_cross_entropy")
    optimizer = replace(kind, epochs=count, batch_size=None, l2=0.01 if "l2" in variant else 0.0)
    initial = network.initialize(0, input_shape=2)
    if variant != "alive":
        _let_die(initial, X)
    return lambda: train_many(network, optimizer, X, y, seeds=range(8), initial=initial)


def _let_die(initial: dict[str, np.ndarray], X: np.ndarray) -> None:
    """Let half of the hidden units fire for the topmost point alone, of class 0: its gradient soon ends that.

    From then on their gradient is 0, and what the optimizer remembers of it shrinks, as do weights with a
    penalty: towards numbers that are subnormal, and slow if nobody takes care.
    """
    initial["0.weight"][:, :4] = [[0.0], [1.0]]
    initial["0.bias"][:4] = -np.sort(X[:, 1])[-2]
    initial["1.weight"][:4] = 1.0


# ------------------------------------------------------------------------------------------------------------


def _times(samples: Samples) -> Row:
    return {"cpu": samples.cpu, "wall": samples.wall}


PARTS: dict[str, Callable[[bool], Iterable[Row]]] = {
    "workers": workers,
    "networks": networks,
    "width": width,
    "batch": batch,
    "iterations": iterations,
}

if __name__ == "__main__":
    main()
