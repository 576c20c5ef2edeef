"""Make the tables and plots again from the rows in a folder of results, without measuring anything.

python benchmarks/render.py [--results benchmarks/results]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.figures import draw
from harness.records import RESULTS, read
from harness.tables import Rows, tables
from harness.workloads import WORKLOADS

NOTES = """Steps per second of processor time, in parentheses the share of the core's peak of multiply-adds measured \
between the runs. Medians; a step is one minibatch update of one network. [How it is measured](../README.md)."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--results", type=Path, default=RESULTS, help="folder of the rows, and of what is made"
    )
    folder = parser.parse_args().results
    rows, settings = load(folder)
    if not rows:
        sys.exit(f"no rows in {folder}: run benchmarks/run.py first")
    plots = draw(rows, folder)
    sections = [f"# Results\n\n{_setting(settings)}", f"{NOTES}\n\n{_legend()}"]
    sections += [f"## {title}\n\n{text}" for title, text in tables(rows)]
    sections += [f"![{Path(name).stem}]({name})" for name in plots]
    (folder / "README.md").write_text("\n\n".join(sections) + "\n", encoding="utf-8")
    print(f"wrote {', '.join(['README.md', *plots])} in {folder}")


def load(folder: Path) -> tuple[Rows, dict[str, list[dict[str, Any]]]]:
    """Return the rows by part, those of the speed comparison as one part, and the settings they come from."""
    rows: Rows = {}
    settings: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(folder.glob("speed/*.json")) + sorted(folder.glob("*.json")):
        setting, own = read(path)
        part = "speed" if path.parent != folder else path.stem
        rows.setdefault(part, []).extend(own)
        settings.setdefault(part, []).append(setting)
    return rows, settings


def _setting(settings: dict[str, list[dict[str, Any]]]) -> str:
    """Return what the rows were measured on: lines for each machine and engine, with the parts that are of it."""
    machines: dict[tuple[Any, ...], dict[str, list[dict[str, Any]]]] = {}
    for part, several in settings.items():
        for setting in several:
            engine = setting["engine"]
            key = setting["cpu"], engine["instruction_set"]
            machines.setdefault(key, {}).setdefault(part, []).append(setting)
    lines = [_machine(parts, names=len(machines) > 1) for parts in machines.values()]
    lines.append(
        "made by `python benchmarks/run.py`; the rows beside this file name the command of each part"
    )
    return "\n".join(f"- {line}" for line in lines)


def _machine(parts: dict[str, list[dict[str, Any]]], *, names: bool) -> str:
    """Return a line on one machine; what differs between its parts is listed."""
    settings = [setting for several in parts.values() for setting in several]

    def different(value: Callable[[dict[str, Any]], Any]) -> str:
        return ", ".join(dict.fromkeys(str(value(setting)) for setting in settings))

    loads = [setting["load"] for setting in settings]
    engine = ", ".join(
        different(lambda s, n=name: s["engine"][n]) for name in ("instruction_set", "compiler")
    )
    versions = different(lambda s: ", ".join(f"{name} {version}" for name, version in s["versions"].items()))
    told = [
        f"{different(lambda s: s['cpu'])}, {different(lambda s: s['cores'])} cores, {different(lambda s: s['date'])},"
        f" load average when a part began {min(loads)} to {max(loads)}",
        f"engine: {engine}; lanes {different(lambda s: s['engine']['lanes'])}",
        f"Python {different(lambda s: s['python'])}, {versions}",
    ]
    return (f"**{', '.join(parts)}**: " if names else "") + "; ".join(told)


def _legend() -> str:
    return "\n".join(f"- **{name}**: {workload.title}" for name, workload in WORKLOADS.items())


if __name__ == "__main__":
    main()
