"""What is written into a store comes back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_values import files_beside, record, trial

from neuralnet_core import Adam, Dense, Dropout, Network, WarmUp, canonical_json
from sweep.jobs import Configuration, built_key, failed_key
from sweep.store import Store, StoreError
from sweep.store.store import BATCH_BYTES, BATCH_ROWS
from sweep.values import decode_metrics, decode_params, encode_metrics, encode_params, plain_value


def test_everything_comes_back(path: Path) -> None:
    trials = [trial(number) for number in range(5)]
    records = [record(0), record(3, state="diverged", metrics={"train_loss": np.inf}, digest=None, curves={})]
    with Store.open(path) as store:
        store.describe({"objective": "validation_accuracy", "repeats": 2})
        store.describe({"repeats": 3})
        store.replace_trials(iter(trials))
        for one in records:
            store.record(one)
    assert files_beside(path) == ["digits.sweep"]
    with Store.read(path) as store:
        assert store.read_sweep() == {"objective": "validation_accuracy", "repeats": 3}
        assert store.trials() == trials
        assert store.identities() == {"id0", "id3"}
        found = store.records()
    assert files_beside(path) == ["digits.sweep"]  # nor does a reader leave anything behind
    assert list(found) == ["id0", "id3"]
    assert found["id0"].metrics == records[0].metrics  # exactly, not to 7 digits
    assert found["id0"]._replace(curves={}) == records[0]._replace(curves={})
    for name, values in records[0].curves.items():
        np.testing.assert_array_equal(found["id0"].curves[name], values)
        assert found["id0"].curves[name].dtype == np.float64
    assert np.isnan(found["id3"].metrics["train_loss"])


def test_records_without_curves_are_the_same_otherwise(path: Path) -> None:
    with Store.open(path) as store:
        store.record(record())
        assert store.records(curves=False) == {"id0": record(curves={})}


def test_a_result_stays_and_a_failure_gives_way(path: Path) -> None:
    with Store.open(path) as store:
        store.record(record(0))
        store.record(record(0, metrics={"train_loss": 9.0}))
        store.record(record(1, state="failed", error="no memory", metrics={}))
        store.record(record(1))
        found = store.records()
    assert found["id0"].metrics == record(0).metrics
    assert (found["id1"].state, found["id1"].error) == ("done", None)
    assert set(found["id1"].curves) == {"train_loss", "validation_accuracy"}


def test_many_at_once_are_what_they_are_one_by_one(path: Path) -> None:
    before = [record(3), record(60, state="failed", error="no memory", metrics={}, curves={})]
    many = [(record(number), b"a model" if number % 2 else None) for number in range(2 * BATCH_ROWS + 3)]
    big = [(record(number), bytes(BATCH_BYTES)) for number in range(1000, 1003)]  # a batch for each
    now = [*many, *big, (record(2000, state="failed", metrics={}, curves={}), None), many[5]]
    other = path.with_name("one by one.sweep")
    for place in (path, other):
        with Store.open(place) as store:
            for one in before:
                store.record(one)
    with Store.open(path) as store:
        store.record_all(iter(now))
    with Store.open(other) as store:
        for one, model in now:
            store.record(one, model)
    with Store.read(path) as store, Store.read(other) as expected:
        assert list(store.records()) == list(expected.records())
        assert len(store.records()) == 2 * BATCH_ROWS + 3 + 3 + 1
        assert store.records()["id60"].state == "done"
        assert store.records(curves=False) == expected.records(curves=False)
        for identity in store.records():
            np.testing.assert_equal(store.curves(identity), expected.curves(identity))
            assert store.model(identity) == expected.model(identity)


def test_of_many_at_once_only_what_is_refused_is_left_out(path: Path) -> None:
    store = Store.open(path)
    store.record(record(1))
    store.record_all([(record(0), b"kept"), (record(1, digest="cd34"), b"refused"), (record(2), None)])
    with pytest.raises(StoreError, match="another result of the trial id1"):
        store.close()
    with Store.read(path) as again:
        assert [one.digest for one in again.records().values()] == ["ab12"] * 3
        assert (again.model("id0"), again.model("id1")) == (b"kept", None)


def test_a_first_result_keeps_its_model_whatever_comes_with_it(path: Path) -> None:
    store = Store.open(path)
    store.record_all([(record(0), b"the first's"), (record(0, digest="cd34"), b"the second's")])
    with pytest.raises(StoreError, match="another result of the trial id0"):
        store.close()
    with Store.read(path) as again:
        assert (again.records()["id0"].digest, again.model("id0")) == ("ab12", b"the first's")


def test_another_space_replaces_the_trials_and_keeps_the_records(path: Path) -> None:
    with Store.open(path) as store:
        store.replace_trials([trial(number) for number in range(6)])
        store.record(record(5))
    with Store.open(path) as store:
        store.replace_trials([trial(0, params={"hidden": 99})])
        assert [one.params for one in store.trials()] == [{"hidden": 99}]
        assert store.identities() == {"id5"}


def test_a_second_result_must_be_the_first(path: Path) -> None:
    store = Store.open(path)
    store.record(record(0))
    store.record(record(0, started=0.0, metrics={"train_loss": 9.0}))  # trained twice: harmless
    store.record(record(1))
    store.flush()
    store.record(record(2))
    store.record(record(1, digest="cd34"), b"a model")
    with pytest.raises(
        StoreError, match=r"another result of the trial id1: done at epoch 2 with digest ab12; now"
    ) as told:
        store.flush()
    assert "came done at epoch 2 with digest cd34. The first was kept" in str(told.value)
    assert not told.value.temporary
    with pytest.raises(StoreError, match="another result"):
        store.close()
    with Store.read(path) as again:
        found = again.records()
        assert [found[name].digest for name in ("id0", "id1", "id2")] == ["ab12"] * 3  # nothing else is lost
        assert again.model("id1") is None


@pytest.mark.parametrize("other", [{"state": "diverged", "digest": None}, {"epoch": 1}, {"digest": None}])
def test_whatever_differs_between_two_results_is_told(path: Path, other: dict[str, object]) -> None:
    store = Store.open(path)
    store.record(record(0))
    store.record(record(0, **other))
    with pytest.raises(StoreError, match="another result"):
        store.close()


def texts(network: Network, optimizer: Adam) -> tuple[str, str]:
    return canonical_json(network), canonical_json(optimizer)


def test_what_configurations_were_made_into_comes_back(path: Path) -> None:
    network = Network([Dense(4, "tanh"), Dropout(0.5), Dense(1)])
    trials = [trial(number) for number in range(6)]  # of configurations 0, 1 and 2
    params = trials[0].params
    key = built_key(network, Adam(0.1), "float32")
    warm = Adam(WarmUp(9, 0.1))
    built = [
        Configuration(0, params, network, Adam(0.1), None, key, texts(network, Adam(0.1))),
        Configuration(1, params, network, warm, None, "", texts(network, warm)),
        Configuration(
            2, params, None, None, "ValueError: no", failed_key(encode_params(params), "ValueError: no")
        ),
    ]
    with Store.open(path) as store:
        store.replace_trials(trials, built)
        found = store.configurations("float32")
        assert found[0] == built[0]
        assert found[1].optimizer == built[1].optimizer
        assert found[0].network is found[1].network
        assert found[2] == built[2]
        assert store.configurations("float64")[0].key == built_key(network, Adam(0.1), "float64")
        store.replace_trials(trials)
        assert {one.network for one in store.configurations("float32")} == {None}


def test_states_are_counted_and_the_last_commit_is_known(path: Path) -> None:
    with Store.open(path) as store:
        assert store.last_commit() is None
        store.replace_trials([trial(number) for number in range(6)])
        first = store.last_commit()
        assert first is not None
        assert first > 1.7e9
        for number, state in enumerate(("done", "done", "failed")):
            store.record(record(number, state=state))
        store.record(record(99))  # of another sweep
        assert store.states() == {"done": 2, "failed": 1, None: 3}
        assert (store.last_commit() or 0) >= first
        store.check()


def test_a_snapshot_is_of_one_moment(path: Path) -> None:
    with Store.open(path) as writer, Store.read(path) as reader:
        writer.replace_trials([trial(0)])
        writer.flush()
        with reader.snapshot():
            assert len(reader.trials()) == 1
            writer.replace_trials([trial(number) for number in range(4)])
            writer.record(record())
            writer.flush()
            assert len(reader.trials()) == 1
            assert reader.identities() == set()
        assert len(reader.trials()) == 4
        assert reader.identities() == {"id0"}


def test_models_are_kept_as_bytes(path: Path) -> None:
    with Store.open(path) as store:
        store.record(record(0), b"npz of a model")
        store.record(record(1))
        store.record(record(1), b"kept later")
        assert store.model("id0") == b"npz of a model"
        assert store.model("id1") == b"kept later"
        assert store.model("nobody") is None


def test_numpy_numbers_are_written_like_numbers(path: Path) -> None:
    params = {"hidden": np.int64(8), "rate": np.float32(0.5), "deep": np.bool_(True), "array": np.arange(2)}
    with Store.open(path) as store:
        store.replace_trials([trial(params=params)])
        store.record(record(epoch=np.int64(3), metrics={"train_loss": np.float32(0.5)}))
        assert store.trials()[0].params == {"hidden": 8, "rate": 0.5, "deep": True, "array": (0, 1)}
        assert store.records()["id0"].epoch == 3


def test_trial_numbers_must_fit(path: Path) -> None:
    with (
        Store.open(path) as store,
        pytest.raises(StoreError, match=r"must be < 2\*\*63, got 10{30} in trial 0"),
    ):
        store.replace_trials([trial(configuration=10**30)])


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
parameters = st.dictionaries(st.text(), scalars | st.lists(scalars, max_size=3).map(tuple))


@given(parameters)
def test_parameters_come_back(params: dict[str, object]) -> None:
    found = decode_params(encode_params(params))
    assert found == params
    assert list(map(repr, found.values())) == list(map(repr, params.values()))


@given(st.dictionaries(st.text(), st.floats()))
def test_finite_metrics_come_back_and_others_are_nan(metrics: dict[str, float]) -> None:
    found = decode_metrics(encode_metrics(metrics))
    assert list(found) == list(metrics)
    for name, value in metrics.items():
        assert found[name] == value if np.isfinite(value) else np.isnan(found[name])


@pytest.mark.parametrize(
    ("table", "value"),
    [
        ({"type": "Dense", "units": 16, "activation": "relu"}, Dense(16, "relu")),
        ({"type": "Dropout", "rate": 0.5}, Dropout(0.5)),
        ({"type": "WarmUp", "updates": 9, "after": 0.1}, WarmUp(9, 0.1)),
    ],
)
def test_a_table_of_an_experiment_file_reads_as_the_value_in_python(
    table: dict[str, object], value: object
) -> None:
    assert plain_value([table]) == plain_value([value]) == (repr(value),)


def test_values_that_are_no_plain_data_become_text() -> None:
    assert plain_value(np.tanh) == "tanh"
    assert plain_value(range(3)) == "range(0, 3)"
    with pytest.raises(ValueError, match="must be a JSON object"):
        decode_params("[1]")
