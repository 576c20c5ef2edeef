"""How long a sweep takes, said before it begins, beside how long it then takes: five unlike sweeps on one core.

    python benchmarks/prediction.py [--quick]

The prediction knows the networks, the number of rows and how fast the machine is, which a fraction of a second of
training small networks tells once; it is made before anything of the sweep is trained.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.machine import hold_to_one_core
from harness.records import RESULTS, write
from harness.workloads import Data, breast_cancer, digits, images, moons, regression

from neuralnet_core import Adam, Dense, Dropout, GradientDescent, Momentum, Network, RMSprop
from sweep import Sweep
from sweep.calibration import machine_scale
from sweep.planner import predicted_seconds

WITHIN = 0.25


@dataclass(frozen=True)
class Predicted:
    """A sweep, its data, and what is validated on."""

    title: str
    build: Callable[..., Any]
    space: dict[str, list[Any]]
    repeats: int
    load: Callable[[], Data]
    validation: float | None = None
    dtype: str = "float32"


def _digits(learning_rate: float, momentum: float) -> Any:
    network = Network([Dense(32, "relu"), Dense(10)], loss="softmax_cross_entropy")
    return network, Momentum(learning_rate, momentum=momentum, epochs=60, batch_size=32)


def _cancer(learning_rate: float, dropout: float) -> Any:
    layers = [Dense(16, "tanh"), Dropout(dropout), Dense(8, "gelu"), Dense(1)]
    optimizer = Adam(learning_rate, epochs=40, batch_size=16, clip_norm=1.0)
    return Network(layers, loss="binary_cross_entropy"), optimizer


def _regression(hidden: int, activation: str, depth: int) -> Any:
    layers = [Dense(max(1, hidden // (1 + place)), activation) for place in range(depth)]
    return Network([*layers, Dense(1)]), GradientDescent(0.01, epochs=6, batch_size=32)


def _moons(learning_rate: float) -> Any:
    layers = [Dense(5, "relu"), Dense(4, "relu"), Dense(2, "relu"), Dense(1)]
    return (
        Network(layers, loss="binary_cross_entropy"),
        GradientDescent(learning_rate, epochs=120_000, batch_size=None),
    )


def _images(learning_rate: float, hidden: int) -> Any:
    network = Network([Dense(hidden, "relu"), Dense(10)], loss="softmax_cross_entropy")
    return network, RMSprop(learning_rate, epochs=16, batch_size=128)


SWEEPS = (
    Predicted(
        "384 classifiers of digits, 64-32-10, momentum, a fifth held out", _digits,
        {"learning_rate": [0.002 * 2**k for k in range(6)], "momentum": [0.0, 0.5, 0.8, 0.9]}, 16, digits, 0.2,
    ),
    Predicted(
        "small and deep, tanh, gelu, dropout, Adam, clipped; float64", _cancer,
        {"learning_rate": [1e-4 * 2**k for k in range(8)], "dropout": [0.0, 0.1, 0.3]}, 40, breast_cancer, 0.2,
        dtype="float64",
    ),
    Predicted(
        "5,400 regressions of 1 to 90 units, relu and tanh, 1 to 3 layers", _regression,
        {"hidden": list(range(1, 91)), "activation": ["relu", "tanh"], "depth": [1, 2, 3]}, 10, regression,
    ),
    Predicted(
        "three small networks, 120,000 full batches of 1,000", _moons, {"learning_rate": [0.1, 0.2, 0.3]}, 1, moons
    ),
    Predicted(
        "wide on 784 inputs, batches of 128, RMSprop", _images,
        {"learning_rate": [1e-4, 1e-3], "hidden": [16, 64, 128, 200]}, 2, images, 0.1,
    ),
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="1 run each")
    parser.add_argument("--out", default=str(RESULTS / "prediction.json"), help="file for the rows")
    options = parser.parse_args()
    hold_to_one_core()
    rows = list(measured(1 if options.quick else 5))
    write(Path(options.out), rows)
    wrong = [row["what"] for row in rows if abs(row["predicted"] / row["measured"] - 1) > WITHIN]
    print(f"{len(rows) - len(wrong)} of {len(rows)} within {WITHIN:.0%}", *wrong, sep="\n  ")


def measured(runs: int) -> Iterator[dict[str, Any]]:
    """Yield a row for each sweep: seconds predicted, and the median of those that its runs took."""
    for one in SWEEPS:
        started = time.perf_counter()
        scale = machine_scale(one.dtype)
        calibration = time.perf_counter() - started
        data = one.load()
        sweep = Sweep(one.build, one.space, repeats=one.repeats, dtype=one.dtype)
        study = sweep.study(data.X, data.y, one.validation)
        predicted = predicted_seconds(study.plan(list(study.jobs.values())), workers=1)
        times = []
        for _ in range(runs):
            started = time.perf_counter()
            sweep.run(data.X, data.y, validation=one.validation, n_jobs=1, progress=False)
            times.append(time.perf_counter() - started)
        row = {
            "what": one.title,
            "predicted": predicted,
            "measured": statistics.median(times),
            "runs": times,
            "scale": scale,
            "calibration": calibration,
        }
        print({**row, "error": predicted / row["measured"] - 1}, flush=True)
        yield row


if __name__ == "__main__":
    main()
