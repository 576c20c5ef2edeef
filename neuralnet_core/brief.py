"""How values show themselves: our own without what is as it is by default, anybody's in one short line."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

__all__ = ["brief", "shown"]

LONGEST = 120  # characters of a value in an error


def brief(value: Any, **defaults: object) -> str:
    """Return a value's class, its first field, and the others that differ from their defaults.

    Parameters
    ----------
    value : dataclass
    **defaults
        Defaults of fields that depend on other fields.

    Examples
    --------
    >>> from neuralnet_core import Adam, Dense
    >>> Dense(32, "relu"), Adam(0.01, epochs=20, batch_size=32)
    (Dense(32, activation='relu'), Adam(0.01, epochs=20))
    """
    first, *others = fields(value)
    shown = [repr(getattr(value, first.name))]
    for field in others:
        given = getattr(value, field.name)
        if given != defaults.get(field.name, field.default):
            shown.append(f"{field.name}={given!r}")
    return f"{type(value).__name__}({', '.join(shown)})"


def shown(value: object) -> str:
    """Return any value for an error's one line: what is long loses its middle, what cannot be shown is its type.

    Examples
    --------
    >>> shown("relu"), shown(3.5)
    ("'relu'", '3.5')
    >>> len(shown(list(range(10_000))))
    120
    """
    try:
        line = " ".join(repr(value).split())
    # Its class may come from a user; integers of thousands of digits and deep lists refuse too.
    except Exception:
        return f"an object of type {type(value).__name__}"
    half = (LONGEST - 3) // 2
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3 - half]}...{line[-half:]}"
