"""C code that tests compile for themselves: the compiler, and the flags of the engine's build."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

SUPPORT = Path(__file__).resolve().parent
ENGINE = SUPPORT.parents[1] / "neuralnet_core" / "engine"

# What engine/meson.build gives the compiler for each instruction set, and the bytes of a register there.
FLAGS = {
    "baseline": ("-march=x86-64" if platform.machine() == "x86_64" else "-march=armv8-a", 32),
    "v3": ("-march=x86-64-v3", 32),
    "v3wide": ("-march=x86-64-v3", 64),
    "v4narrow": ("-march=x86-64-v4", 32),
    "v4": ("-march=x86-64-v4", 64),
}
ARITHMETIC = ("-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-Wno-psabi")


def compiler() -> list[str]:
    """Return the C compiler of Python's own build, or another: one of them built the engine."""
    for command in (os.environ.get("CC"), sysconfig.get_config_var("CC"), "cc", "gcc", "clang"):
        words = shlex.split(command or "")
        if words and shutil.which(words[0]):
            return words
    pytest.fail("a test compiles C and found no compiler: set CC to the one that built the engine")


def shared_library(source: str, target: Path, *flags: str) -> Path:
    """Compile a file of this folder into a library that can be loaded."""
    command = [*compiler(), "-shared", "-fPIC", *flags, str(SUPPORT / source), "-o", str(target), "-lm"]
    subprocess.run(command, check=True)
    return target


def kernel_flags(instruction_set: str, dtype: str) -> list[str]:
    """Return the flags with which the engine's headers compile to what a module of it has."""
    march, size = FLAGS[instruction_set]
    bits = dtype.removeprefix("float")
    return [*ARITHMETIC, march, f"-DREAL_BITS={bits}", f"-DVECTOR_BYTES={size}", f"-I{ENGINE}"]
