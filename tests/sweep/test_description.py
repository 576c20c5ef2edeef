"""What a store says of a sweep."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from neuralnet_core import Dense, Momentum, Network
from sweep import Sweep
from sweep.description import describe

X = np.linspace(-1, 1, 40).reshape(20, 2)
Y = X.sum(axis=1)


@pytest.mark.parametrize(("validation", "told"), [(None, None), (0.25, 0.25), ((X, Y), "data")])
def test_a_description_says_what_was_validated_on_and_is_json(validation: Any, told: object) -> None:
    sweep = Sweep(
        lambda rate: (Network([Dense(1)]), Momentum(rate)), {"rate": [0.1, 0.2]}, repeats=np.int64(2), seed=7
    )
    described = describe(sweep, sweep.study(X, Y, validation), None, {"file": "a.csv"})
    assert described["validation"] == told
    assert (described["configurations"], described["repeats"], described["seed"]) == (2, 2, 7)
    assert json.loads(json.dumps(described)) == described
