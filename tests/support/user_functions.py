"""Functions as users write them: good ones, wrong ones, and some that end the process they run in."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np


def distance(params: dict[str, Any], seed: int, X: Any, y: Any) -> dict[str, float]:
    """Return numbers that depend on all that is given."""
    return {"distance": float(abs(X @ np.full(X.shape[1], params["a"]) - y).mean() + seed / 2**40)}


def held_out(params: dict[str, Any], seed: int, X: Any, y: Any, validation: Any) -> dict[str, float]:
    """Return the rows that were given."""
    rows = {"n_train": len(X), "first_train": X[0, 0], "last_train": X[-1, 0], "sum": X.sum() + y.sum()}
    if validation is None:
        return rows
    return rows | {"n_validation": len(validation[0]), "first_validation": validation[0][0, 0]}


def weighted(params: dict[str, Any], seed: int, X: Any, y: Any, **extras: Any) -> dict[str, float]:
    """Return the sum of the weights, and what came by name."""
    weights = extras["sample_weight"]
    return {"weight": -1.0 if weights is None else weights.sum(), "extras": len(extras)}


def greedy(params: dict[str, Any], seed: int, X: Any, y: Any) -> dict[str, float]:
    """Change all that was given."""
    before = X.sum() + y.sum() + len(params["layers"]) + params.pop("a")
    params["layers"].append(3)
    X[:] = 0
    y[:] = 0
    return {"before": before}


def sort_of(params: dict[str, Any], seed: int, X: Any, y: Any) -> Any:
    """Return, raise or do what `kind` says."""
    kind = params["kind"]
    if kind in KINDS:
        return KINDS[kind]()
    return {"validation_accuracy": (params.get("number", 0) % 97) / 97}


def hang() -> None:
    """Sleep for longer than anybody waits."""
    time.sleep(3600)


def half_an_answer() -> None:
    """Begin an answer of a hundred bytes as a worker does, and die within it."""
    token, tasks = map(int, sys.argv[3:5])
    os.write(tasks, token.to_bytes(8, "little") + (100).to_bytes(8, "little") + b"o")
    os._exit(3)


def write_everywhere(noise: bytes) -> dict[str, float]:
    """Write into every file that is open, as who mistakes a number for a descriptor, and go on."""
    for file in range(3, 60):
        with contextlib.suppress(OSError):
            os.write(file, noise)
    return {"validation_accuracy": 0.5}


def segfault() -> None:
    """Read where nothing is."""
    ctypes.string_at(0)


def exhaust_memory() -> None:
    """Ask for more and more, and keep it, within a limit for this process."""
    used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**26, resource.RLIM_INFINITY))
    while True:
        KEPT.append(bytearray(2**22))


def leave_a_child() -> dict[str, float]:
    """Start a process that outlives this call, and hold this one's connections open in it."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"], close_fds=False)
    return {"child": child.pid}


def fork() -> dict[str, float]:
    """Forget to end the copy of this process that was forked."""
    return {"copied": float(os.fork() == 0)}


def raise_in_a_fork() -> dict[str, float]:
    """Fork, and raise an error in the copy."""
    if os.fork() == 0:
        raise ValueError("only the copy failed")
    return {"copied": 0.0}


def raise_error() -> None:
    """Raise what users' functions raise."""
    raise ValueError("no such\nkernel")


def interrupt() -> None:
    """Raise what Ctrl-C raises, though nobody pressed it."""
    raise KeyboardInterrupt


class Cancelled(BaseException):
    """What libraries raise past everybody's `except Exception`."""


def cancel() -> None:
    """Raise such an error."""
    raise Cancelled("enough")


KEPT: list[bytearray] = []
KINDS: dict[str, Any] = {
    "hang": hang,
    "segfault": segfault,
    "half": half_an_answer,
    "a word": lambda: write_everywhere(b"garbage"),
    "much": lambda: write_everywhere(b"garbage" * 100_000),
    "nothing": lambda: write_everywhere(bytes(4)),
    "like an answer": lambda: write_everywhere(b"\0\0\0\x05oabcd" * 100),
    "exit": lambda: os._exit(3),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "memory": exhaust_memory,
    "child": leave_a_child,
    "fork": fork,
    "forked raise": raise_in_a_fork,
    "raise": raise_error,
    "interrupt": interrupt,
    "cancel": cancel,
    "signal": lambda: signal.raise_signal(signal.SIGINT),
    "sys.exit": lambda: sys.exit("enough"),
    "nan": lambda: {"validation_accuracy": float("nan"), "rows": 3},
    "infinite": lambda: {"validation_accuracy": 0.5, "loss": np.float32("inf")},
    "none": lambda: None,
    "empty": dict,
    "text": lambda: {"validation_accuracy": "0.5"},
    "array": lambda: {"validation_accuracy": np.ones(3)},
    "complex": lambda: {"validation_accuracy": 1j},
    "huge": lambda: {"validation_accuracy": 10**5000},
    "number": lambda: {3: 0.5},
    "column": lambda: {"seed": 0.5},
    "parameter": lambda: {"params_kind": 0.5},
    "surrogate": lambda: {"\ud800": 0.5},
    "own text": lambda: {type("Text", (str,), {})("validation_accuracy"): 0.5},
}


def slow(params: dict[str, Any], seed: int, X: Any, y: Any) -> dict[str, float]:
    """Take the time that `seconds` says, in Python."""
    until = time.perf_counter() + params["seconds"]
    while time.perf_counter() < until:
        pass
    return {"loss": params["number"] * 0.5}


def second_time(params: dict[str, Any], seed: int, X: Any, y: Any) -> dict[str, float]:
    """Fail the first time; the next time the first trial succeeds and the others take for ever."""
    mark = Path(params["folder"], str(params["number"]))
    if not mark.exists():
        mark.touch()
        raise ValueError("not yet")
    if params["number"]:
        hang()
    return {"loss": 0.5}


def noted(params: dict[str, Any], seed: int, X: Any, y: Any) -> dict[str, float]:
    """Write the call down in a file, then take the time that `seconds` says and return its number."""
    call = params["number"] * 1000 + seed % 1000
    with open(params["log"], "a", encoding="ascii") as log:
        log.write(f"{os.getpid()} {call}\n")
    time.sleep(params["seconds"])
    return {"call": call, "loss": call % 97 / 97}


def endless(params: dict[str, Any], seed: int, X: Any, y: Any) -> None:
    """Write the call down in a file, then go on for ever, in Python."""
    noted({**params, "seconds": 0}, seed, X, y)
    while True:
        pass


class Bomb(dict[str, Any]):
    """A network's initial values that end whoever reads them, in another process than this."""

    def __reduce__(self) -> Any:
        return bomb, (os.getpid(),)


def bomb(home: int) -> None:
    """End the process that this is called in, except at home."""
    if os.getpid() != home:
        os.kill(os.getpid(), signal.SIGKILL)
