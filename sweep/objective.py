"""What "better" means: which metric decides, in which direction, and who comes first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuralnet_core import LOSSES, METRICS, Network, check_choice, shown

# The first that was measured decides: accuracy, R2, the validation loss, the training loss.
OBJECTIVES = METRICS[::-1]
LOWER_IS_BETTER = ("loss", "error", "mse", "rmse", "mae", "deviance")  # how such metrics' names end
# Means of the same values in another order differ in the last digits: no difference to rank by.
RANKED_DIGITS = 12


def choose_objective(metrics: Sequence[str], wanted: str | None = None) -> str:
    """Return the metric that decides: the wanted one, or the first of `OBJECTIVES` that was measured.

    Examples
    --------
    >>> choose_objective(["train_loss", "validation_loss", "validation_accuracy"])
    'validation_accuracy'
    """
    if wanted is not None:
        return check_choice("metric", wanted, metrics) if metrics else wanted
    return next((name for name in (*OBJECTIVES, *metrics) if name in metrics), OBJECTIVES[-1])


def check_objective(wanted: str | None, networks: Sequence[Network] | None, validated: bool) -> str | None:
    """Return the metric that decides between networks, or say why the wanted one cannot.

    Without `networks` a function's results will tell, and it is None unless something is wanted.

    Examples
    --------
    >>> from neuralnet_core import Dense
    >>> check_objective(None, [Network([Dense(1)], loss="mse")], validated=True)
    'validation_r2'
    """
    if networks is None:
        if wanted is not None and not isinstance(wanted, str):
            raise TypeError(f"objective must be the name of a metric, got {shown(wanted)}")
        return wanted
    names = dict.fromkeys(f"validation_{LOSSES[network.loss].metric}" for network in networks)
    available = ["train_loss", *(["validation_loss", *names] if validated else [])]
    if wanted is None or (isinstance(wanted, str) and wanted in available):
        return choose_objective(available, wanted)
    wanted = check_choice("objective", wanted, OBJECTIVES)
    if not validated:
        raise ValueError(f"objective {wanted!r} needs validation=, such as validation=0.2")
    if not networks:
        return wanted
    raise ValueError(
        f"objective must be one of {', '.join(available)} with these losses; got {shown(wanted)}"
    )


def higher_is_better(metric: str) -> bool:
    """Return the direction of a metric, by its name.

    Examples
    --------
    >>> higher_is_better("validation_accuracy"), higher_is_better("train_loss")
    (True, False)
    """
    return not metric.endswith(LOWER_IS_BETTER)


def rank(means: ArrayLike, complete: ArrayLike, higher: bool) -> NDArray[np.int64]:
    """Return ranks from 1; equal means share one, and what is not complete comes after all that is.

    Parameters
    ----------
    means : (C,)
        The objective's mean per configuration; NaN where there is none.
    complete : (C,)
        Whether every trial of the configuration is done.
    higher
        Whether a higher mean is better.

    Examples
    --------
    >>> rank([0.9, 0.8, 0.9, 0.99], [True, True, True, False], higher=True)
    array([1, 3, 1, 4])
    """
    means = np.asarray(means, np.float64)
    score = np.array([float(f"{mean:.{RANKED_DIGITS}g}") for mean in (-means if higher else means)])
    score[np.isnan(score)] = np.inf
    incomplete = ~np.asarray(complete, bool)
    order = np.lexsort((score, incomplete))
    # A row starts a new rank unless it equals the one before it.
    equal = score[order][1:] == score[order][:-1]
    equal &= incomplete[order][1:] == incomplete[order][:-1]
    starts = np.r_[True, ~equal][: len(order)]
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.maximum.accumulate(np.where(starts, np.arange(1, len(order) + 1), 0))
    return ranks
