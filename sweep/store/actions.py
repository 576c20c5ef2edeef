"""What the writer thread runs, inside its transactions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sweep.jobs import RESULTS

from .database import Connection
from .faults import StoreError
from .rows import BuiltRows, Row

__all__ = ["STAMP", "describe", "insert_records", "replace_trials"]

# SQLite's clock: part of every commit, and no part of anything else.
STAMP = "INSERT OR REPLACE INTO last_commit VALUES (1, (julianday('now') - 2440587.5) * 86400.0)"
# A result is final. What failed may be tried again, and then the new record takes the old one's place.
RECORD = f"""
INSERT INTO records
    (identity, state, epoch, metrics, error, digest, started, seconds, worker, curves, points)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (identity) DO UPDATE SET
    state = excluded.state, epoch = excluded.epoch, metrics = excluded.metrics, error = excluded.error,
    digest = excluded.digest, started = excluded.started, seconds = excluded.seconds, worker = excluded.worker,
    curves = excluded.curves, points = excluded.points
WHERE records.state NOT IN {RESULTS}
"""
RECORDED = "SELECT state, epoch, digest FROM records WHERE identity = ?"
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


def insert_records(
    connection: Connection, *, rows: Sequence[Row], models: Mapping[int, bytes], path: Path
) -> StoreError | None:
    """Write records, and the npz files of some by their place; return why the first that is refused is, if any is."""
    refused: dict[int, StoreError] = {}
    if connection.executemany(RECORD, rows).rowcount < len(rows):  # some have a result already
        differing = ((place, _other_result(connection, row, path)) for place, row in enumerate(rows))
        refused = {place: error for place, error in differing if error is not None}
    kept = [(npz, rows[place][0]) for place, npz in models.items() if place not in refused]
    connection.executemany(MODEL, kept)
    return next(iter(refused.values()), None)


def _other_result(connection: Connection, row: Row, path: Path) -> StoreError | None:
    """Return the error if a result is not the one that is recorded."""
    identity, state, epoch, _, _, digest, *_ = row
    recorded = connection.execute(RECORDED, (identity,)).fetchone()
    if state not in RESULTS or recorded == (state, epoch, digest):
        return None
    return StoreError(
        f"{path} has another result of the trial {identity[:12]}: {_result(*recorded)}; now came"
        f" {_result(state, epoch, digest)}. The first was kept; one of them is wrong: verify the store"
    )


def _result(state: str, epoch: int, digest: str | None) -> str:
    return f"{state} at epoch {epoch}" + (f" with digest {digest[:12]}" if digest else "")
