"""Check the naive solver against answers worked out by hand: what the engine is measured against is itself known."""

from random import Random
from typing import Any

import pytest

from .generator import random_case
from .solver import solve

Written = dict[str, Any]


def house(*promotions: Written, **settings: Any) -> Written:
    numbered = [{"id": f"p{index}", "name": "P"} | promotion for index, promotion in enumerate(promotions, 1)]
    return {"policy": "1", "currency": "EUR", "time_zone": "Europe/Paris", "promotions": numbered} | settings


def basket(*prices: int | tuple[int, int], **fields: Any) -> Written:
    """Make lines a, b, c ... of sku A, B, C ..., each a price or a (price, quantity)."""
    pairs = [price if isinstance(price, tuple) else (price, 1) for price in prices]
    lines = [
        {"line_id": "abcdefghij"[index], "sku": "ABCDEFGHIJ"[index], "unit_price": price, "quantity": quantity}
        for index, (price, quantity) in enumerate(pairs)
    ]
    return {"store_id": "S", "currency": "EUR", "at": "2026-11-05T10:00:00+01:00", "lines": lines} | fields


def alone(benefit: Written, request: Written, settings: Written | None = None, **promotion: Any) -> Any:
    """Give what each line saves under one promotion, or why it does not apply."""
    found = solve(house({"benefit": benefit} | promotion, **(settings or {})), request)["alone"]["p1"]
    return found.get("lines", found.get("reasons"))


def applies(request: Written, **promotion: Any) -> bool:
    return isinstance(alone({"amount": "0.10"}, request, **promotion), dict)


def automatic(benefit: Written, **rest: Any) -> Written:
    return {"offer": "automatic", "combines_with": "all", "benefit": benefit} | rest


def ladder(benefit: Written, **rest: Any) -> Written:
    return {"combines_with": "all", "benefit": benefit} | rest


def bundle_of(*skus: str, price: str, **rest: Any) -> Written:
    return {"bundle": {"of": [{"units": "1", "of": {"sku": sku}} for sku in skus], "price": price} | rest}


FREE: Written = {"percent": "100%"}
TWO_OF_EACH = basket((200, 2), (300, 2), (100, 2))  # cokes A, sandwiches B, chocolates C


def test_two_cokes_two_sandwiches_two_chocolates_are_not_left_to_the_first_deal() -> None:
    deals = (
        automatic(bundle_of("A", "C", price="2.50"), priority="1"),
        automatic(bundle_of("A", "B", price="3.00"), priority="2"),
        automatic(bundle_of("B", "C", price="3.50"), priority="3"),
    )
    assert solve(house(*deals), TWO_OF_EACH)["base"]["lines"] == {"a": 160, "b": 240}
    assert solve(house(*deals, resolve="priority"), TWO_OF_EACH)["base"]["saving"] == 100


def test_two_small_deals_beat_the_largest_one_that_would_break_them_up() -> None:
    deals = (
        automatic(bundle_of("A", "B", "C", price="3.00", at_most="1")),
        automatic({"bundle": {"of": [{"units": "2", "of": {"sku": "A"}}], "price": "2.00"}}),
        automatic(bundle_of("B", "C", price="2.00", at_most="1")),
    )
    answer = solve(house(*deals), basket((200, 2), 300, 100))
    assert [found["saving"] for found in answer["alone"].values()] == [300, 200, 200]
    assert answer["base"]["saving"] == 400


