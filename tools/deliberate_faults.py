"""Put one deliberate fault after another into a copy of the engine, and see which tests catch each.

    python tools/deliberate_faults.py [NAME ...]

Needs meson, ninja, Cython and the packages of the tests, as CONTRIBUTING.md sets them up; builds the engine and runs
the tests once for every fault (about a minute each). Exits with 1 if a fault is caught by no test.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INSTRUCTION_SETS = ("baseline", "v3")
MODULES = (*(f"_{name}_float{bits}" for name in INSTRUCTION_SETS for bits in (32, 64)), "_random", "_cpu")
TESTS = ("tests/neuralnet_core", "tests/sweep/test_identity.py")
LONGEST = 900  # seconds for the tests, some five times what they take: a fault may let a training never end


@dataclass(frozen=True)
class Fault:
    """`old` stands once in `file` of the engine and becomes `new`."""

    name: str
    file: str
    old: str
    new: str


FAULTS = [
    Fault(
        "a fused step is taken with every chunk",
        "stages.pxd",
        "return p.step if p.fused and last else NULL",
        "return p.step if p.fused else NULL",
    ),
    Fault(
        "units as lanes: the input gradient has last update's weights",
        "stages.pxd",
        "        turn_weights(p, stage, below)\n",
        "        if p.updates == 0:\n            turn_weights(p, stage, below)\n",
    ),
    Fault(
        "padded weights keep what a diverging neighbour makes of them",
        "product.h",
        "if (m0 + (M) > p->narrowest_m)",
        "if (0)",
    ),
    Fault(
        "tails of probabilities are kept in the gradient",
        "losses.pxd",
        "squarable(sigmoid - t[k]) * c",
        "(sigmoid - t[k]) * c",
    ),
    Fault(
        "gradients are squared however small they are",
        "descent.h",
        "default:\n        EACH g[i] = squarable(g[i]);",
        "default:",
    ),
    Fault(
        "by columns: the padding of later ones is that of the first",
        "product.h",
        "if (padded > 0) p->present_n += padded;",
        ";",
    ),
    Fault(
        "by columns: slopes are those of the first ones",
        "product.h",
        "if (p->value) p->value += step, p->slope += step;",
        "if (p->value) p->value += step;",
    ),
    Fault(
        "by columns: biases are those of the first ones",
        "product.h",
        "if (p->bias) p->bias += step;",
        ";",
    ),
    Fault(
        "sums run from the last term to the first",
        "product.h",
        "ptrdiff_t k = k0; k < k1; k++",
        "ptrdiff_t k = k1 - 1; k >= k0; k--",
    ),
    Fault(
        "samples that stay all stand in the place of the first",
        "minibatch.pxd",
        "place if batch.samples.stay else 0",
        "0",
    ),
    Fault("bias gradient forgets the chunks before", "stages.pxd", "    if fresh:\n", "    if True:\n"),
    Fault(
        "short last minibatch averaged over a full one",
        "gather.pxd",
        "1.0 / p.totals[0] / outputs",
        "1.0 / max(p.totals[0], 32.0) / outputs",
    ),
    Fault(
        "Adam is a step ahead in its first bias correction",
        "updates.pxd",
        "rate = rate / (1.0 - first)",
        "rate = rate / (1.0 - first * p.hyper_exact[FIRST * LANES + lane])",
    ),
    Fault(
        "learning rates one lane off",
        "updates.pxd",
        "learning_rate(p.schedules + lane,",
        "learning_rate(p.schedules + (lane ^ 1),",
    ),
    Fault(
        "a minibatch of weight 0 is trained on",
        "minibatch.pxd",
        "if p.totals[0] == 0.0:",
        "if p.totals[0] < 0.0:",
    ),
    Fault("l1 pushes weights of 0", "lanes.h", "choose_lt(x, splat(0), splat(-1), splat(0))", "splat(-1)"),
    Fault(
        "the gradient norm is that of the last tensor",
        "updates.pxd",
        "total = total + sum_of_squares(p, &p.tensors[index])",
        "total = sum_of_squares(p, &p.tensors[index])",
    ),
    Fault("seven slices instead of eight", "structs.pxd", "SLICES = 8 ", "SLICES = 7 "),
    Fault("flush-to-zero is left as found", "control.h", "    _mm_setcsr(0x1F80);", "    (void)found;"),
    Fault(
        "dropout repeats itself for every sample",
        "dropout.pxd",
        "((p.lane_first[lane] + position + sample) * stage.lane_units[lane])",
        "0",
    ),
    Fault(
        "validation drops units as training does",
        "minibatch.pxd",
        "forward(p, size, position + done, batch.training)",
        "forward(p, size, position + done, True)",
    ),
    Fault(
        "relu has slope 1 at 0",
        "activations.h",
        "case RELU: return zero_where_le(a, zero, delta);",
        "case RELU: return zero_where_lt(a, zero, delta);",
    ),
    Fault(
        "momentum forgets its dampening",
        "descent.h",
        "case MOMENTUM:\n        EACH first[i] = averaged(d->first, first[i], d->first_rest, g[i]);",
        "case MOMENTUM:\n        EACH first[i] = averaged(d->first, first[i], splat(1), g[i]);",
    ),
    Fault(
        "penalties reach the biases",
        "descent.h",
        "if (!penalized || !d->regularized) return;",
        "if (!d->regularized) return;",
    ),
    Fault(
        "a lane of its own order takes its neighbour's rows",
        "gather.pxd",
        "source = data.features + rows.index[(first + sample) * LANES + lane] * width",
        "source = data.features + rows.index[(first + sample) * LANES] * width",
    ),
    Fault(
        "a diverged lane ends its pack",
        "course.pxd",
        "            c.ended[lane] = c.epoch\n        else:",
        "            c.ended[lane] = c.epoch\n            return False\n        else:",
    ),
    Fault(
        "slices in lanes lose their last samples",
        "minibatch.pxd",
        "stop = min(start + length, batch.count)",
        "stop = min(start + length, batch.count - 1)",
    ),
    Fault(
        "early stopping is a comparison too patient",
        "course.pxd",
        ">= <int64_t> stopping.patience",
        "> <int64_t> stopping.patience",
    ),
    Fault(
        "the exponential's argument is reduced by a rounded ln 2",
        "mathematics.h",
        "    EACH x[i] = vfma(n[i], splat(-LN2_LOW), x[i]);\n",
        "",
    ),
    Fault(
        "tanh ends where it is not yet 1",
        "mathematics.h",
        "#define TANH_HIGHEST 9.0f",
        "#define TANH_HIGHEST 7.9f",
    ),
    Fault(
        "every step asks for memory",
        "minibatch.pxd",
        "    weigh(p, batch)\n",
        "    weigh(p, batch)\n    with gil:\n        bytearray(1)\n",
    ),
    Fault(
        "a long minibatch is deaf to the cancel flag",
        "minibatch.pxd",
        "            score_of_chunk(p, last.output, last.stride, size)\n        poll(p)\n",
        "            score_of_chunk(p, last.output, last.stride, size)\n",
    ),
    Fault(
        "the second piece of a long order has the words of the first",
        "philox.h",
        "counter[0] = (uint64_t)(drawn / 4 + half);",
        "counter[0] = (uint64_t)((drawn - first) / 4 + half);",
    ),
    Fault(
        "a layer with one unit forgets the chunks before",
        "product.h",
        "p->resumes ? p->weight_gradient[n0 + n] : splat(0)",
        "splat(0)",
    ),
    Fault(
        "below one unit, padding has what a diverging neighbour makes of it",
        "product.h",
        "for (ptrdiff_t n = p->narrowest_n; n < p->n; n++)",
        "for (ptrdiff_t n = p->n; n < p->n; n++)",
    ),
]


# Python reads this at its start, in the processes that tests start too. The import hook of an editable install goes
# before PYTHONPATH: with it, the sound engine would be tested, and no fault caught.
SITECUSTOMIZE = """import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "MesonpyMetaFinder"]
"""


def leave_what_is_built(tree: Path) -> None:
    """Let the tree's engine say that this processor runs the instruction sets that are built, and no others."""
    path = tree / "neuralnet_core" / "engine" / "cpu.pyx"
    text, end = path.read_text(), "    return names\n"
    if text.count(end) != 1:
        raise ValueError("supported() in cpu.pyx must end with: return names")
    path.write_text(text.replace(end, f"    return [name for name in names if name in {INSTRUCTION_SETS}]\n"))


