"""What the writer thread runs, inside its transactions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sweep.jobs import RESULTS

from .database import Connection
from .faults import StoreError
from .rows import BuiltRows

__all__ = ["STAMP", "describe", "insert_record", "replace_trials"]

# SQLite's clock: part of every commit, and no part of anything else.
STAMP = "INSERT OR REPLACE INTO last_commit VALUES (1, (julianday('now') - 2440587.5) * 86400.0)"
INSERT = """
INSERT INTO records (identity, state, epoch, metrics, error, digest, started, seconds, worker)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
NEW = f"{INSERT} ON CONFLICT (identity) DO NOTHING"
# A result is final. What failed may be tried again, and then the new record takes the old one's place.
AGAIN = f"""{INSERT}
ON CONFLICT (identity) DO UPDATE SET
    state = excluded.state, epoch = excluded.epoch, metrics = excluded.metrics, error = excluded.error,
    digest = excluded.digest, started = excluded.started, seconds = excluded.seconds, worker = excluded.worker
WHERE records.state NOT IN {RESULTS}
RETURNING record
"""
RECORDED = "SELECT state, epoch, digest FROM records WHERE identity = ?"
CURVES = "INSERT OR REPLACE INTO curves VALUES "
MODEL = "INSERT INTO models SELECT record, ? FROM records WHERE identity = ? ON CONFLICT DO NOTHING"
TRIAL = "INSERT INTO trials VALUES (?, ?, ?, ?, ?, ?)"
CONFIGURATION = "INSERT INTO configurations VALUES (?, ?, ?, ?, ?)"
NETWORK = "INSERT INTO networks VALUES (?, ?)"
DESCRIBE = "INSERT OR REPLACE INTO sweep VALUES (?, ?)"


def describe(connection: Connection, *, rows: list[Any]) -> None:
    """Write what the sweep is."""
    connection.executemany(DESCRIBE, rows)


def replace_trials(connection: Connection, *, rows: list[Any], built: BuiltRows) -> None:
    """Put these trials and configurations in the place of those before."""
    for table in ("trials", "configurations", "networks"):
        connection.execute(f"DELETE FROM {table}")
    connection.executemany(NETWORK, built.networks)
    connection.executemany(CONFIGURATION, built.configurations)
    connection.executemany(TRIAL, rows)


def insert_record(
    connection: Connection, *, row: tuple[Any, ...], curves: list[Any], model: bytes | None, path: Path
) -> StoreError | None:
    """Write a record, or return why it is refused."""
    identity, state, epoch, _, _, digest, *_ = row
    new = connection.execute(NEW, row)
    number = new.lastrowid if new.rowcount else _written_again(connection, row)
    if number is not None:
        if curves:  # in one statement, which takes two thirds of the time of one for each
            rows = ", ".join(["(?, ?, ?)"] * len(curves))
            connection.execute(CURVES + rows, [value for curve in curves for value in (number, *curve)])
    elif state in RESULTS:
        recorded = connection.execute(RECORDED, (identity,)).fetchone()
        if recorded != (state, epoch, digest):
            return StoreError(
                f"{path} has another result of the trial {identity[:12]}: {_result(*recorded)}; now came"
                f" {_result(state, epoch, digest)}. The first was kept; one of them is wrong: verify the store"
            )
    if model is not None:
        connection.execute(MODEL, (model, identity))
    return None


def _written_again(connection: Connection, row: tuple[Any, ...]) -> int | None:
    """Write a record in the place of one without a result, and return its number; None if there is a result."""
    written = connection.execute(AGAIN, row).fetchall()
    for (number,) in written:
        connection.execute("DELETE FROM curves WHERE record = ?", (number,))
    return written[0][0] if written else None


def _result(state: str, epoch: int, digest: str | None) -> str:
    return f"{state} at epoch {epoch}" + (f" with digest {digest[:12]}" if digest else "")
