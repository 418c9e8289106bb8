"""The closed list of benefits: what each is called, what may be written under it, and which units get how much.

Adding a kind is one class here and one row in `BENEFITS`. A benefit's first field has the kind's own name and holds what is written
under it; the other fields are the keys beside it. A benefit picks units and names amounts; the money itself (floors, rounding,
sharing over lines and units) is the business of the `Turn` that the pricing floor implements, so that it is in one place for all.

Units come as `Pick`s, runs of alike units of one line, so that a basket of a million alike units costs no more than one of two.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from typing import Annotated, ClassVar, Literal, NamedTuple, Protocol

import msgspec

from pos_discount.money import format_money, format_percent
from pos_discount.policy.assignment import Slot, assign_bundles
from pos_discount.policy.picks import Pick, by_price, count_units, groups_of, take_units
from pos_discount.policy.ranges import Range
from pos_discount.policy.values import Count, Money, Percent, Products, Reads, Text

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

    def take_percent(self, picks: Collection[Pick], percent: Percent) -> None:
        """Take a percentage off all picks together, rounded once; what goes below a floor is cut."""
        ...

    def take_amount(self, picks: Collection[Pick], amount: int, times: int = 1) -> None:
        """Share an amount over the picks, ``times`` over for so many alike groups; what does not fit one goes to the others."""
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

    def missing(self, turn: Turn) -> Missing | None:
        """Return what would have to be bought for the benefit to give something, or None where buying more does not help."""
        targets = self.targets()
        if targets and not any(turn.quantity(of) for of in targets):
            return Missing("quantity", 1, targets[0])
        return None

    def words(self, digits: int) -> str:
        """Describe the benefit in a few plain words, for a currency with so many decimals."""
        raise AssertionError(f"{type(self).__name__} must say what it is")

    def targets(self) -> tuple[Range | None, ...]:
        """Return the ranges whose units can get cheaper; None is the whole basket; empty: none can."""
        return ()

    def present_value(self) -> int:
        """Return what its gift or points are worth to the customer, in minor units."""
        return 0

    def depends_on_what_is_left(self, spend_counts: str) -> bool:
        """Tell whether earlier promotions can make it give more than it gives alone."""
        return False

    def wrong(self) -> str | None:
        """Return what contradicts itself in the values as written, or None."""
        return None


class SomeUnits(msgspec.Struct, frozen=True):
    """A bound on how many units get the benefit, and which: the cheapest unless said otherwise."""

    at_most: Count
    take: Take = "cheapest"


class PercentOff(Benefit, frozen=True):
    """A percentage off a range."""

    kind = "percent"
    percent: Percent
    of: Products = None
    units: SomeUnits | None = None

    def apply(self, turn: Turn) -> None:
        turn.take_percent(_choose(turn.units(self.of), self.units), self.percent)

    def chooses_units(self) -> bool:
        return self.units is not None

    def words(self, digits: int) -> str:
        return f"{format_percent(self.percent)} off{_of(self.of)}"

    def targets(self) -> tuple[Range | None, ...]:
        return (self.of,)

    def wrong(self) -> str | None:
        return _wrong_percent(self.percent)


class AmountOff(Benefit, frozen=True):
    """An amount off a range: once for all of it, or for each of its lines or units."""

    kind = "amount"
    amount: Money
    of: Products = None
    each: Literal["basket", "line", "unit"] = "basket"
    units: SomeUnits | None = None

    def apply(self, turn: Turn) -> None:
        picks = _choose(turn.units(self.of), self.units)
        if self.each == "unit":
            turn.take_amount_per_unit(picks, self.amount)
        elif self.each == "line":
            turn.take_amount_per_line(picks, self.amount)
        else:
            turn.take_amount(picks, self.amount)

    def chooses_units(self) -> bool:
        return self.units is not None

    def words(self, digits: int) -> str:
        per = "" if self.each == "basket" else f" each {self.each}"
        return f"{format_money(self.amount, digits)} off{per}{_of(self.of)}"

    def targets(self) -> tuple[Range | None, ...]:
        return (self.of,)


class UnitPrice(Benefit, frozen=True):
    """A fixed price for each unit of a range, never dearer than it was."""

    kind = "unit_price"
    unit_price: Money
    of: Products = None
    units: SomeUnits | None = None

    def apply(self, turn: Turn) -> None:
        turn.set_price(_choose(turn.units(self.of), self.units), self.unit_price)

    def chooses_units(self) -> bool:
        return self.units is not None

    def words(self, digits: int) -> str:
        return f"each{_of(self.of)} for {format_money(self.unit_price, digits)}"

    def targets(self) -> tuple[Range | None, ...]:
        return (self.of,)


class Prices(msgspec.Struct, frozen=True):
    """The rows of a price list: a unit price in minor units for each sku, and the range of all these skus."""

    file: str
    price_by_sku: Mapping[str, int]
    products: Range


class PriceList(Benefit, frozen=True):
    """A unit price for each of many skus, never dearer than it was."""

    kind = "price_list"
    price_list: Annotated[Prices, Reads.PRICES]

    def apply(self, turn: Turn) -> None:
        price_by_sku = self.price_list.price_by_sku
        for pick in turn.units(self.price_list.products):
            turn.set_price((pick,), price_by_sku[turn.sku(pick.line)])

    def words(self, digits: int) -> str:
        return "special prices"

    def targets(self) -> tuple[Range | None, ...]:
        return (self.price_list.products,)


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
    """What each group gets: a percentage off some of its units, an amount off it, or a price for all of it."""

    percent: Percent | None = None
    amount: Money | None = None
    price: Money | None = None
    to: Annotated[Literal["cheapest", "dearest", "all"] | Position | None, Reads.TARGET] = None
    units: Count = 1

    def wrong(self) -> str | None:
        if [self.percent, self.amount, self.price].count(None) != 2:
            return "expected exactly one of percent, amount and price"
        return _wrong_percent(self.percent)


class Every(Benefit, frozen=True):
    """Something for every group of so many units: every third free, two for the price of one, three for 10.00."""

    kind = "every"
    uses_units = True
    every: GroupOf
    give: GroupGift

    @property
    def fill(self) -> str:
        """How units are grouped; freeing the cheapest of the whole set is the default for a percentage off the cheapest."""
        is_cheapest = self.give.percent is not None and self.give.to in (None, "cheapest")
        return self.every.fill or ("whole_set" if is_cheapest else "dearest_first")

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
            batches = groups_of(by_price(picks, order), self.every.units, groups)
            self._give(turn, [(members, self._targets(members), times) for members, times in batches], 1)

    def missing(self, turn: Turn) -> Missing | None:
        more = self.every.units - count_units(turn.unused_units(self.every.of))
        return Missing("quantity", more, self.every.of) if more > 0 else None

    def _give(self, turn: Turn, batches: list[tuple[list[Pick], list[Pick], int]], groups: int) -> None:
        """Give to (members, targets, how many alike) batches, each of so many groups; a percentage once for all of them."""
        if self.give.percent is not None:
            turn.take_percent(
                [pick for _, targets, times in batches for pick in _times(targets, times)], self.give.percent
            )
        else:
            for members, targets, times in batches:
                turn.take_amount(targets, self._amount(members, groups), times)
        for members, _, times in batches:
            turn.use(_times(members, times))

    def _whole_set(self, picks: list[Pick], groups: int) -> tuple[list[Pick], list[Pick]]:
        """Return the set's members and targets: the cheapest of all get the benefit, the dearest others make the set up."""
        size = groups * self.every.units
        if self.give.to in (None, "cheapest") and self.give.percent is not None:
            targets, others = take_units(by_price(picks, "cheapest"), groups * min(self.give.units, self.every.units))
            qualifying, _ = take_units(by_price(others, "dearest"), size - count_units(targets))
            return targets + qualifying, targets
        members, _ = take_units(by_price(picks, "dearest"), size)
        return members, self._targets(members, groups)

    def _targets(self, members: list[Pick], groups: int = 1) -> list[Pick]:
        to, units = self._to, groups * min(self.give.units, self.every.units)
        if to == "all":
            return members
        if isinstance(to, Position):
            _, rest = take_units(by_price(members, "cheapest"), groups * (to.position - 1))
            return take_units(rest, groups)[0]
        return take_units(by_price(members, to), units)[0]

    @property
    def _to(self) -> Take | Literal["all"] | Position:
        if self.give.price is not None:
            return "all"
        return self.give.to or ("all" if self.give.percent is None else "cheapest")

    def _amount(self, members: list[Pick], groups: int) -> int:
        if self.give.price is None:
            return (self.give.amount or 0) * groups
        return max(0, sum(pick.left * pick.units for pick in members) - self.give.price * groups)

    def words(self, digits: int) -> str:
        size = f"every {self.every.units} units{_of(self.every.of)}"
        if self.give.price is not None:
            return f"{size} for {format_money(self.give.price, digits)}"
        if self.give.amount is not None:
            return f"{format_money(self.give.amount, digits)} off {size}"
        return f"{format_percent(self.give.percent or Fraction(0))} off {self._words_for_target()} of {size}"

    def _words_for_target(self) -> str:
        if isinstance(self._to, Position):
            return f"unit {self._to.position}"
        return "all" if self._to == "all" else f"the {self._to}"

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
        return _wrong_percent(self.percent)


