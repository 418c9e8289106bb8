"""Conditions on who buys, and how: the customer, the visit, and what was shown or said at the till."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Literal

from pos_discount.basket import Attributes, Basket, Customer
from pos_discount.policy.condition import Bounded, Condition, Stated, Unmet, View, Word
from pos_discount.policy.ranges import has_attribute
from pos_discount.policy.values import Count, Number, Text, Words


class Member(Stated, frozen=True):
    """Whether a customer_id was sent."""

    kind = "member"
    shorthand = "is_member"
    is_member: bool

    def wanted(self) -> Collection[Word]:
        return (self.is_member,)

    @staticmethod
    def stated(view: View) -> Collection[Word | None]:
        customer = view.basket.customer
        return (customer is not None and customer.customer_id is not None,)

    def refusal(self) -> str:
        return "for members only" if self.is_member else "for customers without a card only"


class Tier(Stated, frozen=True):
    """The customer's loyalty tier is one of these."""

    kind = "tier"
    shorthand = "tiers"
    tiers: Words

    def wanted(self) -> Collection[Word]:
        return self.tiers

    @staticmethod
    def stated(view: View) -> Collection[Word | None]:
        return (view.basket.customer.tier,) if view.basket.customer else ()

    def refusal(self) -> str:
        return f"for {_any_of(self.tiers)} members"


class Group(Stated, frozen=True):
    """The customer belongs to one of these groups."""

    kind = "group"
    shorthand = "groups"
    groups: Words

    def wanted(self) -> Collection[Word]:
        return self.groups

    @staticmethod
    def stated(view: View) -> Collection[Word | None]:
        return view.basket.customer.groups if view.basket.customer else ()

    def refusal(self) -> str:
        return f"for the group {_any_of(self.groups)}"


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
        word = caseless(presented)
        return any(_matches_code(word, caseless(code)) for code in self.codes)


class Segment(Stated, frozen=True):
    """The customer's behavioural segment, by id or name."""

    kind = "segment"
    shorthand = "segments"
    segments: Words

    def wanted(self) -> Collection[Word]:
        return self.segments

    @staticmethod
    def stated(view: View) -> Collection[Word | None]:
        return view.segment

    def refusal(self) -> str:
        return "for other customers"


class Asked(Stated, frozen=True):
    """Whether the cashier notes that the customer asked for a discount."""

    kind = "asked"
    shorthand = "has_asked"
    has_asked: bool

    def wanted(self) -> Collection[Word]:
        return (self.has_asked,)

    @staticmethod
    def stated(view: View) -> Collection[Word | None]:
        return (view.basket.asked,)

    def refusal(self) -> str:
        return "only when the customer asks" if self.has_asked else "not when the customer asks"


class Payment(Stated, frozen=True):
    """The customer pays in one of these ways."""

    kind = "payment"
    shorthand = "ways"
    ways: Words

    def wanted(self) -> Collection[Word]:
        return self.ways

    @staticmethod
    def stated(view: View) -> Collection[Word | None]:
        return (view.basket.payment,)

    def refusal(self) -> str:
        return f"when paying by {_any_of(self.ways)}"


class InCurrency(Stated, frozen=True):
    """The sale is in one of these currencies."""

    kind = "currency"
    shorthand = "codes"
    codes: Words

    def wanted(self) -> Collection[Word]:
        return self.codes

    @staticmethod
    def stated(view: View) -> Collection[Word | None]:
        return (view.basket.currency,)

    def refusal(self) -> str:
        return f"when paying in {_any_of(self.codes)}"


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


def caseless(code: str) -> str:
    """Write a coupon so that upper and lower case are the same, by any language's rules: Turkish pairs İ with i and I
    with ı.

    >>> caseless("İNDİRİM") == caseless("indirim"), caseless("ALTIN") == caseless("altın")
    (True, True)
    """
    return code.casefold().replace("i\u0307", "i").replace("ı", "i")


def _matches_code(word: str, code: str) -> bool:
    return word.startswith(code[:-1]) if code.endswith("*") else word == code


def _birthday_in(year: int, birthday: str) -> date:
    month, day = int(birthday[:2]), int(birthday[3:])
    if (month, day) == (2, 29):
        return date(year, 3, 1) - timedelta(days=1)
    return date(year, month, day)


def _attributes(holder: Basket | Customer | None) -> Attributes:
    return holder.attributes if holder else {}


def _any_of(words: tuple[str, ...]) -> str:
    return " or ".join(words)
