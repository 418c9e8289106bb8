"""An entry: a promotion as it stands in the order of application, with all that is worth computing once of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

import msgspec

from pos_discount.policy.conditions import AnyOf, Condition, Coupon, SpendCounts
from pos_discount.policy.model import Promotion
from pos_discount.policy.ranges import Range


class Entry(msgspec.Struct, frozen=True, eq=False):
    """A promotion at its position in the order of application.

    It is in force from ``begins`` until before ``ends`` (POSIX seconds). ``funded`` is the part of its saving that a
    supplier pays, None for none; ``allowed`` are the stacking classes and words that it combines with. Its dynamic
    conditions, unlike its fixed ones, go by what earlier promotions left, and ``is_dynamic`` tells whether anything of
    it does. ``present_value`` is what its gifts and points are worth, in minor units. ``target_slots`` are the slots of
    the ranges that get cheaper, ``footprint`` those on whose lines it and others can change each other's result,
    ``slots`` all that it names.
    """

    position: int
    promotion: Promotion
    begins: float
    ends: float
    funded: Fraction | None
    is_for_ladder: bool
    stacking_class: str
    allowed: frozenset[str]
    allows_all: bool
    can_combine: bool
    coupons: tuple[Coupon, ...]
    dynamic_conditions: tuple[Condition, ...]
    fixed_conditions: tuple[Condition, ...]
    uses_units: bool
    chooses_units: bool
    is_dynamic: bool
    present_value: int
    target_slots: tuple[int, ...]
    footprint: frozenset[int]
    slots: frozenset[int]

    def combines(self, other: Entry) -> bool:
        """Tell whether both promotions may be given together."""
        return (self.allows_all or other.stacking_class in self.allowed) and (
            other.allows_all or self.stacking_class in other.allowed
        )


def entry_of(
    position: int, promotion: Promotion, spend_counts: SpendCounts, slot: Callable[[Range | None], int]
) -> Entry:
    """Work out a promotion's entry; ``slot`` gives the slot of a range, or of the whole basket for None."""
    benefit, allowed = promotion.benefit, frozenset(promotion.combines_with)
    dynamic = tuple(c for c in promotion.when if c.depends_on_what_is_left(spend_counts))
    has_budget = any(limit.budget is not None for limit in promotion.limits)
    benefit_slots = frozenset(slot(of) for of in _ranges_in(benefit))
    return Entry(
        position=position,
        promotion=promotion,
        begins=-math.inf if promotion.from_ is None else promotion.from_.timestamp(),
        ends=math.inf if promotion.until is None else promotion.until.timestamp(),
        funded=promotion.funded or None,
        is_for_ladder=promotion.offer == "ladder",
        stacking_class=promotion.stacking_class,
        allowed=allowed,
        allows_all="all" in allowed,
        can_combine=allowed != {"none"},
        coupons=tuple(_coupons(promotion.when)),
        dynamic_conditions=dynamic,
        fixed_conditions=tuple(c for c in promotion.when if not c.depends_on_what_is_left(spend_counts)),
        uses_units=benefit.uses_units,
        chooses_units=benefit.chooses_units(),
        is_dynamic=bool(dynamic) or has_budget or benefit.depends_on_what_is_left(spend_counts),
        present_value=benefit.present_value(),
        target_slots=tuple(slot(of) for of in benefit.targets()),
        footprint=benefit_slots.union(slot(of) for c in dynamic for of in _ranges_in(c)),
        slots=benefit_slots.union(slot(of) for c in promotion.when for of in _ranges_in(c)),
    )


def _ranges_in(value: object) -> Iterator[Range | None]:
    """Yield every range that a condition or benefit names, None for each that is left out and so means the whole
    basket."""
    if isinstance(value, Range):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _ranges_in(item)
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            inner = getattr(value, name)
            if name == "of" and inner is None:
                yield None
            else:
                yield from _ranges_in(inner)


def _coupons(conditions: Iterable[Condition]) -> Iterator[Coupon]:
    """Yield the coupon conditions, those under ``any`` included; one under ``not`` rules out, so it claims nothing."""
    for condition in conditions:
        if isinstance(condition, Coupon):
            yield condition
        elif isinstance(condition, AnyOf):
            for alternative in condition.alternatives:
                yield from _coupons(alternative)