@pytest.mark.parametrize(
    ("every", "give", "lines"),
    [
        pytest.param({}, FREE, {"a": 100, "b": 200}, id="whole set by default"),
        pytest.param({"fill": "whole_set"}, FREE, {"a": 100, "b": 200}, id="whole set"),
        pytest.param({"fill": "dearest_first"}, FREE, {"a": 100, "d": 400}, id="dearest first"),
        pytest.param({"fill": "cheapest_first"}, FREE, {"a": 100, "d": 400}, id="cheapest first"),
        pytest.param({"fill": "dearest_first", "at_most": "1"}, FREE, {"d": 400}, id="one dearest group"),
        pytest.param({"fill": "cheapest_first", "at_most": "1"}, FREE, {"a": 100}, id="one cheapest group"),
        pytest.param({"at_most": "1"}, FREE, {"a": 100}, id="one whole set"),
        pytest.param({}, {"percent": "50%", "to": "dearest"}, {"c": 150, "f": 300}, id="dearest of dearest first"),
        pytest.param({}, {"percent": "10%", "to": {"position": "2"}}, {"b": 20, "e": 50}, id="the middle ones"),
        pytest.param(
            {}, {"percent": "100%", "units": "2"}, {"a": 100, "b": 200, "c": 300, "d": 400}, id="two of three"
        ),
        pytest.param(
            {"fill": "cheapest_first"},
            {"price": "5"},
            {"a": 17, "b": 33, "c": 50, "d": 267, "e": 333, "f": 400},
            id="price",
        ),
        pytest.param(
            {}, {"amount": "1.80", "to": "dearest"}, {"c": 180, "f": 180}, id="amount off the dearest of each"
        ),
        pytest.param(
            {"units": "4"}, {"amount": "1.80"}, {"c": 30, "d": 40, "e": 50, "f": 60}, id="amount, two left over"
        ),
    ],
)
def test_which_of_six_prices_is_free(every: Written, give: Written, lines: dict[str, int]) -> None:
    benefit: Written = {"every": {"units": "3"} | every}
    assert alone(benefit | {"give": give}, basket(100, 200, 300, 400, 500, 600)) == lines


def test_a_whole_set_frees_the_cheapest_even_of_those_left_over() -> None:
    assert alone({"every": {"units": "3"}, "give": FREE}, basket(*range(100, 800, 100))) == {"a": 100, "b": 200}


@pytest.mark.parametrize(
    ("rounding", "lines"),
    [("half_up", {"a": 8, "b": 7}), ("half_even", {"a": 7, "b": 7}), ("down", {"a": 7, "b": 7})],
)
def test_a_percentage_is_rounded_once_and_then_shared(rounding: str, lines: dict[str, int]) -> None:
    assert alone({"percent": "29%"}, basket(25, 25), {"rounding": rounding}) == lines  # of 50, 14.5: not 7.25 twice


def test_thirty_percent_of_two_halves_does_not_gain_a_cent() -> None:
    assert alone({"percent": "30%"}, basket(105, 105)) == {"a": 32, "b": 31}


def test_the_remainder_never_falls_on_a_zero_line_and_ties_go_by_basket_order() -> None:
    assert alone({"amount": "0.02"}, basket(0, 50, 50, 50)) == {"b": 1, "c": 1}
    assert alone({"amount": "1"}, basket(0, 1, 0)) == {"b": 1}


@pytest.mark.parametrize(
    ("benefit", "lines"),
    [
        pytest.param({"amount": "50"}, {"a": 300, "b": 200}, id="basket"),
        pytest.param({"amount": "2.50", "each": "line"}, {"a": 250, "b": 200}, id="line"),
        pytest.param({"amount": "1.20", "each": "unit"}, {"a": 240, "b": 120}, id="unit"),
        pytest.param({"amount": "2.50", "of": {"sku": "B"}}, {"b": 200}, id="range"),
        pytest.param({"unit_price": "1.80"}, {"b": 20}, id="a unit price is never dearer"),
    ],
)
def test_an_amount_takes_no_more_than_there_is(benefit: Written, lines: dict[str, int]) -> None:
    assert alone(benefit, basket((150, 2), 200)) == lines


