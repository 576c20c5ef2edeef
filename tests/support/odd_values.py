"""Values that no argument takes, and that would fill a screen, or fail, if an error simply showed them."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
import pandas as pd
import pytest


class Unspeakable:
    def __repr__(self) -> str:
        raise RuntimeError("nothing to say")


DEEP: list[Any] = reduce(lambda inner, _: [inner], range(20_000), [])

ODD_VALUES = [
    pytest.param(np.ones((50, 50)), id="array"),
    pytest.param(pd.DataFrame({"a": [1, 2]}), id="table"),
    pytest.param("x" * 10**6, id="text"),
    pytest.param(-(10**5000), id="integer"),
    pytest.param(DEEP, id="nested"),
    pytest.param(Unspeakable(), id="unspeakable"),
    pytest.param("a\nb", id="lines"),
]


def assert_one_short_line(error: BaseException) -> None:
    text = str(error)
    assert "\n" not in text
    assert len(text) < 300
    assert " must be " in text or " must have " in text
