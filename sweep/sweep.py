"""Sweep: a build function, a space and repeats; `run` trains every trial and returns the answers."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import ArrayLike

from neuralnet_core import (
    LOSSES,
    Model,
    check_choice,
    check_dtype,
    check_integer,
    check_seed,
    derive_seed,
    engine_info,
)

from .data import Data
from .execution import Execution, Interruption, check_workers, record_task
from .jobs import Build, Configuration, Record, configurations
from .objective import OBJECTIVES, choose_objective, higher_is_better
from .planner import plan
from .progress import Progress, progress_for
from .results import Results
from .space import Space
from .splits import Splits, check_validation
from .store import Store
from .study import Study

__all__ = ["Sweep"]

MOST_TRIALS = 10**7  # a trial takes about a kilobyte in a run; what is beyond this is a slip in the space


@dataclass(frozen=True)
class Sweep:
    """Many configurations of a network, each trained `repeats` times.

    Every configuration of one repeat has the same seed, hence the same split, the same stream of initial
    draws and the same minibatch order (common random numbers), which makes comparisons sharp. Seeds are a
    function of (`seed`, repeat, fold) alone.

    Parameters
    ----------
    build : callable
        ``build(**params) -> (network, optimizer)``, called once per configuration, in this process only.
        What it raises makes that configuration's trials "failed"; the rest goes on.
    space : dict or list of dict
        What to try. A dict of lists is a grid, a list of dicts the union of theirs. With a distribution in place
        of a list (`uniform`, `loguniform`, `randint`, `choice`), `samples` configurations are drawn.
    repeats : int
        Trainings of each configuration.
    seed : int
        The root seed.
    dtype : {"float32", "float64"}
        The numbers that networks are trained with.
    samples : int, optional
        Configurations to draw from a space with distributions (or from a grid too large to train whole).

    Examples
    --------
    >>> import numpy as np
    >>> from neuralnet_core import Adam, Dense, Network
    >>> def build(hidden, learning_rate):
    ...     network = Network([Dense(hidden, "tanh"), Dense(1)], loss="mse")
    ...     return network, Adam(learning_rate, epochs=5)
    >>> sweep = Sweep(build, {"hidden": [4, 8], "learning_rate": [1e-3, 1e-2]}, repeats=3)
    >>> X = np.linspace(-1, 1, 100).reshape(-1, 1)
    >>> results = sweep.run(X, X[:, 0] ** 2, validation=0.2)
    >>> len(results.trials), results.objective
    (12, 'validation_r2')
    """

    build: Build
    space: Any
    repeats: int = 1
    seed: int = 0
    dtype: str = "float32"
    samples: int | None = None

    def __post_init__(self) -> None:
        if not callable(self.build):
            raise TypeError(f"build must be a function that returns (network, optimizer), got {self.build!r}")
        object.__setattr__(self, "repeats", check_integer("repeats", self.repeats, at_least=1))
        object.__setattr__(self, "seed", check_seed(self.seed))
        check_dtype(self.dtype)
        object.__setattr__(self, "space", Space.of(self.space, self.samples, self.seed))
        if self.space.size * self.repeats > MOST_TRIALS:
            raise ValueError(
                f"{self.space.size:,} configurations x {self.repeats} repeats are more than {MOST_TRIALS:,} trials; "
                "give samples=, the number of configurations to draw"
            )

    def run(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        validation: float | tuple[ArrayLike, ArrayLike] | None = None,
        n_jobs: int = -1,
        store: str | os.PathLike[str] | None = None,
        backend: str = "auto",
        objective: str | None = None,
        keep_models: bool = False,
        sample_weight: ArrayLike | None = None,
        progress: bool | str = True,
    ) -> Results:
        """Train every trial and return the results.

        Ctrl-C ends the run within a moment. If anything was recorded by then, the results so far are returned
        (the rest is "pending" in the table, and one line says so); otherwise KeyboardInterrupt goes on. With a
        store, the same call trains what is missing.

        Parameters
        ----------
        X : array of shape (n, ...)
        y : array of shape (n,) or (n, outputs)
            Class labels (numbers or strings) or numbers, as the loss of the networks wants.
        validation : float, pair (Xv, yv) or None
            A fraction of the rows, drawn anew for each repeat (stratified for class labels); data of its own;
            or none.
        n_jobs : int
            Workers, as in joblib: -1 is every CPU.
        store : path or None
            The SQLite file to record in. What is recorded there is not trained again.
        backend : {"auto", "threads", "processes", "sequential"}
            Where chunks run; "auto" is threads. The results are the same.
        objective : str, optional
            The metric that decides: validation_accuracy or validation_r2 by default, train_loss without
            validation.
        keep_models : bool
            Keep every trained network. Without it, `results.model` trains the one it is asked for again.
        sample_weight : array of shape (n,), optional
        progress : bool or "plain"
            A bar in a terminal or a notebook; "plain" for lines on standard error anywhere.

        Raises
        ------
        ValueError, TypeError
            If an argument or the data break a rule.
        StoreError
            If the store cannot be read or written.
        KeyboardInterrupt
            After Ctrl-C, if nothing was recorded yet.
        """
        workers, backend = check_workers(n_jobs, backend)
        study = self.study(X, y, validation, sample_weight)
        decides = _check_objective(objective, validation is not None, study.configurations)
        shown = progress_for(progress, decides, higher_is_better(decides))
        description = self._description(study.data, validation, decides)
        with ExitStack() as stack:
            recorder = _Recorder(study, None if store is None else stack.enter_context(Store.open(store)))
            recorder.begin(description)
            interruption = recorder.train(workers, backend, keep_models, shown)
        _tell(study, recorder.records, interruption, store is not None)
        return Results(
            study.trials,
            recorder.records,
            description,
            study.train_again,
            kept_models=recorder.models,
            store=store,
        )

    def study(
        self,
        X: ArrayLike,
        y: ArrayLike,
        validation: float | tuple[ArrayLike, ArrayLike] | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Study:
        """Return all that `run` would do with this data, checked and worked out, but nothing trained."""
        fraction, held_out = check_validation(validation)
        data = Data.of(X, y, held_out, sample_weight, self.dtype)
        built = configurations(self.build, self.space, data.input_shape, self.dtype)
        seeds = [derive_seed(self.seed, repeat, 0) for repeat in range(self.repeats)]
        return Study.of(seeds, self.dtype, built, data, Splits(data, fraction, self.seed))

    def _description(self, data: Data, validation: object, objective: str) -> dict[str, Any]:
        engine = engine_info()
        fraction, _ = check_validation(validation)
        return {
            "objective": objective,
            "higher_is_better": higher_is_better(objective),
            "parameters": list(self.space.names),
            "configurations": self.space.size,
            "repeats": self.repeats,
            "seed": self.seed,
            "dtype": self.dtype,
            "validation": fraction if data.validation is None else "data",
            "input_shape": list(data.input_shape),
            "rows": len(data.X),
            "data_digest": data.digest,
            "numerics_version": engine.numerics_version,
            "instruction_set": engine.instruction_set,
        }


class _Recorder:
    """Trains what has no record yet and keeps what comes of it: in the store if there is one, else in memory."""

    def __init__(self, study: Study, store: Store | None) -> None:
        self._study, self._store = study, store
        self.records: dict[str, Record] = {}
        self.models: dict[str, Model] = {}

    def begin(self, description: Mapping[str, Any]) -> None:
        """Write what the sweep is, take over what is recorded, and record what failed to be built."""
        if self._store is not None:
            wanted = {trial.identity for trial in self._study.trials}
            found = self._store.records(curves=False)
            self.records.update((identity, found[identity]) for identity in wanted & found.keys())
            self._store.describe(description)
            self._store.replace_trials(self._study.trials, self._study.configurations)
        for identity, record in self._study.failed.items():
            if identity not in self.records:
                self._keep(record, None)

    def train(self, workers: int, backend: str, keep_models: bool, progress: Progress) -> Interruption | None:
        """Train what has no record; return the signal that ended that early."""
        study = self._study
        jobs = [job for identity, job in study.jobs.items() if identity not in self.records]
        if not jobs:
            return None
        execution = Execution(jobs, plan(jobs, study.data.input_shape, study.dtype), workers, backend)
        options = {"data": study.data, "dtype": study.dtype, "keep_models": keep_models}
        with progress, closing(execution.run(record_task, **options)) as outcomes:
            for _, outcome in outcomes:
                records = [record for record in outcome.records if record is not None]
                for record, model in zip(records, outcome.models or [None] * len(records), strict=True):
                    self._keep(record, model)
                progress.advance(records, execution.schedule.pace())
        return execution.interruption

    def _keep(self, record: Record, model: Model | None) -> None:
        if self._store is None:
            self.records[record.identity] = record
            if model is not None:
                self.models[record.identity] = model
        else:
            self._store.record(record, None if model is None else model.to_bytes())
            self.records[record.identity] = replace(record, curves={})


def _check_objective(objective: str | None, validated: bool, built: Sequence[Configuration]) -> str:
    """Return the metric that decides, or say why the wanted one cannot."""
    networks = [one.network for one in built if one.network is not None]
    names = dict.fromkeys(f"validation_{LOSSES[network.loss].metric}" for network in networks)
    available = ["train_loss", *(["validation_loss", *names] if validated else [])]
    if objective is None or objective in available:
        return choose_objective(available, objective)
    objective = check_choice("objective", objective, OBJECTIVES)
    if not validated:
        raise ValueError(f"objective {objective!r} needs validation=, such as validation=0.2")
    if not networks:
        return objective
    raise ValueError(f"objective must be one of {', '.join(available)} with these losses; got {objective!r}")


def _tell(
    study: Study, records: Mapping[str, Record], interruption: Interruption | None, stored: bool
) -> None:
    """Say in one line what a caller must not overlook; raise if a signal leaves nothing to return, or no one to."""
    if interruption is not None:
        done = sum(trial.identity in records for trial in study.trials)
        if done:
            by = f" by {interruption.name}" if interruption.asks_to_exit else ""
            again = "; run again with the same store to train the rest" if stored else ""
            warnings.warn(
                f"interrupted{by}: {done} of {len(study.trials)} trials are recorded{again}", stacklevel=3
            )
        if not done or interruption.asks_to_exit:
            raise interruption.error()
    elif records and all(record.state == "failed" for record in records.values()):
        count, first = len(study.configurations), next(iter(records.values()))
        warnings.warn(f"every configuration failed ({count}); the first: {first.error}", stacklevel=3)
