"""What merchandisers wrote, as frozen values: the house, its ranges and guards, the promotions and their examples.

Everything in here is resolved: ranges hold ranges, price lists hold prices, moments carry their time zone. What could
not be read or resolved never gets here; the reader reports it instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from fractions import Fraction
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

from pos_discount.basket import Basket
from pos_discount.money import Rounding
from pos_discount.policy.benefits import Benefit
from pos_discount.policy.conditions import Condition, SpendCounts
from pos_discount.policy.ranges import Range
from pos_discount.policy.values import Count, Integer, Money, Number, Percent, Products, Reads, Text, Words

Offer = Literal["ladder", "automatic", "on_request"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Period = Literal["day", "week", "month", "year", "ever"]
Per = Literal["customer", "store", "cashier", "chain"]


class Place(msgspec.Struct, frozen=True):
    """Where something was written: a file's name and a position in it, both counted from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class LadderSettings(msgspec.Struct, frozen=True):
    """How long a ladder may be, how far apart its rungs lie and what saying one costs. ``min_step`` None: one minor
    unit."""

    max_rungs: Count = 4
    min_step: Money | None = None
    max_combined: Count = 3
    seconds_per_offer: Annotated[Fraction, Reads.DECIMAL] = Fraction(7)
    cost_per_hour: Money | None = None


class MinPrice(msgspec.Struct, frozen=True):
    """No unit of a range is sold below a price."""

    price: Money
    of: Products = None


class Guards(msgspec.Struct, frozen=True):
    """What no discount may break. ``authority`` maps a role to the depth that it may grant."""

    max_depth: Percent | None = None
    min_margin: Percent | None = None
    min_price: tuple[MinPrice, ...] = ()
    never: Products = None
    authority: Annotated[Mapping[str, Fraction], Reads.AUTHORITY] = {}


class Margin(msgspec.Struct, frozen=True):
    """The margin on list price of a range where no unit cost is known."""

    rate: Percent
    of: Products = None


class LearningSettings(msgspec.Struct, frozen=True):
    """How much learning may try, what a rewarded refusal is priced at, and how much worse a model may be."""

    exploration: Percent = Fraction(2, 100)
    shadow: bool = False
    refusal_price: Percent = Fraction(3, 100)
    max_loss: Percent = Fraction(1, 100)


class HoldoutSettings(msgspec.Struct, frozen=True):
    """The share of customers that get the house's old way, and what that is."""

    share: Percent = Fraction(5, 100)
    ladder: Literal["full", "first", "none"] = "full"


class Personalisation(msgspec.Struct, frozen=True):
    """Whether personal data may shape the ladder in some stores, and what the customer is told of it, by language."""

    use: bool = True
    stores: Words | None = None
    disclosure: Annotated[Mapping[str, str], Reads.SENTENCES] = {}


class CatalogueRow(msgspec.Struct, frozen=True):
    """One row of the catalogue: what a till may leave out about a sku. ``unit_cost`` in minor units."""

    category: str | None = None
    brand: str | None = None
    supplier: str | None = None
    tags: tuple[str, ...] = ()
    unit_cost: int | None = None


class House(msgspec.Struct, frozen=True):
    """The settings of the house. ``currency_digits`` is how many decimals its minor unit has."""

    policy: Literal[1]
    currency: Annotated[str, Reads.CURRENCY]
    currency_digits: Annotated[int, Reads.NOT_WRITTEN]
    time_zone: Annotated[ZoneInfo, Reads.TIME_ZONE]
    rounding: Rounding = "half_up"
    percent_of: Literal["remaining", "original"] = "remaining"
    spend_counts: SpendCounts = "original"
    resolve: Literal["best_for_customer", "priority"] = "best_for_customer"
    ladder: LadderSettings = LadderSettings()
    guards: Guards = Guards()
    margins: tuple[Margin, ...] = ()
    catalogue: Annotated[Mapping[str, CatalogueRow], Reads.CATALOGUE] = {}
    learning: LearningSettings = LearningSettings()
    holdout: HoldoutSettings = HoldoutSettings()
    personalisation: tuple[Personalisation, ...] = ()
    ranges: Annotated[Mapping[str, Range], Reads.NAMED_RANGES] = {}
    place_by_range: Annotated[Mapping[str, Place], Reads.NOT_WRITTEN] = {}
    place: Annotated[Place, Reads.NOT_WRITTEN] = Place("", 1, 1)


class Hours(msgspec.Struct, frozen=True):
    """A window of the local wall clock, end exclusive; one that ends at or before its start runs past midnight."""

    starts: time
    ends: time


class Limit(msgspec.Struct, frozen=True):
    """Most uses, or most money (cost to the house, minor units), per whom and in which period."""

    per: Per
    uses: Number | None = None
    budget: Money | None = None
    every: Period = "ever"

    def wrong(self) -> str | None:
        """Return what contradicts itself in the values as written, or None."""
        return None if (self.uses is None) != (self.budget is None) else "expected exactly one of uses and budget"


class Promotion(msgspec.Struct, frozen=True):
    """One rule of the policy: conditions, a benefit, limits."""

    id: Text
    name: Text
    benefit: Benefit
    place: Annotated[Place, Reads.NOT_WRITTEN]
    say: Annotated[Mapping[str, str], Reads.SENTENCES] = {}
    owner: Text | None = None
    reference: Text | None = None
    from_: datetime | None = None
    until: datetime | None = None
    weekdays: tuple[Weekday, ...] | None = None
    hours: tuple[Hours, ...] | None = None
    stores: Words | None = None
    not_stores: Words | None = None
    channels: Words | None = None
    regions: Words | None = None
    offer: Offer = "ladder"
    class_: Text | None = None
    combines_with: Words = ("none",)
    priority: Integer = 100
    when: tuple[Condition, ...] = ()
    cap: Money | None = None
    limits: tuple[Limit, ...] = ()
    funded: Percent = Fraction(0)
    approval: Text | None = None

    @property
    def stacking_class(self) -> str:
        """The class by which others name it in ``combines_with``: its own id unless one is given."""
        return self.class_ or self.id

    def combines(self, other: Promotion) -> bool:
        """Tell whether both may be given together: each must allow the other's class."""
        return self._allows(other) and other._allows(self)

    def _allows(self, other: Promotion) -> bool:
        return "all" in self.combines_with or other.stacking_class in self.combines_with


class Example(msgspec.Struct, frozen=True):
    """A basket and what must come of it; amounts in minor units, None for "must not apply"."""

    name: str
    place: Place
    basket: Basket
    saving_by_promotion: Mapping[str, int | None]
    base: int | None = None
    rungs: tuple[int, ...] | None = None
    segment: str | None = None


class Policy(msgspec.Struct, frozen=True):
    """All that merchandisers wrote, in force together; ``version`` is a digest of the files' content."""

    version: str
    house: House
    promotions: tuple[Promotion, ...]
    examples: tuple[Example, ...]
