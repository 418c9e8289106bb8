"""Which rungs to name on one basket, and with what probability they were chosen.

Only "refused and stayed" continues a ladder, so the best adaptive policy is an increasing sequence of rungs that
begins with the smallest. `best` finds it exactly, for every posterior draw at once. A ladder's probability is the
share of draws in which it wins, mixed with a floor on three named ladders; the seed picks one.
Source of the sampling: Thompson (1933); of the named floor: safe exploration for off-policy evaluation.
"""

import hashlib
from bisect import bisect_left
from collections import Counter
from functools import cache, lru_cache

import msgspec

from pos_discount.basket import Arm
from pos_discount.sensitivity.best import best_ladders
from pos_discount.sensitivity.events import UNITS_PER_WHOLE
from pos_discount.sensitivity.model import Belief, SensitivityModel
from pos_discount.sensitivity.stakes import HoldoutLadder, Ladder, Stakes, Terms

Distribution = tuple[tuple[Ladder, float], ...]

MOST_WEIGHED = 32
"""Rungs among which the best ladder is sought: its time grows with their square, its worth hardly."""

FLOOR_SHARES = (0.90, 0.06, 0.04)
"""How the named ladders share the floor: most to what every candidate is compared with; the hold-out says its own
ladder anyway, and the deepest rung is dear."""

CAUTIOUS_FLOOR = 0.10
CAUTIOUS_UNTIL = 5_000.0
"""Until a model has this many effective samples, the floor is at least CAUTIOUS_FLOOR."""


class LadderChoice(msgspec.Struct, frozen=True):
    """The chosen ladder and all that later needs to be known of how it was chosen.

    `rungs` index the stakes. Per named rung: `acceptance` given that the earlier ones were refused and the customer
    stayed; `expected_profit` (minor units) of going on from there; `spoken` the chance to come that far.
    `propensity` is the ladder's probability, `prefix_propensities[i]` that of all ladders that begin with its first
    i + 1 rungs, `stop_propensities[i]` that of the ladder that ends there. `distribution` has every ladder that could
    have been chosen; `sale` is the chance that something is bought in the end.
    """

    rungs: Ladder
    propensity: float
    prefix_propensities: tuple[float, ...]
    stop_propensities: tuple[float, ...]
    acceptance: tuple[float, ...]
    spoken: tuple[float, ...]
    expected_profit: tuple[float, ...]
    distribution: Distribution
    sale: float = 1.0


def choose_ladder(
    stakes: Stakes, terms: Terms, model: SensitivityModel, belief: Belief, *, arm: Arm, seed: str
) -> LadderChoice:
    """Choose the ladder for one basket: by the model in arm `ladder`, the house's fixed one in arm `holdout`."""
    distribution = (
        ladder_distribution(stakes, terms, model, belief)
        if arm == "ladder"
        else ((holdout_ladder(len(stakes.depths), terms), 1.0),)
    )
    rungs = _drawn(distribution, seed)
    foreseen = foresee(rungs, stakes, terms, model, belief)
    mass_by_ladder = dict(distribution)
    prefixes = [rungs[: i + 1] for i in range(len(rungs))]
    return LadderChoice(
        rungs=rungs,
        propensity=round(mass_by_ladder[rungs], 9),
        prefix_propensities=(1.0,) * len(rungs[:1]) + tuple([_mass_from(each, distribution) for each in prefixes[1:]]),
        stop_propensities=tuple([round(mass_by_ladder.get(each, 0), 9) for each in prefixes]),
        acceptance=foreseen.acceptance,
        spoken=foreseen.spoken,
        expected_profit=foreseen.expected_profit,
        distribution=distribution,
        sale=foreseen.sale,
    )


def ladder_distribution(stakes: Stakes, terms: Terms, model: SensitivityModel, belief: Belief) -> Distribution:
    """Give every ladder that may be chosen in arm `ladder`, with its exact probability; they sum to 1."""
    if len(stakes.depths) <= 1 or terms.max_rungs <= 1:
        return ((tuple(range(min(len(stakes.depths), terms.max_rungs, 1))), 1.0),)
    floor, wins = exploration_floor(terms, model), _wins(stakes, terms, model, belief)
    named = dict(named_ladders(len(stakes.depths), terms)) if floor > 0.0 else {}
    draws, ladders = sum(wins.values()), sorted({**wins, **named})
    return tuple([(each, _mass(wins.get(each, 0), draws, floor, named.get(each, 0.0))) for each in ladders])


def exploration_floor(terms: Terms, model: SensitivityModel) -> float:
    """Give the share of decisions that the named ladders have between them, however little they promise: what the
    house wants, and at least CAUTIOUS_FLOOR until the model rests on CAUTIOUS_UNTIL effective samples."""
    if model.card.effective_samples < CAUTIOUS_UNTIL:
        return max(terms.exploration, CAUTIOUS_FLOOR)
    return terms.exploration


def _wins(stakes: Stakes, terms: Terms, model: SensitivityModel, belief: Belief) -> dict[Ladder, int]:
    """Count in how many posterior draws each ladder is best."""
    weighed = _weighed_rungs(len(stakes.depths))
    won = Counter(best_ladders(_only(stakes, weighed), terms, model, belief)[1:])
    if len(weighed) == len(stakes.depths):
        return won
    return {tuple([weighed[rung] for rung in ladder]): wins for ladder, wins in won.items()}


@lru_cache(maxsize=4096)
def _mass(wins: int, draws: int, floor: float, share: float) -> float:
    """Mix a ladder's wins with its share of the floor. Kept, as few differ and rounding takes its time."""
    return round((1.0 - floor) * wins / draws + floor * share, 12)


