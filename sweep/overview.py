"""Results at a glance: the lines that their text shows, and a notebook above a table of the best configurations."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import TYPE_CHECKING

from .labels import counted, format_interval, format_value, printable
from .tables import PENDING, names_after, varying_columns
from .values import plain_value

if TYPE_CHECKING:
    from .results import Results

__all__ = ["in_words", "overview", "overview_html"]

SHOWN_ROWS = 10  # of the summary, in a notebook


def in_words(states: Mapping[str, int]) -> str:
    """Return how many trials are in each state.

    Examples
    --------
    >>> in_words({"done": 1198, "failed": 2})
    '1198 done, 2 failed'
    """
    return ", ".join(f"{count} {state}" for state, count in states.items()) or "no trials"


def overview(results: Results) -> str:
    """Return what one wants to know first, a line each."""
    return "\n  ".join(["Results", *map(printable, _headline(results))])


def overview_html(results: Results) -> str:
    """Return the same as HTML, with a table of the best configurations: what varies, and the objective."""
    summary, objective = results.summary, results.objective
    statistics = (f"{name}_{objective}" for name in ("mean", "ci_low", "ci_high"))
    columns = ["rank", *varying_columns(summary), "n", *statistics]
    shown = summary[[name for name in columns if name in summary]].head(SHOWN_ROWS)
    lines = "<br>".join(html.escape(line) for line in _headline(results))
    table = shown.to_html(index=False, border=0, float_format=lambda value: f"{value:.5g}")
    more = len(summary) - len(shown)
    rest = f"<p>and {more} more in <code>results.summary</code></p>" if more > 0 else ""
    return f"<p><b>Results</b><br>{lines}</p>{table}{rest}"


def _headline(results: Results) -> list[str]:
    trials, summary, objective = results.trials, results.summary, results.objective
    count = f"{counted(len(trials), 'trial')} of {counted(len(summary), 'configuration')}"
    lines = [f"{count}: {in_words(results.states)}"]
    errors = trials["error"].dropna()
    if len(errors):
        lines.append(f"the first error: {errors.iloc[0]}")
    if summary["n"].any():
        first = summary.iloc[0]
        value = format_interval(*(first[f"{name}_{objective}"] for name in ("mean", "ci_low", "ci_high")))
        n = int(first["n"])
        what = f"mean and 95 % interval, n = {n}" if n > 1 else "one repeat, so no interval"
        if (equals := int((summary["rank"] == first["rank"]).sum())) > 1:
            what += f"; {equals} configurations rank first"
        best = "best so far," if PENDING in results.states else "best"
        lines.append(f"{best} {objective}: {value} ({what})")
        lines.append(", ".join(f"{name}={format_value(plain_value(v))}" for name, v in results.best.items()))
    metrics = names_after("mean_", summary)
    if metrics and not any(name.startswith("validation") for name in metrics):
        lines.append("no validation data: the objective is a training metric")
    return lines
