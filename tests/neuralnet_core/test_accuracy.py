"""The engine's own exp, tanh, log ... against mpmath, in units in the last place, through a network of one weight."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from exactness import DTYPES, errors, stated_bounds

from neuralnet_core import Dense, Network
from neuralnet_core.evaluation import evaluate, forward

mpmath.mp.dps = 40
ONE = {"0.weight": [[1.0]]}

EXACT = {
    "tanh": mpmath.tanh,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "elu": lambda x: x if x > 0 else mpmath.expm1(x),
}
# Of which function each has the bound that docs/design.md states; test_functions.py has all their arguments.
BOUND = {"tanh": "tanh", "sigmoid": "sigmoid", "softplus": "softplus", "elu": "expm1"}


def arguments(dtype: str) -> np.ndarray:
    spread = np.concatenate(
        [np.linspace(-12, 12, 1201), np.geomspace(1e-6, 80, 300), -np.geomspace(1e-6, 80, 300)]
    )
    return spread.astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", EXACT)
def test_activations_are_exact_to_the_last_places(name: str, dtype: str) -> None:
    x = arguments(dtype)
    network = Network([Dense(1, name, bias=False)])
    values = forward(network, ONE, x[:, None])[:, 0]
    found = errors(values, [EXACT[name](mpmath.mpf(float(argument))) for argument in x])
    worst, bound = int(np.argmax(found)), stated_bounds()[BOUND[name]][dtype]
    assert found[worst] <= bound, f"{name}({x[worst]}) is off by {found[worst]:.2f} units in the last place"


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_log_of_the_softmax_loss_is_exact_to_the_last_places(dtype: str) -> None:
    """Logits 0 and -x: the loss is log(1 + exp(-x))."""
    network = Network([Dense(2, bias=False)], loss="softmax_cross_entropy")
    parameters = {"0.weight": [[0.0, -1.0]]}
    for x in np.linspace(0.01, 20, 200).astype(dtype):
        loss = evaluate(network, parameters, np.array([[x]]), np.zeros((1, 1), dtype))["loss"]
        exact = mpmath.log1p(mpmath.exp(-mpmath.mpf(float(x))))
        # The sum 1 + exp(-x) is rounded before its logarithm is taken: an absolute error of half a unit of 1.
        assert abs(mpmath.mpf(loss) - exact) < 2 * np.finfo(dtype).eps * max(1, float(exact))
