"""What every test run needs: the installed packages, no figure shown or left open, repeatable draws."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "Agg")
# So that a `python -c` which a test starts in the source folder imports what is installed.
os.environ["PYTHONSAFEPATH"] = "1"

import hypothesis
import pytest

# A shell's background job ignores Ctrl-C, `nohup` a closed terminal, and all that they start inherits that: programs
# to be interrupted, too.
for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, usual)

ROOT = Path(__file__).resolve().parent.parent

# The same examples in every run: a failure on one machine is a failure on all.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("repeatable")


def pytest_configure(config: pytest.Config) -> None:
    """Under tox, refuse to test the source folder: users get the wheel."""
    if "TOX_ENV_NAME" not in os.environ:
        return
    for name in ("neuralnet_core", "sweep"):
        package = importlib.import_module(name)
        if Path(package.__path__[0]).is_relative_to(ROOT / name):
            raise pytest.UsageError(f"{name} is the source folder's, not the installed wheel's")


@pytest.fixture(autouse=True)
def close_figures() -> Iterator[None]:
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")
