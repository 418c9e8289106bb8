"""The chosen ladder: exact, smallest first, and with the probability that it says."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pos_discount.sensitivity import (
    Behaviour,
    Belief,
    SensitivityModel,
    Stakes,
    Terms,
    believe,
    choose_ladder,
    foresee,
    ladder_distribution,
    prior_model,
)
from pos_discount.sensitivity.best import _best_by_stages, _best_of, _listed, _worth, best_ladders
from pos_discount.sensitivity.ladder import named_ladders
from pos_discount.sensitivity.stakes import HoldoutLadder
from sensitivity.made import made_model, made_stakes


def worth(ladder: tuple[int, ...], stakes: Stakes, terms: Terms, model: SensitivityModel, belief: Belief) -> float:
    """The objective of a ladder, written out from its definition, under the point estimate."""
    price = terms.refusal_price * stakes.base_total
    total = 0.0
    for weight, curve, walk, loss in zip(belief.weights, model.curves, model.walk, model.loss, strict=True):
        knots = (0, *model.knots)
        refused = 0.0
        for said, rung in enumerate(ladder):
            reached = float(np.interp(stakes.depths[rung] * 400, knots, (0, *curve)))
            stayed = weight * (1 - walk) ** said
            gain = stakes.profits[rung] - (price if said else 0.0)
            total += stayed * ((reached - refused) * gain - (1 - refused) * terms.offer_cost)
            refused = reached
        settled = weight * (1 - walk) ** len(ladder) * (1 - loss) * (1 - refused)
        last = stakes.profits[ladder[-1]] - (price if len(ladder) > 1 else 0.0)
        total += settled * ((1 - model.base_share) * last + model.base_share * stakes.base_profit)
    return total


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), rungs=st.integers(2, 8), longest=st.integers(2, 5), price=st.floats(0.0, 0.1))
def test_the_best_of_all_ladders_is_found(seed: int, rungs: int, longest: int, price: float) -> None:
    model, stakes = made_model(seed), made_stakes(seed, rungs)
    terms = Terms(longest, offer_cost=15.0, refusal_price=price)
    belief = Belief(tuple(model.mixes[1].tolist()), 1)
    every = [(0, *rest) for size in range(longest) for rest in combinations(range(1, rungs), size)]
    best = max(worth(ladder, stakes, terms, model, belief) for ladder in every)
    found = best_ladders(stakes, terms, model, belief)[0]
    assert found in every
    assert worth(found, stakes, terms, model, belief) == pytest.approx(best, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), rungs=st.integers(2, 10), longest=st.integers(2, 6), price=st.floats(0.0, 0.1))
def test_listing_all_ladders_and_going_by_stages_find_the_same(
    seed: int, rungs: int, longest: int, price: float
) -> None:
    model, terms, belief = made_model(seed), Terms(longest, 3.5, refusal_price=price), Belief((0.25,) * 4, 1)
    parts = _worth(made_stakes(seed, rungs), terms, min(longest, rungs), model, belief)
    listed = _listed(rungs, min(longest, rungs))
    assert listed is not None
    assert _best_of(listed, parts) == _best_by_stages(parts)


@pytest.mark.parametrize("rungs", [13, 14, 15, 16, 24], ids=str)
def test_many_ladders_have_their_best_found_too(rungs: int) -> None:
    model, stakes, terms = made_model(rungs), made_stakes(rungs, rungs), Terms(4, 3.5, refusal_price=0.01)
    belief = Belief((0.25,) * 4, 0)
    every = [(0, *rest) for size in range(4) for rest in combinations(range(1, rungs), size)]
    most = max(worth(ladder, stakes, terms, model, belief) for ladder in every)
    found = best_ladders(stakes, terms, model, belief)[0]
    assert worth(found, stakes, terms, model, belief) == pytest.approx(most, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), rungs=st.integers(1, 12), longest=st.integers(1, 5))
def test_every_ladder_begins_with_the_smallest_rung_rises_and_is_short_enough(
    seed: int, rungs: int, longest: int
) -> None:
    model = made_model(seed)
    belief = Belief(tuple(model.mixes[0].tolist()), 0)
    distribution = ladder_distribution(made_stakes(seed, rungs), Terms(longest, 15.0), model, belief)
    assert sum(mass for _, mass in distribution) == pytest.approx(1.0, abs=1e-9)
    for ladder, mass in distribution:
        assert ladder[0] == 0 and list(ladder) == sorted(set(ladder)) and len(ladder) <= longest and mass > 0


def test_seeds_draw_ladders_as_often_as_their_propensity_says() -> None:
    stakes, terms, model = made_stakes(3, 6), Terms(3, 15.0, exploration=0.3), made_model(3)
    belief = Belief(tuple(model.mixes[0].tolist()), 0)
    choices = [choose_ladder(stakes, terms, model, belief, arm="ladder", seed=f"dec_{i}") for i in range(2_000)]
    for ladder, mass in choices[0].distribution:
        drawn = sum(choice.rungs == ladder for choice in choices) / len(choices)
        assert drawn == pytest.approx(mass, abs=4 * (mass * (1 - mass) / len(choices)) ** 0.5 + 1e-9)


def test_the_same_seed_gives_the_same_choice() -> None:
    first, again = (
        choose_ladder(made_stakes(1, 9), Terms(4, 15.0), made_model(1), Belief((0.25,) * 4, 0), arm="ladder", seed="x")
        for _ in range(2)
    )
    assert first == again


def test_models_that_share_a_belief_are_not_taken_for_each_other() -> None:
    stakes, terms, belief = made_stakes(3, 6), Terms(3, 15.0), Belief((0.25,) * 4, 0)
    one, other = made_model(1), made_model(2)
    first, between, again = (ladder_distribution(stakes, terms, model, belief) for model in (one, other, one))
    assert first == again != between


def test_propensities_of_prefixes_and_stops_are_sums_over_the_distribution() -> None:
    choice = choose_ladder(
        made_stakes(5, 6),
        Terms(3, 15.0, exploration=0.5),
        made_model(5),
        Belief((0.25,) * 4, 0),
        arm="ladder",
        seed="b",
    )
    for size in range(1, len(choice.rungs) + 1):
        prefix = choice.rungs[:size]
        begins = sum(mass for ladder, mass in choice.distribution if ladder[:size] == prefix)
        ends = sum(mass for ladder, mass in choice.distribution if ladder == prefix)
        assert choice.prefix_propensities[size - 1] == pytest.approx(begins)
        assert choice.stop_propensities[size - 1] == pytest.approx(ends)
    assert choice.prefix_propensities[0] == 1.0
    assert choice.propensity == choice.stop_propensities[-1]


@pytest.mark.parametrize(
    ("house", "rungs"), [("full", (0, 1, 2)), ("first", (0,)), ("none", ())], ids=["full", "first", "none"]
)
def test_the_hold_out_gets_the_houses_fixed_ladder(house: HoldoutLadder, rungs: tuple[int, ...]) -> None:
    terms = Terms(3, 15.0, holdout_ladder=house)
    choice = choose_ladder(made_stakes(2, 5), terms, made_model(2), Belief((0.25,) * 4, 0), arm="holdout", seed="s")
    assert choice.rungs == rungs
    assert choice.propensity == 1.0


@pytest.mark.parametrize(
    ("rungs", "longest", "named"),
    [
        (6, 3, (((0,), 0.9), ((0, 1, 2), 0.06), ((0, 5), 0.04))),
        (2, 3, (((0,), 0.9), ((0, 1), 0.1))),
        (1, 3, (((0,), 1.0),)),
        (6, 1, (((0,), 1.0),)),
    ],
    ids=["three apart", "two rungs merge", "one rung", "one may be said"],
)
def test_the_floor_rests_on_named_ladders_equal_ones_merged(
    rungs: int, longest: int, named: tuple[tuple[tuple[int, ...], float], ...]
) -> None:
    assert named_ladders(rungs, Terms(longest, 15.0)) == named


@pytest.mark.parametrize(("samples", "floor"), [(4_999.0, 0.10), (5_000.0, 0.02)], ids=["just short", "just enough"])
def test_the_floor_is_a_tenth_until_there_are_five_thousand_samples(samples: float, floor: float) -> None:
    stakes, terms, model = made_stakes(3, 6), Terms(3, 15.0), made_model(3, effective_samples=samples)
    masses = dict(ladder_distribution(stakes, terms, model, Belief((0.25,) * 4, 0)))
    winners = best_ladders(stakes, terms, model, Belief((0.25,) * 4, 0))[1:]
    for ladder, share in named_ladders(len(stakes.depths), terms):
        drawn = winners.count(ladder) / len(winners)
        assert masses[ladder] == pytest.approx(floor * share + (1.0 - floor) * drawn)


def test_what_is_foreseen_adds_up_to_the_ladders_worth() -> None:
    model, stakes, terms = made_model(7), made_stakes(7, 6), Terms(4, 15.0, refusal_price=0.0)
    belief = Belief((0.25,) * 4, 0)
    foreseen = foresee((0, 2, 5), stakes, terms, model, belief)
    assert foreseen.spoken[0] == pytest.approx(1.0)
    assert all(0.0 <= share <= 1.0 for share in foreseen.acceptance)
    assert foreseen.expected_profit[0] == pytest.approx(worth((0, 2, 5), stakes, terms, model, belief), rel=1e-5)


def test_a_higher_price_on_refusals_never_makes_the_ladder_longer() -> None:
    model, stakes = prior_model(), made_stakes(9, 8)
    belief = believe(model, Behaviour())
    lengths = [len(best_ladders(stakes, Terms(4, 15.0, price), model, belief)[0]) for price in (0.0, 0.05, 0.2, 1.0)]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[-1] == 1


def test_profits_in_whole_numbers_choose_as_the_same_with_a_point() -> None:
    model, terms, belief = made_model(), Terms(3, 1.0), Belief((0.25,) * 4, 0)
    whole, pointed = (
        Stakes((0.03, 0.1, 0.3), tuple(map(kind, (880, 700, -100))), kind(1000), 2000.0) for kind in (int, float)
    )
    assert best_ladders(whole, terms, model, belief) == best_ladders(pointed, terms, model, belief)


def test_a_basket_without_rungs_has_an_empty_ladder() -> None:
    choice = choose_ladder(
        Stakes((), (), 100.0, 1000.0), Terms(3, 1.0), made_model(), Belief((0.25,) * 4, 0), arm="ladder", seed=""
    )
    assert choice.rungs == () and choice.propensity == 1.0


@pytest.mark.parametrize("rungs", [32, 33, 400])
def test_of_very_many_rungs_a_spread_is_weighed_and_the_ladder_still_begins_with_the_smallest(rungs: int) -> None:
    model = made_model(4)
    distribution = ladder_distribution(made_stakes(4, rungs), Terms(4, 15.0), model, Belief((0.25,) * 4, 0))
    assert sum(mass for _, mass in distribution) == pytest.approx(1.0, abs=1e-9)
    assert all(ladder[0] == 0 and ladder[-1] < rungs for ladder, _ in distribution)
    assert any(ladder == (0, rungs - 1) for ladder, _ in distribution)


@pytest.mark.parametrize(("longest", "rungs"), [(15, 15), (16, 16), (16, 40), (40, 20)])
def test_a_house_may_allow_more_rungs_than_events_count(longest: int, rungs: int) -> None:
    model, stakes, terms = made_model(4), made_stakes(4, rungs), Terms(longest, 0.1, refusal_price=0.0)
    choice = choose_ladder(stakes, terms, model, Belief((0.25,) * 4, 0), arm="ladder", seed="dec_1")
    assert sum(mass for _, mass in choice.distribution) == pytest.approx(1.0, abs=1e-9)
    assert tuple(range(min(longest, rungs))) in dict(choice.distribution)  # the hold-out's
    assert all(ladder[0] == 0 and len(ladder) <= longest for ladder, _ in choice.distribution)
