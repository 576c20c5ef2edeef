"""Measure what trainings take in the engine and fit `neuralnet_core/cost_table.py` to it.

    python tools/engine_costs.py measure [--instruction-sets v3,v4] [--cases 150] [--out tools/engine_costs.csv]
    python tools/engine_costs.py fit
    python tools/engine_costs.py check

`measure` trains packs of random shapes in every way (what the lanes are, instruction set, width) and writes a row for
each; `fit` finds the price of every kind of work (`costs.KINDS`) that makes the relative errors of all rows small;
`check` says how large they are, on every third row by prices fitted to the others. The rows of tanh and gelu are from
before NUMERICS_VERSION 5, which made them cheaper: measure before you fit.
"""

from __future__ import annotations

import argparse
import csv
import textwrap
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from neuralnet_core import (
    ACTIVATIONS,
    Adam,
    Dense,
    Dropout,
    GradientDescent,
    Momentum,
    Network,
    Optimizer,
    RMSprop,
    costs,
)
from neuralnet_core.batch import Task
from neuralnet_core.engine.dispatch import instruction_sets, kernel, supported_sets
from neuralnet_core.lanes import Lane, Setting
from neuralnet_core.packing import Pack
from neuralnet_core.plans import make_plan
from neuralnet_core.training import train_many
from neuralnet_core.ways import SLICED, Mode, Way

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "tools" / "engine_costs.csv"
PRICES = ROOT / "neuralnet_core" / "cost_table.py"
OPTIMIZERS: dict[str, type[Optimizer]] = {
    "GradientDescent": GradientDescent, "Momentum": Momentum, "RMSprop": RMSprop, "Adam": Adam,
}  # fmt: skip
MODES: tuple[Mode, ...] = ("networks", "units", "slices")
SHORTEST = 0.004  # seconds that a timed call takes at least
RUNS = 5
OTHERS = 3  # one row in so many is kept back to check the prices


@dataclass(frozen=True)
class Case:
    """What was trained in one row, and how long an epoch took; widths are of the dense layers, outputs last."""

    mode: Mode
    instruction_set: str
    dtype: str
    inputs: int
    widths: str
    activation: str
    dropout: bool
    classes: bool
    optimizer: str
    clips: bool
    batch_size: int
    rows: int
    validation_rows: int
    mixes_orders: bool
    microseconds: float = 0.0

    @property
    def way(self) -> Way:
        """The way it trains."""
        return Way(self.mode, self.instruction_set)

    @property
    def network(self) -> Network:
        """The network."""
        *hidden, outputs = (int(width) for width in self.widths.split("-"))
        layers: list[Dense | Dropout] = []
        for units in hidden:
            layers.append(Dense(units, self.activation))
            layers += [Dropout(0.2)] if self.dropout else []
        return Network([*layers, Dense(outputs)], loss="softmax_cross_entropy" if self.classes else "mse")

    def training(self, epochs: int) -> Optimizer:
        """Return how it is trained, so gently that nothing diverges."""
        clip = 1.0 if self.clips else None
        return OPTIMIZERS[self.optimizer](1e-5, epochs=epochs, batch_size=self.batch_size, clip_norm=clip)

    @property
    def pieces(self) -> list[float]:
        """The work of an epoch."""
        recipe = costs.recipe_of(
            self.training(1), (self.inputs,), self.dtype, self.rows, self.validation_rows
        )
        return costs.pieces_of_work(self.network, recipe, self.way, self.mixes_orders)

    @property
    def group(self) -> tuple[str, str, str]:
        """The rows that share prices."""
        return self.mode, self.instruction_set, self.dtype


# --- Measuring ------------------------------------------------------------------------------------------------------


