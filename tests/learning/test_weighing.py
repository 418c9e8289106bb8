"""Many visits weighed at once give what each one gives by itself."""

from __future__ import annotations

import numpy as np
import pytest

from learning.made_evidence import two_groups
from pos_discount.learning import FitOptions, fit_sensitivity
from pos_discount.learning.checkouts import Ladders, Spread, baskets_of
from pos_discount.learning.evaluation import Weighed, effective_samples
from pos_discount.learning.features import bins_of
from pos_discount.learning.weighing import (
    accept_first,
    choose_many,
    foresee_many,
    given_refusal,
    ladder_of,
    win_many,
)
from pos_discount.sensitivity import (
    Behaviour,
    Belief,
    SensitivityModel,
    Stakes,
    Terms,
    bin_behaviour,
    foresee,
    ladder_distribution,
    prior_model,
)
from pos_discount.sensitivity.ladder import best_ladders

TERMS = (
    Terms(3, 15.0),
    Terms(4, 8.0, refusal_price=0.0, exploration=0.1, holdout_ladder="first"),
    Terms(2, 15.0, exploration=0.0, holdout_ladder="none"),
    Terms(1, 15.0),
    Terms(12, 1.0, refusal_price=0.0),
)


@pytest.fixture(scope="module", params=["prior", "learned"])
def model(request: pytest.FixtureRequest) -> SensitivityModel:
    if request.param == "prior":
        return prior_model()
    evidence, _ = two_groups(400, 8, seed=0)
    return fit_sensitivity(evidence, None, FitOptions(segments=(3,), young_until=500.0, restarts=1), seed=1).model


class Drawn:
    """Baskets of many shapes, and what is believed at each."""

    def __init__(self, model: SensitivityModel, count: int, seed: int) -> None:
        dice = np.random.default_rng(seed)
        self.stakes = [_stakes(dice, int(dice.choice((0, 1, 2, 3, 5, 6, 9, 40)))) for _ in range(count)]
        self.terms = [TERMS[int(dice.integers(len(TERMS)))] for _ in range(count)]
        self.cells = dice.integers(0, len(model.mixes), count)
        self.weights = dice.dirichlet(np.ones(len(model.walk)), count)
        self.beliefs = [Belief(tuple(own.tolist()), int(c)) for own, c in zip(self.weights, self.cells, strict=True)]
        self.baskets = baskets_of(self.stakes, self.terms)


def _stakes(dice: np.random.Generator, rungs: int) -> Stakes:
    value, margin = float(np.round(100 * np.exp(dice.normal(3.5, 0.6)))), float(dice.choice((0.25, 0.45, 0.65)))
    depths = tuple(np.sort(dice.uniform(0.005, 0.6, rungs)).tolist())
    return Stakes(depths, tuple(value * (margin - depth) for depth in depths), value * margin, value)


def test_distributions_are_those_of_each_visit(model: SensitivityModel) -> None:
    drawn, ladders = Drawn(model, 300, 1), Ladders()
    spread = choose_many(drawn.baskets, model, drawn.weights, drawn.cells, ladders, np.arange(300))
    found: list[dict[tuple[int, ...], float]] = [{} for _ in range(300)]
    for row, ladder, mass in zip(spread.row.tolist(), spread.ladder.tolist(), spread.mass.tolist(), strict=True):
        found[row][ladders.known[ladder]] = mass
    for row, (stakes, terms, belief) in enumerate(zip(drawn.stakes, drawn.terms, drawn.beliefs, strict=True)):
        assert found[row] == pytest.approx(dict(ladder_distribution(stakes, terms, model, belief)), abs=1e-9)


def test_each_draw_has_the_best_ladder_of_the_single_call(model: SensitivityModel) -> None:
    dice = np.random.default_rng(2)
    stakes, weights = [_stakes(dice, 7) for _ in range(40)], dice.dirichlet(np.ones(len(model.walk)), 40)
    baskets, cells = baskets_of(stakes, [TERMS[1]] * 40), np.zeros(40, dtype=np.intp)
    won = win_many(baskets, model, weights, cells, np.arange(40), TERMS[1])
    for row, each in enumerate(stakes):
        best = best_ladders(each, TERMS[1], model, Belief(tuple(weights[row].tolist()), 0))
        assert tuple(ladder_of(code) for code in won[row].tolist()) == best


