"""Compile the engine for aarch64 and run tests on it under emulation: the bits must be those of x86-64.

    python tools/aarch64.py [--folder FOLDER] [ARGUMENT OF PYTEST ...]

Needs Debian with `apt-get install gcc-aarch64-linux-gnu qemu-user-static` (no root after that), and meson, ninja and
Cython, as CONTRIBUTING.md sets them up. An aarch64 Python is unpacked into a folder (a temporary one, unless it is
named and so kept for the next time), libraries come as wheels, and the engine is cross-compiled as it stands here.
Without arguments the tests of the golden digests, of random numbers and of accuracy run; `tests/neuralnet_core` runs
all of the core's, which takes some ten minutes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = {
    "aarch64-linux-gnu-gcc": "apt-get install gcc-aarch64-linux-gnu",
    "qemu-aarch64-static": "apt-get install qemu-user-static",
    "apt-get": "Debian",
    "meson": "pip install meson-python",
    "ninja": "pip install ninja",
    "cython": "pip install Cython",
}
PACKAGES = ("python3-minimal", "libpython3-stdlib", "libpython3-dev", "libstdc++6")
TESTS = ("test_golden.py", "test_random.py", "test_accuracy.py", "test_dispatch.py")

CROSS_FILE = """
[binaries]
c = 'aarch64-linux-gnu-gcc'
strip = 'aarch64-linux-gnu-strip'
cython = 'cython'
python = '{python}'

[built-in options]
c_args = ['-idirafter', '{root}/usr/include']

[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'armv8-a'
endian = 'little'
"""


def run(*command: str | Path) -> None:
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)


def unpack_root(folder: Path) -> Path:
    """Unpack an aarch64 Python and its C library: packages are read, none is installed."""
    root, state, cache = folder / "root", folder / "apt" / "state", folder / "apt" / "cache"
    if root.exists():
        return root
    for needed in (state / "lists" / "partial", cache / "archives" / "partial"):
        needed.mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    options = {
        "APT::Architecture": "arm64",
        "APT::Architectures::": "arm64",
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "",
        "Dir::State": state,
        "Dir::State::status": state / "status",
        "Dir::Cache": cache,
        "Debug::NoLocking": "true",
    }
    apt = ["apt-get", "-qq", *(word for key, value in options.items() for word in ("-o", f"{key}={value}"))]
    run(*apt, "update")
    run(*apt, "install", "--yes", "--download-only", *PACKAGES)
    unpacked = folder / "unpacked"
    for package in sorted((cache / "archives").glob("*.deb")):
        run("dpkg-deb", "--extract", package, unpacked)
    # Python's own record of where its headers are: in here, not in this system's /usr.
    for record in unpacked.glob("usr/lib/python3.*/_sysconfigdata_*.py"):
        record.write_text(record.read_text().replace("'/usr/", f"'{root}/usr/"))
    return unpacked.rename(root)


def interpreter(folder: Path, root: Path) -> Path:
    """Write a command that runs the aarch64 Python, which also takes it for its own executable."""
    [program] = [path for path in root.glob("usr/bin/python3.*") if path.name.count(".") == 1]
    python, site = folder / "python", folder / "site"
    python.write_text(f'#!/bin/sh\nexec qemu-aarch64-static -L {root} {program} "$@"\n')
    python.chmod(0o755)
    site.mkdir(exist_ok=True)
    (site / "sitecustomize.py").write_text(f"import sys\n\nsys.executable = {str(python)!r}\n")
    return python


def install_libraries(folder: Path, python: Path) -> None:
    """Put the dependencies and what the tests need beside one another, from wheels for aarch64."""
    site = folder / "site"
    if (site / "numpy").exists():
        return
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    version = subprocess.check_output(
        [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], text=True
    )
    platforms = [f"--platform=manylinux{name}_aarch64" for name in ("2014", "_2_27", "_2_28")]
    wheels = ["--only-binary=:all:", f"--python-version={version.strip()}", *platforms]
    needed = [*project["project"]["dependencies"], *project["dependency-groups"]["test"]]
    run(sys.executable, "-m", "pip", "install", "--quiet", f"--target={site}", *wheels, *needed)


def build(folder: Path, root: Path, python: Path) -> Path:
    """Cross-compile and install the packages; return the folder they are in."""
    cross, tree, installed = folder / "cross.ini", folder / "build", folder / "installed"
    cross.write_text(CROSS_FILE.format(python=python, root=root))
    shutil.rmtree(installed, ignore_errors=True)
    where = (f"--prefix={installed}", f"-Dpython.platlibdir={installed}", "-Dpython.bytecompile=-1")
    run(
        "meson",
        "setup",
        "--wipe" if tree.exists() else "--reconfigure",
        tree,
        ROOT,
        f"--cross-file={cross}",
        *where,
    )
    run("meson", "install", "-C", tree)
    return installed


def test(folder: Path, python: Path, installed: Path, arguments: list[str]) -> int:
    """Run pytest in the emulated Python; return its exit code."""
    environment = {
        **os.environ,
        "PYTHONPATH": f"{installed}:{folder / 'site'}",
        "PYTHONSAFEPATH": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "CC": "aarch64-linux-gnu-gcc",
        "MPLBACKEND": "Agg",
        "OPENBLAS_NUM_THREADS": "1",
    }
    code = "import platform, neuralnet_core as n; print(platform.machine(), n.__file__, n.engine_info())"
    subprocess.run([python, "-c", code], env=environment, check=True)
    command = [python, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def main(words: list[str]) -> int:
    """Set up what is missing, build, test."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="where Python, libraries and the build are kept")
    options, arguments = parser.parse_known_args(words)
    for command, how in NEEDED.items():
        if shutil.which(command) is None:
            parser.error(f"needs {command}: {how}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.folder or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        root = unpack_root(folder)
        python = interpreter(folder, root)
        install_libraries(folder, python)
        installed = build(folder, root, python)
        chosen = arguments or [f"tests/neuralnet_core/{name}" for name in TESTS]
        return test(folder, python, installed, chosen)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
