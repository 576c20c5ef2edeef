"""Two coordinators begin at the same moment on one store: one trains, the other is told who does, at once."""

from __future__ import annotations

import platform
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from store_values import assert_whole

from sweep import Results

RACES = 100

# For every line that comes in, the path of a store, two children wait for one pipe to end and then run a sweep on
# the store. The first to have it open waits for the other's end, so that the two always meet.
COORDINATORS = """
import os, sys
import numpy as np
from neuralnet_core import Dense, Momentum, Network
from sweep import StoreError, Sweep
from sweep.store import Store

X = np.linspace(-1, 1, 20).reshape(10, 2)

def build(rate):
    return Network([Dense(2, "tanh"), Dense(1)]), Momentum(rate, epochs=2)

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

def run(path, go, lost, end_of_mine):
    describe = Store.describe
    def wait_and_describe(self, description):
        os.close(end_of_mine)
        os.read(lost, 1)
        describe(self, description)
    Store.describe = wait_and_describe
    os.read(go, 1)
    try:
        Sweep(build, {"rate": [0.1, 0.2]}).run(X, X[:, 0], n_jobs=1, store=path, progress=False)
        say("won", os.getpid())
    except StoreError as error:
        say("lost", os.getpid(), error.exit_code, error)

for line in sys.stdin:
    go, start = os.pipe()
    lost, end = os.pipe()  # ends when nobody holds it open: when the winner has let it go and the loser has ended
    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            os.close(start)
            run(line.rstrip("\\n"), go, lost, end)
            os._exit(0)
        children.append(child)
    os.close(end)
    os.close(start)
    for child in children:
        os.waitpid(child, 0)
    os.close(go)
    os.close(lost)
    say("over")
"""


@pytest.mark.parametrize("before", ["nothing", "a store", "a dead holder's lock"])
def test_of_two_coordinators_one_wins(tmp_path: Path, draws: random.Random, before: str) -> None:
    command = [sys.executable, "-c", COORDINATORS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(RACES if before == "nothing" else RACES // 4):
            path = tmp_path / f"{0 if before == 'a store' else number}.sweep"
            if before == "a dead holder's lock":
                path.with_name(f"{path.name}.lock").write_text(
                    f"process {2**22 + draws.randrange(1000)} on {platform.node()}"
                )
            print(path, file=process.stdin, flush=True)
            told = [line.split(maxsplit=3) for line in iter(process.stdout.readline, "over\n")]
            (lost,) = (words for words in told if words[0] == "lost")
            (won,) = (words for words in told if words[0] == "won")
            assert lost[2] == "75"
            assert re.search(rf"is being written by process {won[1]} on ", lost[3])
            assert set(Results.open(path).trials["state"]) == {"done"}
            assert_whole(path)
        process.stdin.close()
    assert all(name.suffix == ".sweep" for name in tmp_path.iterdir())
