"""Randomness: NumPy's Philox as the oracle of the raw words, and the quality of what is built on them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralnet_core import derive_seed
from neuralnet_core.engine import _random
from neuralnet_core.random import dropout_keep, permutation

words64 = st.integers(0, 2**64 - 1)


@given(key=words64, counter=st.tuples(words64, words64, words64, words64))
def test_raw_words_are_those_of_numpy(key: int, counter: tuple[int, int, int, int]) -> None:
    flat = sum(word << (64 * place) for place, word in enumerate(counter))
    before = (flat - 1) % 2**256  # NumPy steps its counter before it draws
    expected = np.random.Philox(key=key, counter=before).random_raw(4)
    np.testing.assert_array_equal(_random.words(key, counter), expected)


@given(seed=words64, epoch=st.integers(0, 10**6), n=st.integers(1, 300))
def test_an_order_is_a_permutation(seed: int, epoch: int, n: int) -> None:
    np.testing.assert_array_equal(np.sort(permutation(seed, epoch, n)), np.arange(n))


def test_an_order_is_fisher_yates_on_the_words() -> None:
    order = list(range(10))
    words = np.concatenate([_random.words(5, (block, 0, 3, 2)) for block in range(3)])
    for drawn, i in enumerate(range(9, 0, -1)):
        j = int(words[drawn]) * (i + 1) >> 64
        order[i], order[j] = order[j], order[i]
    assert permutation(seed=5, epoch=3, n=10).tolist() == order


def test_all_places_are_equally_likely() -> None:
    places = np.array([permutation(seed, 0, 6) for seed in range(6000)])
    counts = np.array([np.bincount(places[:, place], minlength=6) for place in range(6)])
    chi_square = ((counts - 1000) ** 2 / 1000).sum()
    assert chi_square < 60  # 25 degrees of freedom: p about 1e-4


def test_normal_draws_are_normal() -> None:
    draws = _random.draws(3, 0, 0, 500, 400, True).ravel()
    assert abs(draws.mean()) < 0.01
    assert draws.std() == pytest.approx(1, abs=0.01)
    assert (draws**4).mean() == pytest.approx(3, abs=0.1)
    assert np.abs(draws).max() > 4


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_keeps_the_right_share_everywhere(rate: float) -> None:
    keep = np.array(
        [dropout_keep(seed, 1, update, 32, 20, rate) for seed in range(20) for update in range(50)]
    )
    n = keep.shape[0]
    tolerance = 5 * np.sqrt(rate * (1 - rate) / n)
    assert np.abs(keep.mean(axis=0) - (1 - rate)).max() < tolerance  # every position and unit
    assert abs(keep.mean() - (1 - rate)) < 5 * np.sqrt(rate * (1 - rate) / keep.size)


def test_dropout_masks_are_not_correlated() -> None:
    """Between neighbouring units, positions, updates, layers and seeds."""
    base = _mask(0, 1, 0)
    assert abs(np.corrcoef(base[:, :-1].ravel(), base[:, 1:].ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(base[:-1].ravel(), base[1:].ravel())[0, 1]) < 0.02
    for other in (_mask(0, 1, 1), _mask(0, 2, 0), _mask(1, 1, 0), _mask(0, 1, 2**20)):
        assert abs(np.corrcoef(base.ravel(), other.ravel())[0, 1]) < 0.02


def _mask(seed: int, layer: int, update: int) -> np.ndarray:
    return dropout_keep(seed, layer, update, 300, 200, 0.5).astype(float)


@given(root=words64, repeat=st.integers(0, 10**6), fold=st.integers(0, 100))
def test_seeds_are_63_bits(root: int, repeat: int, fold: int) -> None:
    assert 0 <= derive_seed(root, repeat, fold) < 2**63


def test_seeds_differ() -> None:
    assert (
        len(
            {
                derive_seed(root, repeat, fold)
                for root in range(5)
                for repeat in range(50)
                for fold in range(5)
            }
        )
        == 1250
    )
