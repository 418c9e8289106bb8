"""Bundles are filled by as many units as fit, however their parts overlap."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pos_discount.policy.assignment import Saving, Slot, assign_bundles
from pos_discount.policy.picks import Pick, count_units

EACH = Saving(worth=lambda pick: pick.left)


def test_a_bundle_of_many_parts_of_their_own_is_filled() -> None:
    slots = [Slot(1, [Pick(part, 0, 2, 100 + part)]) for part in range(40)]
    bundles = assign_bundles(slots, None, EACH).bundles
    assert [(count_units(members), times) for members, times in bundles] == [(40, 2)]


def test_a_bundle_lacks_what_no_unit_fits() -> None:
    assert assign_bundles([Slot(1, [Pick(0, 0, 3, 100)]), Slot(1, [])], None, EACH).bundles == []


@settings(max_examples=400)
@given(st.integers(0, 10**9))
def test_as_many_bundles_are_filled_as_trying_every_assignment_fills(seed: int) -> None:
    dice = Random(seed)
    units = [dice.randrange(1, 8) for _ in range(dice.randrange(1, 7))]
    needed = [dice.choice([1, 1, 2]) for _ in range(3)]
    slots = [
        Slot(needed[part], [Pick(line, 0, 1, 100 + line) for line, fits in enumerate(units) if fits >> part & 1])
        for part in range(3)
    ]
    bundles = assign_bundles(slots, None, EACH).bundles
    assert sum(times for _, times in bundles) == _most_by_trying(units, needed)
    assert all(count_units(members) == sum(needed) for members, _ in bundles)


def _most_by_trying(units: list[int], needed: list[int]) -> int:
    choices = [[part for part in range(3) if fits >> part & 1] for fits in units]
    filled = ([parts.count(part) for part in range(3)] for parts in product(*choices))
    return max(min(count // need for count, need in zip(counts, needed, strict=True)) for counts in filled)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**9))
def test_no_other_groups_save_more(seed: int) -> None:
    dice = Random(seed)
    slots, saving = _some_slots(dice)
    assigned = assign_bundles(slots, None, saving)
    assert assigned.is_exact
    saved = sum(saving.of(members) * times for members, times in assigned.bundles)
    assert saved == _most_saved_by_trying(slots, saving, frozenset())


def _some_slots(dice: Random) -> tuple[list[Slot], Saving]:
    """Make up to seven units at few prices, some with a floor, for two parts that overlap, and what bundles give."""
    floors = dice.choice([0, 0, 30, 60])
    picks = [Pick(line, 0, 1, dice.choice([20, 50, 99, 100, 160])) for line in range(dice.randrange(2, 8))]
    slots = [
        Slot(dice.choice([1, 2]), [pick for pick in picks if dice.random() < 0.7]) for _ in range(dice.choice([1, 2]))
    ]
    way = dice.choice([{"amount": dice.choice([40, 120, 170])}, {"price": dice.choice([60, 100, 150])}])
    return slots, Saving(lambda pick: max(0, pick.left - floors * (pick.line % 2)), **way)


def _most_saved_by_trying(slots: list[Slot], saving: Saving, used: frozenset[Pick]) -> int:
    free = [pick for pick in slots[0].picks if pick not in used]
    most = 0
    for first in combinations(free, slots[0].units):
        others = [pick for slot in slots[1:] for pick in slot.picks if pick not in used and pick not in first]
        for second in combinations(others, sum(slot.units for slot in slots[1:])):
            taken = used | {*first, *second}
            if len(taken) > len(used) and min(used, default=first[0]) <= first[0]:
                most = max(most, saving.of([*first, *second]) + _most_saved_by_trying(slots, saving, taken))
    return most


def test_a_search_that_would_take_for_ever_ends_and_says_so() -> None:
    dice = Random(1)
    picks = [Pick(line, 0, 1, dice.randrange(100, 2000)) for line in range(60)]
    worth = sum(pick.left for pick in picks)
    assigned = assign_bundles([Slot(3, picks)], None, Saving(worth=lambda pick: pick.left, amount=worth // 20))
    assert not assigned.is_exact
    assert assigned.steps < 200_000
    assert all(count_units(members) == 3 for members, _ in assigned.bundles)


@pytest.mark.parametrize("parts", [8, 30, 100])
def test_parts_that_overlap_in_every_way_are_all_filled(parts: int) -> None:
    dice = Random(parts)
    picks = [Pick(line, 0, dice.randrange(1, 4), dice.randrange(100, 2000)) for line in range(400)]
    slots = [Slot(1, dice.sample(picks, 100)) for _ in range(parts)]
    assigned = assign_bundles(slots, None, EACH)
    assert assigned.is_exact
    for members, _ in assigned.bundles:
        assert count_units(members) == parts
    taken: Counter[Pick] = Counter()
    for members, times in assigned.bundles:
        for member in members:
            taken[member._replace(units=0)] += member.units * times
    assert all(taken[pick._replace(units=0)] <= pick.units for pick in picks)
