"""Results on disk: what was measured, with the machine, the versions, the date and the command beside it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .machine import setting

__all__ = ["RESULTS", "read", "write"]

RESULTS = Path(__file__).resolve().parents[1] / "results"


def write(path: Path, rows: Iterable[Any]) -> None:
    """Write rows (dataclasses or dicts) and the setting to a JSON file, a line for each row."""
    lines = [json.dumps(row if isinstance(row, dict) else asdict(row), default=float) for row in rows]
    text = ",\n    ".join(lines)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'{{\n  "setting": {json.dumps(setting())},\n  "rows": [\n    {text}\n  ]\n}}\n', encoding="utf-8"
    )


def read(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return setting and rows of a file."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return content["setting"], content["rows"]
