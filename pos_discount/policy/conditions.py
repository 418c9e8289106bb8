"""The closed list of conditions: what each is called, and those on what is in the basket or on other conditions.

Adding a kind is one class, here or beside those on the visit, and one row in `CONDITIONS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pos_discount.money import format_money
from pos_discount.policy.condition import Bounded, Condition, SpendCounts, Unmet, View
from pos_discount.policy.ranges import Range
from pos_discount.policy.values import Money, Products, ProductSets, Reads
from pos_discount.policy.visit_conditions import (
    Asked,
    Attribute,
    Birthday,
    Coupon,
    DaysSinceLastVisit,
    Group,
    InCurrency,
    Member,
    Payment,
    Segment,
    Tier,
    VisitNumber,
    caseless,
)

__all__ = [
    "CONDITIONS",
    "AnyOf",
    "Asked",
    "Attribute",
    "Birthday",
    "Bounded",
    "BoundedByUnits",
    "Condition",
    "Contains",
    "Coupon",
    "DaysSinceLastVisit",
    "Distinct",
    "Group",
    "InCurrency",
    "Member",
    "NoneOf",
    "Payment",
    "Quantity",
    "Segment",
    "Spend",
    "SpendCounts",
    "Tier",
    "Unmet",
    "View",
    "VisitNumber",
    "caseless",
    "first_unmet",
    "words_for_missing",
]


class BoundedByUnits(Bounded, frozen=True):
    """A condition on a number that only units of a range raise above zero."""

    def needs_units(self) -> bool:
        return self.missing(0) > 0


class Quantity(BoundedByUnits, frozen=True):
    """A number of units of a range."""

    kind = "quantity"
    of: Products = None

    def unmet(self, view: View) -> Unmet | None:
        units = view.quantity(self.of)
        if more := self.missing(units):
            return Unmet(self.kind, words_for_missing(self.kind, more, self.of, 0), {"quantity": more})
        if self.exceeds(units):
            return Unmet(self.kind, f"{units} {_units(units)}{_of(self.of)} are too many")
        return None


class Spend(BoundedByUnits, frozen=True):
    """The money spent on a range."""

    kind = "spend"
    of: Products = None
    counts: SpendCounts | None = None
    at_least: Money | None = None
    more_than: Money | None = None
    at_most: Money | None = None
    below: Money | None = None
    exactly: Money | None = None

    def unmet(self, view: View) -> Unmet | None:
        spent = view.spend(self.of, self.counts)
        if more := self.missing(spent):
            return Unmet(self.kind, words_for_missing(self.kind, more, self.of, view.currency_digits), {"spend": more})
        if self.exceeds(spent):
            return Unmet(self.kind, f"{format_money(spent, view.currency_digits)}{_of(self.of)} is too much")
        return None

    def depends_on_what_is_left(self, spend_counts: SpendCounts) -> bool:
        return (self.counts or spend_counts) == "remaining"


class Contains(Condition, frozen=True):
    """At least one unit of each range that is named."""

    kind = "contains"
    shorthand = "ranges"
    ranges: ProductSets

    def unmet(self, view: View) -> Unmet | None:
        missing = [products for products in self.ranges if not view.quantity(products)]
        if not missing:
            return None
        detail = ", ".join([words_for_missing("quantity", 1, products, 0) for products in missing])
        return Unmet(self.kind, detail, {"quantity": len(missing)})

    def needs_units(self) -> bool:
        return bool(self.ranges)


class Distinct(BoundedByUnits, frozen=True):
    """A number of different skus of a range."""

    kind = "distinct"
    of: Products = None

    def unmet(self, view: View) -> Unmet | None:
        skus = view.distinct(self.of)
        if more := self.missing(skus):
            return Unmet(self.kind, f"{more} more different {_products(more)}{_of(self.of)} needed", {"distinct": more})
        return Unmet(self.kind, f"{skus} different products are too many") if self.exceeds(skus) else None


class AnyOf(Condition, frozen=True):
    """At least one of several lists of conditions holds."""

    kind = "any"
    shorthand = "alternatives"
    alternatives: Annotated[tuple[tuple[Condition, ...], ...], Reads.ALTERNATIVES]

    def unmet(self, view: View) -> Unmet | None:
        reasons = []
        for conditions in self.alternatives:
            reason = first_unmet(conditions, view)
            if reason is None:
                return None
            reasons.append(reason)
        return Unmet(self.kind, " or ".join(reason.detail for reason in reasons), _nearest(reasons))

    def depends_on_what_is_left(self, spend_counts: SpendCounts) -> bool:
        return any(c.depends_on_what_is_left(spend_counts) for conditions in self.alternatives for c in conditions)


class NoneOf(Condition, frozen=True):
    """None of these conditions holds."""

    kind = "not"
    shorthand = "conditions"
    conditions: Annotated[tuple[Condition, ...], Reads.CONDITIONS]

    def unmet(self, view: View) -> Unmet | None:
        held = next((condition for condition in self.conditions if condition.unmet(view) is None), None)
        return None if held is None else Unmet(self.kind, f"ruled out by {held.kind}")

    def depends_on_what_is_left(self, spend_counts: SpendCounts) -> bool:
        return any(condition.depends_on_what_is_left(spend_counts) for condition in self.conditions)


CONDITIONS: Mapping[str, type[Condition]] = {
    condition.kind: condition
    for condition in (
        Quantity,
        Spend,
        Contains,
        Distinct,
        Member,
        Tier,
        Group,
        Birthday,
        VisitNumber,
        DaysSinceLastVisit,
        Coupon,
        Segment,
        Asked,
        Payment,
        InCurrency,
        Attribute,
        AnyOf,
        NoneOf,
    )
}


def first_unmet(conditions: tuple[Condition, ...], view: View) -> Unmet | None:
    """Return why the first condition that does not hold does not, or None where all hold."""
    for condition in conditions:
        reason = condition.unmet(view)
        if reason is not None:
            return reason
    return None


def _nearest(reasons: Sequence[Unmet]) -> Mapping[str, int] | None:
    """Return the least of what is missing for one of several reasons to fall away, of the sort that comes first."""
    near_misses = [reason.near_miss for reason in reasons if reason.near_miss]
    alike = [one for one in near_misses if one.keys() == near_misses[0].keys()]
    return min(alike, key=lambda one: sum(one.values()), default=None)


def words_for_missing(what: str, amount: int, of: Range | None, digits: int) -> str:
    """Say what is missing: so many more units, or so much more money (minor units of so many decimals), of a range."""
    if what == "spend":
        return f"{format_money(amount, digits)} more{_of(of)} needed"
    return f"{amount} more {_units(amount)}{_of(of)} needed"


def _of(products: Range | None) -> str:
    return f" of {products.name}" if products is not None and products.name else ""


def _units(count: int) -> str:
    return "unit" if count == 1 else "units"


def _products(count: int) -> str:
    return "product" if count == 1 else "products"
