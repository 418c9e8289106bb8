"""Which units fill the parts of so many alike bundles: the most wanted ones that fit together.

Sets of units that fit the parts of n bundles form a transversal matroid, so taking units from the most wanted down,
each where the others can still move over for it, gives the set that is wanted most (Edmonds 1971, "Matroids and the
greedy algorithm"). Units that fit the same parts are moved together, along augmenting paths (Ford and Fulkerson 1956),
so that neither many units nor parts that overlap in every way make it slow.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from pos_discount.policy.picks import Pick, count_units


class Slot(NamedTuple):
    """One part of a bundle: how many units it takes, and the units that fit it."""

    units: int
    picks: Sequence[Pick]


Kind = tuple[int, ...]
"""The parts that units fit; units of one kind can stand in for each other."""


class Fit(NamedTuple):
    """Units, what each could save the customer in a bundle, and the parts that they fit."""

    pick: Pick
    worth: int
    parts: Kind


_Came = tuple[int, Kind] | None
_Move = tuple[int, int, Kind]
"""Out of a part, into a part, units of a kind."""

_Path = tuple[int, int, list[_Move]]
"""Where it starts, where it ends, and the moves on it."""


def fits_of(slots: Sequence[Slot], worth: Callable[[Pick], int]) -> list[Fit]:
    """Return the units of all parts, the most wanted first: by worth, then the dearest, then in basket order."""
    parts_by_pick: dict[Pick, list[int]] = {}
    for part, slot in enumerate(slots):
        for pick in slot.picks:
            parts_by_pick.setdefault(pick, []).append(part)
    alike = {parts: parts for parts in map(tuple, parts_by_pick.values())}
    fits = [Fit(pick, worth(pick), alike[tuple(parts)]) for pick, parts in parts_by_pick.items()]
    return sorted(fits, key=lambda fit: (-fit.worth, -fit.pick.left, fit.pick.line, fit.pick.run))


def units_lacking(slots: Sequence[Slot]) -> tuple[int, ...]:
    """Return how many units each part of one bundle lacks, where as many places as can be are filled."""
    fitting = [pick for slot in slots for pick in slot.picks]
    if len(fitting) == len(set(fitting)):  # most bundles ask for different products, and to count those is cheaper
        return tuple([max(0, slot.units - count_units(slot.picks)) for slot in slots])
    return Filling(fits_of(slots, lambda _: 0), slots, 1).lacking()


class Filling:
    """So many bundles, filled with units in order. ``chosen`` are the units that fit; ``is_full`` tells whether they
    fill every part; ``steps`` counts the work."""

    __slots__ = ("_dead", "_free", "_held", "chosen", "is_full", "steps")

    def __init__(self, fits: Sequence[Fit], slots: Sequence[Slot], bundles: int) -> None:
        self._free = [bundles * slot.units for slot in slots]
        self._held: list[dict[Kind, int]] = [{} for _ in slots]
        self._dead: set[Kind] = set()
        self.chosen: list[Fit] = []
        self.steps = 0
        missing = sum(self._free)
        for fit in fits:
            if not missing:
                break
            self.steps += len(fit.parts)
            pick = fit.pick
            units = 0 if fit.parts in self._dead else self._take_in(fit.parts, pick.units)
            if units:
                self.chosen.append(Fit(_some(pick, units), fit.worth, fit.parts))
                missing -= units
        self.is_full = not missing

    def lacking(self) -> tuple[int, ...]:
        """Return how many units each part lacks."""
        return tuple(self._free)

    def by_part(self) -> list[list[Pick]]:
        """Return the chosen units by part, each in the first part that leaves room for the others; asked for once."""
        by_part: list[list[Pick]] = [[] for _ in self._held]
        for fit in self.chosen:
            rest = fit.pick.units
            for part in fit.parts:
                units = self._settle(fit.parts, part, rest) if rest else 0
                if units:
                    by_part[part].append(_some(fit.pick, units))
                    rest -= units
        return by_part

    def _take_in(self, parts: Kind, wanted: int) -> int:
        """Take in as many units as fit, where others that fit elsewhere move over; return how many."""
        taken = 0
        for part in parts:
            if taken == wanted:
                return taken
            units = min(wanted - taken, self._free[part])
            if units:
                self._hold(part, parts, units)
                self._free[part] -= units
                taken += units
        while taken < wanted:
            path = self._path(parts, lambda part: self._free[part] > 0)
            if path is None:
                self._dead.add(parts)  # the parts that can be reached are full, and stay full
                break
            first, last, moves = path
            units = min(wanted - taken, self._free[last], *(self._held[out][kind] for out, _, kind in moves))
            self._move(moves, units)
            self._hold(first, parts, units)
            self._free[last] -= units
            taken += units
        return taken

    def _settle(self, parts: Kind, part: int, wanted: int) -> int:
        """Bring as many of the wanted units as can be into a part, and keep them there for good; return how many."""
        held = self._held[part]
        while held.get(parts, 0) < wanted and len(parts) > 1:
            path = self._path((part,), lambda other: other != part and self._held[other].get(parts, 0) > 0, parts)
            if path is None:
                break
            _, last, moves = path
            units = min(
                wanted - held.get(parts, 0),
                self._held[last][parts],
                *(self._held[out][kind] for out, _, kind in moves),
            )
            self._move(moves, units)
            self._hold(part, parts, units)
            self._hold(last, parts, -units)
        units = min(wanted, held.get(parts, 0))
        self._hold(part, parts, -units)
        return units

    def _path(self, starts: Kind, is_end: Callable[[int], bool], but: Kind | None = None) -> _Path | None:
        """Return the shortest way from a start to an end, without moving units of one kind, or None."""
        came: dict[int, _Came] = dict.fromkeys(starts)
        for start in starts:
            self.steps += 1
            if is_end(start):
                return start, start, []
        seen = set() if but is None else {but}
        waiting = deque(starts)
        while waiting:
            part = waiting.popleft()
            for kind in self._held[part]:
                self.steps += 1
                if kind in seen:
                    continue
                seen.add(kind)
                for other in kind:
                    self.steps += 1
                    if other not in came:
                        came[other] = part, kind
                        if is_end(other):
                            return _retraced(came, other)
                        waiting.append(other)
        return None

    def _move(self, moves: Sequence[_Move], units: int) -> None:
        for out, into, kind in moves:
            self._hold(out, kind, -units)
            self._hold(into, kind, units)

    def _hold(self, part: int, kind: Kind, units: int) -> None:
        held = self._held[part]
        held[kind] = held.get(kind, 0) + units
        if not held[kind]:
            del held[kind]


def _some(pick: Pick, units: int) -> Pick:
    return pick if units == pick.units else Pick(pick.line, pick.run, units, pick.left)


def _retraced(came: dict[int, _Came], end: int) -> _Path:
    moves: list[_Move] = []
    part = end
    while (step := came[part]) is not None:
        before, kind = step
        moves.append((before, part, kind))
        part = before
    return part, end, moves
