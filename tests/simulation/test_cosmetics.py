"""The shipped policy, played by shoppers: ladders of every length, and none that loses to its own old way."""

from pathlib import Path

from pos_discount.policy import load_policy
from pos_discount.simulation.cosmetics import play_shop

POLICIES = Path(__file__).parents[2] / "policies"


def test_a_shop_of_the_shipped_policy_plays_and_stays_below_the_oracle() -> None:
    course = play_shop(load_policy(POLICIES), 1, checkouts=160, night_every=80, customers=30)
    assert course.rungs > 2.0
    assert 1.0 <= course.spoken <= 4.0
    for ours, oracle in zip(course.ours, course.oracle, strict=True):
        assert 0.0 < ours <= oracle
