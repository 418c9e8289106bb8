"""The learner that the worlds judge recommends what a till's request is answered with."""

from dataclasses import replace

from pos_discount.simulation import LearningSeller, draw_world, plan_named, play_world
from pos_discount.simulation.deciding import DecidingSeller, policy_of
from pos_discount.simulation.worlds import DEPTHS


def test_the_worlds_promotions_are_a_policy() -> None:
    policy = policy_of(draw_world(replace(plan_named("base"), checkouts=10), 0))
    assert len(policy.promotions) == len(DEPTHS)


def test_deciding_through_policy_and_pricing_recommends_what_the_plain_learner_does() -> None:
    world = draw_world(replace(plan_named("hunters"), checkouts=500, night_every=250), 3)
    plain = play_world(world, LearningSeller(world))
    decided = play_world(world, DecidingSeller(world))
    agreement = (plain.ladder == decided.ladder).mean()
    assert agreement > 0.98  # cents are whole in a till, so that a close call may fall the other way
