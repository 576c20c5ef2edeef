"""Other programs' files and newer stores are refused; older ones are brought up to date."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pandas as pd  # noqa: F401 - by whom may read it, before the tests give that up
import pytest
from store_values import assert_whole, files_beside, record, without_privileges

from neuralnet_core import Model
from sweep import Results
from sweep.jobs import Record
from sweep.store import Store, StoreError
from sweep.store.schema import SCHEMA_VERSION, SCHEMAS, tables_of

# Each written by the last version that wrote this format: the same sweep of two networks of 3 epochs, two that diverge
# and four that cannot be built.
FORMATS = {version: Path(__file__).with_name(f"format_{version}.db") for version in (1, 2)}


@pytest.mark.parametrize("how", [Store.open, Store.read])
def test_other_files_are_refused(tmp_path: Path, how: object) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("nothing to see here\n" * 200)
    with pytest.raises(StoreError, match="is not a store of sweeps"):
        how(text)
    other = tmp_path / "other.db"
    with contextlib.closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE t (a)")
    with pytest.raises(StoreError, match="belongs to another program"):
        how(other)
    with pytest.raises(StoreError, match="is a folder, not a file"):
        how(tmp_path)
    assert files_beside(text) == ["notes.txt", "other.db"]


@pytest.mark.parametrize("how", [Store.open, Store.read])
def test_paths_that_lead_to_no_file_are_refused(tmp_path: Path, how: Any) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to("circle")
    for place in (tmp_path / "pipe", os.devnull):
        with pytest.raises(StoreError, match="is a device, a pipe or a socket, not a file"):
            how(place)
    for place in (tmp_path / "circle", f"{tmp_path}/zero\0byte"):
        with pytest.raises(StoreError, match="leads to no file: choose another store"):
            how(place)
    with pytest.raises(TypeError, match="store must be a path, got 3"):
        how(3)
    assert sorted(os.listdir(tmp_path)) == ["circle", "pipe"]


def test_a_store_of_a_newer_version_is_refused(path: Path) -> None:
    Store.open(path).close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    for how in (Store.open, Store.read):
        with pytest.raises(StoreError, match=f"newer version .format {SCHEMA_VERSION + 1}, this one"):
            how(path)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t AFTER INSERT ON records BEGIN DELETE FROM trials; END",
        "CREATE VIEW v AS SELECT * FROM records",
        "CREATE INDEX i ON records (state)",
        "CREATE TABLE t (a)",
        "DROP TABLE models",
        "ALTER TABLE models ADD COLUMN bomb BLOB GENERATED ALWAYS AS (zeroblob(1000000000))",
        "PRAGMA user_version = 0",
        "PRAGMA user_version = -3",
    ],
)
def test_other_tables_than_a_stores_are_refused(path: Path, statement: str) -> None:
    Store.open(path).close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()
    for how in (Store.open, Store.read):
        with pytest.raises(StoreError, match="its tables are not those of a store"):
            how(path)


# --- Earlier formats --------------------------------------------------------------------------------------------


@pytest.fixture(params=FORMATS)
def version(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def old(path: Path, version: int) -> Path:
    shutil.copy(FORMATS[version], path)
    return path


def contents(path: Path) -> dict[str, Any]:
    """Return what all formats have, asked of SQLite."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        queries = {name: f"SELECT * FROM {name}" for name in ("sweep", "trials", "models")}
        queries["configurations"] = "SELECT configuration, params FROM configurations"
        queries["records"] = (
            f"SELECT record, {', '.join(Record._fields[:4])}, error, digest, worker FROM records"
        )
        found = {name: connection.execute(query).fetchall() for name, query in queries.items()}
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
        if "curves" in tables:
            points = connection.execute("SELECT * FROM curves").fetchall()
        else:
            points = []
            for record_, names, joined in connection.execute("SELECT record, curves, points FROM records"):
                length = len(joined) // max(len(json.loads(names)), 1)
                for place, name in enumerate(json.loads(names)):
                    points.append((record_, name, joined[place * length : (place + 1) * length]))
    return found | {"curves": points}


