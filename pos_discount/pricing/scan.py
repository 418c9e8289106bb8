"""A scan: one basket laid against a policy's ranges, and all that does not change while discounts are worked out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

import msgspec

from pos_discount.basket import Basket, Line
from pos_discount.policy.ranges import Range
from pos_discount.pricing.index import WHOLE_BASKET, PolicyIndex
from pos_discount.pricing.limits import CounterKey, Usage


class Context(msgspec.Struct, frozen=True):
    """What surrounds a basket: the sale's moment, the customer's segment, what limits have counted, what is paused."""

    at: datetime
    segment: tuple[str, ...] = ()
    usage: dict[CounterKey, Usage] = {}
    paused: tuple[str, ...] = ()


class Scan:
    """A basket's lines by range slot. Lines in ``never`` are in no range and count nowhere but in the totals.

    ``touched`` are the positions of the promotions of whose ranges the basket holds something, ``reachable`` of all
    that may apply.
    """

    __slots__ = (
        "_costs",
        "_quantity_by_slot",
        "_spend_by_slot",
        "basket",
        "context",
        "counted",
        "house",
        "index",
        "lines_by_slot",
        "list_total",
        "list_totals",
        "local_time",
        "margins",
        "min_prices",
        "prices",
        "reachable",
        "touched",
    )

    def __init__(self, index: PolicyIndex, basket: Basket, context: Context) -> None:
        self.index = index
        self.basket = basket
        self.context = context
        self.house = index.policy.house
        self.local_time = context.at.astimezone(self.house.time_zone)
        self.prices = [line.unit_price for line in basket.lines]
        self.list_totals = [line.unit_price * line.quantity for line in basket.lines]
        self.list_total = sum(self.list_totals)
        self.counted: list[int] = []
        self.lines_by_slot: dict[int, list[int]] = {WHOLE_BASKET: self.counted}
        self.min_prices: dict[int, int] = {}
        self.margins: list[Fraction | None] = []
        self._costs: list[tuple[int, int] | None] | None = None
        self._quantity_by_slot: dict[int, int] = {}
        self._spend_by_slot: dict[int, int] = {}
        touched: set[int] = set()
        facts_of, counted, lines_by_slot = index.facts, self.counted, self.lines_by_slot
        for position, line in enumerate(basket.lines):
            slots, promotions, is_never, min_price, margin = facts_of(line)
            self.margins.append(margin)
            if is_never:
                continue
            counted.append(position)
            touched.update(promotions)
            for slot in slots:
                lines = lines_by_slot.get(slot)
                if lines is None:
                    lines_by_slot[slot] = [position]
                else:
                    lines.append(position)
            if min_price:
                self.min_prices[position] = min_price
        if self.counted:
            touched.update(index.everywhere)
        self.touched = touched
        self.reachable = touched.union(index.untouched)

    def lines(self, of: Range | None) -> Sequence[int]:
        """Return the positions of the lines in a range, in basket order."""
        return self.lines_by_slot.get(self.index.slot(of), ())

    def quantity(self, of: Range | None) -> int:
        """Return how many units of a range the basket holds."""
        slot = self.index.slot(of)
        quantity = self._quantity_by_slot.get(slot)
        if quantity is None:
            lines = self.basket.lines
            quantity = sum(lines[line].quantity for line in self.lines_by_slot.get(slot, ()))
            self._quantity_by_slot[slot] = quantity
        return quantity

    def spend(self, of: Range | None) -> int:
        """Return what the units of a range cost at list price."""
        slot = self.index.slot(of)
        spend = self._spend_by_slot.get(slot)
        if spend is None:
            spend = self._spend_by_slot[slot] = sum(self.list_totals[line] for line in self.lines_by_slot.get(slot, ()))
        return spend

    @property
    def line_costs(self) -> list[tuple[int, int] | None]:
        """What the goods on each line cost the house in minor units, as numerator and denominator; None where nothing
        says."""
        if self._costs is None:
            self._costs = [self._line_cost(position, line) for position, line in enumerate(self.basket.lines)]
        return self._costs

    def _line_cost(self, position: int, line: Line) -> tuple[int, int] | None:
        cost = line.unit_cost
        if cost is None:
            row = self.house.catalogue.get(line.sku)
            cost = row.unit_cost if row else None
        if cost is not None:
            return cost * line.quantity, 1
        margin = self.margins[position]
        if margin is None:
            return None
        return self.list_totals[position] * (margin.denominator - margin.numerator), margin.denominator
