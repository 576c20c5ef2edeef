"""The SQLite file of a store: its schema, how it is opened, and every way it can fail, in one line each.

The only importer of sqlite3.
"""

from __future__ import annotations

import contextlib
import errno
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from .lock import LockHeldError, WriterLock

APPLICATION_ID = 0x6E6E7377  # "nnsw", in the file's header: what the file is
SCHEMA_VERSION = 1  # also in the header (user_version)

# A record's number follows the order of recording: curves and models are appended, never inserted in between,
# and what is new since some number can be read alone.
SCHEMA = """
CREATE TABLE sweep (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE configurations (configuration INTEGER PRIMARY KEY, params TEXT NOT NULL) STRICT;
CREATE TABLE trials (
    trial INTEGER PRIMARY KEY, configuration INTEGER NOT NULL, repeat INTEGER NOT NULL, fold INTEGER NOT NULL,
    seed INTEGER NOT NULL, identity TEXT NOT NULL) STRICT;
CREATE TABLE records (
    record INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE, state TEXT NOT NULL, epoch INTEGER NOT NULL,
    metrics TEXT NOT NULL, error TEXT, digest TEXT, started REAL NOT NULL, seconds REAL NOT NULL,
    worker TEXT NOT NULL) STRICT;
CREATE TABLE curves (
    record INTEGER NOT NULL, metric TEXT NOT NULL, points BLOB NOT NULL, PRIMARY KEY (record, metric)
    ) STRICT, WITHOUT ROWID;
CREATE TABLE models (record INTEGER PRIMARY KEY, npz BLOB NOT NULL) STRICT;
"""
TABLES = {"sweep", "configurations", "trials", "records", "curves", "models"}

Connection = sqlite3.Connection


class StoreError(RuntimeError):
    """A store cannot be used; the message says why and what to do, in one line.

    Attributes
    ----------
    temporary : bool
        True if trying again later may help: the disk is full, or another process writes the store.
    """

    def __init__(self, message: str, *, temporary: bool = False) -> None:
        super().__init__(message)
        self.temporary = temporary


def open_for_writing(path: Path) -> tuple[Connection, WriterLock]:
    """Return a connection that may write, and the lock that says nobody else does; a new file is set up."""
    lock = _lock(path)
    try:
        with one_line(path):
            return _connect(path, "mode=rwc", _set_up), lock
    except BaseException:
        lock.release()
        raise


def open_for_reading(path: Path) -> Connection:
    """Return a connection that only reads: beside a writer, and from a folder that nobody may write."""
    if not path.is_file():
        raise StoreError(f"{path} is a folder, not a file" if path.is_dir() else f"{path} does not exist")
    with one_line(path):
        try:
            # Not mode=ro: whoever closes a file last must be able to take away the two files SQLite has beside it.
            return _connect(path, "mode=rw", _set_up_reader)
        except sqlite3.OperationalError as error:
            # Where those two files can neither be made nor are there, nobody writes.
            may_not = _kind(error) in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
            if not may_not or _beside(path, "-wal").exists():
                raise
            return _connect(path, "mode=ro&immutable=1", _check_header)


@contextlib.contextmanager
def one_line(path: Path) -> Iterator[None]:
    """Raise whatever SQLite, JSON or a blob's length has against the file as one StoreError."""
    try:
        yield
    except (sqlite3.Error, ValueError, LookupError, TypeError, RecursionError) as error:
        raise explain(error, path) from error


def explain(error: Exception, path: Path) -> StoreError:
    """Return the error to show for one that was raised while the file was in use."""
    if isinstance(error, sqlite3.ProgrammingError):
        return StoreError(f"{path} was closed; open it again")
    code = _kind(error)
    if code == sqlite3.SQLITE_FULL:
        return StoreError(f"no space left for {path}: free some and run again to go on", temporary=True)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreError(f"{path} is locked by another program: try again later", temporary=True)
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return StoreError(f"{path} cannot be written: it or its folder is read-only")
    if code == sqlite3.SQLITE_CANTOPEN:
        return StoreError(f"{path} cannot be opened: check that it is a file and may be read and written")
    if code == sqlite3.SQLITE_NOTADB:
        return StoreError(f"{path} is not a store of sweeps: choose another file")
    if code == sqlite3.SQLITE_IOERR:
        return StoreError(f"the disk failed to read or write {path} ({error})", temporary=True)
    return StoreError(f"{path} is damaged ({error}): restore it from a copy")


def _kind(error: Exception) -> int:
    """Return SQLite's number for a kind of failure: the low byte of its code, the rest being details."""
    return int(getattr(error, "sqlite_errorcode", -1)) & 0xFF


def _lock(path: Path) -> WriterLock:
    if not path.parent.is_dir():
        raise StoreError(f"folder {path.parent} does not exist: create it or choose another store")
    if path.is_dir():
        raise StoreError(f"{path} is a folder, not a file")
    try:
        return WriterLock(_beside(path, ".lock"))
    except LockHeldError as holder:
        raise StoreError(f"{path} is being written by {holder}", temporary=True) from None
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise StoreError(f"{path} cannot be locked for writing: {error.strerror}", temporary=full) from error


def _connect(path: Path, mode: str, prepare: Callable[[Connection, Path], None]) -> Connection:
    # The calls of one connection never overlap, but do come from several threads.
    connection = sqlite3.connect(
        f"{path.as_uri()}?{mode}", uri=True, timeout=10, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        prepare(connection, path)
        return connection
    except BaseException:
        connection.close()
        raise


def _set_up(connection: Connection, path: Path) -> None:
    if sqlite3.sqlite_version_info < (3, 37):
        raise StoreError(f"a store needs SQLite >= 3.37, this Python has {sqlite3.sqlite_version}")
    if _is_empty(connection):
        connection.execute("PRAGMA journal_mode = WAL")
        # One transaction: a process killed here leaves an empty file, which is set up the next time.
        connection.executescript(
            f"BEGIN; {SCHEMA} PRAGMA application_id = {APPLICATION_ID};"
            f"PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
        )
    _check_header(connection, path)
    connection.execute("PRAGMA synchronous = FULL")
    # A file that may only be read opens all the same. Write what stands there already: better told now than
    # after the first results.
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _set_up_reader(connection: Connection, path: Path) -> None:
    connection.execute("PRAGMA query_only = ON")
    _check_header(connection, path)


def _check_header(connection: Connection, path: Path) -> None:
    if _is_empty(connection):
        raise StoreError(f"{path} is empty: no sweep was ever recorded in it")
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise StoreError(f"{path} belongs to another program: choose another file")
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path} was written by a newer version (format {version}, this one knows {SCHEMA_VERSION}):"
            " upgrade neuralnet-sweep"
        )
    # A trigger or a view in a file from elsewhere would be code, run whenever we write or read.
    found = connection.execute("SELECT name, type FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    if {name for name, kind in found if kind == "table"} != TABLES or len(found) != len(TABLES):
        raise StoreError(f"{path} is damaged (its tables are not those of a store): restore it from a copy")


def _is_empty(connection: Connection) -> bool:
    return bool(connection.execute("SELECT count(*) = 0 FROM sqlite_schema").fetchone()[0])


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
