"""A user's mistakes: each has lines to show and an exit code, and none shows a traceback on the command line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from neuralnet_core import shown

__all__ = ["ConfigError", "DataError", "UserError", "unknown"]

USAGE = 2
BAD_DATA = 65  # EX_DATAERR of sysexits.h
TRY_AGAIN = 75  # EX_TEMPFAIL

MOST_NAMES = 30  # in a line; the columns of a file may be thousands


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


def unknown(kind: str, name: str, allowed: Iterable[str]) -> str:
    """Return the message for a name that is none of the allowed ones.

    Examples
    --------
    >>> unknown("layer", "Dens", ["Dense", "Dropout"])
    "unknown layer 'Dens'; did you mean Dense? (allowed: Dense, Dropout)"
    >>> unknown("key", "x", [])
    "unknown key 'x' (none is allowed here)"
    """
    names = list(allowed)
    near = {known.lower(): known for known in reversed(names)}
    close = difflib.get_close_matches(name.lower(), near, n=1)
    hint = f"; did you mean {near[close[0]]}?" if close else ""
    listed = ", ".join(names[:MOST_NAMES]) + (", ..." if len(names) > MOST_NAMES else "")
    rule = f"(allowed: {listed})" if names else "(none is allowed here)"
    return f"unknown {kind} {shown(name)}{hint} {rule}"