def version_of(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_a_store_of_an_earlier_format_is_brought_up_to_date_and_kept_as_it_was(
    old: Path, version: int
) -> None:
    before = contents(old)
    assert len(before["curves"]) == 4 * 3
    assert version_of(old) == version
    said = rf"was of format {version} and is now of format {SCHEMA_VERSION}; .*digits.sweep.format{version} has it"
    with pytest.warns(UserWarning, match=said):
        store = Store.open(old)
    with store:
        store.record(record())
    assert version_of(old) == SCHEMA_VERSION
    assert_whole(old)
    after = contents(old)
    assert after.pop("records")[:-1] == before["records"]
    assert after.pop("curves")[: len(before["curves"])] == before["curves"]
    assert after == {name: rows for name, rows in before.items() if name not in ("records", "curves")}
    kept = old.with_name(f"digits.sweep.format{version}")
    assert files_beside(old) == ["digits.sweep", kept.name]
    assert (version_of(kept), contents(kept)) == (version, before)
    Store.open(old).close()  # nothing is left to do, or to say
    assert files_beside(old) == ["digits.sweep", kept.name]


def test_what_was_migrated_has_the_tables_of_a_new_store(old: Path) -> None:
    with pytest.warns(UserWarning, match="is now of format"):
        Store.open(old).close()
    with contextlib.closing(sqlite3.connect(old)) as connection:
        found = connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    assert {text for (text,) in found} == tables_of(SCHEMA_VERSION)


@pytest.mark.parametrize("may_write", [True, False])
def test_a_reader_reads_an_earlier_format_and_leaves_it_alone(
    tmp_path: Path, may_write: bool, version: int
) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    path = folder / "old.sweep"
    shutil.copy(FORMATS[version], path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    for parent in [tmp_path, *tmp_path.parents][:3]:
        parent.chmod(0o755)
    path.chmod(0o666 if may_write else 0o444)
    folder.chmod(0o777 if may_write else 0o555)
    with without_privileges():
        results = Results.open(path)
        table = results.trials
        assert table["state"].tolist() == ["done"] * 2 + ["diverged"] * 2 + ["failed"] * 4
        assert table["error"].tolist()[4] == "ValueError: units must be >= 1, got 0"
        assert len(results.curves) == 3 * 3 * 2 + 3 * 2
        with Store.read(path) as store:
            npz = store.model(table.loc[0, "identity"])
            built = [one.network is not None for one in store.configurations("float32")]
            assert built == [version > 1, version > 1, False, False]
            with pytest.raises(StoreError, match="open for reading"):
                store.record(record())
    assert npz is not None
    assert Model.from_bytes(npz).digest() == table.loc[0, "digest"]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == digest
    assert files_beside(path) == ["old.sweep"]


def test_copies_of_earlier_migrations_are_not_written_over(old: Path, version: int) -> None:
    taken = [old.with_name(f"digits.sweep.format{version}{suffix}") for suffix in ("", ".2")]
    for place in taken:
        place.write_text("somebody's")
    with pytest.warns(UserWarning, match=rf"digits\.sweep\.format{version}\.3 has it as it was"):
        Store.open(old).close()
    assert [place.read_text() for place in taken] == ["somebody's"] * 2


def test_a_migration_that_fails_changes_nothing(
    old: Path, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(old)
    broken = "DROP TABLE configurations; INSERT INTO nowhere VALUES (1);"
    monkeypatch.setattr("sweep.store.formats.steps_from", lambda version: broken)
    with pytest.raises(StoreError, match="no such table: nowhere"):
        Store.open(old)
    assert (version_of(old), contents(old)) == (version, before)
    monkeypatch.undo()
    with pytest.warns(UserWarning, match=rf"format{version}\.2 has it"):
        Store.open(old).close()


def test_an_earlier_format_with_other_tables_is_refused(old: Path) -> None:
    with contextlib.closing(sqlite3.connect(old)) as connection:
        connection.execute("CREATE VIEW v AS SELECT 1")
        connection.commit()
    for how in (Store.open, Store.read):
        with pytest.raises(StoreError, match="its tables are not those of a store"):
            how(old)
    assert files_beside(old) == ["digits.sweep"]


def test_every_format_has_its_schema() -> None:
    assert list(SCHEMAS) == [*FORMATS, SCHEMA_VERSION]
    for version, path in FORMATS.items():
        with contextlib.closing(sqlite3.connect(path)) as connection:
            found = connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
        assert {text for (text,) in found} == tables_of(version)
