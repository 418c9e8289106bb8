"""Bundles are filled by as many units as fit, however their parts overlap."""

from __future__ import annotations

from itertools import product
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from pos_discount.policy.assignment import Saving, Slot, assign_bundles
from pos_discount.policy.picks import Pick, count_units

EACH = Saving(worth=lambda pick: pick.left)


def test_a_bundle_of_many_parts_of_their_own_is_filled() -> None:
    slots = [Slot(1, [Pick(part, 0, 2, 100 + part)]) for part in range(40)]
    bundles = assign_bundles(slots, None, EACH)
    assert [(count_units(members), times) for members, times in bundles] == [(40, 2)]


def test_a_bundle_lacks_what_no_unit_fits() -> None:
    assert assign_bundles([Slot(1, [Pick(0, 0, 3, 100)]), Slot(1, [])], None, EACH) == []


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
    bundles = assign_bundles(slots, None, EACH)
    assert sum(times for _, times in bundles) == _most_by_trying(units, needed)
    assert all(count_units(members) == sum(needed) for members, _ in bundles)


def _most_by_trying(units: list[int], needed: list[int]) -> int:
    choices = [[part for part in range(3) if fits >> part & 1] for fits in units]
    filled = ([parts.count(part) for part in range(3)] for parts in product(*choices))
    return max(min(count // need for count, need in zip(counts, needed, strict=True)) for counts in filled)
