"""The answer to a basket, field by field as the API promises it; the JSON and its OpenAPI description are made from
these types.

All money is integer minor units. The order of fields is the order in the JSON, so equal answers are equal bytes.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from pos_discount.basket import Arm


class LineShare(msgspec.Struct, frozen=True, gc=False):
    """What a discount takes off one line, and on how many of its units that still cost something."""

    line_id: str
    saving: int
    units: int


class Discount(msgspec.Struct, frozen=True, gc=False):
    """One promotion evaluated on one basket. ``cost`` is what the house pays, gifts and points included."""

    promotion_id: str
    name: str
    class_: str = msgspec.field(name="class")
    offer: str
    saving: int
    cost: int
    lines: tuple[LineShare, ...]


class GivenGift(msgspec.Struct, frozen=True):
    """A product that is handed over for nothing; ``value`` is what it is worth to the customer."""

    promotion_id: str
    sku: str
    name: str
    value: int


class Base(msgspec.Struct, frozen=True):
    """What the basket costs before anything is said."""

    total: int
    saving: int
    discounts: tuple[Discount, ...]
    gifts: tuple[GivenGift, ...]
    points: int


class NotApplicable(msgspec.Struct, frozen=True):
    """Why a promotion does not apply: a stable reason, words a cashier can say, and what is missing, if it can be
    bought."""

    promotion_id: str
    reason: str
    detail: str
    near_miss: dict[str, int] | None


class LineNet(msgspec.Struct, frozen=True, gc=False):
    """A line of the basket at list price, what is taken off it in all, and what is left."""

    line_id: str
    list: int
    saving: int
    net: int


class Rung(msgspec.Struct, frozen=True):
    """A candidate that is worth naming. ``saving`` is what the cashier newly gives, beyond the base."""

    rung: int
    saving: int
    value: int
    total: int
    depth: float
    say: str
    promotions: tuple[str, ...]
    discounts: tuple[Discount, ...]
    lines: tuple[LineNet, ...]
    gifts: tuple[GivenGift, ...]
    points: int
    approval: str | None
    acceptance: float
    expected_profit: int | None


class SegmentName(msgspec.Struct, frozen=True):
    """The behavioural segment that the customer was taken for."""

    segment_id: str
    name: str


class Answer(msgspec.Struct, frozen=True):
    """The whole answer: every discount that applies, why others do not, and the ladder."""

    decision_id: str
    at: datetime
    expires_at: datetime
    policy_version: str
    model_version: str | None
    arm: Arm
    segment: SegmentName | None
    fallback: str | None
    exact: bool
    currency: str
    list_total: int
    base: Base
    discounts: tuple[Discount, ...]
    not_applicable: tuple[NotApplicable, ...]
    ladder: tuple[Rung, ...]
    personalised: bool
    disclosure: str
