"""The same store again: what changed is said, what failed may be retried, what is recorded can be proved."""

from __future__ import annotations

import os
import signal
import tracemalloc
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from programs import start, wait_until
from stopped import recorded
from store_values import execute
from user_functions import distance, second_time

from neuralnet_core import Dense, Momentum, Network
from sweep import Results, Sweep
from sweep.errors import DataError
from sweep.status import Status
from sweep.store import Store

X = np.linspace(-1, 1, 40).reshape(20, 2)
Y = X.sum(axis=1)
CLOCK = ["started", "seconds", "worker"]
SPACE = {"rate": [0.01, 0.1], "units": [2, 3]}


def build(rate: float, units: int) -> tuple[Network, Momentum]:
    return Network([Dense(units, "tanh"), Dense(1)]), Momentum(rate, epochs=3)


def run(path: Path | None, y: Any = Y, space: Any = SPACE, **options: Any) -> Any:
    sweep = Sweep(build, space, repeats=2)
    return sweep.run(X, y, validation=0.25, n_jobs=1, store=path, progress=False, **options)


@pytest.mark.parametrize("known", range(9))
def test_a_resume_after_any_number_of_trials_is_the_undisturbed_run(tmp_path: Path, known: int) -> None:
    path = tmp_path / "a.sweep"
    run(path)
    assert execute(path, f"DELETE FROM records WHERE record > {known}") == 8 - known
    resumed, undisturbed = run(path), run(None)
    assert resumed.trials.drop(columns=CLOCK).equals(undisturbed.trials.drop(columns=CLOCK))
    assert resumed.curves.equals(undisturbed.curves)


@pytest.mark.parametrize("how", ["deleted", "moved", "replaced", "folder moved"])
def test_a_store_that_is_taken_away_during_a_run_is_told(how: str, tmp_path: Path) -> None:
    path, elsewhere = tmp_path / "here" / "a.sweep", tmp_path / "there"
    path.parent.mkdir()
    other = tmp_path / "other.sweep"
    Sweep(function=distance, space={"a": [3]}).run(X, Y, backend="sequential", store=other, progress=False)
    take = {
        "deleted": path.unlink,
        "moved": lambda: path.rename(elsewhere),
        "replaced": lambda: (path.rename(elsewhere), other.rename(path)),
        "folder moved": lambda: path.parent.rename(elsewhere),
    }

    def function(params: Any, seed: int, X: Any, y: Any) -> dict[str, float]:
        if params["a"] == 5 and how in take:
            take.pop(how)()
        return {"loss": params["a"]}

    sweep = Sweep(function=function, space={"a": range(10)})
    line = f"^{path} was deleted, moved or replaced while it was written: .* run again to record it anew$"
    with pytest.warns(UserWarning, match=line) as told:
        results = sweep.run(X, Y, backend="sequential", store=path, progress=False)
    assert (len(told), results.store_lost) == (1, True)
    assert results.states == {"done": 10}
    assert results.best == {"a": 0}
    assert results.curves.empty
    if how == "replaced":
        assert Results.open(path).best == {"a": 3}
    if how != "deleted":
        moved = elsewhere / "a.sweep" if how == "folder moved" else elsewhere
        assert Results.open(moved).states == {"done": 10}
    if how == "folder moved":
        path.parent.mkdir()
    if how != "replaced":
        assert not sweep.run(X, Y, backend="sequential", store=path, progress=False).store_lost
        assert Results.open(path).states == {"done": 10}


def test_what_came_of_a_chunk_is_committed_while_the_next_one_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweep.store.writer.GROUP_SECONDS", 3600)
    path = tmp_path / "a.sweep"

    def seen(params: dict[str, Any], seed: int, X: Any, y: Any) -> dict[str, float]:
        return {"seen": float(params["number"] == 0 or wait_until(lambda: recorded(path)))}

    sweep = Sweep(function=seen, space={"number": range(5)})
    results = sweep.run(X, Y, backend="sequential", store=path, progress=False)
    assert results.trials["seen"].all()


