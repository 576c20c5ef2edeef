"""What a run is about to do, worked out before it does anything."""

from __future__ import annotations

import numpy as np
import pytest

from neuralnet_core import Dense, Momentum, Network
from sweep import Sweep
from sweep.study import Study

X = np.linspace(-1, 1, 40).reshape(20, 2)


def study(**space: list[object]) -> Study:
    sweep = Sweep(lambda units, name="": (Network([Dense(units)]), Momentum(0.1)), space)
    return sweep.study(X, np.outer(X[:, 0], [1.0] * 2))


def test_a_trial_is_found_by_its_number_and_by_the_beginning_of_its_identity() -> None:
    found = study(units=[2], name=["a", "b"])  # both build the same network
    first, second = found.trials
    assert first.identity == second.identity
    assert found.trial(1) is found.trial(np.int64(1)) is second
    assert found.trial(first.identity) is found.trial(first.identity[:12]) is first


def test_the_beginning_of_several_identities_is_none_s() -> None:
    with pytest.raises(
        ValueError, match="trial must begin one identity, got '', which begins 2; give more of it"
    ):
        study(units=[2, 3]).trial("")
