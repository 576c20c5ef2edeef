"""Proof of a store: what it records is run again and compared, number by number."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuralnet_core import Model

from .errors import DataError
from .execution import Execution
from .jobs import RESULTS, Record
from .labels import counted
from .store import Store
from .study import Study
from .values import decode_metrics, encode_metrics

__all__ = ["Difference", "Verification", "verify"]

COMPARED = ("state", "epoch", "digest", "metrics", "curves")  # all but the clock's
SHOWN = 20
MAY_VARY = ": a function that draws numbers without its seed, or measures time, gives others every time"


@dataclass(frozen=True)
class Difference:
    """A trial that is not what the store says, in some field of its record, or in the model that was kept."""

    trial: int
    what: str
    recorded: str
    found: str

    def __str__(self) -> str:
        """Return it in words, one line."""
        values = f": recorded {self.recorded}, found {self.found}" if self.recorded != self.found else ""
        return f"trial {self.trial} differs in its {self.what}{values}"


@dataclass(frozen=True)
class Verification:
    """What came of running again.

    Attributes
    ----------
    checked : int
        Results that were come by again and compared.
    recorded : int
        Results of the sweep that are in the store.
    differences : tuple of Difference
        Empty if all are the same.
    called : bool
        Whether they are a function's, which need not give the same numbers twice, as networks do.
    """

    checked: int
    recorded: int
    differences: tuple[Difference, ...]
    called: bool = False

    def __str__(self) -> str:
        """Return it in words, a line for each difference, so far as these are few."""
        trials = len({one.trial for one in self.differences})
        ended = f"{counted(trials, 'trial')} differ" if trials != 1 else "1 trial differs"
        again = "called" if self.called else "trained"
        lines = [
            f"{again} again: {self.checked:,} of {counted(self.recorded, 'result')}; "
            + (ended if trials else "all are the same")
            + (MAY_VARY if trials and self.called else "")
        ]
        lines += [str(one) for one in self.differences[:SHOWN]]
        more = len(self.differences) - SHOWN
        return "\n".join([*lines, *([f"and {more:,} differences more"] if more > 0 else [])])


def verify(
    study: Study,
    store: Store,
    sample: int | None,
    seed: int,
    workers: int,
    backend: str = "threads",
    **limits: Any,
) -> Verification:
    """Run again what a store records of a study, or a sample of it, and return how the two differ.

    Each chunk is compared as it comes, and forgotten: curves of a few networks are in memory at a time.
    """
    records = store.records(curves=False)
    results = [i for i, one in records.items() if one.state in RESULTS and i in study.jobs]
    if not results:
        changed = store.read_sweep().get("data_digest") not in (None, study.data.digest)
        why = "it was written for other data" if changed else "it has no result of this sweep"
        raise DataError(f"{store.path}: nothing can be verified, {why}")
    chosen = _draw(results, sample, seed)
    numbers = {trial.identity: trial.trial for trial in reversed(study.trials)}
    found: list[Difference] = []
    for again in _run(study, chosen, workers, backend, limits):
        recorded = records[again.identity]._replace(curves=store.curves(again.identity))
        number = numbers[again.identity]
        found += _differences(number, recorded, again)
        found += _difference_of_model(number, recorded, store.model(again.identity))
    found.sort(key=lambda one: one.trial)
    return Verification(len(chosen), len(results), tuple(found), study.function is not None)


def _draw(identities: Iterable[str], sample: int | None, seed: int) -> list[str]:
    """Return so many identities, every subset as likely as any other over the seeds; all of them for None."""
    every = list(identities)
    if sample is None or sample >= len(every):
        return every
    return sorted(every, key=lambda one: hashlib.sha256(f"{seed} {one}".encode()).digest())[:sample]


def _run(
    study: Study, identities: Iterable[str], workers: int, backend: str, limits: Mapping[str, Any]
) -> Iterator[Record]:
    """Yield the record of each, as it comes."""
    jobs = [study.jobs[identity] for identity in identities]
    work, options = study.work(keep_models=False)
    execution = Execution(jobs, study.plan(jobs), workers, backend, **limits)
    with closing(execution.run(work, **options)) as outcomes:
        for _, outcome in outcomes:
            yield from (one for one in outcome.records if one is not None)
    if execution.interruption is not None:
        raise execution.interruption.error()


def _difference_of_model(trial: int, recorded: Record, npz: bytes | None) -> list[Difference]:
    if npz is None or (digest := Model.from_bytes(npz).digest()) == recorded.digest:
        return []
    return [Difference(trial, "kept model", _short(recorded.digest), _short(digest))]


def _differences(trial: int, recorded: Record, again: Record) -> list[Difference]:
    # As a store gives it back: what is not finite is NaN there.
    again = again._replace(metrics=decode_metrics(encode_metrics(again.metrics)))
    return [
        Difference(trial, name, _short(before), _short(now))
        for name in COMPARED
        if not _same(before := getattr(recorded, name), now := getattr(again, name))
    ]


def _same(a: object, b: object) -> bool:
    """Return whether two values are equal, NaN being equal to itself and curves in single precision."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(
            np.array_equal(np.asarray(a[k], _kind(a[k])), np.asarray(b[k], _kind(b[k])), equal_nan=True)
            for k in a
        )
    return a == b


def _kind(value: object) -> str:
    return "f8" if np.ndim(value) == 0 else "f4"  # type: ignore[arg-type]


def _short(value: object) -> str:
    """Return a value in a few characters; curves are too long to be shown."""
    if isinstance(value, Mapping):
        items = [f"{name}={number!r}" for name, number in value.items() if np.ndim(number) == 0]
        return ", ".join(items)
    return value[:12] if isinstance(value, str) else str(value)
