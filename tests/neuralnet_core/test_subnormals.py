"""What would become subnormal counts as 0, in every module: processors may take a hundred times as long over it."""

from __future__ import annotations

import numpy as np
import pytest

from neuralnet_core import Adam, Dense, GradientDescent, Model, Network, Optimizer, RMSprop, train_many
from neuralnet_core.engine import _cpu
from neuralnet_core.packing import Pack
from neuralnet_core.ways import Mode, Way

# Logits on both sides of where a probability counts as 0: 2^-55 in float32, 2^-500 in float64.
LOGITS = {"float32": (-38.0, -38.3), "float64": (-346.0, -347.0)}


def step(
    network: Network,
    optimizer: Optimizer,
    X: list[list[float]],
    y: list[int],
    dtype: str,
    way: Way,
    **initial: float,
) -> Model:
    """Return what one step on all rows makes of a network of one layer, whose numbers are `weight` and `bias`."""
    outputs = network.layers[-1].units
    values = {
        "0.weight": np.full((1, outputs), initial["weight"]),
        "0.bias": np.full(outputs, initial["bias"]),
    }
    if outputs == 2:  # the logit of the first against that of the second
        values["0.weight"][:, 1] = 0.0
    return train_many(
        network, optimizer, X, y, seeds=0, initial=values, dtype=dtype, packs=[Pack((0,), way, 0.0)]
    )[0]


@pytest.mark.parametrize("mode", ["networks", "units"])
@pytest.mark.parametrize("instruction_set", _cpu.supported())
@pytest.mark.parametrize("dtype", LOGITS)
@pytest.mark.parametrize("loss", ["binary_cross_entropy", "softmax_cross_entropy"])
def test_the_tail_of_a_probability_moves_nothing(
    loss: str, dtype: str, instruction_set: str, mode: Mode
) -> None:
    network = Network([Dense(1 if loss == "binary_cross_entropy" else 2)], loss)
    # The label is right; the other row is right too, and as far as its width can tell exactly so.
    labels = [0, 1] if loss == "binary_cross_entropy" else [1, 0]
    optimizer = GradientDescent(1.0, epochs=1, batch_size=None)
    moved = [
        step(
            network,
            optimizer,
            [[logit], [-logit]],
            labels,
            dtype,
            Way(mode, instruction_set),
            weight=1.0,
            bias=0.0,
        ).parameters["0.bias"][0]
        for logit in LOGITS[dtype]
    ]
    assert moved[0] < 0 == moved[1]


@pytest.mark.parametrize("instruction_set", _cpu.supported())
@pytest.mark.parametrize("optimizer", [RMSprop, Adam])
def test_a_gradient_whose_square_would_be_subnormal_moves_nothing_where_squares_are_taken(
    optimizer: type[Optimizer], instruction_set: str
) -> None:
    network, way = Network([Dense(1)], "binary_cross_entropy"), Way("networks", instruction_set)
    # Of the bias the gradient is exp(-30), of the weights that times x.
    for x, moves in ((1e-2, True), (1e-4, False)):
        took = optimizer(0.5, epochs=1, batch_size=None, epsilon=1e-30)
        model = step(network, took, [[x], [x]], [0, 0], "float32", way, weight=1.0, bias=-30.0)
        assert model.parameters["0.bias"][0] < -30
        assert (model.parameters["0.weight"][0, 0] != 1.0) == moves
