"""What checking says can never happen does not happen: random policies are checked, then tried on random baskets."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import msgspec
import pytest

from pos_discount.basket import Basket
from pos_discount.policy import Policy, check_policy
from pos_discount.pricing import Applied, Context, PolicyIndex, Pricing, price

from .generator import Case, random_case
from .rarer import rarer_case
from .test_engine_agrees_with_the_naive_solver import loaded

BEFORE_ALL = datetime(2020, 1, 1, tzinfo=UTC)
NEVER_APPLIES, NEVER_OFFERED, BEATEN = "can never apply", "never offered", "always beaten"


@pytest.mark.parametrize(
    ("make_case", "first", "cases", "baskets"),
    [
        (random_case, 0, 60, 15),
        (rarer_case, 0, 60, 15),
        pytest.param(random_case, 100, 3000, 60, marks=pytest.mark.slow),
        pytest.param(rarer_case, 100, 3000, 60, marks=pytest.mark.slow),
    ],
)
def test_what_is_said_never_to_happen_does_not(
    make_case: Callable[[Random], Case], first: int, cases: int, baskets: int, tmp_path: Path
) -> None:
    claims = 0
    for seed in range(first, first + cases):
        case = make_case(Random(seed))
        policy = loaded(case, tmp_path)
        said = [(finding.promotion_id, finding.message) for finding in check_policy(policy, BEFORE_ALL)]
        never = [
            (id_, words) for id_, words in said if id_ and words.startswith((NEVER_APPLIES, NEVER_OFFERED, BEATEN))
        ]
        claims += len(never)
        for pricing in _tried(policy, case, baskets, Random(seed)) if never else ():
            assert [words for id_, words in never if _happens(words, id_, pricing)] == [], f"seed {seed}"
    assert claims > cases // 10


def _tried(policy: Policy, case: Case, baskets: int, dice: Random) -> Iterator[Pricing]:
    """Price the case's own basket, and others in its currency, under its policy."""
    index = PolicyIndex(policy)
    for other in (case, *(random_case(Random(dice.randrange(10**6))) for _ in range(baskets))):
        basket = msgspec.convert(other.request, Basket)
        if basket.currency == policy.house.currency:
            segment = (other.segment,) if other.segment else ()
            yield price(index, basket, Context(basket.at or BEFORE_ALL, segment))


def _happens(words: str, promotion_id: str, pricing: Pricing) -> bool:
    """Tell whether something happens to a promotion on a basket that checking ruled out in these words."""
    position = pricing.scan.index.position_by_id[promotion_id]
    if words.startswith(NEVER_APPLIES):
        return isinstance(pricing.discounts.alone(position), Applied)
    is_named = any(promotion_id in rung.promotion_ids for rung in pricing.rungs)
    is_owed = any(applied.entry.position == position for applied in pricing.base.applied)
    return is_named or (is_owed and words.startswith(BEATEN))
