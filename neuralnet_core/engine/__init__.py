"""The compiled engine: kernels (pack.pyx and what it includes), randomness, and the choice among instruction sets."""

import sys

try:
    from . import _cpu  # noqa: F401  the first compiled module that anything here needs
except ImportError:
    if sys.version_info < (3, 11):  # noqa: UP036  such a Python can read this file in a clone, not install it
        found = ".".join(map(str, sys.version_info[:3]))
        raise ImportError(
            f"neuralnet_core needs Python 3.11 or newer, this is {found}: make the environment with a newer one"
        ) from None
    raise ImportError(
        "neuralnet_core is not compiled here: run `python -m pip install .` in the project's folder, then start "
        "Python in another folder"
    ) from None
