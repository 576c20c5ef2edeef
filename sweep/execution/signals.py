"""SIGINT (Ctrl-C), SIGTERM and SIGHUP end a run in order: the first stops what runs, the second does not wait."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any, Self

from neuralnet_core import CancelToken

__all__ = ["Interruption", "Signals"]

# How Python, or the system, treats them unless somebody said otherwise.
DEFAULTS: dict[signal.Signals, Any] = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
    signal.SIGHUP: signal.SIG_DFL,
}


class Interruption:
    """Which signal ended a run, and how a program goes on from there.

    Examples
    --------
    >>> interruption = Interruption(signal.SIGTERM)
    >>> interruption.name, interruption.exit_code
    ('SIGTERM', 143)
    """

    def __init__(self, number: int) -> None:
        self.name = signal.Signals(number).name
        self.exit_code = 128 + number

    @property
    def asks_to_exit(self) -> bool:
        """Whether the program is meant to end; Ctrl-C in a notebook ends what runs and not the notebook."""
        return self.name != "SIGINT"

    def error(self) -> BaseException:
        """Return what to raise for it."""
        return SystemExit(self.exit_code) if self.asks_to_exit else KeyboardInterrupt()


class Signals:
    """Turns signals into the end of a run, for a `with` block in the main thread.

    An exception out of a signal handler would end joblib's loop, or the recording of a result, at any point. So the
    first signal only calls `stop`, and the run ends by itself; it raises where `raising` says that it may. A handler
    that somebody else has set is left alone, and so is a signal that is ignored (`nohup`).

    Parameters
    ----------
    token : CancelToken
        Set by the first signal.
    stop : callable
        Called by every signal, to end what does not hear of the token.
    """

    def __init__(self, token: CancelToken, stop: Callable[[], None]) -> None:
        self._token, self._stop = token, stop
        self._raises = False
        self._installed: list[signal.Signals] = []
        self.caught: Interruption | None = None
        self.twice = False

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number, default in DEFAULTS.items():
                if signal.getsignal(number) is default:
                    signal.signal(number, self._handle)
                    self._installed.append(number)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number in self._installed:
            signal.signal(number, DEFAULTS[number])

    @contextlib.contextmanager
    def raising(self) -> Iterator[None]:
        """Let a signal raise in a block that keeps the main thread busy and hears of no token: a user's function."""
        self._raises = bool(self._installed) and threading.current_thread() is threading.main_thread()
        try:
            if self._raises and self.caught is not None:
                raise self.caught.error()
            yield
        finally:
            self._raises = False

    def note(self, number: int) -> None:
        """Take in that a signal came."""
        self.caught = self.caught or Interruption(number)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self.twice = self.caught is not None
        self.note(number)
        self._token.cancel()
        self._stop()
        if self.twice or self._raises:
            raise Interruption(number).error()
