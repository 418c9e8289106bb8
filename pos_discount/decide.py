"""The one call that turns a basket into a ladder, shared by web, commands, replay and simulation.

`decide` is pure: everything it depends on is an argument, so that what was recorded of a decision gives the same
bytes again. It names the segment first and hands that word to pricing, so that nothing below looks up; then the
policy says which rungs there are, and only then does what was learned choose which of them to name.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from functools import cache
from typing import NamedTuple

import msgspec

from pos_discount.answer import Answer, SegmentName
from pos_discount.answering import Explain, Shown
from pos_discount.basket import Arm, Basket, Customer, moment_of
from pos_discount.pricing import (
    Context,
    Counted,
    CounterKey,
    Hold,
    PolicyIndex,
    Pricing,
    Usage,
    counted,
    counters_of,
    holds,
    in_language,
    price,
)
from pos_discount.sensitivity import (
    Behaviour,
    Belief,
    EventCounts,
    LadderChoice,
    SensitivityModel,
    Stakes,
    Terms,
    believe,
    choose_ladder,
    parse_event_code,
    prior_model,
    segment_of_belief,
)

EXPIRES_AFTER = timedelta(minutes=30)
ASSUMED_MARGIN = 0.4
"""Where a cost is not known the choice of a ladder supposes this margin on list price; the answer then states no
profit."""


__all__ = [
    "Counted",
    "Decision",
    "Explain",
    "KeptCustomer",
    "Known",
    "Seed",
    "ServedModel",
    "completed",
    "counters_needed",
    "decide",
    "stated_prior",
]


class Seed(msgspec.Struct, frozen=True):
    """A decision's id, and the text that all its dice are hashed from; decisions of one sale share the dice."""

    decision_id: str
    dice: str


class ServedModel(NamedTuple):
    """A published model and the version by which decisions name it."""

    version: str
    tables: SensitivityModel


class KeptCustomer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the service kept of a customer from earlier outcomes; ``events`` are event codes with how often each was
    seen."""

    visits: int = 0
    visits_90d: int = 0
    spend_90d: int = 0
    promo_share_90d: float | None = None
    returns_90d: int = 0
    last_visit_on: date | None = None
    events: tuple[tuple[str, int], ...] = ()


class Known(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was read before deciding: usage of limits, the customer's history, paused promotions, what an earlier
    decision of the same sale fixed, and why a model that should serve does not."""

    usage: tuple[tuple[CounterKey, Usage], ...] = ()
    kept: KeptCustomer | None = None
    paused: tuple[str, ...] = ()
    arm: Arm | None = None
    fallback: str | None = None


class Decision(msgspec.Struct, frozen=True):
    """The answer, and what has to be kept with it: holds, what a sale at base or at each rung counts, and how it was
    chosen.

    ``profits`` are the gross profits at base and at each named rung in minor units, a supposed margin where costs are
    unknown; ``stakes`` and ``terms`` are all that the ladder was chosen from.
    """

    answer: Answer
    holds: tuple[Hold, ...]
    counted_at_base: tuple[Counted, ...]
    counted_by_rung: tuple[tuple[Counted, ...], ...]
    choice: LadderChoice
    belief: Belief
    behaviour: Behaviour
    profits: tuple[float, ...]
    stakes: Stakes
    terms: Terms


def counters_needed(basket: Basket, index: PolicyIndex, now: datetime) -> tuple[CounterKey, ...]:
    """Return the counters whose usage `decide` may look at for this basket."""
    local_time = moment_of(basket, now).astimezone(index.policy.house.time_zone)
    limited = [index.entries[position].promotion for position in index.limited(basket)]
    keys = (key for promotion in limited for _, key in counters_of(promotion, basket, local_time))
    return tuple(dict.fromkeys(key for key in keys if key is not None))


