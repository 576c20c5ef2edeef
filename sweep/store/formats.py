"""The format of a store's file: a new one is set up, one of an earlier format brought up to date, others refused."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from sweep.errors import USAGE

from .faults import StoreError
from .schema import APPLICATION_ID, SCHEMA_VERSION, SCHEMAS, steps_from, tables_of

__all__ = ["beside", "check_whole", "set_up", "set_up_reader"]

Connection = sqlite3.Connection


def set_up(connection: Connection, path: Path) -> Connection:
    """Make a file ready to be written: one that is empty gets its tables, an earlier format becomes today's."""
    if sqlite3.sqlite_version_info < (3, 37):
        raise StoreError(f"a store needs SQLite >= 3.37, this Python has {sqlite3.sqlite_version}", USAGE)
    if _is_empty(connection):
        connection.execute("PRAGMA journal_mode = WAL")
        # One transaction: a process killed here leaves an empty file, which is set up the next time.
        connection.executescript(
            f"BEGIN; {SCHEMAS[SCHEMA_VERSION]} PRAGMA application_id = {APPLICATION_ID};"
            f"PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
        )
    version = _check_format(connection, path)
    connection.execute("PRAGMA synchronous = FULL")
    if version < SCHEMA_VERSION:
        kept = _back_up(connection, path, version)
        _migrate(connection, version)
        _check_format(connection, path)
        warnings.warn(
            f"{path} was of format {version} and is now of format {SCHEMA_VERSION}; {kept} has it as it was",
            stacklevel=2,
        )
    # A file that may only be read opens all the same. Write what stands there already: better told now than
    # after the first results.
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    return connection


def set_up_reader(connection: Connection, path: Path) -> Connection:
    """Return a connection that reads today's format: this one, or that of a copy."""
    version = _check_format(connection, path)
    if version < SCHEMA_VERSION:
        # Who only reads does not change the file: a copy, in SQLite's temporary storage, is brought up to date.
        with contextlib.ExitStack() as stack:
            copy = sqlite3.connect("", isolation_level=None, check_same_thread=False)
            stack.callback(copy.close)
            connection.backup(copy)
            _migrate(copy, version)
            stack.pop_all()
        connection.close()
        connection = copy
    connection.execute("PRAGMA query_only = ON")
    return connection


def _check_format(connection: Connection, path: Path) -> int:
    """Return the format of a file if it is a store's, one that this version knows."""
    if _is_empty(connection):
        raise StoreError(f"{path} is empty: no sweep was ever recorded in it")
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise StoreError(f"{path} belongs to another program: choose another file")
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path} was written by a newer version (format {version}, this one knows {SCHEMA_VERSION}): upgrade"
        )
    found = connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    # To the letter: a column that computes, a trigger or a view could do anything.
    if version not in SCHEMAS or sorted(found) != sorted((table,) for table in tables_of(version)):
        raise StoreError(f"{path} is damaged (its tables are not those of a store): restore it from a copy")
    return int(version)


def _is_empty(connection: Connection) -> bool:
    return bool(connection.execute("SELECT count(*) = 0 FROM sqlite_schema").fetchone()[0])


def _migrate(connection: Connection, version: int) -> None:
    """Bring a store of an earlier format to today's: all of it or, where anything fails, nothing."""
    connection.create_aggregate("names_of", 1, partial(_Gathered, json.dumps))
    connection.create_aggregate("joined", 1, partial(_Gathered, b"".join))
    connection.executescript(
        f"BEGIN IMMEDIATE; {steps_from(version)} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
    )


class _Gathered:
    """What a function makes of a column's values, for SQLite."""

    def __init__(self, function: Callable[[list[Any]], Any]) -> None:
        self._function, self._values = function, list[Any]()

    def step(self, value: Any) -> None:
        self._values.append(value)

    def finalize(self) -> Any:
        return self._function(self._values)


def _back_up(connection: Connection, path: Path, version: int) -> Path:
    """Write a copy of a store beside it, under a name that nothing has yet; return that."""
    names = (f".format{version}", *(f".format{version}.{number}" for number in range(2, 1000)))
    kept = next(place for name in names if not (place := beside(path, name)).exists())
    part = beside(path, ".part")
    try:
        part.unlink(missing_ok=True)  # of a process that was killed here; we hold the lock
        with contextlib.closing(sqlite3.connect(part, isolation_level=None)) as copy:
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.rename(kept)
    finally:
        part.unlink(missing_ok=True)
    return kept


def check_whole(connection: Connection) -> None:
    """Read the whole file and raise `sqlite3.DatabaseError` for the first thing that is wrong in it."""
    (told,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if told != "ok":
        raise sqlite3.DatabaseError(" ".join(str(told).split()))


def beside(path: Path, suffix: str) -> Path:
    """Return the path of a file that belongs to a store."""
    return path.with_name(path.name + suffix)