def test_what_a_floor_keeps_from_an_amount_goes_to_the_others_but_is_lost_to_a_percentage() -> None:
    guards = {"guards": {"min_price": [{"of": {"sku": "A"}, "price": "0.95"}]}}
    assert alone({"amount": "1"}, basket(100, 100, 100), guards) == {"a": 5, "b": 48, "c": 47}
    assert alone({"percent": "10%"}, basket(100, 100), guards) == {"a": 5, "b": 10}
    assert alone({"amount": "0.10", "each": "line"}, basket((100, 3), 100), guards) == {"a": 10, "b": 10}
    assert alone({"unit_price": "0.50"}, basket(100, 90), guards) == {"a": 5, "b": 40}


def test_a_product_already_below_its_lowest_price_stays_as_it_is() -> None:
    guards = {"guards": {"min_price": [{"price": "2"}]}}
    assert alone({"percent": "10%"}, basket(100), guards) == ["no_saving"]


@pytest.mark.parametrize(
    ("spend", "is_met"),
    [
        ({"at_least": "5.00"}, True),
        ({"at_least": "5.01"}, False),
        ({"more_than": "5.00"}, False),
        ({"at_most": "5"}, True),
        ({"below": "5"}, False),
        ({"exactly": "5"}, True),
        ({"of": {"sku": "A"}, "at_least": "3", "below": "3.01"}, True),
    ],
)
def test_thresholds_at_equality(spend: Written, is_met: bool) -> None:
    assert applies(basket((150, 2), 200), when=[{"spend": spend}]) is is_met


@pytest.mark.parametrize(
    ("counts", "house_counts", "rungs"),
    [(None, "original", 1), (None, "remaining", 0), ("remaining", "original", 0), ("original", "remaining", 1)],
)
def test_a_threshold_on_what_remains_sees_what_earlier_ones_left(
    counts: str | None, house_counts: str, rungs: int
) -> None:
    spend = {"at_least": "10"} | ({"counts": counts} if counts else {})
    promotions = automatic({"amount": "0.01"}, priority="1"), ladder({"amount": "1"}, when=[{"spend": spend}])
    assert len(solve(house(*promotions, spend_counts=house_counts), basket(1000))["rungs"]) == rungs


@pytest.mark.parametrize(
    ("percent_priority", "percent_of", "saving"),
    [("1", "remaining", 300), ("200", "remaining", 280), ("200", "original", 300), ("1", "original", 300)],
)
def test_percent_and_amount_in_either_order(percent_priority: str, percent_of: str, saving: int) -> None:
    promotions = automatic({"percent": "10%"}, priority=percent_priority), automatic({"amount": "2"})
    assert solve(house(*promotions, percent_of=percent_of), basket(700, 300))["base"]["saving"] == saving


def test_a_cap_cuts_all_lines_in_proportion() -> None:
    assert alone({"percent": "50%"}, basket(300, 200, 100), cap="1.00") == {"a": 50, "b": 33, "c": 17}
    assert alone({"percent": "50%"}, basket(300, 200, 100), cap="3.00") == {"a": 150, "b": 100, "c": 50}


def test_equal_prices_tie_by_basket_order_cheapest_and_dearest_alike() -> None:
    for take in ("cheapest", "dearest"):
        assert alone({"percent": "10%", "units": {"at_most": "1", "take": take}}, basket(100, 100)) == {"a": 10}


@pytest.mark.parametrize(
    ("deal", "lines"),
    [
        pytest.param({"buy": "2", "get": "1"}, {"a": 100}, id="two and the cheapest is free"),
        pytest.param({"buy": "1", "get": "1"}, {"a": 100, "b": 200}, id="as often as units allow"),
        pytest.param({"buy": "1", "get": "1", "at_most": "1", "percent": "50%"}, {"a": 50}, id="once, half"),
        pytest.param({"buy": "1", "get": "1", "at_most": "1", "take": "dearest"}, {"d": 400}, id="the dearest"),
        pytest.param({"buy": "3", "get": "2"}, {"a": 100}, id="fewer rewards where units run out"),
        pytest.param({"buy": "3", "get": "2", "partial": "no"}, ["no_saving"], id="all or nothing"),
        pytest.param(
            {"buy": "1", "of": {"sku": "A"}, "get": "1", "of_get": {"sku": ["A", "B"]}},
            {"b": 200},
            id="leaving enough to qualify",
        ),
        pytest.param({"buy": "2", "of": {"sku": "D"}}, ["no_saving"], id="a unit never qualifies for itself"),
    ],
)
def test_buy_and_get(deal: Written, lines: Any) -> None:
    assert alone({"buy_get": deal}, basket(100, 200, 300, 400)) == lines


