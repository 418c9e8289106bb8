"""The closed list of conditions: what each is called, what may be written under it, and when it holds.

Adding a kind is one class here and one row in `CONDITIONS`. A condition looks at the world through `View`, which the
pricing floor implements; it keeps no state and reads no clock. What is unknown does not hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, ClassVar, Literal, NamedTuple, Protocol

import msgspec

from pos_discount.basket import Attributes, Basket, Customer
from pos_discount.money import format_money
from pos_discount.policy.ranges import Range, has_attribute
from pos_discount.policy.values import Count, Money, Number, Products, ProductSets, Reads, Text, Words

SpendCounts = Literal["original", "remaining"]


class View(Protocol):
    """What a condition may look at, at its promotion's turn: the basket on what earlier promotions left."""

    @property
    def basket(self) -> Basket: ...
    @property
    def local_time(self) -> datetime: ...
    @property
    def segment(self) -> tuple[str, ...]: ...
    @property
    def currency_digits(self) -> int: ...
    def quantity(self, of: Range | None) -> int: ...
    def distinct(self, of: Range | None) -> int: ...
    def spend(self, of: Range | None, counts: SpendCounts | None) -> int: ...


class Unmet(NamedTuple):
    """Why a condition does not hold: a stable reason, words a cashier can say, and what is missing, if that can be
    bought."""

    reason: str
    detail: str
    near_miss: Mapping[str, int] | None = None


class Condition(msgspec.Struct, frozen=True):
    """The base of all kinds. ``shorthand`` names the field that a bare value, not a mapping, is for."""

    kind: ClassVar[str]
    shorthand: ClassVar[str | None] = None

    def unmet(self, view: View) -> Unmet | None:
        """Return why the condition does not hold, or None where it does."""
        raise AssertionError(f"{type(self).__name__} must say when it holds")

    def depends_on_what_is_left(self, spend_counts: SpendCounts) -> bool:
        """Tell whether earlier promotions can change the answer."""
        return False

    def needs_units(self) -> bool:
        """Tell whether it cannot hold unless the basket holds a unit of one of its ranges."""
        return False


class Bounded(Condition, frozen=True):
    """A condition on a number: every bound that is given must hold."""

    at_least: Number | None = None
    more_than: Number | None = None
    at_most: Number | None = None
    below: Number | None = None
    exactly: Number | None = None

    def missing(self, value: int) -> int:
        """Return how much more the value must be to reach the lower bounds; 0 where it does."""
        floor = max(self.at_least or 0, self.exactly or 0, -1 if self.more_than is None else self.more_than + 1)
        return max(0, floor - value)

    def holds(self, value: int) -> bool:
        """Tell whether the value lies within all bounds."""
        return not self.missing(value) and not self.exceeds(value)

    def exceeds(self, value: int) -> bool:
        """Tell whether the value lies beyond an upper bound."""
        return (
            (self.at_most is not None and value > self.at_most)
            or (self.below is not None and value >= self.below)
            or (self.exactly is not None and value > self.exactly)
        )

    def can_hold(self) -> bool:
        """Tell whether any whole number from 0 satisfies all bounds."""
        return not self.exceeds(self.missing(0))


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
        if self.missing(units):
            more = self.missing(units)
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
        for products in self.ranges:
            if not view.quantity(products):
                return Unmet(self.kind, words_for_missing("quantity", 1, products, 0), {"quantity": 1})
        return None

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


class Member(Condition, frozen=True):
    """Whether a customer_id was sent."""

    kind = "member"
    shorthand = "is_member"
    is_member: bool

    def unmet(self, view: View) -> Unmet | None:
        if (view.basket.customer is not None and view.basket.customer.customer_id is not None) == self.is_member:
            return None
        return Unmet(self.kind, "for members only" if self.is_member else "for customers without a card only")


class Tier(Condition, frozen=True):
    """The customer's loyalty tier is one of these."""

    kind = "tier"
    shorthand = "tiers"
    tiers: Words

    def unmet(self, view: View) -> Unmet | None:
        customer = view.basket.customer
        return (
            None if customer and customer.tier in self.tiers else Unmet(self.kind, f"for {_any_of(self.tiers)} members")
        )


class Group(Condition, frozen=True):
    """The customer belongs to one of these groups."""

    kind = "group"
    shorthand = "groups"
    groups: Words

    def unmet(self, view: View) -> Unmet | None:
        customer = view.basket.customer
        if customer and any(group in self.groups for group in customer.groups):
            return None
        return Unmet(self.kind, f"for the group {_any_of(self.groups)}")


class Birthday(Condition, frozen=True):
    """Today lies within a window of days around the customer's birthday; 29 February is kept on the 28th in other
    years."""

    kind = "birthday"
    days_before: Number = 0
    days_after: Number = 0

    def unmet(self, view: View) -> Unmet | None:
        customer, today = view.basket.customer, view.local_time.date()
        if customer is None or customer.birthday is None:
            return Unmet(self.kind, "the customer's birthday is not known")
        days = [
            (today - _birthday_in(year, customer.birthday)).days
            for year in (today.year - 1, today.year, today.year + 1)
        ]
        if any(-self.days_before <= day <= self.days_after for day in days):
            return None
        return Unmet(self.kind, "only around the customer's birthday")


