"""Rows to plots: the comparison, and how time grows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from peers import SIDES

from .tables import Rows, middle, rates, share
from .workloads import WORKLOADS

__all__ = ["draw"]

COLOURS = dict(zip(SIDES, ("#d1495b", *plt.colormaps["Blues"].resampled(12)(range(4, 11))), strict=True))
MARKERS = dict(zip(SIDES, "osD^vPXh", strict=True))


def draw(rows: Rows, folder: Path) -> list[str]:
    """Draw what there are rows for; return the names of the files."""
    written = []
    if found := rates(rows.get("speed", []), "float32", validates=False):
        figure, ax = plt.subplots(figsize=(9, 4.2), layout="constrained")
        _speed(found, ax)
        written.append(_save(figure, folder / "speed.png"))
    panels = {
        "scaling-width": lambda own, ax: _share(own, "width", "units of the hidden layer", ax),
        "scaling-batch": lambda own, ax: _share(own, "batch", "samples in a minibatch", ax),
        "scaling-networks": _networks,
        "scaling-iterations": _iterations,
    }
    if all(part in rows for part in panels):
        figure, axes = plt.subplots(2, 2, figsize=(9, 6.4), layout="constrained")
        for (part, panel), ax in zip(panels.items(), axes.flat, strict=True):
            panel(rows[part], ax)
        written.append(_save(figure, folder / "scaling.png"))
    return written


def _save(figure: Any, path: Path) -> str:
    figure.savefig(path, dpi=130)
    plt.close(figure)
    return path.name


def _speed(found: dict[str, dict[str, Any]], ax: Axes) -> None:
    names = [name for name in WORKLOADS if name in found.get("ours", {})]
    step = 0.6 / len(found)
    for place, (side, own) in enumerate(found.items()):
        at = [
            number + (place - (len(found) - 1) / 2) * step for number, name in enumerate(names) if name in own
        ]
        values = [own[name]["steps"] / middle(own[name]) for name in names if name in own]
        # Dots: on a logarithmic axis bars would begin anywhere, and their lengths say nothing.
        ax.plot(at, values, MARKERS[side], markersize=8, color=COLOURS[side], label=SIDES[side].name)
    ax.set_yscale("log")
    ax.set_xticks(range(len(names)), names)
    for number in range(1, len(names)):
        ax.axvline(number - 0.5, color="0.9", linewidth=1, zorder=0)
    ax.set_ylabel("steps/s, one core, float32 (log scale)")
    ax.legend(fontsize=8, ncols=2, loc="upper left", bbox_to_anchor=(0, -0.08), frameon=False)
    _bare(ax)


def _share(rows: list[dict[str, Any]], name: str, label: str, ax: Axes) -> None:
    ax.plot([row[name] for row in rows], [100 * share(row) for row in rows], "o-", color=COLOURS["ours"])
    ax.set_xscale("log", base=2)
    ax.set(xlabel=label, ylabel="% of the core's peak", ylim=(0, 100))
    _bare(ax)


def _networks(rows: list[dict[str, Any]], ax: Axes) -> None:
    counts = [row["networks"] for row in rows]
    ax.plot(counts, [1e6 * middle(row) / row["networks"] for row in rows], "o-", color=COLOURS["ours"])
    ax.set_xscale("log")
    ax.set(xlabel="networks in the sweep", ylabel="microseconds per network")
    ax.set_ylim(bottom=0)
    _bare(ax)


def _iterations(rows: list[dict[str, Any]], ax: Axes) -> None:
    lines: dict[str, dict[int, float]] = {}
    for row in rows:
        lines.setdefault(f"{row['optimizer']}, {row['variant']}", {})[row["iterations"]] = min(row["cpu"])
    for label, seconds in lines.items():
        counts = [count for count in seconds if count > 1]
        each = [1e6 * (seconds[count] - seconds[1]) / (count - 1) for count in counts]
        ax.plot(counts, each, "o-", markersize=3, label=label)
    ax.set_xscale("log")
    ax.set(xlabel="iterations", ylabel="microseconds per iteration")
    ax.set_ylim(bottom=0)
    ax.legend(fontsize=6, ncols=2, frameon=False)
    _bare(ax)


def _bare(ax: Axes) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", alpha=0.3)
    ax.set_axisbelow(True)
