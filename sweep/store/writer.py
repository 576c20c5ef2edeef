"""The store's one writer: a thread that commits what is queued in groups."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

GROUP_ROWS = 1_000  # a commit costs one fsync (about 1-10 ms): shared by this many rows ...
GROUP_SECONDS = 0.5  # ... or by what came in this time, which is the most that a crash can cost
QUEUE_ROWS = 20_000  # whoever queues more than the disk takes waits


class Connection(Protocol):
    """What is needed of a database connection."""

    def execute(self, statement: str) -> Any:
        """Run one statement."""

    def close(self) -> None:
        """Give the file free."""


Action = Callable[[Any], None]


class GroupWriter:
    """Runs queued actions on its connection, in order, in group commits on a thread of its own.

    A group is committed whole or not at all. The first error ends writing: it is raised by every later call.

    Parameters
    ----------
    connection
        A connection in autocommit mode that nobody else uses.
    explain
        Turns what a statement raised into the error to be raised to the user.
    released
        Called once the connection is closed.
    """

    def __init__(
        self, connection: Connection, explain: Callable[[Exception], Exception], released: Callable[[], None]
    ) -> None:
        self._connection = connection
        self._explain = explain
        self._released = released
        self._pending: list[Action] = []
        self._queued = self._committed = 0
        self._urgent = self._stopping = False
        self._error: Exception | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def put(self, action: Action) -> None:
        """Queue an action; wait while the queue is full."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._pending) < QUEUE_ROWS or self._error or self._stopping)
            self.raise_error()
            if self._stopping:
                raise RuntimeError("the writer was stopped")
            self._pending.append(action)
            self._queued += 1
            if len(self._pending) in (1, GROUP_ROWS):
                self._changed.notify_all()

    def flush(self) -> None:
        """Wait until all that was queued before is committed."""
        with self._changed:
            goal = self._queued
            self._urgent = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._committed >= goal or self._error)
            self.raise_error()

    def stop(self) -> None:
        """Commit what is queued and close the connection; an error is kept for `raise_error`."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join()

    def raise_error(self) -> None:
        """Raise what ended writing, if anything did."""
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        while group := self._next_group():
            error = self._commit(group)
            with self._changed:
                self._error = error
                self._committed += len(group)
                self._urgent = self._urgent and bool(self._pending)
                self._changed.notify_all()
            if error is not None:
                break
        self._connection.close()
        self._released()

    def _next_group(self) -> list[Action]:
        """Wait for work and for more to share its commit; empty when all is done."""
        with self._changed:
            self._changed.wait_for(lambda: self._pending or self._stopping)
            if self._pending:
                self._changed.wait_for(self._hurry, GROUP_SECONDS)
            group = self._pending[:GROUP_ROWS]
            del self._pending[:GROUP_ROWS]
            self._changed.notify_all()
            return group

    def _hurry(self) -> bool:
        return self._urgent or self._stopping or len(self._pending) >= GROUP_ROWS

    def _commit(self, group: list[Action]) -> Exception | None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for action in group:
                action(self._connection)
            self._connection.execute("COMMIT")
        except Exception as error:
            # Closing the connection rolls the group back: nothing of it was acknowledged.
            return self._explain(error)
        return None
