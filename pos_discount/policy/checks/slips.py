"""Numbers that can be meant and mostly are not: a share written for a percentage, a value and a cost exchanged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

import msgspec

from pos_discount.money import format_money, format_percent
from pos_discount.policy.benefits import Gift, Points
from pos_discount.policy.checks.finding import Finding, warning
from pos_discount.policy.model import Policy, Promotion

ONE_PERCENT = Fraction(1, 100)


def find_slips(policy: Policy) -> Iterator[Finding]:
    """Find percentages below one, which a share such as 0.15 is read as, and presents that cost more than they give."""
    house = policy.house
    for key, percent in _percents_in((house.guards, house.margins, house.holdout)):
        if 0 < percent < ONE_PERCENT:
            yield Finding("warning", house.place, _as_a_share(key, percent))
    for promotion in policy.promotions:
        for key, percent in (*_percents_in(promotion.benefit), ("funded", promotion.funded)):
            if 0 < percent < ONE_PERCENT:
                yield warning(promotion, _as_a_share(key, percent))
        yield from _find_dear_presents(promotion, house.currency_digits)


def _as_a_share(key: str, percent: Fraction) -> str:
    return f"'{key}' is {format_percent(percent)}, less than one percent; did you mean {format_percent(100 * percent)}?"


def _percents_in(value: object, key: str = "") -> Iterator[tuple[str, Fraction]]:
    """Yield every percentage within values, with the key under which it stands."""
    if isinstance(value, Fraction):
        yield key, value
    elif isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            yield from _percents_in(getattr(value, field), field)
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _percents_in(inner, str(name))
    elif isinstance(value, tuple):
        for inner in value:
            yield from _percents_in(inner, key)


def _find_dear_presents(promotion: Promotion, digits: int) -> Iterator[Finding]:
    present = getattr(promotion.benefit, promotion.benefit.kind)
    if isinstance(present, Gift | Points) and 0 < present.value < present.cost:
        cost, value = format_money(present.cost, digits), format_money(present.value, digits)
        said = f"costs the house {cost} and is worth {value} to the customer, to whom the money could be given instead"
        yield warning(promotion, f"{said}; are 'value' and 'cost' the wrong way round?")
