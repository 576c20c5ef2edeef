"""What a run would train, counted without training anything."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from .labels import counted
from .planner import predicted_seconds
from .study import Study

__all__ = ["Preview", "preview"]


@dataclass(frozen=True)
class Preview:
    """How much a run is.

    `failed` counts configurations that cannot be built, `networks` what is to be trained, `recorded` what a store
    has already; `smallest` and `largest` count a network's parameters; `seconds` is how long `workers` are predicted
    to take, at most: early stopping may make it less.
    """

    configurations: int
    failed: int
    trials: int
    networks: int
    recorded: int
    packs: int
    smallest: int
    largest: int
    seconds: float
    workers: int

    def __str__(self) -> str:
        """Return it in words, a line each."""
        lines = [
            f"configurations  {self.configurations:,}" + (f" ({self.failed:,} fail)" if self.failed else ""),
            f"trials          {self.trials:,}",
            f"networks        {self.networks:,} to train, in {counted(self.packs, 'pack')}"
            + (f"; {self.recorded:,} recorded already" if self.recorded else ""),
            f"parameters      {self.smallest:,} (smallest network) to {self.largest:,} (largest)",
            f"time            {_about(self.seconds)} with {counted(self.workers, 'worker')}",
        ]
        return "\n".join(lines)


def preview(study: Study, recorded: Collection[str] = frozenset(), workers: int = 1) -> Preview:
    """Return what a run would train, `recorded` being the identities of what is not trained again.

    Configurations that build equal values are trained once: so there may be fewer networks than trials.

    Examples
    --------
    >>> import numpy as np
    >>> from neuralnet_core import Adam, Dense, Network
    >>> from sweep import Sweep
    >>> def build(hidden):
    ...     return Network([Dense(hidden, "tanh"), Dense(1)], loss="mse"), Adam()
    >>> sweep = Sweep(build, {"hidden": [4, 8]}, repeats=8)
    >>> print(preview(sweep.study(np.zeros((100, 3)), np.zeros(100))))  # doctest: +ELLIPSIS
    configurations  2
    trials          16
    networks        16 to train, in ... pack...
    parameters      21 (smallest network) to 41 (largest)
    time            less than a second with 1 worker
    """
    shape = study.data.input_shape
    jobs = [job for identity, job in study.jobs.items() if identity not in recorded]
    sizes = [job.network.build(shape).size for job in study.jobs.values()]
    packs = study.plan(jobs)
    return Preview(
        configurations=len(study.configurations),
        failed=sum(configuration.network is None for configuration in study.configurations),
        trials=len(study.trials),
        networks=len(jobs),
        recorded=len(study.jobs) - len(jobs),
        packs=len(packs),
        smallest=min(sizes, default=0),
        largest=max(sizes, default=0),
        seconds=predicted_seconds(packs, workers),
        workers=workers,
    )


def _about(seconds: float) -> str:
    """Return a predicted time in words, no more exactly than it is known.

    Examples
    --------
    >>> _about(0.4), _about(12.3), _about(500), _about(86400)
    ('less than a second', 'about 12 s', 'about 8 min', 'about 24 h')
    """
    if seconds < 1:
        return "less than a second"
    for unit, length, most in (("s", 1, 120), ("min", 60, 120)):
        if seconds < most * length:
            return f"about {seconds / length:.0f} {unit}"
    return f"about {seconds / 3600:,.0f} h"
