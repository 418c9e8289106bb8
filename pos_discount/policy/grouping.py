"""Which units share a bundle, tried out: needed only where some bundles could save more with what others waste.

Branch and bound over bundles, the one with the dearest unit that is still free first. States that were reached with
as much saved before are not looked at again. The number of steps is bounded, so a search for ever ends in time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from pos_discount.policy.filling import Fit, Slot
from pos_discount.policy.picks import Pick

MOST_STEPS = 30_000
"""Most steps of a search: bundles looked at, on the way or at hand."""

MOST_MADE = 3_000
"""Most bundles of different units that are looked at."""


class _Made(msgspec.Struct, frozen=True):
    """A bundle: its units as (position of the fit, how many), and what it saves."""

    units: tuple[tuple[int, int], ...]
    saving: int


class Grouping:
    """A search for bundles of the given fits. ``steps`` counts the work; ``is_exact`` tells whether all was tried."""

    def __init__(self, fits: Sequence[Fit], slots: Sequence[Slot], saved_by: Callable[[Sequence[Pick]], int]) -> None:
        self.steps = 0
        self.is_exact = True
        self._fits = fits
        self._saved_by = saved_by
        self._free = [fit.pick.units for fit in fits]
        self._size = sum(slot.units for slot in slots)
        self._made_by_first = self._all_made(slots)

    def best(self, most: int, more_than: int, enough: int) -> list[list[Pick]] | None:
        """Return up to ``most`` bundles that save more than so much, the best there are or ones that save enough;
        None where there are none or the search had to stop."""
        self._best = more_than
        self._enough = enough
        self._found: list[_Made] | None = None
        self._seen: dict[tuple[int, ...], int] = {}
        if self.is_exact:
            self._extend([], 0, 0, most)
        return None if self._found is None else [self._picks(made) for made in self._found]

    def _extend(self, chosen: list[_Made], saved: int, first: int, most: int) -> None:
        if saved > self._best:
            self._best, self._found = saved, list(chosen)
        if not most:
            return
        for position in range(first, len(self._fits)):
            if not self._free[position]:
                continue
            if not self._may_go_on(saved, position, most):
                return
            for made in self._made_by_first[position]:
                self.steps += 1
                if self._take(made):
                    self._extend([*chosen, made], saved + made.saving, position, most - 1)
                    self._give_back(made)

    def _may_go_on(self, saved: int, first: int, most: int) -> bool:
        """Tell whether what is free from a position on could still save more than the best so far."""
        self.steps += len(self._fits) - first
        if self._best >= self._enough or self.steps > MOST_STEPS:
            self.is_exact &= self._best >= self._enough
            return False
        if saved + self._most_from(first, most) <= self._best:
            return False
        state = (most, first, *self._free[first:])
        if self._seen.get(state, -1) >= saved:
            return False
        self._seen[state] = saved
        return True

    def _most_from(self, first: int, most: int) -> int:
        """Return more than which the units from a position on cannot save: each can save its worth at most, each
        bundle as much as the best."""
        units, could = most * self._size, 0
        for position in range(first, len(self._fits)):
            taken = min(units, self._free[position])
            could += taken * self._fits[position].worth
            units -= taken
        bundles = min(most, (most * self._size - units) // self._size)
        return min(could, bundles * self._most_of_one)

    def _take(self, made: _Made) -> bool:
        if any(self._free[position] < units for position, units in made.units):
            return False
        for position, units in made.units:
            self._free[position] -= units
        return True

    def _give_back(self, made: _Made) -> None:
        for position, units in made.units:
            self._free[position] += units

    def _all_made(self, slots: Sequence[Slot]) -> list[list[_Made]]:
        """Return the bundles that save something, by their first unit's position, the dearest first."""
        made_by_first: list[list[_Made]] = [[] for _ in self._fits]
        needed = tuple(slot.units for slot in slots)
        self._most_of_one = 0
        for units in sorted(set(self._ways(0, needed, ())), reverse=True):
            counted = tuple((position, count) for position, count in enumerate(units) if count)
            made = _Made(counted, self._saved_by([self._unit(position, count) for position, count in counted]))
            if made.saving:
                self._most_of_one = max(self._most_of_one, made.saving)
                made_by_first[counted[0][0]].append(made)
        return made_by_first

    def _ways(self, position: int, needed: tuple[int, ...], taken: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        """Yield how many units of each fit a bundle may hold, as far as not too many are looked at."""
        if not any(needed):
            yield taken
            return
        if position == len(self._fits):
            return
        for parts in self._shared(self._fits[position].parts, needed, self._free[position]):
            self.steps += 1
            if self.steps > MOST_MADE:
                self.is_exact = False
                return
            rest = tuple(need - count for need, count in zip(needed, parts, strict=True))
            yield from self._ways(position + 1, rest, (*taken, sum(parts)))

    def _shared(self, fitting: Sequence[int], needed: tuple[int, ...], units: int) -> Iterator[tuple[int, ...]]:
        """Yield every way to give up to so many units to the parts that they fit."""
        if not fitting:
            yield (0,) * len(needed)
            return
        part, *others = fitting
        for count in range(min(units, needed[part]), -1, -1):
            for shared in self._shared(others, needed, units - count):
                yield (*shared[:part], count, *shared[part + 1 :])

    def _unit(self, position: int, count: int) -> Pick:
        return self._fits[position].pick.with_units(count)

    def _picks(self, made: _Made) -> list[Pick]:
        return [self._unit(position, count) for position, count in made.units]
