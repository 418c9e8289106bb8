"""From what pricing found to the answer that a till gets, in the API's words.

Nothing is decided here and no money is computed; the ladder's rungs are those that were chosen.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pos_discount.answer import Base, Discount, GivenGift, LineNet, LineShare, NotApplicable, Rung
from pos_discount.policy.benefits import Gift, Points
from pos_discount.policy.conditions import Unmet
from pos_discount.pricing import Applied, Candidate, Entry, Priced, Pricing, sentence
from pos_discount.sensitivity import LadderChoice

Explain = Literal["touched", "all"]


class Shown:
    """A basket's pricing as an answer shows it; a discount that is the same alone, at base and on rungs is made
    once."""

    __slots__ = ("_discount_by_identity", "_pricing")

    def __init__(self, pricing: Pricing) -> None:
        self._pricing = pricing
        self._discount_by_identity: dict[int, Discount] = {}  # by what is given, which the pricing keeps

    def base(self) -> Base:
        priced = self._pricing.base
        return Base(
            total=priced.total,
            saving=priced.saving,
            discounts=self._discounts(priced.applied),
            gifts=tuple(_gifts(priced)),
            points=_points(priced),
        )

    def discounts_alone(self) -> tuple[Discount, ...]:
        discounts = self._pricing.discounts
        outcomes = [discounts.alone(position) for position in sorted(discounts.holding)]
        return self._discounts([outcome for outcome in outcomes if isinstance(outcome, Applied)])

    def not_applicable(self, explain: Explain) -> tuple[NotApplicable, ...]:
        pricing, entries = self._pricing, self._pricing.scan.index.entries
        positions = range(len(entries)) if explain == "all" else sorted(pricing.concerned())
        outcomes = [(position, pricing.discounts.alone(position)) for position in positions]
        return tuple([_why_not(entries[position], unmet) for position, unmet in outcomes if isinstance(unmet, Unmet)])

    def ladder(self, named: list[Candidate], choice: LadderChoice) -> Iterable[Rung]:
        pricing = self._pricing
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
                discounts=self._discounts(priced.applied),
                lines=_line_nets(pricing, priced),
                gifts=tuple(_gifts(priced)),
                points=_points(priced),
                approval=pricing.approval(candidate),
                acceptance=acceptance,
                expected_profit=round(profit) if pricing.knows_costs else None,
            )

    def _discounts(self, given: Iterable[Applied]) -> tuple[Discount, ...]:
        return tuple([self._discount_by_identity.get(id(applied)) or self._discount(applied) for applied in given])

    def _discount(self, applied: Applied) -> Discount:
        promotion, lines = applied.entry.promotion, self._pricing.scan.basket.lines
        units, savings = applied.units_by_line, applied.saving_by_line.items()
        discount = self._discount_by_identity[id(applied)] = Discount(
            promotion_id=promotion.id,
            name=promotion.name,
            class_=applied.entry.stacking_class,
            offer=promotion.offer,
            saving=applied.saving,
            cost=applied.cost,
            lines=tuple([LineShare(lines[line].line_id, saving, units[line]) for line, saving in savings]),
        )
        return discount


def _why_not(entry: Entry, unmet: Unmet) -> NotApplicable:
    near_miss = dict(unmet.near_miss) if unmet.near_miss else None
    return NotApplicable(entry.promotion.id, unmet.reason, unmet.detail, near_miss)


def _line_nets(pricing: Pricing, priced: Priced) -> tuple[LineNet, ...]:
    lines = zip(pricing.scan.basket.lines, pricing.scan.list_totals, priced.nets, strict=True)
    return tuple([LineNet(line.line_id, total, total - net, net) for line, total, net in lines])


def _gifts(priced: Priced) -> Iterable[GivenGift]:
    for applied in priced.applied:
        for present in applied.presents:
            if isinstance(present, Gift):
                yield GivenGift(applied.entry.promotion.id, present.sku, present.name, present.value)


def _points(priced: Priced) -> int:
    return sum([p.amount for applied in priced.applied for p in applied.presents if isinstance(p, Points)])


def _say(pricing: Pricing, candidate: Candidate) -> str:
    """Say the rung's promotions in order; one that stands alone names what the whole rung newly gives."""
    house, locale = pricing.scan.index.policy.house, pricing.scan.basket.locale
    named = [applied for applied in candidate.priced.applied if applied.entry.promotion.id in candidate.promotion_ids]
    amounts = [candidate.saving] if len(named) == 1 else [applied.saving for applied in named]
    return " ".join(
        sentence(applied.entry.promotion, locale, house.currency, house.currency_digits, amount, candidate.priced.total)
        for applied, amount in zip(named, amounts, strict=True)
    )
