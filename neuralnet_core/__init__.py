"""Small neural networks, trained many at once: layers, losses, optimizers, a NumPy reference and a compiled engine."""

from . import engine as engine  # first: it says what to do where nothing is compiled
from .activations import ACTIVATIONS
from .batch import broadcast
from .brief import shown
from .cancel import CancelToken, TrainingCancelled
from .checks import check_choice, check_dtype, check_flag, check_integer, check_number, check_seed
from .costs import training_cost
from .data import check_features, check_rows, check_same_length, check_targets, check_weights
from .engine.dispatch import NUMERICS_VERSION, EngineInfo, engine_info
from .files import is_database, replace_file
from .gradcheck import check_gradients
from .initializers import INITIALIZERS
from .layers import Dense, Dropout, Layer
from .losses import LOSSES, METRICS
from .model import Model
from .network import Network
from .optimizers import Adam, AdamW, EarlyStopping, GradientDescent, Momentum, Optimizer, RMSprop
from .packing import Pack, plan_packs
from .random import derive_seed
from .schedules import CosineDecay, ExponentialDecay, Schedule, StepDecay, WarmUp
from .serialize import canonical_json, from_dict, parse_json, to_dict
from .targets import encode_targets
from .training import train_many
from .ways import Way

__all__ = [
    "ACTIVATIONS",
    "INITIALIZERS",
    "LOSSES",
    "METRICS",
    "NUMERICS_VERSION",
    "Adam",
    "AdamW",
    "CancelToken",
    "CosineDecay",
    "Dense",
    "Dropout",
    "EarlyStopping",
    "EngineInfo",
    "ExponentialDecay",
    "GradientDescent",
    "Layer",
    "Model",
    "Momentum",
    "Network",
    "Optimizer",
    "Pack",
    "RMSprop",
    "Schedule",
    "StepDecay",
    "TrainingCancelled",
    "WarmUp",
    "Way",
    "broadcast",
    "canonical_json",
    "check_choice",
    "check_dtype",
    "check_features",
    "check_flag",
    "check_gradients",
    "check_integer",
    "check_number",
    "check_rows",
    "check_same_length",
    "check_seed",
    "check_targets",
    "check_weights",
    "derive_seed",
    "encode_targets",
    "engine_info",
    "from_dict",
    "is_database",
    "parse_json",
    "plan_packs",
    "replace_file",
    "shown",
    "to_dict",
    "train_many",
    "training_cost",
]
