"""sweep --help: shown at once."""

from __future__ import annotations

import re
import subprocess
import sys

from commands import Run

HEAVY = ("joblib", "matplotlib", "pandas", "pyarrow", "pydantic", "scipy", "sklearn")


def test_help_imports_nothing_heavy() -> None:
    commands = [["--help"], ["--version"], ["run", "--help"], ["plot", "--help"]]
    code = (
        "import contextlib, sys; from sweep.cli import main\n"
        f"for arguments in {commands}:\n"
        "    with contextlib.suppress(SystemExit): main(arguments)\n"
        f"print(*sorted(set({HEAVY}) & set(sys.modules)), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stderr.split() == []
    assert ended.stdout.count("Usage: sweep") == 3
    assert re.search("^sweep ", ended.stdout, re.MULTILINE)


def test_without_a_command_help_is_shown(run: Run) -> None:
    ended = run()
    assert ended.code == 2
    assert ended.out.startswith("Usage: sweep")
