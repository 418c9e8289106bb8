"""Power that goes at any moment loses nothing that was acknowledged; a full disk is survived by the running process."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pos_discount.store import Store

from .made import NOON, SPRING
from .power import Call, lose_power, read_journal

HERE = Path(__file__).parent
WRITES = """
import os, sys, threading
sys.path.insert(0, {tests!r})
from store.made import *
from pos_discount.store import Store
folder, synchronous, first = sys.argv[1], sys.argv[2], int(sys.argv[3])
store = Store(folder + "/pos.db", synchronous=synchronous, gather_seconds=0.0005)
acknowledged = os.open(folder + "/acknowledged.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def write(thread):
    for number in range(first + thread * 1000, first + thread * 1000 + 40):
        store.record_decision(a_decision(number, answer=b"x" * 3000), (a_hold(SPRING, uses_at_most=None),))
        store.record_outcomes((an_outcome(number, counted=counted(SPRING)),))
        os.write(acknowledged, b"%d\\n" % number)

threads = [threading.Thread(target=write, args=(thread,)) for thread in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
store._run_alone(lambda connection: connection.execute("PRAGMA wal_checkpoint").fetchone())
"""
FILLS = """
import os, sys
sys.path.insert(0, {tests!r})
from store.made import *
from pos_discount.store import Store, StoreUnavailable
flag = os.environ["POWER_FULL"]
store = Store(sys.argv[1] + "/pos.db")
store.record_decision(a_decision(1))
for round in range(3):
    open(flag, "w").close()
    for number in range(5):
        try:
            store.record_decision(a_decision(100 * round + number + 50, answer=b"x" * 20000))
            sys.exit("written to a full disk")
        except StoreUnavailable:
            pass
    assert store.read_decision("dec_000001").record == a_decision(1)
    os.unlink(flag)
    store.record_decision(a_decision(2 + round))
assert [row.decision_id for block in store.read_checkouts() for row in block] == [f"dec_{{n:06}}" for n in range(1, 5)]
assert store.find_problems() == ()
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the library that writes down what is asked of files."""
    if shutil.which("gcc") is None or sys.platform != "linux":
        pytest.skip("needs gcc on Linux to build the library that notes file system calls")
    built = tmp_path_factory.mktemp("shim") / "power.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", built, HERE / "power.c", "-ldl"], check=True)
    return built


def start(source: str, shim: Path, folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    watched = folder / "watched"
    if not watched.exists():
        watched.mkdir()
        Store(watched / "empty.db").close()
    settings = {
        "LD_PRELOAD": str(shim),
        "POWER_FOLDER": str(watched),
        "POWER_JOURNAL": str(folder / "journal"),
        "POWER_FULL": str(folder / "disk-is-full"),
    }
    command = [sys.executable, "-c", source.format(tests=str(HERE.parent)), str(watched), *arguments]
    return subprocess.Popen(command, env={**os.environ, **settings})


def calls_of_two_processes(shim: Path, folder: Path, synchronous: str) -> list[Call]:
    writers = [start(WRITES, shim, folder, synchronous, str(first)) for first in (0, 100_000)]
    assert [writer.wait() for writer in writers] == [0, 0]
    return read_journal(folder / "journal")


def acknowledged_but_lost(calls: list[Call], seed: int, folder: Path) -> set[str]:
    """Cut the power at a moment of the seed's choice; return what was acknowledged before and is not there after."""
    dice = random.Random(seed)
    before = calls[: dice.randrange(len(calls) // 20, len(calls))]
    acknowledged = {
        f"dec_{int(call.data):06}" for call in before if call.kind == "W" and call.name.endswith("acknowledged.txt")
    }
    folder.mkdir()
    lose_power(before, dice, folder)
    store = Store(folder / "pos.db")
    assert store.find_problems() == ()
    rows = [row for block in store.read_checkouts() for row in block]
    assert store.read_usage((SPRING,), NOON)[0].uses == len(rows)
    store.close()
    return acknowledged - {row.decision_id for row in rows if row.result is not None}


def losses(shim: Path, folder: Path, synchronous: str, seeds: int) -> list[int]:
    calls = calls_of_two_processes(shim, folder, synchronous)
    return [len(acknowledged_but_lost(calls, seed, folder / f"after-{seed}")) for seed in range(seeds)]


def test_power_that_goes_loses_nothing_that_was_acknowledged(shim: Path, tmp_path: Path) -> None:
    assert losses(shim, tmp_path, "FULL", 12) == [0] * 12


@pytest.mark.slow
def test_power_that_goes_at_any_of_200_moments_loses_nothing_that_was_acknowledged(shim: Path, tmp_path: Path) -> None:
    assert losses(shim, tmp_path, "FULL", 200) == [0] * 200


@pytest.mark.slow
def test_without_full_syncing_the_same_test_finds_losses(shim: Path, tmp_path: Path) -> None:
    assert sum(lost > 0 for lost in losses(shim, tmp_path, "NORMAL", 40)) > 10


def test_a_disk_that_is_full_again_and_again_is_survived_by_the_same_process(shim: Path, tmp_path: Path) -> None:
    assert start(FILLS, shim, tmp_path).wait() == 0
