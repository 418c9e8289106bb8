"""The same question to this project: which promotions' conditions hold, of those whose ranges the basket touches."""

from __future__ import annotations

from pos_discount.basket import Basket
from pos_discount.pricing import Context, PolicyIndex, Scan
from pos_discount.pricing.discounts import Discounts
from pos_discount.pricing.index import Entry


def holding(index: PolicyIndex, basket: Basket, context: Context) -> frozenset[str]:
    """Return the ids of the promotions whose conditions hold and of whose targets the basket has something."""
    scan = Scan(index, basket, context)
    discounts = Discounts(scan)
    entries = index.entries
    return frozenset(
        entries[position].promotion.id
        for position in scan.touched
        if discounts.fixed_reason(position) is None and _has_target(entries[position], scan)
    )


def _has_target(entry: Entry, scan: Scan) -> bool:
    slots = entry.target_slots
    return not slots or any(scan.lines_by_slot.get(slot) for slot in slots)
