"""What a choice of rungs is about: what a basket has at stake, and what the house wants."""

from typing import Literal

import msgspec

Ladder = tuple[int, ...]
"""The rungs that are named, by their place in the stakes, smallest first."""

HoldoutLadder = Literal["full", "first", "none"]


class Stakes(msgspec.Struct, frozen=True):
    """What a basket has: each rung's depth (share of the base) and gross profit, and the base's, in minor units."""

    depths: tuple[float, ...]
    profits: tuple[float, ...]
    base_profit: float
    base_total: float


class Terms(msgspec.Struct, frozen=True):
    """What the house wants: most rungs, minor units that saying one costs, price on a rewarded refusal, the floor."""

    max_rungs: int
    offer_cost: float
    refusal_price: float = 0.03
    exploration: float = 0.02
    holdout_ladder: HoldoutLadder = "full"
