"""A writer is killed in the middle of a commit, again and again, while readers read."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweep.store import Store

KILLS = 200
READERS = 8
EPOCHS = 20
ROWS = 10  # of a commit

# For every line that comes in, a number, a child begins to record from there, and says when it is about to commit
# and what was acknowledged. A fork: starting Python 200 times would take minutes.
WRITERS = """
import os, sys
from sweep.jobs import Record
from sweep.store import Store

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

class Loud:
    def __init__(self, connection):
        self.connection = connection
    def __getattr__(self, name):
        return getattr(self.connection, name)
    def execute(self, statement, *values):
        if statement == "COMMIT":
            say("commit")
        return self.connection.execute(statement, *values)

def record_for_ever(first):
    store = Store.open(sys.argv[1])
    store._writer._connection = Loud(store._writer._connection)
    say("writer", os.getpid())
    number = first
    while True:
        for number in range(number, number + ROWS):
            curves = {name: [number] * EPOCHS for name in ("train_loss", "validation_loss")}
            metrics = {"train_loss": number}
            store.record(Record(str(number), "done", EPOCHS, metrics, curves, None, None, 0.0, 0.0, ""))
        store.flush()
        say("acknowledged", number)
        number += 1

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        record_for_ever(int(line))
    os.waitpid(child, 0)
    say("gone")
""".replace("EPOCHS", str(EPOCHS)).replace("ROWS", str(ROWS))

# Reads until its input ends, then says how often it read.
READER = """
import sys, threading
from sweep.store import Store
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
reads = most = 0
while not ended.is_set():
    with Store.read(sys.argv[1]) as store:
        found = store.records(curves=reads % 10 == 0)
    assert len(found) >= most, "records were lost"
    most = len(found)
    reads += 1
    ended.wait(0.01)
print(reads)
"""


class Writers:
    """Writers that are killed, one after the other."""

    def __init__(self, path: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WRITERS, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def kill_one(self, first: int, draws: random.Random) -> int:
        """Let a writer record from a number on, and kill it in one of its commits; return the last acknowledged."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(first, file=self.process.stdin, flush=True)
        writer = int(self.process.stdout.readline().split()[1])
        acknowledged, commits, last_commit = first - 1, 0, draws.randint(1, 5)
        killed = False
        while (words := self.process.stdout.readline().split()) != ["gone"]:
            assert words, "the writers ended"
            if words[0] == "acknowledged":
                acknowledged = int(words[1])  # also if it was written just before the kill
            elif words[0] == "commit" and not killed:
                commits += 1
                if commits == last_commit:
                    threading.Event().wait(
                        draws.uniform(0, 0.003)
                    )  # somewhere in the commit, or soon after it
                    os.kill(writer, signal.SIGKILL)
                    killed = True
        return acknowledged


@contextlib.contextmanager
def readers(path: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """Let readers read for as long as the block lasts; afterwards check that each of them did, without an error."""
    command = [sys.executable, "-c", READER, str(path)]
    pipe = subprocess.PIPE
    processes = [
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in range(READERS)
    ]
    try:
        yield processes
        reads = []
        for process in processes:
            out, err = process.communicate("", timeout=120)
            assert (process.returncode, err) == (0, "")
            reads.append(int(out))
        assert min(reads) > 0
        print(f"\n{len(reads)} readers read {sum(reads)} times, the least busy {min(reads)} times")
    finally:
        for process in processes:
            process.kill()
            process.wait()


def check(path: Path, acknowledged: int) -> int:
    """Check that records up to the acknowledged one are there, each of them whole; return how many there are."""
    with Store.read(path) as store:
        found = store.records()
    assert list(found) == [str(number) for number in range(len(found))]  # in order of recording, none twice
    assert len(found) > acknowledged
    for identity, record in found.items():
        number = float(identity)
        assert record.metrics == {"train_loss": number}
        assert {name: values.tolist() for name, values in record.curves.items()} == {
            "train_loss": [number] * EPOCHS,
            "validation_loss": [number] * EPOCHS,
        }
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    return len(found)


@pytest.mark.filterwarnings("error")
def test_a_writer_killed_in_its_commits_loses_nothing_it_acknowledged(
    tmp_path: Path, draws: random.Random
) -> None:
    path = tmp_path / "killed.sweep"
    Store.open(path).close()
    first = torn = 0
    writers = Writers(path)
    with writers.process, readers(path):
        for _ in range(KILLS):
            acknowledged = writers.kill_one(first, draws)
            first = check(path, acknowledged)
            torn += first > acknowledged + 1  # committed, and killed before that could be said
        assert writers.process.stdin is not None
        writers.process.stdin.close()
    print(f"{KILLS} kills, {first} rows, none lost; {torn} kills between a commit and its acknowledgement")
    assert 0 < torn < KILLS  # kills came on both sides of the moment that counts
    Store.open(path).close()
    assert [name.name for name in tmp_path.iterdir()] == ["killed.sweep"]
