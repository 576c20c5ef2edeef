from __future__ import annotations

import os
import random

import pytest


@pytest.fixture
def draws() -> random.Random:
    """Return where a test's random choices come from."""
    return random.Random(int(os.environ.get("CHAOS_SEED", "0")))
