"""Records <-> one SQLite file: nothing acknowledged is lost, nothing is ever unpickled.

Identity is the key of what was trained, the trial number that of a row in the present sweep. So another space
over the same store replaces the list of trials and keeps every record.
"""

from __future__ import annotations

import json
import os
import weakref
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from sweep.jobs import RESULTS, Record, Trial
from sweep.values import decode_metrics, decode_params, encode_metrics, encode_params

from .database import Connection, StoreError, explain, one_line, open_for_reading, open_for_writing
from .writer import GroupWriter

# A result is final. What failed may be tried again, and then the new record takes the old one's place.
RECORD = f"""
INSERT INTO records (identity, state, epoch, metrics, error, digest, started, seconds, worker)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (identity) DO UPDATE SET
    state = excluded.state, epoch = excluded.epoch, metrics = excluded.metrics, error = excluded.error,
    digest = excluded.digest, started = excluded.started, seconds = excluded.seconds, worker = excluded.worker
WHERE records.state NOT IN {RESULTS}
RETURNING record
"""
MODEL = "INSERT INTO models SELECT record, ? FROM records WHERE identity = ? ON CONFLICT DO NOTHING"
TRIAL = "INSERT INTO trials VALUES (?, ?, ?, ?, ?, ?)"
CONFIGURATION = "INSERT INTO configurations VALUES (?, ?)"
DESCRIBE = "INSERT OR REPLACE INTO sweep VALUES (?, ?)"


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
        real_path = Path(path).resolve()
        connection, lock = open_for_writing(real_path)
        writer = GroupWriter(connection, partial(explain, path=real_path), lock.release)
        return cls(real_path, open_for_reading(real_path), writer)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Open an existing store for reading, also while another process writes it.

        Raises
        ------
        StoreError
            If the file does not exist, or is not a store that this version can read.
        """
        real_path = Path(path).resolve()
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
        self._put(partial(_insert_many, statement=DESCRIBE, rows=rows))

    def replace_trials(self, trials: Iterable[Trial]) -> None:
        """Make these the sweep's trials, in one transaction; records are kept, whoever they belong to."""
        trials = list(trials)
        self._put(partial(_replace_trials, rows=_trial_rows(trials), params=_params_rows(trials)))

    def record(self, record: Record, model_bytes: bytes | None = None) -> None:
        """Queue what came of a trial, and the bytes of its model's npz file if it is to be kept.

        Recording an identity twice is harmless: the first result ("done" or "diverged") stays; a record
        without a result ("failed", "timeout", ...) gives way to a new one.
        """
        row = (
            record.identity, record.state, int(record.epoch), encode_metrics(record.metrics), record.error,
            record.digest, float(record.started), float(record.seconds), record.worker,
        )  # fmt: skip
        curves = [(name, np.asarray(values, "<f4").tobytes()) for name, values in record.curves.items()]
        self._put(partial(_insert_record, row=row, curves=curves, model=model_bytes))

    def flush(self) -> None:
        """Wait until everything queued is on the disk."""
        if self._writer is not None:
            self._writer.flush()

    # --- Reading ------------------------------------------------------------------------------------------

    def read_sweep(self) -> dict[str, Any]:
        """Return what `describe` wrote."""
        with one_line(self.path):
            return {key: json.loads(value) for key, value in self._rows("SELECT key, value FROM sweep")}

    def identities(self) -> set[str]:
        """Return the identities that have a record."""
        return {identity for (identity,) in self._rows("SELECT identity FROM records")}

    def trials(self) -> list[Trial]:
        """Return the trials of the present sweep, by number."""
        with one_line(self.path):
            params = {
                configuration: decode_params(text)
                for configuration, text in self._rows("SELECT configuration, params FROM configurations")
            }
            return [
                Trial(trial, configuration, repeat, fold, seed, params[configuration], identity)
                for trial, configuration, repeat, fold, seed, identity in self._rows(
                    "SELECT trial, configuration, repeat, fold, seed, identity FROM trials ORDER BY trial"
                )
            ]

    def records(self, *, curves: bool = True) -> dict[str, Record]:
        """Return every record by identity, in order of recording; without curves it is quicker."""
        columns = "record, identity, state, epoch, metrics, error, digest, started, seconds, worker"
        with one_line(self.path):
            rows = self._rows(f"SELECT {columns} FROM records ORDER BY record")
            points = self._curves() if curves else {}
            return {
                identity: Record(
                    identity,
                    state,
                    epoch,
                    decode_metrics(metrics),
                    points.get(number, {}),
                    error,
                    digest,
                    *clock,
                )
                for number, identity, state, epoch, metrics, error, digest, *clock in rows
            }

    def model(self, identity: str) -> bytes | None:
        """Return the npz file of a model that was kept, or None."""
        query = "SELECT npz FROM models JOIN records USING (record) WHERE identity = ?"
        found = self._rows(query, (identity,))
        return found[0][0] if found else None

    # --- Inside -------------------------------------------------------------------------------------------

    def _put(self, action: Callable[[Connection], None]) -> None:
        if self._writer is None:
            raise StoreError(f"{self.path} is open for reading; use Store.open to write")
        if not self._finalizer.alive:
            raise StoreError(f"{self.path} was closed; open it again")
        self._writer.put(action)

    def _rows(self, query: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query; what is queued is committed first, so one reads what one wrote."""
        self.flush()
        with one_line(self.path):
            return self._reader.execute(query, tuple(values)).fetchall()

    def _curves(self) -> dict[int, dict[str, np.ndarray]]:
        curves: dict[int, dict[str, np.ndarray]] = {}
        for number, metric, points in self._rows("SELECT record, metric, points FROM curves"):
            curves.setdefault(number, {})[metric] = np.frombuffer(points, "<f4").astype(np.float64)
        return curves


def _close(reader: Connection, writer: GroupWriter | None) -> None:
    # The reader first: the last connection to close, the writer's, folds the write-ahead log into the file.
    reader.close()
    if writer is not None:
        writer.stop()


# --- What the writer thread runs, inside its transaction --------------------------------------------------


def _insert_many(connection: Connection, *, statement: str, rows: list[tuple[Any, ...]]) -> None:
    connection.executemany(statement, rows)


def _replace_trials(connection: Connection, *, rows: list[Any], params: list[Any]) -> None:
    connection.execute("DELETE FROM trials")
    connection.execute("DELETE FROM configurations")
    connection.executemany(CONFIGURATION, params)
    connection.executemany(TRIAL, rows)


def _insert_record(
    connection: Connection, *, row: tuple[Any, ...], curves: list[Any], model: bytes | None
) -> None:
    written = connection.execute(RECORD, row).fetchall()
    for (number,) in written:
        connection.execute("DELETE FROM curves WHERE record = ?", (number,))
        connection.executemany("INSERT INTO curves VALUES (?, ?, ?)", [(number, *curve) for curve in curves])
    if model is not None:
        connection.execute(MODEL, (model, row[0]))


def _trial_rows(trials: list[Trial]) -> list[tuple[Any, ...]]:
    rows = [(t.trial, t.configuration, t.repeat, t.fold, t.seed, t.identity) for t in trials]
    for row in rows:
        if max(row[:5]) >= 2**63:
            raise StoreError(f"numbers of a trial must be < 2**63, got {max(row[:5])} in trial {row[0]}")
    return rows


def _params_rows(trials: list[Trial]) -> list[tuple[int, str]]:
    params = {trial.configuration: trial.params for trial in trials}
    return [(configuration, encode_params(values)) for configuration, values in params.items()]
