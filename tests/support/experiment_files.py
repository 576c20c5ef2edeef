"""Experiment files that several test modules load."""

from __future__ import annotations

GOOD = """
repeats = 3
validation = 0.2
data = {name = "moons", n_samples = 200, noise = 0.2}

[network]
layers = [
    {type = "Dense", units = "$hidden", activation = "$activation"},
    {type = "Dropout", rate = 0.1},
    {type = "Dense", units = 1},
]
loss = "binary_cross_entropy"

[optimizer]
type = "Adam"
learning_rate = "$learning_rate"
epochs = 4

[space]
hidden = [4, 8]
activation = ["relu", "tanh"]
learning_rate = [0.001, 0.01]
"""
