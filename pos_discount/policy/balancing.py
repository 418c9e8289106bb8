"""Which units make up bundles whose percentage is of list prices, where earlier discounts have cut what is left.

Such a percentage is shared by what is left. A unit that is nearly free thus brings in what comes off the others: more
is saved than each could lose of its own, and there is no worth of single units by which to take them. What is saved is
the least of two sums, though, the percentage of the list prices and what can be taken off at all. Units that are best
by a mix of both are found for one mix after the other, along the edge of what is possible (Lagrangian relaxation;
Everett 1963), which also bounds what any others could save. Floors can take more away, so what is saved is worked out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import NamedTuple

from pos_discount.policy.assignment import Assigned, Bundles, Saving, Slot, assign_bundles
from pos_discount.policy.picks import Pick

_STEPS_PER_MEMBER = 20
_MOST_MIXES = 12
"""Most mixes that are tried: each lies on the edge between the last two."""

Worth = Callable[[Pick], int]


class _Tried(NamedTuple):
    """Bundles, the percentage of their list prices, and what can be taken off them."""

    bundles: list[Bundles]
    percentage: int
    room: int


def balance_bundles(slots: Sequence[Slot], at_most: int | None, own: Worth, percentage: Worth, room: Worth) -> Assigned:
    """Return the bundles that save most when a percentage is shared by what is left: of equal ones the fewest, then
    the dearest.

    ``own`` is what a unit could lose by itself, ``percentage`` the percentage of its list price and ``room`` what can
    be taken off it, all in the same unit.
    """
    steps = 0

    def best_by(worth: Worth) -> _Tried:
        nonlocal steps
        found = assign_bundles(slots, at_most, Saving(worth))
        steps += found.steps + _STEPS_PER_MEMBER * sum(len(members) for members, _ in found.bundles)
        return _Tried(found.bundles, _sum(found.bundles, percentage), _sum(found.bundles, room))

    deep, wide = best_by(percentage), best_by(room)
    tried, most = [best_by(own), deep, wide], Fraction(min(deep.percentage, wide.room))
    for _ in range(_MOST_MIXES):
        if deep.percentage <= deep.room or wide.room <= wide.percentage:
            break  # that one saves all that it is best by
        more_room, more_deep = wide.room - deep.room, deep.percentage - wide.percentage
        if more_room <= 0 or more_deep <= 0:
            break
        # The mix by which both are worth the same: what is worth more by it lies on the edge between them.
        mixed = best_by(partial(_mixed, percentage, room, more_room, more_deep))
        reached = more_room * mixed.percentage + more_deep * mixed.room
        most = min(most, Fraction(reached, more_room + more_deep))
        if reached <= more_room * deep.percentage + more_deep * deep.room:
            break
        tried.append(mixed)
        deep, wide = (mixed, wide) if mixed.percentage >= mixed.room else (deep, mixed)
    saved, best = max(((_saved(one, room), one) for one in tried), key=lambda each: (each[0], *_rank(each[1].bundles)))
    return Assigned(best.bundles, saved >= most, steps)


def _mixed(percentage: Worth, room: Worth, of_percentage: int, of_room: int, pick: Pick) -> int:
    return of_percentage * percentage(pick) + of_room * room(pick)


def _sum(bundles: Sequence[Bundles], worth: Worth) -> int:
    return sum(worth(pick) * pick.units * times for members, times in bundles for pick in members)


def _saved(tried: _Tried, room: Worth) -> Fraction:
    """Return what the percentage saves, shared by what is left of each unit, as far as it can bear it."""
    rate = Fraction(tried.percentage, _sum(tried.bundles, lambda pick: pick.left) or 1)
    units = [(pick, pick.units * times) for members, times in tried.bundles for pick in members]
    return sum((min(rate * pick.left, Fraction(room(pick))) * count for pick, count in units), Fraction(0))


def _rank(bundles: Sequence[Bundles]) -> tuple[int, list[tuple[int, int, int]]]:
    units = [(pick.left, -pick.line, -pick.run) for members, times in bundles for pick in members]
    return -sum(times for _, times in bundles), sorted(units, reverse=True)
