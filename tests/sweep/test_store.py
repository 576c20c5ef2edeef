"""The store: what is written comes back, one writer at a time, and every fault is one line."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralnet_core import Dense, Dropout, WarmUp
from sweep.jobs import Record, Trial
from sweep.store import Store, StoreError
from sweep.store.database import SCHEMA_VERSION, explain
from sweep.store.lock import LockHeldError, WriterLock
from sweep.store.writer import GroupWriter
from sweep.values import decode_metrics, decode_params, encode_metrics, encode_params, plain_value

PARAMS = {"hidden": 8, "learning_rate": 0.1, "activation": "relu", "l2": None, "layers": (8, 4), "bias": True}


def trial(number: int = 0, **changes: object) -> Trial:
    return replace(
        Trial(number, number // 2, number % 2, 0, 2**62 + number, PARAMS, f"id{number}"), **changes
    )


def record(number: int = 0, **changes: object) -> Record:
    metrics = {"train_loss": 0.1 + number, "validation_accuracy": 1 / 3}
    curves = {"train_loss": np.array([1.0, 0.5]), "validation_accuracy": np.array([0.25, 0.5])}
    plain = Record(f"id{number}", "done", 2, metrics, curves, None, "ab12", 1.8e9 + 0.25, 0.125, "thread-0")
    return replace(plain, **changes)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "digits.sweep"


def assert_whole(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def files_beside(path: Path) -> list[str]:
    return sorted(name.name for name in path.parent.iterdir())


# --- What is written comes back ---------------------------------------------------------------------------------


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
    assert replace(found["id0"], curves={}) == replace(records[0], curves={})
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


def test_another_space_replaces_the_trials_and_keeps_the_records(path: Path) -> None:
    with Store.open(path) as store:
        store.replace_trials([trial(number) for number in range(6)])
        store.record(record(5))
    with Store.open(path) as store:
        store.replace_trials([trial(0, params={"hidden": 99})])
        assert [one.params for one in store.trials()] == [{"hidden": 99}]
        assert store.identities() == {"id5"}


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


# --- One writer, many readers -----------------------------------------------------------------------------------


def test_a_store_can_be_read_while_it_is_written(path: Path) -> None:
    with Store.open(path) as writer, Store.read(path) as reader:
        assert reader.identities() == set()
        writer.record(record(0))
        writer.flush()
        assert reader.identities() == {"id0"}
        writer.record(record(1))
        writer.flush()
        assert reader.identities() == {"id0", "id1"}


def test_what_is_queued_is_committed_without_being_asked(path: Path) -> None:
    with Store.open(path) as writer, Store.read(path) as reader:
        writer.record(record(0))
        for _ in range(100):
            if reader.identities():
                break
            threading.Event().wait(0.05)
        assert reader.identities() == {"id0"}


def test_a_forgotten_store_is_written(path: Path) -> None:
    store = Store.open(path)
    store.record(record(0))
    del store
    with Store.open(path) as again:
        assert again.identities() == {"id0"}


def test_threads_may_record_together(path: Path) -> None:
    with Store.open(path) as store:
        parts = [range(start, start + 300) for start in (0, 300, 600, 900)]
        threads = [threading.Thread(target=lambda p=p: [store.record(record(i)) for i in p]) for p in parts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert store.identities() == {f"id{number}" for number in range(1200)}


def test_a_second_writer_is_refused_and_told_who_writes(path: Path) -> None:
    with Store.open(path):
        with pytest.raises(StoreError, match=rf"is being written by process {os.getpid()} on ") as caught:
            Store.open(path)
        assert caught.value.temporary
    Store.open(path).close()


def test_the_lock_of_a_holder_that_removed_its_file_is_not_taken_for_one(tmp_path: Path) -> None:
    lock = WriterLock(tmp_path / "lock")
    with pytest.raises(LockHeldError, match=str(os.getpid())):
        WriterLock(tmp_path / "lock")
    lock.release()
    lock.release()
    WriterLock(tmp_path / "lock").release()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_holds_without_its_holders_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    lock = WriterLock(tmp_path / "lock")
    with pytest.raises(LockHeldError, match="another process"):
        WriterLock(tmp_path / "lock")
    lock.release()
    WriterLock(tmp_path / "lock").release()


def test_a_reader_does_not_write(path: Path) -> None:
    Store.open(path).close()
    with (
        Store.read(path) as store,
        pytest.raises(StoreError, match="open for reading"),
    ):
        store.record(record())


def test_a_closed_store_says_so(path: Path) -> None:
    store = Store.open(path)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="was closed"):
        store.record(record())
    with pytest.raises(StoreError, match="was closed"):
        store.identities()


WRITE_FOR_EVER = """
import sys
from dataclasses import replace
from sweep.jobs import Record
from sweep.store import Store
plain = Record("", "done", 1, {"train_loss": 0.5}, {"train_loss": [0.5] * 20}, None, None, 0.0, 0.0, "")
store = Store.open(sys.argv[1])
for number in range(10**9):
    store.record(replace(plain, identity=str(number)))
    if number % 100 == 99:
        store.flush()
        print(number, flush=True)
