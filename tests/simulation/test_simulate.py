"""Short courses of the worlds: the learner learns, and never names anything before the smallest."""

from dataclasses import replace

import numpy as np
import pytest

from pos_discount.learning import FitOptions
from pos_discount.learning.agreement import agreement_of
from pos_discount.simulation import FixedSeller, LearningSeller, draw_world, measure, plan_named, play_world, simulate
from pos_discount.simulation.simulate import profit_of

QUICK = FitOptions(draws=8, iterations=20)


@pytest.fixture(scope="module")
def hunters():
    world = draw_world(replace(plan_named("hunters"), checkouts=3_000), 5)
    seller = LearningSeller(world, options=QUICK)
    return world, seller, play_world(world, seller)


class _NeverLearns(LearningSeller):
    """Sells as the learner does on its first day, for ever."""

    def sleep(self, night: int) -> None:
        pass


def _losses(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Play one world by a learner and by one who never learns; give what each lost at each checkout."""
    world = draw_world(replace(plan_named("hunters"), checkouts=3_000), seed)
    courses = (play_world(world, seller(world, options=QUICK)) for seller in (LearningSeller, _NeverLearns))
    learned, never = (course.oracle - course.profit for course in courses)
    return learned, never


def test_learning_loses_less_to_the_same_shoppers_than_never_learning_does() -> None:
    """Both meet the same shoppers, so that what differs is what was learned; until the first night nothing does.

    Beside its own first 1,000 checkouts, which were other shoppers, the learner's loss at its last 1,000 was anything
    from 0.82 to 1.13 of it in six worlds. Beside who never learns it was, from the first night on, 0.86 to 0.96 in
    eight worlds. The three worlds here come to 0.884 with a standard error of 0.020, which leaves 0.95 three away.
    """
    learned, never = (np.array(each) for each in zip(*(_losses(seed) for seed in (5, 6, 7)), strict=True))
    assert np.array_equal(learned[:, :1_000], never[:, :1_000])
    assert learned[:, 1_000:].sum() < 0.95 * never[:, 1_000:].sum()


def test_the_hold_out_is_left_out_of_the_score_and_is_about_its_share(hunters) -> None:
    world, _, course = hunters
    assert course.is_holdout.mean() == pytest.approx(world.plan.holdout, abs=0.02)
    assert measure(world, course).profit == pytest.approx(course.profit[~course.is_holdout].mean())


def test_no_course_earns_more_than_the_oracle(hunters) -> None:
    _, _, course = hunters
    assert np.all(course.profit <= course.oracle + 1e-9)


def test_a_fixed_seller_earns_what_its_ladder_earns(hunters) -> None:
    world, _, _ = hunters
    fixed = play_world(world, FixedSeller((0, 2)))
    result = measure(world, fixed)
    assert profit_of(world, FixedSeller((0,))) == pytest.approx(result.first_alone)
    assert result.headroom <= 1e-9


def test_a_simulation_is_the_same_every_time() -> None:
    one, again = (simulate("base", 2, checkouts=1_200, options=QUICK) for _ in range(2))
    assert one == again
    assert one.rivals[0][1] >= one.rivals[1][1]


def test_where_everybody_accepts_the_first_rung_nothing_else_is_worth_saying() -> None:
    nights: list[int] = []
    result = simulate("nobody", 0, checkouts=2_500, options=QUICK, on_night=nights.append)
    assert nights == [1, 2]
    assert result.ours.spoken == pytest.approx(1.0)
    assert result.ours.share_of_oracle == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("one", "other", "index"),
    [((0, 0, 1, 1), (1, 1, 0, 0), 1.0), ((0, 0, 1, 1, 2, 2), (0, 1, 0, 1, 0, 1), -4 / 11)],
    ids=["the same under other names", "worse than chance"],
)
def test_the_rand_index_is_corrected_for_chance(one, other, index) -> None:
    assert agreement_of(np.array(one), np.array(other)) == pytest.approx(index, abs=1e-9)