def build(tree: Path, folder: Path) -> None:
    """Compile the modules and put them beside their sources."""
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    targets = [f"neuralnet_core/engine/{name}{suffix}" for name in MODULES]
    if not folder.exists():
        subprocess.run(["meson", "setup", folder, tree], check=True, capture_output=True)
    subprocess.run(["ninja", "-C", folder, *targets], check=True, capture_output=True)
    for target in targets:
        shutil.copy(folder / target, tree / target)


def environment(tree: Path) -> dict[str, str]:
    """Return the environment in which Python imports the tree's packages, and of the engine the build that is there."""
    return {
        **os.environ,
        "PYTHONPATH": str(tree),
        "NEURALNET_INSTRUCTION_SET": "v3",
        "MPLBACKEND": "Agg",
    }


def check_imported(tree: Path) -> None:
    """Raise unless the engine that the tests will import is the tree's."""
    code = "from neuralnet_core.engine import _v3_float32; print(_v3_float32.__file__)"
    command = [sys.executable, "-P", "-c", code]
    found = subprocess.run(command, env=environment(tree), capture_output=True, text=True, check=False)
    if not Path(found.stdout.strip()).is_relative_to(tree):
        raise RuntimeError(
            f"the tests would import {found.stdout.strip() or found.stderr}, not the engine of {tree}"
        )


