"""A promotion's turn: what it sees of the basket, and where the amounts that its benefit names become exact money.

All floors, rounding and sharing of discounts happen here. Amounts on whole lines without a floor, which is nearly all
of them, are handled line by line; anything else as pieces, alike units that lose the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import NamedTuple

import msgspec

from pos_discount.basket import Basket
from pos_discount.money import part_of, share_out, share_over_units, share_within
from pos_discount.policy.benefits import Gift, Points
from pos_discount.policy.conditions import SpendCounts
from pos_discount.policy.picks import Pick
from pos_discount.policy.ranges import Range
from pos_discount.pricing.left import Left, PaidUnits, Run, WholeLines, picks_of
from pos_discount.pricing.scan import Scan

_WORK_PER_PICK = 6
"""How much longer one pick is looked at, cut or put back than a whole line, in lines."""


class Piece(msgspec.Struct, frozen=True, gc=False):
    """Alike units of one run that each lose the same amount."""

    run: int
    units: int
    amount: int


class Taken(NamedTuple):
    """What a discount took at its turn: minor units by line (its position in the basket), on how many units of each
    line, and the state that it leaves. Units are known for at least the lines that save."""

    saving_by_line: dict[int, int]
    units_by_line: Mapping[int, int] | Sequence[int] | PaidUnits
    left: Left


class Turn:
    """Implements both what conditions see (`View`) and what benefits do (`Turn` there), on what earlier promotions
    left.

    ``work`` counts what was done beyond looking once at each line, in lines looked at; ``is_exact`` tells whether the
    benefit found the best assignment that its rule asks for.
    """

    __slots__ = (
        "_amount_by_line",
        "_pieces_by_line",
        "_used",
        "basket",
        "is_exact",
        "left",
        "presents",
        "scan",
        "work",
    )

    def __init__(self, scan: Scan, left: Left) -> None:
        self.scan = scan
        self.basket: Basket = scan.basket
        self.left = left
        self.presents: list[Gift | Points] = []
        self.work = 0
        self.is_exact = True
        self._amount_by_line: dict[int, int] = {}
        self._pieces_by_line: dict[int, list[Piece]] = {}
        self._used: dict[tuple[int, int], int] = {}

    @property
    def local_time(self) -> datetime:
        return self.scan.local_time

    @property
    def segment(self) -> tuple[str, ...]:
        return self.scan.segment

    @property
    def currency_digits(self) -> int:
        return self.scan.currency_digits

    def quantity(self, of: Range | None) -> int:
        return self.scan.quantity(of)

    def distinct(self, of: Range | None) -> int:
        return self.scan.distinct(of)

    def spend(self, of: Range | None, counts: SpendCounts | None) -> int:
        if (counts or self.scan.house.spend_counts) == "original":
            return self.scan.spend(of)
        totals = self.left.totals
        return sum([totals[line] for line in self.scan.lines(of)])

    def sku(self, line: int) -> str:
        return self.basket.lines[line].sku

    def units(self, of: Range | None) -> WholeLines:
        return WholeLines(self.scan.lines(of), self.left)

    def unused_units(self, of: Range | None) -> list[Pick]:
        lines = self.scan.lines(of)
        picks = picks_of(lines, self.left, unused_only=True)
        self.work += len(lines) + _WORK_PER_PICK * len(picks)
        return picks

    def count(self, steps: int, *, is_exact: bool = True) -> None:
        self.work += steps
        self.is_exact &= is_exact

    def room(self, pick: Pick) -> int:
        """Return how much can be taken off each unit of a pick: down to zero or its floor."""
        return max(0, pick.left - self.scan.min_prices.get(pick.line, 0))

    def percent_of(self, pick: Pick) -> int:
        is_of_list_price = self.scan.house.percent_of == "original"
        return self.scan.prices[pick.line] if is_of_list_price else pick.left

    def take_percent(self, picks: Collection[Pick], percent: Fraction) -> None:
        house = self.scan.house
        if type(picks) is WholeLines and not self._has_floor(picks.lines):
            taken_from = self.scan.list_totals if house.percent_of == "original" else self.left.totals
            amount = part_of(sum(_on_lines(taken_from, picks.lines)), percent, house.rounding)
            self._take_off_lines(picks.lines, amount)
            return
        price = sum([self.percent_of(pick) * pick.units for pick in picks])
        picks_by_line = self._by_line(picks)
        weights = [sum([pick.left * pick.units for pick in on_line]) for on_line in picks_by_line]
        for on_line, share in zip(
            picks_by_line, share_out(part_of(price, percent, house.rounding), weights), strict=True
        ):
            self._take_cut(on_line, share)

    def take_amount(self, picks: Collection[Pick], amount: int, times: int = 1) -> None:
        if times == 1 and type(picks) is WholeLines and not self._has_floor(picks.lines):
            self._take_off_lines(picks.lines, amount)
            return
        picks_by_line = self._by_line(picks)
        weights = [sum(pick.left * pick.units for pick in on_line) for on_line in picks_by_line]
        rooms = [sum(self.room(pick) * pick.units for pick in on_line) for on_line in picks_by_line]
        for on_line, share in zip(picks_by_line, share_within(amount, weights, rooms), strict=True):
            self._take_within(on_line, share, times)

    def take_amount_per_line(self, picks: Collection[Pick], amount: int) -> None:
        for on_line in self._by_line(picks):
            self._take_cut(on_line, amount)

    def take_amount_per_unit(self, picks: Collection[Pick], amount: int) -> None:
        for pick in picks:
            self._take(pick, min(amount, self.room(pick)))

    def set_price(self, picks: Collection[Pick], price: int) -> None:
        for pick in picks:
            if pick.left > price:
                self._take(pick, min(pick.left - price, self.room(pick)))

    def use(self, picks: Collection[Pick]) -> None:
        for pick in picks:
            key = pick.line, pick.run
            self._used[key] = self._used.get(key, 0) + pick.units

    def give(self, present: Gift | Points) -> None:
        self.presents.append(present)

    def finish(self, cap: int | None) -> Taken:
        """Return what was taken, cut to the cap in proportion."""
        if self._amount_by_line:
            return self._finish_lines(cap)
        lines = sorted(self._pieces_by_line)
        savings = [sum([piece.units * piece.amount for piece in self._pieces_by_line[line]]) for line in lines]
        if cap is not None and sum(savings) > cap:
            savings = share_out(cap, savings)
            self.work += _WORK_PER_PICK * sum([len(self._pieces_by_line[line]) for line in lines])
            for line, saving in zip(lines, savings, strict=True):
                self._pieces_by_line[line] = _cut(self._dearest_first(line), saving)
        touched = {*lines, *[line for line, _ in self._used]} if self._used else lines
        runs_by_line = {line: self._runs_after(line) for line in touched}
        self.work += _WORK_PER_PICK * sum([1 + len(runs) for runs in runs_by_line.values()])
        left = self.left.with_runs(runs_by_line) if touched else self.left
        saving_by_line = {line: saving for line, saving in zip(lines, savings, strict=True) if saving}
        return Taken(saving_by_line, {line: self._units_on(line) for line in saving_by_line}, left)

    def _finish_lines(self, cap: int | None) -> Taken:
        amounts = self._amount_by_line
        if cap is not None and sum(amounts.values()) > cap:
            shares = share_out(cap, list(amounts.values()))
            amounts = {line: share for line, share in zip(amounts, shares, strict=True) if share}
        units_by_line = PaidUnits(self.left) if self.left.is_split else self.scan.quantities
        return Taken(amounts, units_by_line, self.left.less_on_lines(amounts))

    def _units_on(self, line: int) -> int:
        """Count the units of a line that a discount is on: those that could get cheaper, also where too little is
        shared over them for each to get a part."""
        runs, floor = self.left.runs(line), self.scan.min_prices.get(line, 0)
        return sum([piece.units for piece in self._pieces_by_line[line] if runs[piece.run].left > floor])

    def _dearest_first(self, line: int) -> list[Piece]:
        runs = self.left.runs(line)
        return sorted(self._pieces_by_line[line], key=lambda piece: -runs[piece.run].left)

    def _has_floor(self, lines: Sequence[int]) -> bool:
        min_prices = self.scan.min_prices
        return bool(min_prices) and not min_prices.keys().isdisjoint(lines)

    def _take_off_lines(self, lines: Sequence[int], amount: int) -> None:
        self.work += len(lines)
        weights = _on_lines(self.left.totals, lines)
        shares = share_out(min(amount, sum(weights)), weights)
        self._amount_by_line = dict(zip(lines, shares, strict=True))
        if 0 in shares:
            self._amount_by_line = {line: share for line, share in self._amount_by_line.items() if share}

    def _by_line(self, picks: Collection[Pick]) -> list[list[Pick]]:
        by_line: dict[int, list[Pick]] = {}
        for pick in sorted(picks):
            by_line.setdefault(pick.line, []).append(pick)
        self.work += _WORK_PER_PICK * (len(picks) + len(by_line))
        return list(by_line.values())

    def _take(self, pick: Pick, amount: int, units: int | None = None) -> None:
        pieces = self._pieces_by_line.setdefault(pick.line, [])
        pieces.append(Piece(pick.run, pick.units if units is None else units, amount))

    def _take_cut(self, picks: Sequence[Pick], amount: int) -> None:
        """Share an amount over one line's units; what does not fit a unit is lost."""
        shares = share_over_units(amount, [pick.left for pick in picks], [pick.units for pick in picks])
        for pick, (share, one_more) in zip(picks, shares, strict=True):
            room = self.room(pick)
            if one_more:
                self._take(pick, min(share + 1, room), one_more)
            if pick.units > one_more:
                self._take(pick, min(share, room), pick.units - one_more)

    def _take_within(self, picks: Sequence[Pick], amount: int, times: int) -> None:
        """Share an amount over one line's units, ``times`` over; what does not fit a unit goes to the others of the
        line."""
        rest = list(picks)
        while True:
            self.work += _WORK_PER_PICK * len(rest)
            shares = share_over_units(amount, [pick.left for pick in rest], [pick.units for pick in rest])
            parts = [
                (pick, share + more, units)
                for pick, (share, one_more) in zip(rest, shares, strict=True)
                for more, units in ((1, one_more), (0, pick.units - one_more))
                if units
            ]
            full = [(pick, units) for pick, share, units in parts if share > self.room(pick)]
            if not full:
                for pick, share, units in parts:
                    self._take(pick, share, units * times)
                return
            for pick, units in full:
                self._take(pick, self.room(pick), units * times)
                amount -= self.room(pick) * units
            rest = [pick.with_units(units) for pick, share, units in parts if share <= self.room(pick)]

    def _runs_after(self, line: int) -> tuple[Run, ...]:
        pieces_on_line, runs = self._pieces_by_line.get(line, []), self.left.runs(line)
        if len(runs) == len(pieces_on_line) == 1 and runs[0].units == pieces_on_line[0].units and not self._used:
            return (Run(runs[0].left - pieces_on_line[0].amount, runs[0].units, runs[0].is_used),)
        pieces_by_run: dict[int, list[Piece]] = {}
        for piece in pieces_on_line:
            pieces_by_run.setdefault(piece.run, []).append(piece)
        after: list[Run] = []
        for position, run in enumerate(runs):
            after += self._run_after(run, pieces_by_run.get(position, []), self._used.get((line, position), 0))
        return tuple(after)

    def _run_after(self, run: Run, pieces: list[Piece], used: int) -> Iterator[Run]:
        """Yield what a run becomes: its pieces, the rest that nothing was taken off, and of these the first as used."""
        rest = run.units - sum([piece.units for piece in pieces])
        for amount, units in [*[(piece.amount, piece.units) for piece in pieces], (0, rest)]:
            newly_used = min(used, units)
            used -= newly_used
            if newly_used:
                yield Run(run.left - amount, newly_used, is_used=True)
            if units > newly_used:
                yield Run(run.left - amount, units - newly_used, run.is_used)


def _on_lines(totals: list[int], lines: Sequence[int]) -> list[int]:
    """Return the totals of some lines, given in basket order."""
    return totals if len(lines) == len(totals) else [totals[line] for line in lines]


def _cut(pieces: list[Piece], saving: int) -> list[Piece]:
    """Cut a line's pieces to a smaller saving, in proportion to what each unit would have lost."""
    shares = share_over_units(saving, [piece.amount for piece in pieces], [piece.units for piece in pieces])
    cut = [
        Piece(piece.run, units, share + more)
        for piece, (share, one_more) in zip(pieces, shares, strict=True)
        for more, units in ((1, one_more), (0, piece.units - one_more))
    ]
    return [piece for piece in cut if piece.units]
