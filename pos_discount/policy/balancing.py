"""Which units make up bundles whose percentage is of list prices, where earlier discounts have cut what is left.

Such a percentage is shared by what is left. A unit that is nearly free thus brings in what comes off the others: more
is saved than each could lose of its own, and there is no worth of single units by which to take them. What is saved is
the least of two sums, though, the percentage of the list prices and what can be taken off at all. Units that are best
by a mix of both are found for one mix after the other, along the edge of what is possible (Lagrangian relaxation;
Everett 1963), which also bounds what any others could save. Floors can take more away, so what is saved is worked out.
What lies behind the edge, or on it between two mixes, no mix finds: where some units could still save more, and there
are few ways to choose them, as at a till, all are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from itertools import product
from math import prod
from typing import NamedTuple

from pos_discount.policy.assignment import Assigned, Bundles, Saving, Slot, assign_bundles
from pos_discount.policy.picks import Pick

_STEPS_PER_MEMBER = 20
_MOST_MIXES = 12
"""Most mixes that are tried: each lies on the edge between the last two."""

_MOST_CHOICES = 4_096
"""Ways to choose units up to which all are looked at."""

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
    best = max(tried, key=partial(_standing, room))
    if _saved(best, room) >= most:
        return Assigned(best.bundles, is_exact=True, steps=steps)
    picks = list(dict.fromkeys(pick for slot in slots for pick in slot.picks))
    if prod(pick.units + 1 for pick in picks) > _MOST_CHOICES:
        return Assigned(best.bundles, is_exact=False, steps=steps)
    found, steps_on_all = _best_of_all(picks, slots, at_most, percentage, room, best)
    return Assigned(found.bundles, is_exact=True, steps=steps + steps_on_all)


def _best_of_all(
    picks: Sequence[Pick], slots: Sequence[Slot], at_most: int | None, percentage: Worth, room: Worth, best: _Tried
) -> tuple[_Tried, int]:
    """Look at every choice of units that could save as much as the best so far, and count the steps."""
    size, worths = sum(slot.units for slot in slots), [(percentage(pick), room(pick)) for pick in picks]
    choices = []
    for counts in product(*(range(pick.units + 1) for pick in picks)):
        bundles, left_over = divmod(sum(counts), size)
        if bundles and not left_over and bundles <= (at_most or bundles):
            deep = sum(count * worth for count, (worth, _) in zip(counts, worths, strict=True))
            wide = sum(count * worth for count, (_, worth) in zip(counts, worths, strict=True))
            choices.append((min(deep, wide), deep, wide, counts))
    steps = prod(pick.units + 1 for pick in picks)
    for most, deep, wide, counts in sorted(choices, key=lambda choice: -choice[0]):
        if most < _saved(best, room):
            break
        found = _all_of(dict(zip(picks, counts, strict=True)), slots)
        steps += found.steps
        if sum(times for _, times in found.bundles) * size == sum(counts):
            best = max(best, _Tried(found.bundles, deep, wide), key=partial(_standing, room))
    return best, steps


def _all_of(count_by_pick: Mapping[Pick, int], slots: Sequence[Slot]) -> Assigned:
    """Make as many bundles as can be of so many units of each pick."""
    chosen = [[pick.with_units(count_by_pick[pick]) for pick in slot.picks if count_by_pick[pick]] for slot in slots]
    narrowed = [Slot(slot.units, picks) for slot, picks in zip(slots, chosen, strict=True)]
    return assign_bundles(narrowed, None, Saving(lambda _: 1))


def _standing(room: Worth, tried: _Tried) -> tuple[Fraction, int, list[tuple[int, int, int]]]:
    return (_saved(tried, room), *_rank(tried.bundles))


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