class VisitNumber(Bounded, frozen=True):
    """Which visit of the customer this is, this one counted."""

    kind = "visit_number"
    every: Count | None = None

    def unmet(self, view: View) -> Unmet | None:
        visit = view.basket.customer.visit_number if view.basket.customer else None
        if visit is not None and self.holds(visit) and (self.every is None or visit % self.every == 0):
            return None
        return Unmet(self.kind, "the customer's visits are not known" if visit is None else f"not on visit {visit}")


class DaysSinceLastVisit(Bounded, frozen=True):
    """How many days ago the customer was last here, by the house's calendar; a day to come counts as today."""

    kind = "days_since_last_visit"

    def unmet(self, view: View) -> Unmet | None:
        last = view.basket.customer.last_visit_on if view.basket.customer else None
        if last is None:
            return Unmet(self.kind, "the customer's last visit is not known")
        days = max(0, (view.local_time.date() - last).days)
        return None if self.holds(days) else Unmet(self.kind, f"the customer's last visit was {days} days ago")


class Coupon(Condition, frozen=True):
    """One of these coupons is presented; case does not matter, and ``*`` matches the rest."""

    kind = "coupon"
    shorthand = "codes"
    codes: Words

    def unmet(self, view: View) -> Unmet | None:
        if any(self.matches(coupon) for coupon in view.basket.coupons):
            return None
        return Unmet(self.kind, f"with the coupon {_any_of(self.codes)}")

    def matches(self, presented: str) -> bool:
        """Tell whether a presented coupon is one of these."""
        word = presented.casefold()
        return any(_matches_code(word, code.casefold()) for code in self.codes)


class Segment(Condition, frozen=True):
    """The customer's behavioural segment, by id or name."""

    kind = "segment"
    shorthand = "segments"
    segments: Words

    def unmet(self, view: View) -> Unmet | None:
        return None if any(word in self.segments for word in view.segment) else Unmet(self.kind, "for other customers")


class Asked(Condition, frozen=True):
    """Whether the cashier notes that the customer asked for a discount."""

    kind = "asked"
    shorthand = "has_asked"
    has_asked: bool

    def unmet(self, view: View) -> Unmet | None:
        if view.basket.asked == self.has_asked:
            return None
        return Unmet(self.kind, "only when the customer asks" if self.has_asked else "not when the customer asks")


class Payment(Condition, frozen=True):
    """The customer pays in one of these ways."""

    kind = "payment"
    shorthand = "ways"
    ways: Words

    def unmet(self, view: View) -> Unmet | None:
        return None if view.basket.payment in self.ways else Unmet(self.kind, f"when paying by {_any_of(self.ways)}")


class InCurrency(Condition, frozen=True):
    """The sale is in one of these currencies."""

    kind = "currency"
    shorthand = "codes"
    codes: Words

    def unmet(self, view: View) -> Unmet | None:
        return None if view.basket.currency in self.codes else Unmet(self.kind, f"when paying in {_any_of(self.codes)}")


class Attribute(Condition, frozen=True):
    """A named attribute of the customer or the basket has one of these values."""

    kind = "attribute"
    name: Text
    is_: Words
    of: Literal["customer", "basket"] = "basket"

    def unmet(self, view: View) -> Unmet | None:
        attributes = _attributes(view.basket if self.of == "basket" else view.basket.customer)
        if has_attribute(tuple(attributes.items()), self.name, self.is_):
            return None
        return Unmet(self.kind, f"when the {self.of}'s {self.name} is {_any_of(self.is_)}")


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
        near_miss = next((reason.near_miss for reason in reasons if reason.near_miss), None)
        return Unmet(self.kind, " or ".join(reason.detail for reason in reasons), near_miss)

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


def words_for_missing(what: str, amount: int, of: Range | None, digits: int) -> str:
    """Say what is missing: so many more units, or so much more money (minor units of so many decimals), of a range."""
    if what == "spend":
        return f"{format_money(amount, digits)} more{_of(of)} needed"
    return f"{amount} more {_units(amount)}{_of(of)} needed"


def _matches_code(word: str, code: str) -> bool:
    return word.startswith(code[:-1]) if code.endswith("*") else word == code


def _birthday_in(year: int, birthday: str) -> date:
    month, day = int(birthday[:2]), int(birthday[3:])
    if (month, day) == (2, 29):
        return date(year, 3, 1) - timedelta(days=1)
    return date(year, month, day)


def _attributes(holder: Basket | Customer | None) -> Attributes:
    return holder.attributes if holder else {}


def _of(products: Range | None) -> str:
    return f" of {products.name}" if products is not None and products.name else ""


def _units(count: int) -> str:
    return "unit" if count == 1 else "units"


def _products(count: int) -> str:
    return "product" if count == 1 else "products"


def _any_of(words: tuple[str, ...]) -> str:
    return " or ".join(words)
