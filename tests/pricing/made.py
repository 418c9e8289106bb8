"""Policies and baskets for the pricing tests, written as a merchandiser and a till would write them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from pos_discount.basket import Basket
from pos_discount.policy import Policy, read_policy
from pos_discount.pricing import Applied, Context, CounterKey, PolicyIndex, Pricing, Usage, price

HOUSE = "policy: 1\ncurrency: EUR\ntime_zone: Europe/Paris\n"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def index_of(promotions: str, house: str = "", **csv: str) -> PolicyIndex:
    """Read a policy from the text under `promotions:` and more house settings; keyword arguments are CSV files by
    stem."""
    files = {"house.yaml": (HOUSE + house).encode(), "promotions.yaml": b"promotions:\n" + promotions.encode()}
    files |= {f"{stem}.csv": text.encode() for stem, text in csv.items()}
    policy = read_policy(files)
    assert isinstance(policy, Policy), str(policy)
    return PolicyIndex(policy)


def basket_of(*lines: Mapping[str, Any], **request: Any) -> Basket:
    """Make a basket of lines; sku and line_id are numbered where left out."""
    numbered = [{"line_id": str(n), "sku": f"SKU-{n}", "quantity": 1, **line} for n, line in enumerate(lines, start=1)]
    return msgspec.convert({"store_id": "S1", "currency": "EUR", **request, "lines": numbered}, Basket)


def priced(
    promotions: str, *lines: Mapping[str, Any], house: str = "", at: datetime = NOON, usage: Any = None, **request: Any
) -> Pricing:
    """Price a basket under a policy."""
    csv = {name: request.pop(name) for name in ("prices", "products") if name in request}
    counted: dict[CounterKey, Usage] = dict(usage or {})
    return price(index_of(promotions, house, **csv), basket_of(*lines, **request), Context(at, usage=counted))


def alone(pricing: Pricing, promotion_id: str) -> dict[str, int]:
    """Return what a promotion alone takes off each line, by line id; empty where it does not apply."""
    outcome = pricing.discounts.alone(pricing.scan.index.position_by_id[promotion_id])
    if not isinstance(outcome, Applied):
        return {}
    return {pricing.scan.basket.lines[share.line].line_id: share.saving for share in outcome.lines}


def reason(pricing: Pricing, promotion_id: str) -> tuple[str, Mapping[str, int] | None]:
    """Return why a promotion does not apply, and its near miss."""
    outcome = pricing.discounts.alone(pricing.scan.index.position_by_id[promotion_id])
    assert not isinstance(outcome, Applied), f"{promotion_id} applies"
    return outcome.reason, outcome.near_miss


def savings(pricing: Pricing) -> list[int]:
    """Return the savings of all rungs."""
    return [rung.saving for rung in pricing.rungs]