@cache
def _weighed_rungs(count: int) -> tuple[int, ...]:
    """List the rungs that are weighed: all, or MOST_WEIGHED spread evenly with the first and the last."""
    if count <= MOST_WEIGHED:
        return tuple(range(count))
    return tuple(round(place * (count - 1) / (MOST_WEIGHED - 1)) for place in range(MOST_WEIGHED))


def _only(stakes: Stakes, rungs: tuple[int, ...]) -> Stakes:
    if len(rungs) == len(stakes.depths):
        return stakes
    depths, profits = (tuple([each[rung] for rung in rungs]) for each in (stakes.depths, stakes.profits))
    return Stakes(depths, profits, stakes.base_profit, stakes.base_total)


def named_ladders(rungs: int, terms: Terms) -> Distribution:
    """List the ladders among so many rungs that keep a floor, and their shares of it: rung 1 alone, the hold-out's, 1
    then deepest.

    Equal ones are merged; a hold-out without any ladder gives its share to rung 1, which is always named.
    """
    return _named_ladders(rungs, terms.max_rungs, terms.holdout_ladder)


@cache
def _named_ladders(rungs: int, max_rungs: int, house: HoldoutLadder) -> Distribution:
    holdout = _holdout_ladder(rungs, max_rungs, house)
    deepest = tuple(sorted({0, rungs - 1}))[:max_rungs]
    shares: dict[Ladder, float] = {}
    for ladder, share in zip(((0,), holdout or (0,), deepest), FLOOR_SHARES, strict=True):
        shares[ladder] = shares.get(ladder, 0.0) + share
    return tuple(sorted(shares.items()))


def holdout_ladder(rungs: int, terms: Terms) -> Ladder:
    """Give the house's old way: the first rungs, none skipped, rung 1 only, or no ladder at all."""
    return _holdout_ladder(rungs, terms.max_rungs, terms.holdout_ladder)


def _holdout_ladder(rungs: int, max_rungs: int, house: HoldoutLadder) -> Ladder:
    longest = min(max_rungs, rungs)
    return tuple(range({"full": longest, "first": min(1, longest), "none": 0}[house]))


class Foresight(msgspec.Struct, frozen=True):
    """What a ladder will probably bring: per rung as in LadderChoice, and the chance of a sale at all."""

    spoken: tuple[float, ...]
    acceptance: tuple[float, ...]
    expected_profit: tuple[float, ...]
    sale: float


def foresee(rungs: Ladder, stakes: Stakes, terms: Terms, model: SensitivityModel, belief: Belief) -> Foresight:
    """Foresee a ladder under the point estimate: per rung, chance to be spoken, acceptance, profit of going on.

    Profits are the house's money, minor units: seconds are paid, the price on refusals is not. All are rounded to six
    significant digits.
    """
    weights = list(belief.weights)
    refused_before, spoken, sale = [0.0] * len(weights), [], []
    for rung in rungs:
        piece, share = _between_knots(model, stakes.depths[rung])
        come_so_far = bought = 0.0
        for segment, (start, step) in enumerate(model.point_pieces[piece]):
            weight, before, settled = weights[segment], refused_before[segment], start + step * share
            come_so_far += weight * (1.0 - before)
            bought += weight * (settled - before)
            weights[segment], refused_before[segment] = weight * model.stay_rates[segment], settled
        spoken.append(come_so_far)
        sale.append(bought)
    kept = sum([b * (1.0 - f) * k for b, f, k in zip(weights, refused_before, model.keep_rates, strict=True)])
    return _foresight(rungs, stakes, terms, model.base_share, spoken, sale, kept)


def _foresight(
    rungs: Ladder,
    stakes: Stakes,
    terms: Terms,
    base_share: float,
    spoken: list[float],
    sale: list[float],
    kept: float,
) -> Foresight:
    last_profit = stakes.profits[rungs[-1]] if rungs else 0.0
    ahead = kept * ((1.0 - base_share) * last_profit + base_share * stakes.base_profit)
    acceptance, expected = [], []
    for rung, come_so_far, bought in zip(reversed(rungs), reversed(spoken), reversed(sale), strict=True):
        ahead += bought * stakes.profits[rung] - terms.offer_cost * come_so_far
        acceptance.append(_six_digits(min(1.0, bought / come_so_far)) if come_so_far > 0.0 else 0.0)
        expected.append(_six_digits(ahead / come_so_far) if come_so_far > 0.0 else 0.0)
    return Foresight(
        spoken=tuple(map(_six_digits, spoken)),
        acceptance=tuple(acceptance[::-1]),
        expected_profit=tuple(expected[::-1]),
        sale=_six_digits(min(1.0, sum(sale) + kept)) if rungs else 1.0,
    )


def _drawn(distribution: Distribution, seed: str) -> Ladder:
    """Pick a ladder by a hash of the seed: the same seed gives the same ladder, for ever."""
    digest = hashlib.sha256(f"ladder:{seed}".encode()).digest()
    left = int.from_bytes(digest[:8], "big") * 2.0**-64
    for ladder, mass in distribution:
        left -= mass
        if left < 0.0:
            return ladder
    return distribution[-1][0]


def _mass_from(prefix: Ladder, distribution: Distribution) -> float:
    length = len(prefix)
    return round(sum([mass for other, mass in distribution if other[:length] == prefix]), 9)


def _between_knots(model: SensitivityModel, depth: float) -> tuple[int, float]:
    """Place a depth on the curves: the piece that it lies on (the last is flat), how far along it (0 to 1)."""
    at = depth * UNITS_PER_WHOLE
    piece = bisect_left(model.piece_starts, at, 1) - 1
    return piece, (at - model.piece_starts[piece]) / model.piece_widths[piece]


def _six_digits(value: float) -> float:
    return float(f"{value:.6g}")
