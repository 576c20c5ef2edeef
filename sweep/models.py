"""The trained network of a trial: the one that was kept, or the same trained again; proven to be the recorded one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from neuralnet_core import Model

from .jobs import Record, Trial
from .store import Store
from .tables import PENDING

__all__ = ["Models"]


@dataclass(frozen=True, eq=False)
class Models:
    """Where the models of a sweep come from: `kept` ones by identity, those in a `store`, or `train_again`."""

    train_again: Callable[[Trial], Model] | None
    kept: Mapping[str, Model]
    store: Path | None

    def of(self, trial: Trial, record: Record | None) -> Model:
        """Return the model of a trial, or say why there is none, or none that is the recorded one."""
        if record is None or record.digest is None:
            reason = PENDING if record is None else f"{record.state}: {record.error or 'no parameters'}"
            raise ValueError(f"trial {trial.trial} has no model ({reason})")
        model = self._kept(trial.identity) or self._again(trial)
        if model.digest() != record.digest:
            raise ValueError(
                f"the model of trial {trial.trial} is not the recorded one (digest {model.digest()[:12]}, recorded"
                f" {record.digest[:12]}): was it trained on other data, or by another version?"
            )
        return model

    def _kept(self, identity: str) -> Model | None:
        kept = self.kept.get(identity)
        if kept is not None or self.store is None:
            return kept
        with Store.read(self.store) as store:
            npz = store.model(identity)
        return None if npz is None else Model.from_bytes(npz)

    def _again(self, trial: Trial) -> Model:
        if self.train_again is None:
            raise ValueError(
                f"the model of trial {trial.trial} was not kept: run the sweep on this store again, which trains"
                " nothing anew, and ask its results"
            )
        return self.train_again(trial)
