"""exp, expm1, log, log1p, tanh and what is made of them, against mpmath in units in the last place, and at their edges.

The header that the kernels are built from is compiled here for every instruction set of this processor, with the
kernels' flags: what is measured is what they compute, over all arguments that they are made for. The bounds are those
that docs/design.md states.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import mpmath
import numpy as np
import pytest
from compiling import kernel_flags, shared_library
from exactness import DTYPES, errors, stated_bounds
from numpy.typing import NDArray

from neuralnet_core.engine import _cpu
from neuralnet_core.engine._cpu import StrictFloats

Array = NDArray[np.floating]
CODES = ("exp", "expm1", "tanh", "log", "log1p", "sigmoid", "softplus")  # the order of support/functions.c
BOUNDS = stated_bounds()
mpmath.mp.prec = 180


@dataclass(frozen=True)
class Function:
    """What a function is exactly, and the arguments it is made for."""

    exact: Callable[[mpmath.mpf], mpmath.mpf]
    arguments: Callable[[np.finfo], list[Array]]


def both(values: Array) -> Array:
    return np.concatenate([-values, values])


def near(value: float, kind: np.finfo, steps: int = 200) -> Array:
    """Return the numbers next to a value, in the width."""
    bits = np.array(value, kind.dtype).view(f"u{kind.dtype.itemsize}")
    return (bits.astype("i8") + np.arange(-steps, steps + 1)).astype(bits.dtype).view(kind.dtype)


def drawn(low: float, high: float) -> Array:
    """Return numbers of an interval: one in which errors are large."""
    return np.random.default_rng(0).uniform(low, high, 1500)


def tiny(kind: np.finfo) -> Array:
    """Return numbers from the smallest subnormal to 1."""
    return np.geomspace(float(kind.smallest_subnormal), 1.0, 750)


FUNCTIONS = {
    "exp": Function(
        mpmath.exp,
        lambda kind: [
            np.linspace(lowest(kind), np.log(float(kind.max)) * (1 - 1e-7), 2001),
            both(tiny(kind)),
            *(near(k * np.log(2) / 2, kind, 20) for k in range(-60, 61) if k),
        ],
    ),
    "expm1": Function(
        mpmath.expm1,
        lambda kind: [
            -tiny(kind),
            -np.geomspace(0.01, 100, 1501),
            -drawn(0.26, 0.36),
            *(-near(k * np.log(2) / 2, kind, 20) for k in range(1, 80)),
        ],
    ),
    "tanh": Function(
        mpmath.tanh,
        lambda kind: [
            both(tiny(kind)),
            both(np.geomspace(0.001, 100, 2001)),
            drawn(0.4, 2.0),
            drawn(2.0, 20.0),
        ],
    ),
    "log": Function(
        mpmath.log,
        lambda kind: [
            np.geomspace(float(kind.tiny), float(kind.max) * (1 - 1e-7), 2001),
            near(1.0, kind),
            *(near(np.sqrt(0.5) * 2.0**k, kind, 50) for k in (-3, -1, 0, 1, 2)),
            drawn(0.68, 0.72),
            drawn(1.0, 1.05),
        ],
    ),
    "log1p": Function(
        mpmath.log1p,
        lambda kind: [tiny(kind), drawn(0.0, 1.0), drawn(0.002, 0.01), near(np.sqrt(2) - 1, kind)],
    ),
    "sigmoid": Function(
        lambda x: 1 / (1 + mpmath.exp(-x)),
        lambda kind: [np.linspace(lowest(kind), 50, 2001), both(tiny(kind)), drawn(-20.0, -1.0)],
    ),
    "softplus": Function(
        lambda x: mpmath.log1p(mpmath.exp(x)),
        lambda kind: [np.linspace(lowest(kind), 50, 2001), both(tiny(kind)), drawn(-3.5, -2.7)],
    ),
}


def lowest(kind: np.finfo) -> float:
    """Return below what exp is 0: its value would soon be subnormal."""
    return -87.33 if kind.dtype == np.float32 else -708.39


# Those with the largest errors that a search among six million arguments of each found, in float32 and in float64.
WORST = {
    "exp": [59.26654815673828, -253.34528579730113],
    "expm1": [-0.2861405909061432, -0.2868180609101785],
    "tanh": [1.7103027105331421, 0.0077242715294179006],
    "log": [1.0038617849349976, 0.7033519981474857],
    "log1p": [0.003861816134303808, 0.00024136696223236886],
    "sigmoid": [-16.63673973083496, -36.738166844934995],
    "softplus": [-2.752948760986328, -3.4644905315935968],
}


@cache
def arguments(name: str, dtype: str) -> Array:
    parts = [*FUNCTIONS[name].arguments(np.finfo(dtype)), WORST[name]]
    return np.unique(np.concatenate([np.asarray(part, dtype) for part in parts]))


Apply = Callable[[str, Array], Array]
Compiled = Callable[[str, str], Apply]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    """Return, by instruction set and width, what applies a function as the kernels there compute it."""
    folder: Path = tmp_path_factory.mktemp("functions")

    @cache
    def functions(instruction_set: str, dtype: str) -> Apply:
        target = folder / f"{instruction_set}_{dtype}.so"
        library = ctypes.CDLL(
            str(shared_library("functions.c", target, *kernel_flags(instruction_set, dtype)))
        )

        def apply(name: str, x: Array) -> Array:
            x = np.ascontiguousarray(x, dtype)
            y = np.empty_like(x)
            with StrictFloats():
                library.apply(CODES.index(name), x.ctypes, y.ctypes, ctypes.c_int64(len(x)))
            return y

        return apply

    return functions


BEST = _cpu.supported()[-1]


def test_the_page_states_a_bound_for_each() -> None:
    assert list(BOUNDS) == list(FUNCTIONS) == list(CODES)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_errors_in_units_in_the_last_place(compiled: Compiled, name: str, dtype: str) -> None:
    x = arguments(name, dtype)
    assert len(x) > 3000
    found = errors(compiled(BEST, dtype)(name, x), [FUNCTIONS[name].exact(mpmath.mpf(float(v))) for v in x])
    worst, bound = int(np.argmax(found)), BOUNDS[name][dtype]
    assert found[worst] <= bound, f"{name}({x[worst]}) is off by {found[worst]:.3f} units"
    assert found[worst] > bound - 0.5, f"{name} is never off by more than {found[worst]:.3f}: state less"


def edges(kind: np.finfo) -> Array:
    """Return what is special to any of them: zeros, subnormals, thresholds and their neighbours, what is not finite."""
    special = [0.0, float(kind.smallest_subnormal), float(kind.tiny), 1.0, float(kind.max), np.inf]
    thresholds = [lowest(kind), np.log(float(kind.max)), np.log(float(kind.tiny)), -25.0, -50.0, 9.0, 19.1]
    around = [near(value, kind, 3) for value in (*thresholds, float(kind.tiny), 1.0)]
    return np.concatenate([both(np.array(special, kind.dtype)), *around, np.array([np.nan], kind.dtype)])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("instruction_set", _cpu.supported())
def test_every_instruction_set_has_the_same_bits(
    compiled: Compiled, instruction_set: str, name: str, dtype: str
) -> None:
    x = np.concatenate([arguments(name, dtype), edges(np.finfo(dtype))])
    found, best = compiled(instruction_set, dtype)(name, x), compiled(BEST, dtype)(name, x)
    assert np.array_equal(found, best, equal_nan=True)
    numbers = ~np.isnan(found)
    assert np.array_equal(np.signbit(found[numbers]), np.signbit(best[numbers]))


@pytest.mark.parametrize("dtype", DTYPES)
def test_exp_at_its_edges(compiled: Compiled, dtype: str) -> None:
    kind, exp = np.finfo(dtype), lambda *x: compiled(BEST, dtype)("exp", np.array(x, dtype)).tolist()
    assert exp(0.0, -0.0, np.inf, -np.inf) == [1.0, 1.0, np.inf, 0.0]
    assert exp(kind.smallest_subnormal, -kind.smallest_subnormal, kind.tiny) == [1.0, 1.0, 1.0]
    assert exp(kind.max, -kind.max) == [np.inf, 0.0]
    assert np.isnan(exp(np.nan)[0])
    # The largest argument with a finite value, and the next.
    last = np.array(mpmath.log(mpmath.mpf(float(kind.max))), dtype)
    last = last if mpmath.exp(float(last)) <= float(kind.max) else np.nextafter(last, kind.dtype.type(0))
    at_last, beyond = exp(last, np.nextafter(last, kind.dtype.type(np.inf)))
    assert at_last > float(kind.max) * 0.999
    assert np.isfinite(at_last)
    assert beyond == np.inf
    # Normal or 0, never subnormal.
    low = exp(*near(lowest(kind), kind, 2000), *np.linspace(lowest(kind) * 1.3, lowest(kind), 500))
    assert all(value == 0.0 or value >= float(kind.tiny) for value in low)
    assert 0.0 < max(low) < 1.1 * float(kind.tiny)


@pytest.mark.parametrize("dtype", DTYPES)
def test_expm1_and_tanh_at_their_edges(compiled: Compiled, dtype: str) -> None:
    kind, apply = np.finfo(dtype), compiled(BEST, dtype)
    ends = np.array([0.0, -0.0, -np.inf, -kind.max], dtype)
    assert apply("expm1", ends).tolist() == [0.0, 0.0, -1.0, -1.0]
    small = both(np.array([kind.smallest_subnormal, kind.tiny / 2, kind.tiny, kind.eps / 8], dtype))
    assert apply("expm1", small[:4]).tolist() == small[:4].tolist()
    off = np.abs(apply("tanh", small) - small) / np.spacing(np.abs(small))
    assert off.max() <= BOUNDS["tanh"][dtype]
    assert apply("tanh", np.array([np.inf, -np.inf, kind.max, 30, -30], dtype)).tolist() == [1, -1, 1, 1, -1]
    zeros = apply("tanh", np.array([0.0, -0.0], dtype))
    assert zeros.tolist() == [0.0, 0.0]
    assert np.signbit(zeros).tolist() == [False, True]
    assert np.isnan([*apply("expm1", np.array([np.nan])), *apply("tanh", np.array([np.nan]))]).all()
    large = np.random.default_rng(0).uniform(1.0, 25.0, 1_000_000).astype(dtype)
    assert (np.abs(apply("tanh", both(large))) <= 1).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_log_and_log1p_at_their_edges(compiled: Compiled, dtype: str) -> None:
    kind, apply = np.finfo(dtype), compiled(BEST, dtype)
    ends = apply("log", np.array([1.0, np.inf], dtype))
    assert ends.tolist() == [0.0, np.inf]
    assert not np.signbit(ends[0])
    assert np.isnan(apply("log", np.array([np.nan]))).all()
    assert apply("log", np.array([kind.tiny], dtype))[0] == pytest.approx(
        np.log(float(kind.tiny)), rel=float(kind.eps)
    )
    assert apply("log", np.array([kind.max], dtype))[0] == pytest.approx(
        np.log(float(kind.max)), rel=float(kind.eps)
    )
    small = np.array([0.0, kind.smallest_subnormal, kind.tiny / 2, kind.tiny], dtype)
    assert apply("log1p", small).tolist() == small.tolist()
    assert np.isnan(apply("log1p", np.array([np.nan]))).all()
