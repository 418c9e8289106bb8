"""Benefits for groups of units: every third, buy some and get others, bundles.

A unit that one of them has used, to qualify or as a target, serves no other of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from typing import Annotated, Literal

import msgspec

from pos_discount.money import format_money, format_percent
from pos_discount.policy.assignment import Assigned, Saving, Slot, assign_bundles
from pos_discount.policy.balancing import balance_bundles
from pos_discount.policy.filling import units_lacking
from pos_discount.policy.picks import Pick, by_price, count_units, groups_of, take_units
from pos_discount.policy.ranges import Range
from pos_discount.policy.turn import Benefit, Missing, Take, Turn, alike, words_for_each, words_of, wrong_percent
from pos_discount.policy.values import Count, Money, Percent, Products, Reads

MOST_PARTS = 100
"""Most parts of a bundle."""

_STEPS_PER_GROUP = 20
"""How much longer a group of units takes to be made than a line to be looked at."""


class Position(msgspec.Struct, frozen=True):
    """A place in a group, counted from its cheapest unit."""

    position: Count


class GroupOf(msgspec.Struct, frozen=True):
    """Groups of so many units of a range, and how the units are put into groups."""

    units: Count
    of: Products = None
    fill: Literal["whole_set", "dearest_first", "cheapest_first"] | None = None
    at_most: Count | None = None


class GroupGift(msgspec.Struct, frozen=True):
    """What each group gets: a percentage off some of its units, an amount off it or a price for it, or for the units of
    it that ``to`` names, together."""

    percent: Percent | None = None
    amount: Money | None = None
    price: Money | None = None
    to: Annotated[Literal["cheapest", "dearest", "all"] | Position | None, Reads.TARGET] = None
    units: Count = 1

    def wrong(self) -> str | None:
        if [self.percent, self.amount, self.price].count(None) != 2:
            return "expected exactly one of percent, amount and price"
        return wrong_percent(self.percent)


class Every(Benefit, frozen=True):
    """Something for every group of so many units: every third free, two for the price of one, three for 10.00."""

    kind = "every"
    uses_units = True
    every: GroupOf
    give: GroupGift

    @property
    def fill(self) -> str:
        """How units are grouped; freeing the cheapest of the whole set is the default for a percentage off the
        cheapest."""
        is_cheapest = self.give.percent is not None and self.give.to in (None, "cheapest")
        return self.every.fill or ("whole_set" if is_cheapest else "dearest_first")

    @property
    def to(self) -> Take | Literal["all"] | Position:
        """Which units of a group get the benefit: the cheapest for a percentage, all for an amount or a price."""
        return self.give.to or ("all" if self.give.percent is None else "cheapest")

    def apply(self, turn: Turn) -> None:
        picks = turn.unused_units(self.every.of)
        groups = count_units(picks) // self.every.units
        groups = min(groups, self.every.at_most or groups)
        if not groups:
            return
        if self.fill == "whole_set":
            members, targets = self._whole_set(picks, groups)
            self._give(turn, [(members, targets, 1)], groups)
        else:
            order: Take = "cheapest" if self.fill == "cheapest_first" else "dearest"
            batches = list(groups_of(by_price(picks, order), self.every.units, groups))
            turn.count(_STEPS_PER_GROUP * len(batches))
            self._give(turn, [(members, self._targets(members), times) for members, times in batches], 1)

    def missing(self, turn: Turn) -> tuple[Missing, ...]:
        more = self.every.units - count_units(turn.unused_units(self.every.of))
        return (Missing("quantity", more, self.every.of),) if more > 0 else ()

    def _give(self, turn: Turn, batches: list[tuple[list[Pick], list[Pick], int]], groups: int) -> None:
        """Give to (members, targets, how many alike) batches, each of so many groups; a percentage once for all of
        them. A group that costs no more than its price gets nothing and leaves its units free."""
        if self.give.percent is not None:
            turn.take_percent(
                [pick for _, targets, times in batches for pick in alike(targets, times)], self.give.percent
            )
            for members, _, times in batches:
                turn.use(alike(members, times))
            return
        for members, targets, times in batches:
            amount = self._amount(targets, groups)
            if amount:
                turn.take_amount(targets, amount, times)
                turn.use(alike(members, times))

    def _whole_set(self, picks: list[Pick], groups: int) -> tuple[list[Pick], list[Pick]]:
        """Return the set's members and targets: the cheapest of all get the benefit, the dearest others make the set
        up."""
        size = groups * self.every.units
        if self.give.to in (None, "cheapest") and self.give.percent is not None:
            targets, others = take_units(by_price(picks, "cheapest"), groups * min(self.give.units, self.every.units))
            qualifying, _ = take_units(by_price(others, "dearest"), size - count_units(targets))
            return targets + qualifying, targets
        members, _ = take_units(by_price(picks, "dearest"), size)
        return members, self._targets(members, groups)

    def _targets(self, members: list[Pick], groups: int = 1) -> list[Pick]:
        to, units = self.to, groups * min(self.give.units, self.every.units)
        if to == "all":
            return members
        if isinstance(to, Position):
            _, rest = take_units(by_price(members, "cheapest"), groups * (to.position - 1))
            return take_units(rest, groups)[0]
        return take_units(by_price(members, to), units)[0]

    def _amount(self, targets: list[Pick], groups: int) -> int:
        if self.give.price is None:
            return (self.give.amount or 0) * groups
        return max(0, sum(pick.left * pick.units for pick in targets) - self.give.price * groups)

    def words(self, digits: int) -> str:
        what = "unit" if self.every.units == 1 else f"{self.every.units} units"
        size = f"every {words_for_each(what, self.every.of)}"
        if self.give.percent is not None:
            return f"{format_percent(self.give.percent)} off {self._words_for_target()} of {size}"
        whom = size if self.to == "all" else f"{self._words_for_target()} of {size}"
        if self.give.price is not None:
            return f"{whom} for {format_money(self.give.price, digits)}"
        return f"{format_money(self.give.amount or 0, digits)} off {whom}"

    def _words_for_target(self) -> str:
        if isinstance(self.to, Position):
            return f"unit {self.to.position}"
        if self.to == "all":
            return "all"
        return f"the {self.to}" if self.give.units == 1 else f"the {self.give.units} {self.to}"

    def targets(self) -> tuple[Range | None, ...]:
        return (self.every.of,)

    def wrong(self) -> str | None:
        if self.give.units > self.every.units:
            return f"expected at most {self.every.units} units to get the benefit, as many as a group has"
        if isinstance(self.give.to, Position) and self.give.to.position > self.every.units:
            return f"expected a position from 1 to {self.every.units}, the size of a group"
        return None


class BuyGetTerms(msgspec.Struct, frozen=True):
    """Buy so many of one range, get a percentage off so many of another (or the same)."""

    buy: Count
    get: Count
    of: Products = None
    of_get: Products = None
    percent: Percent = Fraction(1)
    take: Take = "cheapest"
    at_most: Count | None = None
    partial: bool = True

    def wrong(self) -> str | None:
        return wrong_percent(self.percent)


class BuyGet(Benefit, frozen=True):
    """Buy some, get others cheaper or free."""

    kind = "buy_get"
    uses_units = True
    buy_get: BuyGetTerms

    def apply(self, turn: Turn) -> None:
        terms, (qualifying, rewarded) = self.buy_get, self._units(turn)
        can_qualify = set(qualifying)
        shared = _count_shared(qualifying, rewarded)
        rewards = _most_rewards(terms, count_units(qualifying), count_units(rewarded), shared)
        if not rewards:
            return
        needed = terms.buy * -(-rewards // terms.get)
        spare = shared - max(0, needed - (count_units(qualifying) - shared))
        targets = _reward_units(by_price(rewarded, terms.take), rewards, spare, can_qualify)
        others = _less(qualifying, targets)
        turn.take_percent(targets, terms.percent)
        turn.use([*targets, *take_units(by_price(others, "dearest"), needed)[0]])

    def missing(self, turn: Turn) -> tuple[Missing, ...]:
        terms, (qualifying, rewarded) = self.buy_get, self._units(turn)
        qualify, reward, shared = count_units(qualifying), count_units(rewarded), _count_shared(qualifying, rewarded)
        get = 1 if terms.partial else terms.get
        to_buy, to_get = max(0, terms.buy - qualify), max(0, get - reward)
        to_get = max(to_get, terms.buy + get - (qualify + reward - shared) - to_buy)
        if terms.of_get is None:
            to_buy, to_get = to_buy + to_get, 0
        wanted = (Missing("quantity", to_buy, terms.of), Missing("quantity", to_get, terms.of_get))
        return tuple(one for one in wanted if one.amount)

    def _units(self, turn: Turn) -> tuple[list[Pick], list[Pick]]:
        """Return the units that may qualify, and those that may be rewarded."""
        qualifying = turn.unused_units(self.buy_get.of)
        return qualifying, qualifying if self.buy_get.of_get is None else turn.unused_units(self.buy_get.of_get)

    def words(self, digits: int) -> str:
        terms = self.buy_get
        gift = "free" if terms.percent == 1 else f"at {format_percent(terms.percent)} off"
        return f"buy {terms.buy}{words_of(terms.of)}, get {terms.get}{words_of(terms.of_get)} {gift}"

    def targets(self) -> tuple[Range | None, ...]:
        return (self.buy_get.of if self.buy_get.of_get is None else self.buy_get.of_get,)


class BundlePart(msgspec.Struct, frozen=True):
    """So many units of a range in each bundle."""

    units: Count = 1
    of: Products = None


class BundleTerms(msgspec.Struct, frozen=True):
    """The parts of a bundle and what it gives: a price for all of it, a percentage or an amount off it."""

    of: tuple[BundlePart, ...]
    price: Money | None = None
    percent: Percent | None = None
    amount: Money | None = None
    at_most: Count | None = None

    def wrong(self) -> str | None:
        if [self.percent, self.amount, self.price].count(None) != 2:
            return "expected exactly one of price, percent and amount"
        if not 1 <= len(self.of) <= MOST_PARTS:
            return f"expected 1 to {MOST_PARTS} parts"
        return wrong_percent(self.percent)


class Bundle(Benefit, frozen=True):
    """A set of different products together: one lipstick and two creams for 25.00."""

    kind = "bundle"
    uses_units = True
    bundle: BundleTerms

    def apply(self, turn: Turn) -> None:
        terms = self.bundle
        slots = [Slot(part.units, turn.unused_units(part.of)) for part in terms.of]
        if any(count_units(slot.picks) < slot.units for slot in slots):
            return  # most baskets lack a part, and to see that is cheaper than to look for bundles
        bundles, is_exact, steps = self._assigned(turn, slots)
        turn.count(steps, is_exact=is_exact)
        if terms.percent is not None:
            turn.take_percent([pick for members, times in bundles for pick in alike(members, times)], terms.percent)
        for members, times in bundles:
            if terms.percent is None:
                turn.take_amount(members, self._amount(members), times)
            turn.use(alike(members, times))

    def missing(self, turn: Turn) -> tuple[Missing, ...]:
        parts = self.bundle.of
        lacking = units_lacking([Slot(part.units, turn.unused_units(part.of)) for part in parts])
        return tuple(Missing("quantity", more, part.of) for part, more in zip(parts, lacking, strict=True) if more)

    def _assigned(self, turn: Turn, slots: Sequence[Slot]) -> Assigned:
        terms, worth = self.bundle, partial(self._worth, turn)
        percent = terms.percent
        if percent is None or all(turn.percent_of(pick) == pick.left for slot in slots for pick in slot.picks):
            return assign_bundles(slots, terms.at_most, Saving(worth, terms.price, terms.amount))

        def percentage(pick: Pick) -> int:
            return turn.percent_of(pick) * percent.numerator

        def room(pick: Pick) -> int:
            return turn.room(pick) * percent.denominator

        return balance_bundles(slots, terms.at_most, worth, percentage, room)

    def _worth(self, turn: Turn, pick: Pick) -> int:
        """Return what can be taken off a unit; of a percentage, as many times that as makes it whole."""
        room, percent = turn.room(pick), self.bundle.percent
        if percent is None:
            return room
        return min(room * percent.denominator, turn.percent_of(pick) * percent.numerator)

    def _amount(self, members: list[Pick]) -> int:
        if self.bundle.price is None:
            return self.bundle.amount or 0
        return max(0, sum(pick.left * pick.units for pick in members) - self.bundle.price)

    def words(self, digits: int) -> str:
        terms = self.bundle
        parts = " + ".join(f"{part.units}{words_of(part.of)}" for part in terms.of)
        if terms.price is not None:
            return f"the set {parts} for {format_money(terms.price, digits)}"
        off = format_money(terms.amount or 0, digits) if terms.percent is None else format_percent(terms.percent)
        return f"{off} off the set {parts}"

    def targets(self) -> tuple[Range | None, ...]:
        return tuple(part.of for part in self.bundle.of)


def _count_shared(qualifying: Sequence[Pick], rewarded: Sequence[Pick]) -> int:
    can_qualify = set(qualifying)
    return count_units([pick for pick in rewarded if pick in can_qualify])


def _most_rewards(terms: BuyGetTerms, qualifying: int, rewarded: int, shared: int) -> int:
    """Return how many rewards the units allow, each application paid for by enough qualifying units of its own."""
    every = qualifying + rewarded - shared

    def is_possible(rewards: int) -> bool:
        needed = terms.buy * -(-rewards // terms.get)
        return needed <= qualifying and rewards <= rewarded and needed + rewards <= every

    low, high = 0, min(rewarded, terms.get * (terms.at_most or rewarded))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if is_possible(middle) else (low, middle - 1)
    return low if terms.partial else low - low % terms.get


def _reward_units(picks: list[Pick], rewards: int, spare: int, can_qualify: set[Pick]) -> list[Pick]:
    """Take rewards in order, no more than ``spare`` of those that are needed to qualify."""
    targets: list[Pick] = []
    for pick in picks:
        count = min(pick.units, rewards, spare if pick in can_qualify else rewards)
        if count:
            targets.append(pick.with_units(count))
            rewards -= count
            spare -= count if pick in can_qualify else 0
    return targets


def _less(picks: Sequence[Pick], taken: Sequence[Pick]) -> list[Pick]:
    """Return the units of ``picks`` that are not among ``taken``."""
    gone = {(pick.line, pick.run): pick.units for pick in taken}
    rest = [pick.with_units(pick.units - gone.get((pick.line, pick.run), 0)) for pick in picks]
    return [pick for pick in rest if pick.units]
