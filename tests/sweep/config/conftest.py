"""What loads experiment files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sweep.config import Experiment, load_experiment
from sweep.errors import ConfigError

Load = Callable[..., Experiment]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Return a function that loads an experiment from a text, with overrides."""

    def load(text: str, *overrides: str) -> Experiment:
        path = tmp_path / "x.toml"
        path.write_text(text)
        return load_experiment(path, overrides)

    return load


@pytest.fixture
def mistakes(load: Load, tmp_path: Path) -> Callable[..., list[str]]:
    """Return a function that returns the lines that a text and its overrides get, without the folder's name."""

    def mistakes(text: str, *overrides: str) -> list[str]:
        with pytest.raises(ConfigError) as error:
            load(text, *overrides)
        return [line.replace(f"{tmp_path}/", "") for line in error.value.lines]

    return mistakes
