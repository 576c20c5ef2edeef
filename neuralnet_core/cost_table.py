"""What a piece of each kind of work takes: written by `tools/engine_costs.py`, read by `costs.py`."""

from __future__ import annotations

SECONDS_PER_PACK = 6.4e-05
SECONDS_PER_NETWORK = 1.1e-05

# A register of each activation, beside one of tanh.
CURVATURE: dict[str, float] = {
    "identity": 0.0,
    "relu": 0.14,
    "leaky_relu": 0.27,
    "elu": 0.79,
    "selu": 0.94,
    "gelu": 1.73,
    "silu": 1.18,
    "tanh": 1.0,
    "sigmoid": 1.09,
    "softplus": 2.57,
    "softsign": 0.49,
}

# fmt: off
NANOSECONDS: dict[tuple[str, str, str], dict[str, float]] = {
    ("networks", "baseline", "float32"): {
        "products": 155, "multiply_adds": 11.9, "sums": 0.684, "curves": 120, "loss": 136, "samples": 82.5,
        "scattered": 0.197, "drawn": 17.7, "dropped": 2.04, "unfused": 8.04, "descent": 33.6, "momentum": 47.2,
        "rmsprop": 27.3, "adam": 48.3,
    },
    ("networks", "baseline", "float64"): {
        "minibatches": 197, "products": 144, "multiply_adds": 5.85, "sums": 3.67, "curves": 81.9, "loss": 112,
        "samples": 32.1, "lane_samples": 9.49, "dropped": 6.13, "descent": 1.91, "momentum": 10.7,
        "rmsprop": 17.3, "adam": 41.7, "far": 0.0313, "farther": 0.00468,
    },
    ("networks", "v3", "float32"): {
        "minibatches": 97.1, "products": 32.2, "multiply_adds": 0.15, "sums": 0.717, "curves": 2.98, "loss": 7.18,
        "samples": 11.8, "lane_samples": 6, "copied": 0.0771, "scattered": 0.288, "drawn": 7.26, "dropped": 1.76,
        "unfused": 0.949, "joined": 0.259, "descent": 1.29, "momentum": 2, "rmsprop": 2.54, "adam": 3.14,
        "far": 0.000556, "farther": 0.0375,
    },
    ("networks", "v3", "float64"): {
        "minibatches": 48.5, "products": 50.7, "multiply_adds": 0.149, "sums": 0.728, "curves": 4.24,
        "loss": 9.16, "samples": 4.09, "lane_samples": 1.6, "copied": 0.2, "scattered": 0.36, "drawn": 11.5,
        "dropped": 2.22, "unfused": 0.917, "descent": 0.711, "momentum": 1.26, "rmsprop": 3.5, "adam": 3.37,
        "far": 0.00705, "farther": 0.0205,
    },
    ("networks", "v4", "float32"): {
        "minibatches": 135, "products": 0.447, "multiply_adds": 0.198, "sums": 1.4, "curves": 5.51, "loss": 7.79,
        "samples": 8.28, "lane_samples": 2.03, "copied": 0.00271, "scattered": 0.42, "drawn": 13.3,
        "dropped": 0.5, "unfused": 1.7, "joined": 0.688, "momentum": 1.77, "rmsprop": 4.59, "adam": 5.39,
        "far": 0.00335, "farther": 0.0216,
    },
    ("networks", "v4", "float64"): {
        "minibatches": 105, "multiply_adds": 0.221, "sums": 1.1, "curves": 6.77, "loss": 10.7, "samples": 16.3,
        "lane_samples": 9.04, "copied": 0.107, "scattered": 0.533, "drawn": 5.31, "dropped": 2.04,
        "unfused": 1.93, "descent": 0.378, "momentum": 0.897, "rmsprop": 9.23, "adam": 8.92, "far": 0.00498,
        "farther": 0.0275,
    },
    ("slices", "baseline", "float32"): {
        "minibatches": 1.23e+03, "products": 452, "multiply_adds": 12, "sums": 5.3, "curves": 96.2, "loss": 140,
        "samples": 48.3, "scattered": 0.921, "dropped": 5.16, "descent": 63.1, "momentum": 8.53, "adam": 65.4,
        "farther": 0.124,
    },
    ("slices", "baseline", "float64"): {
        "minibatches": 8.93e+03, "products": 121, "multiply_adds": 6.01, "sums": 0.451, "curves": 87.7,
        "loss": 114, "lane_samples": 83.7, "copied": 2.13, "dropped": 8.45, "descent": 3.91, "momentum": 4.47,
        "adam": 12.9, "farther": 0.172,
    },
    ("slices", "v3", "float32"): {
        "minibatches": 195, "products": 55.8, "multiply_adds": 0.172, "sums": 0.646, "curves": 3.12, "loss": 7.83,
        "samples": 1.18, "lane_samples": 1.1, "copied": 0.299, "scattered": 0.837, "dropped": 3.51,
        "unfused": 4.33, "momentum": 0.583, "rmsprop": 1.33, "adam": 1.72, "farther": 0.0401,
    },
    ("slices", "v3", "float64"): {
        "minibatches": 436, "products": 50.8, "multiply_adds": 0.17, "sums": 0.596, "curves": 4.49, "loss": 9.43,
        "lane_samples": 4.68, "copied": 0.464, "scattered": 0.174, "dropped": 3.91, "unfused": 6.01,
        "momentum": 0.967, "rmsprop": 0.838, "adam": 2.19, "farther": 0.0344,
    },
    ("slices", "v4", "float32"): {
        "minibatches": 300, "products": 4.82, "multiply_adds": 0.326, "sums": 0.864, "curves": 4.61, "loss": 8.7,
        "copied": 1.13, "scattered": 0.998, "dropped": 0.573, "unfused": 1.93, "momentum": 5.24, "rmsprop": 9.34,
        "adam": 4.19, "farther": 0.0306,
    },
    ("slices", "v4", "float64"): {
        "products": 98.5, "multiply_adds": 0.343, "sums": 0.36, "curves": 7.46, "loss": 12.3, "samples": 3.91,
        "lane_samples": 2.31, "copied": 0.717, "scattered": 0.771, "dropped": 4.25, "unfused": 5.54,
        "momentum": 1.21, "rmsprop": 9.42, "adam": 8.28, "far": 0.00125, "farther": 0.0324,
    },
    ("units", "baseline", "float32"): {
        "minibatches": 268, "multiply_adds": 11.8, "sums": 6.26, "curves": 99.4, "loss": 147, "samples": 5.95,
        "copied": 0.808, "turned": 1.12, "dropped": 4.32, "descent": 11.6, "momentum": 22.6, "rmsprop": 17.2,
        "adam": 39.9, "far": 0.00702, "farther": 4.17,
    },
    ("units", "baseline", "float64"): {
        "minibatches": 293, "multiply_adds": 5.94, "sums": 0.412, "curves": 102, "loss": 124, "samples": 10.5,
        "copied": 0.0942, "drawn": 5.17, "turned": 1.39, "dropped": 7.49, "unfused": 10.5, "descent": 9.07,
        "momentum": 10.2, "rmsprop": 23.3, "adam": 38.8,
    },
    ("units", "v3", "float32"): {
        "minibatches": 35.3, "products": 38.5, "multiply_adds": 0.133, "sums": 1.3, "curves": 2.96, "loss": 11.1,
        "samples": 12.3, "copied": 0.138, "drawn": 8.38, "turned": 0.379, "dropped": 1.1, "unfused": 2.4,
        "descent": 1.03, "momentum": 1.25, "rmsprop": 2.1, "adam": 2.92, "far": 0.00424, "farther": 0.0294,
    },
    ("units", "v3", "float64"): {
        "minibatches": 98.5, "products": 28.8, "multiply_adds": 0.142, "sums": 0.967, "curves": 4.14,
        "loss": 13.5, "samples": 12.3, "copied": 0.237, "drawn": 7.17, "turned": 0.542, "dropped": 1.28,
        "unfused": 1.68, "descent": 0.704, "momentum": 1.69, "rmsprop": 4.18, "adam": 3.62, "far": 0.0032,
        "farther": 0.0773,
    },
    ("units", "v4", "float32"): {
        "minibatches": 109, "products": 16.6, "multiply_adds": 0.174, "sums": 2.13, "curves": 5.32, "loss": 17.1,
        "samples": 11.4, "copied": 0.172, "drawn": 7.98, "turned": 0.381, "dropped": 0.763, "unfused": 3.68,
        "joined": 0.0251, "descent": 1.64, "momentum": 1.93, "rmsprop": 4.95, "adam": 4.69, "far": 0.00476,
        "farther": 0.0411,
    },
    ("units", "v4", "float64"): {
        "minibatches": 102, "products": 15.9, "multiply_adds": 0.176, "sums": 1.45, "curves": 6.85, "loss": 16.9,
        "samples": 12.3, "copied": 0.272, "drawn": 8.45, "turned": 0.51, "dropped": 1.17, "unfused": 2.86,
        "joined": 0.23, "descent": 0.789, "momentum": 1.97, "rmsprop": 9.17, "adam": 9.73, "far": 0.00356,
        "farther": 0.00554,
    },
}
# fmt: on
