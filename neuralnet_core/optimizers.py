"""Optimizers: frozen values that say how to train. The arithmetic is in reference.py and in the engine."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING

from .brief import brief, shown
from .checks import check_choice, check_count, check_flag, check_number
from .losses import METRICS
from .schedules import Schedule, check_rate

if TYPE_CHECKING:
    from .encoding import OptimizerCodes

__all__ = ["Adam", "AdamW", "EarlyStopping", "GradientDescent", "Momentum", "Optimizer", "RMSprop"]


@dataclass(frozen=True, repr=False)
class EarlyStopping:
    """Stop when the monitored metric has not improved by more than `min_delta` for `patience` epochs.

    Parameters
    ----------
    monitor : {"train_loss", "validation_loss", "validation_r2", "validation_accuracy"}
        Losses improve downwards, accuracy and R2 upwards.
    patience : int
        Epochs without an improvement after which training stops.
    min_delta : float
        The least change that counts as an improvement.
    restore_best : bool
        Keep the parameters of the best epoch rather than those of the last.

    Examples
    --------
    >>> EarlyStopping(patience=3)
    EarlyStopping('validation_loss', patience=3)
    """

    monitor: str = "validation_loss"
    patience: int = 5
    min_delta: float = 0.0
    restore_best: bool = True

    def __post_init__(self) -> None:
        check_choice("monitor", self.monitor, METRICS)
        object.__setattr__(self, "patience", check_count("patience", self.patience))
        object.__setattr__(self, "min_delta", check_number("min_delta", self.min_delta, at_least=0))
        check_flag("restore_best", self.restore_best)

    def __repr__(self) -> str:
        return brief(self)


@dataclass(frozen=True, repr=False)
class Optimizer:
    """What every optimizer has in common; use one of its subclasses.

    Parameters
    ----------
    learning_rate : float or Schedule
        Above 0.
    epochs : int
        Passes over the training rows.
    batch_size : int or None
        Samples in a minibatch; None trains on all of them at once (full batch). The short last
        minibatch of an epoch is trained on, averaged over its own size.
    l1, l2 : float
        Penalties on weights, never on biases: ``l1 * sign(W)`` and ``l2 * W`` join the gradient.
    clip_norm : float or None
        Largest Euclidean norm of the whole data gradient; a longer one is scaled down to it.
    shuffle : bool
        Draw a new order of the rows every epoch. Full batches are never shuffled.
    early_stopping : EarlyStopping or None
        When to stop before the last epoch; None for never.

    Examples
    --------
    >>> isinstance(Adam(1e-3, epochs=5), Optimizer)
    True
    """

    learning_rate: float | Schedule = 0.01
    _: KW_ONLY
    epochs: int = 10
    batch_size: int | None = 32
    l1: float = 0.0
    l2: float = 0.0
    clip_norm: float | None = None
    shuffle: bool = True
    early_stopping: EarlyStopping | None = None

    def __post_init__(self) -> None:
        if type(self) is Optimizer:
            raise TypeError("Optimizer is abstract; use GradientDescent, Momentum, RMSprop, Adam or AdamW")
        object.__setattr__(self, "learning_rate", check_rate("learning_rate", self.learning_rate))
        object.__setattr__(self, "epochs", check_count("epochs", self.epochs))
        if self.batch_size is not None:
            object.__setattr__(self, "batch_size", check_count("batch_size", self.batch_size))
        for name in ("l1", "l2"):
            object.__setattr__(self, name, check_number(name, getattr(self, name), at_least=0))
        if self.clip_norm is not None:
            object.__setattr__(self, "clip_norm", check_number("clip_norm", self.clip_norm, above=0))
        check_flag("shuffle", self.shuffle)
        if self.early_stopping is not None and not isinstance(self.early_stopping, EarlyStopping):
            raise TypeError(
                f"early_stopping must be an EarlyStopping or None, got {shown(self.early_stopping)}"
            )

    def __repr__(self) -> str:
        return brief(self)

    def __getstate__(self) -> dict[str, object]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @cached_property
    def _codes(self) -> OptimizerCodes:
        """The optimizer as the engine reads it."""
        from .encoding import optimizer_codes

        return optimizer_codes(self)

    def _check_epsilon(self, epsilon: float) -> None:
        # One that rounds to 0 in float32 would make 0 / 0 of every gradient that is 0.
        check_number("epsilon", epsilon, above=0)
        object.__setattr__(self, "epsilon", check_number("epsilon", epsilon, at_least=2.0**-126))

    def _check_fractions(self, *names: str) -> None:
        for name in names:
            object.__setattr__(self, name, check_number(name, getattr(self, name), at_least=0, below=1))


@dataclass(frozen=True, repr=False)
class GradientDescent(Optimizer):
    """Plain (stochastic) gradient descent: ``W -= rate * g``.

    Parameters
    ----------
    learning_rate, epochs, batch_size, l1, l2, clip_norm, shuffle, early_stopping
        See `Optimizer`.

    Examples
    --------
    >>> GradientDescent(0.1, epochs=1000, batch_size=None).learning_rate
    0.1
    """


@dataclass(frozen=True, repr=False)
class Momentum(Optimizer):
    """Gradient descent with momentum: ``v = momentum * v + (1 - dampening) * g; W -= rate * v``.

    With ``nesterov=True`` the step is ``g + momentum * v`` (Sutskever et al., 2013) and dampening must be 0.
    ``dampening=momentum`` gives the exponentially averaged form.

    Parameters
    ----------
    learning_rate, epochs, batch_size, l1, l2, clip_norm, shuffle, early_stopping
        See `Optimizer`.
    momentum : float
        The share of `v` that is kept, from 0 to below 1.
    dampening : float
        The share of the gradient that is left out, from 0 to below 1.
    nesterov : bool
        Whether to look ahead.

    Examples
    --------
    >>> Momentum(0.05, momentum=0.9, nesterov=True).nesterov
    True
    """

    _: KW_ONLY
    momentum: float = 0.9
    dampening: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_fractions("momentum", "dampening")
        check_flag("nesterov", self.nesterov)
        if self.nesterov and self.dampening != 0:
            raise ValueError(f"nesterov=True requires dampening=0, got dampening={self.dampening!r}")


@dataclass(frozen=True, repr=False)
class RMSprop(Optimizer):
    """RMSprop (Tieleman and Hinton, 2012): ``s = decay * s + (1 - decay) * g^2; W -= rate * g / (sqrt(s) + epsilon)``.

    Parameters
    ----------
    learning_rate, epochs, batch_size, l1, l2, clip_norm, shuffle, early_stopping
        See `Optimizer`.
    decay : float
        The share of the mean square `s` that is kept, from 0 to below 1.
    epsilon : float
        Keeps the division finite, above 0.

    Examples
    --------
    >>> RMSprop(1e-3).decay
    0.9
    """

    learning_rate: float | Schedule = 1e-3
    _: KW_ONLY
    decay: float = 0.9
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_fractions("decay")
        self._check_epsilon(self.epsilon)


@dataclass(frozen=True, repr=False)
class Adam(Optimizer):
    """Adam (Kingma and Ba, 2015): ``W -= (rate / c1) * m / (sqrt(v) / sqrt(c2) + epsilon)``.

    ``m = beta1 * m + (1 - beta1) * g``, ``v = beta2 * v + (1 - beta2) * g^2``, ``c1 = 1 - beta1^t`` and
    ``c2 = 1 - beta2^t`` with t counted from 1.

    Parameters
    ----------
    learning_rate, epochs, batch_size, l1, l2, clip_norm, shuffle, early_stopping
        See `Optimizer`.
    beta1, beta2 : float
        The shares of the means `m` and `v` that are kept, from 0 to below 1.
    epsilon : float
        Keeps the division finite, above 0.

    Examples
    --------
    >>> Adam(1e-3, epochs=20, l2=1e-4)
    Adam(0.001, epochs=20, l2=0.0001)
    """

    learning_rate: float | Schedule = 1e-3
    _: KW_ONLY
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_fractions("beta1", "beta2")
        self._check_epsilon(self.epsilon)


@dataclass(frozen=True, repr=False)
class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019): first ``W -= rate * weight_decay * W``.

    Parameters
    ----------
    learning_rate, epochs, batch_size, l1, l2, clip_norm, shuffle, early_stopping
        See `Optimizer`.
    beta1, beta2, epsilon
        See `Adam`.
    weight_decay : float
        How fast weights shrink, at least 0; biases do not.

    Examples
    --------
    >>> AdamW(1e-3, weight_decay=0.1).weight_decay
    0.1
    """

    _: KW_ONLY
    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "weight_decay", check_number("weight_decay", self.weight_decay, at_least=0))
