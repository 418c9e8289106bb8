"""The one call: what it owes to nobody's model, to the customer's wish and to the law of the place."""

from __future__ import annotations

import gc
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from pos_discount.decide import Decision, KeptCustomer, Known, Seed, decide
from tests.pricing.made import basket_of, index_of

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
STEPS = "".join(f"  - {{id: p{n}, name: P, benefit: {{percent: {n}%}}}}\n" for n in (3, 5, 8, 12, 20))
HISTORY = KeptCustomer(visits=7, visits_90d=4, spend_90d=9000, promo_share_90d=0.9, last_visit_on=date(2026, 11, 1))


def decided(house: str = "", known: Known | None = None, dice: str = "dice", **request: Any) -> Decision:
    basket = basket_of({"unit_price": 5000}, **request)
    return decide(basket, index_of(STEPS, house), None, known or Known(), NOW, Seed("dec_1", dice))


def told(decision: Decision) -> bytes:
    return msgspec.json.encode(decision.answer)


def test_the_same_inputs_give_the_same_bytes() -> None:
    assert told(decided()) == told(decided())


def test_without_a_model_the_ladder_still_begins_with_the_smallest_and_says_why() -> None:
    answer = decided().answer
    assert answer.fallback == "no_model"
    assert answer.ladder[0].saving == 150
    assert [rung.rung for rung in answer.ladder] == list(range(1, len(answer.ladder) + 1))


@pytest.mark.parametrize("dice", [str(n) for n in range(40)])
def test_whatever_the_dice_say_the_smallest_is_named_first_and_no_more_than_the_house_allows(dice: str) -> None:
    ladder = decided("ladder: {max_rungs: 3}\n", dice=dice).answer.ladder
    assert 1 <= len(ladder) <= 3
    assert ladder[0].saving == 150


def test_the_holdout_gets_the_first_rungs_without_a_gap() -> None:
    answer = decided("holdout: {share: 100%, ladder: full}\n").answer
    assert answer.arm == "holdout"
    assert [rung.saving for rung in answer.ladder] == [150, 250, 400, 600]


def test_a_holdout_without_a_ladder_names_nothing() -> None:
    assert decided("holdout: {share: 100%, ladder: none}\n").answer.ladder == ()


def test_a_customer_stays_in_one_arm_whatever_the_sale() -> None:
    house = "holdout: {share: 50%}\n"
    customer = {"customer_id": "K1"}
    assert len({decided(house, dice=str(n), customer=customer).answer.arm for n in range(20)}) == 1
    assert len({decided(house, dice=str(n)).answer.arm for n in range(20)}) == 2


def test_what_the_till_leaves_out_of_the_history_is_filled_in_from_what_was_kept() -> None:
    index = index_of("  - {id: eighth, name: E, when: [{visit_number: {exactly: 8}}], benefit: {percent: 5%}}\n")
    basket = basket_of({"unit_price": 1000}, customer={"customer_id": "K1"})
    answer = decide(basket, index, None, Known(kept=HISTORY), NOW, Seed("dec_1", "d")).answer
    assert [discount.promotion_id for discount in answer.discounts] == ["eighth"]


@pytest.mark.parametrize(
    ("house", "attributes"),
    [
        pytest.param("personalisation: [{stores: [S1], use: no}]\n", {}, id="the law of the place says no"),
        pytest.param("", {"personalise": False}, id="the customer objects"),
    ],
)
def test_where_nothing_personal_may_be_used_a_history_changes_nothing(house: str, attributes: dict[str, Any]) -> None:
    customer = {"customer_id": "K1", "attributes": attributes}
    known, unknown = (decided(house, Known(kept=kept), customer=customer) for kept in (HISTORY, None))
    assert told(known) == told(unknown)
    assert (known.answer.personalised, known.answer.disclosure) == (False, "")
    assert known.behaviour.promo_share_90d is None


def test_the_customer_is_told_in_their_language_that_their_history_has_a_say() -> None:
    house = "personalisation: [{disclosure: {en: Yours, ru: Ваши}}]\n"
    answer = decided(house, customer={"customer_id": "K1"}, locale="ru-RU").answer
    assert (answer.personalised, answer.disclosure) == (True, "Ваши")


def test_a_decision_expires_by_the_servers_clock_whatever_the_till_says() -> None:
    answer = decided(at="2020-01-01T00:00:00+00:00").answer
    assert answer.at == datetime(2020, 1, 1, tzinfo=UTC)
    assert answer.expires_at == NOW + timedelta(minutes=30)


def test_profit_is_null_where_a_cost_is_not_known_and_a_number_where_it_is() -> None:
    assert {rung.expected_profit for rung in decided().answer.ladder} == {None}
    assert None not in {rung.expected_profit for rung in decided("margins: [{rate: 40%}]\n").answer.ladder}


def test_a_decision_leaves_nothing_behind_for_the_garbage_collector_to_find() -> None:
    promotions = "".join(f"  - {{id: a{n}, name: A, offer: automatic, benefit: {{percent: {n}%}}}}\n" for n in (5, 10))
    index, basket = index_of(promotions + STEPS), basket_of({"unit_price": 5000})
    known, seed = Known(), Seed("dec_1", "dice")
    decide(basket, index, None, known, NOW, seed)
    gc.collect()
    gc.disable()
    try:
        decide(basket, index, None, known, NOW, seed)
        assert gc.collect() == 0
    finally:
        gc.enable()
