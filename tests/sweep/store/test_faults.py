"""Whatever is wrong with a file, its folder or its disk is one line, and what was committed can be read."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from store_values import (
    assert_whole,
    files_beside,
    fill_up,
    record,
    small_disk,
    trial,
    without_privileges,
)

from sweep.store import Store, StoreError
from sweep.store.faults import explain
from sweep.store.filesystem import network_type

# --- Faults -----------------------------------------------------------------------------------------------------


def read_everything(path: Path) -> None:
    with Store.read(path) as store:
        store.read_sweep()
        store.trials()
        store.configurations("float32")
        store.records()


def one_line(error: pytest.ExceptionInfo[StoreError]) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)


def test_missing_places_are_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"folder .*/nowhere does not exist") as told:
        Store.open(tmp_path / "nowhere" / "a.sweep")
    assert told.value.exit_code == 2
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
        'UPDATE configurations SET params = \'{"a": {"b": 1}}\'',
        "UPDATE configurations SET optimizer = '{}', network = 0",
        'INSERT INTO networks VALUES (0, \'{"type": "Adam"}\')',
        "UPDATE trials SET seed = -1",
        "UPDATE records SET state = 'splendid'",
        "UPDATE records SET epoch = -1",
        "UPDATE records SET started = 1e300",
        "UPDATE records SET seconds = 9e999",
        "UPDATE records SET metrics = '{\"a\": true}'",
        'UPDATE records SET metrics = \'{"a": "1"}\'',
        "UPDATE records SET metrics = '{\"a\": NaN}'",
        f"UPDATE records SET metrics = '{{\"a\": 1{'0' * 400}}}'",
        f"UPDATE configurations SET params = '{'[' * 100_000}'",
        "INSERT INTO sweep VALUES ('objective', 'no JSON')",
        "UPDATE records SET metrics = '[1]'",
        "UPDATE records SET metrics = '{}'",
        r"""UPDATE records SET metrics = '{"\ud800": 1}'""",
        r"""UPDATE configurations SET params = '{"\ud800": 1}'""",
        "UPDATE records SET points = x'010203'",
        "UPDATE records SET points = x'01020304'",
        "UPDATE records SET curves = '{\"a\": 1}'",
        "UPDATE records SET curves = '[1, 2]'",
        "UPDATE records SET curves = '[]'",
        'UPDATE records SET curves = \'["a", "a"]\'',
        'UPDATE records SET curves = \'["a", "\\ud800"]\'',
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


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("records", "curves"),
        ("records", "points"),
        ("records", "identity"),
        ("trials", "identity"),
        ("configurations", "params"),
        ("sweep", "value"),
    ],
)
def test_values_of_another_kind_than_the_schema_says_are_one_line(
    path: Path, table: str, column: str
) -> None:
    with Store.open(path) as store:
        store.describe({"repeats": 1})
        store.replace_trials([trial()])
        store.record(record())
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        schema = connection.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (table,)).fetchone()[0]
        change = "UPDATE sqlite_schema SET sql = ? WHERE name = ?"
        connection.execute(
            change, (schema.replace("STRICT, WITHOUT", "WITHOUT").replace(") STRICT", ")"), table)
        )
        connection.execute("PRAGMA writable_schema = RESET")
        connection.execute(f"UPDATE OR REPLACE {table} SET {column} = x'ff00'")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(change, (schema, table))
    with pytest.raises(StoreError, match="is damaged") as caught:
        read_everything(path)
    one_line(caught)


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


# --- A full disk ------------------------------------------------------------------------------------------------


def fill(path: Path) -> int:
    """Record until the disk is full; return how many records were queued before that was known."""
    store = Store.open(path)
    queued = 0
    told: StoreError | None = None
    while told is None:
        try:
            store.record(record(queued))
            queued += 1
            if queued % 50 == 0:
                store.flush()
        except StoreError as error:
            told = error
    assert re.search(r"no space left for .*: free some and run again to go on", str(told))
    assert told.temporary
    with pytest.raises(StoreError, match="no space left"):
        store.close()
    return queued


def test_on_a_full_disk_all_that_was_queued_is_written_and_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "digits.sweep"
    with small_disk(tmp_path, 1 << 20) as resize:
        queued = fill(path)
        with Store.read(path) as store:
            assert list(store.records()) == [f"id{number}" for number in range(queued)]
            store.check()
        fill_up(tmp_path)
        with Store.read(path) as store:
            assert len(store.identities()) == queued
        resize(8 << 20)
        with Store.open(path) as store:
            store.record(record(queued))
        assert_whole(path)
        with Store.read(path) as store:
            assert len(store.identities()) == queued + 1
        assert files_beside(path) == ["digits.sweep", "others"]


WRITE_AND_DIE = """
import os, signal, sys
from sweep.jobs import Record
from sweep.store import Store
store = Store.open(sys.argv[1])
store.record(Record("one", "done", 1, {"loss": 0.5}, {}, None, None, 0.0, 0.0, ""))
store.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


