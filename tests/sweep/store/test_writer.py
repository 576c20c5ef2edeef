"""Group commits: whole or not at all, bounded in bytes, and a last one when the disk is full."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from programs import wait_until

from sweep.store import StoreError
from sweep.store.faults import explain, kind_of
from sweep.store.writer import GROUP_BYTES, GroupWriter

INSERT = "INSERT INTO t VALUES (1)"


class Faults:
    """A disk of so many pages, with some in reserve."""

    def __init__(self, path: Path, reserve: int, pages: int) -> None:
        self.path, self.reserve, self.pages = path, reserve, pages
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("CREATE TABLE t (a)")
        self.connection.execute(f"PRAGMA max_page_count = {pages}")
        self.ended = threading.Event()

    def explain(self, error: Exception) -> Exception:
        return explain(error, self.path)

    def is_full(self, error: Exception) -> bool:
        return kind_of(error) == sqlite3.SQLITE_FULL

    def make_room(self) -> bool:
        if not self.reserve:
            return False
        self.connection.execute(f"PRAGMA max_page_count = {self.pages + self.reserve}")
        self.reserve = 0
        return True

    def closing(self) -> None:
        self.connection.execute("SELECT 1")  # which it can only while it is open

    def released(self) -> None:
        self.ended.set()

    def rows(self) -> list[int]:
        with contextlib.closing(sqlite3.connect(self.path)) as again:
            return [length for (length,) in again.execute("SELECT length(a) FROM t ORDER BY rowid")]


@pytest.fixture
def open_writer(tmp_path: Path) -> Iterator[Callable[..., tuple[Faults, GroupWriter]]]:
    opened: list[GroupWriter] = []

    def make(reserve: int = 0, stamp: str = "SELECT 1", pages: int = 3) -> tuple[Faults, GroupWriter]:
        faults = Faults(tmp_path / "small.db", reserve, pages)
        opened.append(GroupWriter(faults.connection, faults, stamp))
        return faults, opened[-1]

    yield make
    for writer in opened:
        writer.stop()


def insert(size: int, answer: Exception | None = None) -> Callable[[sqlite3.Connection], Exception | None]:
    def action(connection: sqlite3.Connection) -> Exception | None:
        connection.execute(f"INSERT INTO t VALUES (zeroblob({size}))")
        return answer

    return action


def test_a_full_disk_is_one_line_and_ends_writing(
    open_writer: Callable[..., tuple[Faults, GroupWriter]],
) -> None:
    faults, writer = open_writer()
    writer.put(insert(1))
    writer.flush()
    writer.put(insert(100_000))
    with pytest.raises(StoreError, match=r"no space left for .*small\.db: free some") as caught:
        writer.flush()
    assert caught.value.temporary
    assert faults.ended.wait(60)
    with pytest.raises(StoreError, match="no space left"):
        writer.put(insert(1))
    assert faults.rows() == [1]


def test_with_a_reserve_what_is_queued_is_written_before_a_full_disk_ends_writing(
    open_writer: Callable[..., tuple[Faults, GroupWriter]],
) -> None:
    faults, writer = open_writer(reserve=50)
    gate = threading.Event()
    writer.put(lambda connection: gate.wait(60) and None)  # the first group waits until the others are queued
    writer.put(insert(20_000))
    thread = threading.Thread(target=pytest.raises, args=(StoreError, writer.flush))
    thread.start()
    for size in (30_000, 40_000):
        writer.put(insert(size))
    gate.set()
    thread.join(60)
    assert faults.ended.wait(60)
    with pytest.raises(StoreError, match="no space left"):
        writer.put(insert(1))
    assert faults.rows() == [20_000, 30_000, 40_000]


def test_what_there_is_room_for_is_written_in_order(
    open_writer: Callable[..., tuple[Faults, GroupWriter]],
) -> None:
    faults, writer = open_writer(reserve=10)
    for size in (1, 20_000, 2, 3, 400_000, 4):  # one group
        writer.put(insert(size))
    with pytest.raises(StoreError, match="no space left"):
        writer.flush()
    assert faults.ended.wait(60)
    assert faults.rows() == [1, 20_000, 2, 3]  # what came after the one that has no room would be out of turn


def test_a_refusal_ends_writing_after_its_group(
    open_writer: Callable[..., tuple[Faults, GroupWriter]],
) -> None:
    faults, writer = open_writer()
    refused = StoreError("refused")
    writer.put(insert(1, refused))
    writer.put(insert(2, StoreError("a later one")))
    with pytest.raises(StoreError, match="refused"):
        writer.flush()
    assert faults.ended.wait(60)
    assert faults.rows() == [1, 2]


def test_every_group_is_stamped(open_writer: Callable[..., tuple[Faults, GroupWriter]]) -> None:
    faults, writer = open_writer(stamp="INSERT INTO t VALUES (zeroblob(7))")
    for _ in range(2):
        writer.put(insert(1))
        writer.put(insert(2))
        writer.flush()
    assert faults.rows() == [1, 2, 7, 1, 2, 7]


def test_groups_are_bounded_in_bytes(open_writer: Callable[..., tuple[Faults, GroupWriter]]) -> None:
    faults, writer = open_writer(stamp="INSERT INTO t VALUES (NULL)", pages=1000)
    gate = threading.Event()
    writer.put(lambda connection: gate.wait(60) and None)
    thread = threading.Thread(target=writer.flush)
    thread.start()
    for _ in range(9):
        writer.put(insert(0), GROUP_BYTES // 4)
    for _ in range(3):
        writer.put(insert(1), GROUP_BYTES)
    gate.set()
    thread.join(60)
    writer.flush()
    rows = faults.rows()
    ends = [place for place, length in enumerate(rows) if length is None]
    groups = [rows[start:end] for start, end in zip([0, *(end + 1 for end in ends)], ends, strict=False)]
    assert [group for group in groups if group] == [[0] * 4, [0] * 4, [0, 1], [1], [1]]


def test_who_is_hurried_waits_for_no_more(
    open_writer: Callable[..., tuple[Faults, GroupWriter]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweep.store.writer.GROUP_SECONDS", 3600)
    faults, writer = open_writer()
    for count in (1, 2):  # of rows committed so far: who is hurried once waits again the next time
        writer.put(insert(count))
        assert not wait_until(lambda count=count: len(faults.rows()) >= count, 0.1)
        writer.hurry()
        assert wait_until(lambda count=count: len(faults.rows()) == count)
        writer.hurry()  # there is nothing to commit
