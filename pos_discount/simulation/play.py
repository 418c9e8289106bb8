"""Play a world: every checkout is decided, reacted to, reported and, every so often, slept on.

A seller is anything that recommends a ladder and may learn from what the till reports. The score is the true expected
profit of what was recommended; what is reported may be jumped over by the cashier, or wrong, as the world has it.
"""

import hashlib
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pos_discount.arrays import Bools, Floats, Ints
from pos_discount.basket import Reaction, Result
from pos_discount.sensitivity import Event, event_from_outcome
from pos_discount.simulation.shoppers import Ladder, Played, play
from pos_discount.simulation.worlds import DEPTHS, GREED_LEVELS, World

OFFERED_TO_HOLDOUT = 3


@dataclass(frozen=True, slots=True)
class Recommended:
    """A ladder as rungs of the world's depths, and what was foreseen: acceptance of rung 1 and a sale at all."""

    ladder: Ladder
    acceptance: float | None = None
    sale: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What the till reports of one checkout; offers are (position in the ladder from 1, reaction)."""

    result: Result
    rung: int | None
    offers: tuple[tuple[int, Reaction], ...]


class Seller(Protocol):
    """Recommends ladders and learns from reports."""

    name: str

    def recommend(self, checkout: int) -> Recommended:
        """Recommend a ladder for a checkout."""

    def learn(self, checkout: int, ladder: Ladder, report: Report, event: Event | None, earned: float) -> None:
        """Take in what the till reported of a ladder, read as an event, and what was earned (minor units)."""

    def sleep(self, night: int) -> None:
        """Do the nightly job."""


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """How a seller fared, per checkout [N]: true profit of the recommended ladder and of the oracle's, rungs spoken
    in expectation, whether in the hold-out, what was foreseen (nan: nothing) and what was true.
    """

    seller: str
    ladder: Ints
    profit: Floats
    oracle: Floats
    spoken: Floats
    is_holdout: Bools
    foreseen: Floats
    true: Floats
    kind: Ints


def play_world(world: World, seller: Seller) -> Course:
    """Play all checkouts of a world with one seller, from the first on."""
    count = world.plan.checkouts
    place_by_ladder = {ladder: place for place, ladder in enumerate(world.odds.ladders)}
    course = Course(
        seller=seller.name,
        ladder=np.zeros(count, dtype=np.intp),
        profit=np.zeros(count),
        oracle=np.zeros(count),
        spoken=np.zeros(count),
        is_holdout=holdout_of(world),
        foreseen=np.full((count, 2), np.nan),
        true=np.zeros((count, 2)),
        kind=world.kind.copy(),
    )
    greed: dict[int, int] = {}
    for checkout in range(count):
        kind = int(world.kind[checkout]) + greed.get(int(world.customer[checkout]), 0)
        recommended = seller.recommend(checkout)
        _note(course, world, checkout, kind, recommended, place_by_ladder[recommended.ladder])
        ladder = tuple(range(OFFERED_TO_HOLDOUT)) if course.is_holdout[checkout] else recommended.ladder
        played = _played(world, checkout, kind, ladder)
        report = _reported(world, checkout, ladder, played)
        event = event_from_outcome(report.result, report.rung, report.offers, tuple(DEPTHS[rung] for rung in ladder))
        seller.learn(checkout, ladder, report, event, _earned(world, checkout, played))
        if world.plan.is_strategic and world.customer[checkout] >= 0:
            _change_greed(greed, int(world.customer[checkout]), played)
        if (checkout + 1) % world.plan.night_every == 0:
            seller.sleep((checkout + 1) // world.plan.night_every)
    return course


def holdout_of(world: World) -> Bools:
    """Say which checkouts [N] are in the hold-out: by a hash of the customer, or of the checkout where anonymous."""
    names = [f"c{owner}" if owner >= 0 else f"v{visit}" for visit, owner in enumerate(world.customer.tolist())]
    return np.array([_share_of_hash(name) < world.plan.holdout for name in names])


def _note(course: Course, world: World, checkout: int, kind: int, recommended: Recommended, place: int) -> None:
    profits = world.profits(checkout, kind)
    course.ladder[checkout] = place
    course.profit[checkout] = profits[place]
    course.oracle[checkout] = profits.max()
    course.spoken[checkout] = world.odds.spoken[kind, place]
    course.true[checkout] = world.odds.first_sale[kind, place], world.odds.sale[kind, place]
    course.kind[checkout] = kind
    if recommended.acceptance is not None and recommended.sale is not None:
        course.foreseen[checkout] = recommended.acceptance, recommended.sale


def _played(world: World, checkout: int, kind: int, ladder: Ladder) -> Played:
    """Let the shopper react; a disobedient cashier jumps to the ladder's last rung."""
    dice = world.dice[checkout]
    jumps = dice[0] < world.plan.disobedient
    return play(world.kinds, kind, ladder[-1:] if jumps else ladder, DEPTHS, dice[2:].tolist())


def _reported(world: World, checkout: int, ladder: Ladder, played: Played) -> Report:
    """Write what the till sends; some reports are wrong, as the world has it."""
    lie = world.dice[checkout][1] / world.plan.misreported if world.plan.misreported else 1.0
    return _misreported(lie, ladder, played) if lie < 1.0 else report_of(ladder, played)


def report_of(ladder: Ladder, played: Played) -> Report:
    """Write what a till can see of a visit: after the last rung a walk and a loss look the same."""
    said = [ladder.index(rung) + 1 for rung in played.said]
    declined = _declined(ladder, played)
    if played.ending == "accepted":
        return Report("accepted", said[-1], (*declined[:-1], (said[-1], "accepted")))
    if played.ending == "settled":
        return Report("accepted", said[-1], declined)
    if played.ending == "walked" and said[-1] < len(ladder):
        return Report("left", None, (*declined[:-1], (said[-1], "walked")))
    return Report("left", None, declined)


def _declined(ladder: Ladder, played: Played) -> tuple[tuple[int, Reaction], ...]:
    return tuple((ladder.index(rung) + 1, "declined") for rung in played.said)


def _misreported(lie: float, ladder: Ladder, played: Played) -> Report:
    """Report something else: the first rung said as accepted (half the time), the base, or that they left."""
    declined = _declined(ladder, played)
    if lie < 0.5:
        return Report("accepted", declined[0][0], ((declined[0][0], "accepted"),))
    return Report("bought_at_base" if lie < 0.75 else "left", None, declined)


def _earned(world: World, checkout: int, played: Played) -> float:
    from_offers = -15.0 * len(played.said)
    if played.ending in ("walked", "lost"):
        return from_offers
    return from_offers + float(world.value[checkout] * (world.margin[checkout] - DEPTHS[played.said[-1]]))


def _change_greed(greed: dict[int, int], customer: int, played: Played) -> None:
    """A refusal that was rewarded makes greedier, one that was not less so; a plain acceptance changes nothing."""
    if played.ending == "accepted" and len(played.said) == 1:
        return
    is_rewarded = played.ending in ("accepted", "settled") and len(played.said) > 1
    level = greed.get(customer, 0) + (1 if is_rewarded else -1)
    greed[customer] = max(-(GREED_LEVELS // 2), min(GREED_LEVELS // 2, level))


def _share_of_hash(name: str) -> float:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64
