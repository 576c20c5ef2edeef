"""The tables of a store, those of every earlier format, and the steps from one format to the next."""

from __future__ import annotations

import re

__all__ = ["APPLICATION_ID", "SCHEMAS", "SCHEMA_VERSION", "steps_from", "tables_of"]

APPLICATION_ID = 0x6E6E7377  # "nnsw", in the file's header: what the file is
SCHEMA_VERSION = 3  # also in the header (user_version)

# What all formats so far have in common.
_SWEEP = """
CREATE TABLE sweep (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE trials (
    trial INTEGER PRIMARY KEY, configuration INTEGER NOT NULL, repeat INTEGER NOT NULL, fold INTEGER NOT NULL,
    seed INTEGER NOT NULL, identity TEXT NOT NULL) STRICT;
CREATE TABLE models (record INTEGER PRIMARY KEY, npz BLOB NOT NULL) STRICT;
"""

# With a row for each curve.
_CURVES_APART = """
CREATE TABLE records (
    record INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE, state TEXT NOT NULL, epoch INTEGER NOT NULL,
    metrics TEXT NOT NULL, error TEXT, digest TEXT, started REAL NOT NULL, seconds REAL NOT NULL,
    worker TEXT NOT NULL) STRICT;
CREATE TABLE curves (
    record INTEGER NOT NULL, metric TEXT NOT NULL, points BLOB NOT NULL, PRIMARY KEY (record, metric)
    ) STRICT, WITHOUT ROWID;
"""

# A record's number follows the order of recording: models are appended, never inserted in between, and what is new
# since some number can be read alone. `curves` are the names of the curves, as JSON, and `points` the values of all,
# curve by curve, in little-endian single precision: last, where a reader who does not ask for them leaves them out.
_RECORDS = """
CREATE TABLE records (
    record INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE, state TEXT NOT NULL, epoch INTEGER NOT NULL,
    metrics TEXT NOT NULL, error TEXT, digest TEXT, started REAL NOT NULL, seconds REAL NOT NULL,
    worker TEXT NOT NULL, curves TEXT NOT NULL, points BLOB NOT NULL) STRICT;
"""

# What `build` made of each configuration, so that a store can be trained again from itself; networks apart,
# because many configurations share one. `last_commit` has one row.
_BUILT = """
CREATE TABLE networks (network INTEGER PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE configurations (
    configuration INTEGER PRIMARY KEY, params TEXT NOT NULL, network INTEGER, optimizer TEXT, error TEXT) STRICT;
CREATE TABLE last_commit (id INTEGER PRIMARY KEY, at REAL NOT NULL) STRICT;
"""

SCHEMAS = {
    1: _SWEEP
    + _CURVES_APART
    + "CREATE TABLE configurations (configuration INTEGER PRIMARY KEY, params TEXT NOT NULL) STRICT;",
    2: _SWEEP + _CURVES_APART + _BUILT,
    3: _SWEEP + _RECORDS + _BUILT,
}

# A step makes a table anew rather than altering it, so that a file that went through it has the very text of a
# schema that began in the newer format: `tables_of` is compared with what the file says.
_STEPS = {
    1: f"""
    CREATE TEMP TABLE former AS SELECT configuration, params FROM configurations;
    DROP TABLE configurations;
    {_BUILT}
    INSERT INTO configurations SELECT configuration, params, NULL, NULL, NULL FROM temp.former;
    DROP TABLE temp.former;
    """,
    2: f"""
    CREATE TEMP TABLE former AS SELECT * FROM records;
    CREATE TEMP TABLE former_curves AS
        SELECT record, names_of(metric) AS curves, joined(points) AS points
        FROM (SELECT * FROM curves ORDER BY record, metric) GROUP BY record;
    DROP TABLE records;
    DROP TABLE curves;
    {_RECORDS}
    INSERT INTO records
        SELECT former.*, ifnull(curves, '[]'), ifnull(points, zeroblob(0))
        FROM temp.former AS former LEFT JOIN temp.former_curves USING (record) ORDER BY record;
    DROP TABLE temp.former;
    DROP TABLE temp.former_curves;
    """,
}


def steps_from(version: int) -> str:
    """Return the statements that make a store of an earlier format one of today's."""
    return "".join(_STEPS[older] for older in range(version, SCHEMA_VERSION))


def tables_of(version: int) -> frozenset[str]:
    """Return the statements that SQLite keeps in a file of a format, one per table."""
    return frozenset(re.findall(r"CREATE TABLE [^;]+", SCHEMAS[version]))
