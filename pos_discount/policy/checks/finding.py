"""A finding: one doubtful thing about a policy, and how bad it is."""

from __future__ import annotations

from typing import Literal

import msgspec

from pos_discount.policy.model import Place, Promotion

Severity = Literal["error", "warning", "advice"]


class Finding(msgspec.Struct, frozen=True):
    """One doubtful thing: an error must be mended, a warning should be looked at, advice may be taken."""

    severity: Severity
    place: Place
    message: str
    promotion_id: str | None = None

    def __str__(self) -> str:
        about = f"{self.promotion_id}: " if self.promotion_id else ""
        return f"{self.place}: {self.severity}: {about}{self.message}"


def error(promotion: Promotion, message: str) -> Finding:
    """Say what must be mended about a promotion."""
    return Finding("error", promotion.place, message, promotion.id)


def warning(promotion: Promotion, message: str) -> Finding:
    """Say what should be looked at about a promotion."""
    return Finding("warning", promotion.place, message, promotion.id)


def advice(promotion: Promotion, message: str) -> Finding:
    """Say what could be better about a promotion."""
    return Finding("advice", promotion.place, message, promotion.id)
