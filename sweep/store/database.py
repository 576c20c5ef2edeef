"""The SQLite file of a store: who may open it, and how."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

from neuralnet_core import is_database
from sweep.errors import TRY_AGAIN, USAGE

from .faults import LONGEST_ROW, StoreError, explain, is_full, kind_of, one_line
from .filesystem import leads_to, network_type
from .formats import beside, set_up, set_up_reader
from .lock import LockHeldError, WriterLock, holder, is_elsewhere
from .reserve import Reserve

Connection = sqlite3.Connection

# What lies beside a store in use: SQLite's files and ours.
BESIDE = ("-wal", "-shm", "-journal", ".lock", ".reserve")


class WriteAccess:
    """A connection that may write, the lock that says nobody else does, and room for the last flush.

    A file that does not exist is made; one of an earlier format is brought up to date.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = _lock(path)
        self._reserve: Reserve | None = None
        try:
            with one_line(path):
                self.connection = _connect(path, "mode=rwc", set_up)
                self._file = path.stat()
            self._reserve = Reserve(beside(path, ".reserve"))
        except BaseException:
            self.released()
            raise

    def explain(self, error: Exception) -> StoreError:
        """Return the error to show for one that a statement raised."""
        return explain(error, self._path)

    def is_full(self, error: Exception) -> bool:
        """Return whether an error says that the disk is full."""
        return is_full(error)

    def make_room(self) -> bool:
        """Return whether there is room now, where there was none."""
        return self._reserve is not None and self._reserve.release()

    def closing(self) -> None:
        """Put all into the file itself if it is elsewhere now: the next one here would take its log for its own."""
        if not leads_to(self._path, self._file):
            with contextlib.suppress(sqlite3.Error):
                self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def released(self) -> None:
        """Let others write."""
        if self._reserve is not None:
            self._reserve.release()
        self._lock.release()


def open_for_reading(path: Path) -> Connection:
    """Return a connection that only reads: beside a writer, and from a folder that nobody may write."""
    _check_place(path)
    if not path.is_file():
        raise StoreError(f"{path} does not exist", USAGE)
    _check_no_writer_elsewhere(path)
    with one_line(path):
        try:
            # Not mode=ro: whoever closes a file last must be able to take away the two files SQLite has beside it.
            return _connect(path, "mode=rw", set_up_reader)
        except sqlite3.OperationalError as error:
            # One of those two files could not be made: the folder is read-only or the disk full.
            cannot_be_made = kind_of(error) in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN) or is_full(
                error
            )
            if not cannot_be_made or writer_of(path):
                raise
            if beside(path, "-wal").exists():
                return _connect_to_copy(path)
            return _connect(path, "mode=ro&immutable=1", set_up_reader)


def _connect_to_copy(path: Path) -> Connection:
    """Return a connection to a copy in the system's temporary folder, which lives as long as the connection."""
    with tempfile.TemporaryDirectory(prefix="sweep-") as folder:
        copy = Path(folder) / "store"
        try:
            for suffix in ("-wal", ""):
                shutil.copyfile(beside(path, suffix), beside(copy, suffix))
        except OSError as error:
            raise StoreError(f"{path} can only be read from a copy, but {error}", TRY_AGAIN) from error
        if name := writer_of(path):  # who may have written while we copied
            raise StoreError(f"{path} is being written by {name}: try again", TRY_AGAIN)
        return _connect(copy, "mode=rw", set_up_reader)


def writer_of(path: Path) -> str | None:
    """Return the name of who has the store open for writing, None if nobody has."""
    return holder(beside(path, ".lock"))


def check_no_store(path: Path, name: str) -> None:
    """Raise if a file is a store, or one that lies beside a store in use: whoever writes there loses results."""
    target = os.path.realpath(path)
    if is_database(target):
        raise StoreError(f"{name} is a store: choose another file", USAGE)
    for suffix in BESIDE:
        if target.endswith(suffix) and is_database(target.removesuffix(suffix)):
            raise StoreError(f"{name} belongs to a store: choose another file", USAGE)


def _check_place(path: Path) -> None:
    if not path.parent.is_dir():
        raise StoreError(f"folder {path.parent} does not exist: create it or choose another store", USAGE)
    if path.is_dir():
        raise StoreError(f"{path} is a folder, not a file: choose another file", USAGE)
    if path.exists() and not path.is_file():
        raise StoreError(f"{path} is a device, a pipe or a socket, not a file: choose another file", USAGE)


def _lock(path: Path) -> WriterLock:
    _check_place(path)
    _warn_of_network(path)
    try:
        return WriterLock(beside(path, ".lock"))
    except LockHeldError as name:
        raise StoreError(f"{path} is being written by {name}", TRY_AGAIN) from None
    except OSError as error:
        code = TRY_AGAIN if error.errno in (errno.ENOSPC, errno.EDQUOT) else USAGE
        raise StoreError(f"{path} cannot be locked for writing: {error.strerror}", code) from error


def _warn_of_network(path: Path) -> None:
    if kind := network_type(path):
        warnings.warn(
            f"{path} is on a network file system ({kind}), where SQLite's write-ahead log is safe for the"
            " processes of one machine only: read it there, or keep it on a local disk and copy it when it is done",
            stacklevel=2,
        )


def _check_no_writer_elsewhere(path: Path) -> None:
    """Raise if the store is written by another machine, whose write-ahead log cannot be read from here."""
    if network_type(path) and (name := writer_of(path)) and is_elsewhere(name):
        raise StoreError(
            f"{path} is being written by {name}: read it on that machine, or when that has ended", TRY_AGAIN
        )


def _connect(path: Path, mode: str, prepare: Callable[[Connection, Path], Connection]) -> Connection:
    # The calls of one connection never overlap, but do come from several threads.
    connection = sqlite3.connect(
        f"{path.as_uri()}?{mode}", uri=True, timeout=10, isolation_level=None, check_same_thread=False
    )
    try:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_ROW)
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        return prepare(connection, path)
    except BaseException:
        connection.close()
        raise