def test_foresight_is_that_of_each_visit(model: SensitivityModel) -> None:
    drawn, ladders, dice = Drawn(model, 200, 3), Ladders(), np.random.default_rng(4)
    chosen = [_ladder(len(stakes.depths), dice) for stakes in drawn.stakes]
    spread = Spread(np.arange(200), np.array([ladders.number(ladder) for ladder in chosen]), np.ones(200))
    rungs, told = ladders.rungs(), (drawn.baskets, model, drawn.weights, drawn.cells)
    point = foresee_many(spread, rungs, *told, by_draw=False)
    draws = foresee_many(spread, rungs, *told, by_draw=True)
    first = accept_first(drawn.baskets, model, drawn.weights)
    assert draws.shape == (200, 1 + len(model.draw_walk))
    assert draws[:, :1] == pytest.approx(point)
    for row, ladder in enumerate(chosen):
        single = foresee(ladder, drawn.stakes[row], drawn.terms[row], model, drawn.beliefs[row])
        expected = single.expected_profit[0] if ladder else drawn.stakes[row].base_profit
        assert point[row, 0] == pytest.approx(expected, rel=1e-5)
        if ladder:
            at_first = foresee((0,), drawn.stakes[row], drawn.terms[row], model, drawn.beliefs[row])
            assert first[row] == pytest.approx(at_first.acceptance[0], rel=1e-5)


def _ladder(rungs: int, dice: np.random.Generator) -> tuple[int, ...]:
    return tuple(rung for rung in range(rungs) if rung == 0 or dice.random() < 0.4)[:12]


def test_what_is_foreseen_is_made_of_those_who_take_rung_1_and_those_who_refuse_it(model: SensitivityModel) -> None:
    drawn, ladders = Drawn(model, 60, 5), Ladders()
    rows = np.array([row for row, stakes in enumerate(drawn.stakes) if len(stakes.depths) > 2])
    numbers = np.array([ladders.number(((0,), (0, 1), (0, 1, 2))[row % 3]) for row in rows.tolist()])
    spread, model_at = Spread(rows, numbers, np.ones(len(rows))), (model, drawn.weights, drawn.cells)
    foreseen = foresee_many(spread, ladders.rungs(), drawn.baskets, *model_at, by_draw=False)
    refused = given_refusal(foreseen, rows, drawn.baskets, *model_at)
    accepted = accept_first(drawn.baskets, model, drawn.weights)[rows]
    taken = drawn.baskets.profits[rows, 0] - drawn.baskets.offer_cost[rows]
    assert accepted * taken + (1.0 - accepted) * refused[:, 0] == pytest.approx(foreseen[:, 0])
    assert (refused[:, 0] < taken).all()  # what is earned after a refusal is less: they walk, or cost a deeper rung


def test_bins_are_those_of_each_behaviour() -> None:
    edges = [
        Behaviour(0.25, True, False, 3, 7, 4, 0.8, 12, 1),
        Behaviour(0.2499, False, True, 2, 6, 3, 0.79, 11, 0),
        Behaviour(),
        Behaviour(1.0, None, None, 400, 4000, 999, 1.0, 23, 99),
    ]
    assert [tuple(row) for row in bins_of(edges).tolist()] == [bin_behaviour(each) for each in edges]
    assert bins_of([]).shape == (0, 9)


@pytest.mark.parametrize(
    ("logged", "value"),
    [pytest.param(0.02, 100.0 + (40.0 - 50.0) / 0.02, id="often enough"), pytest.param(0.019, 100.0, id="too rare")],
)
def test_what_was_hardly_ever_seen_corrects_nothing(logged: float, value: float) -> None:
    ones = np.ones(1)
    policy = Weighed(
        there=ones, logged=logged * ones, direct=100.0 * ones, foreseen_there=50.0 * ones, missing=0.0 * ones
    )
    assert policy.doubly_robust(40.0 * ones).tolist() == pytest.approx([value])
    assert effective_samples(policy) == pytest.approx(1.0 if logged >= 0.02 else 0.0)
