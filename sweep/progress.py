"""Progress of a run: done and total, rate, remaining time, best score. Silent unless somebody is there to watch."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

from neuralnet_core import shown

from .jobs import Record
from .objective import choose_objective, higher_is_better
from .planner import Pace

if TYPE_CHECKING:
    import rich.progress

__all__ = ["Progress", "progress_for"]

PLAIN_SECONDS = 5.0


class Best:
    """The best score so far, and how many trials are not done."""

    def __init__(self, objective: str | None) -> None:
        self._objective = objective
        self._best: float | None = None
        self._states: dict[str, int] = {}

    def add(self, records: Iterable[Record]) -> None:
        """Take the scores of more records in."""
        for record in records:
            if record.state != "done":
                self._states[record.state] = self._states.get(record.state, 0) + 1
                continue
            # What a function measures is known by what it gives back first.
            self._objective = self._objective or choose_objective(sorted(record.metrics))
            score = record.metrics.get(self._objective)
            if score is not None and (self._best is None or self._is_better(score, self._best)):
                self._best = score

    def _is_better(self, score: float, other: float) -> bool:
        return score > other if higher_is_better(self._objective or "") else score < other

    def __str__(self) -> str:
        best = [] if self._best is None else [f"best {self._objective} {self._best:.4f}"]
        return ", ".join(best + [f"{count} {state}" for state, count in self._states.items()])


class Progress:
    """What a run tells about itself while it goes on; this one tells nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End without a word."""

    def advance(self, records: Iterable[Record], pace: Pace) -> None:
        """Take in that more records came; show nothing."""


class Plain(Progress):
    """A line on standard error every few seconds, and one at the end."""

    def __init__(self, best: Best) -> None:
        self._best, self._next = best, 0.0
        self._last: Pace | None = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._last is not None:
            self._say(self._last)

    def advance(self, records: Iterable[Record], pace: Pace) -> None:
        """Print a line if the last one is old."""
        self._best.add(records)
        if pace.elapsed >= self._next:
            self._say(pace)
            self._next = pace.elapsed + PLAIN_SECONDS
            self._last = None
        else:
            self._last = pace

    def _say(self, pace: Pace) -> None:
        line = f"{pace.done}/{pace.total} trials, {describe(pace)} {self._best}".rstrip()
        with suppress(OSError, ValueError):  # nobody reads any more; that ends no training
            print(line, file=sys.stderr, flush=True)


class Bar(Progress):
    """A bar of rich, in a terminal or a notebook."""

    def __init__(self, best: Best) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as RichProgress

        self._best = best
        console = Console(stderr=not _in_notebook())
        columns = (
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[pace]}"),
            TextColumn("[bold]{task.fields[best]}"),
        )
        self._bar: rich.progress.Progress = RichProgress(*columns, console=console)
        self._task: rich.progress.TaskID | None = None

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # the terminal was closed; that ends no training
            self._bar.stop()

    def advance(self, records: Iterable[Record], pace: Pace) -> None:
        """Move the bar."""
        self._best.add(records)
        with suppress(OSError):
            if self._task is None:
                self._task = self._bar.add_task("training", total=pace.total, pace="", best="")
            self._bar.update(self._task, completed=pace.done, pace=describe(pace), best=str(self._best))


def describe(pace: Pace) -> str:
    """Return rate and remaining time in words.

    Examples
    --------
    >>> describe(Pace(done=500, total=1000, elapsed=2.0, remaining=65.0))
    '250/s, 1:05 left'
    """
    minutes, seconds = divmod(round(pace.remaining), 60)
    hours, minutes = divmod(minutes, 60)
    left = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    rate = f"{pace.rate:,.0f}" if pace.rate >= 10 else f"{pace.rate:.2g}"
    return f"{rate}/s, {left} left"


def progress_for(choice: object, objective: str | None) -> Progress:
    """Return the progress to show: True is a bar where there is a terminal or notebook, "plain" lines anywhere."""
    if not isinstance(choice, bool) and not (isinstance(choice, str) and choice == "plain"):
        raise ValueError(f'progress must be True, False or "plain", got {shown(choice)}')
    if sys.stderr is None:  # closed, or a program without a console
        return Progress()
    if choice == "plain":
        return Plain(Best(objective))
    if choice is True and (sys.stderr.isatty() or _in_notebook()):
        return Bar(Best(objective))
    return Progress()


def _in_notebook() -> bool:
    return "ipykernel" in sys.modules
