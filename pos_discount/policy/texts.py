"""Pieces of text as values: whole numbers, yes and no, dates and moments, hours, amounts with their bounds.

Each function raises `ValueError` with what was expected. A wall-clock time is resolved here, so nobody else meets one
that does not exist or comes twice.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from fractions import Fraction
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pos_discount.basket import EARLIEST, LATEST
from pos_discount.money import MoneyError, currency_digits, parse_money, parse_percent
from pos_discount.policy.model import Hours
from pos_discount.policy.spelling import nearest
from pos_discount.policy.values import Reads

MOST_MONEY = 10**12
MOST_COUNT = 10**9
MOST_TEXT = 2000
MOST_NAME = 256
YES_NO = {"yes": True, "true": True, "no": False, "false": False}


def text_parsers(digits: int, zone: tzinfo) -> dict[Reads, Callable[[str], object]]:
    """Return how each sort of text is parsed in a house with a currency of so many decimals and a time zone."""

    def money(text: str) -> int:
        return parse_amount(text, digits)

    def moment(text: str) -> datetime:
        return parse_moment(text, zone)

    return {
        Reads.MONEY: money,
        Reads.PERCENT: cache(parse_share),
        Reads.COUNT: parse_count,
        Reads.NUMBER: parse_number,
        Reads.INTEGER: parse_integer,
        Reads.TEXT: parse_text,
        Reads.DECIMAL: parse_decimal,
        Reads.YES_NO: parse_yes_no,
        Reads.MOMENT: moment,
        Reads.DAY: parse_day,
        Reads.HOURS: parse_hours,
        Reads.CURRENCY: parse_currency,
        Reads.TIME_ZONE: parse_time_zone,
    }


def parse_amount(text: str, digits: int) -> int:
    """Read an amount of money from 0, in minor units."""
    amount = parse_money(text, digits)
    if not 0 <= amount <= MOST_MONEY:
        raise MoneyError(f"{text!r} is out of bounds; expected an amount from 0 to {MOST_MONEY // 10**digits}")
    return amount


def parse_share(text: str) -> Fraction:
    """Read a percentage from 0 to 100 as a share of one."""
    share = parse_percent(text)
    if not 0 <= share <= 1:
        raise MoneyError(f"{text!r} is out of bounds; expected a percentage from 0% to 100%")
    return share


def parse_integer(text: str) -> int:
    """Read a whole number.

    >>> parse_integer("-20"), parse_integer("012")
    (-20, 12)
    """
    if not _INTEGER.fullmatch(text):
        raise ValueError(f"{_shown(text)} is not a whole number; expected one such as 3")
    return int(text)


def parse_number(text: str) -> int:
    """Read a whole number from 0."""
    number = parse_integer(text)
    if not 0 <= number <= MOST_COUNT:
        raise ValueError(f"{_shown(text)} is out of bounds; expected a whole number from 0 to {MOST_COUNT}")
    return number


def parse_count(text: str) -> int:
    """Read a whole number from 1."""
    number = parse_integer(text)
    if not 1 <= number <= MOST_COUNT:
        raise ValueError(f"{_shown(text)} is out of bounds; expected a whole number from 1 to {MOST_COUNT}")
    return number


def parse_decimal(text: str) -> Fraction:
    """Read an exact decimal number from 0."""
    if not _DECIMAL.fullmatch(text):
        raise ValueError(f"{_shown(text)} is not a number; expected a decimal number from 0, such as 7 or 7.5")
    return Fraction(text)


def parse_yes_no(text: str) -> bool:
    """Read yes, no, true or false."""
    value = YES_NO.get(text.lower())
    if value is None:
        raise ValueError(f"{_shown(text)} is neither yes nor no; expected yes, no, true or false")
    return value


def parse_text(text: str) -> str:
    """Read a text that is not empty."""
    if not text.strip():
        raise ValueError("nothing is written here; expected text")
    return text


def parse_name(text: str) -> str:
    """Read a short text in one line: an id, a word, the name of a range."""
    parse_text(text)
    if len(text) > MOST_NAME:
        raise ValueError(f"the word has {len(text)} characters; expected at most {MOST_NAME}")
    if not text.isprintable() or text != text.strip():
        raise ValueError(f"{_shown(text)} has blanks around it or characters that cannot be seen; remove them")
    return text


def parse_day(text: str) -> date:
    """Read a day of the calendar."""
    if not _DAY.fullmatch(text):
        raise ValueError(f"{_shown(text)} is not a date; expected one such as 2026-11-01")
    return _on_calendar(text).date()


def parse_moment(text: str, zone: tzinfo) -> datetime:
    """Read a date or date-time as a moment in UTC; a date alone is its midnight, and without an offset the house's
    clock counts.

    A wall-clock time that the clocks skip means the moment after the gap, one that comes twice the first.

    >>> str(parse_moment("2026-03-29T02:30", ZoneInfo("Europe/Paris"))), str(parse_moment("2026-11-01", UTC))
    ('2026-03-29 01:00:00+00:00', '2026-11-01 00:00:00+00:00')
    """
    if not _MOMENT.fullmatch(text):
        raise ValueError(
            f"{_shown(text)} is not a date or date-time; expected one such as 2026-11-01 or 2026-11-01T09:30"
        )
    moment = _on_calendar(text)
    if moment.tzinfo is None:
        return moment_of_wall_clock(moment, zone)
    return moment.astimezone(UTC)


def moment_of_wall_clock(local: datetime, zone: tzinfo) -> datetime:
    """Return the moment in UTC at which a zone's clocks show a time, or the one after the gap where they never do."""
    early = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if early.astimezone(zone).replace(tzinfo=None, fold=0) == local:
        return early
    before = local.replace(tzinfo=zone, fold=1).astimezone(
        UTC
    )  # with the later offset, a moment before the clocks change
    offset_after = early.astimezone(zone).utcoffset()
    seconds = range(int((early - before).total_seconds()) + 1)

    def has_changed(second: int) -> bool:
        return (before + timedelta(seconds=second)).astimezone(zone).utcoffset() == offset_after

    return before + timedelta(seconds=bisect_left(seconds, True, key=has_changed))


