"""A network's bits depend on nothing but its own configuration: not on neighbours, workers, order or back end."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuralnet_core import Dense, Dropout, Model, Momentum, Network, Optimizer, derive_seed
from sweep import Sweep, parallel_train
from sweep.splits import split_rows

RNG = np.random.default_rng(0)
X = RNG.normal(size=(70, 5))
TARGETS = np.tanh(X @ RNG.normal(size=(5, 2)))
NETWORK = Network([Dense(7, "tanh"), Dropout(0.2), Dense(2)], loss="mse")
COUNTS = (1, 2, 7, 8, 9, 17)
WILD = 2  # the place of a network that diverges

RATES = [0.001 * 1.7**place for place in range(9)]
PENALTIES = [0.0, 1e-3]
SETTINGS = [*product(RATES, PENALTIES)][:17]
SPLITS = [split_rows(TARGETS, 0.2, seed, stratify=False) for seed in (11, 12, 13)]
SEEDS = (101, 102, 103)


def optimizer(place: int) -> Optimizer:
    rate, penalty = SETTINGS[place]
    return Momentum(1e30 if place == WILD else rate, momentum=0.9, l2=penalty, epochs=4, batch_size=16)


def fingerprint(model: Model) -> str:
    """Return a hash of all that came of a training; of a diverged one that is its history."""
    digest = hashlib.sha256(f"{model.state} {model.epoch}".encode())
    for name, values in sorted(model.history_arrays.items()):
        digest.update(name.encode() + values.tobytes())
    if model.state == "done":
        for name, values in sorted(model.parameters.items()):
            digest.update(name.encode() + np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def train(places: list[tuple[int, int]], dtype: str = "float32", **options: Any) -> list[str]:
    """Train networks given as (setting, repeat) together."""
    models = parallel_train(
        NETWORK,
        [optimizer(setting) for setting, _ in places],
        X,
        TARGETS,
        seeds=[SEEDS[repeat] for _, repeat in places],
        rows=[SPLITS[repeat][0] for _, repeat in places],
        validation_rows=[SPLITS[repeat][1] for _, repeat in places],
        dtype=dtype,
        **({"n_jobs": 1} | options),
    )
    return [fingerprint(model) for model in models]


@pytest.fixture(scope="module", params=["float32", "float64"])
def dtype(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def alone(dtype: str) -> dict[tuple[int, int], str]:
    """Return the fingerprint of each (setting, repeat), trained by itself on a copy of its rows."""
    found = {}
    for setting, repeat in product(range(17), range(3)):
        rows, held_out = SPLITS[repeat]
        model = NETWORK.train(
            X[rows],
            TARGETS[rows],
            optimizer(setting),
            seed=SEEDS[repeat],
            validation=(X[held_out], TARGETS[held_out]),
            dtype=dtype,
        )
        assert (model.state == "diverged") == (setting == WILD)
        found[setting, repeat] = fingerprint(model)
    return found


# Divergence warns where a network is trained directly; it is meant here.
pytestmark = pytest.mark.filterwarnings("ignore:.*diverged:RuntimeWarning")


def test_all_of_these_networks_differ(alone: dict[tuple[int, int], str]) -> None:
    trained = [found for (setting, _), found in alone.items() if setting != WILD]
    assert len(set(trained)) == len(trained) == 48


@pytest.mark.parametrize("count", COUNTS)
def test_any_number_of_neighbours(alone: dict[tuple[int, int], str], dtype: str, count: int) -> None:
    places = [(setting, 0) for setting in range(count)]
    assert train(places, dtype) == [alone[place] for place in places]


@pytest.mark.parametrize("count", COUNTS)
def test_repeats_mixed_in_one_pack(alone: dict[tuple[int, int], str], dtype: str, count: int) -> None:
    places = [(setting, setting % 3) for setting in range(count)]
    assert train(places, dtype) == [alone[place] for place in places]


@pytest.mark.parametrize("shift", range(0, 17, 3))
def test_any_position(alone: dict[tuple[int, int], str], dtype: str, shift: int) -> None:
    places = [((setting + shift) % 17, (setting * 2) % 3) for setting in range(17)]
    assert train(places, dtype) == [alone[place] for place in places]


@pytest.mark.parametrize(("backend", "workers"), [("sequential", 1), ("threads", 2), ("processes", 2)])
def test_any_workers(alone: dict[tuple[int, int], str], dtype: str, backend: str, workers: int) -> None:
    places = list(product(range(17), range(3)))
    assert train(places, dtype, backend=backend, n_jobs=workers) == [alone[place] for place in places]


# --- Whole sweeps -------------------------------------------------------------------------------------------


def build(setting: int, width: int) -> tuple[Network, Optimizer]:
    return Network([Dense(width, "relu"), Dense(2)], loss="mse"), optimizer(setting)


@pytest.fixture(scope="module")
def whole() -> Any:
    """Return the table of a sweep of unlike networks, trained one after another."""
    return sweep_table(backend="sequential", n_jobs=1)


def sweep_table(settings: Any = range(17), widths: Any = (3, 8), **options: Any) -> Any:
    sweep = Sweep(build, {"setting": list(settings), "width": list(widths)}, repeats=3)
    table = sweep.run(X, TARGETS, validation=0.2, **options).trials
    return table.drop(columns=["started", "seconds", "worker"])


@pytest.mark.parametrize(("backend", "workers"), [("threads", 1), ("threads", 2), ("processes", 2)])
def test_a_sweep_has_one_table(whole: Any, backend: str, workers: int) -> None:
    assert sweep_table(backend=backend, n_jobs=workers).equals(whole)
    assert set(whole["state"]) == {"done", "diverged"}


@pytest.mark.parametrize("count", COUNTS)
def test_a_part_of_a_sweep_is_a_part_of_its_table(whole: Any, count: int) -> None:
    part = sweep_table(settings=range(count), widths=(8,), n_jobs=1)
    like = whole[(whole["params_setting"] < count) & (whole["params_width"] == 8)]
    numbers = ["trial", "configuration"]  # where a trial stands in its own sweep
    assert part.drop(columns=numbers).equals(like.drop(columns=numbers).reset_index(drop=True))


def test_a_trial_is_its_network_trained_alone_on_its_rows() -> None:
    sweep = Sweep(build, {"setting": [0, 1, 3], "width": [8]}, repeats=2, seed=9)
    results = sweep.run(X, TARGETS, validation=0.2, n_jobs=2, keep_models=True)
    for row in results.trials.itertuples():
        rows, held_out = split_rows(TARGETS, 0.2, derive_seed(9, row.repeat, 0), stratify=False)
        network, how = build(row.params_setting, 8)
        validation = (X[held_out], TARGETS[held_out])
        model = network.train(X[rows], TARGETS[rows], how, seed=row.seed, validation=validation)
        assert fingerprint(model) == fingerprint(results.model(row.trial))
        assert model.digest() == row.digest
        assert model.score(*validation) == row.validation_r2


# --- A library that turns flush-to-zero on ------------------------------------------------------------------

# What gcc links into a shared object for -Ofast; newer ones leave it out, so it is spelt out as well.
FLUSHING = """
#if defined(__x86_64__)
#include <xmmintrin.h>
__attribute__((constructor)) static void flush(void) { _mm_setcsr(_mm_getcsr() | 0x8040); }
#elif defined(__aarch64__)
__attribute__((constructor)) static void flush(void)
{
    unsigned long control;
    __asm__ volatile("mrs %0, fpcr" : "=r"(control));
    __asm__ volatile("msr fpcr, %0" : : "r"(control | (1UL << 24)));
}
#endif
int loaded(void) { return 1; }
"""

FLUSHED = """
import ctypes, json, sys, threading
import numpy as np
from neuralnet_core import Adam, Dense, GradientDescent, Network
from sweep import Sweep, parallel_train

