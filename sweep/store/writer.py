"""The store's one writer: a thread that commits what is queued in groups."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

# A commit costs one fsync (about 1-10 ms): shared by so many bytes ...
GROUP_BYTES = 2 << 20
GROUP_SECONDS = 0.5  # ... or by what came in this time: the most that a crash can cost (see `hurry`)
QUEUE_BYTES = 16 << 20  # whoever queues more than the disk takes waits


class Connection(Protocol):
    """What is needed of a database connection."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""

    def execute(self, statement: str) -> Any:
        """Run one statement."""

    def close(self) -> None:
        """Give the file free."""


# An action that returns an error wrote all but what the error is about. Its group is committed, and the error ends
# writing.
Action = Callable[[Any], Exception | None]


class Faults(Protocol):
    """What to do about errors, and at the end."""

    def explain(self, error: Exception) -> Exception:
        """Return the error to raise to the user for one that a statement raised."""

    def is_full(self, error: Exception) -> bool:
        """Return whether an error says that the disk is full."""

    def make_room(self) -> bool:
        """Return whether there is more room now."""

    def closing(self) -> None:
        """Do what is to be done before the connection is closed."""

    def released(self) -> None:
        """Do what is to be done once the connection is closed."""


class Queued(NamedTuple):
    """An action and the bytes that it is about to write, roughly."""

    action: Action
    size: int


class GroupWriter:
    """Runs queued actions on its connection, in order, in group commits on a thread of its own.

    A group is committed whole or not at all. The first error ends writing: it is raised by every later call. If
    the disk is full, as much of what is queued by then as there is room for is committed first.

    Parameters
    ----------
    connection
        A connection in autocommit mode that nobody else uses.
    faults
        What to do about errors.
    stamp
        A statement that is part of every group.
    """

    def __init__(self, connection: Connection, faults: Faults, stamp: str) -> None:
        self._connection = connection
        self._faults = faults
        self._stamp = stamp
        self._pending: list[Queued] = []
        self._pending_bytes = self._queued = self._committed = 0
        self._urgent = self._stopping = False
        self._error: Exception | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def put(self, action: Action, size: int = 0) -> None:
        """Queue an action that writes some `size` bytes; wait while the queue is full."""
        with self._changed:
            self._changed.wait_for(lambda: self._pending_bytes < QUEUE_BYTES or self._error or self._stopping)
            self.raise_error()
            if self._stopping:
                raise RuntimeError("the writer was stopped")
            self._pending.append(Queued(action, size))
            self._pending_bytes += size
            self._queued += 1
            if len(self._pending) == 1 or self._is_a_group():
                self._changed.notify_all()

    def hurry(self) -> None:
        """Let what is queued be committed now; do not wait for it."""
        with self._changed:
            self._urgent = bool(self._pending)
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

    # --- The thread -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        while group := self._next_group():
            if not self._write(group):
                break
        self._faults.closing()
        self._connection.close()
        self._faults.released()

    def _write(self, group: list[Queued]) -> bool:
        """Commit a group and say so; return whether more can be written."""
        failure, refusal = self._commit(group)
        self._end(failure or refusal)
        if failure is None:
            with self._changed:
                self._committed += len(group)
                self._urgent = self._urgent and bool(self._pending)
                self._changed.notify_all()
            return True
        if not self._faults.is_full(failure):
            return False
        if self._faults.make_room():
            return self._write(group)
        middle = len(group) // 2  # a smaller group may have room
        return middle > 0 and self._write(group[:middle]) and self._write(group[middle:])

    def _end(self, error: Exception | None) -> None:
        """Let every later call raise the error; the first one stays."""
        with self._changed:
            if error is not None and self._error is None:
                self._error = self._faults.explain(error)
            self._changed.notify_all()

    def _next_group(self) -> list[Queued]:
        """Wait for work and for more to share its commit; empty when all is done."""
        with self._changed:
            self._changed.wait_for(lambda: self._pending or self._stopping or self._error)
            if self._pending:
                self._changed.wait_for(self._hurry, GROUP_SECONDS)
            count, size = 0, 0
            while count < len(self._pending) and size < GROUP_BYTES:
                size += self._pending[count].size
                count += 1
            group = self._pending[:count]
            del self._pending[:count]
            self._pending_bytes -= size
            self._changed.notify_all()
            return group

    def _hurry(self) -> bool:
        return self._urgent or self._stopping or self._error is not None or self._is_a_group()

    def _is_a_group(self) -> bool:
        return self._pending_bytes >= GROUP_BYTES

    def _commit(self, group: list[Queued]) -> tuple[Exception | None, Exception | None]:
        """Return why the group was not committed, if it was not, and why a part of it was refused, if one was."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            refused = [error for queued in group if (error := queued.action(self._connection)) is not None]
            self._connection.execute(self._stamp)
            self._connection.execute("COMMIT")
        except Exception as error:
            # Nothing of the group was acknowledged. Some errors have rolled it back already; a rollback that
            # fails is made good by closing the connection.
            self._roll_back()
            return error, None
        return None, next(iter(refused), None)

    def _roll_back(self) -> None:
        with suppress(Exception):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
