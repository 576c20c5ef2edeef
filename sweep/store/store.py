"""Records <-> one SQLite file: nothing acknowledged is lost, nothing is ever unpickled.

Identity is the key of what was trained, the trial number that of a row in the present sweep. So another space
over the same store replaces the list of trials and keeps every record.
"""

from __future__ import annotations

import contextlib
import json
import os
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from neuralnet_core import shown
from sweep.errors import USAGE
from sweep.jobs import Configuration, Record, Trial

from . import actions
from .database import Connection, WriteAccess, open_for_reading, writer_of
from .faults import StoreError, one_line
from .filesystem import leads_to
from .formats import check_whole
from .rows import (
    BuiltRows,
    Row,
    configurations_of,
    curves_of,
    description_of,
    moment_of,
    record_of,
    record_row,
    states_of,
    trial_rows,
    trials_of,
)
from .writer import GroupWriter

TRIALS = """
SELECT trial, configuration, repeat, fold, seed, identity, params
FROM trials LEFT JOIN configurations USING (configuration) ORDER BY trial
"""
RECORDS = """
SELECT identity, state, epoch, metrics, error, digest, started, seconds, worker{}
FROM records ORDER BY record
"""
CURVES = "SELECT curves, points FROM records WHERE identity = ?"
STATE_COUNTS = "SELECT state, count(*) FROM trials LEFT JOIN records USING (identity) GROUP BY state"
ROW_BYTES = 400  # of a record without its curves and its model, roughly
# What is written by the same statements; on a full disk a batch has room whole or not at all.
BATCH_ROWS = 50
BATCH_BYTES = 1 << 20


