"""What a run would train, counted without training anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from neuralnet_core import derive_seed

from .jobs import configurations
from .planner import plan
from .splits import Data, Splits, check_validation
from .study import Study
from .sweep import Sweep

__all__ = ["Preview", "preview"]


@dataclass(frozen=True)
class Preview:
    """How much a run is: `smallest` and `largest` count a network's parameters, `failed` configurations."""

    configurations: int
    failed: int
    trials: int
    networks: int
    packs: int
    smallest: int
    largest: int

    def __str__(self) -> str:
        """Return it in words, a line each."""
        lines = [
            f"configurations  {self.configurations:,}" + (f" ({self.failed:,} fail)" if self.failed else ""),
            f"trials          {self.trials:,}",
            f"networks        {self.networks:,} to train, in {self.packs:,} packs",
            f"parameters      {self.smallest:,} (smallest network) to {self.largest:,} (largest)",
        ]
        return "\n".join(lines)


def preview(sweep: Sweep, X: ArrayLike, y: ArrayLike, validation: Any = None) -> Preview:
    """Return what `sweep.run` would train on this data, were nothing recorded yet.

    Configurations that build equal values are trained once: so there may be fewer networks than trials.

    Examples
    --------
    >>> import numpy as np
    >>> from neuralnet_core import Adam, Dense, Network
    >>> def build(hidden):
    ...     return Network([Dense(hidden, "tanh"), Dense(1)], loss="mse"), Adam()
    >>> print(preview(Sweep(build, {"hidden": [4, 8]}, repeats=8), np.zeros((100, 3)), np.zeros(100)))
    configurations  2
    trials          16
    networks        16 to train, in 2 packs
    parameters      21 (smallest network) to 41 (largest)
    """
    fraction, held_out = check_validation(validation)
    data = Data.of(X, y, held_out, None, sweep.dtype)
    built = configurations(sweep.build, sweep.space, data.input_shape, sweep.dtype)
    seeds = [derive_seed(sweep.seed, repeat, 0) for repeat in range(sweep.repeats)]
    study = Study.of(seeds, sweep.dtype, built, data, Splits(data, fraction, sweep.seed))
    jobs = list(study.jobs.values())
    sizes = [job.network.build(data.input_shape).size for job in jobs]
    return Preview(
        configurations=len(built),
        failed=sum(configuration.network is None for configuration in built),
        trials=len(study.trials),
        networks=len(jobs),
        packs=len(plan(jobs, data.input_shape, sweep.dtype)),
        smallest=min(sizes, default=0),
        largest=max(sizes, default=0),
    )
