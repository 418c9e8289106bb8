"""The closed list of benefits: what each is called, what may be written under it, and which units get how much.

Adding a kind is one class and one row in `BENEFITS`. A benefit's first field has the kind's own name and holds what
is written under it; the other fields are the keys beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Literal

import msgspec

from pos_discount.money import format_money, format_percent
from pos_discount.policy.condition import SpendCounts
from pos_discount.policy.group_benefits import (
    Bundle,
    BundlePart,
    BundleTerms,
    BuyGet,
    BuyGetTerms,
    Every,
    GroupGift,
    GroupOf,
    Position,
)
from pos_discount.policy.picks import Pick, by_price, take_units
from pos_discount.policy.presents import Gift, Points
from pos_discount.policy.ranges import Range
from pos_discount.policy.turn import Benefit, Missing, Take, Turn, words_for_each, words_of, wrong_percent
from pos_discount.policy.values import Count, Money, Percent, Products, Reads

__all__ = [
    "BENEFITS",
    "AmountOff",
    "Benefit",
    "Bundle",
    "BundlePart",
    "BundleTerms",
    "BuyGet",
    "BuyGetTerms",
    "Every",
    "Gift",
    "GiftOf",
    "GroupGift",
    "GroupOf",
    "PercentOff",
    "Points",
    "PointsOf",
    "Position",
    "PriceList",
    "Prices",
    "SomeUnits",
    "Step",
    "TierTerms",
    "Tiers",
    "UnitPrice",
]


class SomeUnits(msgspec.Struct, frozen=True):
    """A bound on how many units get the benefit, and which: the cheapest unless said otherwise."""

    at_most: Count
    take: Take = "cheapest"


class PercentOff(Benefit, frozen=True):
    """A percentage off a range."""

    kind = "percent"
    percent: Percent
    of: Products = None
    units: SomeUnits | None = None

    def apply(self, turn: Turn) -> None:
        turn.take_percent(_choose(turn, self.of, self.units), self.percent)

    def chooses_units(self) -> bool:
        return self.units is not None

    def words(self, digits: int) -> str:
        return f"{format_percent(self.percent)} off{words_of(self.of)}{_words_for(self.units)}"

    def targets(self) -> tuple[Range | None, ...]:
        return (self.of,)

    def wrong(self) -> str | None:
        return wrong_percent(self.percent)


class AmountOff(Benefit, frozen=True):
    """An amount off a range: once for all of it, or for each of its lines or units."""

    kind = "amount"
    amount: Money
    of: Products = None
    each: Literal["basket", "line", "unit"] = "basket"
    units: SomeUnits | None = None

    def apply(self, turn: Turn) -> None:
        picks = _choose(turn, self.of, self.units)
        if self.each == "unit":
            turn.take_amount_per_unit(picks, self.amount)
        elif self.each == "line":
            turn.take_amount_per_line(picks, self.amount)
        else:
            turn.take_amount(picks, self.amount)

    def chooses_units(self) -> bool:
        return self.units is not None

    def depends_on_what_is_left(self, spend_counts: SpendCounts) -> bool:
        return self.each == "line" and self.units is not None  # the chosen units may come to lie on more lines

    def words(self, digits: int) -> str:
        whom = words_of(self.of) if self.each == "basket" else f" each {words_for_each(self.each, self.of)}"
        return f"{format_money(self.amount, digits)} off{whom}{_words_for(self.units)}"

    def targets(self) -> tuple[Range | None, ...]:
        return (self.of,)


class UnitPrice(Benefit, frozen=True):
    """A fixed price for each unit of a range, never dearer than it was."""

    kind = "unit_price"
    unit_price: Money
    of: Products = None
    units: SomeUnits | None = None

    def apply(self, turn: Turn) -> None:
        turn.set_price(_choose(turn, self.of, self.units), self.unit_price)

    def chooses_units(self) -> bool:
        return self.units is not None

    def words(self, digits: int) -> str:
        price = format_money(self.unit_price, digits)
        return f"each {words_for_each('unit', self.of)} for {price}{_words_for(self.units)}"

    def targets(self) -> tuple[Range | None, ...]:
        return (self.of,)


class Prices(msgspec.Struct, frozen=True):
    """The rows of a price list: a unit price in minor units for each sku, and the range of all these skus."""

    file: str
    price_by_sku: Mapping[str, int]
    products: Range


class PriceList(Benefit, frozen=True):
    """A unit price for each of many skus, never dearer than it was."""

    kind = "price_list"
    price_list: Annotated[Prices, Reads.PRICES]

    def apply(self, turn: Turn) -> None:
        price_by_sku = self.price_list.price_by_sku
        for pick in turn.units(self.price_list.products):
            turn.set_price((pick,), price_by_sku[turn.sku(pick.line)])

    def words(self, digits: int) -> str:
        return "special prices"

    def targets(self) -> tuple[Range | None, ...]:
        return (self.price_list.products,)


class Step(msgspec.Struct, frozen=True):
    """From so much money or so many units on: a percentage or an amount off. ``from_`` is text until ``by`` is
    known."""

    from_: Annotated[int, Reads.THRESHOLD]
    percent: Percent | None = None
    amount: Money | None = None

    def wrong(self) -> str | None:
        if (self.percent is None) == (self.amount is None):
            return "expected exactly one of percent and amount"
        return wrong_percent(self.percent)


class TierTerms(msgspec.Struct, frozen=True):
    """Steps by the money spent on a range or by its units, and the range that gets cheaper (the same where left
    out)."""

    by: Literal["spend", "quantity"]
    steps: tuple[Step, ...]
    of: Products = None
    on: Products = None


class Tiers(Benefit, frozen=True):
    """The more is bought, the more is given: the highest step that is reached."""

    kind = "tiers"
    tiers: TierTerms

    def apply(self, turn: Turn) -> None:
        terms = self.tiers
        reached = turn.spend(terms.of, None) if terms.by == "spend" else turn.quantity(terms.of)
        step = max((step for step in terms.steps if step.from_ <= reached), key=lambda step: step.from_, default=None)
        if step is None:
            return
        picks = turn.units(terms.of if terms.on is None else terms.on)
        if step.percent is not None:
            turn.take_percent(picks, step.percent)
        else:
            turn.take_amount(picks, step.amount or 0)

    def missing(self, turn: Turn) -> tuple[Missing, ...]:
        terms = self.tiers
        reached = turn.spend(terms.of, None) if terms.by == "spend" else turn.quantity(terms.of)
        lowest = min((step.from_ for step in terms.steps), default=reached)
        return (Missing(terms.by, lowest - reached, terms.of),) if reached < lowest else super().missing(turn)

    def words(self, digits: int) -> str:
        best = max(self.tiers.steps, key=lambda step: step.from_, default=Step(0, amount=0))
        if best.percent is not None:
            return f"up to {format_percent(best.percent)} off{words_of(self.tiers.of)}"
        return f"up to {format_money(best.amount or 0, digits)} off{words_of(self.tiers.of)}"

    def targets(self) -> tuple[Range | None, ...]:
        return (self.tiers.of if self.tiers.on is None else self.tiers.on,)

    def depends_on_what_is_left(self, spend_counts: SpendCounts) -> bool:
        return self.tiers.by == "spend" and spend_counts == "remaining"


class GiftOf(Benefit, frozen=True):
    """A gift."""

    kind = "gift"
    gift: Gift

    def apply(self, turn: Turn) -> None:
        turn.give(self.gift)

    def present_value(self) -> int:
        return self.gift.value

    def words(self, digits: int) -> str:
        return f"{self.gift.name} as a gift"


class PointsOf(Benefit, frozen=True):
    """Loyalty points."""

    kind = "points"
    points: Points

    def apply(self, turn: Turn) -> None:
        turn.give(self.points)

    def present_value(self) -> int:
        return self.points.value

    def words(self, digits: int) -> str:
        return f"{self.points.amount} points"


BENEFITS: Mapping[str, type[Benefit]] = {
    benefit.kind: benefit
    for benefit in (PercentOff, AmountOff, UnitPrice, PriceList, Every, BuyGet, Bundle, Tiers, GiftOf, PointsOf)
}


def _words_for(units: SomeUnits | None) -> str:
    if units is None:
        return ""
    return f", the {units.take} unit only" if units.at_most == 1 else f", the {units.at_most} {units.take} units only"


def _choose(turn: Turn, of: Range | None, units: SomeUnits | None) -> Collection[Pick]:
    picks = turn.units(of)
    if units is None or turn.quantity(of) <= units.at_most:
        return picks
    return take_units(by_price(picks, units.take), units.at_most)[0]
