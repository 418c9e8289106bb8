"""Limits: which counters a promotion's uses and money are counted in.

A counter is named by promotion, by whom it counts and by the period that the sale falls in, so that a limit that is
changed from five uses to ten keeps its count. Counting itself is the store's business; here is only the naming and
the arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache

import msgspec

from pos_discount.basket import Basket
from pos_discount.policy.conditions import Unmet
from pos_discount.policy.model import Limit, Promotion


class CounterKey(msgspec.Struct, frozen=True, order=True):
    """What one counter counts. ``subject`` is a customer's pseudonym, a store, a cashier, or empty for the whole chain;
    ``period`` is the ISO date on which the period began, empty where the limit has none."""

    promotion_id: str
    per: str
    subject: str
    every: str
    period: str


class Usage(msgspec.Struct, frozen=True):
    """What a counter holds: uses, and the money that they cost the house in minor units."""

    uses: int = 0
    spent: int = 0


class Hold(msgspec.Struct, frozen=True):
    """What a decision keeps free of a limit until its outcome or expiry, and the limit to check it against."""

    counter: CounterKey
    uses: int
    spent: int
    uses_at_most: int | None = None
    budget: int | None = None


def counters_of(
    promotion: Promotion, basket: Basket, local_time: datetime
) -> Iterator[tuple[Limit, CounterKey | None]]:
    """Yield each limit of a promotion with its counter; None where it counts per someone who is not known."""
    for limit in promotion.limits:
        yield limit, _counter(promotion, limit, basket, local_time)


def _counter(promotion: Promotion, limit: Limit, basket: Basket, local_time: datetime) -> CounterKey | None:
    subject = _subject(limit.per, basket)
    if subject is None:
        return None
    return CounterKey(promotion.id, limit.per, subject, limit.every, _period_start(limit.every, local_time.date()))


def used_up(
    promotion: Promotion, basket: Basket, local_time: datetime, usage: Mapping[CounterKey, Usage]
) -> Unmet | None:
    """Return which limit leaves no further use, or None where all do; one per somebody who is not known leaves none."""
    for limit in promotion.limits:
        if _subject(limit.per, basket) is None:
            return Unmet("limit", f"limited per {limit.per}, who is not known")
        if limit.uses is not None and limit.uses <= _used(promotion, limit, basket, local_time, usage).uses:
            period = "" if limit.every == "ever" else f" and {limit.every}"
            return Unmet("limit", f"used up for this {limit.per}{period}")
    return None


def fits_budgets(
    promotion: Promotion, basket: Basket, local_time: datetime, usage: Mapping[CounterKey, Usage], cost: int
) -> bool:
    """Tell whether what a discount costs the house fits whole into what is left of every budget."""
    return all(
        limit.budget is None or _used(promotion, limit, basket, local_time, usage).spent + cost <= limit.budget
        for limit in promotion.limits
    )


def _used(
    promotion: Promotion, limit: Limit, basket: Basket, local_time: datetime, usage: Mapping[CounterKey, Usage]
) -> Usage:
    """Return what a limit's counter holds; most sales come with nothing counted, and then none is named."""
    counter = _counter(promotion, limit, basket, local_time) if usage else None
    return _NONE_USED if counter is None else usage.get(counter, _NONE_USED)


_NONE_USED = Usage()


def _subject(per: str, basket: Basket) -> str | None:
    if per == "customer":
        return basket.customer.customer_id if basket.customer else None
    if per == "store":
        return basket.store_id
    return basket.cashier_id if per == "cashier" else ""


@lru_cache(maxsize=256)
def _period_start(every: str, today: date) -> str:
    if every == "day":
        return today.isoformat()
    if every == "week":
        return (today - timedelta(days=today.weekday())).isoformat()
    if every == "month":
        return today.replace(day=1).isoformat()
    return today.replace(month=1, day=1).isoformat() if every == "year" else ""
