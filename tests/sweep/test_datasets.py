"""Data by name: what is read, and the line that says what is wrong with it."""

from __future__ import annotations

import numpy as np
import pytest

from sweep.datasets import DATASETS, load_dataset
from sweep.errors import DataError


@pytest.mark.parametrize("name", DATASETS)
def test_every_named_set_loads_and_is_the_same_again(name: str) -> None:
    one, other = load_dataset(name), load_dataset(name)
    assert one.X.ndim == 2
    assert len(one.X) == len(one.y) > 0
    assert len(one.features) == one.X.shape[1]
    np.testing.assert_array_equal(one.X, other.X)
    np.testing.assert_array_equal(one.y, other.y)
    assert str(one).startswith(f"{name}: {len(one.X)} rows, {one.X.shape[1]} features, ")


@pytest.mark.parametrize(
    ("name", "arguments", "sides"),
    [
        ("moons", {"n_samples": 10**9}, "n_samples = 1,000,000,000"),
        ("blobs", {"n_samples": 10**7, "n_features": 11}, "n_samples = 10,000,000, n_features = 11"),
        ("blobs", {"centers": 10**8}, "centers = 100,000,000, n_samples = 100"),
        ("regression", {"n_features": 10**5, "n_targets": 10**4}, "n_features = 100,000, n_targets = 10,000"),
        ("classification", {"n_classes": 10**60}, "n_classes = about 10^60, n_samples = 100"),
        ("moons", {"n_samples": 10**5000}, "n_samples = about 10^5000"),
    ],
)
def test_a_generated_set_may_not_be_huge(name: str, arguments: dict[str, int], sides: str) -> None:
    with pytest.raises(DataError) as told:
        load_dataset(name, **arguments)
    assert str(told.value) == f"{name}: a generated set may have 100,000,000 numbers, got {sides}"


def test_an_argument_that_is_no_count_may_be_a_large_integer() -> None:
    huge = load_dataset("regression", n_samples=50, n_features=3, noise=10**8)
    assert np.std(huge.y) > 10**7


@pytest.mark.parametrize("name", DATASETS)
def test_every_listed_argument_is_one_of_scikit_learns(name: str) -> None:
    import inspect

    import sklearn.datasets

    parameters = inspect.signature(getattr(sklearn.datasets, DATASETS[name].function)).parameters
    assert set(DATASETS[name].arguments) <= set(parameters)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("digit", {}, "unknown data set 'digit'; did you mean digits\\?"),
        ("moons", {"nois": 0.1}, "moons: unknown argument 'nois'; did you mean noise\\?"),
        ("iris", {"noise": 0.1}, "iris: unknown argument 'noise' \\(none is allowed here\\)"),
        ("moons", {"noise": -1.0}, "moons: .*noise"),
        ("moons", {"noise": "x" * 10**6}, "moons: .*noise"),
        ("moons", {"noise": 10**400}, "moons: int too large to convert to float"),
    ],
)
def test_wrong_names_and_arguments(name: str, arguments: dict[str, float], message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        load_dataset(name, **arguments)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400
