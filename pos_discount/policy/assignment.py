"""Which units make up bundles, so that the customer saves most: an exact assignment of units to the parts of a bundle.

Sets of units that fit the parts of n bundles form a transversal matroid, so taking units from the dearest down, each where Hall's
condition still holds, gives the dearest set there is (Edmonds 1971, "Matroids and the greedy algorithm"). Its worth is concave in
n, so the best n for a bundle with a price is found by bisection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from pos_discount.policy.picks import Pick, take_units


class Slot(NamedTuple):
    """One part of a bundle: how many units it takes, and the units that fit it."""

    units: int
    picks: Sequence[Pick]


class _Fit(NamedTuple):
    """Units, what each could save the customer in a bundle, and the parts that they fit, as a bit mask."""

    pick: Pick
    worth: Fraction | int
    parts: int


def assign_bundles(
    slots: Sequence[Slot], at_most: int | None, price: int | None, worth: Callable[[Pick], Fraction | int]
) -> list[tuple[list[Pick], int]]:
    """Return the bundles as (members of one bundle, how many alike ones): as many as save more with each, the units first of
    which each could save most.

    ``worth`` is what a unit could save, ``price`` what all of a bundle costs, where it has a price (minor units).
    """
    fits = _fits(slots, worth)
    unions = _unions(fits)
    most = min(sum(fit.pick.units for fit in fits) // sum(slot.units for slot in slots), at_most or 10**9)
    possible = _largest(most, lambda n: _dearest(fits, unions, slots, n) is not None)
    count = _largest(
        possible, lambda n: _saved(fits, unions, slots, n, price) > _saved(fits, unions, slots, n - 1, price)
    )
    chosen = _dearest(fits, unions, slots, count) if count else None
    return list(_bundles(_by_part(chosen, unions, slots, count), slots, count)) if chosen else []


def _fits(slots: Sequence[Slot], worth: Callable[[Pick], Fraction | int]) -> list[_Fit]:
    parts_by_pick: dict[Pick, int] = {}
    for part, slot in enumerate(slots):
        for pick in slot.picks:
            parts_by_pick[pick] = parts_by_pick.get(pick, 0) | 1 << part
    fits = [_Fit(pick, worth(pick), parts) for pick, parts in parts_by_pick.items()]
    return sorted(fits, key=lambda fit: (-fit.worth, -fit.pick.left, fit.pick.line, fit.pick.run))


def _unions(fits: Sequence[_Fit]) -> list[int]:
    """Return every union of part sets that occur: the only sets for which Hall's condition can fail first."""
    unions: set[int] = set()
    for parts in {fit.parts for fit in fits}:
        unions |= {parts | other for other in unions} | {parts}
    return sorted(unions)


def _largest(most: int, holds: Callable[[int], bool]) -> int:
    """Return the largest n up to ``most`` for which a condition holds that, once false, stays false; 0 always holds."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low


def _room(slots: Sequence[Slot], parts: int, count: int) -> int:
    return count * sum(slot.units for part, slot in enumerate(slots) if parts >> part & 1)


def _dearest(fits: Sequence[_Fit], unions: Sequence[int], slots: Sequence[Slot], count: int) -> list[_Fit] | None:
    """Return the dearest units that fill ``count`` bundles, or None where units do not suffice."""
    room = {parts: _room(slots, parts, count) for parts in unions}
    missing = count * sum(slot.units for slot in slots)
    chosen: list[_Fit] = []
    for fit in fits:
        units = min(fit.pick.units, *(room[parts] for parts in unions if parts & fit.parts == fit.parts))
        if units:
            chosen.append(fit._replace(pick=fit.pick._replace(units=units)))
            missing -= units
            for parts in unions:
                if parts & fit.parts == fit.parts:
                    room[parts] -= units
    return None if missing else chosen


def _saved(
    fits: Sequence[_Fit], unions: Sequence[int], slots: Sequence[Slot], count: int, price: int | None
) -> Fraction | int:
    """Return what so many bundles save: what their units could save, and no more than what they cost above their price."""
    chosen = (_dearest(fits, unions, slots, count) if count else None) or ()
    could = sum(fit.worth * fit.pick.units for fit in chosen)
    return could if price is None else min(could, sum(fit.pick.left * fit.pick.units for fit in chosen) - price * count)


def _by_part(chosen: Sequence[_Fit], unions: Sequence[int], slots: Sequence[Slot], count: int) -> list[list[Pick]]:
    """Assign the chosen units to parts, each to the first part that leaves enough room for the others."""
    room = {
        parts: _room(slots, parts, count) - sum(f.pick.units for f in chosen if f.parts | parts == parts)
        for parts in unions
    }
    free = [count * slot.units for slot in slots]
    by_part: list[list[Pick]] = [[] for _ in slots]
    for fit in chosen:
        left = fit.pick.units
        for part in range(len(slots)):
            if not left or not fit.parts >> part & 1:
                continue
            tight = [room[parts] for parts in unions if parts >> part & 1 and parts & fit.parts != fit.parts]
            units = min(left, free[part], *tight)
            if units <= 0:
                continue
            by_part[part].append(fit.pick._replace(units=units))
            free[part] -= units
            left -= units
            for parts in unions:
                if parts >> part & 1 and parts & fit.parts != fit.parts:
                    room[parts] -= units
    return by_part


def _bundles(by_part: list[list[Pick]], slots: Sequence[Slot], count: int) -> Iterator[tuple[list[Pick], int]]:
    """Yield the bundles, the dearest units of each part together, alike bundles at once."""
    rests = by_part
    while count:
        alike = min([count, *(rest[0].units // slot.units for rest, slot in zip(rests, slots, strict=True))]) or 1
        members = [take_units(rest, slot.units)[0] for rest, slot in zip(rests, slots, strict=True)]
        yield [pick for part in members for pick in part], alike
        rests = [take_units(rest, slot.units * alike)[1] for rest, slot in zip(rests, slots, strict=True)]
        count -= alike
