"""What a piece of each kind of work takes: written by `tools/engine_costs.py`, read by `costs.py`."""

from __future__ import annotations

SECONDS_PER_PACK = 0.00011
SECONDS_PER_NETWORK = 1.9e-05

# A register of each activation, beside one of tanh.
CURVATURE: dict[str, float] = {
    "identity": 0.0,
    "relu": 0.14,
    "leaky_relu": 0.28,
    "elu": 0.82,
    "selu": 0.91,
    "gelu": 1.71,
    "silu": 1.2,
    "tanh": 1.0,
    "sigmoid": 1.11,
    "softplus": 3.27,
    "softsign": 0.49,
}

# fmt: off
NANOSECONDS: dict[tuple[str, str, str], dict[str, float]] = {
    ("networks", "v3", "float32"): {
        "minibatches": 135, "products": 44.2, "multiply_adds": 0.145, "sums": 0.802, "curves": 2.94, "loss":
        8.65, "gathered": 0.0286, "dropped": 1.85, "unfused": 1.06, "descent": 1.06, "momentum": 1.88,
        "rmsprop": 2.59, "adam": 2.71, "farther": 0.0459,
    },
    ("networks", "v3", "float64"): {
        "minibatches": 23.8, "products": 73.4, "multiply_adds": 0.132, "sums": 0.819, "curves": 3.93,
        "loss": 10, "gathered": 0.494, "dropped": 2.25, "unfused": 1.18, "descent": 0.205, "momentum": 1.01,
        "rmsprop": 3.34, "adam": 2.27, "far": 0.012, "farther": 0.0226,
    },
    ("networks", "v4", "float32"): {
        "minibatches": 103, "products": 1.02, "multiply_adds": 0.16, "sums": 1.98, "curves": 5.1, "loss":
        7.73, "gathered": 0.767, "dropped": 0.477, "unfused": 1.41, "momentum": 1.22, "rmsprop": 4.34,
        "adam": 6.2, "farther": 0.0625,
    },
    ("networks", "v4", "float64"): {
        "minibatches": 286, "multiply_adds": 0.189, "sums": 1.15, "curves": 7.89, "loss": 12, "gathered":
        0.512, "dropped": 2.36, "unfused": 1.77, "momentum": 0.977, "rmsprop": 7.95, "adam": 8.01, "far":
        0.00788, "farther": 0.0249,
    },
    ("slices", "v3", "float32"): {
        "minibatches": 1.27e+03, "products": 65, "multiply_adds": 0.137, "sums": 0.922, "curves": 3.12,
        "loss": 7.06, "gathered": 0.317, "dropped": 3.46, "unfused": 1.77, "descent": 0.0571, "momentum":
        0.37, "rmsprop": 1.18, "far": 0.0126, "farther": 0.0885,
    },
    ("slices", "v3", "float64"): {
        "minibatches": 810, "products": 70.2, "multiply_adds": 0.134, "sums": 0.826, "curves": 4.36, "loss":
        9.63, "gathered": 0.398, "dropped": 3.7, "descent": 0.963, "momentum": 1.05, "rmsprop": 2.17, "far":
        0.0145, "farther": 0.0833,
    },
    ("slices", "v4", "float64"): {
        "minibatches": 969, "products": 65.4, "multiply_adds": 0.208, "sums": 1.04, "curves": 7.42, "loss":
        11.9, "gathered": 0.501, "dropped": 4.16, "unfused": 1.09, "descent": 0.877, "rmsprop": 9.29,
        "adam": 5.41, "far": 0.026, "farther": 0.0831,
    },
    ("units", "v3", "float32"): {
        "minibatches": 189, "products": 34.5, "multiply_adds": 0.127, "sums": 1.86, "curves": 2.91, "loss":
        16.2, "gathered": 0.29, "turned": 0.469, "dropped": 1.45, "unfused": 3.48, "descent": 0.0966,
        "rmsprop": 0.202, "adam": 2.13, "farther": 0.105,
    },
    ("units", "v3", "float64"): {
        "minibatches": 286, "products": 26.3, "multiply_adds": 0.133, "sums": 1.14, "curves": 4.24, "loss":
        18, "gathered": 0.532, "turned": 0.644, "dropped": 1.23, "unfused": 2.52, "momentum": 0.692,
        "rmsprop": 2.58, "adam": 2.19, "far": 0.00742, "farther": 0.0998,
    },
    ("units", "v4", "float32"): {
        "minibatches": 238, "multiply_adds": 0.128, "sums": 3.5, "curves": 5.42, "loss": 36.1, "gathered":
        0.316, "turned": 0.421, "dropped": 0.594, "unfused": 1.19, "descent": 0.781, "rmsprop": 4, "adam":
        3.96, "far": 0.00536, "farther": 0.542,
    },
    ("units", "v4", "float64"): {
        "minibatches": 115, "products": 38.6, "multiply_adds": 0.145, "sums": 2.15, "curves": 6.4, "loss":
        25.1, "gathered": 0.442, "turned": 0.327, "dropped": 0.909, "unfused": 1.85, "joined": 1.6,
        "momentum": 1.27, "rmsprop": 7.61, "adam": 7.15, "far": 0.00947, "farther": 1.13,
    },
}
# fmt: on
