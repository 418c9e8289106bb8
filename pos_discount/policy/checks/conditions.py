"""Conditions compared without a basket: whether several can hold together, and whether one makes sure of another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pos_discount.policy.benefits import Benefit, Bundle, BuyGet, Every, Tiers
from pos_discount.policy.checks.products import is_empty, is_part_of
from pos_discount.policy.conditions import (
    AnyOf,
    Asked,
    Birthday,
    Bounded,
    Condition,
    Contains,
    Coupon,
    Distinct,
    Group,
    InCurrency,
    Member,
    NoneOf,
    Payment,
    Quantity,
    Segment,
    Spend,
    Tier,
    VisitNumber,
)

OneOfWords = Tier | Payment | InCurrency
AnyOfWords = Tier | Group | Coupon | Segment | Payment | InCurrency


def contradiction(conditions: Sequence[Condition]) -> str | None:
    """Say why conditions can never hold together, or None where they may."""
    plain = [part for condition in conditions for part in _parts(condition)]
    for position, condition in enumerate(plain):
        if reason := _never(condition):
            return reason
        for other in plain[:position]:
            if reason := _clash(condition, other) or _clash(other, condition):
                return reason
    without_choices = [condition for condition in plain if not isinstance(condition, AnyOf)]
    for condition in plain:
        if isinstance(condition, AnyOf) and all(contradiction([*without_choices, *c]) for c in condition.alternatives):
            return "none of the alternatives under 'any' can hold"
    return None


def makes_sure(condition: Condition, of: Condition) -> bool:
    """Tell whether one condition can only hold where another does."""
    if condition == of:
        return True
    if type(condition) is not type(of):
        return False
    if isinstance(condition, Bounded) and isinstance(of, Bounded):
        return _bounds_make_sure(condition, of)
    if isinstance(condition, AnyOfWords) and isinstance(of, AnyOfWords):
        return set(words_of(condition)) <= set(words_of(of))
    if isinstance(condition, Birthday) and isinstance(of, Birthday):
        return condition.days_before <= of.days_before and condition.days_after <= of.days_after
    return False


def words_of(condition: AnyOfWords) -> tuple[str, ...]:
    """Return the words of a condition of which one must hold."""
    words: tuple[str, ...] = getattr(condition, condition.shorthand or "")
    return words


def needs_of(benefit: Benefit) -> tuple[Condition, ...]:
    """Return what a basket must hold for a benefit to give anything, as conditions."""
    if isinstance(benefit, Every):
        return (Quantity(of=benefit.every.of, at_least=benefit.every.units),)
    if isinstance(benefit, BuyGet):
        terms = benefit.buy_get
        if terms.of_get is None:
            return (Quantity(of=terms.of, at_least=terms.buy + 1),)
        return (Quantity(of=terms.of, at_least=terms.buy), Quantity(of=terms.of_get, at_least=1))
    if isinstance(benefit, Bundle):
        return tuple(Quantity(of=part.of, at_least=part.units) for part in benefit.bundle.of)
    if isinstance(benefit, Tiers) and benefit.tiers.steps:
        lowest, terms_of = min(step.from_ for step in benefit.tiers.steps), benefit.tiers.of
        by_spend = benefit.tiers.by == "spend"
        return (Spend(of=terms_of, at_least=lowest) if by_spend else Quantity(of=terms_of, at_least=lowest),)
    return ()


def floor_of(condition: Bounded) -> int:
    """Return the least number that satisfies the lower bounds."""
    return condition.missing(0)


def ceiling_of(condition: Bounded) -> int | None:
    """Return the largest number that satisfies the upper bounds, or None where there are none."""
    below = None if condition.below is None else condition.below - 1
    return min((bound for bound in (condition.at_most, below, condition.exactly) if bound is not None), default=None)


def _parts(condition: Condition) -> Iterator[Condition]:
    """Yield a condition, or the bounds that it stands for."""
    if isinstance(condition, Contains):
        yield from (Quantity(of=products, at_least=1) for products in condition.ranges)
    else:
        yield condition


def _never(condition: Condition) -> str | None:
    if isinstance(condition, Bounded):
        return _never_within(condition)
    if isinstance(condition, AnyOfWords) and not words_of(condition):
        return f"the condition '{condition.kind}' lists nothing"
    if isinstance(condition, AnyOf) and not condition.alternatives:
        return "the condition 'any' lists nothing"
    if isinstance(condition, NoneOf) and any(_always(inner) for inner in condition.conditions):
        return "the condition 'not' rules out something that always holds"
    return None


def _never_within(condition: Bounded) -> str | None:
    floor, ceiling = floor_of(condition), ceiling_of(condition)
    if isinstance(condition, VisitNumber):
        every = condition.every or 1
        floor = -(-max(floor, 1) // every) * every
    if ceiling is not None and ceiling < floor:
        return f"no number satisfies all bounds of '{condition.kind}'"
    if isinstance(condition, Quantity | Spend | Distinct) and floor > 0 and is_empty(condition.of):
        return f"the range{_of(condition)} of '{condition.kind}' can hold no product"
    return None


def _always(condition: Condition) -> bool:
    is_counted = isinstance(condition, Quantity | Spend | Distinct)
    if is_counted and isinstance(condition, Bounded):
        return floor_of(condition) == 0 and ceiling_of(condition) is None
    return isinstance(condition, NoneOf) and not condition.conditions


def _clash(one: Condition, other: Condition) -> str | None:
    """Say why two conditions exclude each other, by the first one's lower bounds and the second's upper ones."""
    if isinstance(other, NoneOf) and (ruled_out := next((c for c in other.conditions if makes_sure(one, c)), None)):
        return f"'{one.kind}' is demanded, and '{ruled_out.kind}' is ruled out by 'not'"
    if isinstance(one, Bounded) and isinstance(other, Bounded) and _is_counted_within(one, other):
        ceiling = ceiling_of(other)
        if ceiling is not None and floor_of(one) > ceiling:
            return f"'{one.kind}'{_of(one)} must be more than '{other.kind}'{_of(other)} may be"
    if isinstance(one, Member) and isinstance(other, Member) and one.is_member != other.is_member:
        return "members and others are demanded at once"
    if isinstance(one, Asked) and isinstance(other, Asked) and one.has_asked != other.has_asked:
        return "'asked' is demanded to be yes and no at once"
    if isinstance(one, OneOfWords) and type(one) is type(other) and set(words_of(one)).isdisjoint(words_of(other)):
        return f"two conditions '{one.kind}' have no word in common"
    return None


def _is_counted_within(one: Bounded, other: Bounded) -> bool:
    """Tell whether the number that one condition looks at can never be more than the other's."""
    if isinstance(one, Spend) and isinstance(other, Spend):
        return one.counts == other.counts and is_part_of(one.of, other.of)
    if isinstance(one, Quantity | Distinct) and isinstance(other, Quantity | Distinct):
        is_at_most = isinstance(one, Distinct) or isinstance(other, Quantity)
        return is_at_most and is_part_of(one.of, other.of)
    return type(one) is type(other)


def _bounds_make_sure(condition: Bounded, of: Bounded) -> bool:
    floor, ceiling, own_ceiling = floor_of(of), ceiling_of(of), ceiling_of(condition)
    if isinstance(of, VisitNumber) and of.every is not None and getattr(condition, "every", None) != of.every:
        return False
    lower = floor == 0 or (floor_of(condition) >= floor and _is_counted_within(condition, of))
    is_bounded = ceiling is None or (own_ceiling is not None and own_ceiling <= ceiling)
    return lower and (ceiling is None or (is_bounded and _is_counted_within(of, condition)))


def _of(condition: Bounded) -> str:
    products = getattr(condition, "of", None)
    return f" of {products.name}" if products is not None and products.name else ""
