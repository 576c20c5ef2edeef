"""Every example in a docstring runs, and every public name has one."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import types
from pathlib import Path

import pytest

import neuralnet_core
import sweep

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def modules_of(package: types.ModuleType) -> list[str]:
    """Names of the package and its modules, but not of the kernels, each compiled for one kind of CPU."""
    found = pkgutil.walk_packages(package.__path__, package.__name__ + ".")
    names = [package.__name__, *(info.name for info in found)]
    return [name for name in names if not name.rpartition(".")[2].startswith("_")]


def public_names(package: types.ModuleType) -> list[tuple[str, str]]:
    """Return (package, name) of every class and function that the package exports."""
    return [
        (package.__name__, name)
        for name in package.__all__
        if inspect.isroutine(getattr(package, name)) or inspect.isclass(getattr(package, name))
    ]


@pytest.mark.parametrize("name", [*modules_of(neuralnet_core), *modules_of(sweep)])
def test_docstring_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=OPTIONS)
    assert failed == 0, "see the doctest report above"


@pytest.mark.parametrize(("package", "name"), [*public_names(neuralnet_core), *public_names(sweep)])
def test_public_name_has_an_example(package: str, name: str) -> None:
    value = getattr(importlib.import_module(package), name)
    if inspect.isclass(value) and (issubclass(value, BaseException) or inspect.isabstract(value)):
        return
    assert ">>> " in (inspect.getdoc(value) or ""), f"{package}.{name} has no example in its docstring"
