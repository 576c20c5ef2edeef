"""What a stranger may give us, as functions of bytes: each must end as documented, whatever the bytes are."""

from __future__ import annotations

import contextlib
import io
import json
import math
import sqlite3
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuralnet_core import Dense, EarlyStopping, GradientDescent, Model, Momentum, Network, model_header
from neuralnet_core.npz import npz_bytes
from sweep import Results, Sweep, datasets
from sweep.config import load_experiment
from sweep.errors import UserError
from sweep.export import as_csv, as_json, readable_summary, readable_trials
from sweep.replay import Replay
from sweep.reporting import closing_lines
from sweep.status import Status
from sweep.store import Store, StoreError

FORMAT_1 = Path(__file__).resolve().parents[1] / "sweep" / "store" / "format_1.db"
EXPERIMENTS = FORMAT_1.parents[3] / "experiments"
LARGEST_SET = 10**5  # numbers of a generated data set: so that an execution takes milliseconds


@dataclass(frozen=True)
class Target:
    """A function of bytes, and bytes to begin with."""

    run: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]


@cache
def folder() -> Path:
    """Return a folder for the files that targets write."""
    made = Path(tempfile.mkdtemp(prefix="fuzz-"))
    (made / "data.csv").write_text("a,b,y\n1,2,0\n3,4,1\n5,6,0\n7,8,1\n")
    return made


# --- Configurations ---------------------------------------------------------------------------------------------

SMALL = """
data = {file = "data.csv", target = "y"}
optimizer = {type = "Adam", learning_rate = "$rate", epochs = 3}
samples = 3
space = {rate = {distribution = "loguniform", low = 1e-3, high = 1.0}}
[network]
layers = [{type = "Dense", units = 4, activation = "relu"}, {type = "Dense", units = 1}]
loss = "binary_cross_entropy"
"""


def read_configuration(content: bytes) -> None:
    """Read an experiment file and, after zero bytes, overrides of the command line."""
    text, *overrides = content.split(b"\0")
    file = folder() / "experiment.toml"
    file.write_bytes(text)
    datasets.MOST_NUMBERS = LARGEST_SET
    with warnings.catch_warnings(), contextlib.suppress(UserError):
        warnings.simplefilter("ignore")
        experiment = load_experiment(file, [one.decode(errors="replace") for one in overrides])
        experiment.describe()
        experiment.sweep.build(**experiment.sweep.space[experiment.sweep.space.size - 1])


def configurations() -> list[bytes]:
    """Return the experiments of this repository, and small ones."""
    texts = [path.read_bytes() for path in sorted(EXPERIMENTS.glob("*.toml"))]
    overridden = b"\0".join(
        [SMALL.encode(), b"optimizer.epochs=5", b"space.rate=[0.1, 0.2]", b"dtype=float64"]
    )
    return [*texts, SMALL.encode(), overridden]


# --- Stores -----------------------------------------------------------------------------------------------------


def read_store(content: bytes) -> None:
    """Read a store in every way, if the bytes are one."""
    datasets.MOST_NUMBERS = LARGEST_SET
    path = folder() / "fuzzed.sweep"
    for old in folder().glob("fuzzed.sweep*"):
        old.unlink()
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _read_results(path)


def _read_results(path: Path) -> None:
    with contextlib.suppress(StoreError):
        with Store.read(path) as store:
            store.configurations("float32")
        str(Status.of(path))
        results = Results.open(path)
        repr(results)
        results._repr_html_()
        for table in (results.trials, results.summary, results.curves):
            as_csv(table)
            as_json(table)
        readable_trials(results)
        readable_summary(results)
        closing_lines(results)
        with contextlib.suppress(UserError):
            Replay(path).study  # noqa: B018
        for ask in (lambda: results.best, results.model, results.compare):
            with contextlib.suppress(ValueError):  # which says what there is not
                ask()


def small_store() -> bytes:
    """Return the bytes of a store with results of every kind and a model."""
    path = folder() / "seed.sweep"
    path.unlink(missing_ok=True)
    X = np.arange(40.0).reshape(20, 2) / 40

    def build(units: int, rate: float) -> tuple[Network, Momentum]:
        return Network([Dense(units, "relu"), Dense(1)]), Momentum(rate, epochs=2)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sweep = Sweep(build, {"units": [2, 0], "rate": [0.1, 1e38]}, repeats=2)
        source = {"folder": str(folder()), "data": {"file": "data.csv", "target": "y"}}
        sweep.run(X, X.sum(axis=1), validation=0.2, n_jobs=1, store=path, keep_models=True, source=source)
    return path.read_bytes()


