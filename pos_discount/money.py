"""Money as integer minor units, and the only place that rounds or shares out.

A float never stands for money here: text is read digit by digit, a percentage is a `Fraction`, and what is shared
over several receivers always sums to what was there. Everything above relies on that and rounds nothing itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

Rounding = Literal["half_up", "half_even", "down"]

_DECIMAL = re.compile(r"[+-]?\d{1,15}(\.\d{1,12})?", re.ASCII)


class MoneyError(ValueError):
    """Text that is no amount; the message says what was expected."""


def currency_digits(code: str) -> int:
    """Return how many decimals the minor unit of an ISO 4217 currency has.

    Raises `MoneyError` for a code that ISO 4217 does not list or that has no minor unit (such as gold, XAU).

    >>> currency_digits("EUR"), currency_digits("JPY"), currency_digits("KWD")
    (2, 0, 3)
    """
    from iso4217 import Currency  # read from a large table: paid for by those who read a policy, not by every import

    try:
        digits = Currency(code).exponent
    except ValueError:
        raise MoneyError(f"unknown currency {code!r}; expected an ISO 4217 code such as EUR") from None
    if digits is None:
        raise MoneyError(f"currency {code!r} has no minor unit; expected one that tills use, such as EUR")
    return int(digits)


def parse_money(text: str, digits: int) -> int:
    """Read an exact decimal amount of major units as minor units.

    >>> parse_money("12.50", 2), parse_money("5", 2)
    (1250, 500)

    Raises `MoneyError` where the text is no plain decimal or has more decimals than the currency.
    """
    if not _DECIMAL.fullmatch(text):
        raise MoneyError(f"{text!r} is not an amount; expected major units such as 12.50")
    whole, _, decimals = text.partition(".")
    if len(decimals) > digits:
        raise MoneyError(f"{text!r} has {len(decimals)} decimals; expected at most {digits}, as the currency has")
    return int(whole + decimals.ljust(digits, "0"))


def format_money(minor: int, digits: int) -> str:
    """Write minor units as a plain decimal of major units, the inverse of `parse_money`.

    >>> format_money(-1250, 2), format_money(5, 0)
    ('-12.50', '5')
    """
    if not digits:
        return str(minor)
    whole, rest = divmod(abs(minor), 10**digits)
    return f"{'-' if minor < 0 else ''}{whole}.{rest:0{digits}d}"


def parse_percent(text: str) -> Fraction:
    """Read ``10%``, ``12.5 %`` or a bare ``10`` as a share of one.

    >>> parse_percent("12.5%")
    Fraction(1, 8)

    Raises `MoneyError` for anything else.
    """
    number = text.strip().removesuffix("%").rstrip()
    if not _DECIMAL.fullmatch(number):
        raise MoneyError(f"{text!r} is not a percentage; expected something like 10% or 12.5%")
    return Fraction(number) / 100


def format_percent(share: Fraction) -> str:
    """Write a share of one as a percentage.

    >>> format_percent(Fraction(1, 8))
    '12.5%'
    """
    return f"{float(share * 100):.10g}%"


def part_of(amount: int, share: Fraction, rounding: Rounding) -> int:
    """Take a share (0 or more) of a non-negative amount, rounded once to the minor unit.

    >>> [part_of(5, Fraction(1, 2), rounding) for rounding in ("half_up", "half_even", "down")]
    [3, 2, 2]
    """
    denominator = share.denominator
    whole, rest = divmod(amount * share.numerator, denominator)
    if rounding == "down" or 2 * rest < denominator:
        return whole
    if 2 * rest > denominator or rounding == "half_up":
        return whole + 1
    return whole + (whole & 1)


def share_out(amount: int, weights: Sequence[int]) -> list[int]:
    """Share an amount over receivers in proportion to their weights, by largest remainder, ties to the earlier one.

    A receiver of weight zero gets nothing. The result sums to ``amount`` unless all weights are zero (then all get
    nothing). Source: Hamilton's method of apportionment.

    >>> share_out(100, [1, 1, 1]), share_out(5, [0, 3, 3])
    ([34, 33, 33], [0, 3, 2])
    """
    total = sum(weights)
    if not total or not amount:
        return [0] * len(weights)
    if len(weights) == 1:
        return [amount]
    shares = [amount * weight // total for weight in weights]
    missing = amount - sum(shares)
    if missing:
        rests = [amount * weight % total for weight in weights]
        for position in sorted(range(len(weights)), key=rests.__getitem__, reverse=True)[:missing]:
            shares[position] += 1
    return shares


def share_within(amount: int, weights: Sequence[int], capacities: Sequence[int]) -> list[int]:
    """Share an amount as `share_out` does, where no receiver can take more than its capacity.

    What does not fit one receiver is shared over the others in the same way, until all is given or everyone is full.

    >>> share_within(10, [1, 1], [2, 100])
    [2, 8]
    """
    shares = [0] * len(weights)
    open_ones = [position for position, weight in enumerate(weights) if weight > 0]
    while amount and open_ones:
        offered = share_out(amount, [weights[position] for position in open_ones])
        full = [p for p, share in zip(open_ones, offered, strict=True) if share > capacities[p]]
        if not full:
            for position, share in zip(open_ones, offered, strict=True):
                shares[position] = share
            break
        for position in full:
            shares[position] = capacities[position]
            amount -= capacities[position]
        open_ones = [position for position in open_ones if position not in full]
    return shares


def share_over_units(amount: int, weights: Sequence[int], units: Sequence[int]) -> list[tuple[int, int]]:
    """Share an amount as `share_out` does over runs of alike units, each unit a receiver of its own.

    Returns for each run what each of its units gets, and how many units from its first get one minor unit more.

    >>> share_over_units(10, [5, 2], [3, 1])
    [(2, 3), (1, 0)]
    """
    total = sum([weight * count for weight, count in zip(weights, units, strict=True)])
    if not total or not amount:
        return [(0, 0)] * len(weights)
    if len(units) == 1:
        return [divmod(amount, units[0])]
    shares = [amount * weight // total for weight in weights]
    missing = amount - sum([share * count for share, count in zip(shares, units, strict=True)])
    one_more = [0] * len(weights)
    if missing:
        rests = [-(amount * weight % total) for weight in weights]
        for position in sorted(range(len(weights)), key=rests.__getitem__):
            one_more[position] = min(units[position], missing)
            missing -= one_more[position]
    return list(zip(shares, one_more, strict=True))
