"""A policy tried on baskets, and two compared: the parts sum to the whole, whatever the policy."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from pos_discount.basket import Basket
from pos_discount.measure.replay import compare_policies, replay_policy
from pos_discount.policy import Policy, load_policy
from pos_discount.pricing import PolicyIndex

NOW = datetime(2026, 3, 10, 10, tzinfo=UTC)


@dataclass(frozen=True)
class Shop:
    """The shipped policy, one that lacks two of its promotions, and the baskets of its examples, over three stores."""

    policy: Policy
    poorer: Policy
    baskets: tuple[Basket, ...]


@pytest.fixture(scope="module")
def shop() -> Shop:
    policy = load_policy(Path(__file__).parents[2] / "policies")
    kept = tuple(promotion for promotion in policy.promotions if promotion.id not in ("member-prices", "small-thanks"))
    baskets = tuple(
        msgspec.structs.replace(example.basket, store_id=f"S{number % 3}", sale_id=str(number))
        for number, example in enumerate(policy.examples)
    )
    return Shop(policy, msgspec.structs.replace(policy, promotions=kept, version="poorer"), baskets)


def test_what_promotions_give_in_the_base_sums_to_the_base(shop: Shop) -> None:
    gave = replay_policy(PolicyIndex(shop.policy), shop.baskets, NOW)
    assert gave.baskets == len(shop.baskets)
    assert sum(promotion.value_in_base for promotion in gave.promotions) == gave.base_value > 0
    assert sum(promotion.cost_in_base for promotion in gave.promotions) == gave.base_cost
    assert 0 < gave.first_rung_value <= gave.deepest_rung_value


def test_a_promotion_is_never_given_on_more_baskets_than_there_are(shop: Shop) -> None:
    gave = replay_policy(PolicyIndex(shop.policy), shop.baskets, NOW)
    for promotion in gave.promotions:
        assert promotion.baskets_on_first_rung <= promotion.baskets_on_ladder <= gave.baskets_with_ladder
        assert promotion.baskets_in_base <= gave.baskets_with_base


def test_stores_sum_to_the_whole_and_every_basket_is_counted_once(shop: Shop) -> None:
    difference = compare_policies(PolicyIndex(shop.policy), PolicyIndex(shop.poorer), shop.baskets, NOW)
    for name in ("gain", "lose", "same"):
        assert sum(getattr(store, name) for store in difference.stores) == getattr(difference.total, name)
    for name in ("base_value", "first_rung_value", "deepest_rung_value"):
        pairs = [getattr(store, name) for store in difference.stores]
        assert (sum(old for old, _ in pairs), sum(new for _, new in pairs)) == getattr(difference.total, name)
    assert difference.total.gain + difference.total.lose + difference.total.same == len(shop.baskets)


def test_comparing_the_other_way_round_turns_gains_into_losses(shop: Shop) -> None:
    old, new = PolicyIndex(shop.policy), PolicyIndex(shop.poorer)
    there, back = compare_policies(old, new, shop.baskets, NOW), compare_policies(new, old, shop.baskets, NOW)
    assert (there.total.gain, there.total.lose) == (back.total.lose, back.total.gain)
    assert there.total.lose > 0


def test_a_promotion_that_only_one_policy_has_is_shown_as_such(shop: Shop) -> None:
    difference = compare_policies(PolicyIndex(shop.policy), PolicyIndex(shop.poorer), shop.baskets, NOW)
    values = {change.promotion_id: change.value for change in difference.promotions}
    assert values["member-prices"][1] is None
    assert values["small-thanks"][1] is None


def test_the_baskets_that_changed_most_come_first_and_are_as_many_as_asked(shop: Shop) -> None:
    difference = compare_policies(PolicyIndex(shop.policy), PolicyIndex(shop.poorer), shop.baskets, NOW, most=5)
    sizes = [max(map(abs, change.change)) for change in difference.most_changed]
    assert len(sizes) == 5
    assert sizes == sorted(sizes, reverse=True)