def test_a_unit_serves_one_group_benefit_and_may_meet_percentages() -> None:
    promotions = (
        automatic({"every": {"units": "2"}, "give": FREE}, priority="1"),
        ladder({"buy_get": {"buy": "1", "get": "1"}}),
        ladder({"percent": "10%"}),
    )
    answer = solve(house(*promotions), basket(100, 200, 300))
    assert answer["base"]["lines"] == {"a": 100}
    assert [rung["promotions"] for rung in answer["rungs"]] == [["p3"]]
    assert answer["first"]["lines"] == {"a": 100, "b": 20, "c": 30}


def test_a_bundle_takes_the_assignment_that_saves_most() -> None:
    slots = [{"units": "1", "of": {"sku": ["A", "B"]}}, {"units": "1", "of": {"sku": ["B", "C"]}}]
    assert alone({"bundle": {"of": slots, "price": "1"}}, basket(100, 400, 300)) == {"b": 343, "c": 257}
    assert alone({"bundle": {"of": slots, "percent": "50%"}}, basket(100, 400, (300, 2))) == {
        "a": 50,
        "b": 200,
        "c": 300,
    }


def test_tiers_give_the_highest_step_reached() -> None:
    steps = [{"from": "5", "percent": "10%"}, {"from": "10", "amount": "1.50"}]
    by_spend: Written = {"tiers": {"by": "spend", "steps": steps}}
    assert alone(by_spend, basket(499)) == ["no_saving"]
    assert alone(by_spend, basket(500)) == {"a": 50}
    assert alone(by_spend, basket(1000)) == {"a": 150}
    by_quantity = {
        "tiers": {"by": "quantity", "of": {"sku": "A"}, "on": {"sku": "B"}, "steps": [{"from": "2", "percent": "50"}]}
    }
    assert alone(by_quantity, basket((10, 2), 300)) == {"b": 150}


def test_gifts_and_points_make_rungs_by_their_value() -> None:
    gift = ladder({"gift": {"sku": "S", "name": "S", "value": "6.00", "cost": "0.90"}})
    points = ladder({"points": {"amount": "200", "value": "2.00", "cost": "1.10"}}, combines_with="none")
    rungs = solve(house(gift, points), basket(1000))["rungs"]
    assert [(rung["value"], rung["saving"], rung["cost"], rung["total"]) for rung in rungs] == [
        (200, 0, 110, 1000),
        (600, 0, 90, 1000),
    ]


def test_of_equal_candidates_the_one_that_costs_less_is_kept_and_small_steps_are_dropped() -> None:
    promotions = [ladder({"amount": amount}, combines_with="none") for amount in ("1.00", "1.00", "1.49", "1.50")]
    promotions[1]["funded"] = "60%"
    rungs = solve(house(*promotions, ladder={"min_step": "0.50"}), basket(1000))["rungs"]
    assert [(rung["promotions"], rung["value"], rung["cost"]) for rung in rungs] == [
        (["p2"], 100, 40),
        (["p4"], 150, 150),
    ]


def test_a_candidate_takes_along_only_what_combines_with_it() -> None:
    promotions = (
        automatic({"amount": "1"}, combines_with=["own"]),
        automatic({"amount": "0.40"}, **{"class": "own"}),
        ladder({"amount": "1.20"}, **{"class": "big"}),
    )
    answer = solve(house(*promotions), basket(1000))
    assert answer["base"]["saving"] == 140
    (rung,) = answer["rungs"]
    assert [discount["promotion_id"] for discount in rung["discounts"]] == ["p2", "p3"]
    assert (rung["saving"], rung["total"]) == (20, 840)