def write_values(content: bytes) -> None:
    """Change values of a good store by what the bytes say, then read it: JSON of [table, column, value] lists."""
    datasets.MOST_NUMBERS = LARGEST_SET
    path = folder() / "changed.sweep"
    for old in folder().glob("changed.sweep*"):
        old.unlink()
    path.write_bytes(_seed_store())
    with (
        contextlib.closing(sqlite3.connect(path)) as connection,
        contextlib.suppress(sqlite3.Error, OverflowError),
    ):
        for statement, value in _changes(content):
            connection.execute(statement, (value,))
        connection.commit()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _read_results(path)


_seed_store = cache(small_store)
COLUMNS = {
    "sweep": ("key", "value"),
    "networks": ("network", "value"),
    "configurations": ("params", "network", "optimizer", "error"),
    "trials": ("configuration", "repeat", "fold", "seed", "identity"),
    "records": ("state", "epoch", "metrics", "error", "digest", "started", "seconds", "worker"),
    "curves": ("metric", "points"),
    "models": ("npz",),
    "last_commit": ("at",),
}
PLACES = [(table, column) for table, columns in COLUMNS.items() for column in columns]


def _changes(content: bytes) -> Iterator[tuple[str, object]]:
    """Yield (statement, value) of each change: a line is a place, which rows, and a value."""
    for line in content.split(b"\n")[:8]:
        if len(line) < 2:
            continue
        table, column = PLACES[line[0] % len(PLACES)]
        rows = "" if line[1] % 2 else f" WHERE {column} = (SELECT {column} FROM {table} LIMIT 1)"
        yield f"UPDATE OR IGNORE {table} SET {column} = ?{rows}", _plain(line[2:])


def _plain(value: bytes) -> object:
    """Return bytes as what they are most like: a number, a text, or a blob."""
    for read in (int, float):
        with contextlib.suppress(ValueError):
            return read(value)
    if value == b"null":
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


def changes() -> list[bytes]:
    """Return a change of each place to something like what is there."""
    values = [
        b'{"a": 1}',
        b"[]",
        b"-1",
        b"9e999",
        b"null",
        b"done",
        b"\xff" * 9,
        json.dumps({"a": [None, "$x"]}).encode(),
    ]
    return [
        bytes([place, rows]) + value for place in range(len(PLACES)) for rows in (0, 1) for value in values
    ]


# --- Models -----------------------------------------------------------------------------------------------------


def read_model(content: bytes) -> None:
    """Read a model's file; what can be read can be used and written again."""
    try:
        model = Model.from_bytes(content)
    except ValueError:
        return
    model.digest()
    model.metrics  # noqa: B018
    if math.prod(model.input_shape) <= LARGEST_SET:
        with np.errstate(all="ignore"):
            model.predict(np.zeros((2, *model.input_shape)))
    assert Model.from_bytes(model.to_bytes()).digest() == model.digest()


def models() -> list[bytes]:
    """Return small models of several kinds."""
    X = np.arange(12.0).reshape(6, 2)
    early = GradientDescent(0.01, epochs=3, early_stopping=EarlyStopping(patience=1))
    found = [
        Network([Dense(1)]).train(X, X.sum(axis=1), early, validation=(X, X.sum(axis=1))),
        Network([Dense(2, "tanh"), Dense(1)], loss="binary_cross_entropy").train(
            X, ["a", "b"] * 3, Momentum(0.1, epochs=1), dtype="float64"
        ),
    ]
    return [model.to_bytes() for model in found]


def read_header(content: bytes) -> None:
    """Read a model's file with these bytes for a header and arrays that fit it: what no change of a whole file gets to.

    Its checksums would have to change with it.
    """
    arrays: dict[str, NDArray[Any]] = {"header": np.frombuffer(content, np.uint8)}
    with contextlib.suppress(ValueError, TypeError):
        header = model_header.read_header(content)
        slots = header.layout.parameters
        if header.epochs_trained + sum(math.prod(slot.shape) for slot in slots) <= LARGEST_SET:
            arrays |= {f"history/{name}": np.zeros(header.epochs_trained) for name in header.history}
            arrays |= {f"parameters/{slot.name}": np.zeros(slot.shape, header.dtype) for slot in slots}
    read_model(npz_bytes(arrays))


def headers() -> list[bytes]:
    """Return the headers of small models."""
    found = [np.load(io.BytesIO(content), allow_pickle=False)["header"] for content in models()]
    return [header.tobytes() for header in found]


TARGETS = {
    "configuration": Target(read_configuration, configurations),
    "store": Target(read_store, lambda: [small_store(), FORMAT_1.read_bytes()]),
    "values": Target(write_values, changes),
    "model": Target(read_model, models),
    "header": Target(read_header, headers),
}