class BuyGet(Benefit, frozen=True):
    """Buy some, get others cheaper or free."""

    kind = "buy_get"
    uses_units = True
    buy_get: BuyGetTerms

    def apply(self, turn: Turn) -> None:
        terms = self.buy_get
        qualifying = turn.unused_units(terms.of)
        rewarded = qualifying if terms.of_get is None else turn.unused_units(terms.of_get)
        can_qualify = set(qualifying)
        shared = count_units([pick for pick in rewarded if pick in can_qualify])
        rewards = _most_rewards(terms, count_units(qualifying), count_units(rewarded), shared)
        if not rewards:
            return
        needed = terms.buy * -(-rewards // terms.get)
        spare = shared - max(0, needed - (count_units(qualifying) - shared))
        targets = _reward_units(by_price(rewarded, terms.take), rewards, spare, can_qualify)
        others = _less(qualifying, targets)
        turn.take_percent(targets, terms.percent)
        turn.use([*targets, *take_units(by_price(others, "dearest"), needed)[0]])

    def missing(self, turn: Turn) -> Missing | None:
        terms = self.buy_get
        more = terms.buy - count_units(turn.unused_units(terms.of))
        if more > 0:
            return Missing("quantity", more, terms.of)
        return Missing(
            "quantity", 1 if terms.partial else terms.get, terms.of if terms.of_get is None else terms.of_get
        )

    def words(self, digits: int) -> str:
        terms = self.buy_get
        gift = "free" if terms.percent == 1 else f"at {format_percent(terms.percent)} off"
        return f"buy {terms.buy}{_of(terms.of)}, get {terms.get}{_of(terms.of_get)} {gift}"

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
        return _wrong_percent(self.percent)


class Bundle(Benefit, frozen=True):
    """A set of different products together: one lipstick and two creams for 25.00."""

    kind = "bundle"
    uses_units = True
    bundle: BundleTerms

    def apply(self, turn: Turn) -> None:
        terms = self.bundle
        slots = [Slot(part.units, turn.unused_units(part.of)) for part in terms.of]
        bundles = assign_bundles(slots, terms.at_most, terms.price, lambda pick: self._worth(turn, pick))
        if terms.percent is not None:
            turn.take_percent([pick for members, times in bundles for pick in _times(members, times)], terms.percent)
        for members, times in bundles:
            if terms.percent is None:
                turn.take_amount(members, self._amount(members), times)
            turn.use(_times(members, times))

    def missing(self, turn: Turn) -> Missing | None:
        for part in self.bundle.of:
            more = part.units - count_units(turn.unused_units(part.of))
            if more > 0:
                return Missing("quantity", more, part.of)
        return None

    def _worth(self, turn: Turn, pick: Pick) -> Fraction | int:
        room, percent = turn.room(pick), self.bundle.percent
        return room if percent is None else min(room, percent * pick.left)

    def _amount(self, members: list[Pick]) -> int:
        if self.bundle.price is None:
            return self.bundle.amount or 0
        return max(0, sum(pick.left * pick.units for pick in members) - self.bundle.price)

    def words(self, digits: int) -> str:
        terms = self.bundle
        parts = " + ".join(f"{part.units}{_of(part.of)}" for part in terms.of)
        if terms.price is not None:
            return f"the set {parts} for {format_money(terms.price, digits)}"
        off = format_money(terms.amount or 0, digits) if terms.percent is None else format_percent(terms.percent)
        return f"{off} off the set {parts}"

    def targets(self) -> tuple[Range | None, ...]:
        return tuple(part.of for part in self.bundle.of)


class Step(msgspec.Struct, frozen=True):
    """From so much money or so many units on: a percentage or an amount off. ``from_`` is text until ``by`` is known."""

    from_: Annotated[int, Reads.THRESHOLD]
    percent: Percent | None = None
    amount: Money | None = None

    def wrong(self) -> str | None:
        if (self.percent is None) == (self.amount is None):
            return "expected exactly one of percent and amount"
        return _wrong_percent(self.percent)


class TierTerms(msgspec.Struct, frozen=True):
    """Steps by the money spent on a range or by its units, and the range that gets cheaper (the same where left out)."""

    by: Literal["spend", "quantity"]
    steps: tuple[Step, ...]
    of: Products = None
    on: Products = None


class Tiers(Benefit, frozen=True):
    """The more is bought, the more is given: the highest step that is reached."""

    kind = "tiers"
    tiers: TierTerms

    def apply(self, turn: Turn) -> None:
        terms = self.tiers
        reached = turn.spend(terms.of, None) if terms.by == "spend" else turn.quantity(terms.of)
        step = max((step for step in terms.steps if step.from_ <= reached), key=lambda step: step.from_, default=None)
        if step is None:
            return
        picks = turn.units(terms.of if terms.on is None else terms.on)
        if step.percent is not None:
            turn.take_percent(picks, step.percent)
        else:
            turn.take_amount(picks, step.amount or 0)

    def missing(self, turn: Turn) -> Missing | None:
        terms = self.tiers
        reached = turn.spend(terms.of, None) if terms.by == "spend" else turn.quantity(terms.of)
        lowest = min(step.from_ for step in terms.steps)
        return Missing(terms.by, lowest - reached, terms.of) if reached < lowest else super().missing(turn)

    def words(self, digits: int) -> str:
        best = max(self.tiers.steps, key=lambda step: step.from_)
        if best.percent is not None:
            return f"up to {format_percent(best.percent)} off{_of(self.tiers.of)}"
        return f"up to {format_money(best.amount or 0, digits)} off{_of(self.tiers.of)}"

    def targets(self) -> tuple[Range | None, ...]:
        return (self.tiers.of if self.tiers.on is None else self.tiers.on,)

    def depends_on_what_is_left(self, spend_counts: str) -> bool:
        return self.tiers.by == "spend" and spend_counts == "remaining"


class Gift(msgspec.Struct, frozen=True):
    """A product handed over for nothing: ``value`` to the customer orders it on the ladder, ``cost`` is what the house pays."""

    sku: Text
    name: Text
    value: Money = 0
    cost: Money = 0


class GiftOf(Benefit, frozen=True):
    """A gift."""

    kind = "gift"
    gift: Gift

    def apply(self, turn: Turn) -> None:
        turn.give(self.gift)

    def present_value(self) -> int:
        return self.gift.value

    def words(self, digits: int) -> str:
        return f"{self.gift.name} as a gift"


class Points(msgspec.Struct, frozen=True):
    """Loyalty points: their number, what they are worth to the customer and what they cost the house."""

    amount: Count
    value: Money = 0
    cost: Money = 0


class PointsOf(Benefit, frozen=True):
    """Loyalty points."""

    kind = "points"
    points: Points

    def apply(self, turn: Turn) -> None:
        turn.give(self.points)

    def present_value(self) -> int:
        return self.points.value

    def words(self, digits: int) -> str:
        return f"{self.points.amount} points"


BENEFITS: Mapping[str, type[Benefit]] = {
    benefit.kind: benefit
    for benefit in (PercentOff, AmountOff, UnitPrice, PriceList, Every, BuyGet, Bundle, Tiers, GiftOf, PointsOf)
}
MOST_PARTS = 8


def _choose(picks: Collection[Pick], units: SomeUnits | None) -> Collection[Pick]:
    if units is None:
        return picks
    return take_units(by_price(picks, units.take), units.at_most)[0]


def _times(picks: Sequence[Pick], times: int) -> list[Pick]:
    return [pick._replace(units=pick.units * times) for pick in picks]


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
            targets.append(pick._replace(units=count))
            rewards -= count
            spare -= count if pick in can_qualify else 0
    return targets


def _less(picks: Sequence[Pick], taken: Sequence[Pick]) -> list[Pick]:
    """Return the units of ``picks`` that are not among ``taken``."""
    gone = {(pick.line, pick.run): pick.units for pick in taken}
    rest = [pick._replace(units=pick.units - gone.get((pick.line, pick.run), 0)) for pick in picks]
    return [pick for pick in rest if pick.units]


def _wrong_percent(percent: Fraction | None) -> str | None:
    return None if percent is None or 0 <= percent <= 1 else "expected a percentage from 0% to 100%"


def _of(products: Range | None) -> str:
    return f" {products.name}" if products is not None and products.name else ""
