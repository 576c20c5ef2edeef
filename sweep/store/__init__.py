"""Records <-> one SQLite file: what it is (database), who writes it (lock, writer), what it holds (store)."""

from __future__ import annotations

from .database import check_no_store
from .faults import StoreError
from .store import Store

__all__ = ["Store", "StoreError", "check_no_store"]
