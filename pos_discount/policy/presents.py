"""What a customer gets beside a lower price: gifts and points."""

from __future__ import annotations

import msgspec

from pos_discount.policy.values import Count, Money, Text


class Gift(msgspec.Struct, frozen=True):
    """A product handed over for nothing: ``value`` to the customer orders it on the ladder, ``cost`` is what the
    house pays."""

    sku: Text
    name: Text
    value: Money = 0
    cost: Money = 0


class Points(msgspec.Struct, frozen=True):
    """Loyalty points: their number, what they are worth to the customer and what they cost the house."""

    amount: Count
    value: Money = 0
    cost: Money = 0
