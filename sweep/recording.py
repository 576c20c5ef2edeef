"""What a run records: taken over from the store where it is known, kept in it where it is new."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from typing import Any

from neuralnet_core import Model, check_choice, shown

from .execution import Execution, Interruption
from .functions import changed_source
from .jobs import FAILURES, Record
from .progress import Progress
from .store import Store
from .study import Study

__all__ = ["Recorder", "states_to_retry"]


def states_to_retry(retry: str | Collection[str]) -> frozenset[str]:
    """Return the states whose records are to be replaced; what was cancelled is always run again.

    Examples
    --------
    >>> sorted(states_to_retry("failed"))
    ['cancelled', 'failed']
    """
    if not isinstance(retry, str | Collection) or isinstance(retry, bytes | bytearray):
        raise TypeError(f"retry must be one or more of {', '.join(FAILURES)}; got {shown(retry)}")
    wanted = (retry,) if isinstance(retry, str) else tuple(retry)
    return frozenset({"cancelled", *(check_choice("retry", state, FAILURES) for state in wanted)})


class Recorder:
    """Trains what has no record yet and keeps what comes of it: in the store if there is one, else in memory.

    Attributes
    ----------
    records : dict
        What is recorded of the study, by identity. What is to be tried again keeps its record until there is another.
    waiting : set of str
        The identities that this run has yet to train.
    models : dict
        The models that were kept, by identity, if there is no store.
    """

    def __init__(self, study: Study, store: Store | None, retry: Collection[str] = ()) -> None:
        self._study, self._store, self._again = study, store, states_to_retry(retry)
        self.records: dict[str, Record] = {}
        self.waiting = {*study.jobs, *study.failed}
        self.models: dict[str, Model] = {}

    def begin(self, description: Mapping[str, Any], accept_changed: bool) -> None:
        """Write what the sweep is, take over what is recorded, and record what failed to be built."""
        if self._store is not None:
            wanted = len(self.waiting)
            found = self._store.records(curves=False)
            self.records.update((identity, found[identity]) for identity in self.waiting & found.keys())
            before = self._store.read_sweep()
            if self._study.function is not None:
                sources = before.get("functions", {}) if self.records else {}
                texts = changed_source(self._study.function, sources, accept_changed)
                description = {**description, "functions": texts}
            if found:
                _tell_of_changes(before, description, len(self.records), wanted)
            self.waiting -= {i for i, one in self.records.items() if one.state not in self._again}
            self._store.describe(description)
            self._store.replace_trials(self._study.trials, self._study.configurations)
        failed = [record for identity, record in self._study.failed.items() if identity in self.waiting]
        self._keep(failed, [None] * len(failed))

    def train(
        self, workers: int, backend: str, keep_models: bool, progress: Progress, **limits: Any
    ) -> Interruption | None:
        """Train what waits for it; return the signal that ended that early."""
        study = self._study
        jobs = [job for identity, job in study.jobs.items() if identity in self.waiting]
        if not jobs:
            return None
        execution = Execution(jobs, study.plan(jobs), workers, backend, **limits)
        work, options = study.work(keep_models)
        with progress, closing(execution.run(work, **options)) as outcomes:
            for _, outcome in outcomes:
                records = [record for record in outcome.records if record is not None]
                self._keep(records, outcome.models or [None] * len(records))
                if self._store is not None:
                    self._store.commit_soon()  # so that a kill costs what a chunk costs, and not what waits besides
                progress.advance(records, execution.schedule.pace())
        return execution.interruption

    def _keep(self, records: Sequence[Record], models: Sequence[Model | None]) -> None:
        self.waiting.difference_update(record.identity for record in records)
        pairs = zip(records, models, strict=True)
        if self._store is None:
            self.records.update((record.identity, record) for record in records)
            self.models.update((record.identity, model) for record, model in pairs if model is not None)
        else:
            self._store.record_all(
                (record, None if model is None else model.to_bytes()) for record, model in pairs
            )
            self.records.update((record.identity, record._replace(curves={})) for record in records)


def _tell_of_changes(before: Mapping[str, Any], now: Mapping[str, Any], recorded: int, wanted: int) -> None:
    """Say in one line if records of this store are no use because something other than the space has changed."""
    changed = []
    # The numbers' type is part of the digest of data, and not a change of these.
    if (
        before.get("dtype") == now["dtype"]
        and before.get("data_digest", now["data_digest"]) != now["data_digest"]
    ):
        changed.append("the data (those held out included) are not those that the store was last written for")
    if before.get("numerics_version", now["numerics_version"]) != now["numerics_version"]:
        changed.append("this version computes other bits than the one that wrote the store")
    if changed:
        rest = (
            f"{recorded} of {wanted} trials are recorded for these" if recorded else "all trials are run anew"
        )
        kept = "the earlier records are kept, but tables show what is run now"
        warnings.warn(f"{', and '.join(changed)}: {rest}; {kept}", stacklevel=4)
