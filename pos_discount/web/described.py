"""What is in force, described for readers: the policy's promotions, the model's card, the segments' curves."""

from __future__ import annotations

from pathlib import PurePath

import msgspec

from pos_discount.policy import Place, Promotion
from pos_discount.pricing import PolicyIndex
from pos_discount.sensitivity import SensitivityModel, prior_model
from pos_discount.web.in_force import ModelInForce as Served
from pos_discount.web.messages import (
    CurvePoint,
    LimitInForce,
    ModelInForce,
    PolicyInForce,
    PromotionInForce,
    SegmentInForce,
    SegmentsInForce,
)


def describe_policy(index: PolicyIndex, paused: tuple[str, ...]) -> PolicyInForce:
    """Describe a policy, its promotions in order of application."""
    house = index.policy.house
    return PolicyInForce(
        policy_version=index.policy.version,
        currency=house.currency,
        time_zone=house.time_zone.key,
        promotions=tuple(_promotion(entry.promotion, house.currency_digits, paused) for entry in index.entries),
    )


def describe_model(served: Served) -> ModelInForce:
    """Describe the model that decides; where none does, the prior that stands in for it."""
    tables = served.served.tables if served.served else prior_model()
    version = served.served.version if served.served else None
    return ModelInForce(version, served.fallback or (None if version else "no_model"), msgspec.to_builtins(tables.card))


def describe_segments(served: Served) -> SegmentsInForce:
    """Describe the segments of the model that decides; without one there are none."""
    if served.served is None:
        return SegmentsInForce(None, ())
    tables = served.served.tables
    segments = tuple(
        SegmentInForce(
            segment_id=segment.segment_id,
            name=segment.name,
            rule=segment.rule,
            share=segment.share,
            curve=_curve(tables, segment.curve, segment.curve_low, segment.curve_high),
            walk=segment.walk,
            loss=segment.loss,
        )
        for segment in tables.segments
    )
    return SegmentsInForce(served.served.version, segments)


def _curve(
    tables: SensitivityModel, shares: tuple[float, ...], lows: tuple[float, ...], highs: tuple[float, ...]
) -> tuple[CurvePoint, ...]:
    return tuple(
        CurvePoint(knot / 400, share, low, high)
        for knot, share, low, high in zip(tables.knots, shares, lows, highs, strict=True)
    )


def _promotion(promotion: Promotion, digits: int, paused: tuple[str, ...]) -> PromotionInForce:
    return PromotionInForce(
        promotion_id=promotion.id,
        name=promotion.name,
        class_=promotion.stacking_class,
        offer=promotion.offer,
        priority=promotion.priority,
        combines_with=promotion.combines_with,
        conditions=tuple(condition.kind for condition in promotion.when),
        benefit=promotion.benefit.words(digits),
        say=dict(promotion.say),
        from_=promotion.from_,
        until=promotion.until,
        weekdays=promotion.weekdays,
        hours=None if promotion.hours is None else tuple(f"{h.starts:%H:%M}-{h.ends:%H:%M}" for h in promotion.hours),
        stores=promotion.stores,
        not_stores=promotion.not_stores,
        channels=promotion.channels,
        regions=promotion.regions,
        cap=promotion.cap,
        limits=tuple(LimitInForce(limit.per, limit.every, limit.uses, limit.budget) for limit in promotion.limits),
        funded=float(promotion.funded),
        approval=promotion.approval,
        owner=promotion.owner,
        reference=promotion.reference,
        paused=promotion.id in paused,
        place=_place_in_folder(promotion.place),
    )


def _place_in_folder(place: Place) -> str:
    """Tell where a promotion was written by its file's name: where the folder lies is the operator's business."""
    return str(msgspec.structs.replace(place, file=PurePath(place.file).name))
