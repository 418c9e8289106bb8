"""Which ladder earns most, for the point estimate and every posterior draw at once.

A ladder's expected profit is a sum over neighbouring rungs. Where there are few ladders, as at a till, all are listed
once and their sums compared; where there are many, a dynamic program over (rungs said, last rung) finds the same.
What costs time is the number of calls to numpy, hardly the size of their arrays: 10 rungs have 130 ladders.
Sums run in a fixed order (no BLAS), so the same inputs give the same bytes.
"""

from functools import cache, lru_cache
from itertools import combinations, pairwise
from math import comb
from typing import NamedTuple

import numpy as np

from pos_discount.arrays import Floats, Ints
from pos_discount.sensitivity.events import MOST_REFUSALS
from pos_discount.sensitivity.model import Belief, SensitivityModel
from pos_discount.sensitivity.stakes import Ladder, Stakes, Terms

Path = tuple[int, ...]
"""The rungs after rung 1; who stops before the end says 0 from there on."""
Places = Ints

LEAST_GAIN = 1e-12
"""A longer ladder must be better by more than this share of the base."""

MOST_LISTED = 500
"""Ladders up to which all are compared; the dynamic program is quicker beyond."""

BELIEFS_KEPT = 256
"""Beliefs whose fates are kept: all who are new or unknown share their cell's, and a basket is often asked for anew."""


def best_ladders(stakes: Stakes, terms: Terms, model: SensitivityModel, belief: Belief) -> tuple[Ladder, ...]:
    """Give the most profitable ladder under the point estimate (first) and under each of the M posterior draws.

    Exact for ladders of up to MOST_REFUSALS rungs, whatever the house allows: what comes of more refusals no model
    knows. Of equal ladders the shorter, then the shallower wins. Equal means within LEAST_GAIN of the base: less is
    beyond what one platform's arithmetic shares with another's.
    """
    longest = min(terms.max_rungs, len(stakes.depths), MOST_REFUSALS)
    worth = _worth(stakes, terms, longest, model, belief)
    listed = _listed(len(stakes.depths), longest)
    return _best_by_stages(worth) if listed is None else _best_of(listed, worth)


class _Worth(NamedTuple):
    """What a ladder's parts are worth, in minor units per customer, [n - 1, rung, draw] after n rungs are said.

    `stop` is earned by stopping at a rung. To go on from rung i to rung j earns `refusing[i] * to_next[j] - missed[j]`:
    those who refused all up to i and stayed hear j, and of them those who refuse it too do not take it. `to_next` is
    [rung, 1]; there are neither `refusing` nor `missed` after the last. A rung that is not said is worth `least_gain`.
    """

    stop: Floats
    refusing: Floats
    missed: Floats
    to_next: Floats
    least_gain: float


def _worth(stakes: Stakes, terms: Terms, longest: int, model: SensitivityModel, belief: Belief) -> _Worth:
    refusing = _refusing(stakes.depths, longest, model, belief)
    gains = np.array(stakes.profits, dtype=np.float64)[:, None]
    gains[1:] -= terms.refusal_price * stakes.base_total  # where nothing was refused there is no price on it
    earned = (gains - stakes.base_profit) * model.rung_share_table
    earned += stakes.base_profit
    to_next = gains - terms.offer_cost
    least_gain = LEAST_GAIN * stakes.base_total
    return _Worth(refusing[::2] * earned, refusing[1::2], refusing[1::2] * gains, to_next, least_gain)


def _refusing(depths: tuple[float, ...], longest: int, model: SensitivityModel, belief: Belief) -> Floats:
    """Sum over segments who wants more than each rung's depth [fate, rung, draw]; fates as in `_fates`."""
    at = np.array(depths)
    lines = model.refusal_lines.take(model.line_ends.searchsorted(at), axis=2)
    curves = lines[1] * at[:, None]
    curves += lines[0]
    fates = _fates(longest, model, belief)
    refusing = np.empty((2 * longest - 1, *curves.shape[1:]))
    # By draw, over segments: the draws lie closest, so this is no BLAS call and its sums keep their order.
    np.matmul(fates, curves.transpose(2, 0, 1), out=refusing.transpose(2, 0, 1))
    return refusing


@lru_cache(maxsize=BELIEFS_KEPT)
def _fates(longest: int, model: SensitivityModel, belief: Belief) -> Floats:
    """Weigh what becomes of a segment's customers after n refusals [draw, fate, segment]: by turns, from n = 1 on, who
    is kept when we then stop and who stays.

    The belief of a draw is the point's, moved by how the draw sees the cell's mix; its weights need not sum to 1, as
    that makes all its ladders dearer alike.
    """
    weights = model.mix_ratio_table[belief.cell].T * np.array(belief.weights)
    fates: Floats = weights[:, None] * model.fate_table[:, : 2 * longest - 1]
    return fates


