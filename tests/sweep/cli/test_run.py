"""sweep run: what it trains, records, prints and ends with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from commands import Outcome, Run
from store_values import small_disk

import sweep.datasets
from neuralnet_core import derive_seed
from sweep import Results
from sweep.store import Store


def test_run_trains_records_and_reports(run: Run, tmp_path: Path) -> None:
    ended = run("run", "moons.toml")
    assert (ended.code, ended.err) == (0, "")
    assert "moons: 200 rows, 2 features, 2 classes; not scaled; 20 % of the rows held out" in ended.out
    assert "4 configurations x 3 repeats = 12 trials in float32" in ended.out
    assert "recording in moons.sweep\ntrained 12 networks in " in ended.out
    assert "rank  hidden  learning_rate  validation_accuracy" in ended.out
    assert "best: hidden=" in ended.out
    assert "  sweep plot moons.sweep comparison" in ended.out
    assert len(Results.open(tmp_path / "moons.sweep").trials) == 12


def test_run_goes_on_with_a_store_that_exists(run: Run) -> None:
    run("run", "moons.toml", "repeats=1")
    ended = run("run", "moons.toml", "repeats=2")
    assert "moons.sweep, resuming what is there\ntrained 4 networks in " in ended.out
    assert "\nnothing was trained\n" in run("run", "moons.toml", "repeats=2").out


def test_run_records_what_python_gets(run: Run, tmp_path: Path) -> None:
    run("run", "moons.toml", "--store", "here.sweep", "--n-jobs", "1", "--backend", "sequential")
    data = sweep.datasets.load_dataset("moons", n_samples=200, noise=0.2)
    trials = Results.open(tmp_path / "here.sweep").trials
    assert list(trials["seed"][:3]) == [derive_seed(0, repeat, 0) for repeat in range(3)]
    from sweep.config import load_experiment

    results = load_experiment("moons.toml").sweep.run(data.X, data.y, validation=0.2, progress=False)
    assert list(results.trials["digest"]) == list(trials["digest"])


def test_a_dry_run_says_how_much_and_trains_nothing(run: Run, tmp_path: Path) -> None:
    ended = run("run", "moons.toml", "--dry-run", "space.hidden=[4, 8, 8.0]")
    assert ended.code == 2  # 8.0 is no number of units
    ended = run("run", "moons.toml", "--dry-run", "--n-jobs", "2")
    assert ended.code == 0
    assert "time            less than a second with 2 workers" in ended.out
    assert "configurations  4\ntrials          12\nnetworks        12 to train, in " in ended.out
    assert "parameters      17 (smallest network) to 33 (largest)" in ended.out
    assert list(tmp_path.glob("*.sweep")) == []


def test_a_dry_run_counts_what_the_store_has(run: Run) -> None:
    run("run", "moons.toml", "space.hidden=[4]")
    assert (
        "networks        6 to train, in 1 pack; 6 recorded already"
        in run("run", "moons.toml", "--dry-run").out
    )


def test_a_network_that_diverges_is_a_result(run: Run) -> None:
    ended = run(
        "run",
        "moons.toml",
        "space.learning_rate=[0.01, 1e30]",
        "optimizer.type=GradientDescent",
        "network.loss=mse",
    )
    assert ended.code == 0
    assert "6 trials diverged" in ended.out


def test_a_configuration_that_cannot_be_built_fails_alone(run: Run) -> None:
    optimizer = ["type=Momentum", "nesterov=$nesterov", "dampening=$dampening"]
    space = ["nesterov=[false, true]", "dampening=[0.0, 0.5]"]
    overrides = [*(f"optimizer.{text}" for text in optimizer), *(f"space.{text}" for text in space)]
    ended = run("run", "moons.toml", *overrides)
    assert ended.code == 1
    assert (
        "12 trials failed, the first: ValueError: optimizer: nesterov=True requires dampening=0" in ended.out
    )
    assert "best: " in ended.out


def test_a_store_in_use_is_to_be_tried_again(run: Run, tmp_path: Path) -> None:
    with Store.open(tmp_path / "moons.sweep"):
        ended = run("run", "moons.toml")
    assert ended.code == 75
    assert "moons.sweep is being written by" in ended.errors[0]


def test_a_store_that_is_deleted_meanwhile_is_to_be_tried_again(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "commit_soon", lambda store: store.path.unlink(missing_ok=True))
    ended = run("run", "moons.toml")
    assert ended.code == 75
    (line,) = ended.errors
    assert line.startswith("sweep: moons.sweep was deleted, moved or replaced while it was written: ")
    assert "best: " in ended.out
    assert "sweep table" not in ended.out


def test_a_full_disk_is_to_be_tried_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "moons.sweep")

    monkeypatch.setattr("sweep.config.load_experiment", full)
    assert run("run", "moons.toml") == Outcome(75, "", "sweep: moons.sweep: No space left on device\n")


def test_a_run_on_a_full_disk_keeps_what_there_is_room_for(run: Run, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    arguments = [
        "run",
        "moons.toml",
        "repeats=300",
        "optimizer.epochs=9",
        "--store",
        "disk/a.sweep",
        "--n-jobs",
        "2",
    ]
    with small_disk(disk, 1 << 20) as resize:
        (disk / "others").write_bytes(bytes(300 << 10))
        ended = run(*arguments)
        assert ended.code == 75
        assert ended.errors == [f"sweep: no space left for {disk}/a.sweep: free some and run again to go on"]
        status = run("status", "disk/a.sweep")
        assert status.code == 0
        assert re.search(r"^  done        [1-9]\d*\n  pending     [1-9]\d*$", status.out, re.MULTILINE)
        assert run("table", "disk/a.sweep").code == 0
        resize(16 << 20)
        assert run(*arguments).code == 0
        assert "1,200 of 1,200 trials" in run("status", "disk/a.sweep").out
        assert run("verify", "disk/a.sweep", "--sample", "50").code == 0
