"""A scan: one basket laid against a policy's ranges, and all that does not change while discounts are worked out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import mul

from pos_discount.basket import Basket, Line
from pos_discount.policy.conditions import SpendCounts
from pos_discount.policy.ranges import Range
from pos_discount.pricing.context import Context
from pos_discount.pricing.index import WHOLE_BASKET, PolicyIndex


class Scan:
    """A basket's lines by range slot. Lines in ``never`` are in no range and count nowhere but in the totals.

    ``touched`` are the positions of the promotions of whose ranges the basket holds something, ``reachable`` of all
    that may apply. To conditions it is the basket before any discount (`View`).
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
        "min_prices",
        "prices",
        "products",
        "quantities",
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
        self.quantities = [line.quantity for line in basket.lines]
        self.list_totals: list[int] = list(map(mul, self.prices, self.quantities))
        self.list_total = sum(self.list_totals)
        self.products = index.facts(basket.lines)
        self.counted = list(range(len(basket.lines)))
        self.min_prices: dict[int, int] = {}
        if index.has_guarded_products:
            self.counted = [line for line, product in enumerate(self.products) if not product.is_never]
            self.min_prices = {line: one.min_price for line, one in enumerate(self.products) if one.min_price}
        self.lines_by_slot = self._sort_lines()
        self._costs: list[tuple[int, int] | None] | None = None
        self._quantity_by_slot: dict[int, int] = {}
        self._spend_by_slot: dict[int, int] = {}
        slots: Iterable[int] = self.lines_by_slot if self.counted else ()
        self.touched: set[int] = set().union(*[index.naming[slot] for slot in slots])
        self.reachable = self.touched | index.untouched

    def _sort_lines(self) -> dict[int, list[int]]:
        lines_by_slot: dict[int, list[int]] = {WHOLE_BASKET: self.counted}
        for line, product in enumerate(self.products):
            for slot in product.slots:
                lines = lines_by_slot.get(slot)
                if lines is None:
                    lines_by_slot[slot] = [line]
                else:
                    lines.append(line)
        return lines_by_slot

    @property
    def segment(self) -> tuple[str, ...]:
        """The words by which a policy may name the customer's segment."""
        return self.context.segment

    @property
    def currency_digits(self) -> int:
        """How many decimals the currency's minor unit has."""
        return self.house.currency_digits

    def lines(self, of: Range | None) -> Sequence[int]:
        """Return the positions of the lines in a range, in basket order."""
        return self.lines_by_slot.get(self.index.slot(of), ())

    def quantity(self, of: Range | None) -> int:
        """Return how many units of a range the basket holds."""
        slot = self.index.slot(of)
        quantity = self._quantity_by_slot.get(slot)
        if quantity is None:
            quantities = self.quantities
            quantity = sum([quantities[line] for line in self.lines_by_slot.get(slot, ())])
            self._quantity_by_slot[slot] = quantity
        return quantity

    def distinct(self, of: Range | None) -> int:
        """Return how many different skus of a range the basket holds."""
        return len({self.basket.lines[line].sku for line in self.lines(of)})

    def spend(self, of: Range | None, counts: SpendCounts | None = None) -> int:
        """Return what the units of a range cost at list price, which is all that counts before any discount."""
        slot = self.index.slot(of)
        spend = self._spend_by_slot.get(slot)
        if spend is None:
            totals = self.list_totals
            spend = self._spend_by_slot[slot] = sum([totals[line] for line in self.lines_by_slot.get(slot, ())])
        return spend

    @property
    def line_costs(self) -> list[tuple[int, int] | None]:
        """What the goods on each line cost the house in minor units, as numerator and denominator; None where nothing
        says."""
        if self._costs is None:
            self._costs = [
                (line.unit_cost * line.quantity, 1) if line.unit_cost is not None else self._kept_cost(position, line)
                for position, line in enumerate(self.basket.lines)
            ]
        return self._costs

    def _kept_cost(self, position: int, line: Line) -> tuple[int, int] | None:
        """Return what the catalogue says, or else the margins, of what a till sends no cost of."""
        row = self.house.catalogue.get(line.sku)
        if row is not None and row.unit_cost is not None:
            return row.unit_cost * line.quantity, 1
        margin = self.products[position].margin
        if margin is None:
            return None
        return self.list_totals[position] * (margin.denominator - margin.numerator), margin.denominator
