"""What a sweep is, in values of JSON: its store holds it for its results, the next run and `sweep verify`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from neuralnet_core import engine_info

from .objective import higher_is_better
from .study import Study

if TYPE_CHECKING:
    from .sweep import Sweep

__all__ = ["describe"]


def describe(
    sweep: Sweep, study: Study, objective: str | None, source: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return what a store says of a sweep beside its configurations and trials.

    Examples
    --------
    >>> from neuralnet_core import Dense, GradientDescent, Network
    >>> from sweep import Sweep
    >>> sweep = Sweep(lambda rate: (Network([Dense(1)]), GradientDescent(rate)), {"rate": [0.01, 0.1]})
    >>> described = describe(sweep, sweep.study([[0.0], [1.0]], [1.0, 3.0]), "train_loss", source=None)
    >>> described["parameters"], described["rows"], described["higher_is_better"]
    (['rate'], 2, False)
    """
    data, engine = study.data, engine_info()
    return {
        "objective": objective,
        "higher_is_better": None if objective is None else higher_is_better(objective),
        "parameters": list(sweep.space.names),
        "configurations": sweep.space.size,
        "repeats": sweep.repeats,
        "seed": sweep.seed,
        "dtype": sweep.dtype,
        "validation": study.fraction if data.validation is None else "data",
        "input_shape": list(data.input_shape),
        "rows": len(data.X),
        "data_digest": data.digest,
        "numerics_version": engine.numerics_version,
        "instruction_set": engine.instruction_set,
        "source": source,
    }
