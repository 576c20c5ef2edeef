"""What a run would train, counted without training anything."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from neuralnet_core import derive_seed

from .data import Data
from .jobs import configurations
from .labels import counted
from .planner import plan
from .splits import Splits, check_validation
from .study import Study
from .sweep import Sweep

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


def preview(
    sweep: Sweep, X: ArrayLike, y: ArrayLike, validation: Any = None, recorded: Collection[str] = frozenset()
) -> Preview:
    """Return what `sweep.run` would train on this data, `recorded` being the identities of what is not trained again.

    Configurations that build equal values are trained once: so there may be fewer networks than trials.

    Examples
    --------
    >>> import numpy as np
    >>> from neuralnet_core import Adam, Dense, Network
    >>> def build(hidden):
    ...     return Network([Dense(hidden, "tanh"), Dense(1)], loss="mse"), Adam()
    >>> sweep = Sweep(build, {"hidden": [4, 8]}, repeats=8)
    >>> print(preview(sweep, np.zeros((100, 3)), np.zeros(100)))  # doctest: +ELLIPSIS
    configurations  2
    trials          16
    networks        16 to train, in ... pack...
    parameters      21 (smallest network) to 41 (largest)
    """
    fraction, held_out = check_validation(validation)
    data = Data.of(X, y, held_out, None, sweep.dtype)
    built = configurations(sweep.build, sweep.space, data.input_shape, sweep.dtype)
    seeds = [derive_seed(sweep.seed, repeat, 0) for repeat in range(sweep.repeats)]
    study = Study.of(seeds, sweep.dtype, built, data, Splits(data, fraction, sweep.seed))
    jobs = [job for identity, job in study.jobs.items() if identity not in recorded]
    sizes = [job.network.build(data.input_shape).size for job in study.jobs.values()]
    return Preview(
        configurations=len(built),
        failed=sum(configuration.network is None for configuration in built),
        trials=len(study.trials),
        networks=len(jobs),
        recorded=len(study.jobs) - len(jobs),
        packs=len(plan(jobs, data.input_shape, sweep.dtype)),
        smallest=min(sizes, default=0),
        largest=max(sizes, default=0),
    )
