"""Every way a store can fail, in one line each."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sweep.errors import BAD_DATA, TRY_AGAIN, USAGE

__all__ = ["LONGEST_ROW", "StoreError", "explain", "is_full", "kind_of", "one_line"]

# The most that one row may have: SQLite takes memory for a value before anybody looks at it.
LONGEST_ROW = 256 << 20


class StoreError(RuntimeError):
    """A store cannot be used; the message says why and what to do, in one line.

    Attributes
    ----------
    exit_code : int
        What the command line ends with: 2 if another place must be given, 65 if the file is not as it should be,
        75 if trying again later may help (the disk is full, or another process writes the store).
    """

    def __init__(self, message: str, exit_code: int = BAD_DATA) -> None:
        super().__init__(message)
        self.exit_code = exit_code

    @property
    def temporary(self) -> bool:
        """Whether trying again later may help."""
        return self.exit_code == TRY_AGAIN


# What a value of another kind than the schema says raises where it is used: a damaged file may hold any.
WRONG_VALUES = (ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError)


@contextlib.contextmanager
def one_line(path: Path) -> Iterator[None]:
    """Raise whatever SQLite, JSON or a blob's length has against the file as one StoreError."""
    try:
        yield
    except (sqlite3.Error, *WRONG_VALUES) as error:
        raise explain(error, path) from error


def explain(error: Exception, path: Path) -> StoreError:
    """Return the error to show for one that was raised while the file was in use."""
    if isinstance(error, StoreError):
        return error
    if isinstance(error, sqlite3.ProgrammingError):
        return StoreError(f"{path} was closed; open it again")
    if is_full(error):
        return StoreError(f"no space left for {path}: free some and run again to go on", TRY_AGAIN)
    code = kind_of(error)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreError(f"{path} is locked by another program: try again later", TRY_AGAIN)
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return StoreError(f"{path} cannot be written: it or its folder is read-only", USAGE)
    if code == sqlite3.SQLITE_CANTOPEN:
        return StoreError(
            f"{path} cannot be opened: check that it is a file and may be read and written", USAGE
        )
    if code == sqlite3.SQLITE_TOOBIG:
        return StoreError(
            f"a value for {path} or in it is longer than the {LONGEST_ROW >> 20} MiB it may have"
        )
    if code == sqlite3.SQLITE_NOTADB:
        return StoreError(f"{path} is not a store of sweeps: choose another file")
    if code == sqlite3.SQLITE_IOERR:
        return StoreError(f"the disk failed to read or write {path} ({error})", TRY_AGAIN)
    return StoreError(f"{path} is damaged ({error}): restore it from a copy")


def is_full(error: Exception) -> bool:
    """Return whether an error says that the disk is full."""
    # The second is of the file that processes share an index of the write-ahead log in.
    code = getattr(error, "sqlite_errorcode", None)
    return kind_of(error) == sqlite3.SQLITE_FULL or code == sqlite3.SQLITE_IOERR_SHMSIZE


def kind_of(error: Exception) -> int:
    """Return SQLite's number for a kind of failure: the low byte of its code, the rest being details."""
    return int(getattr(error, "sqlite_errorcode", -1)) & 0xFF
