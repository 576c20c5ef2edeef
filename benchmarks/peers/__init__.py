"""The sides of the comparison, a module each. A side that is not installed is left out, and said to be."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass

from .training import Training

__all__ = ["SIDES", "Side"]


@dataclass(frozen=True)
class Side:
    """Where a side's class is, and which package it needs."""

    module: str
    training: str
    needs: str

    @property
    def installed(self) -> bool:
        """Whether the package it needs is there."""
        return importlib.util.find_spec(self.needs) is not None

    def load(self) -> type[Training]:
        """Return the class; only now is the package imported."""
        return getattr(importlib.import_module(f"peers.{self.module}"), self.training)


SIDES = {
    "ours": Side("ours", "TrainMany", "neuralnet_core"),
    "scikit-learn": Side("scikit_learn", "ScikitLearn", "sklearn"),
}
