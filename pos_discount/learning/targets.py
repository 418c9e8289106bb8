"""Policies under evaluation: for every checkout, the ladders that a model (or a fixed habit) would have chosen.

Hides how beliefs are formed for many visits at once, and how the columns of off-policy evaluation come about.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from pos_discount.arrays import Bools, Floats, Ints
from pos_discount.learning.cells import cells_of
from pos_discount.learning.checkouts import Checkouts, Spread, joined
from pos_discount.learning.evaluation import Weighed
from pos_discount.learning.history import Visit
from pos_discount.learning.weighing import choose_many, foresee_many, given_refusal
from pos_discount.sensitivity import SensitivityModel
from pos_discount.sensitivity.ladder import Distribution
from pos_discount.sensitivity.model import event_likelihoods

Unknown = Literal["worst", "best"]

FIRST_ALONE: Distribution = (((0,), 1.0),)


class Judge(NamedTuple):
    """A model with its beliefs at N visits: `weights` [N, S] of the segments, and the visits' `cells` [N]."""

    model: SensitivityModel
    weights: Floats
    cells: Ints


def judge_of(model: SensitivityModel, checkouts: Checkouts) -> Judge:
    """Weigh the segments as they would have been weighed when each visit was decided."""
    cells = cells_of(model.tree, checkouts.bins)
    scores = np.log(model.mixes)[cells]
    if checkouts.events:
        scores = scores + checkouts.counts @ np.log([event_likelihoods(model, event) for event in checkouts.events])
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return Judge(model, raised / raised.sum(axis=1, keepdims=True), cells)


def choices_of(judge: Judge, checkouts: Checkouts, chosen: Bools | None = None) -> Spread:
    """Give the ladders that a model would have said at each visit, or at those that are `chosen` [N]."""
    rows = np.arange(len(checkouts)) if chosen is None else np.flatnonzero(chosen)
    return choose_many(checkouts.baskets, judge.model, judge.weights, judge.cells, checkouts.ladders, rows)


def decided_by(judge: Judge, version: str | None, visits: Sequence[Visit], checkouts: Checkouts) -> Spread:
    """Give the same of a model that may have decided some of the visits itself: there, what was recorded.

    `version` None is the prior, which decides wherever learning played no part.
    """
    its_own = (visit.model_version == version and bool(visit.choice.distribution) for visit in visits)
    is_its_own = np.fromiter(its_own, dtype=np.bool_, count=len(visits))
    recorded, chosen = checkouts.logged.at(is_its_own), choices_of(judge, checkouts, ~is_its_own)
    return joined((recorded, chosen))


def always(distribution: Distribution, checkouts: Checkouts) -> Spread:
    """Give the same distribution of ladders to every visit."""
    rows = np.arange(len(checkouts))
    numbers = np.array([checkouts.ladders.number(ladder) for ladder, _ in distribution], dtype=np.intp)
    masses = np.array([mass for _, mass in distribution])
    return Spread(rows.repeat(len(numbers)), np.tile(numbers, len(rows)), np.tile(masses, len(rows)))


def weigh(checkouts: Checkouts, spread: Spread, judges: Sequence[Judge], *, unknown: Unknown) -> Weighed:
    """Make the columns of evaluation for one policy; the first judge foresees rewards.

    Ladders that were hardly possible count as `unknown` says: at the worst, or the best, that any posterior draw of any
    judge foresees of all of them together, given that rung 1 was refused where it was. One draw speaks for all
    checkouts, since only one can be true: the worst at each checkout by itself would add up what cannot be together.
    """
    count, row = len(checkouts), spread.row
    is_possible = checkouts.possible(spread)
    reward = np.empty(len(row))
    reward[is_possible] = _foreseen(spread, is_possible, checkouts, judges[0], by_draw=False)[:, 0]
    if not is_possible.all():
        told = [_foreseen(spread, ~is_possible, checkouts, judge, by_draw=True) for judge in judges]
        by_draw = np.concatenate(told, axis=1)
        in_all = spread.mass[~is_possible] @ by_draw
        reward[~is_possible] = by_draw[:, in_all.argmin() if unknown == "worst" else in_all.argmax()]
    there: Floats = spread.mass * (checkouts.speaks(spread) & checkouts.agreeing(spread))
    return Weighed(
        there=_sums(row, there, count),
        logged=np.where(checkouts.is_heard, checkouts.likely, 1.0),
        direct=_sums(row, spread.mass * reward, count),
        foreseen_there=_sums(row, there * reward, count),
        missing=_sums(row, spread.mass * ~is_possible, count),
    )


def worst_of(visit: Visit) -> float:
    """Give the least that a checkout can earn: everything said, nothing sold; or the deepest rung, where that loses."""
    seconds = visit.terms.offer_cost * visit.terms.max_rungs
    return min(0.0, *visit.stakes.profits, visit.stakes.base_profit) - seconds


def _foreseen(spread: Spread, chosen: Bools, checkouts: Checkouts, judge: Judge, *, by_draw: bool) -> Floats:
    part, rungs, baskets = spread.only(chosen), checkouts.ladders.rungs(), checkouts.baskets
    told = foresee_many(part, rungs, baskets, judge.model, judge.weights, judge.cells, by_draw=by_draw)
    after = checkouts.has_refused[part.row]
    told[after] = given_refusal(told[after], part.row[after], baskets, judge.model, judge.weights, judge.cells)
    return told


def _sums(row: Ints, values: Floats, count: int) -> Floats:
    return np.bincount(row, values, count).astype(np.float64)
