"""What is left of a basket's prices, line by line and unit by unit, as one promotion after the other takes its part.

A line's units are kept as runs of alike units. Most discounts concern whole lines; how such a discount falls on a
line's units is worked out only when somebody looks at them, which for most lines is never.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from operator import mul
from typing import NamedTuple

import msgspec

from pos_discount.money import share_over_units
from pos_discount.policy.picks import Pick


class Run(NamedTuple):
    """Alike units of a line: what is left of the price of each, how many, and whether a group benefit has used them."""

    left: int
    units: int
    is_used: bool


class _Shared(msgspec.Struct, frozen=True, gc=False):
    """Runs less an amount that has yet to be shared over their units."""

    runs: tuple[Run, ...] | _Shared | None
    amount: int


class Left:
    """An immutable state: ``totals`` are what is left of each line, in minor units."""

    __slots__ = ("_listed", "_runs", "totals")

    def __init__(
        self, totals: list[int], listed: list[tuple[int, int]], runs: list[tuple[Run, ...] | _Shared | None]
    ) -> None:
        self.totals = totals
        self._listed = listed
        self._runs = runs

    @classmethod
    def at_list_price(cls, prices: Sequence[int], quantities: Sequence[int]) -> Left:
        """Return the state before any discount."""
        return cls(list(map(mul, prices, quantities)), list(zip(prices, quantities, strict=True)), [None] * len(prices))

    def runs(self, line: int) -> tuple[Run, ...]:
        """Return a line's runs, in the order of its units."""
        runs = self._runs[line]
        if runs is None or isinstance(runs, _Shared):
            runs = self._runs[line] = self._worked_out(line, runs)
        return runs

    def _worked_out(self, line: int, runs: tuple[Run, ...] | _Shared | None) -> tuple[Run, ...]:
        if runs is None:
            price, quantity = self._listed[line]
            return (Run(price, quantity, False),)
        if isinstance(runs, _Shared):
            return _share_over_runs(self._worked_out(line, runs.runs), runs.amount)
        return runs

    def less_on_lines(self, amount_by_line: Sequence[tuple[int, int]]) -> Left:
        """Return the state after amounts were taken off whole lines."""
        totals, runs = self.totals.copy(), self._runs.copy()
        for line, amount in amount_by_line:
            totals[line] -= amount
            runs[line] = _Shared(runs[line], amount)
        return Left(totals, self._listed, runs)

    def with_runs(self, runs_by_line: dict[int, tuple[Run, ...]]) -> Left:
        """Return the state with some lines' runs replaced."""
        totals, runs = self.totals.copy(), self._runs.copy()
        for line, new_runs in runs_by_line.items():
            runs[line] = new_runs
            totals[line] = sum([run.left * run.units for run in new_runs])
        return Left(totals, self._listed, runs)


class WholeLines(Collection[Pick]):
    """All units of some lines, picked apart only when somebody looks at single ones."""

    __slots__ = ("_left", "_picks", "lines")

    def __init__(self, lines: Sequence[int], left: Left) -> None:
        self.lines = lines
        self._left = left
        self._picks: list[Pick] | None = None

    def __len__(self) -> int:
        return len(self._all())

    def __contains__(self, pick: object) -> bool:
        return pick in self._all()

    def __iter__(self) -> Iterator[Pick]:
        return iter(self._all())

    def _all(self) -> list[Pick]:
        if self._picks is None:
            self._picks = picks_of(self.lines, self._left)
        return self._picks


def picks_of(lines: Sequence[int], left: Left, *, unused_only: bool = False) -> list[Pick]:
    """Return the units of some lines as picks, in basket order."""
    return [
        Pick(line, position, run.units, run.left)
        for line in lines
        for position, run in enumerate(left.runs(line))
        if not (unused_only and run.is_used)
    ]


def _share_over_runs(before: tuple[Run, ...], amount: int) -> tuple[Run, ...]:
    shares = share_over_units(amount, [run.left for run in before], [run.units for run in before])
    after: list[Run] = []
    for run, (share, one_more) in zip(before, shares, strict=True):
        if one_more:
            after.append(Run(run.left - share - 1, one_more, run.is_used))
        if run.units > one_more:
            after.append(Run(run.left - share, run.units - one_more, run.is_used))
    return tuple(after)
