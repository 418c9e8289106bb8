"""Which units make up bundles, so that the customer saves most: an exact assignment of units to the parts of a bundle.

Sets of units that fit the parts of n bundles form a transversal matroid, so taking units from the dearest down, each
where Hall's condition still holds, gives the dearest set there is (Edmonds 1971, "Matroids and the greedy
algorithm"). Its worth is concave in n, so the best n for a bundle with a price is found by bisection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from pos_discount.policy.picks import Pick, take_units


class Slot(NamedTuple):
    """One part of a bundle: how many units it takes, and the units that fit it."""

    units: int
    picks: Sequence[Pick]


Bundles = tuple[list[Pick], int]
"""The members of one bundle, and how many bundles are alike."""

_MOST_UNIONS = 2_000
"""Most sets of overlapping parts that are looked at; a bundle beyond it is filled well, if not best."""

_MOST_BALANCED = 200
"""Most units that are grouped anew where the dearest together waste something."""


class _Fit(NamedTuple):
    """Units, what each could save the customer in a bundle, and the parts that they fit, as a bit mask."""

    pick: Pick
    worth: int
    parts: int


class Saving(NamedTuple):
    """What a bundle can save: ``worth`` is what can be taken off a unit; a bundle has a ``price``, an ``amount`` off,
    or neither (then each of its units saves its worth, in any unit that makes it whole). Otherwise minor units."""

    worth: Callable[[Pick], int]
    price: int | None = None
    amount: int | None = None

    def of(self, picks: Sequence[Pick], bundles: int = 1) -> int:
        """Return the most that so many bundles of these units can save in all."""
        could = sum(self.worth(pick) * pick.units for pick in picks)
        if self.price is not None:
            return min(could, max(0, sum(pick.left * pick.units for pick in picks) - self.price * bundles))
        return could if self.amount is None else min(could, self.amount * bundles)


def assign_bundles(slots: Sequence[Slot], at_most: int | None, saving: Saving) -> list[Bundles]:
    """Return the bundles as (members of one bundle, how many alike ones): as many as save more with each, of the
    units that can save most, the dearest together unless other groups save more."""
    fits = _fits(slots, saving.worth)
    unions = _unions((fit.parts for fit in fits), overlapping_only=True)
    possible = min(_most_bundles(fits, unions, slots), at_most or 10**9)

    @cache
    def saved(bundles: int) -> int:
        return saving.of([fit.pick for fit in _dearest(fits, unions, slots, bundles)], bundles) if bundles else 0

    each_saves = saving.price is None and saving.amount is None and all(fit.worth for fit in fits)
    count = possible if each_saves else _largest(possible, lambda n: saved(n) > saved(n - 1))
    best = list(_bundles(_chosen_by_part(fits, unions, slots, count), slots, count))
    for more in range(count, possible + 1):
        if _saved_in_all(best, saving) >= saved(count) or more * sum(slot.units for slot in slots) > _MOST_BALANCED:
            break
        balanced = _balanced(_chosen_by_part(fits, unions, slots, more), slots, more, saving)
        best = max(best, balanced, key=lambda bundles: _saved_in_all(bundles, saving))
    return best


def _saved_in_all(bundles: Sequence[Bundles], saving: Saving) -> int:
    return sum(saving.of(members) * times for members, times in bundles)


def _fits(slots: Sequence[Slot], worth: Callable[[Pick], int]) -> list[_Fit]:
    parts_by_pick: dict[Pick, int] = {}
    for part, slot in enumerate(slots):
        for pick in slot.picks:
            parts_by_pick[pick] = parts_by_pick.get(pick, 0) | 1 << part
    fits = [_Fit(pick, worth(pick), parts) for pick, parts in parts_by_pick.items()]
    return sorted(fits, key=lambda fit: (-fit.worth, -fit.pick.left, fit.pick.line, fit.pick.run))


def _unions(part_sets: Iterable[int], *, overlapping_only: bool) -> list[int]:
    """Return every union of part sets that occur, or only of those that overlap: the only ones for which Hall's
    condition can fail first. Parts of their own, the usual case, overlap with none and so cost nothing."""
    known = set(part_sets)
    frontier = set(known)
    while frontier and len(known) <= _MOST_UNIONS:
        frontier = {one | other for one in frontier for other in known if one & other or not overlapping_only} - known
        known |= frontier
    return sorted(known)


def _largest(most: int, holds: Callable[[int], bool]) -> int:
    """Return the largest n up to ``most`` for which a condition holds that, once false, stays false; 0 always holds."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low


