"""Trials and records to put into a store, and looks at its file from outside."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from sweep.jobs import Record, Trial

PARAMS = {"hidden": 8, "learning_rate": 0.1, "activation": "relu", "l2": None, "layers": (8, 4), "bias": True}


def trial(number: int = 0, **changes: object) -> Trial:
    return Trial(number, number // 2, number % 2, 0, 2**62 + number, PARAMS, f"id{number}")._replace(
        **changes
    )


def record(number: int = 0, **changes: object) -> Record:
    metrics = {"train_loss": 0.1 + number, "validation_accuracy": 1 / 3}
    curves = {"train_loss": np.array([1.0, 0.5]), "validation_accuracy": np.array([0.25, 0.5])}
    plain = Record(f"id{number}", "done", 2, metrics, curves, None, "ab12", 1.8e9 + 0.25, 0.125, "thread-0")
    return plain._replace(**changes)


def assert_whole(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def execute(path: Path, statement: str) -> int:
    """Run one statement on a store, whoever else may; return how many rows it changed."""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(statement).rowcount


def files_beside(path: Path) -> list[str]:
    return sorted(name.name for name in path.parent.iterdir())


@contextlib.contextmanager
def without_privileges() -> Iterator[None]:
    """Be nobody for a while, whom read-only files concern: root may write them."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@contextlib.contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Callable[[int], None]]:
    """Mount a disk of so many bytes in memory on a folder, for as long as the block lasts; yield what resizes it."""

    def mount(options: str) -> subprocess.CompletedProcess[str]:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    mounted = mount(f"size={size}")
    if mounted.returncode != 0:
        pytest.skip(f"a disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield lambda size: mount(f"remount,size={size}").check_returncode()
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill_up(folder: Path) -> None:
    """Take all that is free on the disk of a folder."""
    with contextlib.suppress(OSError), (folder / "others").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