def decide(
    basket: Basket,
    index: PolicyIndex,
    model: ServedModel | None,
    known: Known,
    now: datetime,
    seed: Seed,
    explain: Explain = "touched",
) -> Decision:
    """Decide what to offer on a basket.

    ``now`` is the server's clock; the basket's own ``at``, where sent, decides schedules and limit periods. Without a
    ``model`` the ladder comes from the stated prior curve. Raises nothing: any basket that validated gets an answer.
    """
    at = moment_of(basket, now)
    basket = completed(basket, known.kept)
    met = _meet(basket, index, model, known, at)
    pricing = price(index, basket, Context(at, met.words, dict(known.usage), known.paused))
    shown = Shown(pricing)
    base, discounts, not_applicable = shown.base(), shown.discounts_alone(), shown.not_applicable(explain)
    stakes, terms = _stakes(pricing), _terms(index)
    arm = known.arm or _arm(basket, index, seed)
    choice = choose_ladder(stakes, terms, met.tables, met.belief, arm=arm, seed=seed.dice)
    named = [pricing.rungs[position] for position in choice.rungs]
    answer = Answer(
        decision_id=seed.decision_id,
        at=at,
        expires_at=now + EXPIRES_AFTER,
        policy_version=index.policy.version,
        model_version=None if model is None else model.version,
        arm=arm,
        segment=met.segment,
        fallback=met.fallback,
        exact=pricing.is_exact,
        currency=index.policy.house.currency,
        list_total=pricing.scan.list_total,
        base=base,
        discounts=discounts,
        not_applicable=not_applicable,
        ladder=tuple(shown.ladder(named, choice)),
        personalised=met.disclosure is not None,
        disclosure=met.disclosure or "",
    )
    return _decision(answer, pricing, choice, met, stakes, terms)


def _decision(
    answer: Answer, pricing: Pricing, choice: LadderChoice, met: _Met, stakes: Stakes, terms: Terms
) -> Decision:
    named = [pricing.rungs[position].priced for position in choice.rungs]
    return Decision(
        answer=answer,
        holds=holds(pricing.scan, [pricing.base, *named]),
        counted_at_base=counted(pricing.scan, pricing.base),
        counted_by_rung=tuple(counted(pricing.scan, priced) for priced in named),
        choice=choice,
        belief=met.belief,
        behaviour=met.behaviour,
        profits=(stakes.base_profit, *(stakes.profits[position] for position in choice.rungs)),
        stakes=stakes,
        terms=terms,
    )


class _Met(NamedTuple):
    """What is thought of a customer before pricing; ``disclosure`` is None where nothing personal is used."""

    tables: SensitivityModel
    behaviour: Behaviour
    belief: Belief
    segment: SegmentName | None
    fallback: str | None
    disclosure: str | None

    @property
    def words(self) -> tuple[str, ...]:
        """The words by which a policy may name the segment."""
        return (self.segment.segment_id, self.segment.name) if self.segment else ()


def _meet(basket: Basket, index: PolicyIndex, model: ServedModel | None, known: Known, at: datetime) -> _Met:
    """Weigh what is known of the customer, or of anybody with such a basket where nothing personal may be used."""
    shadows = index.policy.house.learning.shadow
    tables = stated_prior() if model is None or shadows else model.tables
    disclosure = _disclosure(basket, index)
    if disclosure is None:
        basket, kept = msgspec.structs.replace(basket, customer=None), None
    else:
        kept = known.kept
    behaviour = _behaviour(basket, index, at, kept)
    belief = believe(tables, behaviour, _own_events(kept))
    segment = segment_of_belief(tables, belief)
    fallback = known.fallback or ("no_model" if model is None else "shadow" if shadows else None)
    name = SegmentName(segment.segment_id, segment.name) if segment else None
    return _Met(tables, behaviour, belief, name, fallback, disclosure)


DISCLOSURE = "Which of the discounts are named, and in what order, takes earlier purchases with this card into account."
"""What a customer is told where the house has written nothing of its own."""


def _disclosure(basket: Basket, index: PolicyIndex) -> str | None:
    """Return what the customer is told of the use of personal data, None where none may be used.

    The first matching rule of the house decides for its stores; a customer objects by the attribute ``personalise``.
    """
    if basket.customer is None or basket.customer.attributes.get("personalise") in (False, "no", "false"):
        return None
    rules = index.policy.house.personalisation
    rule = next((rule for rule in rules if rule.stores is None or basket.store_id in rule.stores), None)
    if rule is None:
        return DISCLOSURE
    return (in_language(rule.disclosure, basket.locale)[0] or DISCLOSURE) if rule.use else None


