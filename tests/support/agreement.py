"""When a model of the engine and a run of the reference count as the same training."""

from __future__ import annotations

from training_cases import largest_difference

from neuralnet_core import Model
from neuralnet_core.reference import ReferenceRun


def assert_equal_runs(model: Model, run: ReferenceRun, tolerance: float = 1e-9) -> None:
    assert (model.state, model.epoch) == (run.state, run.epoch)
    assert list(model.parameters) == list(run.parameters)
    assert list(model.history_arrays) == list(run.history)
    for name, value in run.parameters.items():
        assert largest_difference(model.parameters[name], value) <= tolerance, name
    for name, values in run.history.items():
        assert len(model.history_arrays[name]) == len(values), name
        assert largest_difference(model.history_arrays[name], values) <= tolerance, name
