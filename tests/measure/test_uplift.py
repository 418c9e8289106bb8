"""Uplift against the hold-out, and the ledger in which the parts sum to the whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos_discount.measure.ledger import (
    NOT_ATTRIBUTABLE,
    ClaimsBeyondTotal,
    Part,
    enter_claims,
    make_ledger,
    shrink,
)
from pos_discount.measure.uplift import Checkouts, measure_uplift


def _customers(seed: int, effect: float, count: int = 300) -> list[Checkouts]:
    dice = np.random.default_rng(seed)
    made = []
    for number in range(count):
        taste, visits = float(dice.normal(1000, 300)), int(dice.integers(1, 6))
        treated = number % 3 > 0
        stakes = float((dice.normal(taste, 200, visits)).sum())
        profit = stakes * 0.7 + visits * (effect if treated else 0.0) + float(dice.normal(0, 100))
        made.append(Checkouts(treated, visits, profit, taste if number % 2 else None, stakes))
    return made


def test_an_interval_covers_no_effect_about_as_often_as_it_says() -> None:
    told = [measure_uplift(_customers(seed, 0.0)) for seed in range(1000, 1150)]
    covered = [each.low <= 0.0 <= each.high for each in told if each]
    assert 0.90 <= np.mean(covered) <= 0.99


@pytest.mark.parametrize(("held_out", "at_most"), [(2, 1.0), (3, 0.99), (5, 0.99)])
def test_an_interval_covers_no_effect_also_where_few_customers_are_held_out(held_out: int, at_most: float) -> None:
    dice = np.random.default_rng(held_out)
    covered = []
    for _ in range(600):
        profits = dice.normal(1000, 300, held_out + 60).tolist()
        told = measure_uplift([Checkouts(place >= held_out, 1, profit) for place, profit in enumerate(profits)])
        assert told is not None and told.always_low < told.low
        covered.append(told.low <= 0.0 <= told.high)
    assert 0.94 <= np.mean(covered) <= at_most


def test_an_interval_covers_the_true_effect_and_the_sequence_is_wider() -> None:
    told = [measure_uplift(_customers(seed, 50.0)) for seed in range(1000, 1150)]
    assert np.mean([each.low <= 50.0 <= each.high for each in told if each]) >= 0.90
    assert all(each.always_low < each.low and each.always_high > each.high for each in told if each)


def test_what_no_arm_has_a_say_in_narrows_the_interval() -> None:
    told = measure_uplift(_customers(1, 50.0))
    assert told is not None
    assert told.narrowed > 0.5


@pytest.mark.parametrize(("treated", "control"), [(1, 5), (5, 1)], ids=["one treated", "one in the hold-out"])
def test_an_arm_of_one_customer_is_not_compared(treated: int, control: int) -> None:
    customers = [Checkouts(True, 1, 1.0)] * treated + [Checkouts(False, 1, 1.0)] * control
    assert measure_uplift(customers) is None


@given(
    total=st.floats(-1e7, 1e7),
    effects=st.lists(st.tuples(st.floats(-500, 500), st.floats(0.1, 1e4), st.integers(0, 10_000)), max_size=8),
)
def test_the_parts_and_what_is_not_attributable_sum_to_the_whole(
    total: float, effects: list[tuple[float, float, int]]
) -> None:
    parts = [Part(str(number), *effect) for number, effect in enumerate(effects)]
    ledger = make_ledger("store", total, parts)
    assert sum(entry.amount for entry in ledger.entries) == pytest.approx(total, abs=0.01)
    assert ledger.entries[-1].name == NOT_ATTRIBUTABLE


@pytest.mark.parametrize(("claimed", "is_refused"), [(100.0, False), (100.4, False), (101.0, True)])
def test_claims_beyond_what_the_hold_out_shows_are_refused(claimed: float, is_refused: bool) -> None:
    claims = [("one", 60.0), ("other", claimed - 60.0)]
    if is_refused:
        with pytest.raises(ClaimsBeyondTotal, match="claims sum to"):
            enter_claims("segment", 100.0, claims)
    else:
        assert enter_claims("segment", 100.0, claims).total == 100.0


def test_a_noisy_part_is_drawn_to_the_mean_and_a_sure_one_stays() -> None:
    parts = [Part("noisy", 400.0, 1e4, 10), Part("sure", 100.0, 1.0, 10_000), Part("also sure", 0.0, 1.0, 10_000)]
    effect = {part.name: part.effect for part in shrink(parts)}
    assert effect["noisy"] < 250.0
    assert effect["sure"] == pytest.approx(100.0, abs=5.0)