def test_changed_data_train_anew_and_say_so(tmp_path: Path) -> None:
    path = tmp_path / "a.sweep"
    run(path)
    with pytest.warns(UserWarning, match="the data .* are not those .*: all trials are run anew"):
        other = run(path, y=-Y)
    assert other.trials.drop(columns=CLOCK).equals(run(None, y=-Y).trials.drop(columns=CLOCK))
    with pytest.warns(UserWarning, match="8 of 8 trials are recorded"):
        run(path)  # the first ones again
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(path, space={"rate": [0.01, 0.1, 0.2], "units": [2]})  # another space is not other data


def test_what_failed_is_run_again_if_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.sweep"
    whole = run(path)
    change = "UPDATE records SET state = '{}', digest = NULL, error = 'x' WHERE record = {}"
    for record, state in enumerate(("failed", "timeout", "quarantined"), start=1):
        execute(path, change.format(state, record))
    assert (run(path).trials["state"] == "done").sum() == 5
    assert (run(path, retry="failed").trials["state"] == "done").sum() == 6
    again = run(path, retry=("timeout", "quarantined"))
    assert again.trials.drop(columns=CLOCK).equals(whole.trials.drop(columns=CLOCK))
    with pytest.raises(ValueError, match="retry"):
        run(path, retry="done")


RETRY = """
import numpy as np
import user_functions
from sweep import Sweep

space = {"number": range(6), "folder": ["."]}
sweep = Sweep(function=user_functions.second_time, space=space)
for retry in ((), "failed"):
    results = sweep.run(np.zeros((4, 2)), np.zeros(4), n_jobs=1, store="a.sweep", retry=retry)
    errors = [one.error for one in results._records.values() if one.error is not None]
    print(results.interrupted, results.states, len(errors), flush=True)
"""


def test_what_an_interrupted_retry_did_not_come_to_is_what_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.sweep"
    process = start(RETRY, tmp_path)
    try:
        assert wait_until(lambda: recorded(path, "done") or process.poll() is not None)
        assert Status.of(path).states == {"done": 1, "failed": 5}
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert out == "False {'failed': 6} 6\nTrue {'failed': 5, 'done': 1} 5\n"
    assert "interrupted: 1 of 6 trials are recorded; run again" in err
    assert Status.of(path).states == {"done": 1, "failed": 5}
    assert Results.open(path).states == {"failed": 5, "done": 1}


@pytest.mark.parametrize("keep_models", [False, True])
def test_what_is_recorded_is_proved(tmp_path: Path, keep_models: bool) -> None:
    path = tmp_path / "a.sweep"
    run(path, keep_models=keep_models)
    sweep = Sweep(build, SPACE, repeats=2)
    options: Any = {"store": path, "validation": 0.25, "n_jobs": 1}
    proof = sweep.verify(X, Y, **options)
    assert (proof.checked, proof.recorded, proof.differences) == (8, 8, ())
    assert sweep.verify(X, Y, sample=3, **options).checked == 3
    execute(path, "UPDATE records SET digest = 'ab' || substr(digest, 3), epoch = 2 WHERE record = 4")
    execute(path, "UPDATE records SET points = zeroblob(length(points)) WHERE record = 6")
    found = sweep.verify(X, Y, **options).differences
    whats = {one.what for one in found}
    assert whats == {"epoch", "digest", "curves", *(["kept model"] if keep_models else [])}
    assert len({one.trial for one in found}) == 2
    with pytest.raises(DataError, match="other data"):
        sweep.verify(X, -Y, **options)


