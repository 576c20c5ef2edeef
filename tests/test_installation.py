"""What is installed: two packages, typed, with a command; quick to import."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

HEAVY = ("matplotlib", "pandas", "pyarrow", "scipy", "sklearn")
SOURCES = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def installed_files() -> list[PurePosixPath]:
    try:
        installed = importlib.metadata.distribution("neuralnet-sweep")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("neuralnet-sweep is not installed: run by tox, this tests the wheel")
    origin = json.loads(installed.read_text("direct_url.json") or "{}")
    if origin.get("dir_info", {}).get("editable"):
        pytest.skip("the installation is editable: run by tox, this tests the wheel")
    return [PurePosixPath(file) for file in installed.files or () if "__pycache__" not in file.parts]


def test_the_wheel_holds_the_two_packages_and_nothing_else(installed_files: list[PurePosixPath]) -> None:
    folders = {
        file.parts[0]
        for file in installed_files
        if ".dist-info" not in file.parts[0] and file.parts[0] != ".."
    }
    assert folders == {"neuralnet_core", "sweep"}


def test_the_wheel_holds_no_sources_of_the_engine(installed_files: list[PurePosixPath]) -> None:
    sources = [
        str(file) for file in installed_files if file.suffix in {".pyx", ".c", ".h", ".build", ".toml"}
    ]
    assert sources == []


def test_every_python_and_stub_file_is_in_the_wheel(installed_files: list[PurePosixPath]) -> None:
    wanted = {
        file.relative_to(SOURCES).as_posix()
        for package in ("neuralnet_core", "sweep")
        for pattern in ("*.py", "*.pyi", "py.typed")
        for file in (SOURCES / package).rglob(pattern)
    }
    assert wanted - {str(file) for file in installed_files} == set()


@pytest.mark.parametrize("package", ["neuralnet_core", "sweep"])
def test_the_packages_are_typed(package: str, installed_files: list[PurePosixPath]) -> None:
    assert PurePosixPath(package, "py.typed") in installed_files


def test_the_command_is_installed(installed_files: list[PurePosixPath]) -> None:
    command = Path(sys.executable).with_name("sweep")
    result = subprocess.run([command, "--help"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "Usage: sweep" in result.stdout


@pytest.mark.parametrize("statement", ["import neuralnet_core", "import sweep.cli"])
def test_imports_are_light(statement: str) -> None:
    code = f"{statement}, sys; print(*sorted(set({HEAVY}) & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []
