"""A user's mistakes: each has lines to show and an exit code, and none shows a traceback on the command line."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["ConfigError", "DataError", "UserError"]

USAGE = 2
BAD_DATA = 65  # EX_DATAERR of sysexits.h


class UserError(ValueError):
    """Something that the user can mend.

    Attributes
    ----------
    lines : tuple of str
        What is wrong, a line for each mistake.
    """

    exit_code = USAGE

    def __init__(self, lines: str | Iterable[str]) -> None:
        self.lines = (lines,) if isinstance(lines, str) else tuple(lines)
        super().__init__("\n".join(self.lines))


class ConfigError(UserError):
    """An experiment file that cannot be run; each line names the file, the place, and what is allowed."""


class DataError(UserError):
    """Data that cannot be read or trained on."""

    exit_code = BAD_DATA
