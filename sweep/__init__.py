"""Hyperparameter sweeps over many small neural networks: which configuration is better, and how sure is that?"""

from __future__ import annotations

import neuralnet_core  # noqa: F401  first: it says what to do where nothing is compiled

from .distributions import choice, loguniform, randint, uniform
from .parallel import parallel_train
from .results import Results
from .store import StoreError
from .sweep import Sweep

__all__ = [
    "Results",
    "StoreError",
    "Sweep",
    "choice",
    "loguniform",
    "parallel_train",
    "randint",
    "uniform",
]
