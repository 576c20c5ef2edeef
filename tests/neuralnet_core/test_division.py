"""Predictions are made once for all epochs, and no more of them are kept than there is room for."""

from __future__ import annotations

import pytest

from neuralnet_core import Adam, Dense, Network, Pack, costs, division, plan_packs

NETWORKS = [Network([Dense(2 + place % 7, "tanh"), Dense(1)]) for place in range(40)]


@pytest.fixture
def predicted(monkeypatch: pytest.MonkeyPatch) -> list[Network]:
    """Return a list that grows by every network whose epoch is predicted; nothing is known at first."""
    found: list[Network] = []

    def counted(room: Network, *arguments: object) -> float:
        found.append(room)
        return costs.epoch_seconds(room, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(division, "epoch_seconds", counted)
    monkeypatch.setattr(division, "_known", {})
    return found


def packs_of(epochs: int) -> list[Pack]:
    optimizer, count = Adam(), len(NETWORKS)
    return plan_packs(NETWORKS, [optimizer] * count, 3, lengths=[(50, 10)] * count, epochs=epochs)


def test_how_many_epochs_are_left_asks_for_no_new_prediction(predicted: list[Network]) -> None:
    before = packs_of(1)
    count = len(predicted)
    assert count > 0
    for epochs in range(2, 50):
        packs = packs_of(epochs)
        assert sum(pack.seconds for pack in packs) > sum(pack.seconds for pack in before)
        before = packs
    assert len(predicted) == count


def test_few_predictions_are_kept_and_plans_do_not_depend_on_them(
    predicted: list[Network], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = packs_of(5)
    division._known.clear()
    monkeypatch.setattr(division, "MOST_KNOWN", 3)
    for _ in range(3):
        assert packs_of(5) == expected
        assert 0 < len(division._known) <= 3
