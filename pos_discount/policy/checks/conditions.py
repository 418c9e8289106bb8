"""Conditions compared without a basket: whether several can hold together, and whether one makes sure of another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pos_discount.policy.benefits import Benefit, Bundle, BuyGet, Every, Tiers
from pos_discount.policy.checks.products import is_empty, is_part_of, most_skus
from pos_discount.policy.conditions import (
    AnyOf,
    Asked,
    Attribute,
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
from pos_discount.policy.ranges import Range

OneOfWords = Tier | Payment | InCurrency
AnyOfWords = Tier | Group | Coupon | Segment | Payment | InCurrency
CountOfUnits = Quantity | Distinct


class Demand(NamedTuple):
    """A condition that must hold, and what asks for it, in words."""

    condition: Condition
    asked_by: str


def contradiction(
    conditions: Sequence[Condition], needs: Sequence[Demand] = (), never: Range | None = None
) -> str | None:
    """Say why conditions, and what else is needed, can never hold together, or None where they may; what is in
    ``never`` counts nowhere."""
    return _why_never([*_demands(conditions), *needs], never)


def makes_sure(condition: Condition, of: Condition) -> bool:
    """Tell whether one condition can only hold where another does."""
    if isinstance(of, Contains):
        return all(makes_sure(condition, part) for part in _parts(of))
    return condition == of or any(_makes_sure(part, of) for part in _parts(condition))


def words_wanted(condition: AnyOfWords) -> tuple[str, ...]:
    """Return the words of a condition of which one must hold."""
    words: tuple[str, ...] = getattr(condition, condition.shorthand or "")
    return words


def needs_of(benefit: Benefit) -> tuple[Demand, ...]:
    """Return what a basket must hold for a benefit to give anything."""
    return tuple(Demand(condition, "what the benefit needs") for condition in _conditions_of(benefit))


def _conditions_of(benefit: Benefit) -> Iterator[Condition]:
    if isinstance(benefit, Every):
        yield Quantity(of=benefit.every.of, at_least=benefit.every.units)
    elif isinstance(benefit, BuyGet):
        terms = benefit.buy_get
        yield Quantity(of=terms.of, at_least=terms.buy + (terms.of_get is None))
        yield Quantity(of=terms.of_get or terms.of, at_least=1)
    elif isinstance(benefit, Bundle):
        yield from (Quantity(of=part.of, at_least=part.units) for part in benefit.bundle.of)
    else:
        if isinstance(benefit, Tiers) and benefit.tiers.steps:
            yield step_reached(benefit, min(step.from_ for step in benefit.tiers.steps))
        yield from (Quantity(of=products, at_least=1) for products in benefit.targets())


def step_reached(benefit: Tiers, from_: int) -> Quantity | Spend:
    """Return the condition that a step of tiers stands for: so many units, or minor units spent."""
    kind = Spend if benefit.tiers.by == "spend" else Quantity
    return kind(of=benefit.tiers.of, at_least=from_)


def floor_of(condition: Bounded) -> int:
    """Return the least number that satisfies the lower bounds."""
    return condition.missing(0)


def ceiling_of(condition: Bounded) -> int | None:
    """Return the largest number that satisfies the upper bounds, or None where there are none."""
    below = None if condition.below is None else condition.below - 1
    return min((bound for bound in (condition.at_most, below, condition.exactly) if bound is not None), default=None)


def _demands(conditions: Sequence[Condition]) -> list[Demand]:
    """Return conditions and what follows from each, every one called as it was written."""
    return [Demand(part, f"'{condition.kind}'") for condition in conditions for part in _parts(condition)]


def _parts(condition: Condition) -> Iterator[Condition]:
    """Yield a condition, unless plainer ones say the same, and those that follow from it."""
    if isinstance(condition, Contains):
        yield from (Quantity(of=products, at_least=1) for products in condition.ranges)
        return
    yield condition
    if isinstance(condition, Spend) and floor_of(condition) > 0:
        yield Quantity(of=condition.of, at_least=1)
    if isinstance(condition, NoneOf):
        yield from (Member(not inner.is_member) for inner in condition.conditions if isinstance(inner, Member))
        yield from (Asked(not inner.has_asked) for inner in condition.conditions if isinstance(inner, Asked))


def _makes_sure(condition: Condition, of: Condition) -> bool:
    """Tell whether one plain condition makes sure of another."""
    if isinstance(condition, CountOfUnits) and isinstance(of, CountOfUnits):
        return _bounds_make_sure(condition, of)
    if condition == of or type(condition) is not type(of):
        return condition == of
    if isinstance(condition, Bounded) and isinstance(of, Bounded):
        return _bounds_make_sure(condition, of)
    if isinstance(condition, AnyOfWords) and isinstance(of, AnyOfWords):
        return set(words_wanted(condition)) <= set(words_wanted(of))
    if isinstance(condition, Attribute) and isinstance(of, Attribute):
        return (condition.of, condition.name) == (of.of, of.name) and set(condition.is_) <= set(of.is_)
    if isinstance(condition, Birthday) and isinstance(of, Birthday):
        return condition.days_before <= of.days_before and condition.days_after <= of.days_after
    return False


def _why_never(demands: Sequence[Demand], never: Range | None) -> str | None:
    for position, demand in enumerate(demands):
        if reason := _never(demand, never):
            return reason
        for other in demands[:position]:
            if reason := _clash(demand, other) or _clash(other, demand):
                return reason
    without_choices = [demand for demand in demands if not isinstance(demand.condition, AnyOf)]
    for demand in demands:
        if isinstance(demand.condition, AnyOf) and all(
            _why_never([*without_choices, *_demands(choice)], never) for choice in demand.condition.alternatives
        ):
            return "none of the alternatives under 'any' can hold"
    return None


def _never(demand: Demand, never: Range | None) -> str | None:
    condition = demand.condition
    if isinstance(condition, Bounded):
        return _never_within(condition, demand.asked_by, never)
    if isinstance(condition, AnyOfWords) and not words_wanted(condition):
        return f"the condition '{condition.kind}' lists nothing"
    if isinstance(condition, AnyOf) and not condition.alternatives:
        return "the condition 'any' lists nothing"
    if isinstance(condition, NoneOf) and any(_always(inner) for inner in condition.conditions):
        return "the condition 'not' rules out something that always holds"
    return None


def _never_within(condition: Bounded, asked_by: str, never: Range | None) -> str | None:
    floor, ceiling = floor_of(condition), ceiling_of(condition)
    if isinstance(condition, VisitNumber):
        every = condition.every or 1
        floor = -(-max(floor, 1) // every) * every
    if ceiling is not None and ceiling < floor:
        return f"no number satisfies all bounds of '{condition.kind}'"
    if not isinstance(condition, Quantity | Spend | Distinct) or floor == 0:
        return None
    if is_empty(condition.of):
        return f"the range{_named(condition)} of {asked_by} can hold no product"
    if never is not None and is_part_of(condition.of, never):
        return f"the range{_named(condition)} of {asked_by} is in the guard 'never', whose products count nowhere"
    most = most_skus(condition.of)
    if isinstance(condition, Distinct) and most is not None and most < floor:
        return f"'distinct'{_of(condition)} asks for {floor} different skus, and its range names {most}"
    return None


def _always(condition: Condition) -> bool:
    is_counted = isinstance(condition, Quantity | Spend | Distinct)
    if is_counted and isinstance(condition, Bounded):
        return floor_of(condition) == 0 and ceiling_of(condition) is None
    return isinstance(condition, NoneOf) and not condition.conditions


def _clash(demand: Demand, against: Demand) -> str | None:
    """Say why two demands exclude each other, by the first one's lower bounds and the second's upper ones."""
    one, other = demand.condition, against.condition
    if isinstance(other, NoneOf) and (ruled_out := next((c for c in other.conditions if makes_sure(one, c)), None)):
        if demand.asked_by == "'not'":
            return f"'not' rules out both answers of '{ruled_out.kind}'"
        return f"{demand.asked_by} is demanded, and '{ruled_out.kind}' is ruled out by 'not'"
    if isinstance(one, Bounded) and isinstance(other, Bounded) and _is_counted_within(one, other):
        ceiling = ceiling_of(other)
        if ceiling is not None and floor_of(one) > ceiling:
            return f"{demand.asked_by}{_of(one)} must be more than {against.asked_by}{_of(other)} may be"
    if isinstance(one, Member) and isinstance(other, Member) and one.is_member != other.is_member:
        by = f", by {demand.asked_by} and {against.asked_by}" if demand.asked_by != against.asked_by else ""
        return f"members and others are demanded at once{by}"
    if isinstance(one, Asked) and isinstance(other, Asked) and one.has_asked != other.has_asked:
        return "'asked' is demanded to be yes and no at once"
    if (
        isinstance(one, OneOfWords)
        and type(one) is type(other)
        and set(words_wanted(one)).isdisjoint(words_wanted(other))
    ):
        return f"two conditions '{one.kind}' have no word in common"
    return None


def _is_counted_within(one: Bounded, other: Bounded) -> bool:
    """Tell whether the number that one condition looks at can never be more than the other's."""
    if isinstance(one, Spend) and isinstance(other, Spend):
        return one.counts == other.counts and is_part_of(one.of, other.of)
    if isinstance(one, CountOfUnits) and isinstance(other, CountOfUnits):
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
    return f" of {name}" if (name := _name_of(condition)) else ""


def _named(condition: Bounded) -> str:
    return f" '{name}'" if (name := _name_of(condition)) else ""


def _name_of(condition: Bounded) -> str | None:
    products: Range | None = getattr(condition, "of", None)
    return None if products is None else products.name
