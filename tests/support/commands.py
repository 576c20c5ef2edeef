"""Commands as users type them, in this process or in one of their own; and an experiment for them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MOONS = """
repeats = 3
validation = 0.2
data = {name = "moons", n_samples = 200, noise = 0.2}
network = {layers = [{type = "Dense", units = "$hidden"}, {type = "Dense", units = 1}], loss = "binary_cross_entropy"}
optimizer = {type = "Adam", learning_rate = "$learning_rate", epochs = 4}

[space]
hidden = [4, 8]
learning_rate = [0.001, 0.01]
"""


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        return self.err.splitlines()


Run = Callable[..., Outcome]


def start(
    *arguments: str, folder: Path, program: str = "from sweep.cli import main; main()"
) -> subprocess.Popen[str]:
    """Start a command in a process of its own."""
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.Popen(command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
