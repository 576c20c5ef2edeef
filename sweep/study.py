"""Study: all that a run of a sweep is about to do, worked out before it does anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from neuralnet_core import Model, Network

from .data import Data
from .execution import Work, function_task, record_task, run_function, train_jobs
from .functions import Function
from .jobs import Configuration, FunctionJob, Job, Record, Trial, identity_of
from .planner import Pack, plan, plan_calls
from .splits import Splits

__all__ = ["Study"]

SEED_BITS = 32  # of a function's seed: as many as scikit-learn and NumPy's legacy generators take


@dataclass(frozen=True)
class Study:
    """All that a run is about to do: its trials, and a job for each distinct thing to train.

    The jobs, by identity, are networks (`Job`), or calls of the function if there is one (`FunctionJob`).
    """

    configurations: Sequence[Configuration]
    trials: list[Trial]
    jobs: dict[str, Any]
    failed: dict[str, Record]
    data: Data
    dtype: str
    function: Function | None = None

    @classmethod
    def of(
        cls, seeds: Sequence[int], dtype: str, built: Sequence[Configuration], data: Data, splits: Splits
    ) -> Study:
        """Return the trials in order of configuration, then repeat; equal identities share a job."""
        study = cls(built, [], {}, {}, data, dtype)
        settings: dict[str, int] = {}
        for configuration in built:
            setting = settings.setdefault(configuration.key, len(settings))
            for repeat, seed in enumerate(seeds):
                if configuration.network is None or configuration.optimizer is None:
                    identity = identity_of(configuration.key, seed, "", "")
                    study.failed[identity] = _failure(identity, configuration.error)
                else:
                    split = splits.of(configuration.network, repeat, 0)
                    identity = identity_of(configuration.key, seed, data.digest, split.digest)
                    if identity not in study.jobs:
                        value = (configuration.network, configuration.optimizer)
                        study.jobs[identity] = Job(*value, seed, split, setting, identity)
                place = len(study.trials)
                study.trials.append(
                    Trial(place, configuration.number, repeat, 0, seed, configuration.params, identity)
                )
        return study

    @classmethod
    def of_function(
        cls,
        function: Function,
        space: Iterable[dict[str, Any]],
        seeds: Sequence[int],
        data: Data,
        splits: Splits,
    ) -> Study:
        """Return the trials of a user's function, in order of configuration, then repeat."""
        trials: list[Trial] = []
        jobs: dict[str, FunctionJob] = {}
        configurations = []
        for number, params in enumerate(space):
            key = function.key(params)
            configurations.append(Configuration(number, params, None, None, None, key))
            for repeat, full_seed in enumerate(seeds):
                seed = full_seed % 2**SEED_BITS
                split = splits.of_data(repeat, 0)
                identity = identity_of(key, seed, data.digest, split.digest)
                jobs.setdefault(identity, FunctionJob(params, seed, split, identity))
                trials.append(Trial(len(trials), number, repeat, 0, seed, params, identity))
        return cls(configurations, trials, jobs, {}, data, data.X.dtype.name, function)

    @property
    def networks(self) -> list[Network] | None:
        """The networks of the configurations that could be built; None for a function's."""
        if self.function is not None:
            return None
        return [one.network for one in self.configurations if one.network is not None]

    def plan(self, jobs: Sequence[Any]) -> list[Pack]:
        """Return the packs of some of the jobs."""
        if self.function is not None:
            return plan_calls(len(jobs))
        return plan(jobs, self.data.input_shape, self.dtype, apart=self.data.has_zero_weights)

    def work(self, keep_models: bool) -> tuple[Work, dict[str, Any]]:
        """Return what workers do with the jobs, and its options."""
        if self.function is None:
            return record_task, {"data": self.data, "dtype": self.dtype, "keep_models": keep_models}
        return function_task, {
            "data": self.data,
            "function": self.function.call,
            "extras": self.function.extras,
        }

    def run(self, trial: Trial) -> Model | dict[str, float]:
        """Run a trial in this process: its model, or what its function gives back; an error raises."""
        if trial.identity in self.failed:
            raise ValueError(f"trial {trial.trial} cannot be built: {self.failed[trial.identity].error}")
        if self.function is None:
            return self.train_again(trial)
        job = self.jobs[trial.identity]
        return run_function(job, self.function.call, self.function.extras, self.data)

    def train_again(self, trial: Trial) -> Model:
        """Train a trial once more; its model is the same."""
        return train_jobs([self.jobs[trial.identity]], self.data, self.dtype)[0]


def _failure(identity: str, error: str | None) -> Record:
    return Record(identity, "failed", 0, {}, {}, error, None, 0.0, 0.0, "")