"""


@pytest.mark.parametrize("groups", [1, 7, 20])
def test_a_killed_writer_loses_nothing_it_acknowledged(path: Path, groups: int) -> None:
    command = [sys.executable, "-c", WRITE_FOR_EVER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(groups)][-1]
        with pytest.raises(StoreError, match=f"is being written by process {process.pid} on "):
            Store.open(path)
        process.send_signal(signal.SIGKILL)
    for how in (Store.read, Store.open):
        with how(path) as store:
            assert store.identities() >= {str(number) for number in range(acknowledged + 1)}
        assert_whole(path)
    assert files_beside(path) == ["digits.sweep"]


def test_a_program_that_just_ends_loses_nothing(path: Path) -> None:
    code = WRITE_FOR_EVER.replace("range(10**9)", "range(150)")
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, capture_output=True)
    with Store.read(path) as store:
        assert len(store.identities()) == 150


# --- Faults -----------------------------------------------------------------------------------------------------


def read_everything(path: Path) -> None:
    with Store.read(path) as store:
        store.read_sweep()
        store.trials()
        store.records()


def one_line(error: pytest.ExceptionInfo[StoreError]) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("how", [Store.open, Store.read])
def test_other_files_are_refused(tmp_path: Path, how: object) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("nothing to see here\n" * 200)
    with pytest.raises(StoreError, match="is not a store of sweeps"):
        how(text)
    other = tmp_path / "other.db"
    with contextlib.closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE t (a)")
    with pytest.raises(StoreError, match="belongs to another program"):
        how(other)
    with pytest.raises(StoreError, match="is a folder, not a file"):
        how(tmp_path)
    assert files_beside(text) == ["notes.txt", "other.db"]


def test_a_store_of_a_newer_version_is_refused(path: Path) -> None:
    Store.open(path).close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    for how in (Store.open, Store.read):
        with pytest.raises(StoreError, match=r"newer version \(format 2, this one knows 1\): upgrade"):
            how(path)


def test_a_store_with_code_in_it_is_refused(path: Path) -> None:
    Store.open(path).close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TRIGGER t AFTER INSERT ON records BEGIN DELETE FROM trials; END")
        connection.commit()
    with pytest.raises(StoreError, match="its tables are not those of a store"):
        Store.open(path)


def test_missing_places_are_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"folder .*/nowhere does not exist"):
        Store.open(tmp_path / "nowhere" / "a.sweep")
    with pytest.raises(StoreError, match=r"a\.sweep does not exist"):
        Store.read(tmp_path / "a.sweep")
    (tmp_path / "empty.sweep").touch()
    with pytest.raises(StoreError, match="is empty"):
        Store.read(tmp_path / "empty.sweep")
    Store.open(tmp_path / "empty.sweep").close()
    with Store.read(tmp_path / "empty.sweep") as store:
        assert store.trials() == []


def test_damage_is_one_line(path: Path) -> None:
    with Store.open(path) as store:
        store.replace_trials([trial(number) for number in range(2000)])
        for number in range(2000):
            store.record(record(number))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoreError, match="is damaged") as caught:
        read_everything(path)
    one_line(caught)
    path.write_bytes(whole[:8192] + os.urandom(len(whole) - 8192))
    with pytest.raises(StoreError, match="is damaged") as caught:
        read_everything(path)
    one_line(caught)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE configurations SET params = 'no JSON'",
        "UPDATE configurations SET params = '[]'",
        f"UPDATE configurations SET params = '{'[' * 100_000}'",
        "INSERT INTO sweep VALUES ('objective', 'no JSON')",
        "UPDATE records SET metrics = '[1]'",
        "UPDATE curves SET points = x'010203'",
        "DELETE FROM configurations",
    ],
)
def test_contents_that_make_no_sense_are_one_line(path: Path, statement: str) -> None:
    with Store.open(path) as store:
        store.replace_trials([trial()])
        store.record(record())
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()
    with pytest.raises(StoreError, match="is damaged") as caught:
        read_everything(path)
    one_line(caught)


@contextlib.contextmanager
def without_privileges() -> Iterator[None]:
    """Be nobody for a while, whom read-only files concern: root may write them."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_read_only_store_is_read_and_not_written() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder).resolve() / "digits.sweep"
        with Store.open(path) as store:
            store.record(record())
        path.chmod(0o444)
        Path(folder).chmod(0o555)
        with without_privileges():
            with Store.read(path) as store:
                assert store.identities() == {"id0"}
            with pytest.raises(StoreError, match=r"cannot be locked for writing: Permission denied"):
                Store.open(path)
        Path(folder).chmod(0o777)
        with (
            without_privileges(),
            pytest.raises(StoreError, match="cannot be written: it or its folder is read-only"),
        ):
            Store.open(path)
        assert "digits.sweep.lock" not in files_beside(path)


