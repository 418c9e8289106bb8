"""Many visits weighed at once give what each one gives by itself."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from pos_discount.learning import FitOptions, fit_sensitivity
from pos_discount.learning.checkouts import Ladders, Spread, baskets_of, checkouts_of
from pos_discount.learning.evaluation import LEAST_LIKELY
from pos_discount.learning.features import bins_of
from pos_discount.learning.history import Visit
from pos_discount.learning.targets import FIRST_ALONE, always, judge_of, weigh
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
    LadderChoice,
    SensitivityModel,
    Stakes,
    Terms,
    bin_behaviour,
    foresee,
    ladder_distribution,
    prior_model,
)
from pos_discount.sensitivity.best import best_ladders
from pos_discount.sensitivity.stakes import Ladder

from .made_evidence import two_groups

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


@pytest.mark.parametrize("length", [14, 15, 16, 40])
def test_foresight_reaches_to_the_end_of_however_long_a_ladder(model: SensitivityModel, length: int) -> None:
    dice, ladders, terms = np.random.default_rng(6), Ladders(), Terms(40, 1.0)
    stakes, ladder = _stakes(dice, 40), tuple(range(length))
    mix = dice.dirichlet(np.ones(len(model.walk)))
    spread = Spread(np.zeros(1, dtype=np.intp), np.array([ladders.number(ladder)]), np.ones(1))
    told = (baskets_of([stakes], [terms]), model, mix[None], np.zeros(1, dtype=np.intp))
    single = foresee(ladder, stakes, terms, model, Belief(tuple(mix.tolist()), 0))
    for by_draw in (False, True):
        foreseen = foresee_many(spread, ladders.rungs(), *told, by_draw=by_draw)
        assert foreseen[0, 0] == pytest.approx(single.expected_profit[0], rel=1e-5)


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


DEPTHS, PROFITS = (0.03, 0.10, 0.20), (400.0, 300.0, 150.0)
WANTS = {0: 0.4, 1: 0.2, 2: 0.15, 3: 0.25}
"""How many settle for each rung at the least; 3: for none."""
WALKS, LOST = 0.15, 0.4
RECORDED = {(0,): 0.90, (0, 1): 0.06, (0, 2): 0.03, (0, 1, 2): 0.01}


def test_what_is_estimated_is_right_on_average_however_wrong_the_forecast(model: SensitivityModel) -> None:
    candidate = {(0,): 0.2, (0, 1): 0.35, (0, 2): 0.45}
    happened = [(RECORDED[ladder] * chance, visit) for ladder in RECORDED for chance, visit in _endings(ladder)]
    chances, visits = [chance for chance, _ in happened], [visit for _, visit in happened]
    checkouts = checkouts_of(visits, is_prefix_trusted=True)
    spread = always(tuple(candidate.items()), checkouts)
    weighed = weigh(checkouts, spread, [judge_of(model, checkouts)], unknown="worst")
    values = weighed.doubly_robust(np.array([visit.reward for visit in visits]))
    truth = sum(mass * sum(c * visit.reward for c, visit in _endings(ladder)) for ladder, mass in candidate.items())
    assert sum(chances) == pytest.approx(1.0)
    assert np.array(chances) @ values == pytest.approx(truth)


def test_a_rare_ladder_is_no_evidence_however_its_visit_went_unless_rung_1_was_taken(model: SensitivityModel) -> None:
    visits = [visit for ladder in RECORDED for _, visit in _endings(ladder)]
    checkouts = checkouts_of(visits, is_prefix_trusted=True)
    weighed = weigh(checkouts, always(FIRST_ALONE, checkouts), [judge_of(model, checkouts)], unknown="worst")
    took_first = [visit.rung == 1 and visit.said == ((1, "accepted"),) for visit in visits]
    is_rare = [RECORDED[visit.choice.rungs] < LEAST_LIKELY for visit in visits]
    assert checkouts.is_heard.tolist() == [took or not rare for took, rare in zip(took_first, is_rare, strict=True)]
    assert checkouts.likely[took_first].tolist() == pytest.approx([1.0] * sum(took_first))
    assert (weighed.there[~checkouts.is_heard] == 0.0).all()
    assert (checkouts.likely[checkouts.is_heard] >= LEAST_LIKELY).all()


def _endings(ladder: Ladder) -> Iterator[tuple[float, Visit]]:
    """Yield every way in which a visit with a ladder may end, with its chance."""
    still, content = 1.0, 0.0
    for number, rung in enumerate(ladder, start=1):
        declined = tuple((each, "declined") for each in range(1, number))
        accepts = sum(share for want, share in WANTS.items() if want <= rung) - content
        content += accepts
        yield still * accepts, _visit(ladder, "accepted", number, (*declined, (number, "accepted")))
        walks, stays = still * (1.0 - content) * WALKS, still * (1.0 - content) * (1.0 - WALKS)
        if number < len(ladder):
            yield walks, _visit(ladder, "left", None, (*declined, (number, "walked")))
        else:
            yield walks + stays * LOST, _visit(ladder, "left", None, (*declined, (number, "declined")))
            yield stays * (1.0 - LOST), _visit(ladder, "accepted", number, (*declined, (number, "declined")))
        still *= 1.0 - WALKS


def _visit(ladder: Ladder, result: str, rung: int | None, said: tuple[tuple[int, str], ...]) -> Visit:
    earned = 0.0 if rung is None else PROFITS[ladder[rung - 1]]
    choice = LadderChoice(ladder, RECORDED[ladder], (), (), (), (), (), tuple(RECORDED.items()))
    return Visit(
        decision=1,
        sequence=1,
        customer=None,
        store_id="S1",
        till_id=None,
        arm="ladder",
        model_version=None,
        segment_id=None,
        result=result,
        event=None,
        rung=rung,
        satisfaction=None,
        choice=choice,
        stakes=Stakes(DEPTHS, PROFITS, 430.0, 1000.0),
        terms=Terms(3, 15.0),
        behaviour=Behaviour(),
        own_events=(),
        said=said,
        reward=earned - 15.0 * len(said),
    )
