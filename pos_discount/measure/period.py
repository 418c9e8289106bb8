"""A period measured: uplift, ledger, satisfaction, offers made and not made, outcomes that never came.

Hides how the store's rows become customers. A part of the ledger (a segment, a promotion on rung 1, a store) is told
by what was known before an arm had its say, so that both arms have it and each part is a comparison of its own.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from pos_discount.learning.history import VisitNote, read_outcome_note, read_visit
from pos_discount.measure.ledger import Ledger, Part, enter_claims, make_ledger
from pos_discount.measure.uplift import Checkouts, Uplift, measure_uplift, students_quantile
from pos_discount.recording import OutcomeLesson
from pos_discount.store import Checkout, CheckoutCount, Store

NOTHING_SAID = b"\x93\x00\x00\xc0"


class Arm(msgspec.Struct, frozen=True):
    """What happened in one arm: checkouts, mean satisfaction with its interval (None: nobody said), offers."""

    name: str
    checkouts: int
    satisfaction: tuple[float, float, float] | None
    satisfied: int
    not_offered: float
    rungs_said: float


class Offers(msgspec.Struct, frozen=True):
    """Where offers are made: of a store's checkouts with a ladder, the share in which nothing was said."""

    store_id: str
    checkouts: int
    not_offered: float


class Period(msgspec.Struct, frozen=True):
    """All that is reported of a period; money in minor units. `uplift` None: an arm is too small to compare."""

    since: int
    until: int
    checkouts: int
    uplift: Uplift | None
    ledgers: tuple[Ledger, ...]
    arms: tuple[Arm, ...]
    offers: tuple[Offers, ...]
    missing: tuple[CheckoutCount, ...]


class _Row(NamedTuple):
    customer: str
    arm: str
    store_id: str
    segment: str
    first: str
    profit: float
    at_stake: float
    satisfaction: int | None
    said: int | None
    result: str


def measure_period(store: Store, since: int, until: int) -> Period:
    """Measure the checkouts decided from `since` on and before `until` (microseconds)."""
    rows: list[_Row] = []
    before: dict[str, list[float]] = defaultdict(list)
    learned_at = min((turn.activated_at for turn in store.read_activations()), default=since)
    for block in store.read_checkouts():
        for checkout in block:
            if checkout.result in (None, "cancelled") or not checkout.learning or checkout.made_at >= until:
                continue
            if checkout.made_at >= since:
                rows.append(_row(checkout))
            elif checkout.customer is not None and checkout.made_at < learned_at:
                before[checkout.customer].append(_row(checkout).profit)
    means = {customer: sum(profits) / len(profits) for customer, profits in before.items()}
    uplift = measure_uplift(customers_of(rows, means))
    return Period(
        since=since,
        until=until,
        checkouts=len(rows),
        uplift=uplift,
        ledgers=tuple(_ledgers(rows, means, uplift)) if uplift else (),
        arms=tuple(_arm(name, [row for row in rows if row.arm == name]) for name in ("ladder", "holdout")),
        offers=_offers(rows),
        missing=store.count_checkouts(since, until),
    )


def customers_of(rows: Iterable[_Row], before: dict[str, float]) -> tuple[Checkouts, ...]:
    """Sum up checkouts by customer and arm."""
    sums: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for row in rows:
        for place, amount in enumerate((1.0, row.profit, row.at_stake)):
            sums[row.customer, row.arm][place] += amount
    return tuple(
        Checkouts(arm == "ladder", int(count), profit, before.get(customer), at_stake)
        for (customer, arm), (count, profit, at_stake) in sums.items()
    )


def describe_period(period: Period) -> dict[str, Any]:
    """Describe a period in plain values."""
    plain: dict[str, Any] = msgspec.to_builtins(period)
    plain["missing"] = [count._asdict() for count in period.missing]
    return plain


def _row(checkout: Checkout) -> _Row:
    note, outcome = read_visit(checkout.learning), read_outcome_note(checkout.outcome_learning or NOTHING_SAID)
    said = None if outcome.offers is None else len(outcome.offers)
    return _Row(
        customer=checkout.customer or f"\0{checkout.decision}",
        arm=checkout.arm,
        store_id=checkout.store_id,
        segment=checkout.segment_id or "no segment",
        first=" + ".join(note.first) or "nothing to offer",
        profit=outcome.profit - _seconds(checkout, note, outcome),
        at_stake=note.profits[0],
        satisfaction=checkout.satisfaction,
        said=said,
        result=checkout.result or "",
    )


def _seconds(checkout: Checkout, note: VisitNote, outcome: OutcomeLesson) -> float:
    """Give what the cashier's seconds cost; without a word on what was said, what the result implies."""
    if note.terms is None or checkout.result == "not_offered":
        return 0.0
    said = len(outcome.offers) if outcome.offers is not None else checkout.rung or len(note.depths)
    return note.terms.offer_cost * said


def with_claims(period: Period, claims: Sequence[tuple[str, float]]) -> Period:
    """Add a ledger of what others claim to have earned (name, minor units); raises ClaimsBeyondTotal where that is more
    than treated less hold-out."""
    total = period.uplift.mean * period.uplift.treated_checkouts if period.uplift else 0.0
    return msgspec.structs.replace(period, ledgers=(*period.ledgers, enter_claims("claim", total, claims)))


def _ledgers(rows: Sequence[_Row], before: dict[str, float], uplift: Uplift) -> Iterable[Ledger]:
    total = uplift.mean * uplift.treated_checkouts
    cuts: tuple[tuple[str, Callable[[_Row], str]], ...] = (
        ("segment", lambda row: row.segment),
        ("promotion on rung 1", lambda row: row.first),
        ("store", lambda row: row.store_id),
    )
    for cut, name_of in cuts:
        rows_by_name: dict[str, list[_Row]] = defaultdict(list)
        for row in rows:
            rows_by_name[name_of(row)].append(row)
        parts = [_part(name, some, before) for name, some in sorted(rows_by_name.items())]
        yield make_ledger(cut, total, [part for part in parts if part is not None])


def _part(name: str, rows: Sequence[_Row], before: dict[str, float]) -> Part | None:
    measured = measure_uplift(customers_of(rows, before))
    if measured is None:
        return None
    return Part(name, measured.mean, measured.spread**2, measured.treated_checkouts)


def _arm(name: str, rows: Sequence[_Row]) -> Arm:
    told = np.array([row.satisfaction for row in rows if row.satisfaction is not None], dtype=float)
    said_by = len(told)
    around = students_quantile(said_by - 1) * float(told.std(ddof=1)) / math.sqrt(said_by) if said_by > 1 else math.inf
    said = [row.said for row in rows if row.said is not None]
    return Arm(
        name=name,
        checkouts=len(rows),
        satisfaction=(float(told.mean()), float(told.mean()) - around, float(told.mean()) + around)
        if said_by > 1
        else None,
        satisfied=said_by,
        not_offered=sum(row.result == "not_offered" for row in rows) / max(len(rows), 1),
        rungs_said=sum(said) / max(len(said), 1),
    )


def _offers(rows: Sequence[_Row]) -> tuple[Offers, ...]:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        counts[row.store_id][0] += 1
        counts[row.store_id][1] += row.result == "not_offered"
    return tuple(Offers(store_id, all_, none / all_) for store_id, (all_, none) in sorted(counts.items()))
