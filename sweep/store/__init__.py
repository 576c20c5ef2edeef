"""Records <-> one SQLite file: what it is (database), who writes it (lock, writer), what it holds (store)."""

from __future__ import annotations

from .faults import StoreError
from .store import Store

__all__ = ["Store", "StoreError"]
