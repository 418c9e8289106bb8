"""A call that is sent again with its key gets its first answer, and nothing is recorded twice."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from pos_discount.pricing.limits import Usage
from pos_discount.store import (
    AlreadyAnswered,
    Answering,
    Claim,
    HoldConflict,
    OtherBody,
    Reply,
    ReturnRecord,
    StillRunning,
    Store,
    UnknownDecision,
)

from .made import NOON, SPRING, a_decision, a_hold, an_outcome

DAY = 24 * 60 * 60 * 1_000_000
CLAIM = Claim("key-1", "abc", b"digest", NOON)
REPLY = Reply(201, (("Location", "/v1/decisions/dec_000001"),), a_decision().answer)
ANSWERING = Answering(CLAIM, lambda _: REPLY)


def test_a_new_key_is_the_callers_to_answer(store: Store) -> None:
    with store.answering_once(CLAIM) as first:
        assert first is None


def test_the_first_answer_is_given_again_byte_for_byte(store: Store) -> None:
    store.record_decision(a_decision(), (), ANSWERING)
    with store.answering_once(CLAIM) as first:
        assert first == REPLY


def test_the_answer_survives_a_restart(tmp_path: Path) -> None:
    before = Store(tmp_path / "pos.db")
    before.record_decision(a_decision(), (), ANSWERING)
    before.close()
    after = Store(tmp_path / "pos.db")
    with after.answering_once(CLAIM) as first:
        assert first == REPLY
    after.close()


@pytest.mark.parametrize(
    "claim",
    [
        msgspec.structs.replace(CLAIM, caller="key-2"),
        msgspec.structs.replace(CLAIM, key="abd"),
        msgspec.structs.replace(CLAIM, now=NOON + 7 * DAY),
    ],
    ids=["another caller", "another key", "seven days later"],
)
def test_another_claim_has_no_answer(store: Store, claim: Claim) -> None:
    store.record_decision(a_decision(), (), ANSWERING)
    with store.answering_once(claim) as first:
        assert first is None


def test_a_key_may_be_used_anew_after_seven_days(store: Store) -> None:
    store.record_decision(a_decision(), (), ANSWERING)
    late = Answering[None](msgspec.structs.replace(CLAIM, now=NOON + 7 * DAY, digest=b"other"), lambda _: REPLY)
    store.record_decision(a_decision(2), (), late)
    assert store.read_decision("dec_000002").record == a_decision(2)


def test_another_body_under_the_same_key_is_refused(store: Store) -> None:
    store.record_decision(a_decision(), (), ANSWERING)
    with pytest.raises(OtherBody), store.answering_once(msgspec.structs.replace(CLAIM, digest=b"other")):
        pass


def test_a_key_that_is_being_answered_is_still_running(store: Store) -> None:
    with store.answering_once(CLAIM), pytest.raises(StillRunning), store.answering_once(CLAIM):
        pass
    with store.answering_once(CLAIM) as first:
        assert first is None


def test_a_call_that_failed_leaves_its_key_free(store: Store) -> None:
    store.record_decision(a_decision(), (a_hold(),))
    with pytest.raises(HoldConflict), store.answering_once(CLAIM):
        store.record_decision(a_decision(2), (a_hold(),), ANSWERING)
    with store.answering_once(CLAIM) as first:
        assert first is None


def test_of_two_workers_with_one_key_the_second_records_nothing_and_gets_the_firsts_answer(tmp_path: Path) -> None:
    workers = [Store(tmp_path / "pos.db") for _ in range(2)]
    with workers[0].answering_once(CLAIM) as first, workers[1].answering_once(CLAIM) as second:
        assert (first, second) == (None, None)
        workers[0].record_decision(a_decision(1), (), ANSWERING)
        with pytest.raises(AlreadyAnswered) as answered:
            workers[1].record_decision(a_decision(2), (a_hold(SPRING),), ANSWERING)
    assert answered.value.reply == REPLY
    assert workers[0].read_usage((SPRING,), NOON) == (Usage(0, 0),)
    with pytest.raises(UnknownDecision):
        workers[0].read_decision("dec_000002")
    for worker in workers:
        worker.close()


def test_of_fifty_threads_with_one_key_one_records(store: Store) -> None:
    recorded, turned_away, replayed = [], [], []

    def call(number: int) -> None:
        try:
            with store.answering_once(CLAIM) as first:
                if first is not None:
                    replayed.append(first)
                    return
                store.record_decision(a_decision(number), (), ANSWERING)
                recorded.append(number)
        except StillRunning:
            turned_away.append(number)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(recorded) == 1
    assert len(recorded) + len(turned_away) + len(replayed) == 50
    assert set(replayed) <= {REPLY}


def test_the_answer_to_a_batch_is_made_from_its_results_and_kept_with_them(store: Store) -> None:
    store.record_decision(a_decision())
    answering = Answering[object](CLAIM, lambda recorded: Reply(200, (), msgspec.json.encode(recorded)))
    store.record_outcomes((an_outcome(), an_outcome(9)), answering)
    with store.answering_once(CLAIM) as first:
        assert first == Reply(200, (), b'["created","unknown"]')


def test_a_return_and_its_answer_are_kept_together(store: Store) -> None:
    store.record_decision(a_decision())
    store.record_outcomes((an_outcome(),))
    returned = ReturnRecord("S1", "dec_000001", 1, NOON, (), 900, b"{}")
    answering = Answering[None](CLAIM, lambda _: Reply(201, (), b'{"refund": 900}'))
    store.record_return(returned, answering)
    with pytest.raises(AlreadyAnswered):
        store.record_return(msgspec.structs.replace(returned, number=2), answering)
    assert len(store.read_decision("dec_000001").returns) == 1


def test_an_answer_to_a_call_that_records_nothing_is_kept_too(store: Store) -> None:
    store.keep_reply(CLAIM, Reply(422, (), b"{}"))
    with store.answering_once(CLAIM) as first:
        assert first == Reply(422, (), b"{}")


KILLED_BETWEEN_WRITE_AND_ANSWER = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from store.test_answers import ANSWERING, CLAIM
from store.made import a_decision
from pos_discount.store import Store
store = Store({path!r})
with store.answering_once(CLAIM):
    if {writes}:
        store.record_decision(a_decision(), (), ANSWERING)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("writes", "expected"), [(True, REPLY), (False, None)], ids=["after", "before the write"])
def test_a_worker_killed_before_it_answered_leaves_an_answer_or_a_free_key(
    tmp_path: Path, writes: bool, expected: Reply | None
) -> None:
    path, tests = str(tmp_path / "pos.db"), str(Path(__file__).parent.parent)
    source = KILLED_BETWEEN_WRITE_AND_ANSWER.format(tests=tests, path=path, writes=writes)
    before = Store(path)
    before.probe(NOON)
    before.close()
    assert subprocess.run([sys.executable, "-c", source], check=False).returncode == -9
    store = Store(path)
    with store.answering_once(CLAIM) as first:
        assert first == expected
    store.close()
