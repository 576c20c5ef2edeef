from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralnet_core import Adam, Dense, Network, engine_info
from sweep import calibration, planner
from sweep.calibration import machine_scale
from sweep.data import Data
from sweep.jobs import Job
from sweep.planner import LONGEST_CHUNK, MOST_NETWORKS, Pack, Schedule, plan, predicted_seconds
from sweep.splits import RowSplit

LANES = engine_info().lanes["float32"]
DATA = Data.of(np.zeros((50, 4)), np.zeros(50), None, None, "float32")


def jobs_of(settings: int, repeats: int, units: tuple[int, ...] = (4,)) -> list[Job]:
    """Return jobs in order of setting, then repeat; rates differ by setting, widths take turns."""
    splits = [RowSplit.of(DATA, np.arange(40), np.arange(40, 50)) for _ in range(repeats)]
    jobs = []
    for setting in range(settings):
        network = Network([Dense(units[setting % len(units)], "relu"), Dense(1)])
        for repeat, split in enumerate(splits):
            jobs.append(
                Job(network, Adam(0.001 * (setting + 1)), repeat, split, setting, f"{setting} {repeat}")
            )
    return jobs


def test_every_job_is_in_one_pack() -> None:
    jobs = jobs_of(settings=13, repeats=3, units=(4, 8, 16))
    packs = plan(jobs, (4,), "float32")
    assert sorted(number for pack in packs for number in pack.jobs) == list(range(len(jobs)))
    assert all(len(pack.jobs) <= LANES for pack in packs)


def test_full_packs_are_of_one_repeat() -> None:
    jobs = jobs_of(settings=2 * LANES, repeats=3)
    packs = plan(jobs, (4,), "float32")
    assert len(packs) == 6
    assert all(len({jobs[number].seed for number in pack.jobs}) == 1 for pack in packs)


def test_what_would_leave_lanes_empty_is_pooled_over_repeats() -> None:
    assert len(plan(jobs_of(settings=1, repeats=LANES), (4,), "float32")) == 1
    assert len(plan(jobs_of(settings=2, repeats=LANES), (4,), "float32")) < LANES


def test_like_networks_only_share_a_pack() -> None:
    jobs = jobs_of(settings=2 * LANES, repeats=1, units=(4, 8))
    for pack in plan(jobs, (4,), "float32"):
        assert len({jobs[number].network for number in pack.jobs}) == 1


def test_prediction_grows_with_the_work() -> None:
    (small,) = plan(jobs_of(1, 1, (4,)), (4,), "float32")
    (large,) = plan(jobs_of(1, 1, (400,)), (4,), "float32")
    assert small.seconds < large.seconds


def packs_of(*seconds: float) -> list[Pack]:
    return [Pack((number,), one) for number, one in enumerate(seconds)]


@given(st.lists(st.floats(1e-6, 3.0), min_size=1, max_size=60), st.integers(1, 5))
def test_chunks_hold_every_pack_once(seconds: list[float], workers: int) -> None:
    schedule = Schedule(packs_of(*seconds), workers)
    chunks = list(schedule.chunks())
    assert sorted(pack.jobs[0] for chunk in chunks for pack in chunk) == list(range(len(seconds)))
    assert all(chunks)


def test_chunks_are_about_a_second_and_shrink_towards_the_end() -> None:
    chunks = list(Schedule(packs_of(*[0.05] * 1000), 2).chunks())
    sizes = [sum(pack.seconds for pack in chunk) for chunk in chunks]
    assert max(sizes) <= LONGEST_CHUNK + 1e-9
    assert sizes[0] > 0.9 * LONGEST_CHUNK
    assert sizes[-1] < 0.2


def test_a_short_run_is_a_few_chunks_per_worker() -> None:
    assert len(list(Schedule(packs_of(*[0.01] * 100), 2).chunks())) >= 6


def test_heavy_packs_go_first() -> None:
    chunks = list(Schedule(packs_of(*[0.1] * 30, 5.0, 4.0), 2).chunks())
    assert [pack.seconds for pack in chunks[0] + chunks[1]] == [5.0, 4.0]


def test_times_correct_the_sizes_and_the_prediction() -> None:
    schedule = Schedule(packs_of(*[0.1] * 1000), 1)
    chunks = schedule.chunks()
    first = next(chunks)
    schedule.finished(first, 10 * sum(pack.seconds for pack in first))  # ten times slower than thought
    next(chunks)  # was sized before that was known
    assert len(next(chunks)) == 1
    pace = schedule.pace()
    assert (pace.done, pace.total) == (len(first), 1000)
    assert pace.remaining == pytest.approx(10 * 0.1 * (1000 - len(first)))


def test_a_chunk_of_tiny_networks_is_bounded_by_their_number() -> None:
    packs = [Pack(tuple(range(8 * number, 8 * number + 8)), 1e-6) for number in range(10_000)]
    assert (
        max(sum(len(pack.jobs) for pack in chunk) for chunk in Schedule(packs, 2).chunks()) == MOST_NETWORKS
    )


# --- Predictions ----------------------------------------------------------------------------------------------


def test_a_long_plan_is_in_seconds_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = jobs_of(settings=2 * LANES, repeats=3)
    usual = plan(jobs, (4,), "float32")
    monkeypatch.setattr(planner, "machine_scale", lambda _: 3.0)
    assert plan(jobs, (4,), "float32") == usual  # too short to ask
    monkeypatch.setattr(planner, "WORTH_CALIBRATION", 0.0)
    slow = plan(jobs, (4,), "float32")
    assert [pack.seconds for pack in slow] == pytest.approx([3.0 * pack.seconds for pack in usual])
    assert [(pack.jobs, pack.way) for pack in slow] == [(pack.jobs, pack.way) for pack in usual]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_how_fast_the_machine_is_is_measured_once(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    machine_scale.cache_clear()
    scale = machine_scale(dtype)
    assert 0 < scale < np.inf
    monkeypatch.setattr(calibration, "train_many", None)
    assert machine_scale(dtype) == scale


def test_workers_share_the_predicted_time_but_not_that_of_one_pack() -> None:
    assert predicted_seconds(packs_of(1.0, 1.0, 1.0, 1.0), workers=2) == 2.0
    assert predicted_seconds(packs_of(5.0, 1.0), workers=4) == 5.0
    assert predicted_seconds([], workers=2) == 0.0


def test_networks_that_would_skip_other_minibatches_do_not_share_a_pack() -> None:
    jobs = jobs_of(settings=1, repeats=LANES)
    assert all(len(pack.jobs) == 1 for pack in plan(jobs, (4,), "float32", apart=True))


def test_orders_that_full_batches_do_not_have_keep_nobody_apart() -> None:
    split = RowSplit.of(DATA, None, None)
    optimizer = Adam(epochs=3, batch_size=None)
    network = Network([Dense(4, "relu"), Dense(1)])
    jobs = [Job(network, optimizer, seed, split, 0, str(seed)) for seed in range(LANES)]
    assert len(plan(jobs, (4,), "float32", apart=True)) == 1
