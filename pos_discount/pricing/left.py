"""What is left of a basket's prices, line by line and unit by unit, as one promotion after the other takes its part.

A line's units are kept as runs of alike units. Most discounts concern whole lines; how such a discount falls on a
line's units is worked out only when somebody looks at them, which for most lines is never.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from operator import mul
from typing import NamedTuple

from pos_discount.money import share_over_units
from pos_discount.policy.picks import Pick


class Run(NamedTuple):
    """Alike units of a line: what is left of the price of each, how many, and whether a group benefit has used them."""

    left: int
    units: int
    is_used: bool


class Listed(NamedTuple):
    """List prices and quantities by line: each line one run."""

    prices: Sequence[int]
    quantities: Sequence[int]

    def runs(self, line: int) -> tuple[Run, ...]:
        return (Run(self.prices[line], self.quantities[line], False),)


class Left:
    """A state that no discount changes: each makes the next. ``totals`` are what is left of each line, in minor units.

    A state knows what was taken off whole lines since the one before it, so that a line's runs can be worked out when
    they are asked for, from the last state that knew them. ``shared`` counts the runs that this took. ``is_split``
    tells whether a discount was on single units of a line.
    """

    __slots__ = ("_amount_by_line", "_before", "_runs", "is_split", "shared", "totals")

    def __init__(
        self,
        totals: list[int],
        before: Left | Listed,
        amount_by_line: Mapping[int, int],
        runs: dict[int, tuple[Run, ...]],
    ) -> None:
        self.totals = totals
        self.shared = 0
        self.is_split: bool = bool(runs) or (isinstance(before, Left) and before.is_split)
        self._before = before
        self._amount_by_line = amount_by_line
        self._runs = runs

    @classmethod
    def at_list_price(cls, prices: Sequence[int], quantities: Sequence[int]) -> Left:
        """Return the state before any discount."""
        return cls(list(map(mul, prices, quantities)), Listed(prices, quantities), {}, {})

    def runs(self, line: int) -> tuple[Run, ...]:
        """Return a line's runs, in the order of its units."""
        runs = self._runs.get(line)
        if runs is None:
            runs = self._runs[line] = self._work_out(line)
        return runs

    def _work_out(self, line: int) -> tuple[Run, ...]:
        """Share what was taken off the whole line since its runs were last known, one amount after the other."""
        state: Left | Listed = self
        amounts: list[int] = []
        while isinstance(state, Left) and line not in state._runs:
            amounts.append(state._amount_by_line.get(line, 0))
            state = state._before
        runs = state.runs(line)
        for amount in reversed(amounts):
            if amount:
                runs = _share_over_runs(runs, amount)
                self.shared += len(runs)
        return runs

    def less_on_lines(self, amount_by_line: Mapping[int, int]) -> Left:
        """Return the state after amounts were taken off whole lines."""
        totals = self.totals.copy()
        for line, amount in amount_by_line.items():
            totals[line] -= amount
        return Left(totals, self, amount_by_line, {})

    def with_runs(self, runs_by_line: dict[int, tuple[Run, ...]]) -> Left:
        """Return the state with some lines' runs replaced."""
        totals = self.totals.copy()
        for line, runs in runs_by_line.items():
            totals[line] = sum([run.left * run.units for run in runs])
        return Left(totals, self, {}, runs_by_line)


class PaidUnits:
    """How many units of each line still cost something, counted when it is asked for."""

    __slots__ = ("_left",)

    def __init__(self, left: Left) -> None:
        self._left = left

    def __getitem__(self, line: int) -> int:
        return sum([run.units for run in self._left.runs(line) if run.left])


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
