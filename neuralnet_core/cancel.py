"""Ending a training from another thread."""

from __future__ import annotations

import numpy as np

__all__ = ["CancelToken", "TrainingCancelled"]


class TrainingCancelled(Exception):
    """Training ended because its cancel token was used; nothing of the call is kept."""


class CancelToken:
    """A flag that ends training from another thread, within milliseconds.

    Examples
    --------
    >>> token = CancelToken()
    >>> token.cancel()
    >>> token.cancelled
    True
    """

    def __init__(self) -> None:
        self.flag = np.zeros(1, np.int32)

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return bool(self.flag[0])

    def cancel(self) -> None:
        """End every training that was given this token."""
        self.flag[0] = 1