def test_a_full_disk_is_one_line_and_ends_writing(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "small.db", isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA max_page_count = 3")
    connection.execute("CREATE TABLE t (a)")
    released = threading.Event()
    writer = GroupWriter(connection, lambda error: explain(error, tmp_path / "small.db"), released.set)
    writer.put(lambda c: c.execute("INSERT INTO t VALUES (1)"))
    writer.flush()
    writer.put(lambda c: c.execute("INSERT INTO t VALUES (zeroblob(100000))"))
    with pytest.raises(StoreError, match=r"no space left for .*small\.db: free some") as caught:
        writer.flush()
    assert caught.value.temporary
    assert released.wait(5)
    with pytest.raises(StoreError, match="no space left"):
        writer.put(lambda c: None)
    writer.stop()
    with contextlib.closing(sqlite3.connect(tmp_path / "small.db")) as again:
        assert again.execute("SELECT a FROM t").fetchall() == [(1,)]


@pytest.mark.parametrize(
    ("code", "text", "temporary"),
    [
        (sqlite3.SQLITE_BUSY, "is locked by another program", True),
        (sqlite3.SQLITE_IOERR_FSYNC, "the disk failed", True),
        (sqlite3.SQLITE_READONLY_DIRECTORY, "read-only", False),
        (sqlite3.SQLITE_CORRUPT, "is damaged", False),
    ],
)
def test_every_fault_of_sqlite_has_a_line(code: int, text: str, temporary: bool) -> None:
    error = sqlite3.OperationalError("what SQLite says")
    error.sqlite_errorcode = code
    found = explain(error, Path("/data/digits.sweep"))
    assert "/data/digits.sweep" in str(found)
    assert text in str(found)
    assert found.temporary is temporary