def random_case(random: np.random.Generator, mode: Mode, instruction_set: str, dtype: str) -> Case:
    """Return a network and its training, of sizes from tiny to what still belongs here."""
    depth = int(random.choice([1, 2, 3, 4], p=[0.1, 0.45, 0.3, 0.15]))
    classes = bool(random.random() < 0.5)
    outputs = int(random.integers(2, 12)) if classes else int(random.choice([1, 1, 1, 3]))
    widest = 6.0 if mode == "networks" else 6.5
    hidden = [int(np.exp(random.uniform(0.7, widest if depth < 4 else 5.0))) for _ in range(depth - 1)]
    inputs = int(np.exp(random.uniform(0.7, 6.7 if random.random() < 0.25 else 4.5)))
    batch = int(np.exp(random.uniform(1.4, 6.0)))
    if mode == "slices":
        batch = int(np.exp(random.uniform(np.log(SLICED + 1), 7.5)))
    minibatches = 1 if mode == "slices" else int(random.integers(1, 6))
    rows = max(outputs, batch * minibatches + int(random.integers(0, batch)) * (minibatches > 1))
    return Case(
        mode=mode,
        instruction_set=instruction_set,
        dtype=dtype,
        inputs=inputs,
        widths="-".join(map(str, [*hidden, outputs])),
        activation=str(random.choice(["relu", "relu", "tanh", "identity"])),
        dropout=bool(random.random() < 0.15),
        classes=classes,
        optimizer=str(random.choice(list(OPTIMIZERS))),
        clips=bool(random.random() < 0.15),
        batch_size=batch,
        rows=rows,
        validation_rows=int(random.integers(1, 600)) if random.random() < 0.3 else 0,
        mixes_orders=mode == "networks" and batch < rows and bool(random.random() < 0.3),
    )


def measured(case: Case) -> Case:
    """Return the case with its time: the least of several runs, as others disturb and never help."""
    random = np.random.default_rng(0)
    n = case.rows + case.validation_rows
    network = case.network
    outputs = network.build(case.inputs).output_shape[0]
    y = np.arange(n) % outputs if case.classes else random.normal(size=(n, outputs))
    task = Task(random.normal(size=(n, case.inputs)).astype(case.dtype), y, None, None, case.dtype)
    rows, held_out = np.arange(case.rows), np.arange(case.rows, n)
    data, _ = task.data_for(Setting(network, case.training(1), (case.inputs,), rows))
    count = kernel(case.dtype, case.instruction_set).lanes if case.mode == "networks" else 1

    def run(epochs: int) -> float:
        optimizer = case.training(epochs)
        seeds = range(count) if case.mixes_orders else [0] * count
        validated = held_out if len(held_out) else None
        setting = Setting(network, optimizer, (case.inputs,), rows, validated)
        lanes = [Lane(setting, seed) for seed in seeds]
        plan = make_plan(lanes, data, np.zeros(1, np.int32), way=case.way)
        pack = plan.engine.Pack(plan)
        started = time.thread_time()
        pack.train(epochs)
        return (time.thread_time() - started) / epochs

    first = run(2)
    epochs = max(2, int(SHORTEST / first))
    best = min(run(epochs) for _ in range(RUNS))
    return Case(**{**vars(case), "microseconds": round(best * 1e6, 3)})


