"""Discounts: each promotion evaluated on one basket, alone from list price or after others, and why one does not apply.

`Discounts` works out every promotion at most once for each sequence of promotions before it, so that trying many sets
costs little more than what they do not share.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from pos_discount.money import part_of
from pos_discount.policy.benefits import Gift, Points
from pos_discount.policy.conditions import Unmet, first_unmet, words_for_missing
from pos_discount.policy.model import Promotion
from pos_discount.pricing.entry import Entry
from pos_discount.pricing.left import Left, PaidUnits
from pos_discount.pricing.limits import fits_budgets
from pos_discount.pricing.reasons import fixed_reason
from pos_discount.pricing.scan import Scan
from pos_discount.pricing.turn import Turn

MOST_WORK = 200_000
"""Work that finding the base, and then the candidates, may do, in lines looked at: a fraction of a second each."""

MOST_WORK_ALONE = 150_000
"""Work that evaluating each promotion alone may do in all: for what is owed, and then as much again for the rest."""

MOST_WORK_BEGUN = 250_000
"""Work that the first set of the base, without which nothing that is owed would be given, may do in all."""

NO_LIMIT = 10**18

_WORK_PER_LOOK = 3
_WORK_PER_EVALUATION = 10
_WORK_PER_RUN = 5
"""How much longer it takes to share an amount over a run of units, so that they can be looked at, than to look at a
line."""
_LINES_COPIED = 10
"""How many lines are carried over as they are in the time in which one gets cheaper."""

_NO_SAVING = Unmet("no_saving", "nothing in the basket gets cheaper")
_NOT_WORKED_OUT = Unmet("limit", "not worked out: too many promotions for so large a basket")


class LineSaving(NamedTuple):
    """What a discount takes off a line (its position in the basket), and on how many units."""

    line: int
    saving: int
    units: int


class Applied(msgspec.Struct, frozen=True, gc=False):
    """A discount at its turn: what it saves, in all and by line, its cost to the house, gifts and points and what they
    are worth to the customer, all in minor units, and the state that it leaves."""

    entry: Entry
    saving: int
    cost: int
    saving_by_line: Mapping[int, int]
    units_by_line: Mapping[int, int] | Sequence[int] | PaidUnits
    presents: tuple[Gift | Points, ...]
    present_value: int
    left: Left

    @property
    def lines(self) -> tuple[LineSaving, ...]:
        """What each line saves, in basket order."""
        units = self.units_by_line
        return tuple([LineSaving(line, saving, units[line]) for line, saving in self.saving_by_line.items()])


class Discounts:
    """The discounts of one basket, each evaluated when first asked for.

    ``presented`` are the positions of the promotions that the customer claims, by id or by coupon, ``holding`` of those
    in reach of which all holds that others cannot change; those ``waived`` are given whatever their conditions and
    limits say. ``work_left`` is what trying sets may still cost; each promotion alone has an allowance of its own,
    which only a hostile policy uses up. ``is_exact`` tells whether all that was asked was worked out to its end.
    """

    def __init__(self, scan: Scan, waived: frozenset[int] = frozenset()) -> None:
        self.scan = scan
        self.is_exact = True
        self.allow(NO_LIMIT)
        self._work_left_alone = 0
        self.allow_alone()
        self._work_each = _WORK_PER_EVALUATION + len(scan.basket.lines) // _LINES_COPIED
        self._start = Left.at_list_price(scan.prices, scan.quantities)
        self._entries = _waiving(waived, scan.index.entries) if waived else scan.index.entries
        self._fixed: dict[int, Unmet | None] = {}
        self._alone: dict[int, Applied | Unmet] = {}
        self._after: dict[tuple[int, ...], Applied | Unmet] = {}
        self.presented = scan.index.presented(scan.basket)
        self.holding = waived | scan.index.finder.holding(scan, self.presented)

    def allow(self, work: int, begun: int = 0) -> None:
        """Allow so much work for the next question, and so much in all for what was begun."""
        self.work_left = work
        self._most_over = max(0, begun - work)

    def allow_alone(self) -> None:
        """Allow as much work again for promotions alone."""
        self._work_left_alone = max(0, self._work_left_alone) + MOST_WORK_ALONE

    @property
    def is_overdrawn(self) -> bool:
        """Tell whether even what was begun may not go on."""
        return self.work_left < -self._most_over

    def alone(self, position: int) -> Applied | Unmet:
        """Return a promotion's discount from list price, or why it does not apply."""
        outcome = self._alone.get(position)
        if outcome is None:
            outcome = self._alone[position] = self._work_out_alone(self._entries[position])
        return outcome

    def together(self, positions: Iterable[int]) -> tuple[Applied, ...]:
        """Return the discounts of promotions given together, in order of application; those that give nothing are
        left out, and so are the last ones where the work has run out."""
        applied: tuple[Applied, ...] = ()
        done: tuple[int, ...] = ()
        for position in sorted(positions):
            if self.is_overdrawn:
                self.is_exact = False
                break
            following = self.after(done, applied, position)
            if isinstance(following, Applied):
                applied, done = (*applied, following), (*done, position)
        return applied

    def after(self, done: tuple[int, ...], applied: tuple[Applied, ...], position: int) -> Applied | Unmet:
        """Return a promotion's discount after those that are done, all of which apply and come before it."""
        if not done:
            return self.alone(position)
        sequence = (*done, position)
        self.work_left -= _WORK_PER_LOOK
        outcome = self._after.get(sequence)
        if outcome is None:
            outcome = self._after[sequence] = self._work_out_after(self._entries[position], applied[-1].left)
        return outcome

    def may_apply(self, position: int) -> bool:
        """Tell whether a promotion that holds can be part of a set: it applies alone, or what others leave could make
        it apply."""
        entry, alone = self._entries[position], self.alone(position)
        if isinstance(alone, Applied):
            return True
        if alone is _NOT_WORKED_OUT:
            return False
        if self.is_moved(entry):
            return True
        lacks_nothing = alone.reason == "no_saving" and alone.near_miss is None
        return entry.uses_units and lacks_nothing  # alone its units are free already; others may use those up

    def is_moved(self, entry: Entry) -> bool:
        """Tell whether a promotion can save more after others than alone.

        Otherwise what others take only shrinks it. Which units are the cheapest changes nothing of that, save where a
        floor keeps the cheapest from getting cheaper, or where a percentage is taken from what they cost at first.
        """
        choice_matters = bool(self.scan.min_prices) or self.scan.house.percent_of == "original"
        return entry.is_dynamic or (entry.chooses_units and choice_matters)

    def is_claimed(self, entry: Entry) -> bool:
        """Tell whether a promotion's id was sent as claimed or one of its coupons was presented."""
        return entry.position in self.presented

    def _fixed_reason(self, entry: Entry) -> Unmet | None:
        """Return why a promotion cannot apply whatever other promotions do, or None."""
        position = entry.position
        if position in self.holding:
            return None
        if position not in self._fixed:
            self._fixed[position] = fixed_reason(entry, self.scan, is_claimed=self.is_claimed(entry))
        return self._fixed[position]

    def _work_out_alone(self, entry: Entry) -> Applied | Unmet:
        reason = self._fixed_reason(entry)
        if reason is not None:
            return reason
        if self._work_left_alone < 0:
            self.is_exact = False
            return _NOT_WORKED_OUT
        turn = Turn(self.scan, self._start)
        outcome = self._work_out(entry, turn)
        if outcome is _NO_SAVING:
            outcome = _what_is_missing(entry.promotion, turn)
        self._work_left_alone -= self._work_each + turn.work
        return outcome

    def _work_out_after(self, entry: Entry, left: Left) -> Applied | Unmet:
        reason = self._fixed_reason(entry)
        if reason is not None:
            return reason
        turn, shared = Turn(self.scan, left), left.shared
        outcome = self._work_out(entry, turn)
        self.work_left -= self._work_each + turn.work + _WORK_PER_RUN * (left.shared - shared)
        return outcome

    def _work_out(self, entry: Entry, turn: Turn) -> Applied | Unmet:
        if entry.dynamic_conditions:
            reason = first_unmet(entry.dynamic_conditions, turn)
            if reason is not None:
                return reason
        promotion, scan = entry.promotion, self.scan
        promotion.benefit.apply(turn)
        self.is_exact &= turn.is_exact
        taken = turn.finish(promotion.cap)
        cost = saving = sum(taken.saving_by_line.values())
        presents, value = tuple(turn.presents), 0
        if not saving and not presents:
            return _NO_SAVING
        for present in presents:
            cost += present.cost
            value += present.value
        if entry.funded is not None:
            cost -= part_of(saving, entry.funded, scan.house.rounding)
        if promotion.limits and not fits_budgets(promotion, scan.basket, scan.local_time, scan.context.usage, cost):
            return Unmet("limit", "its budget does not cover this basket")
        return Applied(entry, saving, cost, taken.saving_by_line, taken.units_by_line, presents, value, taken.left)


def _waiving(waived: frozenset[int], entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """Return entries of which those at the given positions have neither conditions at their turn nor limits."""
    freed = list(entries)
    for position in waived:
        promotion = msgspec.structs.replace(entries[position].promotion, limits=())
        freed[position] = msgspec.structs.replace(entries[position], promotion=promotion, dynamic_conditions=())
    return tuple(freed)


def _what_is_missing(promotion: Promotion, turn: Turn) -> Unmet:
    missing = promotion.benefit.missing(turn)
    if not missing:
        return _NO_SAVING
    detail = ", ".join([words_for_missing(*one, turn.currency_digits) for one in missing])
    return Unmet("no_saving", detail, {missing[0].what: sum([one.amount for one in missing])})
