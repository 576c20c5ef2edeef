"""What `sweep run` says at its end, and the exit code that says it to programs."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Collection
from pathlib import Path

from .errors import TRY_AGAIN
from .export import readable_summary
from .jobs import FAILURES, RESULTS
from .labels import counted, format_value
from .results import Results
from .tables import PENDING

__all__ = ["INTERRUPTED", "closing_lines", "exit_code", "trained_line", "what_next"]

SOME_FAILED = 1
INTERRUPTED = 130

UNFINISHED = (PENDING, "cancelled")
SHOWN = 10
MOST_COMPARED = 1000  # configurations; comparing all with the best takes a moment
LEVEL = 0.05


def exit_code(results: Results) -> int:
    """Return 0 if every trial has a result, 1 if some failed, 130 after an interruption, 75 if the store is lost."""
    states = results.states
    if results.interrupted or not states.keys().isdisjoint(UNFINISHED):
        return INTERRUPTED
    if results.store_lost:
        return TRY_AGAIN
    return 0 if states.keys().isdisjoint(FAILURES) else SOME_FAILED


def trained_line(results: Results, before: Collection[str], seconds: float) -> str:
    """Return how many networks a run trained that were not recorded before it, and how long that took."""
    trials = results.trials
    new = set(trials.loc[trials["state"].isin(RESULTS), "identity"]).difference(before)
    return f"trained {counted(len(new), 'network')} in {seconds:.1f} s" if new else "nothing was trained"


def closing_lines(results: Results) -> list[str]:
    """Return how it went, the best configurations, and how sure that is."""
    trials = results.trials
    states = results.states
    lines: list[str] = []
    for state, number in states.items():
        if state != "done":
            reasons = trials.loc[trials["state"] == state, "error"].dropna()
            reason = f", the first: {reasons.iloc[0]}" if len(reasons) else ""
            reason += f" (--retry {state} runs them again)" if state in FAILURES else ""
            lines.append(f"{counted(number, 'trial')} {state}{reason}")
    if states.get("done"):
        count = len(results.summary)
        shown = f"the best {SHOWN} of {count}" if count > SHOWN else f"{count}"
        what = (
            "means, with 95 % intervals"
            if results.summary["n"].max() > 1
            else "of one repeat, so without intervals"
        )
        lines += ["", f"{shown} configuration{'s' * (count != 1)}: {what}", ""]
        lines += [readable_summary(results, SHOWN), "", *_best(results), ""]
    return lines


def what_next(store: Path, *, resume: bool) -> str:
    """Return what to type next, with the command as it was typed now; first of all, how to resume."""
    command = sys.argv[0]
    found = shutil.which("sweep")
    if Path(command).name != "sweep" or (found and Path(command).exists() and Path(found).samefile(command)):
        command = "sweep"
    arguments = [
        *([sys.argv[1:]] if resume else []),
        ["plot", _typed(store), "comparison"],
        ["plot", _typed(store), "learning_curves"],
        ["table", _typed(store), "--trials", "--out", _typed(f"{store.stem}.csv")],
    ]
    return "\n".join(["what next:", *(f"  {shlex.join([command, *rest])}" for rest in arguments)])


def _typed(path: str | Path) -> str:
    """Return a path as a command takes it: one that begins with a dash would be an option."""
    return f"./{path}" if str(path).startswith("-") else str(path)


def _best(results: Results) -> list[str]:
    """Return what is best and how sure that is."""
    first, name = results.summary.iloc[0], results.objective
    mean, low, high = (first[f"{part}_{name}"] for part in ("mean", "ci_low", "ci_high"))
    values = ", ".join(f"{parameter}={format_value(value)}" for parameter, value in results.best.items())
    repeats = int(first["n"])
    best = "best so far" if PENDING in results.states else "best"
    if repeats < 2:
        return [
            f"{best}: {values}",
            f"      {name} {mean:.4f}; with one repeat nothing says how sure that is",
        ]
    lines = [
        f"{best}: {values}",
        f"      mean {name} {mean:.4f} over {repeats} repeats, 95 % interval {low:.4f} to {high:.4f}",
    ]
    if 1 < len(results.summary) <= MOST_COMPARED:
        pairs = results.compare()
        clearly, compared = int((pairs["p_holm"] < LEVEL).sum()), int(pairs["p_holm"].notna().sum())
        others = counted(compared, "other") + ("" if compared == len(pairs) else " with enough results")
        lines.append(f"      clearly better than {clearly} of the {others} (paired t tests, 5 %, Holm)")
    return lines
