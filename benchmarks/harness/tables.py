"""Rows to Markdown tables: what README and docs quote."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from peers import SIDES

from .workloads import WORKLOADS

__all__ = ["markdown", "rates", "share", "tables"]

Row = dict[str, Any]
Rows = dict[str, list[Row]]  # by part: "speed", "cold_start", "overhead", "scaling-width" ...
VARIANTS = {
    "alive": "all units alive",
    "dead units": "half the units dead",
    "dead units, l2": "the same, with l2",
}


def markdown(header: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """Return a table: the first column is text, the others are numbers."""
    lines = [header, ["---", *["--:"] * (len(header) - 1)], *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def middle(row: Row, clock: str = "cpu") -> float:
    """Return the median of the runs."""
    return statistics.median(row[clock])


def share(row: Row) -> float:
    """Return the share of the core's peak, measured in the same run."""
    return row["flops"] / middle(row) / statistics.median(row["peak"])


def rates(rows: Iterable[Row], dtype: str, validates: bool) -> dict[str, dict[str, Row]]:
    """Return by side, then by workload, the row."""
    found: dict[str, dict[str, Row]] = {}
    for row in rows:
        if row["dtype"] == dtype and row["validates"] == validates:
            found.setdefault(row["side"], {})[row["workload"]] = row
    return {side: found[side] for side in SIDES if side in found}


def tables(rows: Rows) -> Iterator[tuple[str, str]]:
    """Yield a title and text for each table there are rows for."""
    speed = rows.get("speed", [])
    for dtype in ("float32", "float64"):
        for validates in (False, True):
            if found := rates(speed, dtype, validates):
                after = ", with validation after each epoch" if validates else ""
                yield f"Steps per second, {dtype}{after}", _speed(found)
    if speed:
        yield "Networks at a time, and seconds until the first step", _prepared(speed)
    makers = {
        "cold_start": ("From the start of a process to W2's table", _cold_start),
        "overhead": ("What the whole path costs", _overhead),
        "durability": ("What it costs that nothing is lost", _durability),
        "prediction": ("Seconds predicted, and taken", _prediction),
        "scaling-workers": ("Workers", _workers),
        "scaling-networks": ("Networks", _networks),
        "scaling-width": ("Width: 64-h-10, batch 32, 32 networks", _packs("width", "units")),
        "scaling-batch": ("Batch: 64-32-10, 32 networks", _packs("batch", "samples")),
        "scaling-iterations": (
            "Iterations: microseconds each, of 8 networks 2-8-1, full batch of 64",
            _iterations,
        ),
    }
    for part, (title, maker) in makers.items():
        if part in rows:
            yield title, maker(rows[part])


def _rate(row: Row) -> float:
    return row["steps"] / middle(row)


def _speed(found: dict[str, dict[str, Row]]) -> str:
    names = [name for name in WORKLOADS if any(name in own for own in found.values())]
    body = [
        [SIDES[side].name, *(_cell(own[name]) if name in own else "" for name in names)]
        for side, own in found.items()
    ]
    ours = found.get("ours", {})
    if "scikit-learn" in found:
        body.append(["ours / scikit-learn", *(_ratio(ours, found["scikit-learn"], name) for name in names)])
    others = [own for side, own in found.items() if side != "ours"]
    if others:
        best = {name: max((own[name] for own in others if name in own), key=_rate) for name in names}
        body.append(["**ours / best other**", *(f"**{_ratio(ours, best, name)}**" for name in names)])
    return markdown(["", *names], body)


def _cell(row: Row) -> str:
    return f"{_rate(row):,.0f} ({_percent(share(row))})"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %" if value < 0.095 else f"{100 * value:.0f} %"


def _ratio(ours: dict[str, Row], theirs: dict[str, Row], name: str) -> str:
    if name not in ours or name not in theirs:
        return ""
    ratio = _rate(ours[name]) / _rate(theirs[name])
    return f"{ratio:.1f} x" if ratio < 20 else f"{ratio:.0f} x"


