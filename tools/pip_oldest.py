"""Run pip with every lower bound made an exact version: `numpy>=1.26.0` is installed as `numpy==1.26.0`.

So the oldest supported versions are written once, in pyproject.toml, and `tox -e oldest` tests what they say.
"""

from __future__ import annotations

import subprocess
import sys


def main(arguments: list[str]) -> int:
    exact = [argument.replace(">=", "==", 1) for argument in arguments]
    return subprocess.call([sys.executable, "-m", "pip", *exact])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
