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
from pos_discount.sensitivity.ladder import Distribution, Ladder
from pos_discount.sensitivity.model import event_likelihoods

Floats = NDArray[np.float64]
Unknown = Literal["worst", "best"]

FIRST_ALONE: Distribution = (((0,), 1.0),)


class Foreseen(NamedTuple):
    """The reward foreseen of ladders at each checkout, by ladder."""

    by_ladder: tuple[dict[Ladder, float], ...]


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


def choices_of(model: SensitivityModel, visits: Sequence[Visit]) -> Iterator[tuple[Belief, Distribution]]:
    """Give belief and ladder distribution that a model would have had at each visit."""
    for visit, belief in zip(visits, beliefs_of(model, visits), strict=True):
        yield belief, ladder_distribution(visit.stakes, visit.terms, model, belief)


def weigh(
    visits: Sequence[Visit],
    executed: Sequence[Executed],
    distributions: Sequence[Distribution],
    judge: SensitivityModel,
    beliefs: Sequence[Belief],
    *,
    unknown: Unknown,
) -> Weighed:
    """Make the columns of evaluation for one policy; `judge` foresees rewards, `beliefs` are the judge's.

    A ladder that was impossible at a checkout counts there as `unknown` says: at the worst a lost sale after all was
    said, at the best a sale at the smallest rung.
    """
    columns = np.empty((len(visits), 5))
    for row, (visit, done, distribution, belief) in enumerate(
        zip(visits, executed, distributions, beliefs, strict=True)
    ):
        logged = dict(visit.choice.distribution)
        there = direct = foreseen_there = missing = 0.0
        for ladder, mass in distribution:
            if logged.get(ladder, 0.0) > 0.0:
                reward = _foreseen(ladder, visit, judge, belief)
            else:
                reward = worst_of(visit) if unknown == "worst" else best_of(visit)
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


def best_of(visit: Visit) -> float:
    """Give the most that a checkout can earn: a sale at the best rung, after one sentence."""
    return max(*visit.stakes.profits, 0.0) - visit.terms.offer_cost


def _foreseen(ladder: Ladder, visit: Visit, judge: SensitivityModel, belief: Belief) -> float:
    if not ladder:
        return visit.stakes.base_profit
    return foresee(ladder, visit.stakes, visit.terms, judge, belief).expected_profit[0]
