"""How weights start: a table of distributions and scales, drawn with the counter-based generator of random.py."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from .brief import shown
from .checks import check_number

__all__ = ["INITIALIZERS", "Initializer", "check_initializer"]


@dataclass(frozen=True)
class Initializer:
    """A row of the table: uniform on [-spread, spread], or normal with standard deviation spread.

    ``spread(fan_in, fan_out)`` is in the units of the weight.
    """

    name: str
    distribution: str
    spread: Callable[[int, int], float]


def _row(name: str, distribution: str, variance: Callable[[int, int], float]) -> tuple[str, Initializer]:
    width = 3.0 if distribution == "uniform" else 1.0  # uniform on [-a, a] has variance a^2 / 3
    return name, Initializer(name, distribution, lambda i, o: math.sqrt(width * variance(i, o)))


# He et al. (2015): 2 / fan_in. Glorot and Bengio (2010): 2 / (fan_in + fan_out). LeCun et al. (1998): 1 / fan_in.
# "neuralnet" is the original framework's own: normal times sqrt(2 / units of the layer).
INITIALIZERS: dict[str, Initializer] = dict(
    [
        _row("he_uniform", "uniform", lambda i, o: 2.0 / i),
        _row("he_normal", "normal", lambda i, o: 2.0 / i),
        _row("glorot_uniform", "uniform", lambda i, o: 2.0 / (i + o)),
        _row("glorot_normal", "normal", lambda i, o: 2.0 / (i + o)),
        _row("lecun_uniform", "uniform", lambda i, o: 1.0 / i),
        _row("lecun_normal", "normal", lambda i, o: 1.0 / i),
        _row("neuralnet", "normal", lambda i, o: 2.0 / o),
        _row("zeros", "constant", lambda i, o: 0.0),
    ]
)


def check_initializer(value: object) -> str | float:
    """Return a name of the table, or a number (every weight starts at it), or raise ValueError."""
    if not isinstance(value, str):
        return check_number("initializer", value)
    if value not in INITIALIZERS:
        raise ValueError(
            f"initializer must be a number or one of {', '.join(INITIALIZERS)}; got {shown(value)}"
        )
    return value
