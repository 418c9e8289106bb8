"""The shipped policies are what a newcomer learns from: their examples hold, and they make a ladder on any basket."""

from datetime import UTC, datetime
from functools import cache

import pytest

from pos_discount.basket import Basket, Customer, Line
from pos_discount.measure.examples import ExampleResult, run_examples
from pos_discount.policy import Policy, Promotion, load_policy
from pos_discount.pricing import Context, PolicyIndex, price

from .pages import DOCS

MARCH = datetime(2027, 3, 10, 10, tzinfo=UTC)
MEMBER = Customer(customer_id="L-1", tier="silver")
CATEGORIES = [
    "make-up/face",
    "make-up/lips",
    "care/body",
    "hair/shampoo",
    "fragrance/women",
    "bath/soap",
    "deodorant",
    None,
]


@cache
def shipped_index() -> PolicyIndex:
    return PolicyIndex(load_policy(DOCS.parent / "policies"))


def shipped_policy() -> Policy:
    return shipped_index().policy


def each_promotion() -> list[Promotion]:
    return list(shipped_policy().promotions)


def each_result() -> list[ExampleResult]:
    return list(run_examples(shipped_index()))


def rungs_of(prices: list[int], category: str | None, customer: Customer | None) -> list[float]:
    """Return the depths of all rungs on a basket of one unit at each price, all of a category."""
    lines = tuple(
        Line(line_id=str(number), sku=f"UNKNOWN-{number}", quantity=1, unit_price=cents, category=category)
        for number, cents in enumerate(prices)
    )
    basket = Basket(store_id="S001", currency="EUR", lines=lines, at=MARCH, customer=customer)
    pricing = price(shipped_index(), basket, Context(MARCH))
    return [rung.value / pricing.base.total for rung in pricing.rungs]


@pytest.mark.parametrize("result", each_result(), ids=lambda result: result.example.name)
def test_each_example_holds(result: ExampleResult) -> None:
    assert result.disagreements == ()


@pytest.mark.parametrize("promotion", each_promotion(), ids=lambda promotion: promotion.id)
def test_each_promotion_has_an_example_where_it_applies_and_one_where_it_does_not(promotion: Promotion) -> None:
    expected = [
        e.saving_by_promotion[promotion.id] for e in shipped_policy().examples if promotion.id in e.saving_by_promotion
    ]
    assert None in expected
    assert any(saving is not None for saving in expected)


@pytest.mark.parametrize("promotion", each_promotion(), ids=lambda promotion: promotion.id)
def test_somebody_answers_for_each_promotion(promotion: Promotion) -> None:
    assert promotion.owner
    assert promotion.reference


@pytest.mark.parametrize("promotion", each_promotion(), ids=lambda promotion: promotion.id)
def test_what_a_cashier_names_has_its_sentence_in_english_and_russian(promotion: Promotion) -> None:
    is_said = promotion.offer != "automatic"
    assert set(promotion.say) == ({"en", "ru"} if is_said else set())


@pytest.mark.parametrize("customer", [None, MEMBER], ids=["without a card", "with a card"])
@pytest.mark.parametrize("prices", [[1200, 900, 1450], [3800, 2200, 790, 450], [2400, 1900, 1600, 1600, 850, 3400]])
@pytest.mark.parametrize("category", CATEGORIES)
def test_a_usual_basket_of_any_category_gets_a_ladder(
    prices: list[int], category: str | None, customer: Customer | None
) -> None:
    depths = rungs_of(prices, category, customer)
    assert len(depths) >= 3
    assert depths[0] * sum(prices) < 150
    assert 0.1 <= depths[-1] <= 0.4


@pytest.mark.parametrize("category", CATEGORIES)
def test_even_a_small_basket_of_a_member_gets_a_rung(category: str | None) -> None:
    assert rungs_of([290, 310], category, MEMBER)