def flushes():
    return float("3e-308") / float("4") == 0.0

before = flushes()
if sys.argv[1]:
    ctypes.CDLL(sys.argv[1])
seen = [flushes()]
thread = threading.Thread(target=lambda: seen.append(flushes()))
thread.start()
thread.join()

X = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
y = X.sum(axis=1)
# Numbers that are subnormal in float32, given in float64: the conversion must not flush them either.
tiny = np.frombuffer(bytes.fromhex(sys.argv[2]), np.float64).reshape(64, 3)
linear = Network([Dense(1, initializer=0.0)])
models = parallel_train(linear, [GradientDescent(r, epochs=3) for r in (0.1, 0.2, 0.3)], tiny, y, seeds=0, n_jobs=2)

def build(rate):
    return Network([Dense(6, "tanh"), Dense(1)]), Adam(rate, epochs=10, batch_size=8)

sweep = Sweep(build, {"rate": [10.0**-k for k in range(1, 20)]}, repeats=3)
results = sweep.run(X, y, validation=(X[:13], y[:13]), n_jobs=2, keep_models=True)
print(json.dumps({
    "flushed": [before, *seen],
    "weights": [m.parameters["0.weight"].tobytes().hex() for m in models],
    "losses": [m.history_arrays["train_loss"].tobytes().hex() for m in models],
    "digests": [results.model(trial).digest() for trial in range(57)],
}))
"""


def flushed_run(library: str) -> dict[str, Any]:
    bits = np.random.default_rng(1).integers(1, 2**23, size=(64, 3)).astype(np.uint32)
    tiny = bits.view(np.float32).astype(np.float64).tobytes().hex()
    run = subprocess.run(
        [sys.executable, "-c", FLUSHED, library, tiny], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    return found


@pytest.mark.skipif(
    shutil.which("gcc") is None, reason="needs gcc to build a library that turns flush-to-zero on"
)
def test_a_library_that_turns_flush_to_zero_on_changes_nothing(tmp_path: Path) -> None:
    source, library = tmp_path / "flushing.c", tmp_path / "flushing.so"
    source.write_text(FLUSHING)
    subprocess.run(["gcc", "-shared", "-fPIC", "-Ofast", str(source), "-o", str(library)], check=True)
    plain, flushed = flushed_run(""), flushed_run(str(library))
    assert plain.pop("flushed") == [False, False, False]
    assert flushed.pop("flushed") == [False, True, True]  # before; then in the main thread and in a new one
    assert flushed == plain
    weights = np.frombuffer(bytes.fromhex("".join(plain["weights"])), np.float32)
    assert np.all(weights != 0)
    assert np.all(np.abs(weights) < np.finfo(np.float32).tiny)  # subnormal: they would have been flushed
