"""An outcome counts once, however often and in whatever order it is sent."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from pos_discount.pricing.limits import CounterKey, Usage
from pos_discount.store import CustomerRecord, Day, OutcomeRecord, Store

from .made import GOODWILL, MINUTE, NOON, SECOND, a_decision, a_hold, a_visit, an_outcome, counted

SOLD = an_outcome(counted=counted(), visit=a_visit(), event="0:12:0:accepted")
CANCELLED = an_outcome(result="cancelled", rung=None, received_at=NOON + 5 * MINUTE)


@pytest.fixture
def decided(store: Store) -> Store:
    """Give a store with one decision that holds the customer's goodwill."""
    store.record_decision(a_decision(customer="aa11"), (a_hold(),))
    return store


def test_the_first_outcome_is_created_and_reads_back(decided: Store) -> None:
    assert decided.record_outcomes((SOLD,)) == ("created",)
    assert decided.read_decision("dec_000001").outcome == SOLD


def test_the_same_outcome_again_changes_nothing(decided: Store) -> None:
    assert decided.record_outcomes((SOLD, SOLD)) == ("created", "unchanged")
    assert decided.record_outcomes((SOLD,)) == ("unchanged",)
    assert decided.read_usage((GOODWILL,), NOON) == (Usage(1, 500),)
    assert decided.read_customer("aa11").visits == 1


@pytest.mark.parametrize(
    "other",
    [
        an_outcome(rung=2),
        an_outcome(rung=None, promotions=("spring",)),
        an_outcome(result="left", rung=None),
        an_outcome(result="bought_at_base", rung=None),
    ],
    ids=["another rung", "other promotions", "left", "bought at base"],
)
def test_another_outcome_is_a_conflict_and_changes_nothing(decided: Store, other: OutcomeRecord) -> None:
    assert decided.record_outcomes((SOLD, other)) == ("created", "conflict")
    assert decided.read_decision("dec_000001").outcome == SOLD


@pytest.mark.parametrize(
    ("first", "becomes"),
    [
        ("accepted", "created"),
        ("bought_at_base", "created"),
        ("not_offered", "created"),
        ("left", "conflict"),
        ("cancelled", "unchanged"),
    ],
)
def test_a_sale_may_become_cancelled(decided: Store, first: str, becomes: str) -> None:
    rung = 1 if first == "accepted" else None
    assert decided.record_outcomes((an_outcome(result=first, rung=rung), CANCELLED)) == ("created", becomes)


def test_what_is_cancelled_gives_back_what_it_counted(decided: Store) -> None:
    decided.record_outcomes((SOLD,))
    decided.record_outcomes((CANCELLED,))
    assert decided.read_usage((GOODWILL,), NOON) == (Usage(0, 0),)
    assert decided.read_customer("aa11") == CustomerRecord()


def test_a_cancelled_sale_does_not_become_a_sale_again(decided: Store) -> None:
    assert decided.record_outcomes((CANCELLED, SOLD)) == ("created", "conflict")


def test_an_unknown_decision_and_one_of_another_store_are_unknown(decided: Store) -> None:
    assert decided.record_outcomes((an_outcome(7), an_outcome(1, store_id="S2"))) == ("unknown", "unknown")


def test_a_later_satisfaction_is_added(decided: Store) -> None:
    said_later = an_outcome(satisfaction=5, received_at=NOON + 9 * MINUTE)
    assert decided.record_outcomes((SOLD, said_later)) == ("created", "unchanged")
    outcome = decided.read_decision("dec_000001").outcome
    assert outcome is not None
    assert (outcome.satisfaction, outcome.body, outcome.received_at) == (5, SOLD.body, SOLD.received_at)


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (2, 1, 0)], ids=["in order", "swapped", "backwards"])
def test_the_satisfaction_that_was_said_last_stays(decided: Store, order: tuple[int, ...]) -> None:
    said = [an_outcome(satisfaction=2 + number, said_at=NOON + number * SECOND) for number in range(3)]
    decided.record_outcomes([said[number] for number in order])
    outcome = decided.read_decision("dec_000001").outcome
    assert outcome is not None and outcome.satisfaction == 4


def test_an_outcome_counts_after_its_decision_expired(decided: Store) -> None:
    late = msgspec.structs.replace(SOLD, received_at=NOON + 3 * 24 * 60 * MINUTE)
    assert decided.record_outcomes((late,)) == ("created",)
    assert decided.read_usage((GOODWILL,), late.received_at) == (Usage(1, 500),)


