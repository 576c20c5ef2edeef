"""An experiment file as a table, within limits: it may come from a stranger."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sweep.errors import ConfigError

__all__ = ["check_depth", "read_table"]

LARGEST = 1 << 20  # bytes
DEEPEST = 40
# A key of many parts; tomllib takes a time for it that grows with the square of their number.
LONG_KEY = re.compile(rf"""(?<![\w"'-])(?:[\w"'-]++[ \t]*+\.[ \t]*+){{{DEEPEST}}}""")


def read_table(path: Path) -> dict[str, Any]:
    """Return the table of a TOML file, or say in one line why there is none."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    if len(content) > LARGEST:
        raise ConfigError(f"{path}: must have at most {LARGEST:,} bytes; keep data in files of their own")
    try:
        text = content.decode("utf-8-sig")  # some editors begin a file with a mark
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not a text file in UTF-8") from None
    if LONG_KEY.search(text):
        raise ConfigError(f"{path}: is nested more than {DEEPEST} deep")
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # beside TOML's own: a number too long, a nest too deep
        raise ConfigError(f"{path}: is not valid TOML: {error}") from None
    check_depth(table, str(path))
    return table


def check_depth(table: Mapping[str, Any], name: str) -> None:
    """Raise if tables and lists lie too deep in one another for what walks through them later."""
    level: list[Any] = [table]
    for _ in range(DEEPEST):
        level = [item for value in level if isinstance(value, Mapping | list) for item in _items(value)]
        if not level:
            return
    raise ConfigError(f"{name}: is nested more than {DEEPEST} deep")


def _items(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, Mapping) else value
