"""What a run would train, counted without training anything."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from .labels import counted
from .study import Study

__all__ = ["Preview", "preview"]


@dataclass(frozen=True)
class Preview:
    """How much a run is.

    `failed` counts configurations that cannot be built, `networks` what is to be trained, `recorded` what a store
    has already; `smallest` and `largest` count a network's parameters.
    """

    configurations: int
    failed: int
    trials: int
    networks: int
    recorded: int
    packs: int
    smallest: int
    largest: int

    def __str__(self) -> str:
        """Return it in words, a line each."""
        lines = [
            f"configurations  {self.configurations:,}" + (f" ({self.failed:,} fail)" if self.failed else ""),
            f"trials          {self.trials:,}",
            f"networks        {self.networks:,} to train, in {counted(self.packs, 'pack')}"
            + (f"; {self.recorded:,} recorded already" if self.recorded else ""),
            f"parameters      {self.smallest:,} (smallest network) to {self.largest:,} (largest)",
        ]
        return "\n".join(lines)


def preview(study: Study, recorded: Collection[str] = frozenset()) -> Preview:
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
    """
    shape = study.data.input_shape
    jobs = [job for identity, job in study.jobs.items() if identity not in recorded]
    sizes = [job.network.build(shape).size for job in study.jobs.values()]
    return Preview(
        configurations=len(study.configurations),
        failed=sum(configuration.network is None for configuration in study.configurations),
        trials=len(study.trials),
        networks=len(jobs),
        recorded=len(study.jobs) - len(jobs),
        packs=len(study.plan(jobs)),
        smallest=min(sizes, default=0),
        largest=max(sizes, default=0),
    )
