"""Feed one target with bytes that coverage chooses: `fuzz.py TARGET [options of libFuzzer]`; needs atheris.

Without a target it names them all, one a line.
Anything that a target raises ends the run with a traceback, and the bytes are kept in a file. What a target writes lies
in the system's temporary folder and stays there: libFuzzer ends the process.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
with atheris.instrument_imports(include=["neuralnet_core", "sweep", "tomllib", "zipfile", "json"]):
    from fuzz_targets import TARGETS


def main() -> None:
    if len(sys.argv) == 1:
        print(*TARGETS, sep="\n")
        return
    name, *options = sys.argv[1:]
    target = TARGETS[name]
    corpus = tempfile.mkdtemp()
    for number, seed in enumerate(target.seeds()):
        Path(corpus, f"seed-{number}").write_bytes(seed)
    atheris.Setup([sys.argv[0], *options, corpus], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