stated_prior = cache(prior_model)
"""The model that serves where nothing is learned; made at the first call."""


def completed(basket: Basket, kept: KeptCustomer | None) -> Basket:
    """Fill in what the till does not send of a customer's history."""
    customer = basket.customer
    if customer is None:
        return basket
    if kept is None:
        return _first_visit(basket, customer)
    filled = Customer(
        customer_id=customer.customer_id,
        tier=customer.tier,
        groups=customer.groups,
        birthday=customer.birthday,
        visit_number=kept.visits + 1 if customer.visit_number is None else customer.visit_number,
        last_visit_on=customer.last_visit_on or kept.last_visit_on,
        visits_90d=kept.visits_90d if customer.visits_90d is None else customer.visits_90d,
        spend_90d=kept.spend_90d if customer.spend_90d is None else customer.spend_90d,
        promo_share_90d=kept.promo_share_90d if customer.promo_share_90d is None else customer.promo_share_90d,
        attributes=customer.attributes,
    )
    return msgspec.structs.replace(basket, customer=filled)


def _first_visit(basket: Basket, customer: Customer) -> Basket:
    """Count this visit as the first of a card that the service has never seen; of its past nothing is known."""
    if customer.customer_id is None or customer.visit_number is not None:
        return basket
    return msgspec.structs.replace(basket, customer=msgspec.structs.replace(customer, visit_number=1))


def _behaviour(basket: Basket, index: PolicyIndex, at: datetime, kept: KeptCustomer | None) -> Behaviour:
    local_time, customer = at.astimezone(index.policy.house.time_zone), basket.customer
    last = customer.last_visit_on if customer else None
    units_by_category: dict[str, int] = {}
    for line in basket.lines:
        category = index.category(line) if line.category is None else line.category
        root = (category or "").partition("/")[0]
        units_by_category[root] = units_by_category.get(root, 0) + line.quantity
    units = sum(units_by_category.values())
    return Behaviour(
        promo_share_90d=customer.promo_share_90d if customer else None,
        asked=basket.asked,
        coupon=bool(basket.coupons),
        visits_90d=customer.visits_90d if customer else None,
        days_since_last_visit=None if last is None else max(0, (local_time.date() - last).days),
        units=units,
        mix=max(units_by_category.values()) / units,
        hour=local_time.hour,
        returns_90d=kept.returns_90d if kept else None,
    )


def _own_events(kept: KeptCustomer | None) -> EventCounts:
    return tuple((parse_event_code(code), count) for code, count in kept.events) if kept else ()


def _arm(basket: Basket, index: PolicyIndex, seed: Seed) -> Arm:
    """Draw the arm by a hash of the customer, or of the sale where there is none, so that a customer stays in one
    arm."""
    share = index.policy.house.holdout.share
    customer_id = basket.customer.customer_id if basket.customer else None
    digest = hashlib.sha256(f"arm\0{customer_id or seed.dice}".encode()).digest()
    is_held_out = int.from_bytes(digest[:8]) * share.denominator < share.numerator << 64
    return "holdout" if is_held_out else "ladder"


def _stakes(pricing: Pricing) -> Stakes:
    before_discounts = pricing.scan.list_total - pricing.goods_cost(ASSUMED_MARGIN)
    return Stakes(
        depths=tuple([rung.depth for rung in pricing.rungs]),
        profits=tuple([before_discounts - rung.priced.cost for rung in pricing.rungs]),
        base_profit=before_discounts - pricing.base.cost,
        base_total=float(pricing.base.total or 1),
    )


def _terms(index: PolicyIndex) -> Terms:
    house = index.policy.house
    return Terms(
        max_rungs=house.ladder.max_rungs,
        offer_cost=index.offer_cost,
        refusal_price=float(house.learning.refusal_price),
        exploration=float(house.learning.exploration),
        holdout_ladder=house.holdout.ladder,
    )
