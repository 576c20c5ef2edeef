"""Feed one target with bytes that coverage chooses: `fuzz.py TARGET [options of libFuzzer]`; needs atheris.

Without a target it names them all, one a line.
Anything that a target raises ends the run with a traceback, and the bytes are kept in a file.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
with atheris.instrument_imports(include=["neuralnet_core", "sweep", "tomllib", "zipfile", "json"]):
    from fuzz_targets import TARGETS, folder


def main() -> None:
    if len(sys.argv) == 1:
        print(*TARGETS, sep="\n")
        return
    name, *options = sys.argv[1:]
    target = TARGETS[name]
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(target.seeds()):
            Path(corpus, f"seed-{number}").write_bytes(seed)
        atheris.Setup([sys.argv[0], *options, corpus], target.run)
        try:
            atheris.Fuzz()
        finally:
            shutil.rmtree(folder())


if __name__ == "__main__":
    main()
