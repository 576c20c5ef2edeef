"""The page that documents experiment files: its examples load, and it has every key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

import neuralnet_core
from neuralnet_core.layers import Layer
from neuralnet_core.optimizers import Optimizer
from sweep.config import Experiment
from sweep.config.frame import DataTable, Frame, ValidationTable
from sweep.config.recipe import KINDS, classes
from sweep.datasets import DATASETS
from sweep.distributions import DISTRIBUTIONS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "configuration.md"
Load = Callable[..., Experiment]

TOML_BLOCKS = re.findall(r"^```toml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", TOML_BLOCKS, ids=range(len(TOML_BLOCKS)))
def test_every_example_of_the_page_loads(load: Load, block: str) -> None:
    assert load(block).sweep.space.size > 1


def test_the_page_has_examples() -> None:
    assert len(TOML_BLOCKS) >= 3
    assert all(tomllib.loads(block) for block in TOML_BLOCKS)


def documented_names() -> list[str]:
    """Return every key of the frame, every class that a table may name, every field of these."""
    names = [*Frame.model_fields, *DataTable.model_fields, *ValidationTable.model_fields]
    names += [argument for data in DATASETS.values() for argument in data.arguments]
    kinds = (Layer, Optimizer, *KINDS.values())
    for made in {made for kind in kinds for made in classes(kind).values()}:
        names += [made.__name__, *(name for name in made.__dataclass_fields__ if not name.startswith("_"))]
    return sorted({*names, *DATASETS, *DISTRIBUTIONS, *neuralnet_core.LOSSES, *neuralnet_core.ACTIVATIONS})


@pytest.mark.parametrize("name", documented_names())
def test_the_page_has_every_key(name: str) -> None:
    assert re.search(rf"\b{name}\b", PAGE.read_text(encoding="utf-8"))