def _room(slots: Sequence[Slot], parts: int, count: int) -> int:
    return count * sum(slot.units for part, slot in enumerate(slots) if parts >> part & 1)


def _most_bundles(fits: Sequence[_Fit], unions: Sequence[int], slots: Sequence[Slot]) -> int:
    """Return how many bundles the units can fill: units that fit no other parts than some cannot help the rest
    (Hall 1935)."""
    parts_together = [
        parts for parts in unions if not any(parts != other and parts & other == parts for other in unions)
    ]
    if sum(parts.bit_count() for parts in parts_together) < len(slots):
        return 0
    return min(_most_of_group(fits, slots, group) for group in parts_together)


def _most_of_group(fits: Sequence[_Fit], slots: Sequence[Slot], group: int) -> int:
    """Return how many bundles the units of parts that overlap, directly or through others, can fill."""
    units_by_parts: dict[int, int] = {}
    for fit in fits:
        if fit.parts & group:
            units_by_parts[fit.parts] = units_by_parts.get(fit.parts, 0) + fit.pick.units
    units = sum(units_by_parts.values())
    bounds = [units // _room(slots, group, 1)]
    for own in _unions(units_by_parts, overlapping_only=False):
        if own != group:
            of_no_use = sum(count for parts, count in units_by_parts.items() if parts | own == own)
            bounds.append((units - of_no_use) // _room(slots, group & ~own, 1))
    return min(bounds)


def _dearest(fits: Sequence[_Fit], unions: Sequence[int], slots: Sequence[Slot], count: int) -> list[_Fit]:
    """Return the units worth most that fill ``count`` bundles, which must be possible."""
    room = {parts: _room(slots, parts, count) for parts in unions}
    supersets = {fit.parts: [parts for parts in unions if parts & fit.parts == fit.parts] for fit in fits}
    chosen: list[_Fit] = []
    for fit in fits:
        units = min(fit.pick.units, *(room[parts] for parts in supersets[fit.parts]))
        if units:
            chosen.append(fit._replace(pick=fit.pick._replace(units=units)))
            for parts in supersets[fit.parts]:
                room[parts] -= units
    return chosen


def _chosen_by_part(fits: Sequence[_Fit], unions: Sequence[int], slots: Sequence[Slot], count: int) -> list[list[Pick]]:
    """Return the units that fill ``count`` bundles by part, each in the first part that leaves enough room for the
    others."""
    chosen = _dearest(fits, unions, slots, count) if count else []
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


def _bundles(by_part: list[list[Pick]], slots: Sequence[Slot], count: int) -> Iterator[Bundles]:
    """Yield the bundles, the dearest units of each part together, alike bundles at once."""
    rests = by_part
    while count:
        alike = min([count, *(rest[0].units // slot.units for rest, slot in zip(rests, slots, strict=True))]) or 1
        members = [take_units(rest, slot.units)[0] for rest, slot in zip(rests, slots, strict=True)]
        yield [pick for part in members for pick in part], alike
        rests = [take_units(rest, slot.units * alike)[1] for rest, slot in zip(rests, slots, strict=True)]
        count -= alike


def _balanced(by_part: list[list[Pick]], slots: Sequence[Slot], count: int, saving: Saving) -> list[Bundles]:
    """Group the units so that what bundles share out evenly is as even as can be: what may be taken off where each
    gets an amount, what must stay where each has a price. The largest unit goes to the bundle that has least (Graham
    1969)."""

    def load(pick: Pick) -> int:
        return saving.worth(pick) if saving.price is None else pick.left - saving.worth(pick)

    units = [
        (part, pick._replace(units=1))
        for part, picks in enumerate(by_part)
        for pick in picks
        for _ in range(pick.units)
    ]
    free = [[slot.units for slot in slots] for _ in range(count)]
    members: list[list[Pick]] = [[] for _ in range(count)]
    loads: list[int] = [0] * count
    for part, pick in sorted(units, key=lambda unit: -load(unit[1])):
        least = min((n for n in range(count) if free[n][part]), key=lambda n: loads[n])
        members[least].append(pick)
        free[least][part] -= 1
        loads[least] += load(pick)
    return [(bundle, 1) for bundle in members]
