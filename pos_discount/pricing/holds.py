"""What a decision keeps free of limits until its outcome, and what a sale then counts."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pos_discount.pricing.discounts import Applied
from pos_discount.pricing.limits import CounterKey, Hold, counters_of
from pos_discount.pricing.rungs import Priced
from pos_discount.pricing.scan import Scan


class Counted(msgspec.Struct, frozen=True):
    """What one sale adds to a counter: uses, and what they cost the house in minor units."""

    counter: CounterKey
    uses: int
    spent: int


def counted(scan: Scan, priced: Priced) -> tuple[Counted, ...]:
    """Return what a sale at these discounts counts, once for each counter."""
    return tuple(
        [
            Counted(key, 1, applied.cost)
            for applied in _limited(priced)
            for key in dict.fromkeys(
                key for _, key in counters_of(applied.entry.promotion, scan.basket, scan.local_time)
            )
            if key is not None
        ]
    )


def holds(scan: Scan, may_be_sold: Sequence[Priced]) -> tuple[Hold, ...]:
    """Hold one use, and the most of a budget, of each limited promotion in the base and the ladder."""
    hold_by_counter: dict[CounterKey, Hold] = {}
    for priced in may_be_sold:
        for applied in _limited(priced):
            for limit, key in counters_of(applied.entry.promotion, scan.basket, scan.local_time):
                if key is not None:
                    hold = Hold(key, 1, applied.cost, limit.uses, limit.budget)
                    hold_by_counter[key] = _merged(hold_by_counter.get(key), hold)
    return tuple(hold_by_counter.values())


def _limited(priced: Priced) -> list[Applied]:
    return [applied for applied in priced.applied if applied.entry.promotion.limits]


def _merged(earlier: Hold | None, hold: Hold) -> Hold:
    """Take the most of two holds on one counter, and of each kind of limit the tighter one."""
    if earlier is None:
        return hold
    return Hold(
        hold.counter,
        1,
        max(earlier.spent, hold.spent),
        _least(earlier.uses_at_most, hold.uses_at_most),
        _least(earlier.budget, hold.budget),
    )


def _least(left: int | None, right: int | None) -> int | None:
    known = [value for value in (left, right) if value is not None]
    return min(known) if known else None
