"""Shoppers: what a ladder truly earns is what playing it many times earns."""

import numpy as np
import pytest

from pos_discount.simulation.play import Report, report_of
from pos_discount.simulation.shoppers import Kinds, Played, all_ladders, odds_of, play
from pos_discount.simulation.worlds import DEPTHS, OFFER_COST, PLANS, draw_world, plan_named

KINDS = Kinds(
    wanted=np.array([[0.02, 0.12, np.inf], [0.05, 0.08, 0.4]]),
    weight=np.array([[0.5, 0.3, 0.2], [0.2, 0.3, 0.5]]),
    walk=np.array([0.1, 0.3]),
    loss=np.array([0.6, 0.2]),
    anchor=0.1,
    walk_slope=0.2,
    loss_slope=0.3,
)


def test_every_ladder_begins_with_the_smallest_and_rises() -> None:
    ladders = all_ladders(6, 3)
    assert len(ladders) == 1 + 5 + 10 == len(set(ladders))
    assert all(ladder[0] == 0 and list(ladder) == sorted(set(ladder)) for ladder in ladders)


@pytest.mark.parametrize("kind", [0, 1], ids=["one who may never accept", "one who always may"])
@pytest.mark.parametrize("ladder", [(0,), (0, 2), (0, 2, 5)], ids=str)
def test_the_odds_are_what_playing_many_times_gives(kind: int, ladder: tuple[int, ...]) -> None:
    odds = odds_of(KINDS, DEPTHS, 3)
    place = odds.ladders.index(ladder)
    dice = np.random.default_rng(3).random((4_000, 5))
    played = [play(KINDS, kind, ladder, DEPTHS, row) for row in dice.tolist()]
    sold = [each.ending in ("accepted", "settled") for each in played]
    given = [DEPTHS[each.said[-1]] * is_sold for each, is_sold in zip(played, sold, strict=True)]
    assert np.mean(sold) == pytest.approx(odds.sale[kind, place], abs=0.03)
    assert np.mean(given) == pytest.approx(odds.depth[kind, place], abs=0.006)
    assert np.mean([len(each.said) for each in played]) == pytest.approx(odds.spoken[kind, place], abs=0.05)


def test_the_worlds_that_stand_still_have_the_oracles_they_are_known_for() -> None:
    for name, oracle, first_alone in (("base", 1321, 1254), ("hunters", 1117, 978)):
        world = draw_world(plan_named(name), 1)
        profits = np.stack([world.profits(visit, int(world.kind[visit])) for visit in range(0, 40_000, 4)])
        assert profits.max(axis=1).mean() == pytest.approx(oracle, rel=0.03)
        assert profits[:, 0].mean() == pytest.approx(first_alone, rel=0.03)


@pytest.mark.parametrize("plan", PLANS, ids=[plan.name for plan in PLANS])
def test_a_world_is_the_same_every_time_it_is_drawn(plan) -> None:
    one, again, other = draw_world(plan, 3), draw_world(plan, 3), draw_world(plan, 4)
    assert np.array_equal(one.value, again.value) and np.array_equal(one.kind, again.kind)
    assert np.array_equal(one.dice, again.dice) and np.array_equal(one.features, again.features)
    assert not np.array_equal(one.value, other.value)
    assert (one.customer < 0).mean() == pytest.approx(plan.anonymous, abs=0.02)


def test_an_unknown_world_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"'bsae'.*base, hunters"):
        plan_named("bsae")


@pytest.mark.parametrize(
    ("played", "report"),
    [
        (Played((0,), "accepted"), Report("accepted", 1, ((1, "accepted"),))),
        (Played((0, 2), "accepted"), Report("accepted", 2, ((1, "declined"), (2, "accepted")))),
        (Played((0, 2), "settled"), Report("accepted", 2, ((1, "declined"), (2, "declined")))),
        (Played((0,), "walked"), Report("left", None, ((1, "walked"),))),
        (Played((0, 2), "walked"), Report("left", None, ((1, "declined"), (2, "declined")))),
        (Played((0, 2), "lost"), Report("left", None, ((1, "declined"), (2, "declined")))),
    ],
    ids=["at once", "at the second", "settles", "walks early", "walks at the end", "is lost"],
)
def test_a_till_reports_what_it_can_see(played: Played, report: Report) -> None:
    assert report_of((0, 2), played) == report


def test_saying_a_rung_costs_what_the_page_says() -> None:
    assert OFFER_COST == 15.0
