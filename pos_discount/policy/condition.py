"""What a condition is, what it may look at, and how it says that it does not hold.

A condition looks at the world through `View`, which the pricing floor implements; it keeps no state and reads no
clock. What is unknown does not hold.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import ClassVar, Literal, NamedTuple, Protocol

import msgspec

from pos_discount.basket import Basket
from pos_discount.policy.ranges import Range
from pos_discount.policy.values import Number

SpendCounts = Literal["original", "remaining"]
Word = str | bool


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
        # Not an abstract method: msgspec lets a kind without one be made, and it would always hold.
        raise AssertionError(f"{type(self).__name__} must say when it holds")

    def depends_on_what_is_left(self, spend_counts: SpendCounts) -> bool:
        """Tell whether earlier promotions can change the answer."""
        return False

    def needs_units(self) -> bool:
        """Tell whether it cannot hold unless the basket holds a unit of one of its ranges."""
        return False


class Stated(Condition, frozen=True):
    """A condition on a plain fact that each sale states in words: it holds where one of them is wanted. So it can be
    told beforehand which words let which promotions stand."""

    @abstractmethod
    def wanted(self) -> Collection[Word]:
        """Return the words of which one must be stated."""

    @staticmethod
    @abstractmethod
    def stated(view: View) -> Collection[Word | None]:
        """Return the sale's words for this fact; None stands for what is unknown and is never wanted."""

    @abstractmethod
    def refusal(self) -> str:
        """Say for which sales it holds, to somebody for whom it does not."""

    def unmet(self, view: View) -> Unmet | None:
        wanted = self.wanted()
        return None if any(word in wanted for word in self.stated(view)) else Unmet(self.kind, self.refusal())


class Bounded(Condition, frozen=True):
    """A condition on a number: every bound that is given must hold."""

    at_least: Number | None = None
    more_than: Number | None = None
    at_most: Number | None = None
    below: Number | None = None
    exactly: Number | None = None

    def missing(self, value: int) -> int:
        """Return how much more the value must be to reach the lower bounds; 0 where it does."""
        floor = self.at_least or 0
        if self.exactly is not None and self.exactly > floor:
            floor = self.exactly
        if self.more_than is not None and self.more_than >= floor:
            floor = self.more_than + 1
        return floor - value if floor > value else 0

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