def killed_while_writing(path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", WRITE_AND_DIE, str(path)], check=False)
    assert ended.returncode == -signal.SIGKILL


def test_a_store_whose_writer_was_killed_is_read_from_a_full_disk(tmp_path: Path) -> None:
    path = tmp_path / "digits.sweep"
    with small_disk(tmp_path, 1 << 20):
        killed_while_writing(path)
        path.with_name("digits.sweep-shm").unlink()  # as after the machine was started again
        fill_up(tmp_path)
        before = files_beside(path)
        with Store.read(path) as store:
            assert store.identities() == {"one"}
            assert store.records().keys() == {"one"}
        assert set(files_beside(path)) <= {*before, "digits.sweep-shm"}
        with pytest.raises(StoreError, match="no space left") as told:
            Store.open(path)
        assert told.value.temporary


def test_a_store_whose_writer_was_killed_is_read_from_a_read_only_folder() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder).resolve() / "digits.sweep"
        killed_while_writing(path)
        path.with_name("digits.sweep-shm").unlink()
        Path(folder).chmod(0o555)
        with without_privileges():
            with Store.read(path) as store:
                assert store.identities() == {"one"}
                assert store.records().keys() == {"one"}
            with pytest.raises(StoreError, match="cannot be locked for writing: Permission denied") as told:
                Store.open(path)
        assert told.value.exit_code == 2
        left = ["digits.sweep", "digits.sweep-wal", "digits.sweep.lock", "digits.sweep.reserve"]
        assert files_beside(path) == left
        Path(folder).chmod(0o755)
        with Store.open(path) as store:
            assert store.identities() == {"one"}
        assert files_beside(path) == ["digits.sweep"]


# --- Network file systems ---------------------------------------------------------------------------------------

MOUNTS = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /home rw shared:9 - nfs4 server:/home rw,vers=4.2
31 30 0:41 / /home/local\040disk rw - xfs /dev/sdb1 rw
32 22 0:42 / /mnt rw - ext4 /dev/sdc1 rw
33 32 0:43 / /mnt rw master:2 - fuse.sshfs me@server: rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/a.sweep", None),
        ("/home/me/a.sweep", "nfs4"),
        ("/homes/me/a.sweep", None),
        ("/home/local disk/a.sweep", None),
        ("/mnt/a.sweep", "fuse.sshfs"),
    ],
)
def test_a_network_file_system_is_known(
    path: str, kind: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mountinfo").write_text(MOUNTS.lstrip())
    monkeypatch.setattr("sweep.store.filesystem.MOUNTS", tmp_path / "mountinfo")
    assert network_type(Path(path)) == kind


def test_the_disk_of_the_tests_is_known(tmp_path: Path) -> None:
    kind = subprocess.run(
        ["stat", "-f", "-c", "%T", tmp_path], capture_output=True, text=True, check=True
    ).stdout
    assert (network_type(tmp_path) is not None) == (kind.strip() in ("nfs", "smb2", "cifs", "v9fs"))


@pytest.fixture
def on_nfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mountinfo").write_text("22 1 8:1 / / rw - nfs server:/ rw\n")
    monkeypatch.setattr("sweep.store.filesystem.MOUNTS", tmp_path / "mountinfo")


@pytest.mark.usefixtures("on_nfs")
def test_on_a_network_file_system_a_line_says_who_may_read(path: Path) -> None:
    with pytest.warns(
        UserWarning, match=r"digits.sweep is on a network file system \(nfs\), where SQLite's write-"
    ):
        store = Store.open(path)
    with store, Store.read(path) as reader:  # on the same machine
        assert reader.identities() == set()


@pytest.mark.usefixtures("on_nfs")
def test_on_a_network_file_system_what_another_machine_writes_is_not_read(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.warns(UserWarning, match="network file system"):
        store = Store.open(path)
    with store:
        monkeypatch.setattr("platform.node", lambda: "elsewhere")
        with pytest.raises(
            StoreError, match=r"is being written by process \d+ on .*: read it on that machine"
        ) as told:
            Store.read(path)
        assert told.value.temporary
    Store.read(path).close()


# --- Every fault has a line -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "text", "temporary"),
    [
        (sqlite3.SQLITE_IOERR_SHMSIZE, "no space left", True),
        (sqlite3.SQLITE_TOOBIG, "longer than the 256 MiB", False),
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
