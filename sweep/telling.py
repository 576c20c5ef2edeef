"""What a run tells its user: how to run one trial by itself, and, at its end, what must not be overlooked."""

from __future__ import annotations

import os
import warnings

from .execution import Interruption
from .jobs import FunctionJob, Job
from .recording import Recorder
from .study import Study

__all__ = ["call_to_run_one", "tell"]


def call_to_run_one(study: Study, job: Job | FunctionJob) -> str:
    """Return what a user types to run a job by itself."""
    arguments = [repr(job.identity[:12]), "X", "y"]
    arguments += [] if study.fraction is None else [f"validation={study.fraction!r}"]
    arguments += [] if study.data.validation is None else ["validation=(Xv, yv)"]
    arguments += [] if study.data.sample_weight is None else ["sample_weight=sample_weight"]
    return f"sweep.run_trial({', '.join(arguments)})"


def tell(
    study: Study,
    recorder: Recorder,
    interruption: Interruption | None,
    store: str | os.PathLike[str] | None,
    *,
    lost: bool,
) -> None:
    """Say in one line what a caller must not overlook; raise if a signal leaves nothing to return, or no one to."""
    records = recorder.records
    if lost:
        warnings.warn(
            f"{os.fspath(store or '')} was deleted, moved or replaced while it was written: what this run recorded is"
            " in that file if you moved it, and else lost: run again to record it anew",
            stacklevel=3,
        )
    if interruption is not None:
        done = sum(trial.identity not in recorder.waiting for trial in study.trials)
        if done and recorder.waiting:
            by = f" by {interruption.name}" if interruption.asks_to_exit else ""
            again = "; run again with the same store to train the rest" if store is not None else ""
            warnings.warn(
                f"interrupted{by}: {done} of {len(study.trials)} trials are recorded{again}", stacklevel=3
            )
        if not done or interruption.asks_to_exit:
            raise interruption.error()
    elif records and all(record.state == "failed" for record in records.values()):
        count, first = len(study.configurations), next(iter(records.values()))
        warnings.warn(f"every configuration failed ({count}); the first: {first.error}", stacklevel=3)
