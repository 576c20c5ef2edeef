"""Short names for configurations: only the parameters that vary, no more digits than needed."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LONGEST_VALUE = 18  # characters; a longer text loses its middle


@dataclass(frozen=True, slots=True)
class Labels:
    """A text per configuration, and the parameters' names where the texts hold the values only."""

    texts: tuple[str, ...]
    names: str


def grouped(number: int) -> str:
    """Return a count with its digits in groups; one of too many digits roughly.

    Examples
    --------
    >>> grouped(1200), grouped(10**30)
    ('1,200', 'about 10^30')
    """
    return f"{number:,}" if number < 10**15 else f"about 10^{math.log10(number):.0f}"


def counted(number: int, noun: str) -> str:
    """Return a number of things in words.

    Examples
    --------
    >>> counted(1, "trial"), counted(1200, "trial")
    ('1 trial', '1,200 trials')
    """
    return f"{grouped(number)} {noun}" + ("" if number == 1 else "s")


def varying_parameters(configurations: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names of the parameters that do not have one value everywhere, in order of appearance.

    Examples
    --------
    >>> varying_parameters([{"hidden": 8, "l2": 0.0}, {"hidden": 16, "l2": 0.0}])
    ['hidden']
    """
    names = dict.fromkeys(name for params in configurations for name in params)
    return [name for name in names if len({repr(params.get(name)) for params in configurations}) > 1]


def configuration_labels(
    configurations: Sequence[Mapping[str, Any]], names: Sequence[str], longest: int = 36
) -> Labels:
    """Return a label per configuration: ``name=value`` if these fit, otherwise the values only.

    Examples
    --------
    >>> configuration_labels([{"hidden": 8, "rate": 0.001}], ["hidden", "rate"]).texts
    ('hidden=8, rate=0.001',)
    >>> configuration_labels([{"hidden": 8, "rate": 0.001}], ["hidden", "rate"], longest=12)
    Labels(texts=('8 · 0.001',), names='hidden · rate')
    """
    if not names:
        return Labels(("the configuration",) * len(configurations), "")
    values = [[format_value(params.get(name)) for name in names] for params in configurations]
    full = [", ".join(f"{name}={value}" for name, value in zip(names, row, strict=True)) for row in values]
    if max(map(len, full), default=0) <= longest:
        return Labels(tuple(full), "")
    return Labels(tuple(" · ".join(row) for row in values), " · ".join(names))


def format_value(value: Any) -> str:
    """Return a parameter's value in few characters.

    Examples
    --------
    >>> format_value(0.00123456), format_value((32, 16)), format_value("an_extraordinarily_long_name")
    ('0.00123', '32-16', 'an_extrao…ong_name')
    >>> format_value([{"type": "Dense", "units": 16, "activation": "relu"}, {"type": "Dense", "units": 3}])
    '16 relu-3'
    >>> format_value(("Dense(16, activation='relu')", "Dense(3)"))
    '16 relu-3'
    """
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.3g}"
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) < 1e5 else f"{value:.3g}"
    if isinstance(value, tuple | list) and not value:
        return "()"
    if isinstance(value, tuple | list):
        return shorten("-".join(format_value(item) for item in value))
    if isinstance(value, Mapping):  # a table of an experiment file: its values say enough
        items = [item for key, item in value.items() if (key, item) != ("type", "Dense")]
        return shorten(" ".join(format_value(item) for item in items))
    call = re.fullmatch(r"(\w+)\((.*)\)", str(value))
    if call is None:
        return shorten(str(value))
    kind, arguments = call.groups()  # a layer, say, as it shows itself: its values say enough
    given = re.sub(r"\b\w+=", "", arguments).replace("'", "").replace(", ", " ")
    return shorten(given if kind == "Dense" else f"{kind} {given}")


def wrapped(names: str, longest: int) -> str:
    """Return names over several lines, broken after a dot between names; in a long name after an underscore.

    Examples
    --------
    >>> wrapped("hidden · batch_size", 12).splitlines()
    ['hidden ·', 'batch_size']
    >>> wrapped("number_of_residual_blocks", 16).splitlines()
    ['number_of_', 'residual_blocks']
    """
    pieces = re.findall(r".*?(?: · |$)", names)
    pieces = [part for piece in pieces for part in ([piece] if len(piece) <= longest else _parts(piece))]
    lines = [""]
    for piece in pieces:
        if lines[-1] and len(lines[-1]) + len(piece.rstrip()) > longest:
            lines.append("")
        lines[-1] += piece
    return "\n".join(line.strip() for line in lines)


def _parts(name: str) -> list[str]:
    return re.findall(r".*?(?:_|$)", name)


def shorten(text: str, longest: int = LONGEST_VALUE) -> str:
    """Return the text without its middle where it is too long."""
    if len(text) <= longest:
        return text
    tail = (longest - 1) // 2
    return f"{text[: longest - 1 - tail]}…{text[-tail:]}"


# What moves a terminal's cursor, colours it, renames its window, or turns the direction of what follows.
_CONTROLS = (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_SHOWN = {code: repr(chr(code))[1:-1] for code in _CONTROLS}


def printable(text: str, keep: str = "") -> str:
    r"""Return text whose control characters are shown instead of obeyed, but for those to keep.

    Examples
    --------
    >>> print(printable("\x1b[2J gone"))
    \x1b[2J gone
    """
    return text.translate({code: shown for code, shown in _SHOWN.items() if chr(code) not in keep})


def format_interval(mean: float, low: float, high: float) -> str:
    """Return a mean and its interval with as many digits as the interval's width gives a meaning to.

    Examples
    --------
    >>> format_interval(0.978123, 0.9743, 0.9819)
    '0.9781 ± 0.0038'
    >>> format_interval(0.978123, float("nan"), float("nan"))
    '0.9781'
    >>> format_interval(-2.018, -13.0, 9.0), format_interval(5321.0, 5009.0, 5633.0)
    ('-2 ± 11', '5320 ± 310')
    """
    half = (high - low) / 2
    if not math.isfinite(half) or half <= 0:
        return f"{mean:.4g}"
    digits = min(12, 1 - math.floor(math.log10(half)))  # behind the point; below zero, before it
    shown = max(0, digits)
    if half >= 1e5:
        return f"{mean:.4g} ± {half:.2g}"
    return f"{round(mean, digits) + 0.0:.{shown}f} ± {round(half, digits):.{shown}f}"
