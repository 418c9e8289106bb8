"""What a condition is, what it may look at, and how it says that it does not hold.

A condition looks at the world through `View`, which the pricing floor implements; it keeps no state and reads no
clock. What is unknown does not hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Literal, NamedTuple, Protocol

import msgspec

from pos_discount.basket import Basket
from pos_discount.policy.ranges import Range
from pos_discount.policy.values import Number

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
