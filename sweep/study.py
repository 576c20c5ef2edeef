"""Study: all that a run of a sweep is about to do, worked out before it does anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from neuralnet_core import Model

from .data import Data
from .execution import train_jobs
from .jobs import Configuration, Job, Record, Trial, identity_of
from .splits import Splits

__all__ = ["Study"]


@dataclass(frozen=True)
class Study:
    """All that a run is about to do: its trials, and a job for each distinct thing to train."""

    configurations: Sequence[Configuration]
    trials: list[Trial]
    jobs: dict[str, Job]
    failed: dict[str, Record]
    data: Data
    dtype: str

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

    def train_again(self, trial: Trial) -> Model:
        """Train a trial once more; its model is the same."""
        return train_jobs([self.jobs[trial.identity]], self.data, self.dtype)[0]


def _failure(identity: str, error: str | None) -> Record:
    return Record(identity, "failed", 0, {}, {}, error, None, 0.0, 0.0, "")