def measure(instruction_sets: Sequence[str], cases: int, path: Path) -> None:
    """Measure random cases in every way and write the table."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([field.name for field in fields(Case)])
        for number in range(cases):
            for place, instruction_set in enumerate(instruction_sets):
                for dtype in ("float32", "float64"):
                    for mode in MODES:
                        random = np.random.default_rng(
                            [number, place, len(dtype) + ord(dtype[-1]), ord(mode[0])]
                        )
                        case = measured(random_case(random, mode, instruction_set, dtype))
                        writer.writerow(astuple(case))
            print(f"{number + 1} of {cases}", end="\r", flush=True)


def curvature() -> dict[str, float]:
    """Return what an activation takes, a register of it, tanh being 1."""
    taken = {}
    for name in ACTIVATIONS:
        case = Case(
            "networks",
            "v3",
            "float32",
            2,
            "128-1",
            name,
            False,
            False,
            "GradientDescent",
            False,
            128,
            256,
            0,
            False,
        )
        taken[name] = min(measured(case).microseconds for _ in range(3))
    least = min(taken.values())
    scale = taken["tanh"] - least
    return {name: round(max(0.0, (value - least) / scale), 2) for name, value in taken.items()}


def seconds_outside() -> tuple[float, float]:
    """Return what a call of the engine takes around it: for a pack, and for each network of it."""
    network, optimizer = Network([Dense(2), Dense(1)]), GradientDescent(0.1, epochs=1)
    X = np.zeros((2, 2))
    way = Way("networks", instruction_sets()[0])
    lanes = kernel("float32").lanes

    def seconds_of_a_pack(size: int) -> float:
        packs = [Pack(tuple(range(start, start + size)), way, 0.0) for start in range(0, 64 * size, size)]
        runs = []
        for _ in range(7):
            started = time.thread_time()
            train_many(network, optimizer, X, X[:, 0], seeds=range(64 * size), packs=packs)
            runs.append((time.thread_time() - started) / 64)
        return min(runs)

    one, full = seconds_of_a_pack(1), seconds_of_a_pack(lanes)
    each = (full - one) / (lanes - 1)
    return one - each, each


# --- Fitting --------------------------------------------------------------------------------------------------------


def read(path: Path) -> list[Case]:
    """Return the rows of the table."""
    kinds = {field.name: str(field.type) for field in fields(Case)}
    convert = {"int": int, "float": float, "bool": lambda text: text == "True"}
    with path.open(newline="") as file:
        return [
            Case(**{name: convert.get(kinds[name], str)(text) for name, text in row.items()})
            for row in csv.DictReader(file)
        ]


def prices(cases: Sequence[Case]) -> NDArray[np.float64]:
    """Return the nanoseconds of each kind of work, none below 0, with the least squared relative errors."""
    work = np.array([case.pieces for case in cases])
    times = np.array([case.microseconds for case in cases]) * 1e3
    weight = np.ones(len(cases))
    for _ in range(5):  # large errors count as if they were smaller: a disturbed run is no law
        scale = np.maximum(np.abs(work / times[:, None]).max(axis=0), 1e-30)
        found, _ = nnls(work / times[:, None] / scale * weight[:, None], weight, maxiter=10_000)
        found = found / scale
        weight = np.sqrt(1 / np.maximum(1.0, np.abs(work @ found / times - 1) / 0.15))
    return found


def groups(cases: Sequence[Case]) -> Iterator[tuple[tuple[str, str, str], list[Case]]]:
    """Yield the rows that share prices."""
    by_group = defaultdict(list)
    for case in cases:
        by_group[case.group].append(case)
    yield from sorted(by_group.items())


def check(path: Path) -> None:
    """Say how far predictions are from what was measured, where the prices were fitted to other rows.

    Of instruction sets that this processor has: modules know how many lanes they have.
    """
    for group, cases in groups(read(path)):
        if group[1] not in supported_sets():
            print(f"{' '.join(group):26} left out: this processor has no {group[1]}")
            continue
        found = prices([case for place, case in enumerate(cases) if place % OTHERS])
        unseen = cases[::OTHERS]
        errors = np.abs([np.dot(case.pieces, found) / (case.microseconds * 1e3) - 1 for case in unseen])
        within = f"median {np.median(errors):5.1%}, nine of ten within {np.quantile(errors, 0.9):5.1%}"
        print(f"{' '.join(group):26} {len(unseen):4} rows: {within}")


def fit(path: Path) -> None:
    """Write the prices."""
    pack, network = seconds_outside()
    costs.CURVATURE.update(curvature())
    lines = [
        '"""What a piece of each kind of work takes: written by `tools/engine_costs.py`, read by `costs.py`."""',
        "",
        "from __future__ import annotations",
        "",
        f"SECONDS_PER_PACK = {pack:.2g}",
        f"SECONDS_PER_NETWORK = {network:.2g}",
        "",
        "# A register of each activation, beside one of tanh.",
        f"CURVATURE: dict[str, float] = {costs.CURVATURE!r}".replace("'", '"'),
        "",
        "# fmt: off",
        "NANOSECONDS: dict[tuple[str, str, str], dict[str, float]] = {",
    ]
    for group, cases in groups(read(path)):
        priced = zip(costs.KINDS, prices(cases), strict=True)
        numbers = ", ".join(f'"{name}":{price:.3g}' for name, price in priced if price > 0)
        indented = textwrap.indent(
            "\n".join(textwrap.wrap(numbers + ",", 100, break_on_hyphens=False)), " " * 8
        )
        indented = indented.replace('":', '": ')
        lines.append(f"    {group!r}: {{\n{indented}\n    }},".replace("'", '"'))
    PRICES.write_text("\n".join([*lines, "}", "# fmt: on", ""]))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("command", choices=["measure", "fit", "check"])
    parser.add_argument("--instruction-sets", default="v4,v3,baseline")
    parser.add_argument("--cases", type=int, default=120)
    parser.add_argument("--out", type=Path, default=TABLE)
    options = parser.parse_args()
    if options.command == "measure":
        measure(options.instruction_sets.split(","), options.cases, options.out)
    elif options.command == "fit":
        fit(options.out)
    else:
        check(options.out)


if __name__ == "__main__":
    main()
