"""Stacking classes that no promotion has, or that are allowed from one side alone."""

from __future__ import annotations

from collections.abc import Iterator

from pos_discount.policy.checks.finding import Finding, advice, warning
from pos_discount.policy.model import Policy, Promotion
from pos_discount.policy.spelling import did_you_mean


def find_wrong_classes(policy: Policy) -> Iterator[Finding]:
    """Find classes in ``combines_with`` that do not exist, and those that do not allow the promotion in turn."""
    promotions_by_class: dict[str, list[Promotion]] = {}
    for promotion in policy.promotions:
        promotions_by_class.setdefault(promotion.stacking_class, []).append(promotion)
    for promotion in policy.promotions:
        for name in promotion.combines_with:
            if name in ("all", "none"):
                continue
            others = [other for other in promotions_by_class.get(name, ()) if other.id != promotion.id]
            if name not in promotions_by_class:
                said = f"combines_with names the class '{name}', which no promotion has"
                yield warning(promotion, said + did_you_mean(name, promotions_by_class))
                continue
            refusing = [other for other in others if not promotion.combines(other)]
            ids = ", ".join(other.id for other in refusing[:3])
            said = f"combines_with names the class '{name}', but {ids} of that class"
            said += f" {'do' if len(refusing) > 1 else 'does'} not allow '{promotion.stacking_class}'"
            if refusing and refusing == others:
                yield warning(promotion, f"{said}, so they never combine")
            elif refusing:
                yield advice(promotion, f"{said}, as others of it do")
