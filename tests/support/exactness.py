"""How exact docs/design.md says the engine's own functions are, and how exact values are: units in the last place."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import mpmath
import numpy as np
from numpy.typing import NDArray

DTYPES = ("float32", "float64")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "design.md"
# | `tanh` | where | 2.6 | 3.1 |
ROW = re.compile(r"^\| `(\w+)` \|[^|]*\| (\d+\.\d) \| (\d+\.\d) \|$", re.MULTILINE)


def stated_bounds() -> dict[str, dict[str, float]]:
    """Return the largest error of each function in each width as the page states it: what is tested is what it says."""
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    return {name: dict(zip(DTYPES, map(float, bounds), strict=True)) for name, *bounds in rows}


def errors(values: NDArray[np.floating], exact: Iterable[mpmath.mpf]) -> NDArray[np.float64]:
    """Return |value - exact| in units in the last place of the exact value, rounded to the width of the values."""
    exact = list(exact)
    rounded = np.array([float(value) for value in exact]).astype(values.dtype)
    units = np.spacing(np.abs(rounded)).astype(float)
    found = [
        float(abs(mpmath.mpf(float(value)) - true) / unit)
        for value, true, unit in zip(values, exact, units, strict=True)
    ]
    return np.array(found)
