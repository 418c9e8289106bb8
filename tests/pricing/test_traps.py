"""The traps that discount engines are known to fall into, each held by name."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pos_discount.pricing import Context, price

from .made import NOON, alone, basket_of, index_of, priced, reason, savings

SIX = [{"unit_price": price * 100} for price in (1, 2, 3, 4, 5, 6)]


def test_the_best_set_is_found_where_taking_the_largest_discount_first_is_not_best() -> None:
    # Two meals save 6.00 and use every coke and sandwich; a sweet deal and a snack share them out better and save 9.00.
    promotions = "".join(
        f"  - {{id: {id_}, name: {id_}, offer: automatic, combines_with: all, benefit: {{bundle: {bundle}}}}}\n"
        for id_, bundle in {
            "meal": "{of: [{of: {tag: coke}}, {of: {tag: sandwich}}], amount: 3.00, at_most: 2}",
            "sweet": "{of: [{of: {tag: coke}}, {units: 2, of: {tag: chocolate}}], amount: 4.00, at_most: 1}",
            "snack": "{of: [{units: 2, of: {tag: sandwich}}, {of: {tag: coke}}], amount: 5.00, at_most: 1}",
        }.items()
    )
    lines = [
        {"unit_price": 500, "quantity": 2, "tags": ["coke"]},
        {"unit_price": 500, "quantity": 2, "tags": ["sandwich"]},
        {"unit_price": 500, "quantity": 2, "tags": ["chocolate"]},
    ]
    pricing = priced(promotions, *lines)
    assert sum(alone(pricing, "meal").values()) == 600
    assert pricing.base.saving == 900
    assert [applied.entry.promotion.id for applied in pricing.base.applied] == ["snack", "sweet"]


@pytest.mark.parametrize(
    ("fill", "freed"),
    [
        pytest.param("whole_set", {"1": 100, "2": 200}, id="the cheapest of all"),
        pytest.param("dearest_first", {"1": 100, "4": 400}, id="the cheapest of 6-5-4 and of 3-2-1"),
        pytest.param("cheapest_first", {"1": 100, "4": 400}, id="the cheapest of 1-2-3 and of 4-5-6"),
    ],
)
def test_which_item_is_free_depends_on_the_fill(fill: str, freed: dict[str, int]) -> None:
    promotion = f"  - {{id: third, name: T, benefit: {{every: {{units: 3, fill: {fill}}}, give: {{percent: 100%}}}}}}\n"
    assert alone(priced(promotion, *SIX), "third") == freed


@pytest.mark.parametrize(
    ("give", "freed"),
    [
        pytest.param("{percent: 100%}", {"1": 100, "2": 200}, id="cheapest with a percentage: the whole set"),
        pytest.param("{percent: 100%, to: dearest}", {"3": 300, "6": 600}, id="dearest: dearest first"),
        pytest.param("{percent: 100%, to: {position: 2}}", {"2": 200, "5": 500}, id="a position: dearest first"),
    ],
)
def test_the_default_fill_follows_who_gets_the_benefit(give: str, freed: dict[str, int]) -> None:
    promotion = f"  - {{id: third, name: T, benefit: {{every: {{units: 3}}, give: {give}}}}}\n"
    assert alone(priced(promotion, *SIX), "third") == freed


def test_a_percentage_of_two_lines_is_rounded_once() -> None:
    promotion = "  - {id: p, name: P, benefit: {percent: 30%}}\n"
    assert alone(priced(promotion, {"unit_price": 5}, {"unit_price": 5}), "p") == {"1": 2, "2": 1}


@pytest.mark.parametrize(("rounding", "saving"), [("half_up", 3), ("half_even", 2), ("down", 2)])
def test_a_half_goes_where_the_house_rounds_it(rounding: str, saving: int) -> None:
    pricing = priced(
        "  - {id: p, name: P, benefit: {percent: 50%}}\n", {"unit_price": 5}, house=f"rounding: {rounding}\n"
    )
    assert alone(pricing, "p") == {"1": saving}


def test_an_amount_larger_than_its_target_takes_all_of_it_and_no_more() -> None:
    promotion = "  - {id: a, name: A, benefit: {amount: 10.00, of: {tag: x}}}\n"
    assert alone(priced(promotion, {"unit_price": 300, "tags": ["x"]}, {"unit_price": 900}), "a") == {"1": 300}


@pytest.mark.parametrize(
    ("bound", "spent", "applies"),
    [
        ("at_least: 50.00", 5000, True),
        ("at_least: 50.00", 4999, False),
        ("more_than: 50.00", 5000, False),
        ("more_than: 50.00", 5001, True),
        ("at_most: 50.00", 5000, True),
        ("at_most: 50.00", 5001, False),
        ("below: 50.00", 4999, True),
        ("below: 50.00", 5000, False),
        ("exactly: 50.00", 5000, True),
        ("exactly: 50.00", 5001, False),
    ],
)
def test_a_threshold_is_exact_at_equality(bound: str, spent: int, applies: bool) -> None:
    pricing = priced(
        f"  - {{id: p, name: P, when: [{{spend: {{{bound}}}}}], benefit: {{percent: 10%}}}}\n", {"unit_price": spent}
    )
    assert bool(alone(pricing, "p")) == applies


def test_a_threshold_can_look_at_what_remains() -> None:
    owed = "offer: automatic, combines_with: all"
    promotions = f"""
  - {{id: first, name: F, {owed}, priority: 1, benefit: {{amount: 1.00}}}}
  - {{id: second, name: S, {owed}, when: [{{spend: {{at_least: 50.00, counts: %s}}}}], benefit: {{amount: 5.00}}}}
