"""What is written in a promotion and changes nothing, or keeps it from ever being named."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from pos_discount.money import format_money
from pos_discount.policy.benefits import AmountOff, Every, Gift, GiftOf, Points, PointsOf
from pos_discount.policy.checks.finding import Finding, advice, error, warning
from pos_discount.policy.conditions import (
    Birthday,
    Coupon,
    DaysSinceLastVisit,
    Group,
    Member,
    Segment,
    Tier,
    VisitNumber,
)
from pos_discount.policy.model import Limit, Policy, Promotion

OfACustomer = Tier | Group | Birthday | VisitNumber | DaysSinceLastVisit | Segment
WITHIN = {"day": ("week", "month", "year", "ever"), "week": ("ever",), "month": ("year", "ever"), "year": ("ever",)}
"""The periods that each period is a part of; a week may lie in two months, and in two years."""


def find_what_is_in_vain(policy: Policy) -> Iterator[Finding]:
    """Find limits, shares and sentences that say nothing, and promotions too small to be named or paid for."""
    for promotion in policy.promotions:
        yield from _find_idle_limits(promotion)
        yield from _find_what_is_too_small(promotion, policy)
        yield from _find_what_does_not_fit_a_budget(promotion, policy.house.currency_digits)
        yield from _find_idle_keys(promotion)
        if _present_of(promotion) is not None:
            yield from _find_what_is_lost_on_a_present(promotion)
        if _gives_points_to_anybody(promotion):
            yield warning(promotion, "points go to customers without a card, too; expected 'member: yes' in 'when'")


def _find_idle_limits(promotion: Promotion) -> Iterator[Finding]:
    for one, other in combinations(promotion.limits, 2):
        if one.per != other.per or (one.uses is None) != (other.uses is None):
            continue
        if one.every == other.every:
            yield warning(promotion, "two limits of the same sort, per and every; only the tighter one tells")
        elif _is_idle(one, other) or _is_idle(other, one):
            shorter, longer = (one, other) if _is_idle(one, other) else (other, one)
            said = f"its limit per {one.per} and {shorter.every} never tells"
            yield warning(promotion, f"{said}, as the one for {_period(longer)} allows no more")


def _find_idle_keys(promotion: Promotion) -> Iterator[Finding]:
    benefit = promotion.benefit
    if isinstance(benefit, Every) and benefit.give.units > 1 and benefit.to not in ("cheapest", "dearest"):
        yield warning(promotion, "'units' of 'give' says nothing but beside 'to: cheapest' or 'to: dearest'")
    if promotion.hours and any(window.starts == window.ends for window in promotion.hours):
        yield advice(promotion, "hours that end when they begin last a whole day; leave 'hours' out if that is meant")


def _is_idle(limit: Limit, other: Limit) -> bool:
    """Tell whether a limit allows in its period at least what the other allows in one that holds it."""
    return other.every in WITHIN.get(limit.every, ()) and _allowance(limit) >= _allowance(other)


def _allowance(limit: Limit) -> int:
    return (limit.budget or 0) if limit.uses is None else limit.uses


def _period(limit: Limit) -> str:
    return "its whole life" if limit.every == "ever" else f"every {limit.every}"


def _find_what_is_too_small(promotion: Promotion, policy: Policy) -> Iterator[Finding]:
    """Find ladder promotions that are less than a step, where nothing else can make more of a rung of theirs."""
    is_claimed = promotion.offer != "ladder" or any(isinstance(condition, Coupon) for condition in promotion.when)
    most, least = _most_worth(promotion), policy.house.ladder.min_step or 1
    if is_claimed or most is None or most >= least or _may_bring_more(promotion, policy):
        return
    if most == 0:
        yield warning(promotion, "never offered, as its 'value' is 0 and a rung must make the customer better off")
    else:
        digits = policy.house.currency_digits
        said = f"never offered, as it is worth at most {format_money(most, digits)}"
        yield warning(promotion, f"{said} and the house's min_step is {format_money(least, digits)}")


def _may_bring_more(promotion: Promotion, policy: Policy) -> bool:
    """Tell whether its rung may be worth more than itself: by another of the ladder in it, or by what is owed, which at
    base need not be worth most where it was taken by priority or gives presents, as money goes first there.
    """
    others = [other for other in policy.promotions if other.id != promotion.id]
    has_company = any(other.offer == "ladder" and promotion.combines(other) for other in others)
    has_owed_presents = any(other.offer != "ladder" and _present_of(other) is not None for other in others)
    return has_company or has_owed_presents or policy.house.resolve == "priority"


def _most_worth(promotion: Promotion) -> int | None:
    """Return the most that one use can be worth to a customer, in minor units; None where that depends on the basket,
    or where it is 0 for other reasons than a present's."""
    present, benefit = _present_of(promotion), promotion.benefit
    if present is not None:
        return present.value
    amount = benefit.amount if isinstance(benefit, AmountOff) and benefit.each == "basket" else None
    return min((bound for bound in (amount, promotion.cap) if bound), default=None)


def _find_what_does_not_fit_a_budget(promotion: Promotion, digits: int) -> Iterator[Finding]:
    budget = min((limit.budget for limit in promotion.limits if limit.budget), default=None)
    present, benefit = _present_of(promotion), promotion.benefit
    if budget is None:
        return
    held = f"a budget of {format_money(budget, digits)} does not hold one use"
    if present is not None and present.cost > budget:
        yield error(promotion, f"can never apply: {held}, which costs {format_money(present.cost, digits)}")
    if isinstance(benefit, AmountOff) and benefit.each == "basket":
        saving = benefit.amount if promotion.cap is None else min(benefit.amount, promotion.cap)
        if saving * (1 - promotion.funded) > budget:
            yield warning(promotion, f"{held}, and a use that does not fit is not given")


def _find_what_is_lost_on_a_present(promotion: Promotion) -> Iterator[Finding]:
    """Find what has no meaning beside a gift or points, which take nothing off a price."""
    if promotion.funded:
        yield warning(promotion, "'funded' says nothing of a gift or points, whose 'cost' is all the house's")
    if promotion.cap:
        yield warning(promotion, "'cap' says nothing of a gift or points, which take nothing off")
    for locale, sentence in promotion.say.items():
        if "{amount}" in sentence:
            said = f"its sentence in {locale} has {{amount}}, which is 0 for a gift or points"
            yield warning(promotion, f"{said}; write what the customer gets")


def _gives_points_to_anybody(promotion: Promotion) -> bool:
    """Tell whether its points may find no card to be put on."""
    if not isinstance(promotion.benefit, PointsOf) or not promotion.benefit.points.value:
        return False
    is_counted = any(limit.per == "customer" for limit in promotion.limits)
    return not is_counted and not any(
        isinstance(condition, OfACustomer) or (isinstance(condition, Member) and condition.is_member)
        for condition in promotion.when
    )


def _present_of(promotion: Promotion) -> Gift | Points | None:
    benefit = promotion.benefit
    if isinstance(benefit, GiftOf):
        return benefit.gift
    return benefit.points if isinstance(benefit, PointsOf) else None
