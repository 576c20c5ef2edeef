from __future__ import annotations

import numpy as np
import pytest

from sweep.datasets import load_dataset
from sweep.scaling import fit_scaling


def test_scaling_agrees_with_scikit_learn() -> None:
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    X = load_dataset("digits").X  # has constant columns
    np.testing.assert_allclose(fit_scaling("standard", X)(X), StandardScaler().fit_transform(X), atol=1e-12)
    np.testing.assert_allclose(fit_scaling("minmax", X)(X), MinMaxScaler().fit_transform(X), atol=1e-12)


def test_scaling_does_not_depend_on_the_memory_layout() -> None:
    X = np.random.default_rng(0).normal(size=(1001, 7))
    for kind in ("standard", "minmax"):
        one, other = fit_scaling(kind, X)(X), fit_scaling(kind, np.asfortranarray(X))(X)
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("kind", ["standard", "minmax"])
def test_values_too_large_to_be_scaled_are_refused(kind: str) -> None:
    with pytest.raises(ValueError, match=f"scaling '{kind}' of column 1 is not finite"):
        fit_scaling(kind, [[0.0, -1.7e308], [1.0, 1.7e308]])


def test_scaling_fitted_to_some_rows_serves_others() -> None:
    scaling = fit_scaling("minmax", [[0.0], [2.0]])
    assert scaling([[4.0]]).tolist() == [[2.0]]


@pytest.mark.parametrize("scaling", ["stnadard", 0, -1.0, float("nan"), float("inf"), True, None, [16]])
def test_wrong_scaling(scaling: object) -> None:
    with pytest.raises(ValueError, match="scaling"):
        fit_scaling(scaling, [[1.0]])  # type: ignore[arg-type]