def failures(tree: Path) -> list[str]:
    """Run the tests on the tree and return the names of those that fail."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS]
    try:
        result = subprocess.run(
            command,
            cwd=tree,
            env=environment(tree),
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST,
        )
    except subprocess.TimeoutExpired:
        return [f"{TESTS[0]}/(a test that does not end)"]
    if result.returncode < 0:
        return [f"{TESTS[0]}/(the interpreter died of signal {-result.returncode})"]
    if result.returncode not in (0, 1):
        raise RuntimeError(result.stdout[-2000:] + result.stderr[-2000:])
    return re.findall(r"^FAILED (\S+)", result.stdout, re.MULTILINE)


def caught_by(fault: Fault, tree: Path, folder: Path) -> list[str]:
    """Return the tests that fail with a fault, and mend it again."""
    path = tree / "neuralnet_core" / "engine" / fault.file
    sound = path.read_text()
    if sound.count(fault.old) != 1:
        raise ValueError(
            f"{fault.name!r} must find its line once in {fault.file}, found {sound.count(fault.old)}"
        )
    path.write_text(sound.replace(fault.old, fault.new))
    try:
        build(tree, folder)
        return failures(tree)
    finally:
        path.write_text(sound)


def main(names: list[str]) -> int:
    """Report, for every fault, how many tests catch it and which are the first."""
    missed = 0
    with tempfile.TemporaryDirectory() as temporary:
        tree, folder = Path(temporary) / "tree", Path(temporary) / "build"
        shutil.copytree(
            ROOT, tree, ignore=shutil.ignore_patterns(".git", ".tox", ".venv", "build", "*.so", "__pycache__")
        )
        (tree / "sitecustomize.py").write_text(SITECUSTOMIZE)
        leave_what_is_built(tree)
        build(tree, folder)
        check_imported(tree)
        if broken := failures(tree):
            print("without any fault, these fail:", *broken, sep="\n  ")
            return 1
        for fault in FAULTS:
            if names and not any(name in fault.name for name in names):
                continue
            found = caught_by(fault, tree, folder)
            files = sorted({test.split("::")[0].rsplit("/", 1)[-1] for test in found})
            print(f"{fault.name}: {len(found)} tests in {', '.join(files) or 'NONE'}", flush=True)
            missed += not found
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