@pytest.mark.parametrize(("max_depth", "rungs"), [("10%", 1), ("9.99%", 0)])
def test_depth_counts_no_line_that_is_never_discounted(max_depth: str, rungs: int) -> None:
    settings = {"guards": {"never": {"sku": "B"}, "max_depth": max_depth}}
    answer = solve(house(ladder({"percent": "10%"}), **settings), basket(1000, 9000))
    assert len(answer["rungs"]) == rungs
    assert answer["alone"]["p1"]["lines"] == {"a": 100}


@pytest.mark.parametrize(("funded", "rungs"), [("0%", 0), ("49%", 0), ("50%", 1)])
def test_the_suppliers_share_counts_in_the_margin(funded: str, rungs: int) -> None:
    request = basket(1000)
    request["lines"][0]["unit_cost"] = 850  # net 800: (800 + share - 850) / 800 must reach 6.25 %
    policy = house(ladder({"amount": "2"}, funded=funded), guards={"min_margin": "6.25%"})
    assert len(solve(policy, request)["rungs"]) == rungs


def test_authority_names_the_lowest_that_suffices_and_drops_what_none_may_grant() -> None:
    promotions = [ladder({"percent": percent}, combines_with="none") for percent in ("15%", "15.1%", "40%", "41%")]
    guards = {"authority": {"supervisor": "40%", "cashier": "15%"}}
    asked = [
        rung["approval"]
        for rung in solve(house(*promotions, guards=guards), basket(1000, authority="cashier"))["rungs"]
    ]
    assert asked == [None, "supervisor", "supervisor"]


def test_limits_count_by_scope_and_period_and_budgets_count_whole_costs() -> None:
    sale = {
        "promotion_id": "p1",
        "at": "2026-10-31T23:30:00+00:00",
        "store_id": "S",
        "cost": 900,
    }  # 1 November in Paris
    policy = house(ladder({"amount": "1"}, limits=[{"budget": "10.00", "per": "store", "every": "month"}]))
    assert solve(policy, basket(50, 50), [sale])["rungs"][0]["saving"] == 100
    policy["promotions"][0]["limits"][0]["budget"] = "9.99"
    assert solve(policy, basket(50, 50), [sale])["alone"]["p1"] == {"reasons": ["limit"]}
    assert solve(policy, basket(50, 50), [sale | {"store_id": "T"}])["rungs"]
    unknown = house(ladder({"amount": "1"}, limits=[{"uses": "5", "per": "customer"}]))
    assert solve(unknown, basket(100))["alone"]["p1"] == {"reasons": ["limit"]}


@pytest.mark.parametrize(
    ("at", "schedule", "is_on"),
    [
        pytest.param("2026-11-30T22:59:59+00:00", {"until": "2026-12-01"}, True, id="last second in Paris"),
        pytest.param("2026-11-30T23:00:00+00:00", {"until": "2026-12-01"}, False, id="over in Paris, not in London"),
        pytest.param("2026-11-30T23:00:00+00:00", {"from": "2026-12-01"}, True, id="begun in Paris"),
        pytest.param(
            "2026-03-29T01:00:00+00:00", {"from": "2026-03-29T02:30"}, True, id="a time in the gap is its end"
        ),
        pytest.param("2026-03-29T00:59:59+00:00", {"from": "2026-03-29T02:30"}, False, id="before the gap"),
        pytest.param("2026-10-25T00:30:00+00:00", {"until": "2026-10-25T02:30"}, False, id="of two, the first"),
        pytest.param(
            "2026-11-24T00:59:00+01:00", {"weekdays": ["mon"], "hours": ["22:00-02:00"]}, True, id="Monday's night"
        ),
        pytest.param(
            "2026-11-23T00:59:00+01:00", {"weekdays": ["mon"], "hours": ["22:00-02:00"]}, False, id="Sunday's night"
        ),
        pytest.param("2026-11-24T02:00:00+01:00", {"hours": ["22:00-02:00"]}, False, id="the end is exclusive"),
        pytest.param("2026-11-24T12:00:00+01:00", {"not_stores": ["S"]}, False, id="not here"),
    ],
)
def test_schedules_and_places(at: str, schedule: Written, is_on: bool) -> None:
    assert applies(basket(100, at=at), **schedule) is is_on


