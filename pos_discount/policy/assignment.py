"""Which units make up bundles, so that the customer saves most: an exact assignment of units to the parts of a bundle.

The units that save most together are found directly, and what they save, were it shared out at will, is concave in the
number of bundles: the best number is found by bisection, and nothing can save more. Where grouping them, the dearest
together or as evenly as can be, wastes none of it, that is the answer; else groups are tried out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from pos_discount.policy.filling import Filling, Fit, Slot, fits_of
from pos_discount.policy.grouping import Grouping
from pos_discount.policy.picks import Pick, count_units

__all__ = ["Assigned", "Saving", "Slot", "assign_bundles"]

Bundles = tuple[list[Pick], int]
"""The members of one bundle, and how many bundles are alike."""

_MOST_BALANCED = 200
"""Most units that are grouped anew where the dearest together waste something."""

_STEPS_PER_FIT = 3
_STEPS_PER_MEMBER = 5


class Saving(NamedTuple):
    """What a bundle can save: ``worth`` is what can be taken off a unit; a bundle has a ``price``, an ``amount`` off,
    or neither (then each of its units saves its worth, in any unit that makes it whole). Otherwise minor units."""

    worth: Callable[[Pick], int]
    price: int | None = None
    amount: int | None = None

    def of(self, picks: Sequence[Pick]) -> int:
        """Return what one bundle of these units saves."""
        could = sum(self.worth(pick) * pick.units for pick in picks)
        if self.price is not None:
            return min(could, max(0, sum(pick.left * pick.units for pick in picks) - self.price))
        return could if self.amount is None else min(could, self.amount)


class Assigned(NamedTuple):
    """The bundles as (members of one bundle, how many alike ones); whether no others can save more; and the steps that
    finding them took."""

    bundles: list[Bundles]
    is_exact: bool
    steps: int


def assign_bundles(slots: Sequence[Slot], at_most: int | None, saving: Saving) -> Assigned:
    """Return as many bundles as save more with each, of the units that can save most, the dearest together unless
    other groups save more."""
    fits = fits_of(slots, saving.worth)
    assignment = _Assignment(fits, slots, saving)
    bundles, is_exact = assignment.best(at_most or 10**9)
    return Assigned(bundles, is_exact, assignment.steps + _STEPS_PER_FIT * sum(len(slot.picks) for slot in slots))


class _Assignment:
    def __init__(self, fits: list[Fit], slots: Sequence[Slot], saving: Saving) -> None:
        self.steps = 0
        self._fits = fits
        self._slots = slots
        self._saving = saving
        self._size = sum(slot.units for slot in slots)
        self._saved_by_bundles: dict[int, int] = {0: 0}
        self._filling_by_bundles: dict[int, Filling] = {}

    def best(self, at_most: int) -> tuple[list[Bundles], bool]:
        """Return the best bundles found, and whether they are the best there are."""
        most = min([count_units(slot.picks) // slot.units for slot in self._slots])
        most = min(at_most, most, count_units([fit.pick for fit in self._fits]) // self._size)
        possible = _largest(most, lambda bundles: self._best_fill(bundles).is_full)
        saves_each = self._saving.price is None and self._saving.amount is None
        if saves_each and all(fit.worth for fit in self._fits):
            count = possible
        else:
            count = _largest(possible, lambda bundles: self._most_saved(bundles) > self._most_saved(bundles - 1))
        best = list(_bundles(self._fill(count).by_part(), self._slots, count))
        self.steps += _STEPS_PER_MEMBER * len(best) * len(self._slots)
        if not count or self._saved(best) >= self._most_saved(count):
            return best, True
        return self._regrouped(best, count, possible)

    def _regrouped(self, best: list[Bundles], count: int, possible: int) -> tuple[list[Bundles], bool]:
        """Return bundles that waste less than the dearest together do, the fewest that waste least."""
        enough = self._most_saved(count)
        search: Grouping | None = None
        for more in range(count, possible + 1):
            if more * self._size > _MOST_BALANCED:
                return best, False
            by_part = self._fill(more).by_part()
            best = max(best, _balanced(by_part, self._slots, more, self._saving), key=self._saved)
            if self._saved(best) < enough:
                search = search or Grouping(self._fits, self._slots, self._saving.of)
                found = search.best(more, self._saved(best), enough)
                best = best if found is None else [(members, 1) for members in found]
            if self._saved(best) >= enough:
                break
        self.steps += 0 if search is None else search.steps
        return best, self._saved(best) >= enough or search is None or search.is_exact

    def _saved(self, bundles: Sequence[Bundles]) -> int:
        return sum(self._saving.of(members) * times for members, times in bundles)

    def _most_saved(self, bundles: int) -> int:
        """Return more than which so many bundles cannot save, however their units are grouped."""
        saved = self._saved_by_bundles.get(bundles)
        if saved is None:
            saved = self._saved_by_bundles[bundles] = self._find_most_saved(bundles)
        return saved

    def _find_most_saved(self, bundles: int) -> int:
        could = sum(fit.worth * fit.pick.units for fit in self._best_fill(bundles).chosen)
        if self._saving.price is not None:
            dearest = self._fill_with_dearest(bundles).chosen
            return min(could, sum(fit.pick.left * fit.pick.units for fit in dearest) - self._saving.price * bundles)
        return could if self._saving.amount is None else min(could, self._saving.amount * bundles)

    def _best_fill(self, bundles: int) -> Filling:
        filling = self._filling_by_bundles.get(bundles)
        if filling is None:
            filling = self._filling_by_bundles[bundles] = self._fill(bundles)
        return filling

    def _fill(self, bundles: int) -> Filling:
        """Fill so many bundles with the units worth most; who asks for them by part needs a filling of their own."""
        return self._filled(self._fits, bundles)

    def _fill_with_dearest(self, bundles: int) -> Filling:
        if all(fit.worth == fit.pick.left for fit in self._fits):
            return self._best_fill(bundles)
        return self._filled(sorted(self._fits, key=lambda fit: -fit.pick.left), bundles)

    def _filled(self, fits: Sequence[Fit], bundles: int) -> Filling:
        filling = Filling(fits, self._slots, bundles)
        self.steps += filling.steps
        return filling


def _largest(most: int, holds: Callable[[int], bool]) -> int:
    """Return the largest n up to ``most`` for which a condition holds that, once false, stays false; 0 always holds."""
    if not most or holds(most):  # as many as there can be, mostly
        return most
    low, high = 0, most - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low


def _bundles(by_part: list[list[Pick]], slots: Sequence[Slot], count: int) -> Iterator[Bundles]:
    """Yield the bundles, the dearest units of each part together, alike bundles at once."""
    rests = [list(reversed(picks)) for picks in by_part]
    while count:
        alike = min([count, *(rest[-1].units // slot.units for rest, slot in zip(rests, slots, strict=True))]) or 1
        members = [
            pick for rest, slot in zip(rests, slots, strict=True) for pick in _next_units(rest, slot.units, alike)
        ]
        yield members, alike
        count -= alike


def _next_units(rest: list[Pick], units: int, times: int) -> Iterator[Pick]:
    """Take one bundle's units off the end of what rests, so many times over where all of them are of one pick."""
    while units:
        line, run, there, left = rest[-1]
        taken = min(units, there)
        yield Pick(line, run, taken, left)
        if taken * times == there:
            rest.pop()
        else:
            rest[-1] = Pick(line, run, there - taken * times, left)
        units -= taken


def _balanced(by_part: list[list[Pick]], slots: Sequence[Slot], count: int, saving: Saving) -> list[Bundles]:
    """Group the units so that what bundles share out evenly is as even as can be: what may be taken off where each
    gets an amount, what must stay where each has a price. The largest unit goes to the bundle that has least (Graham
    1969)."""

    def load(pick: Pick) -> int:
        return saving.worth(pick) if saving.price is None else pick.left - saving.worth(pick)

    units = [
        (part, pick.with_units(1)) for part, picks in enumerate(by_part) for pick in picks for _ in range(pick.units)
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
