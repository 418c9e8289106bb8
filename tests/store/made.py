"""Records made for tests: whole, small, and different where a test says so."""

from __future__ import annotations

from typing import Any

from pos_discount.pricing.holds import Counted
from pos_discount.pricing.limits import CounterKey, Hold
from pos_discount.store import DecisionRecord, OutcomeRecord, Visit

SECOND = 1_000_000
MINUTE = 60 * SECOND
NOON = 1_763_722_800 * SECOND

GOODWILL = CounterKey("goodwill", "customer", "aa11", "year", "2026-01-01")
SPRING = CounterKey("spring", "chain", "", "month", "2026-11-01")


def a_decision(number: int = 1, **changes: Any) -> DecisionRecord:
    """Make a decision taken at noon in store S1, open for 30 minutes."""
    fields: dict[str, Any] = {
        "decision_id": f"dec_{number:06}",
        "store_id": "S1",
        "made_at": NOON,
        "decided_at": NOON - SECOND,
        "expires_at": changes.get("made_at", NOON) + 30 * MINUTE,
        "policy_version": "p1",
        "arm": "ladder",
        "seed": f"seed-{number}",
        "inputs": b'{"basket": ' + str(number).encode() + b"}",
        "answer": b'{"decision_id": "dec_' + str(number).encode() + b'"}',
    }
    return DecisionRecord(**{**fields, **changes})


def an_outcome(number: int = 1, **changes: Any) -> OutcomeRecord:
    """Make an accepted outcome, a minute after noon."""
    fields: dict[str, Any] = {
        "store_id": "S1",
        "decision_id": f"dec_{number:06}",
        "result": "accepted",
        "rung": 1,
        "received_at": NOON + MINUTE,
        "body": b'{"result": "accepted"}',
    }
    return OutcomeRecord(**{**fields, **changes})


def a_hold(counter: CounterKey = GOODWILL, **changes: Any) -> Hold:
    """Make a hold of one use out of one."""
    return Hold(**{"counter": counter, "uses": 1, "spent": 500, "uses_at_most": 1, **changes})


def counted(counter: CounterKey = GOODWILL, uses: int = 1, spent: int = 500) -> tuple[Counted, ...]:
    """Make what an outcome counts."""
    return (Counted(counter, uses, spent),)


def a_visit(day: int = 739_576, spend: int = 2000, promoted: int = 500) -> Visit:
    """Make one visit."""
    return Visit(day, 1, spend, promoted)
