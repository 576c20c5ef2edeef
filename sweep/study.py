"""Study: all that a run of a sweep is about to do, worked out before it does anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from neuralnet_core import Model, Network, shown

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

    The jobs, by identity, are networks (`Job`), or calls of the function if there is one (`FunctionJob`). `fraction` is
    the share of the rows that each repeat holds out; None if `data` has rows of its own for that, or nothing has.
    """

    configurations: Sequence[Configuration]
    trials: list[Trial]
    jobs: dict[str, Any]
    failed: dict[str, Record]
    data: Data
    fraction: float | None
    dtype: str
    function: Function | None = None

    @classmethod
    def of(cls, built: Sequence[Configuration], dtype: str, repeats: int, splits: Splits) -> Study:
        """Return the trials in order of configuration, then repeat; equal identities share a job."""
        study = cls(built, [], {}, {}, splits.data, splits.fraction, dtype)
        seeds = [splits.seed(repeat, 0) for repeat in range(repeats)]
        settings: dict[str, int] = {}
        for configuration in built:
            setting = settings.setdefault(configuration.key, len(settings))
            for repeat, seed in enumerate(seeds):
                if configuration.network is None or configuration.optimizer is None:
                    identity = identity_of(configuration.key, seed, "", "")
                    study.failed[identity] = _failure(identity, configuration.error)
                else:
                    split = splits.of(configuration.network, repeat, 0)
                    identity = identity_of(configuration.key, seed, study.data.digest, split.digest)
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
        cls, function: Function, space: Iterable[dict[str, Any]], repeats: int, splits: Splits
    ) -> Study:
        """Return the trials of a user's function, in order of configuration, then repeat."""
        data = splits.data
        seeds = [splits.seed(repeat, 0) % 2**SEED_BITS for repeat in range(repeats)]
        trials: list[Trial] = []
        jobs: dict[str, FunctionJob] = {}
        configurations = []
        for number, params in enumerate(space):
            key = function.key(params)
            configurations.append(Configuration(number, params, None, None, None, key))
            for repeat, seed in enumerate(seeds):
                split = splits.of_data(repeat, 0)
                identity = identity_of(key, seed, data.digest, split.digest)
                jobs.setdefault(identity, FunctionJob(params, seed, split, identity))
                trials.append(Trial(len(trials), number, repeat, 0, seed, params, identity))
        return cls(configurations, trials, jobs, {}, data, splits.fraction, data.X.dtype.name, function)

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

    def trial(self, wanted: object) -> Trial:
        """Return the trial of a number, or the first of the identity that a text is the beginning of."""
        found: list[Trial] = []
        if isinstance(wanted, str):
            found = [one for one in self.trials if one.identity.startswith(wanted)]
        elif isinstance(wanted, Integral):
            found = [one for one in self.trials if one.trial == wanted]
        if not found:
            raise ValueError(
                f"trial must be one of the {len(self.trials)} trials or begin an identity of these, got {shown(wanted)}"
            )
        if (several := len({one.identity for one in found})) > 1:
            raise ValueError(
                f"trial must begin one identity, got {shown(wanted)}, which begins {several}; give more of it"
            )
        return found[0]

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
