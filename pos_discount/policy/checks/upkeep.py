"""What a policy lacks for others to rely on it: examples, owners, sentences; and what lies about in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from pos_discount.policy.benefits import Every, GiftOf, PointsOf
from pos_discount.policy.checks.finding import Finding, advice, error, warning
from pos_discount.policy.conditions import AnyOf, Condition, Coupon
from pos_discount.policy.model import Limit, Place, Policy, Promotion
from pos_discount.policy.ranges import Range

FILLED_IN = frozenset(["amount", "total"])
NOT_AN_ID = ("base", "rungs")


def find_what_is_over(policy: Policy, now: datetime) -> Iterator[Finding]:
    """Find promotions that have ended."""
    for promotion in policy.promotions:
        if promotion.until is not None and promotion.until <= now:
            ended = promotion.until.astimezone(policy.house.time_zone).strftime("%Y-%m-%d %H:%M")
            yield warning(promotion, f"is over since {ended}; remove it or move 'until'")


def find_what_is_missing(policy: Policy) -> Iterator[Finding]:
    """Find missing examples, owners and sentences, unused ranges, shared coupons, limits and margins in vain."""
    yield from _find_missing_examples(policy)
    yield from _find_missing_words(policy)
    yield from _find_unused_ranges(policy)
    yield from _find_shared_coupons(policy.promotions)
    yield from _find_what_is_in_vain(policy)


def _find_missing_examples(policy: Policy) -> Iterator[Finding]:
    applying: set[str] = set()
    not_applying: set[str] = set()
    for example in policy.examples:
        for promotion_id, saving in example.saving_by_promotion.items():
            (not_applying if saving is None else applying).add(promotion_id)
    for promotion in policy.promotions:
        if promotion.id in NOT_AN_ID:
            yield error(promotion, f"the id '{promotion.id}' has a meaning of its own in examples; expected another")
            continue
        if promotion.id not in applying:
            yield error(promotion, f"no example where it applies; expected one with '{promotion.id}: AMOUNT'")
        if promotion.id not in not_applying:
            yield error(promotion, f"no example where it must not apply; expected one with '{promotion.id}: no'")


def _find_missing_words(policy: Policy) -> Iterator[Finding]:
    locales = sorted({locale for promotion in policy.promotions for locale in promotion.say})
    for promotion in policy.promotions:
        if promotion.owner is None:
            yield advice(promotion, "nobody answers for it; expected an 'owner'")
        lacking = [locale for locale in locales if locale not in promotion.say]
        if lacking and promotion.offer == "ladder":
            yield advice(
                promotion, f"no sentence to say in {', '.join(lacking)}, as others have; expected one in 'say'"
            )
        for locale, sentence in promotion.say.items():
            unknown = sorted(set(_BRACES.findall(sentence)) - FILLED_IN)
            if unknown:
                said = f"its sentence in {locale} has {{{unknown[0]}}}, which nothing fills in"
                yield warning(promotion, f"{said}; expected {{amount}} or {{total}}")


_BRACES = re.compile(r"\{([^{}]*)\}")


def _find_unused_ranges(policy: Policy) -> Iterator[Finding]:
    house = policy.house
    used = set(_names_in((*policy.promotions, house.guards, *house.margins)))
    for name in house.ranges:
        if name not in used:
            place = house.place_by_range.get(name, house.place)
            yield Finding("advice", place, f"the range '{name}' is not used; remove it, unless it is soon to be")


def _names_in(value: object) -> Iterator[str]:
    """Yield the names of all ranges within values, at whatever depth."""
    if isinstance(value, Range) and value.name is not None:
        yield value.name
    if isinstance(value, msgspec.Struct) and not isinstance(value, Place):
        for field in value.__struct_fields__:
            yield from _names_in(getattr(value, field))
    elif isinstance(value, tuple):
        for item in value:
            if not isinstance(item, str):
                yield from _names_in(item)


def _find_shared_coupons(promotions: Sequence[Promotion]) -> Iterator[Finding]:
    seen: list[tuple[str, Promotion]] = []
    for promotion in promotions:
        for code in sorted({code.casefold() for code in _coupons(promotion.when)}):
            twin = next(
                (other for earlier, other in seen if other is not promotion and _may_be_one(code, earlier)), None
            )
            if twin is not None:
                yield warning(promotion, f"its coupon '{code}' is also one of '{twin.id}'; a customer would claim both")
            seen.append((code, promotion))


def _coupons(conditions: Sequence[Condition]) -> Iterator[str]:
    for condition in conditions:
        if isinstance(condition, Coupon):
            yield from condition.codes
        elif isinstance(condition, AnyOf):
            for alternative in condition.alternatives:
                yield from _coupons(alternative)


def _may_be_one(code: str, other: str) -> bool:
    """Tell whether one coupon can match both codes, where ``*`` at the end matches the rest."""
    start, other_start = code.removesuffix("*"), other.removesuffix("*")
    if code.endswith("*") and other.endswith("*"):
        return start.startswith(other_start) or other_start.startswith(start)
    if code.endswith("*"):
        return other.startswith(start)
    return code.startswith(other_start) if other.endswith("*") else code == other


def _find_what_is_in_vain(policy: Policy) -> Iterator[Finding]:
    for promotion in policy.promotions:
        if _repeated(promotion.limits):
            yield warning(promotion, "two limits of the same sort, per and every; only the tighter one tells")
        benefit = promotion.benefit
        value = benefit.gift.value if isinstance(benefit, GiftOf) else None
        value = benefit.points.value if isinstance(benefit, PointsOf) else value
        if value == 0 and promotion.offer == "ladder":
            yield warning(promotion, "never offered, as its 'value' is 0 and a rung must make the customer better off")
        if isinstance(benefit, Every) and benefit.give.units > 1 and benefit.to not in ("cheapest", "dearest"):
            yield warning(promotion, "'units' of 'give' says nothing but beside 'to: cheapest' or 'to: dearest'")
        if promotion.hours and any(window.starts == window.ends for window in promotion.hours):
            yield advice(
                promotion, "hours that end when they begin last a whole day; leave 'hours' out if that is meant"
            )
    margins = policy.house.margins
    if any(margin.of is None for margin in margins[:-1]):
        yield Finding(
            "warning", policy.house.place, "a margin without 'of' fits everything, so those after it never count"
        )


def _repeated(limits: Sequence[Limit]) -> bool:
    sorts = [(limit.per, limit.every, limit.uses is None) for limit in limits]
    return len(sorts) != len(set(sorts))
