"""Promotions that can never apply, and steps of tiers that are never reached."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from pos_discount.policy.benefits import AmountOff, Benefit, BuyGet, Every, PercentOff, Step, Tiers
from pos_discount.policy.checks.conditions import ceiling_of, contradiction, floor_of, needs_of
from pos_discount.policy.checks.finding import Finding, error, warning
from pos_discount.policy.checks.products import is_empty, is_part_of
from pos_discount.policy.conditions import InCurrency, Quantity, Spend
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
            yield from _find_wrong_steps(promotion, promotion.benefit)


def _reasons(promotion: Promotion, house: House) -> Iterator[str]:
    """Yield why a promotion can never apply, one reason of each sort."""
    for reason in (
        _never_in_force(promotion, house.time_zone),
        _never_in_place(promotion),
        contradiction((*promotion.when, *needs_of(promotion.benefit))),
        _wrong_currency(promotion, house),
        _gives_nothing(promotion),
        _nothing_to_give_it_on(promotion, house),
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


def _gives_nothing(promotion: Promotion) -> str | None:
    if promotion.cap == 0:
        return "its cap is 0"
    if any(limit.uses == 0 or limit.budget == 0 for limit in promotion.limits):
        return "a limit allows no use at all"
    return "its benefit is 0" if _is_nothing(promotion.benefit) else None


def _is_nothing(benefit: Benefit) -> bool:
    if isinstance(benefit, Every):
        return benefit.give.price is None and not benefit.give.percent and not benefit.give.amount
    return (
        (isinstance(benefit, PercentOff) and not benefit.percent)
        or (isinstance(benefit, AmountOff) and not benefit.amount)
        or (isinstance(benefit, BuyGet) and not benefit.buy_get.percent)
        or (isinstance(benefit, Tiers) and not any(step.percent or step.amount for step in benefit.tiers.steps))
    )


def _nothing_to_give_it_on(promotion: Promotion, house: House) -> str | None:
    targets = promotion.benefit.targets()
    if targets and all(is_empty(products) for products in targets):
        return "the range of its benefit can hold no product"
    never = house.guards.never
    if targets and never is not None and all(is_part_of(products, never) for products in targets):
        return "all products that it would make cheaper are in the guard 'never'"
    return None


def _find_wrong_steps(promotion: Promotion, benefit: Tiers) -> Iterator[Finding]:
    steps = benefit.tiers.steps
    if any(after.from_ <= step.from_ for step, after in pairwise(steps)):
        yield warning(promotion, "steps of 'tiers' do not ascend; expected each 'from' to be more than the one before")
    ascending = sorted(steps, key=lambda step: step.from_)
    if any(_gives_less(after, step) for step, after in pairwise(ascending)):
        yield warning(promotion, "a higher step of 'tiers' gives less than the one below it")
    kind = Spend if benefit.tiers.by == "spend" else Quantity
    bounds = [c for c in promotion.when if isinstance(c, kind) and c.of == benefit.tiers.of]
    ceiling = min((top for c in bounds if (top := ceiling_of(c)) is not None), default=None)
    floor = max((floor_of(c) for c in bounds), default=0)
    if ceiling is not None and any(step.from_ > ceiling for step in steps):
        yield warning(promotion, f"a step of 'tiers' is never reached, as the condition '{kind.kind}' ends before it")
    if sum(step.from_ <= floor for step in steps) > 1:
        yield warning(promotion, f"a step of 'tiers' is never used, as the condition '{kind.kind}' begins beyond it")


def _gives_less(step: Step, than: Step) -> bool:
    if step.percent is not None and than.percent is not None:
        return step.percent < than.percent
    return step.amount is not None and than.amount is not None and step.amount < than.amount
