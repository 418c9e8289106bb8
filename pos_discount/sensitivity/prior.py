"""The model that serves before anything is learned: segments assumed in words and numbers, and draws around them."""

import random
from collections.abc import Sequence

import msgspec
import numpy as np

from pos_discount.sensitivity.events import KNOTS
from pos_discount.sensitivity.model import CellTree, ModelCard, SensitivityModel

PRIOR_BASE_SHARE = 0.3
PRIOR_STRENGTH = 12.0
"""The prior weighs as much as this many customers seen, in each of its segments."""

PRIOR_DRAWS = 32
PRIOR_DRAW_STRENGTH = 400.0
"""How narrow the prior's draws are: the floor explores already, and on the first days ten times as much as later."""


class PriorSegment(msgspec.Struct, frozen=True):
    """A segment as it is assumed before anything is learned: its share of all visits, and the chances that somebody
    in it asks for a discount, and buys on promotion what makes up at least 40 % of the past baskets (`deals`)."""

    name: str
    share: float
    asks: float
    deals: float
    walk: float
    loss: float
    curve: tuple[float, ...]


PRIOR_SEGMENTS: tuple[PriorSegment, ...] = (
    PriorSegment(
        "content", 0.22, 0.10, 0.25, 0.06, 0.15,
        (0.30, 0.45, 0.60, 0.70, 0.78, 0.83, 0.87, 0.90, 0.92, 0.94, 0.96, 0.97, 0.98, 0.98),
    ),
    PriorSegment(
        "moderate", 0.24, 0.25, 0.45, 0.12, 0.35,
        (0.05, 0.10, 0.18, 0.26, 0.42, 0.55, 0.66, 0.74, 0.80, 0.88, 0.92, 0.94, 0.96, 0.97),
    ),
    PriorSegment(
        "hunting", 0.30, 0.55, 0.75, 0.12, 0.65,
        (0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.17, 0.24, 0.32, 0.50, 0.66, 0.78, 0.86, 0.90),
    ),
    PriorSegment(
        "bluffing", 0.13, 0.45, 0.50, 0.06, 0.12,
        (0.02, 0.04, 0.07, 0.10, 0.18, 0.27, 0.36, 0.46, 0.55, 0.70, 0.78, 0.85, 0.90, 0.92),
    ),
    PriorSegment(
        "hurried", 0.11, 0.15, 0.35, 0.40, 0.55,
        (0.10, 0.18, 0.28, 0.38, 0.50, 0.58, 0.65, 0.71, 0.76, 0.83, 0.87, 0.90, 0.93, 0.95),
    ),
)  # fmt: skip


def prior_model() -> SensitivityModel:
    """Build the model that serves where nothing is learned: PRIOR_SEGMENTS, told apart by who asks and buys deals.

    Its draws are Dirichlets around the curves and mixes and Betas around the rates, each as strong as
    PRIOR_DRAW_STRENGTH customers, from a fixed seed: the same draws on every machine and in every process. It names
    no segments.
    """
    dice = random.Random(20_261_121)
    mixes = prior_mixes()
    draws = [[_prior_draw(segment, dice) for segment in PRIOR_SEGMENTS] for _ in range(PRIOR_DRAWS)]
    return SensitivityModel(
        curves=np.array([segment.curve for segment in PRIOR_SEGMENTS]),
        walk=np.array([segment.walk for segment in PRIOR_SEGMENTS]),
        loss=np.array([segment.loss for segment in PRIOR_SEGMENTS]),
        mixes=np.array(mixes),
        draw_curves=np.array([[curve for curve, _, _ in draw] for draw in draws]),
        draw_walk=np.array([[walk for _, walk, _ in draw] for draw in draws]),
        draw_loss=np.array([[loss for _, _, loss in draw] for draw in draws]),
        draw_mixes=np.array([[_drawn_shares(mix, dice) for mix in mixes] for _ in range(PRIOR_DRAWS)]),
        draw_base_share=np.array([_drawn_rate(PRIOR_BASE_SHARE, dice) for _ in range(PRIOR_DRAWS)]),
        base_share=PRIOR_BASE_SHARE,
        tree=PRIOR_TREE,
        segments=(),
        segment_of=(0,) * len(PRIOR_SEGMENTS),
        card=ModelCard(kind="prior", notes=_prior_statement()),
    )


PRIOR_TREE = CellTree(
    feature=(1, 0, 0, 0, -1, 0, -1, -1, -1, -1, -1),
    threshold=(1, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0),
    left=(1, 3, 5, 7, 0, 9, 0, 0, 0, 0, 0),
    right=(2, 4, 6, 8, 0, 10, 0, 0, 0, 0, 0),
    cell=(0, 0, 0, 0, 2, 0, 5, 0, 1, 3, 4),
)
"""Cells 0 to 2 do not ask for a discount, 3 to 5 do; of each, the share bought on promotion is unknown, low, high."""


def prior_mixes() -> tuple[tuple[float, ...], ...]:
    """Give the assumed shares of the prior's segments in each cell of PRIOR_TREE; asking and buying deals are taken
    as independent within a segment."""
    mixes = []
    for is_asking in (False, True):
        asking = [_chance(segment.asks, is_asking) * segment.share for segment in PRIOR_SEGMENTS]
        mixes.append(asking)
        for is_high in (False, True):
            pairs = zip(asking, PRIOR_SEGMENTS, strict=True)
            mixes.append([share * _chance(segment.deals, is_high) for share, segment in pairs])
    return tuple(tuple(share / sum(mix) for share in mix) for mix in mixes)


def _chance(chance: float, is_so: bool) -> float:
    return chance if is_so else 1.0 - chance


def _prior_draw(segment: PriorSegment, dice: random.Random) -> tuple[list[float], float, float]:
    steps = [here - before for here, before in zip((*segment.curve, 1.0), (0.0, *segment.curve), strict=True)]
    reached, curve = 0.0, []
    for step in _drawn_shares(steps, dice)[:-1]:
        reached += step
        curve.append(round(min(reached, 1.0), 9))
    return curve, _drawn_rate(segment.walk, dice), _drawn_rate(segment.loss, dice)


def _drawn_shares(shares: Sequence[float], dice: random.Random) -> list[float]:
    gammas = [dice.gammavariate(max(PRIOR_DRAW_STRENGTH * share, 0.01), 1.0) + 1e-9 for share in shares]
    return [gamma / sum(gammas) for gamma in gammas]


def _drawn_rate(rate: float, dice: random.Random) -> float:
    return round(dice.betavariate(PRIOR_DRAW_STRENGTH * rate, PRIOR_DRAW_STRENGTH * (1.0 - rate)), 9)


def _prior_statement() -> tuple[str, ...]:
    """State the assumption in words, a line for each segment."""
    lines = [f"Nothing is learned yet; assumed is, with the weight of {PRIOR_STRENGTH:g} customers in each group:"]
    for segment in PRIOR_SEGMENTS:
        points = ", ".join(
            f"{knot / 4:g} %: {share:.2f}" for knot, share in zip(KNOTS, segment.curve, strict=True) if knot % 20 == 0
        )
        lines.append(
            f"{segment.share:.0%} are {segment.name}, {segment.asks:.0%} of whom ask and {segment.deals:.0%} buy much "
            f"on promotion: {segment.walk:.0%} walk after a refusal, {segment.loss:.0%} are lost where we stop; share "
            f"who settle for a depth or less: {points}."
        )
    return (*lines, f"Of those who buy when we stop, {PRIOR_BASE_SHARE:.0%} pay the base.")