def test_a_few_curves_are_in_memory_while_all_are_proved(tmp_path: Path) -> None:
    path = tmp_path / "a.sweep"
    run(path)
    megabytes = 4
    execute(path, f"UPDATE records SET points = zeroblob({3 * megabytes << 20})")  # three curves for each
    tracemalloc.start()
    try:
        proof = Sweep(build, SPACE, repeats=2).verify(X, Y, store=path, validation=0.25, n_jobs=1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [one.what for one in proof.differences] == ["curves"] * 8
    assert peak < 2 * (
        3 * megabytes * 3 << 20
    )  # of two trials at most, as they are read and in double precision


def test_a_function_is_called_again(tmp_path: Path) -> None:
    path, space = tmp_path / "a.sweep", {"a": [0.5, 1.0]}
    sweep = Sweep(function=distance, space=space, repeats=2)
    sweep.run(X, Y, n_jobs=1, store=path)
    assert str(sweep.verify(X, Y, store=path, n_jobs=1)) == "called again: 4 of 4 results; all are the same"
    execute(path, "UPDATE records SET metrics = '{\"distance\": 0.125}' WHERE record = 3")
    proof = sweep.verify(X, Y, store=path, n_jobs=1, backend="threads")
    assert [(one.what, one.recorded) for one in proof.differences] == [("metrics", "distance=0.125")]
    told = "called again: 4 of 4 results; 1 trial differs: a function that draws numbers without its seed"
    assert str(proof).startswith(told)


def test_a_function_that_no_longer_ends_is_told(tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / str(number)).touch()
    path, space = tmp_path / "a.sweep", {"number": [0, 1], "folder": [str(tmp_path)]}
    sweep = Sweep(function=second_time, space=space)
    options: Any = {"store": path, "n_jobs": 1, "timeout": 0.5}
    assert sweep.run(X, Y, **options).states == {"done": 1, "timeout": 1}
    execute(path, "UPDATE records SET state = 'done', metrics = '{\"loss\": 0.5}' WHERE state = 'timeout'")
    (one, other) = sweep.verify(X, Y, **options).differences
    assert (one.what, one.recorded, one.found) == ("state", "done", "timeout")
    assert (other.what, other.recorded, other.found) == ("metrics", "loss=0.5", "")


@pytest.mark.filterwarnings("ignore:.*diverged:RuntimeWarning")
def test_a_diverged_trial_is_proved_too(tmp_path: Path) -> None:
    path, space = tmp_path / "a.sweep", {"rate": [1e30], "units": [2]}
    assert set(run(path, space=space).trials["state"]) == {"diverged"}
    proof = Sweep(build, space, repeats=2).verify(X, Y, store=path, validation=0.25, n_jobs=1)
    assert (proof.checked, proof.differences) == (2, ())


def test_status_counts_states(tmp_path: Path) -> None:
    path = tmp_path / "a.sweep"
    run(path)
    execute(path, "DELETE FROM records WHERE record > 5")
    status = Status.of(path)
    assert (status.states, status.writer, status.others) == ({"done": 5, "pending": 3}, None, 0)
    lines = ["results       5 of 8 trials (62%)", "  done        5", "  pending     3"]
    assert str(status).splitlines()[:3] == lines
    with Store.open(path) as store:
        now = Status.of(path)
        assert now.writer == store.writer()
        assert f"written by    process {os.getpid()} on " in str(now)
    run(path, space={"rate": [0.01, 0.02], "units": [2]})
    after = Status.of(path)
    assert after.states == {"done": 4}
    assert 0 < after.others < 5
    assert f"besides       {after.others} records of trials that are not in this sweep" in str(after)


def test_an_edited_build_trains_only_what_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "a.sweep"
    first = run(path).trials.set_index("trial")

    def edited(rate: float, units: int) -> Any:
        if units == 2:  # the same, written in another way
            return build(units=2, rate=float(f"{rate:e}"))
        return Network([Dense(units, "relu"), Dense(1)]), Momentum(rate, epochs=3)

    sweep = Sweep(edited, SPACE, repeats=2)
    options: Any = {"validation": 0.25, "n_jobs": 1, "progress": False}
    again = sweep.run(X, Y, store=path, **options).trials.set_index("trial")
    same = again["params_units"] == 2
    assert again.loc[same].equals(first.loc[same])  # the clock's columns too: it was not trained again
    assert not again.loc[~same, "identity"].isin(first["identity"]).any()
    anew = sweep.run(X, Y, **options).trials.set_index("trial")
    assert again.drop(columns=CLOCK).equals(anew.drop(columns=CLOCK))