"""
    assert priced(promotions % "original", {"unit_price": 5000}).base.saving == 600
    assert priced(promotions % "remaining", {"unit_price": 5000}).base.saving == 500


@pytest.mark.parametrize(
    ("percent_priority", "saving_by_id"),
    [
        pytest.param(10, {"percent": 1000, "amount": 1000}, id="percent first"),
        pytest.param(20, {"percent": 900, "amount": 1000}, id="amount first"),
    ],
)
def test_a_percentage_is_taken_from_what_an_earlier_amount_left(
    percent_priority: int, saving_by_id: dict[str, int]
) -> None:
    owed = "offer: automatic, combines_with: all"
    promotions = f"""
  - {{id: percent, name: P, {owed}, priority: {percent_priority}, benefit: {{percent: 10%}}}}
  - {{id: amount, name: A, {owed}, priority: 15, benefit: {{amount: 10.00}}}}
"""
    base = priced(promotions, {"unit_price": 10000}).base
    assert {applied.entry.promotion.id: applied.saving for applied in base.applied} == saving_by_id


def test_a_cap_cuts_all_its_lines_in_proportion() -> None:
    promotion = "  - {id: p, name: P, cap: 1.00, benefit: {percent: 50%}}\n"
    assert alone(priced(promotion, {"unit_price": 1000}, {"unit_price": 500}, {"unit_price": 500}), "p") == {
        "1": 50,
        "2": 25,
        "3": 25,
    }


def test_a_remainder_never_falls_on_a_line_that_costs_nothing() -> None:
    promotion = "  - {id: a, name: A, benefit: {amount: 0.05}}\n"
    assert alone(priced(promotion, {"unit_price": 0}, {"unit_price": 3}, {"unit_price": 3}), "a") == {"2": 3, "3": 2}


def test_equal_prices_tie_by_basket_order() -> None:
    promotion = "  - {id: third, name: T, benefit: {every: {units: 3}, give: {percent: 100%}}}\n"
    assert alone(priced(promotion, *[{"unit_price": 500}] * 3), "third") == {"1": 500}


@pytest.mark.parametrize(
    ("first", "then", "prices", "house", "total", "total_turned"),
    [
        pytest.param(
            "{unit_price: 10.00}",
            "{percent: 30%, units: {at_most: 1}}",
            [3000, 6010],
            "percent_of: original\n",
            1100,
            1000,
            id="equal prices, made so by an earlier discount, of different list prices",
        ),
        pytest.param(
            "{amount: 0.01}",
            "{percent: 50%, of: {sku: SKU-1}}",
            [101, 101],
            "",
            151,
            150,
            id="equal remainders, of which one gets the minor unit that is left to give",
        ),
    ],
)
def test_what_a_tie_settles_by_basket_order_may_be_worth_more_to_a_later_discount(
    first: str, then: str, prices: list[int], house: str, total: int, total_turned: int
) -> None:
    promotions = "".join(
        f"  - {{id: {id_}, name: P, offer: automatic, combines_with: all, benefit: {benefit}}}\n"
        for id_, benefit in (("a", first), ("b", then))
    )
    lines = [{"sku": f"SKU-{number}", "unit_price": price} for number, price in enumerate(prices, start=1)]
    assert priced(promotions, *lines, house=house).base.total == total
    assert priced(promotions, *lines[::-1], house=house).base.total == total_turned


@pytest.mark.parametrize(
    ("moment", "applies"),
    [
        pytest.param(datetime(2026, 11, 30, 22, 59, 59, tzinfo=UTC), True, id="one second before midnight in Paris"),
        pytest.param(datetime(2026, 11, 30, 23, 0, tzinfo=UTC), False, id="midnight in Paris"),
    ],
)
def test_validity_ends_in_the_stores_zone(moment: datetime, applies: bool) -> None:
    pricing = priced(
        "  - {id: p, name: P, until: 2026-12-01, benefit: {percent: 10%}}\n", {"unit_price": 1000}, at=moment
    )
    assert bool(alone(pricing, "p")) == applies


def test_a_budget_counts_the_saving_of_all_lines_and_a_discount_that_does_not_fit_whole_does_not_apply() -> None:
    promotion = "  - {id: p, name: P, limits: [{budget: %s, per: chain}], benefit: {percent: 10%%}}\n"
    lines = [{"unit_price": 1000}, {"unit_price": 2000}]
    assert alone(priced(promotion % "3.00", *lines), "p") == {"1": 100, "2": 200}
    assert reason(priced(promotion % "2.99", *lines), "p") == ("limit", None)


def test_the_first_rung_is_the_smallest_even_where_learning_would_like_another() -> None:
    promotions = "".join(f"  - {{id: p{n}, name: P, benefit: {{percent: {n}%}}}}\n" for n in (10, 3, 5))
    assert savings(priced(promotions, {"unit_price": 10000})) == [300, 500, 1000]


def test_a_rung_less_than_a_step_above_the_last_one_kept_is_dropped() -> None:
    promotions = "".join(f"  - {{id: p{n}, name: P, benefit: {{amount: {n / 100:.2f}}}}}\n" for n in (40, 50, 99, 100))
    assert savings(priced(promotions, {"unit_price": 10000}, house="ladder: {min_step: 0.50}\n")) == [50, 100]


@pytest.mark.parametrize(
    ("earlier", "later", "applies"),
    [(True, 1, ["one"]), (1, True, ["fresh"]), (1.0, True, ["fresh"]), (1, 1.0, ["one", "one-point"])],
    ids=str,
)
def test_what_was_sold_before_says_nothing_of_an_attribute_that_compares_equal(
    earlier: float, later: float, applies: list[str]
) -> None:
    wanted = {"fresh": "yes", "one": "'1'", "one-point": "'1.0'"}
    rows = "".join(
        f"  - {{id: {id_}, name: P, benefit: {{percent: 10%, of: {{attribute: {{new: {word}}}}}}}}}\n"
        for id_, word in wanted.items()
    )
    index = index_of(rows)
    for sent in (earlier, later):
        pricing = price(index, basket_of({"unit_price": 1000, "attributes": {"new": sent}}), Context(NOON))
    assert [id_ for id_ in wanted if alone(pricing, id_)] == applies


@pytest.mark.parametrize(("cost", "rungs"), [(0, [100]), (1, [])])
def test_what_costs_the_house_nothing_keeps_even_a_margin_of_a_hundred_percent(cost: int, rungs: list[int]) -> None:
    promotion, line = "  - {id: p, name: P, benefit: {percent: 10%}}\n", {"unit_price": 1000, "unit_cost": cost}
    assert savings(priced(promotion, line, house="guards: {min_margin: 100%}\n")) == rungs
