"""The line that says what a name may be, the likely one first."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["unknown"]


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
    rule = f"(allowed: {', '.join(names)})" if names else "(none is allowed here)"
    return f"unknown {kind} {name!r}{hint} {rule}"
