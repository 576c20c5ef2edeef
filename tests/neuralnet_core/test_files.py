"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from neuralnet_core import is_database, replace_file


def test_a_file_is_replaced_with_its_rights(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(0o604)
    replace_file(path, b"new")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o604)
    assert os.listdir(tmp_path) == ["a"]


def test_the_longest_names_are_written(tmp_path: Path) -> None:
    for name in ("a" * 255, "é" * 127):
        replace_file(tmp_path / name, b"new")
        assert (tmp_path / name).read_bytes() == b"new"


def test_a_file_that_may_not_be_written_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)  # who runs this may be allowed all
    with pytest.raises(PermissionError, match="Permission denied"):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"


def test_what_is_a_database(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for content, found in ((b"", False), (b"SQLite format 3", False), (b"SQLite format 3\0...", True)):
        path.write_bytes(content)
        assert is_database(path) is found
    path.write_bytes(b"")
    (tmp_path / "a-wal").write_bytes(b"")  # of a connection that is open
    assert is_database(path)
    assert not is_database(tmp_path)
    assert not is_database(tmp_path / "none")
