"""Experiment files: TOML -> a checked frame -> a sweep, its data and how to run it.

The frame (frame.py) is checked by pydantic; layers, losses and optimizers (recipe.py) by the core's own
constructors, after every `$parameter` got its value; the space and its references by space_table.py. The data are
read by loading.py.
"""

from __future__ import annotations

from .experiment import Experiment, load_experiment
from .loading import load_source

__all__ = ["Experiment", "load_experiment", "load_source"]
