"""From what pricing found to the answer that a till gets, in the API's words.

Nothing is decided here and no money is computed; the ladder's rungs are those that were chosen.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pos_discount.answer import Base, Discount, GivenGift, LineNet, LineShare, NotApplicable, Rung
from pos_discount.policy.benefits import Gift, Points
from pos_discount.policy.conditions import Unmet
from pos_discount.pricing import Applied, Candidate, Priced, Pricing, sentence
from pos_discount.sensitivity import LadderChoice

Explain = Literal["touched", "all"]


def discounts_alone(pricing: Pricing) -> Iterable[Discount]:
    for position in sorted(pricing.scan.reachable):
        outcome = pricing.discounts.alone(position)
        if isinstance(outcome, Applied):
            yield _discount(pricing, outcome)


def not_applicable(pricing: Pricing, explain: Explain) -> Iterable[NotApplicable]:
    entries = pricing.scan.index.entries
    for position in range(len(entries)) if explain == "all" else sorted(pricing.concerned()):
        outcome = pricing.discounts.alone(position)
        if isinstance(outcome, Unmet):
            near_miss = dict(outcome.near_miss) if outcome.near_miss else None
            yield NotApplicable(entries[position].promotion.id, outcome.reason, outcome.detail, near_miss)


def _discount(pricing: Pricing, applied: Applied) -> Discount:
    promotion, lines = applied.entry.promotion, pricing.scan.basket.lines
    return Discount(
        promotion_id=promotion.id,
        name=promotion.name,
        class_=promotion.stacking_class,
        offer=promotion.offer,
        saving=applied.saving,
        cost=applied.cost,
        lines=tuple([LineShare(lines[share.line].line_id, share.saving, share.units) for share in applied.lines]),
    )


def base_of(pricing: Pricing) -> Base:
    priced = pricing.base
    return Base(
        total=priced.total,
        saving=priced.saving,
        discounts=tuple(_discount(pricing, applied) for applied in priced.applied),
        gifts=tuple(_gifts(priced)),
        points=_points(priced),
    )


def _gifts(priced: Priced) -> Iterable[GivenGift]:
    for applied in priced.applied:
        for present in applied.presents:
            if isinstance(present, Gift):
                yield GivenGift(applied.entry.promotion.id, present.sku, present.name, present.value)


def _points(priced: Priced) -> int:
    return sum(p.amount for applied in priced.applied for p in applied.presents if isinstance(p, Points))


def ladder_of(pricing: Pricing, named: list[Candidate], choice: LadderChoice) -> Iterable[Rung]:
    list_totals, lines = pricing.scan.list_totals, pricing.scan.basket.lines
    for number, (candidate, acceptance, profit) in enumerate(
        zip(named, choice.acceptance, choice.expected_profit, strict=True), start=1
    ):
        priced = candidate.priced
        yield Rung(
            rung=number,
            saving=candidate.saving,
            value=candidate.value,
            total=priced.total,
            depth=candidate.depth,
            say=_say(pricing, candidate),
            promotions=candidate.promotion_ids,
            discounts=tuple([_discount(pricing, applied) for applied in priced.applied]),
            lines=tuple(
                [
                    LineNet(line.line_id, total, total - net, net)
                    for line, total, net in zip(lines, list_totals, priced.nets, strict=True)
                ]
            ),
            gifts=tuple(_gifts(priced)),
            points=_points(priced),
            approval=pricing.approval(candidate),
            acceptance=acceptance,
            expected_profit=round(profit) if pricing.knows_costs else None,
        )


def _say(pricing: Pricing, candidate: Candidate) -> str:
    """Say the rung's promotions in order; one that stands alone names what the whole rung newly gives."""
    house, locale = pricing.scan.index.policy.house, pricing.scan.basket.locale
    named = [applied for applied in candidate.priced.applied if applied.entry.promotion.id in candidate.promotion_ids]
    amounts = [candidate.saving] if len(named) == 1 else [applied.saving for applied in named]
    return " ".join(
        sentence(applied.entry.promotion, locale, house.currency, house.currency_digits, amount, candidate.priced.total)
        for applied, amount in zip(named, amounts, strict=True)
    )
