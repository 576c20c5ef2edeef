"""The plan of the house in docs/design.md is the house: every room is in it, and none that is gone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
PACKAGES = (ROOT / "neuralnet_core", ROOT / "sweep")


def rooms(package: Path) -> list[str]:
    """Return the modules and folders of a package as the page writes them."""
    found = [path.name + "/" * path.is_dir() for path in package.iterdir() if path.suffix in {"", ".py"}]
    return sorted(name for name in found if name[0] not in "._")


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_every_room_is_in_the_plan(package: Path) -> None:
    assert [name for name in rooms(package) if f"`{name}`" not in PAGE] == []


def test_every_room_of_the_plan_is_there() -> None:
    named = {name.rpartition("/")[2] for name in re.findall(r"`([\w/]+\.py)`", PAGE)}
    there = {path.name for package in PACKAGES for path in package.rglob("*.py")}
    assert named - there == set()
    assert len(named) > 40
