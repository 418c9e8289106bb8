"""A shop's own policy played by shoppers: baskets from its catalogue, ladders of every length and depth, combinations.

The other worlds have six fixed depths; here the rungs are what the policy makes of each basket. Types want depths in
between, too, so that their curves are linear between the depths of the table. What a ladder truly earns is summed
under those curves; the oracle knows the type.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from pos_discount.basket import Basket, Customer, Line
from pos_discount.decide import Decision, KeptCustomer, Known, Seed, ServedModel, decide
from pos_discount.learning import FitOptions, Fitted, fit_sensitivity
from pos_discount.policy import Policy
from pos_discount.pricing import PolicyIndex
from pos_discount.sensitivity import (
    KNOTS,
    Belief,
    CellTree,
    ModelCard,
    SensitivityModel,
    bin_behaviour,
    event_code,
    event_from_outcome,
    foresee,
)
from pos_discount.sensitivity.best import best_ladders
from pos_discount.sensitivity.events import UNITS_PER_WHOLE
from pos_discount.simulation.play import report_of
from pos_discount.simulation.sellers import Memory
from pos_discount.simulation.shoppers import Kinds, Ladder, play
from pos_discount.simulation.worlds import BASE_MIX, DEPTHS, TYPES

POINTS = 200
LATE = 10_000
STARTED = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ShopCourse:
    """True profit per checkout with a ladder, minor units: ours, the oracle's, rung 1 alone, the first rungs; each from
    the first checkout on, and from LATE on (the second half, where the course is shorter than that).

    `rungs` is the mean number of rungs that a basket had, `spoken` of those said in expectation.
    """

    ours: tuple[float, float]
    oracle: tuple[float, float]
    first_alone: tuple[float, float]
    first_rungs: tuple[float, float]
    rungs: float
    spoken: float


def play_shop(policy: Policy, seed: int, *, checkouts: int, night_every: int, customers: int = 300) -> ShopCourse:
    """Play a shop under its own policy; visits whose basket has no rung are left out of the score."""
    dice = np.random.default_rng([seed, 7])
    index, memory, truth = PolicyIndex(policy), Memory(), true_model()
    kinds, type_of_customer = _kinds(), dice.choice(len(TYPES), customers, p=BASE_MIX)
    fitted: Fitted | None = None
    scores: list[tuple[float, ...]] = []
    for visit in range(checkouts):
        owner = int(dice.integers(0, customers)) if dice.random() < 0.7 else -1
        kind = int(type_of_customer[owner]) if owner >= 0 else int(dice.choice(len(TYPES), p=BASE_MIX))
        basket = _basket(policy, owner, kind, dice)
        kept = KeptCustomer(events=tuple((event_code(event), count) for event, count in memory.events_of(owner)))
        model = ServedModel(f"night {fitted.nights}", fitted.model) if fitted else None
        decision = decide(
            basket, index, model, Known(kept=kept, arm="ladder"), STARTED, Seed(f"dec_{visit}", f"{visit}")
        )
        if decision.choice.rungs:
            scores.append((float(visit), *_scores(decision, kind, truth)))
            _learn(memory, decision, owner, kinds, kind, dice)
        if (visit + 1) % night_every == 0:
            fitted = fit_sensitivity(memory.evidence(), fitted, FitOptions(), seed=visit)
    return _course(np.array(scores), checkouts)


def true_model() -> SensitivityModel:
    """Write the types as a model that knows them: linear between the depths of the table."""
    depths = [0.0, *(depth * UNITS_PER_WHOLE for depth in DEPTHS)]
    curves = np.array([np.interp(KNOTS, depths, np.cumsum([0.0, *each.wants[:-1]])) for each in TYPES])
    walk, loss = np.array([each.walk for each in TYPES]), np.array([each.loss for each in TYPES])
    mixes = np.array([BASE_MIX])
    return SensitivityModel(
        curves=curves,
        walk=walk,
        loss=loss,
        mixes=mixes,
        draw_curves=curves[None],
        draw_walk=walk[None],
        draw_loss=loss[None],
        draw_mixes=mixes[None],
        draw_base_share=np.zeros(1),
        base_share=0.0,
        tree=CellTree(),
        segments=(),
        segment_of=tuple(range(len(TYPES))),
        card=ModelCard("true"),
    )


def _kinds() -> Kinds:
    """Spread every type's wants over points, by inverting its curve; what is left never accepts."""
    quantiles = (np.arange(POINTS) + 0.5) / POINTS
    wanted = []
    for each in TYPES:
        reached = np.cumsum([0.0, *each.wants[:-1]])
        inside = np.interp(quantiles, reached, [0.0, *DEPTHS])
        wanted.append(np.where(quantiles > reached[-1], np.inf, inside))
    return Kinds(
        wanted=np.array(wanted),
        weight=np.full((len(TYPES), POINTS), 1.0 / POINTS),
        walk=np.array([each.walk for each in TYPES]),
        loss=np.array([each.loss for each in TYPES]),
    )


