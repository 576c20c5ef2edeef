"""What a trained network is asked: its outputs, its loss and score, its gradients - by the engine that trained it.

So `model.score` on the validation data is the number of the history, bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .cancel import CancelToken
from .engine.dispatch import kernel
from .lanes import Lane, Setting
from .losses import get_loss
from .network import Network
from .optimizers import GradientDescent
from .plans import PackData, PackPlan, make_plan

__all__ = ["evaluate", "forward", "gradients"]


def _plan_for(
    network: Network,
    parameters: Mapping[str, ArrayLike],
    data: PackData,
    rows: Sequence[NDArray[np.int64]],
    *,
    validates: bool = False,
    trains: bool = False,
) -> PackPlan:
    optimizer = GradientDescent(epochs=1, batch_size=None, shuffle=False)
    shape = data.features.shape[1:]
    settings = [Setting(network, optimizer, shape, own, own if validates else None) for own in rows]
    lanes = [Lane(setting, 0, parameters) for setting in settings]
    return make_plan(lanes, data, CancelToken().flag, trains=trains)


def evaluate(
    network: Network, parameters: Mapping[str, ArrayLike], X: NDArray[Any], targets: NDArray[Any]
) -> dict[str, float]:
    """Return the loss and the accuracy or R2 on data: the numbers that training reports in its history.

    `X` (n, ...) and `targets` (n, width) are as `check_features` and `encode_targets` give them.
    """
    plan = _plan_for(network, parameters, PackData(X, targets), [np.arange(len(X))], validates=True)
    loss, score = plan.engine.Pack(plan).evaluate()[:, 0]
    return {"loss": float(loss), get_loss(network.loss).metric: float(score)}


def forward(network: Network, parameters: Mapping[str, ArrayLike], X: NDArray[Any]) -> NDArray[Any]:
    """Return the raw outputs (n, outputs): every lane is the same network and takes a share of the rows."""
    lanes, n = kernel(X.dtype.name).lanes, len(X)
    share = -(-n // lanes)
    rows = np.minimum(np.arange(share * lanes), n - 1).reshape(lanes, share)
    plan = _plan_for(network, parameters, PackData(X, np.zeros((1, 1), X.dtype)), list(rows))
    outputs = plan.engine.Pack(plan).outputs()  # (share, outputs, lanes)
    return np.ascontiguousarray(outputs.transpose(2, 0, 1).reshape(share * lanes, -1)[:n])


def gradients(
    network: Network,
    parameters: Mapping[str, ArrayLike],
    X: NDArray[Any],
    targets: NDArray[Any],
    sample_weight: NDArray[np.float64] | None = None,
) -> dict[str, NDArray[Any]]:
    """Return the gradient of the loss (penalties apart) by every parameter, all rows taken as one minibatch."""
    plan = _plan_for(
        network, parameters, PackData(X, targets, sample_weight), [np.arange(len(X))], trains=True
    )
    _, columns = plan.engine.Pack(plan).gradients()
    return network.build(X.shape[1:]).unflatten(columns[0])
