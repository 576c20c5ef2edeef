"""What a piece of each kind of work takes: written by `tools/engine_costs.py`, read by `costs.py`.

The prices of curves are those of tanh since NUMERICS_VERSION 5; the tool's table has rows of the one before.
"""

from __future__ import annotations

SECONDS_PER_PACK = 6.7e-05
SECONDS_PER_NETWORK = 1e-05

# A register of each activation, beside one of tanh.
CURVATURE: dict[str, float] = {
    "identity": 0.0,
    "relu": 0.17,
    "leaky_relu": 0.36,
    "elu": 1.13,
    "selu": 1.3,
    "gelu": 2.1,
    "silu": 1.7,
    "tanh": 1.0,
    "sigmoid": 1.6,
    "softplus": 3.74,
    "softsign": 0.7,
}

# fmt: off
NANOSECONDS: dict[tuple[str, str, str], dict[str, float]] = {
    ("networks", "baseline", "float32"): {
        "products": 190, "multiply_adds": 11.8, "sums": 1.11, "curves": 92.4, "loss": 136, "samples": 79.4,
        "scattered": 0.204, "drawn": 17.3, "dropped": 1.08, "unfused": 7.51, "descent": 33.8, "momentum": 47.5,
        "rmsprop": 27, "adam": 47.6, "passed": 0.102,
    },
    ("networks", "baseline", "float64"): {
        "minibatches": 208, "products": 130, "multiply_adds": 5.81, "sums": 4.52, "curves": 82.1, "loss": 112,
        "samples": 31.8, "lane_samples": 9.62, "dropped": 5.56, "descent": 1.5, "momentum": 10.6, "rmsprop": 17.3,
        "adam": 41.9, "far": 0.0295, "farther": 0.00607, "stayed": 3.34,
    },
    ("networks", "v3", "float32"): {
        "minibatches": 99.8, "products": 31.6, "multiply_adds": 0.146, "sums": 0.768, "curves": 2.1, "loss": 7.2,
        "samples": 11.7, "lane_samples": 6.03, "copied": 0.0856, "scattered": 0.291, "drawn": 7.23,
        "dropped": 1.76, "unfused": 0.965, "joined": 0.381, "descent": 1.24, "momentum": 1.94, "rmsprop": 2.49,
        "adam": 3.08, "far": 0.00102, "farther": 0.0325, "stayed": 0.0724, "passed": 0.0032,
    },
    ("networks", "v3", "float64"): {
        "minibatches": 48.4, "products": 50.3, "multiply_adds": 0.145, "sums": 0.776, "curves": 3,
        "loss": 9.23, "samples": 4.01, "lane_samples": 1.52, "copied": 0.214, "scattered": 0.366, "drawn": 11.5,
        "dropped": 2.22, "unfused": 0.947, "descent": 0.68, "momentum": 1.24, "rmsprop": 3.49, "adam": 3.33,
        "far": 0.00726, "farther": 0.0173, "stayed": 0.00218, "passed": 0.00365,
    },
    ("networks", "v4", "float32"): {
        "minibatches": 135, "products": 0.395, "multiply_adds": 0.184, "sums": 1.51, "curves": 3.88, "loss": 7.95,
        "samples": 7.95, "lane_samples": 2.01, "copied": 0.0561, "scattered": 0.425, "drawn": 13.2,
        "dropped": 0.499, "unfused": 1.62, "joined": 0.829, "momentum": 1.51, "rmsprop": 4.49, "adam": 5.41,
        "far": 0.00385, "farther": 0.018, "stayed": 0.0166, "passed": 0.0127,
    },
    ("networks", "v4", "float64"): {
        "minibatches": 88.7, "multiply_adds": 0.191, "sums": 1.39, "curves": 4.59, "loss": 10.8, "samples": 15.6,
        "lane_samples": 8.7, "copied": 0.198, "scattered": 0.55, "drawn": 5.7, "dropped": 2.07, "unfused": 1.97,
        "descent": 0.248, "momentum": 0.938, "rmsprop": 9.32, "adam": 9.03, "far": 0.00519, "farther": 0.0176,
        "passed": 0.011,
    },
    ("slices", "baseline", "float32"): {
        "minibatches": 1.85e+03, "products": 365, "multiply_adds": 11.9, "sums": 7.54, "curves": 72.7,
        "loss": 139, "samples": 48.1, "scattered": 0.786, "dropped": 4.97, "descent": 42, "adam": 52.1,
        "far": 0.0209, "farther": 0.114, "stayed": 0.0644, "passed": 0.0363,
    },
    ("slices", "baseline", "float64"): {
        "minibatches": 9.82e+03, "products": 73.9, "multiply_adds": 5.96, "sums": 1.69, "curves": 86.6,
        "loss": 104, "lane_samples": 114, "copied": 1.33, "dropped": 8.14, "descent": 1.6, "adam": 19.6,
        "farther": 0.172, "stayed": 0.0806, "passed": 0.00627,
    },
    ("slices", "v3", "float32"): {
        "minibatches": 235, "products": 48.8, "multiply_adds": 0.153, "sums": 0.791, "curves": 2.32, "loss": 7.59,
        "samples": 1.63, "lane_samples": 3.03, "copied": 0.0371, "scattered": 0.419, "dropped": 3.53,
        "unfused": 4.7, "momentum": 0.367, "rmsprop": 1.48, "adam": 1.53, "farther": 0.0514, "stayed": 0.103,
        "passed": 0.000356,
    },
    ("slices", "v3", "float64"): {
        "minibatches": 244, "products": 44.4, "multiply_adds": 0.146, "sums": 0.827, "curves": 3.11, "loss": 9.2,
        "samples": 7.94, "lane_samples": 6.03, "scattered": 0.0849, "dropped": 3.9, "unfused": 4.35,
        "momentum": 0.473, "rmsprop": 2.53, "adam": 2.23, "far": 0.0045, "farther": 0.0363, "stayed": 0.0519,
        "passed": 0.00401,
    },
    ("slices", "v4", "float32"): {
        "minibatches": 316, "multiply_adds": 0.267, "sums": 1.22, "curves": 3.32, "loss": 8.87,
        "lane_samples": 3.49, "copied": 0.188, "scattered": 0.336, "dropped": 0.531, "unfused": 4.69,
        "momentum": 1.86, "rmsprop": 6.04, "adam": 3.57, "far": 0.000785, "farther": 0.0403, "stayed": 0.115,
        "passed": 0.00227,
    },
    ("slices", "v4", "float64"): {
        "minibatches": 304, "products": 42.9, "multiply_adds": 0.246, "sums": 1.02, "curves": 5.34, "loss": 11.3,
        "samples": 6.48, "lane_samples": 4.01, "scattered": 0.519, "dropped": 4.21, "unfused": 4.95,
        "momentum": 0.535, "rmsprop": 9.63, "adam": 6.75, "far": 0.0147, "farther": 0.0398, "stayed": 0.0875,
        "passed": 0.00251,
    },
    ("units", "baseline", "float32"): {
        "minibatches": 267, "products": 1.64, "multiply_adds": 11.7, "sums": 7.23, "curves": 76.1, "loss": 146,
        "samples": 5.03, "copied": 0.833, "turned": 1.15, "dropped": 4.3, "descent": 10.1, "momentum": 21.1,
        "rmsprop": 15.8, "adam": 38.2, "far": 0.0119, "farther": 4.68,
    },
    ("units", "baseline", "float64"): {
        "minibatches": 279, "multiply_adds": 5.94, "sums": 0.866, "curves": 101, "loss": 124, "samples": 15.4,
        "copied": 0.0811, "turned": 1.51, "dropped": 7.29, "unfused": 11, "descent": 7.74, "momentum": 9.81,
        "rmsprop": 22.8, "adam": 38.1, "passed": 0.016,
    },
    ("units", "v3", "float32"): {
        "minibatches": 36.5, "products": 37.9, "multiply_adds": 0.127, "sums": 1.42, "curves": 2.1, "loss": 11.1,
        "samples": 12, "copied": 0.152, "drawn": 8.49, "turned": 0.391, "dropped": 1.1, "unfused": 2.46,
        "descent": 0.855, "momentum": 1.14, "rmsprop": 2.02, "adam": 2.74, "far": 0.00631, "farther": 0.00586,
        "stayed": 0.0847, "passed": 0.0315,
    },
    ("units", "v3", "float64"): {
        "minibatches": 111, "products": 26.3, "multiply_adds": 0.139, "sums": 1.02, "curves": 2.92, "loss": 13.4,
        "samples": 12.2, "copied": 0.244, "drawn": 7.26, "turned": 0.558, "dropped": 1.29, "unfused": 1.71,
        "descent": 0.669, "momentum": 1.65, "rmsprop": 4.13, "adam": 3.58, "far": 0.00329, "farther": 0.0754,
        "stayed": 0.0591, "passed": 0.00643,
    },
    ("units", "v4", "float32"): {
        "minibatches": 113, "products": 15.8, "multiply_adds": 0.168, "sums": 2.32, "curves": 3.69, "loss": 17.1,
        "samples": 11.1, "copied": 0.183, "drawn": 7.96, "turned": 0.396, "dropped": 0.764, "unfused": 3.73,
        "descent": 1.34, "momentum": 1.66, "rmsprop": 4.72, "adam": 4.41, "far": 0.00525, "farther": 0.0326,
        "stayed": 0.0502, "passed": 0.0102,
    },
    ("units", "v4", "float64"): {
        "minibatches": 105, "products": 14.6, "multiply_adds": 0.168, "sums": 1.63, "curves": 4.82, "loss": 17,
        "samples": 11.8, "copied": 0.279, "drawn": 8.83, "turned": 0.505, "dropped": 1.19, "unfused": 3.01,
        "joined": 0.381, "descent": 0.68, "momentum": 1.82, "rmsprop": 9.06, "adam": 9.51, "far": 0.00419,
        "farther": 0.0035, "stayed": 0.0508, "passed": 0.0155,
    },
}
# fmt: on
