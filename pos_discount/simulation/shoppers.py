"""Shoppers: what somebody wants on a visit, how they react to a rung, and what a ladder truly earns with them.

A kind of shopper has a distribution of wanted depths (support points and weights), a chance to walk after a refusal
and a chance to be lost when we stop; both may grow with the gap between what is wanted and what was said, and what
is wanted may grow with every refusal (anchoring). The truth is summed over the support points, so the worth of a
ladder is exact and needs no dice. Many kinds are kept in one set of arrays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from pos_discount.arrays import Floats

Ladder = tuple[int, ...]
Ending = Literal["accepted", "settled", "walked", "lost"]


@dataclass(frozen=True, slots=True, eq=False)
class Kinds:
    """N kinds of shoppers: `wanted` and `weight` [N, P], `walk` and `loss` [N]; slopes and anchor for all of them.

    A depth is wanted as a share of the base; infinity never accepts. After n refusals the wanted depth is
    `wanted * (1 + anchor * n)`; per unit of gap (at most one) walking and losing grow by the slopes.
    """

    wanted: Floats
    weight: Floats
    walk: Floats
    loss: Floats
    anchor: float = 0.0
    walk_slope: float = 0.0
    loss_slope: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Odds:
    """What every ladder brings with every kind [N, ladders]: chance of a sale, mean depth given, rungs spoken.

    `first_sale` [N, ladders] is the chance that rung 1 is accepted at once.
    """

    ladders: tuple[Ladder, ...]
    sale: Floats
    depth: Floats
    spoken: Floats
    first_sale: Floats


@dataclass(frozen=True, slots=True)
class Played:
    """How one visit went: the rungs said in order, and how it ended. `walked` and `lost` buy nothing."""

    said: Ladder
    ending: Ending


def all_ladders(rungs: int, max_rungs: int) -> tuple[Ladder, ...]:
    """List every ladder that begins with rung 0, rises and has at most `max_rungs`."""
    return tuple((0, *rest) for size in range(max_rungs) for rest in combinations(range(1, rungs), size))


def odds_of(kinds: Kinds, depths: Sequence[float], max_rungs: int) -> Odds:
    """Sum what every ladder brings with every kind, exactly."""
    ladders = all_ladders(len(depths), max_rungs)
    columns = [_odds_of_ladder(kinds, [depths[rung] for rung in ladder]) for ladder in ladders]
    sale, depth, spoken, first = (np.stack(column, axis=1) for column in zip(*columns, strict=True))
    return Odds(ladders, sale, depth, spoken, first)


def play(kinds: Kinds, kind: int, ladder: Ladder, depths: Sequence[float], dice: Sequence[float]) -> Played:
    """Play one visit on a ladder; `dice` are uniform: the first draws the want, the next two each walk or loss."""
    drawn = int(np.searchsorted(np.cumsum(kinds.weight[kind]), dice[0], side="right"))
    base_want = float(kinds.wanted[kind, min(drawn, kinds.wanted.shape[1] - 1)])
    for said, rung in enumerate(ladder):
        want = base_want * (1.0 + kinds.anchor * said)
        if depths[rung] >= want - 1e-9:
            return Played(ladder[: said + 1], "accepted")
        gap = min(want - depths[rung], 1.0)
        if dice[1 + said] < min(kinds.walk[kind] + kinds.walk_slope * gap, 1.0):
            return Played(ladder[: said + 1], "walked")
    gap = min(base_want * (1.0 + kinds.anchor * (len(ladder) - 1)) - depths[ladder[-1]], 1.0) if ladder else 0.0
    is_lost = dice[-1] < min(kinds.loss[kind] + kinds.loss_slope * gap, 1.0)
    return Played(ladder, "lost" if is_lost else "settled")


def _odds_of_ladder(kinds: Kinds, depths: list[float]) -> tuple[Floats, Floats, Floats, Floats]:
    alive = kinds.weight.copy()
    sale, given, spoken = (np.zeros(len(alive)) for _ in range(3))
    first = np.zeros(len(alive))
    gap = np.zeros_like(alive)
    for said, depth in enumerate(depths):
        want = kinds.wanted * (1.0 + kinds.anchor * said)
        spoken += alive.sum(axis=1)
        accepts = depth >= want - 1e-9
        bought = (alive * accepts).sum(axis=1)
        first = bought if said == 0 else first
        sale, given = sale + bought, given + bought * depth
        gap = np.minimum(want - depth, 1.0)
        walks = np.minimum(kinds.walk[:, None] + kinds.walk_slope * gap, 1.0)
        alive = alive * ~accepts * (1.0 - walks)
    lost = np.minimum(kinds.loss[:, None] + kinds.loss_slope * gap, 1.0)
    settled = (alive * (1.0 - lost)).sum(axis=1)
    return sale + settled, given + settled * depths[-1], spoken, first
