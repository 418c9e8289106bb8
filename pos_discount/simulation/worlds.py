"""The worlds by which learning is judged: who comes, what they want, and what goes wrong on the way.

Three worlds stand still (base, hunters, nobody); the others are made in their spirit. A world is drawn once, from its
name and a seed, into plain arrays: who comes, with what basket, and the dice of every reaction. All sellers then meet
the same visits with the same dice, so that their difference is theirs.
"""

from dataclasses import dataclass, replace

import numpy as np

from pos_discount.arrays import Bools, Floats, Ints
from pos_discount.sensitivity import Behaviour
from pos_discount.simulation.shoppers import Kinds, Odds, odds_of

DEPTHS = (0.03, 0.05, 0.10, 0.15, 0.20, 0.30)
MARGINS = (0.25, 0.35, 0.45, 0.55, 0.65)
OFFER_COST = 15.0
"""Minor units that saying one rung costs."""


@dataclass(frozen=True, slots=True)
class ShopperType:
    """A row of the table of types: chances to want each depth and none, to walk, to be lost; its features' chances."""

    name: str
    wants: tuple[float, ...]
    walk: float
    loss: float
    features: tuple[float, float, float]


TYPES = (
    ShopperType("takes what is said", (0.80, 0.08, 0.05, 0.03, 0.02, 0.01, 0.01), 0.05, 0.10, (0.20, 0.05, 0.20)),
    ShopperType("moderate", (0.25, 0.20, 0.30, 0.15, 0.05, 0.03, 0.02), 0.12, 0.35, (0.45, 0.20, 0.20)),
    ShopperType("hunter", (0.03, 0.04, 0.08, 0.15, 0.30, 0.30, 0.10), 0.10, 0.75, (0.85, 0.70, 0.15)),
    ShopperType("bluffer", (0.10, 0.10, 0.15, 0.20, 0.20, 0.15, 0.10), 0.04, 0.05, (0.60, 0.60, 0.20)),
    ShopperType("hurried", (0.40, 0.15, 0.10, 0.15, 0.10, 0.05, 0.05), 0.45, 0.60, (0.30, 0.10, 0.80)),
)
NOBODY = tuple(replace(each, wants=(1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)) for each in TYPES)
BASE_MIX = (0.40, 0.25, 0.12, 0.13, 0.10)
HUNTERS_MIX = (0.15, 0.25, 0.35, 0.15, 0.10)
GREED_LEVELS = 7


@dataclass(frozen=True, slots=True)
class WorldPlan:
    """What a world is drawn from; `disobedient` and `misreported` are shares of checkouts."""

    name: str
    types: tuple[ShopperType, ...] = TYPES
    mix: tuple[float, ...] = BASE_MIX
    checkouts: int = 40_000
    customers: int = 3_000
    anonymous: float = 0.30
    night_every: int = 1_000
    max_rungs: int = 3
    holdout: float = 0.05
    disobedient: float = 0.0
    misreported: float = 0.0
    has_drift: bool = False
    is_strategic: bool = False
    is_continuous: bool = False


PLANS: tuple[WorldPlan, ...] = (
    WorldPlan("base"),
    WorldPlan("hunters", mix=HUNTERS_MIX),
    WorldPlan("nobody", types=NOBODY),
    WorldPlan("drift", has_drift=True),
    WorldPlan("strategic", is_strategic=True),
    WorldPlan("sparse", anonymous=0.80),
    WorldPlan("disobedient", disobedient=0.20),
    WorldPlan("misreported", misreported=0.10),
    WorldPlan("outside", is_continuous=True),
)


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """A world, drawn: per checkout [N] the customer (-1: anonymous), kind, basket value (minor units), margin, dice.

    `type_of_kind` tells the true type of a kind; `features` [N, 3] are what the till sends. `kind` is who comes if
    nobody changes; strategic customers move along their greed levels as they are played.
    """

    plan: WorldPlan
    kinds: Kinds
    odds: Odds
    type_of_kind: Ints
    customer: Ints
    kind: Ints
    features: Bools
    value: Floats
    margin: Floats
    dice: Floats

    def behaviour(self, checkout: int) -> Behaviour:
        """Give what the till sends: promotion share, whether asked, and the hour (the third feature is rush hour)."""
        promotion, asked, rush = self.features[checkout].tolist()
        return Behaviour(promo_share_90d=0.7 if promotion else 0.2, asked=asked, hour=18 if rush else 11)

    def profits(self, checkout: int, kind: int) -> Floats:
        """Give the true expected profit (minor units) of every ladder on this checkout with this kind of shopper."""
        earned = self.value[checkout] * (self.margin[checkout] * self.odds.sale[kind] - self.odds.depth[kind])
        profits: Floats = earned - OFFER_COST * self.odds.spoken[kind]
        return profits


def plan_named(name: str) -> WorldPlan:
    """Find a plan; raises ValueError, naming the worlds there are."""
    for plan in PLANS:
        if plan.name == name:
            return plan
    raise ValueError(f"unknown world {name!r}; there are: {', '.join(plan.name for plan in PLANS)}")


