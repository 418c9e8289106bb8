"""Promotions that can never apply, and steps of tiers that are never reached."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

from pos_discount.policy.benefits import AmountOff, Benefit, Bundle, BuyGet, Every, PercentOff, Step, Tiers, TierTerms
from pos_discount.policy.checks.conditions import Demand, contradiction, makes_sure, needs_of, step_reached
from pos_discount.policy.checks.finding import Finding, error, warning
from pos_discount.policy.conditions import InCurrency, Member
from pos_discount.policy.model import House, Policy, Promotion
from pos_discount.policy.schedule import is_in_force
from pos_discount.policy.texts import moments_of_wall_clock

LONGEST_CHECKED = timedelta(days=9)
"""Every weekday and hour comes within so long, whatever the clocks do."""


def find_what_never_applies(policy: Policy) -> Iterator[Finding]:
    """Find promotions that no basket can ever get, and tiers with steps out of reach or out of order."""
    for promotion in policy.promotions:
        for reason in _reasons(promotion, policy.house):
            yield error(promotion, f"can never apply: {reason}")
        if isinstance(promotion.benefit, Tiers):
            yield from _find_wrong_steps(promotion, promotion.benefit, policy.house)


def _reasons(promotion: Promotion, house: House) -> Iterator[str]:
    """Yield why a promotion can never apply, one reason of each sort."""
    for reason in (
        _never_in_force(promotion, house.time_zone),
        _never_in_place(promotion),
        contradiction(promotion.when, _needs(promotion), house.guards.never),
        _wrong_currency(promotion, house),
        _gives_nothing(promotion),
    ):
        if reason is not None:
            yield reason


def _never_in_force(promotion: Promotion, zone: ZoneInfo) -> str | None:
    if promotion.weekdays == () or promotion.hours == ():
        return "'weekdays' or 'hours' lists nothing"
    if promotion.from_ is None or promotion.until is None:
        return None
    if promotion.until <= promotion.from_:
        return "'until' is not after 'from'"
    if promotion.until - promotion.from_ < LONGEST_CHECKED and not any(_moments_in_force(promotion, zone)):
        return "its weekdays and hours do not come between 'from' and 'until'"
    return None


def _moments_in_force(promotion: Promotion, zone: ZoneInfo) -> Iterator[bool]:
    """Yield whether it is in force at each moment at which that can begin: its start, midnights, starts of hours."""
    start = (promotion.from_ or datetime.min).astimezone(zone)
    yield is_in_force(promotion, start)
    for day in range(LONGEST_CHECKED.days + 2):
        midnight = datetime(start.year, start.month, start.day) + timedelta(days=day)
        clocks = [midnight.time(), *(window.starts for window in promotion.hours or ())]
        for clock in clocks:
            for moment in moments_of_wall_clock(datetime.combine(midnight, clock), zone):
                yield is_in_force(promotion, moment.astimezone(zone))


def _never_in_place(promotion: Promotion) -> str | None:
    if () in (promotion.stores, promotion.channels, promotion.regions):
        return "'stores', 'channels' or 'regions' lists nothing"
    if promotion.stores is not None and set(promotion.stores) <= set(promotion.not_stores or ()):
        return "all its stores stand in 'not_stores', too"
    return None


def _wrong_currency(promotion: Promotion, house: House) -> str | None:
    wrong = [c for c in promotion.when if isinstance(c, InCurrency) and c.codes and house.currency not in c.codes]
    return f"sales are in {house.currency}, and the condition 'currency' leaves that out" if wrong else None


def _needs(promotion: Promotion) -> list[Demand]:
    """Return what must hold beside its conditions: what the benefit needs, and a card for a limit per customer."""
    has_count = any(limit.per == "customer" for limit in promotion.limits)
    return [*needs_of(promotion.benefit), *([Demand(Member(True), "a limit per customer")] if has_count else [])]


def _gives_nothing(promotion: Promotion) -> str | None:
    if promotion.cap == 0:
        return "its cap is 0"
    if any(limit.uses == 0 or limit.budget == 0 for limit in promotion.limits):
        return "a limit allows no use at all"
    return "its benefit is 0" if _is_nothing(promotion.benefit) else None


def _is_nothing(benefit: Benefit) -> bool:
    if isinstance(benefit, Every | Bundle):
        given = benefit.give if isinstance(benefit, Every) else benefit.bundle
        return given.price is None and not given.percent and not given.amount
    return (
        (isinstance(benefit, PercentOff) and not benefit.percent)
        or (isinstance(benefit, AmountOff) and not benefit.amount)
        or (isinstance(benefit, BuyGet) and not benefit.buy_get.percent)
        or (isinstance(benefit, Tiers) and not any(step.percent or step.amount for step in benefit.tiers.steps))
    )


def _find_wrong_steps(promotion: Promotion, benefit: Tiers, house: House) -> Iterator[Finding]:
    steps = benefit.tiers.steps
    if any(after.from_ <= step.from_ for step, after in pairwise(steps)):
        yield warning(promotion, "steps of 'tiers' do not ascend; expected each 'from' to be more than the one before")
    ascending = sorted(steps, key=lambda step: step.from_)
    for step, after in pairwise(ascending):
        if said := _gives_no_more(after, step, promotion, benefit.tiers):
            yield warning(promotion, f"a higher step of 'tiers' gives {said}")
            break
    if contradiction(promotion.when, _needs(promotion), house.guards.never) is None:
        yield from _find_steps_out_of_reach(promotion, benefit, ascending)


def _find_steps_out_of_reach(promotion: Promotion, benefit: Tiers, ascending: list[Step]) -> Iterator[Finding]:
    for step in ascending:
        reached = Demand(step_reached(benefit, step.from_), "what the step needs")
        if reason := contradiction(promotion.when, [reached]):
            yield warning(promotion, f"a step of 'tiers' is never reached: {reason}")
            break
    for step, after in pairwise(ascending):
        reached_by = next((c for c in promotion.when if makes_sure(c, step_reached(benefit, after.from_))), None)
        if reached_by is not None and step.from_ < after.from_:
            yield warning(
                promotion, f"a step of 'tiers' is never used, as the condition '{reached_by.kind}' begins beyond it"
            )
            break


def _gives_no_more(after: Step, step: Step, promotion: Promotion, terms: TierTerms) -> str | None:
    """Say that a higher step gives no more than the one below, at list prices, or None where it does."""
    if _is_alike(after, step):
        before, now = (step.percent, after.percent) if step.amount is None else (step.amount, after.amount)
    elif terms.by == "spend" and terms.on in (None, terms.of):
        before, now = _worth(step, after.from_), _worth(after, after.from_)
    else:
        return None
    if before is not None and now is not None and now < before:
        return "less than the one below it"
    is_capped = promotion.cap is not None and terms.by == "spend" and _worth(step, step.from_) >= promotion.cap
    if is_capped and terms.on in (None, terms.of):
        return "no more than the one below it, which reaches the cap"
    return "no more than the one below it" if before == now and step.from_ < after.from_ else None


def _is_alike(one: Step, other: Step) -> bool:
    return (one.percent is None) == (other.percent is None)


def _worth(step: Step, spent: int) -> Fraction:
    return Fraction(step.amount or 0) if step.percent is None else step.percent * spent