def _basket(policy: Policy, owner: int, kind: int, dice: np.random.Generator) -> Basket:
    """Fill a basket from the catalogue at about 2.2 times cost; behaviour as likely as the type has it."""
    skus = sorted(sku for sku, product in policy.house.catalogue.items() if product.unit_cost)
    promotion, asked, rush = (dice.random(3) < TYPES[kind].features).tolist()
    lines = []
    for number, sku in enumerate(dice.choice(skus, int(dice.integers(1, 6)), replace=False).tolist()):
        cost = policy.house.catalogue[sku].unit_cost or 0
        price = round(cost * 2.2 / 10) * 10
        lines.append(Line(f"{number + 1}", sku, int(dice.integers(1, 4)), price, unit_cost=cost))
    return Basket(
        store_id="S001",
        currency=policy.house.currency,
        lines=tuple(lines),
        at=STARTED.replace(hour=17 if rush else 10),
        asked=asked,
        customer=Customer(str(owner) if owner >= 0 else None, promo_share_90d=0.7 if promotion else 0.2),
    )


def _scores(decision: Decision, kind: int, truth: SensitivityModel) -> tuple[float, ...]:
    belief = Belief(tuple(1.0 if each == kind else 0.0 for each in range(len(TYPES))), 0)
    stakes, terms, rungs = decision.stakes, decision.terms, decision.choice.rungs
    best = best_ladders(stakes, terms, truth, belief)[0]
    first = tuple(range(min(terms.max_rungs, len(stakes.depths))))
    foreseen = foresee(rungs, stakes, terms, truth, belief)
    others = [foresee(ladder, stakes, terms, truth, belief).expected_profit[0] for ladder in (best, (0,), first)]
    return foreseen.expected_profit[0], *others, float(len(stakes.depths)), sum(foreseen.spoken)


def _learn(memory: Memory, decision: Decision, owner: int, kinds: Kinds, kind: int, dice: np.random.Generator) -> None:
    ladder: Ladder = decision.choice.rungs
    depths = decision.stakes.depths
    played = play(kinds, kind, ladder, depths, dice.random(len(ladder) + 2).tolist())
    report = report_of(ladder, played)
    event = event_from_outcome(report.result, report.rung, report.offers, tuple(depths[rung] for rung in ladder))
    if event is not None:
        memory.add(owner, bin_behaviour(decision.behaviour), event)


def _course(scores: np.ndarray, checkouts: int) -> ShopCourse:
    """Average rows of (visit, ours, oracle's, rung 1 alone, first rungs, rungs, spoken)."""
    is_late = scores[:, 0] >= (LATE if checkouts > LATE else checkouts // 2)
    parts = [scores[:, 1:].mean(axis=0).tolist(), scores[is_late, 1:].mean(axis=0).tolist()]
    ours, oracle, first_alone, first_rungs, rungs, spoken = ((every, late) for every, late in zip(*parts, strict=True))
    return ShopCourse(ours, oracle, first_alone, first_rungs, rungs[0], spoken[0])
