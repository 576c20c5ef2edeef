"""How values show themselves: as one would write them, without what is as it is by default."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

__all__ = ["brief"]


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
