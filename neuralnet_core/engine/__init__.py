"""The compiled engine: kernels (pack.pyx and what it includes), randomness, and the choice among instruction sets."""

try:
    from . import _cpu  # noqa: F401  the first compiled module that anything here needs
except ImportError:
    raise ImportError(
        "neuralnet_core is not compiled here: run `python -m pip install .` in the project's folder, then start "
        "Python in another folder"
    ) from None