def moments_of_wall_clock(local: datetime, zone: tzinfo) -> tuple[datetime, ...]:
    """Return the moments in UTC at which a zone's clocks show a time: two where they are put back over it."""
    first = moment_of_wall_clock(local, zone)
    again = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return (first, again) if again > first else (first,)


def as_sent(moment: datetime, zone: tzinfo) -> datetime:
    """Return a moment as a till in a zone sends it: with a fixed offset."""
    local = moment.astimezone(zone)
    return local.replace(tzinfo=timezone(local.utcoffset() or timedelta(0)), fold=0)


def parse_hours(text: str) -> Hours:
    """Read a window of the day; it may run past midnight, and may end at 24:00.

    >>> parse_hours("22:00-02:00")
    Hours(starts=datetime.time(22, 0), ends=datetime.time(2, 0))
    """
    match = _HOURS.fullmatch(text)
    if not match:
        raise ValueError(f"{_shown(text)} is no window of the day; expected one such as 09:00-12:00 or 22:00-02:00")
    hour, minute, end_hour, end_minute = (int(part) for part in match.groups())
    is_midnight = (end_hour, end_minute) == (24, 0)
    if hour > 23 or minute > 59 or (not is_midnight and (end_hour > 23 or end_minute > 59)):
        raise ValueError(f"{_shown(text)} is not on the clock; expected times from 00:00 to 24:00")
    return Hours(time(hour, minute), time(0) if is_midnight else time(end_hour, end_minute))


def parse_currency(text: str) -> str:
    """Read a currency's ISO 4217 code."""
    if not _CURRENCY.fullmatch(text):
        raise MoneyError(f"{_shown(text)} is no currency; expected an ISO 4217 code in capitals, such as EUR")
    currency_digits(text)
    return text


def parse_time_zone(text: str) -> ZoneInfo:
    """Read the name of a time zone."""
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    meant = nearest(text, available_timezones())
    hint = f"; did you mean '{meant}'?" if meant else "; expected a name such as Europe/Paris"
    raise ValueError(f"unknown time zone {_shown(text)}{hint}")


_INTEGER = re.compile(r"[+-]?[0-9]{1,15}")
_DECIMAL = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(_DAY.pattern + r"([T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?( ?(Z|[+-][0-9]{2}:[0-9]{2}))?)?")
_HOURS = re.compile(r"([0-9]{1,2}):([0-9]{2}) ?- ?([0-9]{1,2}):([0-9]{2})")
_CURRENCY = re.compile(r"[A-Z]{3}")


def _on_calendar(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace(" Z", "Z").replace(" +", "+").replace(" -", "-"))
    except ValueError:
        raise ValueError(f"{_shown(text)} is not on the calendar or the clock; expected one that is") from None
    if not EARLIEST.year <= moment.year <= LATEST.year:
        expected = f"expected a year from {EARLIEST.year} to {LATEST.year}"
        raise ValueError(f"{_shown(text)} is out of bounds; {expected}")
    return moment


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
