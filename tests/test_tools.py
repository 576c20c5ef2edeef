"""The tools that are run by hand keep up with what they are about."""

from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_every_deliberate_fault_finds_its_line_in_the_engine() -> None:
    faults = runpy.run_path(str(ROOT / "tools" / "deliberate_faults.py"))["FAULTS"]
    found = {
        fault.name: (ROOT / "neuralnet_core" / "engine" / fault.file).read_text().count(fault.old)
        for fault in faults
    }
    assert len(found) == len(faults)
    assert {name: count for name, count in found.items() if count != 1} == {}
