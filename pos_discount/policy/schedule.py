"""When a promotion is in force: its dates, weekdays and hours, by the house's wall clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import get_args

from pos_discount.policy.model import Hours, Promotion, Weekday

WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)


def is_in_force(promotion: Promotion, local_time: datetime) -> bool:
    """Tell whether a promotion's schedule holds at a moment, given in the house's time zone.

    Its dates are compared as moments, not by the wall clock, which shows the same hour twice when it is put back.
    """
    moment = local_time.timestamp()
    if promotion.from_ is not None and moment < promotion.from_.timestamp():
        return False
    if promotion.until is not None and moment >= promotion.until.timestamp():
        return False
    return is_open(promotion, local_time)


def is_open(promotion: Promotion, local_time: datetime) -> bool:
    """Tell whether a promotion's weekdays and hours hold by the wall clock, whatever its dates."""
    if promotion.hours is None:
        return promotion.weekdays is None or WEEKDAYS[local_time.weekday()] in promotion.weekdays
    return any(_is_within(window, promotion.weekdays, local_time) for window in promotion.hours)


def _is_within(window: Hours, weekdays: tuple[Weekday, ...] | None, local_time: datetime) -> bool:
    """Tell whether a window holds; past midnight it belongs to the weekday on which it began."""
    clock = local_time.time()
    is_overnight = window.ends <= window.starts
    has_begun_today = clock >= window.starts and (is_overnight or clock < window.ends)
    if has_begun_today and _is_on(weekdays, local_time):
        return True
    return is_overnight and clock < window.ends and _is_on(weekdays, local_time - timedelta(days=1))


def _is_on(weekdays: tuple[Weekday, ...] | None, day: datetime) -> bool:
    return weekdays is None or WEEKDAYS[day.weekday()] in weekdays