def draw_world(plan: WorldPlan, seed: int) -> World:
    """Draw a world: the same plan and seed give the same visits and dice."""
    dice = np.random.default_rng([seed, sum(plan.name.encode())])
    count, customers = plan.checkouts, plan.customers
    customer = np.where(dice.random(count) < plan.anonymous, -1, dice.integers(0, customers, count))
    drawn = _kinds_of(plan, customer, dice)
    own_features = dice.random((customers, 3)) < drawn.chances[drawn.kind_of_customer]
    anonymous_features = dice.random((count, 3)) < drawn.chances[drawn.kind]
    return World(
        plan=plan,
        kinds=drawn.kinds,
        odds=odds_of(drawn.kinds, DEPTHS, plan.max_rungs),
        type_of_kind=drawn.type_of_kind,
        customer=customer,
        kind=drawn.kind,
        features=np.where(customer[:, None] < 0, anonymous_features, own_features[customer]),
        value=np.round(100 * np.exp(dice.normal(3.5, 0.6, count))),
        margin=dice.choice(MARGINS, count),
        dice=dice.random((count, plan.max_rungs + 4)),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """Kinds, the type and the features' chances [kinds, 3] of each, and who comes: by customer and by checkout."""

    kinds: Kinds
    type_of_kind: Ints
    chances: Floats
    kind_of_customer: Ints
    kind: Ints


def _kinds_of(plan: WorldPlan, customer: Ints, dice: np.random.Generator) -> _Drawn:
    if plan.is_continuous:
        return _continuous_kinds(plan, customer, dice)
    type_of_customer = dice.choice(len(plan.types), plan.customers, p=plan.mix)
    anonymous = dice.choice(len(plan.types), len(customer), p=plan.mix)
    types = np.where(customer < 0, anonymous, type_of_customer[customer])
    chances = np.array([each.features for each in plan.types])
    if plan.is_strategic:
        levels, middle = np.repeat(np.arange(len(plan.types)), GREED_LEVELS), GREED_LEVELS // 2
        kinds, start = _greedy_kinds(plan.types), type_of_customer * GREED_LEVELS + middle
        return _Drawn(kinds, levels, chances[levels], start, types * GREED_LEVELS + middle)
    kind = _after_drift(types, customer, plan, dice) if plan.has_drift else types
    return _Drawn(_discrete_kinds(plan.types), np.arange(len(plan.types)), chances, type_of_customer, kind)


def _discrete_kinds(types: tuple[ShopperType, ...]) -> Kinds:
    return Kinds(
        wanted=np.tile(np.array([*DEPTHS, np.inf]), (len(types), 1)),
        weight=np.array([each.wants for each in types]),
        walk=np.array([each.walk for each in types]),
        loss=np.array([each.loss for each in types]),
    )


def _after_drift(types: Ints, customer: Ints, plan: WorldPlan, dice: np.random.Generator) -> Ints:
    """Half-way, a third of the first two types become hunters: for good where they are known."""
    turns_customer = dice.random(plan.customers) < 1 / 3
    turns = np.where(customer < 0, dice.random(len(types)) < 1 / 3, turns_customer[customer])
    is_late = np.arange(len(types)) >= len(types) // 2
    return np.where(is_late & turns & (types < 2), 2, types)


def _greedy_kinds(types: tuple[ShopperType, ...]) -> Kinds:
    """Give every type at every level of greed: a level up moves part of the wants one depth further."""
    plain = _discrete_kinds(types)
    levels = range(-(GREED_LEVELS // 2), GREED_LEVELS // 2 + 1)
    return Kinds(
        wanted=np.repeat(plain.wanted, GREED_LEVELS, axis=0),
        weight=np.array([_greedier(row, level) for row in plain.weight for level in levels]),
        walk=np.repeat(plain.walk, GREED_LEVELS),
        loss=np.repeat(plain.loss, GREED_LEVELS),
    )


def _greedier(weight: Floats, level: int) -> Floats:
    """Move 15 % of each want one depth further per level up, or nearer per level down; the ends stay."""
    row = weight[::-1] if level < 0 else weight
    for _ in range(abs(level)):
        moving = 0.15 * row[:-1]
        row = row - np.append(moving, 0.0) + np.append(0.0, moving)
    return row[::-1] if level < 0 else row


def _continuous_kinds(plan: WorldPlan, customer: Ints, dice: np.random.Generator) -> _Drawn:
    """Give everybody an own continuous taste and own rates; all anchor, and walk by the gap. Nobody is a type."""
    strangers = 2_000
    pool = plan.customers + strangers
    need, hurry, firmness = (dice.normal(0.0, 1.0, pool) for _ in range(3))
    middle = np.exp(-2.4 + 0.8 * need)
    quantiles = (np.arange(40) + 0.5) / 40
    spread = 0.25 + 0.25 * dice.random(pool)
    kinds = Kinds(
        wanted=middle[:, None] * np.exp(spread[:, None] * np.log(quantiles / (1.0 - quantiles))),
        weight=np.full((pool, 40), 1 / 40),
        walk=0.30 / (1.0 + np.exp(2.0 - 1.2 * hurry)),
        loss=0.85 / (1.0 + np.exp(0.3 - 1.2 * firmness)),
        anchor=0.08,
        walk_slope=0.6,
        loss_slope=1.0,
    )
    chances = 1.0 / (1.0 + np.exp(-np.stack([1.3 * need - 0.3, 1.5 * need - 1.2, 1.5 * hurry - 1.0], axis=1)))
    stranger = plan.customers + dice.integers(0, strangers, len(customer))
    quartile = np.digitize(middle, np.quantile(middle, (0.25, 0.5, 0.75)))
    return _Drawn(kinds, quartile, chances, np.arange(plan.customers), np.where(customer < 0, stranger, customer))
