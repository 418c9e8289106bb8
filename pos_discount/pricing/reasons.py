"""Why a promotion does not hold for a sale, in words that a cashier can say; asked only of those that somebody sees."""

from __future__ import annotations

from datetime import datetime, tzinfo
from functools import lru_cache

from pos_discount.policy.conditions import Unmet, first_unmet
from pos_discount.policy.model import Promotion
from pos_discount.policy.schedule import is_open
from pos_discount.pricing.entry import Entry
from pos_discount.pricing.limits import used_up
from pos_discount.pricing.scan import Scan


def fixed_reason(entry: Entry, scan: Scan, *, is_claimed: bool) -> Unmet | None:
    """Return why a promotion cannot apply to a basket whatever other promotions do, or None."""
    promotion = entry.promotion
    if promotion.id in scan.context.paused:
        return Unmet("schedule", "paused for now")
    reason = _unmet_schedule(promotion, scan) or _unmet_place(promotion, scan)
    if reason is None and promotion.offer == "on_request" and not is_claimed:
        reason = Unmet("not_claimed", "only when the customer asks for it or shows its coupon")
    if reason is None:
        reason = first_unmet(entry.fixed_conditions, scan)
    return reason or used_up(promotion, scan.basket, scan.local_time, scan.context.usage)


def _unmet_schedule(promotion: Promotion, scan: Scan) -> Unmet | None:
    at = scan.context.at
    if promotion.from_ is not None and at < promotion.from_:
        return Unmet("schedule", f"only from {_on_the_clock(promotion.from_, scan.house.time_zone)} on")
    if promotion.until is not None and at >= promotion.until:
        return Unmet("schedule", f"only until {_on_the_clock(promotion.until, scan.house.time_zone)}")
    if is_open(promotion, scan.local_time):
        return None
    if promotion.hours is None:
        return Unmet("schedule", f"only on {', '.join(promotion.weekdays or ())}")
    return Unmet("schedule", "not at this time")


@lru_cache(maxsize=4096)
def _on_the_clock(moment: datetime, time_zone: tzinfo) -> str:
    """Write a moment as the shop's clock shows it. Kept, as a season's promotions share a few."""
    return f"{moment.astimezone(time_zone):%Y-%m-%d %H:%M}"


def _unmet_place(promotion: Promotion, scan: Scan) -> Unmet | None:
    basket = scan.basket
    if promotion.stores is not None and basket.store_id not in promotion.stores:
        return Unmet("place", "not in this store")
    if promotion.not_stores is not None and basket.store_id in promotion.not_stores:
        return Unmet("place", "not in this store")
    if promotion.channels is not None and basket.channel not in promotion.channels:
        return Unmet("place", "not in this channel")
    if promotion.regions is not None and basket.region not in promotion.regions:
        return Unmet("place", "not in this region")
    return None