class Store:
    """The records of a sweep in one SQLite file, open for writing (`Store.open`) or reading (`Store.read`).

    There is one writer at a time; readers never block it and see every group that was committed. What is
    written is queued and committed in groups by a thread; after `flush` (or `close`) it survives a loss of
    power.

    Examples
    --------
    >>> import tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "digits.sweep")
    >>> with Store.open(path) as store:
    ...     store.describe({"objective": "validation_accuracy"})
    >>> with Store.read(path) as store:
    ...     store.read_sweep()
    {'objective': 'validation_accuracy'}
    """

    def __init__(self, path: Path, reader: Connection, writer: GroupWriter | None = None) -> None:
        self.path = path
        self._file = path.stat()
        self._reader = reader
        self._writer = writer
        # Also closes a store that was forgotten, at the latest when the interpreter ends.
        self._finalizer = weakref.finalize(self, _close, reader, writer)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """Open a store for writing; a file that does not exist is made.

        Raises
        ------
        StoreError
            If the folder does not exist or cannot be written, if another writer has the store open (the
            message names it), or if the file is something else, damaged or of a newer version.
        """
        real_path = _resolved(path)
        access = WriteAccess(real_path)
        try:
            reader = open_for_reading(real_path)
        except BaseException:
            access.connection.close()
            access.released()
            raise
        return cls(real_path, reader, GroupWriter(access.connection, access, actions.STAMP))

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Open an existing store for reading, also while another process writes it.

        Raises
        ------
        StoreError
            If the file does not exist, or is not a store that this version can read.
        """
        real_path = _resolved(path)
        return cls(real_path, open_for_reading(real_path))

    def close(self) -> None:
        """Commit what is queued and give the file free.

        Raises
        ------
        StoreError
            If what was queued could not be written.
        """
        self._finalizer()
        if self._writer is not None:
            self._writer.raise_error()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- Writing ------------------------------------------------------------------------------------------

    def describe(self, description: Mapping[str, Any]) -> None:
        """Write what the sweep is, one JSON value per key; a key written before is replaced."""
        rows = [(key, json.dumps(value)) for key, value in description.items()]
        self._put(partial(actions.describe, rows=rows))

    def replace_trials(self, trials: Iterable[Trial], built: Iterable[Configuration] = ()) -> None:
        """Make these the sweep's trials, in one transaction; records are kept, whoever they belong to.

        `built` is what the configurations of the trials were made into, so that they can be trained again from
        the store alone; of a configuration that is not among them only the parameters are kept.
        """
        trials = list(trials)
        rows = trial_rows(trials)
        self._put(partial(actions.replace_trials, rows=rows, built=BuiltRows(trials, built)))

    def record(self, record: Record, model_bytes: bytes | None = None) -> None:
        """Queue what came of a trial, and the bytes of its model's npz file if it is to be kept.

        Recording an identity twice is harmless: the first result ("done" or "diverged") stays; a record
        without a result ("failed", "timeout", ...) gives way to a new one. A second result that is not the
        same as the first is refused: that is an error of this or of a later call.
        """
        self.record_all([(record, model_bytes)])

    def record_all(self, records: Iterable[tuple[Record, bytes | None]]) -> None:
        """Queue many as `record` does one."""
        rows: list[Row] = []
        models: dict[int, bytes] = {}
        size = 0
        for record, model_bytes in records:
            rows.append(record_row(record))
            size += ROW_BYTES + len(rows[-1][-1])
            if model_bytes is not None:
                models[len(rows) - 1] = model_bytes
                size += len(model_bytes)
            if len(rows) == BATCH_ROWS or size > BATCH_BYTES:
                self._put(partial(actions.insert_records, rows=rows, models=models, path=self.path), size)
                rows, models, size = [], {}, 0
        if rows:
            self._put(partial(actions.insert_records, rows=rows, models=models, path=self.path), size)

    def commit_soon(self) -> None:
        """Let everything queued be committed now, by the writer's thread; do not wait for it."""
        if self._writer is not None:
            self._writer.hurry()

    def flush(self) -> None:
        """Wait until everything queued is on the disk."""
        if self._writer is not None:
            self._writer.flush()

    # --- Reading ------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """Within this block a reader sees the store as it is at the first read, whatever is written meanwhile."""
        with one_line(self.path):
            self._reader.execute("BEGIN")
            try:
                yield
            finally:
                self._reader.execute("COMMIT")

    def read_sweep(self) -> dict[str, Any]:
        """Return what `describe` wrote."""
        with one_line(self.path):
            return description_of(self._rows("SELECT key, value FROM sweep"))

    def identities(self, without: Collection[str] = ()) -> set[str]:
        """Return the identities that have a record, but for those in some states."""
        rows = self._rows("SELECT identity, state FROM records")
        return {identity for identity, state in rows if state not in without}

    def trials(self) -> list[Trial]:
        """Return the trials of the present sweep, by number."""
        with one_line(self.path):
            return trials_of(self._rows(TRIALS))

    def configurations(self, dtype: str) -> list[Configuration]:
        """Return the configurations of the present sweep and what they were made into, by number."""
        with one_line(self.path):
            networks = self._rows("SELECT network, value FROM networks")
            rows = self._rows("SELECT * FROM configurations ORDER BY configuration")
            return configurations_of(rows, networks, dtype)

    def records(self, *, curves: bool = True) -> dict[str, Record]:
        """Return every record by identity, in order of recording; without curves it is quicker."""
        with one_line(self.path):
            rows = self._rows(RECORDS.format(", curves, points" if curves else ""))
            return {row[0]: record_of(row) for row in rows}

    def curves(self, identity: str) -> dict[str, NDArray[np.float64]]:
        """Return the curves of one record, by metric; none if there is no such record."""
        with one_line(self.path):
            found = self._rows(CURVES, (identity,))
            return curves_of(*found[0]) if found else {}

    def states(self) -> dict[str | None, int]:
        """Return how many trials of the present sweep are in each state; those without a record under None."""
        with one_line(self.path):
            return states_of(self._rows(STATE_COUNTS))

    def others(self) -> int:
        """Return how many records are of no trial of the present sweep."""
        query = "SELECT count(*) FROM records WHERE identity NOT IN (SELECT identity FROM trials)"
        return int(self._rows(query)[0][0])

    def last_commit(self) -> float | None:
        """Return when something was last written, in seconds since 1970; None if that is not known."""
        with one_line(self.path):
            return moment_of(self._rows("SELECT at FROM last_commit"))

    def is_in_place(self) -> bool:
        """Return whether the path leads to the file that was opened: not if that was deleted, moved or replaced."""
        return leads_to(self.path, self._file)

    def writer(self) -> str | None:
        """Return the name of the process that has the store open for writing, None if none has."""
        return writer_of(self.path)

    def check(self) -> None:
        """Read the whole file.

        Raises
        ------
        StoreError
            If it is damaged anywhere.
        """
        self.flush()
        with one_line(self.path):
            check_whole(self._reader)

    def model(self, identity: str) -> bytes | None:
        """Return the npz file of a model that was kept, or None."""
        query = "SELECT npz FROM models JOIN records USING (record) WHERE identity = ?"
        found = self._rows(query, (identity,))
        return found[0][0] if found else None

    # --- Inside -------------------------------------------------------------------------------------------

    def _put(self, action: Callable[[Connection], StoreError | None], size: int = 0) -> None:
        if self._writer is None:
            raise StoreError(f"{self.path} is open for reading; use Store.open to write")
        if not self._finalizer.alive:
            raise StoreError(f"{self.path} was closed; open it again")
        self._writer.put(action, size)

    def _rows(self, query: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query; what is queued is committed first, so one reads what one wrote."""
        self.flush()
        with one_line(self.path):
            return self._reader.execute(query, tuple(values)).fetchall()


def _close(reader: Connection, writer: GroupWriter | None) -> None:
    # The reader first: the last connection to close, the writer's, folds the write-ahead log into the file.
    reader.close()
    if writer is not None:
        writer.stop()


def _resolved(path: str | os.PathLike[str]) -> Path:
    """Return the file that a path leads to."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"store must be a path, got {shown(path)}")
    try:
        real_path = Path(path).resolve()
        circle = real_path.is_symlink()
    # Python before 3.13 raises for links in a circle; all do for a zero byte, and for a name that is too long.
    except (RuntimeError, ValueError, OSError):
        circle = True
    if circle:
        raise StoreError(f"{shown(os.fspath(path))} leads to no file: choose another store", USAGE)
    return real_path
