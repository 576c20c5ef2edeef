"""One writer at a time, any number of readers, and nothing lost that was acknowledged."""

from __future__ import annotations

import fcntl
import os
import platform
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from store_values import assert_whole, files_beside, record

from sweep.store import Store, StoreError
from sweep.store.lock import LockHeldError, WriterLock, holder

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
        with Store.read(path) as reader:
            assert reader.writer() == f"process {os.getpid()} on {platform.node()}"
    with Store.read(path) as reader:
        assert reader.writer() is None
    Store.open(path).close()


def test_the_lock_of_a_holder_that_removed_its_file_is_not_taken_for_one(tmp_path: Path) -> None:
    lock = WriterLock(tmp_path / "lock")
    with pytest.raises(LockHeldError, match=str(os.getpid())):
        WriterLock(tmp_path / "lock")
    lock.release()
    lock.release()
    WriterLock(tmp_path / "lock").release()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_whose_file_was_deleted_takes_nobody_elses_away(tmp_path: Path) -> None:
    lock = WriterLock(tmp_path / "lock")
    lock.path.unlink()
    other = WriterLock(tmp_path / "lock")
    lock.release()
    assert holder(tmp_path / "lock") == f"process {os.getpid()} on {platform.node()}"
    other.release()
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


def dead_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_name_that_a_dead_holder_left_is_not_told_as_the_holders(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_text(f"process {dead_process()} on {platform.node()}")
    assert holder(path) is None
    lock = WriterLock(path)  # taken over
    assert holder(path) == f"process {os.getpid()} on {platform.node()}"
    lock.release()
    assert holder(path) is None
    assert not path.exists()  # nobody made one to look


def test_a_lock_that_a_child_of_the_dead_holder_keeps_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    dead = dead_process()
    path.write_text(f"process {dead} on {platform.node()}")
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(LockHeldError, match=f"^a process that process {dead} on .* started$"):
            WriterLock(path)


def test_who_looks_for_a_holder_stops_no_writer(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_text(f"process {dead_process()} on {platform.node()}")
    looking, stop = threading.Event(), threading.Event()

    def look() -> None:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            looking.set()
            stop.wait(0.1)  # many times as long as `holder` does

    thread = threading.Thread(target=look)
    thread.start()
    assert looking.wait(60)
    WriterLock(path).release()
    thread.join()


def test_a_link_is_no_place_for_a_lock(tmp_path: Path) -> None:
    (tmp_path / "valuable").write_text("data")
    (tmp_path / "lock").symlink_to(tmp_path / "valuable")
    with pytest.raises(OSError, match="Too many levels"):
        WriterLock(tmp_path / "lock")
    assert holder(tmp_path / "lock") is None
    assert (tmp_path / "valuable").read_text() == "data"


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
from sweep.jobs import Record
from sweep.store import Store
plain = Record("", "done", 1, {"train_loss": 0.5}, {"train_loss": [0.5] * 20}, None, None, 0.0, 0.0, "")
store = Store.open(sys.argv[1])
for number in range(10**9):
    store.record(plain._replace(identity=str(number)))
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
