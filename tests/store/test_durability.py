"""What was acknowledged is there after a kill; a full or broken disk is survived; processes share limits exactly."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pos_discount.pricing.limits import Usage
from pos_discount.store import HoldConflict, Store, StoreBusy, StoreUnavailable

from .made import NOON, SPRING, a_decision, a_hold, an_outcome, counted

TESTS = str(Path(__file__).parent.parent)
PREAMBLE = f"""
import sys, threading
sys.path.insert(0, {TESTS!r})
from store.made import *
from pos_discount.store import HoldConflict, Store
store = Store(sys.argv[1])
"""
WRITES_FOR_EVER = """
def write(thread):
    for number in range(10**6):
        store.record_decision(a_decision(thread * 10**6 + number), (a_hold(SPRING, uses_at_most=None),))
        store.record_outcomes((an_outcome(thread * 10**6 + number, counted=counted(SPRING)),))
        sys.stdout.write(f"{thread * 10**6 + number}\\n")
        sys.stdout.flush()
for thread in range(1, 5):
    threading.Thread(target=write, args=(thread,)).start()
"""
RACES = """
won = 0
sys.stdin.readline()
for number in range(int(sys.argv[2]), int(sys.argv[2]) + 30):
    try:
        store.record_decision(a_decision(number), (a_hold(SPRING, uses_at_most=20),))
        won += 1
    except HoldConflict:
        pass
print(won)
"""
FORKS = """
import os
store.record_decision(a_decision(1))
if os.fork() == 0:
    store.record_decision(a_decision(2))
    os._exit(0 if store.read_decision("dec_000001").superseded_by is None else 1)
assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
store.record_decision(a_decision(3))
print(sum(len(block) for block in store.read_checkouts()), "decisions")
"""


def made(path: Path) -> Path:
    """Make the database beforehand, so that the processes need not load what migrates it."""
    store = Store(path)
    store.probe(NOON)
    store.close()
    return path


def start(source: str, path: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PREAMBLE + source, str(path), *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_what_was_acknowledged_before_a_kill_is_there_and_counted_once(tmp_path: Path) -> None:
    path = made(tmp_path / "pos.db")
    acknowledged: list[int] = []
    for _ in range(3):
        writer = start(WRITES_FOR_EVER.replace("range(10**6)", f"range({len(acknowledged) + 1000}, 10**6)"), path)
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(60)]
        writer.send_signal(signal.SIGKILL)
        lines += writer.stdout.readlines()
        writer.wait()
        acknowledged += [int(line) for line in lines if line.endswith("\n")]
    store = Store(path)
    assert store.find_problems() == ()
    recorded = {row.decision_id for block in store.read_outcomes() for row in block}
    assert {f"dec_{number:06}" for number in acknowledged} <= recorded
    # A decision whose outcome was not yet written when its process died still holds its use.
    open_holds = sum(row.sequence is None for block in store.read_checkouts() for row in block)
    assert store.read_usage((SPRING,), NOON)[0].uses == len(recorded) + open_holds
    store.close()


def test_of_processes_that_race_for_the_last_uses_exactly_as_many_win_as_there_are(tmp_path: Path) -> None:
    path = made(tmp_path / "pos.db")
    racers = [start(RACES, path, str(1000 * number)) for number in range(3)]
    won = [int(racer.communicate("go\n")[0]) for racer in racers]
    assert sum(won) == 20
    store = Store(path)
    assert store.read_usage((SPRING,), NOON)[0].uses == 20
    store.close()


def test_threads_that_race_for_one_use_give_it_to_one(tmp_path: Path) -> None:
    store = Store(tmp_path / "pos.db")
    refused = []

    def decide(number: int) -> None:
        try:
            store.record_decision(a_decision(number), (a_hold(),))
        except HoldConflict:
            refused.append(number)

    threads = [threading.Thread(target=decide, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 19
    store.close()


def test_one_job_that_fails_does_not_sink_those_it_shares_a_commit_with(tmp_path: Path) -> None:
    store = Store(tmp_path / "pos.db", gather_seconds=0.1)
    store.record_decision(a_decision(0), (a_hold(),))
    outcomes: dict[int, str] = {}

    def decide(number: int) -> None:
        try:
            store.record_decision(a_decision(number), (a_hold(),) if number % 2 else ())
            outcomes[number] = "kept"
        except HoldConflict:
            outcomes[number] = "refused"

    threads = [threading.Thread(target=decide, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == {number: "refused" if number % 2 else "kept" for number in range(1, 9)}
    store.close()


def test_a_full_database_refuses_writes_serves_reads_and_recovers_by_itself(tmp_path: Path) -> None:
    store = Store(tmp_path / "pos.db", gather_seconds=0)
    store.record_decision(a_decision(1))
    store._write(
        lambda connection: connection.execute("PRAGMA max_page_count = 1")
    )  # the least there can be: no growth
    with pytest.raises(StoreUnavailable, match="full"):
        store.record_decision(a_decision(2, answer=b"x" * 100_000))
    assert store.read_decision("dec_000001").record == a_decision(1)
    store.record_decision(a_decision(3))  # the writer has opened the file anew, without the limit
    assert [row.decision_id for block in store.read_checkouts() for row in block] == ["dec_000001", "dec_000003"]
    store.close()


def test_a_disk_that_takes_no_more_bytes_is_survived_without_a_restart(tmp_path: Path) -> None:
    store = Store(tmp_path / "pos.db", gather_seconds=0)
    store.record_decision(a_decision(1))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, before[1]))
    try:
        for number in (2, 3):
            with pytest.raises(StoreUnavailable):
                store.record_outcomes((an_outcome(1, counted=counted(), rung=number),))
        assert store.read_decision("dec_000001").outcome is None
        with pytest.raises(StoreUnavailable):
            store.probe(NOON)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert store.record_outcomes((an_outcome(1),)) == ("created",)
    assert store.find_problems() == ()
    store.close()


def test_a_file_that_is_no_database_is_unavailable_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "pos.db"
    path.write_bytes(b"not a database, but somebody's letters " * 100)
    with pytest.raises(StoreUnavailable):
        Store(path).probe(NOON)
    assert path.read_bytes().startswith(b"not a database")


def test_a_folder_that_is_not_there_is_unavailable_until_it_is(tmp_path: Path) -> None:
    store = Store(tmp_path / "later" / "pos.db")
    with pytest.raises(StoreUnavailable):
        store.read_changes()
    (tmp_path / "later").mkdir()
    store.probe(NOON)
    store.close()


def test_beyond_its_queue_a_write_is_refused_at_once(tmp_path: Path) -> None:
    store = Store(tmp_path / "pos.db", gather_seconds=0, most_waiting=2)
    store.probe(NOON)
    gate, entered = threading.Event(), threading.Event()

    def hold_up(connection: object) -> None:
        entered.set()
        gate.wait()

    slow = threading.Thread(target=store._write, args=(hold_up,))
    slow.start()
    entered.wait()
    waiting = [threading.Thread(target=store.probe, args=(NOON,)) for _ in range(2)]
    for thread in waiting:
        thread.start()
    while store.queue_length() < 2:
        time.sleep(0.001)
    with pytest.raises(StoreBusy):
        store.probe(NOON)
    gate.set()
    for thread in [slow, *waiting]:
        thread.join()
    store.probe(NOON)
    store.close()


def test_a_caller_is_not_kept_waiting_for_ever(tmp_path: Path) -> None:
    store = Store(tmp_path / "pos.db", patience_seconds=0.05)
    store.read_changes()
    gate, entered = threading.Event(), threading.Event()
    slow = threading.Thread(target=store._run_alone, args=(lambda _: (entered.set(), gate.wait()),))
    slow.start()
    entered.wait()
    with pytest.raises(StoreUnavailable, match="send the same again"):
        store.record_decision(a_decision(), (a_hold(SPRING),))
    gate.set()
    slow.join()
    store._run_alone(lambda _: None)  # comes after what was given up, and has all the time it needs
    assert store.read_usage((SPRING,), NOON) == (Usage(0, 0),)
    store.close()


def test_a_connection_is_lent_to_one_reader_at_a_time_and_then_to_the_next(store: Store) -> None:
    with store._snapshot() as outer, store._reading() as inner:
        assert inner is not outer
    with pytest.raises(ZeroDivisionError), store._reading() as again:
        assert again in (inner, outer)
        _ = 1 // 0
    with store._reading() as after_an_error:
        assert after_an_error is again


def test_a_mistake_in_a_job_reaches_its_caller_and_the_writer_goes_on(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        store._write(lambda _: 1 // 0)
    store.probe(NOON)


def test_a_forked_child_opens_its_own(tmp_path: Path) -> None:
    """In a process of its own: what threads of other tests held at the fork, a child would wait for, for ever."""
    with start(FORKS, tmp_path / "pos.db") as forks:
        said, _ = forks.communicate()
    assert (forks.returncode, said) == (0, "3 decisions\n")


def test_nothing_is_opened_before_the_first_call(tmp_path: Path) -> None:
    Store(tmp_path / "pos.db")
    assert list(tmp_path.iterdir()) == []
