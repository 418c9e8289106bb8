"""Decisions are kept as answered; holds keep a limit free until they end."""

from __future__ import annotations

import pytest

from pos_discount.pricing.limits import Usage
from pos_discount.store import EarlierDecision, HoldConflict, Store, UnknownDecision

from .made import GOODWILL, MINUTE, NOON, SECOND, SPRING, a_decision, a_hold, an_outcome, counted

EXPIRY = NOON + 30 * MINUTE


def test_a_decision_reads_back_as_it_was_recorded(store: Store) -> None:
    record = a_decision(till_id="T1", cashier_id="C1", sale_id="A", customer="aa11", segment_id="s", learning=b"\x00")
    store.record_decision(record)
    kept = store.read_decision(record.decision_id)
    assert (kept.record, kept.superseded_by, kept.outcome, kept.returns) == (record, None, None, ())


def test_an_unknown_decision_is_said_to_be_unknown(store: Store) -> None:
    with pytest.raises(UnknownDecision):
        store.read_decision("dec_nothing")


def test_an_untouched_counter_is_empty(store: Store) -> None:
    assert store.read_usage((GOODWILL, SPRING), NOON) == (Usage(0, 0), Usage(0, 0))


def test_a_hold_counts_as_usage(store: Store) -> None:
    store.record_decision(a_decision(), (a_hold(),))
    assert store.read_usage((GOODWILL,), NOON) == (Usage(1, 500),)


@pytest.mark.parametrize(
    ("now", "expected"),
    [(EXPIRY - 1, Usage(1, 500)), (EXPIRY, Usage(0, 0))],
    ids=["the last microsecond", "expired"],
)
def test_a_hold_ends_when_its_decision_expires(store: Store, now: int, expected: Usage) -> None:
    store.record_decision(a_decision(), (a_hold(),))
    assert store.read_usage((GOODWILL,), now) == (expected,)


@pytest.mark.parametrize(
    ("hold", "fits"),
    [
        (a_hold(SPRING, uses_at_most=2, spent=1), True),
        (a_hold(SPRING, uses_at_most=1, spent=1), False),
        (a_hold(SPRING, uses_at_most=None, budget=1000, spent=500), True),
        (a_hold(SPRING, uses_at_most=None, budget=1000, spent=501), False),
        (a_hold(SPRING, uses_at_most=None, budget=None, spent=10**9), True),
    ],
    ids=["last use", "one use too many", "last cent", "one cent too many", "no limit"],
)
def test_a_hold_is_refused_where_it_no_longer_fits(store: Store, hold: object, fits: bool) -> None:
    store.record_decision(a_decision(1), (a_hold(SPRING, uses_at_most=9),))
    second = a_decision(2)
    if fits:
        store.record_decision(second, (hold,))  # type: ignore[arg-type]
        return
    with pytest.raises(HoldConflict) as refused:
        store.record_decision(second, (hold,))  # type: ignore[arg-type]
    assert refused.value.counters == (SPRING,)


def test_a_refused_decision_leaves_nothing_behind(store: Store) -> None:
    store.record_decision(a_decision(1), (a_hold(),))
    with pytest.raises(HoldConflict):
        store.record_decision(a_decision(2, sale_id="A"), (a_hold(SPRING), a_hold()))
    assert store.read_usage((GOODWILL, SPRING), NOON) == (Usage(1, 500), Usage(0, 0))
    with pytest.raises(UnknownDecision):
        store.read_decision("dec_000002")


def test_an_expired_hold_makes_room_for_the_next(store: Store) -> None:
    store.record_decision(a_decision(1), (a_hold(),))
    store.record_decision(a_decision(2, made_at=EXPIRY), (a_hold(),))
    assert store.read_usage((GOODWILL,), EXPIRY) == (Usage(1, 500),)


def test_hundreds_of_expired_holds_count_for_nothing_though_they_are_swept_bit_by_bit(store: Store) -> None:
    for number in range(450):
        store.record_decision(a_decision(number), (a_hold(SPRING, uses_at_most=None),))
    store.record_decision(a_decision(900, made_at=EXPIRY), (a_hold(SPRING, uses_at_most=1),))
    assert store.read_usage((SPRING,), EXPIRY + SECOND) == (Usage(1, 500),)


def test_two_limits_in_one_counter_are_one_use(store: Store) -> None:
    store.record_decision(a_decision(), (a_hold(uses_at_most=1), a_hold(uses_at_most=None, budget=500)))
    assert store.read_usage((GOODWILL,), NOON) == (Usage(1, 500),)


def test_a_further_decision_of_a_sale_supersedes_the_earlier_and_frees_its_holds(store: Store) -> None:
    store.record_decision(a_decision(1, sale_id="A"), (a_hold(),))
    assert store.read_usage((GOODWILL,), NOON, except_sale=("S1", "A")) == (Usage(0, 0),)
    store.record_decision(a_decision(2, sale_id="A"), (a_hold(),))
    assert store.read_usage((GOODWILL,), NOON) == (Usage(1, 500),)
    assert store.read_decision("dec_000001").superseded_by == "dec_000002"


def test_a_sale_that_ended_is_not_superseded_by_its_number_coming_again(store: Store) -> None:
    store.record_decision(a_decision(1, sale_id="A", arm="holdout", seed="first"))
    store.record_outcomes([an_outcome(1)])
    assert store.read_earlier_decision("S1", "A") == EarlierDecision("dec_000001", "first", "holdout")
    store.record_decision(a_decision(2, sale_id="A"))
    assert store.read_decision("dec_000001").superseded_by is None


def test_a_sale_of_another_store_is_another_sale(store: Store) -> None:
    store.record_decision(a_decision(1, sale_id="A"))
    store.record_decision(a_decision(2, sale_id="A", store_id="S2"))
    assert store.read_decision("dec_000001").superseded_by is None


def test_a_further_decision_finds_the_arm_and_the_dice_of_the_earlier(store: Store) -> None:
    assert store.read_earlier_decision("S1", "A") is None
    store.record_decision(a_decision(1, sale_id="A", arm="holdout", seed="first"))
    store.record_decision(a_decision(2, sale_id="A", arm="holdout", seed="first"))
    assert store.read_earlier_decision("S1", "A") == EarlierDecision("dec_000002", "first", "holdout")


def test_an_outcome_frees_the_holds_and_counts_what_was_sold(store: Store) -> None:
    store.record_decision(a_decision(), (a_hold(spent=900), a_hold(SPRING)))
    store.record_outcomes((an_outcome(counted=counted(spent=700)),))
    assert store.read_usage((GOODWILL, SPRING), NOON) == (Usage(1, 700), Usage(0, 0))
    assert store.read_usage((GOODWILL,), EXPIRY + MINUTE) == (Usage(1, 700),)
