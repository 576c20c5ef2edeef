"""Programs that run sweeps in a process of their own, to be interrupted and killed; and what is left of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

FOLDER = str(Path(__file__).parent)


def start(
    program: str, folder: Path, *, stdin: int | None = None, **environment: str
) -> subprocess.Popen[str]:
    """Start a program in a folder, which is also its home for temporary files; its output is captured."""
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    unlimited = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    return subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=folder,
        env=unlimited | {"PYTHONPATH": FOLDER, "TMPDIR": str(temporary)} | environment,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def children(pid: int) -> list[int]:
    """Return the processes that a process has started and that are alive."""
    everybody = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [one for one in everybody if is_alive(one) and _status(one)[1:2] == [str(pid)]]


def is_alive(pid: int) -> bool:
    """Whether a process is there and has not ended (one that waits for its parent to take notice has)."""
    fields = _status(pid)
    return bool(fields) and fields[0] not in "ZX"


def kill(pid: int) -> bool:
    """Kill a process at once; return whether it was there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def wait_until(holds: Callable[[], object], seconds: float = 60.0) -> bool:
    """Wait until something holds; return whether it came to that."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def leftovers(folder: Path, pids: list[int]) -> list[str]:
    """Return what processes that ended have left: temporary files, shared memory and children."""
    shared = [name for name in os.listdir("/dev/shm") if any(str(pid) in name for pid in pids)]
    return [*shared, *os.listdir(folder / "tmp"), *(str(pid) for pid in pids if is_alive(pid))]


def _status(pid: int) -> list[str]:
    """Return the state and the parent of a process, and more; nothing if there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
