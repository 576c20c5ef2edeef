"""The sides of the comparison, a module each. A side that is not installed is left out, and said to be."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass

from .training import Training

__all__ = ["SIDES", "Side", "installed"]


@dataclass(frozen=True)
class Side:
    """Where a side's class is, and which package it needs."""

    module: str
    training: str
    needs: str

    def load(self) -> type[Training]:
        """Return the class; only now is the package imported."""
        kind: type[Training] = getattr(importlib.import_module(f"peers.{self.module}"), self.training)
        return kind


SIDES = {
    "ours": Side("ours", "TrainMany", "neuralnet_core"),
    "scikit-learn": Side("scikit_learn", "ScikitLearn", "sklearn"),
    "numpy": Side("numpy_batched", "NumpyBatched", "numpy"),
    "numpy-segments": Side("numpy_segments", "NumpySegments", "numpy"),
    "pytorch-eager": Side("pytorch_eager", "PytorchEager", "torch"),
    "pytorch": Side("pytorch_batched", "PytorchBatched", "torch"),
    "pytorch-compiled": Side("pytorch_batched", "PytorchCompiled", "torch"),
    "jax": Side("jax_batched", "JaxBatched", "jax"),
}


def installed() -> list[str]:
    """Return the sides whose packages are there."""
    return [name for name, side in SIDES.items() if importlib.util.find_spec(side.needs) is not None]
