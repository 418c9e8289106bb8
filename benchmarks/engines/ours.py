"""The same question to this project: which promotions' conditions hold, of those whose ranges the basket touches."""

from __future__ import annotations

from pos_discount.basket import Basket
from pos_discount.pricing import Context, PolicyIndex, Scan


def holding(index: PolicyIndex, basket: Basket, context: Context) -> frozenset[str]:
    """Return the ids of the promotions whose conditions hold and of whose targets the basket has something."""
    scan, entries = Scan(index, basket, context), index.entries
    held = [entries[position] for position in index.finder.holding(scan, index.presented(basket))]
    slots = scan.lines_by_slot.keys()
    return frozenset([e.promotion.id for e in held if not e.target_slots or not slots.isdisjoint(e.target_slots)])
