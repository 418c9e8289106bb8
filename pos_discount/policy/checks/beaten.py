"""Promotions that nobody ever gets because another one always gives at least as much in their place.

Only an advertised discount beats others in this way: it is owed, so whatever it excludes must save more to come into
force. On the ladder a smaller discount is no fault but a rung; there only twins are found, of which one is never named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from pos_discount.policy.benefits import (
    AmountOff,
    Benefit,
    Bundle,
    BundleTerms,
    BuyGet,
    Every,
    GroupGift,
    PercentOff,
    UnitPrice,
)
from pos_discount.policy.checks.conditions import makes_sure
from pos_discount.policy.checks.finding import Finding, warning
from pos_discount.policy.checks.products import is_part_of
from pos_discount.policy.model import Policy, Promotion


def find_what_is_beaten(policy: Policy) -> Iterator[Finding]:
    """Find promotions that are always beaten by an advertised one, and twins on the ladder."""
    advertised_by_kind: dict[str, list[Promotion]] = {}
    for promotion in policy.promotions:
        if promotion.offer == "automatic":
            advertised_by_kind.setdefault(promotion.benefit.kind, []).append(promotion)
    for promotion in policy.promotions:
        for other in advertised_by_kind.get(promotion.benefit.kind, ()):  # no other kind can be compared
            if _is_beaten(promotion, other, policy):
                said = f"always beaten by '{other.id}', which gives as much wherever this applies and excludes it"
                yield warning(promotion, said)
                break
    yield from _find_twins(policy.promotions)


def _is_beaten(promotion: Promotion, other: Promotion, policy: Policy) -> bool:
    return (
        promotion.id != other.id
        and not promotion.combines(other)
        and _goes_first(other, promotion, policy)
        and _saves_as_much(other, promotion)
        and _applies_wherever(other, promotion)
        and _keeps_company(other, promotion, policy.promotions)
    )


def _goes_first(other: Promotion, promotion: Promotion, policy: Policy) -> bool:
    """Tell whether the other is preferred where both save the same, or, by priority, whatever they save."""
    is_first = (other.priority, other.id) < (promotion.priority, promotion.id)
    if policy.house.resolve == "priority":  # one of the ladder can be claimed, and then is taken in its turn
        return is_first
    return is_first or not (_saves_as_much(promotion, other) and _applies_wherever(promotion, other))


def _applies_wherever(other: Promotion, promotion: Promotion) -> bool:
    """Tell whether the other applies whenever and wherever the promotion does."""
    return (
        not other.limits
        and (other.from_ is None or (promotion.from_ is not None and other.from_ <= promotion.from_))
        and (other.until is None or (promotion.until is not None and promotion.until <= other.until))
        and _is_among(promotion.weekdays, other.weekdays)
        and _keeps_hours(other, promotion)
        and _is_among(promotion.stores, other.stores)
        and set(other.not_stores or ()) <= set(promotion.not_stores or ())
        and _is_among(promotion.channels, other.channels)
        and _is_among(promotion.regions, other.regions)
        and all(any(makes_sure(own, condition) for own in promotion.when) for condition in other.when)
    )


def _keeps_hours(other: Promotion, promotion: Promotion) -> bool:
    """Tell whether the other's hours hold when the promotion's do; past midnight they reach into the next day."""
    if other.hours is not None:
        return other.hours == promotion.hours
    is_by_day = all(window.starts < window.ends for window in promotion.hours or ())
    return other.weekdays is None or is_by_day


def _is_among(words: Sequence[str] | None, others: Sequence[str] | None) -> bool:
    return others is None or (words is not None and set(words) <= set(others))


def _saves_as_much(other: Promotion, promotion: Promotion) -> bool:
    """Tell whether the other's benefit, applied, saves at least as much on every basket."""
    if other.cap is not None and (promotion.cap is None or promotion.cap > other.cap):
        return False
    return other.benefit == promotion.benefit or _gives_as_much(other.benefit, promotion.benefit)


def _gives_as_much(other: Benefit, benefit: Benefit) -> bool:
    if isinstance(other, PercentOff) and isinstance(benefit, PercentOff):
        is_wider = other.units is None or (other.units == benefit.units and other.of == benefit.of)
        return is_wider and other.percent >= benefit.percent and is_part_of(benefit.of, other.of)
    if isinstance(other, AmountOff) and isinstance(benefit, AmountOff):
        is_alike = (other.each, other.units, other.of) == (benefit.each, benefit.units, benefit.of)
        return is_alike and other.amount >= benefit.amount
    if isinstance(other, UnitPrice) and isinstance(benefit, UnitPrice):
        is_alike = (other.units, other.of) == (benefit.units, benefit.of)
        return is_alike and other.unit_price <= benefit.unit_price
    if isinstance(other, BuyGet) and isinstance(benefit, BuyGet):
        terms = replace(benefit.buy_get, percent=other.buy_get.percent)
        return terms == other.buy_get and other.buy_get.percent >= benefit.buy_get.percent
    if isinstance(other, Every) and isinstance(benefit, Every):
        same = replace(benefit.give, percent=other.give.percent, amount=other.give.amount, price=other.give.price)
        return other.every == benefit.every and other.give == same and _is_better(other.give, benefit.give)
    if isinstance(other, Bundle) and isinstance(benefit, Bundle):
        bundle, own = other.bundle, benefit.bundle
        same_parts = replace(own, percent=bundle.percent, amount=bundle.amount, price=bundle.price)
        return bundle == same_parts and _is_better(bundle, own)
    return False


def _is_better(other: GroupGift | BundleTerms, given: GroupGift | BundleTerms) -> bool:
    """Tell whether one gives as much as another for the same units, both by percentage, by amount or by price."""
    if other.percent is not None and given.percent is not None:
        return other.percent >= given.percent
    if other.amount is not None and given.amount is not None:
        return other.amount >= given.amount
    return other.price is not None and given.price is not None and other.price <= given.price


def _keeps_company(other: Promotion, promotion: Promotion, promotions: Sequence[Promotion]) -> bool:
    """Tell whether no set of promotions needs this one: the other stands with the same, and has its turn with them."""
    company = [third for third in promotions if third.id not in (other.id, promotion.id) and promotion.combines(third)]
    has_same_turn = other.priority == promotion.priority or not company
    return has_same_turn and all(other.combines(third) for third in company)


def _find_twins(promotions: Sequence[Promotion]) -> Iterator[Finding]:
    ladder = [promotion for promotion in promotions if promotion.offer == "ladder"]
    for position, promotion in enumerate(ladder):
        twin = next((other for other in ladder[:position] if _are_twins(promotion, other)), None)
        if twin is not None:
            yield warning(promotion, f"gives the same as '{twin.id}' under the same conditions; only one is ever named")


def _are_twins(promotion: Promotion, other: Promotion) -> bool:
    return (
        promotion.benefit == other.benefit
        and promotion.cap == other.cap
        and not promotion.combines(other)
        and _applies_wherever(promotion, other)
        and _applies_wherever(other, promotion)
    )
