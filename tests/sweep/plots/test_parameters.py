"""Where the values of a parameter lie on an axis."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sweep.plots.parameters import scale_of

SCALES = [
    ([1e-4, 1e-3, 1e-2], "log"), ([8, 16, 32, 64], "log"), ([0.001, 0.1], "log"), ([1, 2, 3, 4], "linear"),
    ([16, 32], "linear"), ([0.0, 0.5, 0.9], "linear"), ([0.0, 1e-5, 1e-4, 1e-2], "places"),
    (["relu", "tanh"], "places"), ([True, False], "places"), ([32, None], "places"), ([-1, 10, 1000], "places"),
    (list(np.random.default_rng(0).uniform(0, 1, 50)), "linear"), (list(np.geomspace(1, 1e6, 50)), "log"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "kind"), SCALES)
def test_a_parameter_lies_as_it_was_spaced(values: list[Any], kind: str) -> None:
    scale = scale_of("p", values)
    assert scale.kind == kind
    positions = scale.positions(values)
    assert np.isfinite(positions).all()
    assert len(np.unique(positions)) == len(values)
    ticks, texts = scale.ticks()
    assert len(ticks) == len(texts) > 1
    assert len(set(texts)) == len(texts)


def test_true_is_not_one() -> None:
    assert scale_of("p", [True, 1, 2]).positions([True, 1, 2]).tolist() == [2, 0, 1]