@pytest.mark.parametrize(
    ("condition", "is_met"),
    [
        ({"birthday": {"days_before": "3"}}, True),
        ({"birthday": {"days_before": "2", "days_after": "300"}}, False),
        ({"visit_number": {"every": "6"}}, True),
        ({"visit_number": {"exactly": "11"}}, False),
        ({"days_since_last_visit": {"at_least": "34", "at_most": "34"}}, True),
        ({"coupon": ["spa-*"]}, True),
        ({"coupon": "SPA"}, False),
        ({"group": ["staff", "press"]}, True),
        ({"member": "no"}, False),
        ({"payment": ["card"]}, False),
        ({"not": [{"payment": ["card"]}, {"tier": ["silver"]}]}, True),
        ({"any": [[{"tier": "gold"}, {"asked": "yes"}], [{"member": "yes"}]]}, True),
        ({"attribute": {"of": "customer", "name": "club", "is": ["run"]}}, True),
        ({"distinct": {"at_least": "2"}}, False),
    ],
    ids=str,
)
def test_conditions_on_the_customer(condition: Written, is_met: bool) -> None:
    customer = {"customer_id": "K", "tier": "gold", "groups": ["press"], "birthday": "11-08", "visit_number": 12}
    customer |= {"last_visit_on": "2026-10-02", "attributes": {"club": "run"}}
    assert applies(basket((100, 2), customer=customer, coupons=["Spa-9"]), when=[condition]) is is_met


def test_a_presented_coupon_moves_a_promotion_from_the_ladder_to_the_base() -> None:
    promotion = ladder({"amount": "1"}, when=[{"coupon": ["AUTUMN"]}])
    answer = solve(house(promotion), basket(1000, coupons=["autumn"]))
    assert (answer["base"]["saving"], answer["rungs"]) == (100, [])
    assert solve(house(promotion), basket(1000, claimed=["p1"]))["alone"]["p1"] == {"reasons": ["coupon"]}
    on_request = {"offer": "on_request", "benefit": {"amount": "1"}}
    assert solve(house(on_request), basket(1000))["alone"]["p1"] == {"reasons": ["not_claimed"]}
    assert solve(house(on_request), basket(1000, claimed=["p1"]))["base"]["saving"] == 100


def test_random_cases_are_mostly_about_something() -> None:
    answers = [
        solve(case.policy, case.request, case.usage, case.files, case.segment)
        for case in (random_case(Random(seed)) for seed in range(100))
    ]
    assert sum(bool(answer["rungs"] or answer["base"]["discounts"]) for answer in answers) > 60
    assert sum(len(answer["rungs"]) > 1 for answer in answers) > 8
    assert sum(len(answer["base"]["discounts"]) > 1 for answer in answers) > 5


@pytest.mark.parametrize("seed", range(40))
def test_the_solver_keeps_its_own_laws(seed: int) -> None:
    case = random_case(Random(seed))
    answer = solve(case.policy, case.request, case.usage, case.files, case.segment)
    worth = {line["line_id"]: line["unit_price"] * line["quantity"] for line in case.request["lines"]}
    for outcome in [answer["base"], *answer["candidates"]]:
        assert sum(discount["saving"] for discount in outcome["discounts"]) == sum(outcome["lines"].values())
        assert all(0 < amount <= worth[line_id] for line_id, amount in outcome["lines"].items())
    values = [rung["value"] for rung in answer["rungs"]]
    assert values == sorted(set(values))
