"""Searches that would take for ever stop after a counted amount of work: still legal, still smallest first."""

from __future__ import annotations

import pytest

from pos_discount.pricing.left import Left, Run

from .made import alone, priced, reason

LINES = [{"unit_price": 700 + 37 * n, "tags": [f"t{n}"]} for n in range(20)]


def _amounts(count: int, offer: str, start: int = 0) -> str:
    return "".join(
        f"  - {{id: p{n:03}, name: P, {offer}, combines_with: all, benefit: {{amount: 0.{10 + n % 80}}}}}\n"
        for n in range(start, start + count)
    )


def test_a_tills_basket_is_searched_exactly() -> None:
    pricing = priced(_amounts(12, "offer: ladder"), *LINES)
    assert pricing.is_exact
    assert len(pricing.candidates) == 12 + 66 + 220


def test_many_promotions_that_all_combine_end_in_time_with_all_that_is_owed_given() -> None:
    pricing = priced(_amounts(50, "offer: automatic") + _amounts(50, "offer: ladder", 50), *LINES)
    assert not pricing.is_exact
    assert len(pricing.base.applied) == 50
    assert pricing.rungs
    assert pricing.rungs[0].value == min(candidate.value for candidate in pricing.candidates)


def test_where_work_runs_out_the_smallest_single_promotion_is_still_among_the_rungs() -> None:
    promotions = _amounts(60, "offer: ladder") + "  - {id: tiny, name: T, benefit: {amount: 0.01}}\n"
    pricing = priced(promotions, *LINES * 40)
    assert not pricing.is_exact
    assert pricing.rungs[0].saving == 1


def test_what_stopped_stops_at_the_same_place_again() -> None:
    promotions = _amounts(50, "offer: automatic") + _amounts(50, "offer: ladder", 50)
    first, again = (priced(promotions, *LINES) for _ in range(2))
    assert [c.promotion_ids for c in first.candidates] == [c.promotion_ids for c in again.candidates]


def _halves(count: int, offer: str) -> str:
    return "".join(
        f"  - {{id: p{n:03}, name: P, {offer}, combines_with: all,"
        f" benefit: {{buy_get: {{buy: 1, get: 1, percent: {10 + n % 80}%}}}}}}\n"
        for n in range(count)
    )


@pytest.mark.parametrize("offer", ["offer: ladder", "offer: automatic"])
def test_each_promotion_alone_is_worked_out_as_far_as_a_large_basket_allows(offer: str) -> None:
    pricing = priced(_halves(100, offer), *LINES * 50)
    assert not pricing.is_exact
    assert alone(pricing, "p000")
    assert reason(pricing, "p099") == ("limit", None)


def test_what_is_owed_is_worked_out_before_the_ladder() -> None:
    owed = "  - {id: q-owed, name: O, offer: automatic, benefit: {amount: 1.00}}\n"
    pricing = priced(_halves(100, "offer: ladder") + owed, *LINES * 50)
    assert not pricing.is_exact
    assert pricing.base.saving == 100


def test_where_work_runs_out_no_candidate_leaves_out_what_is_owed() -> None:
    pricing = priced(_halves(30, "offer: automatic") + _amounts(30, "offer: ladder", 30), *LINES * 15)
    owed = {applied.entry.promotion.id for applied in pricing.base.applied}
    assert not pricing.is_exact
    assert all(owed <= {a.entry.promotion.id for a in one.priced.applied} for one in pricing.candidates)


def test_with_priority_the_first_of_too_many_are_taken() -> None:
    pricing = priced(_halves(60, "offer: automatic"), *LINES * 50, house="resolve: priority\n")
    assert not pricing.is_exact
    assert pricing.base.applied[0].entry.promotion.id == "p000"


def test_runs_over_which_amounts_are_shared_to_look_at_units_are_counted_once() -> None:
    parted = Left.at_list_price([1000], [10]).with_runs({0: tuple(Run(1000 - n, 1, True) for n in range(10))})
    left = parted.less_on_lines({0: 50}).less_on_lines({0: 70})
    assert [left.runs(0), left.shared] == [left.runs(0), 2 * 10]
