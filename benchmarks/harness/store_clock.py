"""The store's own time: what is spent in its methods, and by the thread that writes, whoever called."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from inspect import isfunction
from typing import Any
from unittest.mock import patch

from sweep.store.store import Store
from sweep.store.writer import GroupWriter

__all__ = ["StoreSeconds", "store_seconds"]


@dataclass
class StoreSeconds:
    """Seconds of processor time, in any thread, and those on the wall that callers waited."""

    cpu: float = 0.0
    wall: float = 0.0


@contextmanager
def store_seconds() -> Iterator[StoreSeconds]:
    """Give what the store takes meanwhile."""
    seconds, inside = StoreSeconds(), threading.local()

    def timed(method: Callable[..., Any], waits: bool) -> Callable[..., Any]:
        @functools.wraps(method)
        def call(*arguments: Any, **options: Any) -> Any:
            if getattr(inside, "store", False):  # a method that another one calls is in its time
                return method(*arguments, **options)
            inside.store, cpu, wall = True, time.thread_time(), time.perf_counter()
            try:
                return method(*arguments, **options)
            finally:
                inside.store = False
                seconds.cpu += time.thread_time() - cpu
                seconds.wall += waits * (time.perf_counter() - wall)

        return call

    with ExitStack() as stack:
        for name, member in list(vars(Store).items()):
            if isinstance(member, classmethod):
                stack.enter_context(patch.object(Store, name, classmethod(timed(member.__func__, True))))
            elif isfunction(member) and (name in {"__enter__", "__exit__"} or not name.startswith("_")):
                stack.enter_context(patch.object(Store, name, timed(member, True)))
        stack.enter_context(patch.object(GroupWriter, "_run", timed(GroupWriter._run, False)))
        yield seconds
