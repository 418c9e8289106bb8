"""An entry: a promotion as it stands in the order of application, with all that is worth computing once of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

import msgspec

from pos_discount.policy.conditions import AnyOf, Condition, Coupon, SpendCounts
from pos_discount.policy.model import Promotion
from pos_discount.policy.ranges import Range


class Entry:
    """A promotion at its position. ``slot`` gives the slot of a range; `footprint` are the slots on whose lines it and
    others can change each other's result, ``slots`` all that it names."""

    __slots__ = (
        "allowed",
        "allows_all",
        "begins",
        "can_combine",
        "chooses_units",
        "coupons",
        "dynamic_conditions",
        "ends",
        "fixed_conditions",
        "footprint",
        "funded",
        "is_dynamic",
        "is_for_ladder",
        "position",
        "present_value",
        "promotion",
        "slots",
        "stacking_class",
        "target_slots",
        "uses_units",
    )

    def __init__(
        self, position: int, promotion: Promotion, spend_counts: SpendCounts, slot: Callable[[Range | None], int]
    ) -> None:
        self.position = position
        self.promotion = promotion
        self.begins = -math.inf if promotion.from_ is None else promotion.from_.timestamp()
        self.ends = math.inf if promotion.until is None else promotion.until.timestamp()
        self.funded = promotion.funded or None
        self.is_for_ladder = promotion.offer == "ladder"
        self.stacking_class = promotion.stacking_class
        self.allows_all = "all" in promotion.combines_with
        self.allowed = frozenset(promotion.combines_with)
        self.can_combine = self.allows_all or self.allowed != {"none"}
        self.coupons = tuple(_coupons(promotion.when))
        self.dynamic_conditions = tuple(c for c in promotion.when if c.depends_on_what_is_left(spend_counts))
        self.fixed_conditions = tuple(c for c in promotion.when if not c.depends_on_what_is_left(spend_counts))
        self.uses_units = promotion.benefit.uses_units
        self.chooses_units = promotion.benefit.chooses_units()
        has_budget = any(limit.budget is not None for limit in promotion.limits)
        is_moved = promotion.benefit.depends_on_what_is_left(spend_counts)
        self.is_dynamic = bool(self.dynamic_conditions) or has_budget or is_moved
        self.present_value = promotion.benefit.present_value()
        self.target_slots = tuple(slot(of) for of in promotion.benefit.targets())
        benefit_slots = {slot(of) for of in _ranges_in(promotion.benefit)}
        self.footprint = frozenset(benefit_slots | {slot(of) for c in self.dynamic_conditions for of in _ranges_in(c)})
        self.slots = frozenset(benefit_slots | {slot(of) for c in promotion.when for of in _ranges_in(c)})

    def combines(self, other: Entry) -> bool:
        """Tell whether both promotions may be given together."""
        return (self.allows_all or other.stacking_class in self.allowed) and (
            other.allows_all or self.stacking_class in other.allowed
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
