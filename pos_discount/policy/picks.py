"""Picks: so many alike units of one line, and how they are ordered, counted, taken and put into groups.

Units of a line that cost alike form a run and are handled together, so that the work grows with the lines of a
basket, not with the quantities on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple


class Pick(NamedTuple):
    """``units`` alike units of one run of a line; ``left`` is what is left of the price of each, in minor units."""

    line: int
    run: int
    units: int
    left: int

    def with_units(self, units: int) -> Pick:
        """Return so many units of the same run."""
        return Pick(self.line, self.run, units, self.left)


def count_units(picks: Iterable[Pick]) -> int:
    """Return how many units the picks hold."""
    return sum([pick.units for pick in picks])


def by_price(picks: Iterable[Pick], take: Literal["cheapest", "dearest"]) -> list[Pick]:
    """Order picks by what is left of a unit's price; equal prices stay in basket order."""
    if take == "cheapest":
        return sorted(picks, key=lambda pick: (pick.left, pick.line, pick.run))
    return sorted(picks, key=lambda pick: (-pick.left, pick.line, pick.run))


def take_units(picks: Sequence[Pick], count: int) -> tuple[list[Pick], list[Pick]]:
    """Split picks after the first ``count`` units.

    >>> take_units([Pick(0, 0, 2, 500), Pick(1, 0, 2, 400)], 3)[0]
    [Pick(line=0, run=0, units=2, left=500), Pick(line=1, run=0, units=1, left=400)]
    """
    taken: list[Pick] = []
    for position, pick in enumerate(picks):
        if count <= 0:
            return taken, list(picks[position:])
        if pick.units > count:
            taken.append(pick.with_units(count))
            return taken, [pick.with_units(pick.units - count), *picks[position + 1 :]]
        taken.append(pick)
        count -= pick.units
    return taken, []


def groups_of(picks: Sequence[Pick], size: int, groups: int) -> Iterator[tuple[list[Pick], int]]:
    """Yield consecutive groups of ``size`` units as (members of one group, how many alike groups follow each other)."""
    rest = list(picks)
    while groups and rest:
        alike = min(groups, rest[0].units // size)
        if alike:
            yield [rest[0].with_units(size)], alike
            _, rest = take_units(rest, size * alike)
            groups -= alike
            continue
        members, rest = take_units(rest, size)
        if count_units(members) < size:
            return
        yield members, 1
        groups -= 1
