"""What a benefit is, and what it may do at its promotion's turn.

A benefit picks units and names amounts; the money itself (floors, rounding, sharing over lines and units) is the
business of the `Turn` that the pricing floor implements, so that it is in one place for all. Units come as `Pick`s,
runs of alike units of one line, so that a basket of a million alike units costs no more than one of two.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fractions import Fraction
from typing import ClassVar, Literal, NamedTuple, Protocol

import msgspec

from pos_discount.policy.condition import SpendCounts
from pos_discount.policy.picks import Pick
from pos_discount.policy.presents import Gift, Points
from pos_discount.policy.ranges import Range
from pos_discount.policy.values import Percent

Take = Literal["cheapest", "dearest"]


class Turn(Protocol):
    """What a benefit may do when it is its promotion's turn. Amounts are taken off units, never below their floor."""

    def units(self, of: Range | None) -> Collection[Pick]:
        """Return the units of a range in basket order, at what earlier promotions left of their price."""
        ...

    def unused_units(self, of: Range | None) -> list[Pick]:
        """Return those of them that no group benefit has used."""
        ...

    def spend(self, of: Range | None, counts: Literal["original", "remaining"] | None) -> int: ...
    def quantity(self, of: Range | None) -> int: ...
    def sku(self, line: int) -> str: ...

    def room(self, pick: Pick) -> int:
        """Return how much can be taken off each unit of a pick: down to zero or its floor."""
        ...

    def percent_of(self, pick: Pick) -> int:
        """Return what a percentage of each unit of a pick is taken from, as the house has it."""
        ...

    def take_percent(self, picks: Collection[Pick], percent: Percent) -> None:
        """Take a percentage off all picks together, rounded once; what goes below a floor is cut."""
        ...

    def take_amount(self, picks: Collection[Pick], amount: int, times: int = 1) -> None:
        """Share an amount over the picks, ``times`` over for so many alike groups; what does not fit one goes to the
        others."""
        ...

    def take_amount_per_line(self, picks: Collection[Pick], amount: int) -> None:
        """Take an amount off each line's picks; what does not fit is cut."""
        ...

    def take_amount_per_unit(self, picks: Collection[Pick], amount: int) -> None:
        """Take an amount off each unit; what does not fit is cut."""
        ...

    def set_price(self, picks: Collection[Pick], price: int) -> None:
        """Bring each unit down to a price, never up."""
        ...

    def use(self, picks: Collection[Pick]) -> None:
        """Mark units so that they serve no other group benefit."""
        ...

    def count(self, steps: int, *, is_exact: bool = True) -> None:
        """Count steps of a search for the best choice, and tell whether it came to its end."""
        ...

    def give(self, present: Gift | Points) -> None:
        """Hand over a gift or points."""
        ...


class Missing(NamedTuple):
    """So many more units, or so much more money (``spend``, in minor units), of a range."""

    what: Literal["quantity", "spend"]
    amount: int
    of: Range | None


class Benefit(msgspec.Struct, frozen=True):
    """The base of all kinds."""

    kind: ClassVar[str]
    uses_units: ClassVar[bool] = False

    def apply(self, turn: Turn) -> None:
        """Give the benefit at its promotion's turn."""
        raise AssertionError(f"{type(self).__name__} must say what it gives")

    def chooses_units(self) -> bool:
        """Tell whether it picks some units of a range, so that what others leave can change which."""
        return self.uses_units

    def missing(self, turn: Turn) -> tuple[Missing, ...]:
        """Return all that would have to be bought for the benefit to give something, in units or in money alone;
        nothing where buying more does not help."""
        targets = self.targets()
        if targets and not any(turn.quantity(of) for of in targets):
            return (Missing("quantity", 1, targets[0]),)
        return ()

    def words(self, digits: int) -> str:
        """Describe the benefit in a few plain words, for a currency with so many decimals."""
        raise AssertionError(f"{type(self).__name__} must say what it is")

    def targets(self) -> tuple[Range | None, ...]:
        """Return the ranges whose units can get cheaper; None is the whole basket; empty: none can."""
        return ()

    def present_value(self) -> int:
        """Return what its gift or points are worth to the customer, in minor units."""
        return 0

    def depends_on_what_is_left(self, spend_counts: SpendCounts) -> bool:
        """Tell whether earlier promotions can make it give more than it gives alone."""
        return False

    def wrong(self) -> str | None:
        """Return what contradicts itself in the values as written, or None."""
        return None


def alike(picks: Sequence[Pick], times: int) -> list[Pick]:
    """Return the picks of so many alike groups."""
    return [pick.with_units(pick.units * times) for pick in picks]


def wrong_percent(percent: Fraction | None) -> str | None:
    """Return what is wrong with a percentage off, or None."""
    return None if percent is None or 0 <= percent <= 1 else "expected a percentage from 0% to 100%"


def words_for_each(what: str, products: Range | None) -> str:
    """Return what of a range each is given for, such as ``unit of care``; without the range where it has no name."""
    return f"{what} of{words_of(products)}" if words_of(products) else what


def words_of(products: Range | None) -> str:
    """Return a range's name with a space before it, for sentences; nothing where it has none."""
    return f" {products.name}" if products is not None and products.name else ""
