"""The sides of the comparison, a module each. A side that is not installed is left out, and said to be."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass

from .training import Training

__all__ = ["SIDES", "Side", "installed"]


@dataclass(frozen=True)
class Side:
    """What the tables call it, where its class is, and which package it needs."""

    name: str
    module: str
    training: str
    needs: str

    def load(self) -> type[Training]:
        """Return the class; only now is the package imported."""
        kind: type[Training] = getattr(importlib.import_module(f"peers.{self.module}"), self.training)
        return kind


SIDES = {
    "ours": Side("neuralnet-sweep", "ours", "TrainMany", "neuralnet_core"),
    "scikit-learn": Side("scikit-learn MLP, one after another", "scikit_learn", "ScikitLearn", "sklearn"),
    "numpy": Side("NumPy, stacked matmul", "numpy_batched", "NumpyBatched", "numpy"),
    "numpy-segments": Side("NumPy, segment sums", "numpy_segments", "NumpySegments", "numpy"),
    "pytorch-eager": Side("PyTorch eager, one after another", "pytorch_eager", "PytorchEager", "torch"),
    "pytorch": Side("PyTorch, hand-written bmm", "pytorch_batched", "PytorchBatched", "torch"),
    "pytorch-compiled": Side(
        "PyTorch, hand-written bmm, compiled", "pytorch_batched", "PytorchCompiled", "torch"
    ),
    "jax": Side("JAX, jit(scan(vmap))", "jax_batched", "JaxBatched", "jax"),
}


def installed() -> list[str]:
    """Return the sides whose packages are there."""
    return [name for name, side in SIDES.items() if importlib.util.find_spec(side.needs) is not None]
