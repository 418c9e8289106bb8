"""The ledger of what learning earned: parts that sum to the whole, and no more than the hold-out shows.

Segments, promotions and stores each claim a share; what the hold-out shows in all is the total. Every way of cutting
sums to that total, because what a cut cannot attribute stands in a line of its own, and claims beyond the total are
refused. Parts are shrunk to their common mean before anybody ranks them: the largest of many noisy numbers is mostly
noise. Source: James and Stein; the spread between parts by DerSimonian and Laird (1986).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

NOT_ATTRIBUTABLE = "not attributable"


class ClaimsBeyondTotal(ValueError):
    """Claims sum to more than treated less control; the message names both sums."""


class Part(msgspec.Struct, frozen=True):
    """A part's measured effect per checkout, its variance, and the treated checkouts it was measured on."""

    name: str
    effect: float
    variance: float
    checkouts: int


class Entry(msgspec.Struct, frozen=True):
    """A line of the ledger: what a part earned in the period, in minor units; its effect per checkout, shrunk."""

    name: str
    amount: float
    effect: float | None
    checkouts: int


class Ledger(msgspec.Struct, frozen=True):
    """One cut of the total: its entries, the not attributable last, sum to `total`."""

    cut: str
    total: float
    entries: tuple[Entry, ...]


def shrink(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Shrink effects to their precision-weighted mean, by how much parts truly seem to differ; largest first."""
    measured = [part for part in parts if part.variance > 0.0]
    if len(measured) < 2:
        return tuple(parts)
    weights = [1.0 / part.variance for part in measured]
    mean = sum(w * part.effect for w, part in zip(weights, measured, strict=True)) / sum(weights)
    excess = sum(w * (part.effect - mean) ** 2 for w, part in zip(weights, measured, strict=True)) - len(measured) + 1
    scale = sum(weights) - sum(w * w for w in weights) / sum(weights)
    between = max(0.0, excess / scale) if scale > 0.0 else 0.0
    shrunk = (_shrunk(part, mean, between) for part in parts)
    return tuple(sorted(shrunk, key=lambda part: -part.effect))


def make_ledger(cut: str, total: float, parts: Sequence[Part]) -> Ledger:
    """Enter parts, shrunk, and what they leave of the total (minor units) as not attributable."""
    entries = [Entry(part.name, part.effect * part.checkouts, part.effect, part.checkouts) for part in shrink(parts)]
    rest = total - sum(entry.amount for entry in entries)
    return Ledger(cut, total, (*entries, Entry(NOT_ATTRIBUTABLE, rest, None, 0)))


def enter_claims(cut: str, total: float, claims: Sequence[tuple[str, float]]) -> Ledger:
    """Enter what others claim to have earned; raises ClaimsBeyondTotal where that is more than the hold-out shows."""
    claimed = sum(amount for _, amount in claims)
    if claimed > max(total, 0.0) + 0.5:
        raise ClaimsBeyondTotal(
            f"{cut}: claims sum to {claimed / 100:,.2f}, but treated less control is {total / 100:,.2f};"
            " claim less, or show it against the hold-out"
        )
    entries = (Entry(name, amount, None, 0) for name, amount in claims)
    return Ledger(cut, total, (*entries, Entry(NOT_ATTRIBUTABLE, total - claimed, None, 0)))


def _shrunk(part: Part, mean: float, between: float) -> Part:
    kept = between / (between + part.variance) if between + part.variance > 0.0 else 0.0
    return msgspec.structs.replace(part, effect=mean + kept * (part.effect - mean))
