"""Laws that hold for every basket under every policy, tried on random ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from pos_discount.basket import Basket
from pos_discount.policy import Policy, read_policy
from pos_discount.pricing import Applied, Context, PolicyIndex, Priced, Pricing, Scan, price, price_sale
from pos_discount.pricing.reasons import fixed_reason
from tests.oracle.generator import Case, random_case
from tests.oracle.rarer import rarer_case
from tests.oracle.solver import solve

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
cases = st.integers(0, 10**9).map(lambda seed: random_case(Random(seed)))
rarer_cases = st.integers(0, 10**9).map(lambda seed: rarer_case(Random(seed)))


def _index(policy: Mapping[str, Any], case: Case) -> PolicyIndex:
    files = {"house.yaml": json.dumps(policy).encode()}
    for name, rows in case.files.items():
        table = [",".join(rows[0]), *(",".join(str(value) for value in row.values()) for row in rows)] if rows else [""]
        files[name] = "\n".join(table).encode()
    read = read_policy(files)
    assert isinstance(read, Policy), str(read)
    return PolicyIndex(read)


def _basket(case: Case) -> Basket:
    return msgspec.convert(case.request, Basket)


def _context(case: Case, basket: Basket) -> Context:
    return Context(basket.at or NOW, (case.segment,) if case.segment else ())


def _priced(case: Case) -> Pricing:
    basket = _basket(case)
    return price(_index(case.policy, case), basket, _context(case, basket))


@given(cases)
def test_what_lines_are_given_sums_to_what_the_receipt_says(case: Case) -> None:
    pricing = _priced(case)
    for priced in (pricing.base, *(candidate.priced for candidate in pricing.candidates)):
        assert sum(priced.nets) == priced.total == sum(pricing.scan.list_totals) - priced.saving
        for line, net in enumerate(priced.nets):
            off = sum(share.saving for discount in priced.applied for share in discount.lines if share.line == line)
            assert net == pricing.scan.list_totals[line] - off


@given(cases)
def test_no_unit_goes_below_zero_or_its_floor(case: Case) -> None:
    pricing = _priced(case)
    for priced in (pricing.base, *(candidate.priced for candidate in pricing.candidates)):
        for discount in priced.applied:
            for share in discount.lines:
                floor = pricing.scan.min_prices.get(share.line, 0)
                runs = discount.left.runs(share.line)
                assert all(run.left >= min(floor, pricing.scan.prices[share.line]) for run in runs)
                assert sum(run.units for run in runs) == pricing.scan.basket.lines[share.line].quantity


@given(cases)
def test_rungs_ascend_by_steps_and_the_first_is_the_smallest_candidate(case: Case) -> None:
    pricing = _priced(case)
    step = max(1, pricing.scan.index.policy.house.ladder.min_step or 1)
    values = [0, *(rung.value for rung in pricing.rungs)]
    assert all(later - earlier >= step for earlier, later in pairwise(values))
    nameable = [candidate.value for candidate in pricing.candidates if candidate.value >= step]
    assert values[1:2] == ([min(nameable)] if nameable else [])


@given(cases, st.randoms())
def test_the_order_of_promotions_in_files_does_not_matter(case: Case, dice: Random) -> None:
    promotions = list(case.policy["promotions"])
    dice.shuffle(promotions)
    assert _told(_priced(case)) == _told(_priced_with(case, {**case.policy, "promotions": promotions}))


@given(cases | rarer_cases, st.randoms())
def test_the_order_of_lines_changes_nothing_save_for_ties_that_it_settles(case: Case, dice: Random) -> None:
    """Of whole policies, every amount of every line, every candidate and rung must stay what it was.

    Left out are baskets in which the naive solver, in any set that it tried, came upon one of the three ties that the
    policy page settles by basket order: units of two lines with as much left where the cheapest or dearest are asked
    for (list prices differ here, but an earlier discount can make them equal: "any unit for 1.00"); two lines with the
    same remainder where one more minor unit is left to give (12.5 % of two odd prices); bundles of units that save as
    much. What such a tie settles may be worth more than a minor unit to a later promotion, so no bound would do. That
    leaves about 14 of 15 baskets: see `test_few_baskets_have_ties_that_the_order_of_lines_settles`, and of what such a
    tie can be worth `test_what_a_tie_settles_by_basket_order_may_be_worth_more_to_a_later_discount`.
    """
    spread = _spread(case)
    assume(not _settled_by_order(spread))
    shuffled = _shuffled(spread, dice)
    assert _told_by_line(shuffled) == _told_by_line(spread)


def test_few_baskets_have_ties_that_the_order_of_lines_settles() -> None:
    spread = [_spread(made(Random(seed))) for seed in range(100) for made in (random_case, rarer_case)]
    assert sum(bool(_settled_by_order(case)) for case in spread) < 20


@given(cases, st.randoms())
def test_the_order_of_lines_changes_no_total_under_one_promotion(case: Case, dice: Random) -> None:
    """Where list prices differ, a tie under a promotion alone settles which line gets a minor unit, never how many."""
    spread = _spread(case)
    shuffled = _shuffled(spread, dice)
    for promotion in case.policy["promotions"]:
        alone = {**case.policy, "promotions": [promotion]}
        one, other = _priced_with(spread, alone), _priced_with(shuffled, alone)
        assert one.base.total == other.base.total
        assert [candidate.value for candidate in one.candidates] == [candidate.value for candidate in other.candidates]


@given(cases, st.sampled_from(["5%", "33%"]), st.sampled_from(["all", "none", "loyalty"]))
def test_a_promotion_that_is_added_never_lowers_what_the_base_saves(case: Case, percent: str, combines: str) -> None:
    policy = {**case.policy, "resolve": "best_for_customer"}
    added = {
        "id": "added",
        "name": "A",
        "offer": "automatic",
        "combines_with": combines,
        "benefit": {"percent": percent},
    }
    more = {**policy, "promotions": [*policy["promotions"], added]}
    assert _priced_with(case, more).base.saving >= _priced_with(case, policy).base.saving


@given(cases)
def test_a_sale_priced_again_with_its_own_promotions_costs_the_same(case: Case) -> None:
    pricing = _priced(case)
    for candidate in pricing.candidates:
        sold = tuple(discount.entry.promotion.id for discount in candidate.priced.applied)
        again = price_sale(pricing.scan.index, pricing.scan.basket, pricing.scan.context, sold)
        assert again.nets == candidate.priced.nets


@given(cases)
def test_a_promotion_that_applies_takes_something_or_gives_something(case: Case) -> None:
    pricing = _priced(case)
    for entry in pricing.scan.index.entries:
        outcome = pricing.discounts.alone(entry.position)
        if isinstance(outcome, Applied):
            assert outcome.saving > 0 or outcome.presents
            assert outcome.saving == sum(share.saving for share in outcome.lines)
            assert outcome.cost >= 0


def _priced_with(case: Case, policy: Mapping[str, Any]) -> Pricing:
    basket = _basket(case)
    return price(_index(policy, case), basket, _context(case, basket))


def _spread(case: Case) -> Case:
    """Give every line a list price of its own, and no past sales."""
    lines = [dict(line) for line in case.request["lines"]]
    for number, line in enumerate(lines):
        line["unit_price"] = 1000 * (number + 1) * (len(lines) + 1) + 10 * number
    return replace(case, request={**case.request, "lines": lines}, usage=[])


def _shuffled(case: Case, dice: Random) -> Case:
    lines = case.request["lines"]
    return replace(case, request={**case.request, "lines": dice.sample(lines, len(lines))})


def _settled_by_order(case: Case) -> list[str]:
    settled: list[str] = solve(case.policy, case.request, (), case.files, case.segment)["settled_by_order"]
    return settled


def _told_by_line(case: Case) -> object:
    pricing = _priced(case)
    line_ids = [line.line_id for line in pricing.scan.basket.lines]

    def told(priced: Priced) -> object:
        by_promotion = {
            discount.entry.promotion.id: {line_ids[share.line]: share.saving for share in discount.lines}
            for discount in priced.applied
        }
        return priced.total, priced.cost, priced.present_value, by_promotion

    return (
        told(pricing.base),
        {one.promotion_ids: (one.value, one.authority, told(one.priced)) for one in pricing.candidates},
        [rung.promotion_ids for rung in pricing.rungs],
    )


def _told(pricing: Pricing) -> object:
    return (
        pricing.base.nets,
        [(candidate.promotion_ids, candidate.priced.nets, candidate.value) for candidate in pricing.candidates],
        [rung.promotion_ids for rung in pricing.rungs],
    )


WITHIN_WEEKS = st.timedeltas(timedelta(days=-40), timedelta(days=40))


@given(cases, st.lists(WITHIN_WEEKS, min_size=1, max_size=4), st.sampled_from(["S001", "S002", "elsewhere"]))
def test_what_is_found_to_hold_is_what_no_reason_speaks_against(
    case: Case, shifts: list[timedelta], store_id: str
) -> None:
    index = _index(case.policy, case)
    basket = msgspec.structs.replace(_basket(case), store_id=store_id)
    for shift in shifts:
        paused = (index.entries[0].promotion.id,) if shift.seconds % 5 == 0 else ()
        context = Context((basket.at or NOW) + shift, (case.segment,) if case.segment else (), paused=paused)
        scan, presented = Scan(index, basket, context), index.presented(basket)
        speaks_against = {p: fixed_reason(index.entries[p], scan, is_claimed=p in presented) for p in scan.reachable}
        assert index.finder.holding(scan, presented) == {p for p, reason in speaks_against.items() if reason is None}
