"""How far a sweep has come: what a look at its store says, also while another process writes it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Self

import numpy as np

from .jobs import RESULTS, STATES
from .labels import counted
from .store import Store

__all__ = ["Status"]


@dataclass(frozen=True)
class Status:
    """How far the sweep in a store has come.

    Attributes
    ----------
    states : dict
        How many trials are in each state; "pending" are those without a record.
    others : int
        Records of trials that this sweep has not: of another space, or of other data. They are kept.
    writer : str or None
        Who writes the store now.
    last_commit : str or None
        When something was written last, in UTC.

    Examples
    --------
    >>> import os, tempfile
    >>> from neuralnet_core import Dense, GradientDescent, Network
    >>> from sweep import Sweep
    >>> path = os.path.join(tempfile.mkdtemp(), "line.sweep")
    >>> sweep = Sweep(lambda rate: (Network([Dense(1)]), GradientDescent(rate)), {"rate": [0.01, 0.1]})
    >>> _ = sweep.run([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], store=path)
    >>> status = Status.of(path)
    >>> status.states, status.writer
    ({'done': 2}, None)
    """

    states: dict[str, int]
    others: int
    writer: str | None
    last_commit: str | None

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> Self:
        """Return the status of a store; a StoreError says why it cannot be read."""
        with Store.read(path) as store, store.snapshot():
            counts, at = store.states(), store.last_commit()
            states = {state or "pending": counts[state] for state in (*STATES, None) if state in counts}
            written = None if at is None else str(np.datetime64(int(at), "s")).replace("T", " ") + " UTC"
            return cls(states, store.others(), store.writer(), written)

    def __str__(self) -> str:
        """Return it in words, a line each."""
        trials, ended = sum(self.states.values()), sum(self.states.get(state, 0) for state in RESULTS)
        share = f" ({ended / trials:.0%})" if trials else ""
        lines = [f"results       {ended:,} of {counted(trials, 'trial')}{share}"]
        lines += [f"  {state:<11} {number:,}" for state, number in self.states.items()]
        if self.others:
            lines.append(
                f"besides       {counted(self.others, 'record')} of trials that are not in this sweep"
            )
        lines.append(f"written by    {self.writer or 'nobody now'}")
        return "\n".join([*lines, *([f"last written  {self.last_commit}"] if self.last_commit else [])])