def test_a_customers_history_is_kept_by_day(store: Store) -> None:
    for number, (day, spend) in enumerate([(20, 1000), (10, 300), (20, 50)]):
        store.record_decision(a_decision(number, customer="aa11"))
        visit = a_visit(day, spend, promoted=spend // 10)
        store.record_outcomes((an_outcome(number, visit=visit, event="0:12:0:accepted"),))
    history = CustomerRecord(3, (Day(10, 1, 300, 30, 0), Day(20, 2, 1050, 105, 0)), (("0:12:0:accepted", 3),))
    assert store.read_customer("aa11") == history


def test_more_than_500_outcomes_at_once_are_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="500"):
        store.record_outcomes([an_outcome(number) for number in range(501)])


HISTORIES = 1000
DECISIONS = 2
DAYS = (739_500, 739_501)


def test_a_thousand_histories_end_the_same_however_they_are_shuffled(tmp_path: Path) -> None:
    """Sales, some voided, some rated: sent in order once, then with repeats, late and shuffled over all histories."""
    dice = random.Random(5)
    messages = [message for history in range(HISTORIES) for message in _messages(dice, history)]
    shuffled = messages + dice.choices(messages, k=len(messages) // 2)
    dice.shuffle(shuffled)
    straight, other = _play(tmp_path / "straight.db", dice, messages), _play(tmp_path / "other.db", dice, shuffled)
    differing = [history for history in range(HISTORIES) if straight[history] != other[history]]
    assert differing == []


def _messages(dice: random.Random, history: int) -> Iterator[OutcomeRecord]:
    """Make what a till sends of one customer: how each sale ended, perhaps a rating, perhaps that it was voided."""
    for number in range(history * DECISIONS, (history + 1) * DECISIONS):
        result = dice.choice(["accepted", "bought_at_base", "not_offered", "left"])
        sold = an_outcome(
            number,
            result=result,
            rung=1 if result == "accepted" else None,
            counted=counted(dice.choice(_counters(history)), 1, dice.randint(1, 900)) if result == "accepted" else (),
            visit=a_visit(dice.choice(DAYS), dice.randint(1, 5000)) if result != "left" else None,
            event=dice.choice(["0:12:0:accepted", "12:-:1:base", None]),
        )
        yield sold
        if result != "left" and dice.random() < 0.3:
            yield an_outcome(number, result="cancelled", rung=None)
        elif dice.random() < 0.4:
            yield msgspec.structs.replace(sold, satisfaction=dice.randint(1, 5), said_at=NOON + dice.randint(1, 3))


def _play(path: Path, dice: random.Random, messages: list[OutcomeRecord]) -> list[object]:
    """Send messages in bunches and return the state that they leave, by history."""
    store = Store(path, synchronous="NORMAL", gather_seconds=0)  # nothing here asks what a crash leaves
    decisions = [a_decision(n, customer=f"c{n // DECISIONS}") for n in range(HISTORIES * DECISIONS)]
    holding = range(0, HISTORIES * DECISIONS, 10)
    store.record_checkouts([decision for number, decision in enumerate(decisions) if number not in holding], ())
    for number in holding:
        holds = [a_hold(counter, uses_at_most=None) for counter in _counters(number // DECISIONS)]
        store.record_decision(decisions[number], holds)
    while messages:
        bunch = dice.randint(1, 100)
        store.record_outcomes(messages[:bunch])
        messages = messages[bunch:]
    state = [_state(store, history) for history in range(HISTORIES)]
    assert store.find_problems() == ()
    store.close()
    return state


def _counters(history: int) -> tuple[CounterKey, CounterKey]:
    return CounterKey("goodwill", "customer", f"c{history}", "ever", ""), CounterKey(
        "a", "store", f"{history}", "day", ""
    )


def _state(store: Store, history: int) -> object:
    numbers = range(history * DECISIONS, (history + 1) * DECISIONS)
    kept = [_but_for_arrival(store.read_decision(f"dec_{number:06}").outcome) for number in numbers]
    return kept, store.read_usage(_counters(history), NOON), store.read_customer(f"c{history}")


def _but_for_arrival(outcome: OutcomeRecord | None) -> object:
    """Leave out which of equal messages came first."""
    assert outcome is not None
    return msgspec.structs.replace(outcome, said_at=None)