class _Listed(NamedTuple):
    """Every ladder, and the parts of which its worth is the sum [longest, ladder]: places in what `_best_of` lines up,
    stops first, a rung unsaid, then steps. A step goes from `lasts` to `nexts`, places among (rungs said, rung), and
    `next_rungs`."""

    ladders: tuple[Ladder, ...]
    parts: Places
    lasts: Places
    nexts: Places
    next_rungs: Places


@cache
def _listed(rungs: int, longest: int) -> _Listed | None:
    """List all ladders among so many rungs, the shorter and then the shallower first; None if there are too many."""
    if sum(comb(rungs - 1, size) for size in range(longest)) > MOST_LISTED:
        return None
    ladders = [(0, *rest) for size in range(longest) for rest in combinations(range(1, rungs), size)]
    place_by_step: dict[tuple[int, int, int], int] = {}
    parts = []
    for ladder in ladders:
        steps = [(said, last, following) for said, (last, following) in enumerate(pairwise(ladder))]
        for step in steps:
            place_by_step.setdefault(step, longest * rungs + 1 + len(place_by_step))
        stop = (len(ladder) - 1) * rungs + ladder[-1]
        unsaid = [longest * rungs] * (longest - len(ladder))
        parts.append([stop, *(place_by_step[step] for step in steps), *unsaid])
    said, last, following = np.array(list(place_by_step), dtype=np.intp).reshape(-1, 3).T
    return _Listed(
        tuple(ladders), np.array(parts).T.copy(), said * rungs + last, said * rungs + following, following.copy()
    )


def _best_of(listed: _Listed, worth: _Worth) -> tuple[Ladder, ...]:
    """Sum up every ladder's parts and take the first of the best, by draw."""
    longest, rungs, draws = worth.stop.shape
    stops = longest * rungs
    parts = np.empty((stops + 1 + len(listed.lasts), draws))
    parts[:stops] = worth.stop.reshape(-1, draws)
    parts[stops] = worth.least_gain
    steps = parts[stops + 1 :]
    np.multiply(
        worth.refusing.reshape(-1, draws).take(listed.lasts, axis=0),
        worth.to_next.take(listed.next_rungs, axis=0),
        out=steps,
    )
    steps -= worth.missed.reshape(-1, draws).take(listed.nexts, axis=0)
    best = np.add.reduce(parts.take(listed.parts, axis=0)).argmax(axis=0)
    return tuple([listed.ladders[place] for place in best.tolist()])


def _best_by_stages(worth: _Worth) -> tuple[Ladder, ...]:
    """Solve the dynamic program from the last rung back: per stage, each next rung by each last [next, last, draw]."""
    value, stages = worth.stop[-1], []
    for said in range(len(worth.stop) - 2, -1, -1):
        lasts = worth.refusing[said] if said else worth.refusing[said, :1]  # the first is always rung 1
        stage = lasts * worth.to_next[:, None]
        stage += (value - worth.missed[said])[:, None]
        if said:
            stage += _not_deeper(*lasts.shape)
        unsaid = len(worth.stop) - 1 - said
        # Rung 1 follows no rung, so its place is free for stopping.
        stage[0] = worth.stop[said, : len(lasts)] + unsaid * worth.least_gain
        stages.append(stage)
        value = np.maximum.reduce(stage)
    paths = _walk_forward(stages[::-1], worth.stop.shape[2])
    return tuple([(0, *[rung for rung in path if rung]) for path in paths])


@cache
def _not_deeper(rungs: int, draws: int) -> Floats:
    """Give what forbids to go from a rung to one that is no deeper, and from rung 1 where more than it was said: who
    stands there has stopped [next rung, last rung, draw]: -inf, else 0."""
    is_forbidden = np.tri(rungs, dtype=bool).T
    is_forbidden[:, 0] = True
    return np.repeat(np.where(is_forbidden, -np.inf, 0.0)[:, :, None], draws, axis=2)


def _walk_forward(stages: list[Floats], draws: int) -> list[Path]:
    """Follow each draw from rung 1 to whatever next is worth most [next rung, last rung, draw], until that is to
    stop, at next rung 0; the first of equals is taken."""
    following, every_draw = np.zeros(draws, dtype=np.intp), np.arange(draws)
    said = []
    for stage in stages:
        following = stage[:, following, every_draw].argmax(axis=0)
        said.append(following.tolist())
    return list(zip(*said, strict=True))
