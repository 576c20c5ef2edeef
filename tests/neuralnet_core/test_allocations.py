"""Training takes its memory before the first step: ten epochs and five hundred ask for none.

A child process loads a counter of malloc, calloc, realloc, aligned allocations and mmap before the C library.
With PYTHONMALLOC=malloc every object that Python makes is counted too. At the end every step is made to ask for memory,
which must be seen.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from compiling import shared_library

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc",
    reason="the counter stands before glibc (Linux); macOS has another door",
)

# Each training is paused after its first epoch, after 10 more and after 500 more.
COUNTED = """
import ctypes, json, sys
from dataclasses import replace
import numpy as np
from neuralnet_core import *
from neuralnet_core import rounds

library = ctypes.CDLL(sys.argv[1])
calls = library.memory_calls
calls.restype = ctypes.c_uint64
found, known = [], []

def calls_during(work):
    before = calls()
    work()
    return calls() - before

def advance(pack, epochs):
    if pack in known:
        return pack.train(epochs)
    known.append(pack)
    pack.train(1)
    calls_during(lambda: pack.train(0))
    found.append([calls_during(lambda: pack.train(epochs)) for epochs in (0, 10, 500)])

rounds.advance = advance

N, EPOCHS = 300, 511
X = (np.arange(N * 4) * 7919 % 1009).reshape(N, 4) / 504.0 - 1.0
y = X[:, :2] * 0.5
patient = EarlyStopping(patience=EPOCHS)
small = Network([Dense(3, "tanh"), Dense(2)])
dropped = Network([Dropout(0.2), Dense(3, "gelu"), Dropout(0.5), Dense(2)])
classes = Network([Dense(3, "softplus"), Dense(2)], loss="softmax_cross_entropy")
cases = {
    "gradient descent": (small, GradientDescent(1e-3)),
    "clipped momentum": (small, Momentum(1e-3, clip_norm=0.1, l1=1e-4, l2=1e-4)),
    "nesterov, its rate by schedule": (small, Momentum(WarmUp(5, CosineDecay(1e-3, 500)), nesterov=True)),
    "rmsprop": (small, RMSprop(1e-4)),
    "adam with dropout": (dropped, Adam(1e-4)),
    "adamw on classes": (classes, AdamW(1e-4)),
    "early stopping": (small, Adam(1e-4, early_stopping=patient)),
    "some stop early": (small, [Adam(1e-4, early_stopping=replace(patient, patience=p)) for p in (EPOCHS, 1, 2)]),
    "full batch": (small, GradientDescent(1e-3, batch_size=None)),
}
report = {}
for dtype in ("float32", "float64"):
    for name, (network, optimizers) in cases.items():
        for count in (1, 3, 17):
            given = optimizers if isinstance(optimizers, list) else [optimizers]
            given = [replace(given[i % len(given)], epochs=EPOCHS) for i in range(count)]
            for rows in (40, N):
                given = [replace(o, batch_size=o.batch_size and rows - 3) for o in given]
                targets = (y[:rows, 0] > 0).astype(int) if network is classes else y[:rows]
                options = {} if name == "rmsprop" else {"validation": (X[:9], targets[:9])}
                found.clear()
                known.clear()
                train_many(network, given, X[:rows], targets, seeds=range(count), dtype=dtype, **options)
                assert found
                report[f"{name}, {count} networks, {rows} samples, {dtype}"] = list(found)
control = calls_during(lambda: [bytearray(1000) for _ in range(1000)])

library.plant()
found.clear()
known.clear()
train_many(small, GradientDescent(1e-3, epochs=EPOCHS), X[:40], y[:40], seeds=0)
print(json.dumps([control, found, report]))
"""


def test_ten_epochs_and_five_hundred_make_the_same_number_of_calls_for_memory(tmp_path: Path) -> None:
    library = tmp_path / "malloc_counter.so"
    shared_library("malloc_counter.c", library, "-O1")
    environment = {**os.environ, "LD_PRELOAD": str(library), "PYTHONMALLOC": "malloc"}
    run = subprocess.run(
        [sys.executable, "-c", COUNTED, str(library)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    control, planted, report = json.loads(run.stdout)
    assert control >= 2000  # it counts: a thousand objects, each with a buffer
    assert len(planted) == 1
    for none, ten, more in planted:  # and sees what a step of the engine asks for
        assert ten - none >= 10
        assert more - none >= 500
    assert len(report) == 2 * 9 * 3 * 2
    different = {name: packs for name, packs in report.items() if any(len(set(calls)) > 1 for calls in packs)}
    assert not different  # calls during 0, 10 and 500 epochs
