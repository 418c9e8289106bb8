"""Read the policy page's written values, and do its arithmetic, in the plainest way.

Everything is text in and integers or fractions out; nothing here is fast.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from math import floor
from typing import Any
from zoneinfo import ZoneInfo

DECIMALS = {"EUR": 2, "USD": 2, "GBP": 2, "CHF": 2, "JPY": 0, "KRW": 0, "KWD": 3, "TND": 3}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def minor(text: Any, decimals: int) -> int:
    """Turn an amount in major units into minor units."""
    exact = Fraction(str(text)) * 10**decimals
    if exact.denominator != 1:
        raise ValueError(f"{text} has more decimals than the currency's {decimals}")
    return int(exact)


def percent(text: Any) -> Fraction:
    """Turn `12.5%` or `12.5` into 1/8."""
    return Fraction(str(text).removesuffix("%").strip()) / 100


def truth(text: Any) -> bool:
    """Turn yes, no, true, false into a boolean."""
    return {"yes": True, "true": True, "no": False, "false": False}[str(text).lower()]


def listed(value: Any) -> list[Any]:
    """Turn a list or a single value into a list."""
    return list(value) if isinstance(value, list | tuple) else [value]


def within(number: Fraction | int, bounds: Mapping[str, Any], read: Callable[[Any], Fraction | int]) -> bool:
    """Say whether a number keeps all the bounds that are written in a mapping."""
    tests: dict[str, Callable[[Fraction | int], bool]] = {
        "at_least": lambda bound: number >= bound,
        "from": lambda bound: number >= bound,
        "more_than": lambda bound: number > bound,
        "at_most": lambda bound: number <= bound,
        "below": lambda bound: number < bound,
        "exactly": lambda bound: number == bound,
    }
    return all(test(read(bounds[name])) for name, test in tests.items() if name in bounds)


def rounded(exact: Fraction, rounding: str) -> int:
    """Round a non-negative fraction to a whole number by the house's rule."""
    if rounding == "down":
        return floor(exact)
    if rounding == "half_up":
        return floor(exact + Fraction(1, 2))
    return round(exact)  # Python's own rounding of a fraction is half to even


def share(amount: int, weights: Sequence[int], ties: list[str] | None = None) -> list[int]:
    """Share an amount in proportion to weights, by largest remainder, the earlier first among equal ones; `ties` is
    told where that decided who gets one more."""
    whole = sum(weights)
    if whole == 0:
        return [0 for _ in weights]
    exact = [Fraction(amount * weight, whole) for weight in weights]
    shares = [floor(part) for part in exact]
    by_remainder = sorted(range(len(weights)), key=lambda index: (shares[index] - exact[index], index))
    rests, more = [exact[index] - shares[index] for index in by_remainder], amount - sum(shares)
    if ties is not None and more and rests[more - 1] == rests[more]:
        ties.append("remainder")
    for index in by_remainder[:more]:
        shares[index] += 1
    return shares


def share_within(
    amount: int, weights: Sequence[int], capacities: Sequence[int], ties: list[str] | None = None
) -> list[int]:
    """Share an amount like `share`; what does not fit goes, in the same way, to those that still have room."""
    fixed: dict[int, int] = {}
    while True:
        rest = amount - sum(fixed.values())
        shares = share(rest, [0 if index in fixed else weight for index, weight in enumerate(weights)], ties)
        too_much = [index for index in range(len(weights)) if index not in fixed and shares[index] > capacities[index]]
        if not too_much:
            return [fixed.get(index, shares[index]) for index in range(len(weights))]
        fixed |= {index: capacities[index] for index in too_much}


def moment(text: str, zone: ZoneInfo) -> datetime:
    """Read a date or date-time: on the house's wall clock, unless it carries its own offset."""
    written = datetime.fromisoformat(text)
    if written.tzinfo is not None:
        return written
    first = written.replace(tzinfo=zone, fold=0)
    utc = ZoneInfo("UTC")
    if first.astimezone(utc).astimezone(zone).replace(tzinfo=None) == written:
        return first.astimezone(utc)
    return _end_of_gap(written.replace(tzinfo=zone, fold=1).astimezone(utc), zone)


def _end_of_gap(before: datetime, zone: ZoneInfo) -> datetime:
    """Step second by second from a moment shortly before the clocks go forward to the moment when they have."""
    instant = before.replace(microsecond=0)
    offset = instant.astimezone(zone).utcoffset()
    while instant.astimezone(zone).utcoffset() == offset:
        instant += timedelta(seconds=1)
    return instant


def period_start(local_date: date, every: str | None) -> date:
    """Name the first day of the day, week, month or year that a local date is in; one and the same for ever."""
    if every is None:
        return date.min
    starts = {
        "day": local_date,
        "week": local_date - timedelta(days=local_date.weekday()),
        "month": local_date.replace(day=1),
        "year": local_date.replace(month=1, day=1),
    }
    return starts[every]
