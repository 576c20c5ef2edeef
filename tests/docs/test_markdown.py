"""Every Python block of the README and of docs/ runs and prints what is shown below it; every link leads somewhere."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = r"^```{}\n(.*?)^```$"
PYTHON_BLOCK = re.compile(
    BLOCK.format("python") + r"(?:\n\n" + BLOCK.format("text") + ")?", re.MULTILINE | re.DOTALL
)
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


def python_blocks(page: Path) -> list[tuple[int, str, str | None]]:
    """(number of lines before it, code, the output shown in a text block that follows) of each block."""
    text = page.read_text(encoding="utf-8")
    return [
        (text.count("\n", 0, block.start(1)), block[1], block[2]) for block in PYTHON_BLOCK.finditer(text)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_blocks_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for lines_before, code, shown in python_blocks(page):
        # A fresh namespace: whoever copies one block into a script has a script that runs.
        namespace: dict[str, object] = {"__name__": "__main__"}
        # Empty lines put in front make a traceback point at the line of the page.
        exec(compile("\n" * lines_before + code, str(page), "exec"), namespace)
        printed = capsys.readouterr().out
        assert shown is None or printed == shown


RUN_LINE = re.compile(r"^(?:\.venv/bin/)?sweep run (experiments/.*)$", re.MULTILINE)
COMMANDS = sorted({line for page in PAGES for line in RUN_LINE.findall(page.read_text(encoding="utf-8"))})


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_shown_are_accepted(command: str, tmp_path: Path) -> None:
    file, *rest = shlex.split(command)
    sweep = [sys.executable, "-c", "from sweep.cli import main; main()", "run", str(ROOT / file), *rest]
    ended = subprocess.run([*sweep, "--dry-run"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    missing = [
        link for link in LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()
    ]
    assert missing == []
