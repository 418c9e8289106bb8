"""Policies under evaluation: for every checkout, the ladders that a model (or a fixed habit) would have chosen.

Hides how beliefs are formed for many visits at once, and how the columns of off-policy evaluation come about.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pos_discount.learning.evaluation import Weighed
from pos_discount.learning.executed import Executed, agrees, mass_of
from pos_discount.learning.history import Visit
from pos_discount.sensitivity import (
    Belief,
    SensitivityModel,
    bin_behaviour,
    foresee,
    ladder_distribution,
    parse_event_code,
)
from pos_discount.sensitivity.events import UNITS_PER_WHOLE
from pos_discount.sensitivity.ladder import Distribution, Ladder
from pos_discount.sensitivity.model import event_likelihoods

Floats = NDArray[np.float64]
Unknown = Literal["worst", "best"]

FIRST_ALONE: Distribution = (((0,), 1.0),)


class Judge(NamedTuple):
    """A model that foresees rewards, with its beliefs at the visits, and what it foresaw so far by ladder."""

    model: SensitivityModel
    beliefs: Sequence[Belief]
    foreseen: Sequence[dict[Ladder, float]]


def judge_of(model: SensitivityModel, visits: Sequence[Visit]) -> Judge:
    """Let a model judge visits."""
    return Judge(model, beliefs_of(model, visits), [{} for _ in visits])


def beliefs_of(model: SensitivityModel, visits: Sequence[Visit]) -> list[Belief]:
    """Weigh the segments as they would have been weighed when each visit was decided."""
    row_by_code: dict[str, Floats] = {}
    with_mixes = np.log(model.mixes)
    beliefs = []
    for visit in visits:
        cell = model.tree.cell_of(bin_behaviour(visit.behaviour))
        scores = with_mixes[cell].copy()
        for code, count in visit.own_events:
            if code not in row_by_code:
                row_by_code[code] = np.log(event_likelihoods(model, parse_event_code(code)))
            scores += count * row_by_code[code]
        raised = np.exp(scores - scores.max())
        beliefs.append(Belief(tuple((raised / raised.sum()).tolist()), cell))
    return beliefs


def choices_of(judge: Judge, visits: Sequence[Visit]) -> Iterator[Distribution]:
    """Give the ladder distribution that a model would have had at each visit."""
    for visit, belief in zip(visits, judge.beliefs, strict=True):
        yield ladder_distribution(visit.stakes, visit.terms, judge.model, belief)


def decided_by(judge: Judge, version: str | None, visits: Sequence[Visit]) -> Iterator[Distribution]:
    """Give the same of a model that may have decided some of the visits itself: there, what was recorded.

    `version` None is the prior, which decides wherever learning played no part.
    """
    for visit, belief in zip(visits, judge.beliefs, strict=True):
        is_its_own = visit.model_version == version
        chosen = visit.choice.distribution if is_its_own else None
        yield chosen or ladder_distribution(visit.stakes, visit.terms, judge.model, belief)


def weigh(
    visits: Sequence[Visit],
    executed: Sequence[Executed],
    distributions: Sequence[Distribution],
    judges: Sequence[Judge],
    *,
    unknown: Unknown,
) -> Weighed:
    """Make the columns of evaluation for one policy; the first judge foresees rewards.

    A ladder that was impossible at a checkout counts there as `unknown` says: at the worst, or the best, that any
    posterior draw of any judge foresees of it, save for what its beginning shares with ladders that were possible.
    """
    columns = np.empty((len(visits), 5))
    for row, (visit, done, distribution) in enumerate(zip(visits, executed, distributions, strict=True)):
        logged = dict(visit.choice.distribution)
        there = direct = foreseen_there = missing = 0.0
        for ladder, mass in distribution:
            if logged.get(ladder, 0.0) > 0.0:
                reward = _foreseen(ladder, visit, judges[0], row)
            else:
                reward = _foreseen_by_all(ladder, visit, judges, row, unknown)
                missing += mass
            direct += mass * reward
            if agrees(ladder, done):
                there += mass
                foreseen_there += mass * reward
        columns[row] = there, mass_of(visit.choice.distribution, done), direct, foreseen_there, missing
    return Weighed(*columns.T)


def worst_of(visit: Visit) -> float:
    """Give the least that a checkout can earn: everything said, nothing sold; or the deepest rung, where that loses."""
    seconds = visit.terms.offer_cost * visit.terms.max_rungs
    return min(0.0, *visit.stakes.profits, visit.stakes.base_profit) - seconds


def _foreseen(ladder: Ladder, visit: Visit, judge: Judge, row: int) -> float:
    told = judge.foreseen[row]
    if ladder not in told:
        told[ladder] = _profit(ladder, visit, judge, row)
    return told[ladder]


def _profit(ladder: Ladder, visit: Visit, judge: Judge, row: int) -> float:
    if not ladder:
        return visit.stakes.base_profit
    return foresee(ladder, visit.stakes, visit.terms, judge.model, judge.beliefs[row]).expected_profit[0]


def _foreseen_by_all(ladder: Ladder, visit: Visit, judges: Sequence[Judge], row: int, unknown: Unknown) -> float:
    if not ladder:
        return visit.stakes.base_profit
    told = [_by_draw(ladder, visit, judge.model, judge.beliefs[row]) for judge in judges]
    return min(float(each.min()) for each in told) if unknown == "worst" else max(float(each.max()) for each in told)


def _by_draw(ladder: Ladder, visit: Visit, model: SensitivityModel, belief: Belief) -> Floats:
    """Foresee a ladder's profit under the point estimate and every posterior draw [1 + M]."""
    weights = np.array(belief.weights)[:, None] * model.mix_ratio_table[belief.cell]
    weights /= weights.sum(axis=0)
    accepted, earned, spoken = np.zeros_like(weights), np.zeros(weights.shape[1]), np.zeros(weights.shape[1])
    for said, rung in enumerate(ladder):
        staying = weights * model.survival_table[:, said]
        spoken += (staying * (1.0 - accepted)).sum(axis=0)
        curve = _curve_at(model, visit.stakes.depths[rung])
        earned += visit.stakes.profits[rung] * (staying * (curve - accepted)).sum(axis=0)
        accepted = curve
    settled = (weights * model.kept_table[:, len(ladder)] * (1.0 - accepted)).sum(axis=0)
    to_base = model.base_share_table
    ending = (1.0 - to_base) * visit.stakes.profits[ladder[-1]] + to_base * visit.stakes.base_profit
    foreseen: Floats = earned + settled * ending - visit.terms.offer_cost * spoken
    return foreseen


def _curve_at(model: SensitivityModel, depth: float) -> Floats:
    """Read all curves [S, 1 + M] at a depth, linear between knots."""
    at = min(depth * UNITS_PER_WHOLE, model.knots[-1])
    right = max(1, int(np.searchsorted((0, *model.knots), at)))
    before = (0, *model.knots)[right - 1]
    share = (at - before) / (model.knots[right - 1] - before)
    curve: Floats = model.table[:, right - 1] + share * model.step_table[:, right - 1]
    return curve