def _prepared(rows: list[Row]) -> str:
    found = rates(rows, "float32", validates=False)
    names = [name for name in WORKLOADS if any(name in own for own in found.values())]
    body = []
    for side, own in found.items():
        cells = [
            f"{row['chunk'] or row['networks']}, {row['prepared']:.1f} s" if (row := own.get(name)) else ""
            for name in names
        ]
        body.append([SIDES[side].name, *cells])
    return markdown(["float32", *names], body)


def _cold_start(rows: list[Row]) -> str:
    body = [[row["name"], f"{middle(row):.1f} s", f"{middle(row, 'wall'):.1f} s"] for row in rows]
    return markdown(["", "processor time", "on the wall"], body)


def _overhead(rows: list[Row]) -> str:
    body = []
    for row in rows:
        if "kernel" in row:
            ratio = statistics.median(a / b for a, b in zip(row["cpu"], row["kernel"], strict=True))
            cells = [f"{ratio:.2f} x the engine's own time", f"{middle(row, 'wall'):.3f} s"]
        else:
            cells = [f"{1e6 * middle(row):.0f} us", f"{1e6 * middle(row, 'wall'):.0f} us"]
        body.append([row["what"], f"{row['networks']:,}", *cells])
    return markdown(["", "networks", "processor time", "on the wall"], body)


def _durability(rows: list[Row]) -> str:
    body = [
        [
            f"{row['what']}, {1e3 * row['length']:.0f} ms each",
            f"{row['trials']:,}",
            *(f"{100 * row[f'cost {clock}']:.2f} %" for clock in ("cpu", "wall")),
        ]
        for row in rows
    ]
    return markdown(["", "trials", "processor time in the store", "waited for it"], body)


def _prediction(rows: list[Row]) -> str:
    body = [
        [
            row["what"],
            f"{row['predicted']:.1f} s",
            f"{row['measured']:.1f} s",
            f"{100 * (row['predicted'] / row['measured'] - 1):+.0f} %",
        ]
        for row in rows
    ]
    return markdown(["sweep", "predicted", "taken", "error"], body)


def _workers(rows: list[Row]) -> str:
    body = []
    for row in rows:
        one = next(other for other in rows if (other["networks"], other["workers"]) == (row["networks"], 1))
        gain = min(one["wall"]) / min(row["wall"])
        body.append(
            [
                f"{row['networks']:,} networks",
                str(row["workers"]),
                f"{min(row['wall']):.2f} s",
                f"{gain:.2f} x",
            ]
        )
    return markdown(["W2's grid", "workers", "on the wall, best", "gain"], body)


def _networks(rows: list[Row]) -> str:
    body = [
        [
            f"{row['networks']:,}",
            f"{middle(row):.2f} s",
            f"{1e6 * middle(row) / row['networks']:.0f} us",
            f"{row['bytes'] / 1e6:.0f} MB",
            f"{(row['bytes'] - row['bytes_before']) / 1e6:.0f} MB",
        ]
        for row in rows
    ]
    return markdown(["networks", "processor time", "per network", "memory, all", "without imports"], body)


def _packs(name: str, heading: str) -> Any:
    def table(rows: list[Row]) -> str:
        body = [[f"{row[name]:,}", f"{_rate(row):,.0f}", _percent(share(row))] for row in rows]
        return markdown([heading, "steps/s", "share of the peak"], body)

    return table


def _iterations(rows: list[Row]) -> str:
    """Return microseconds an iteration of the fastest runs, a call's own cost taken off, and how they drift."""
    cells: dict[tuple[str, str], dict[int, float]] = {}
    for row in rows:
        cells.setdefault((row["optimizer"], row["variant"]), {})[row["iterations"]] = min(row["cpu"])
    counts = [count for count in next(iter(cells.values())) if count > 1]
    body = []
    for (optimizer, variant), seconds in cells.items():
        each = [1e6 * (seconds[count] - seconds[1]) / (count - 1) for count in counts]
        drift = 100 * (each[-1] / each[0] - 1)
        body.append(
            [f"{optimizer}, {VARIANTS[variant]}", *(f"{value:.2f}" for value in each), f"{drift:+.1f} %"]
        )
    return markdown(["", *(f"{count:,}" for count in counts), "last to first"], body)
