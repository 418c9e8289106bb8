"""What a till does with a sale: it asks, tells what became of it, takes goods back, and asks what is kept."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

from tests.contract.shop import lines_of


def decide(
    shop: FlaskClient, channel: str, lines: str = "A 1000", who: str | None = None, **more: Any
) -> dict[str, Any]:
    asked = {"store_id": "S001", "currency": "EUR", "channel": channel, "lines": list(lines_of(lines))} | more
    got = shop.post("/v1/decisions", json=asked | ({"customer": {"customer_id": who}} if who else {}))
    assert got.status_code == 201, got.text
    told: dict[str, Any] = got.json
    return told


def tell(shop: FlaskClient, told: dict[str, Any], result: str, **more: Any) -> int:
    return shop.put(f"/v1/decisions/{told['decision_id']}/outcome", json={"result": result, **more}).status_code


def give_back(shop: FlaskClient, told: dict[str, Any], *lines: dict[str, Any]) -> Any:
    return shop.post(f"/v1/decisions/{told['decision_id']}/returns", json={"lines": list(lines)})


def applies(told: dict[str, Any]) -> list[str]:
    return [one["promotion_id"] for one in told["discounts"]]


def kept(shop: FlaskClient, told: dict[str, Any]) -> dict[str, Any]:
    """Read what the service keeps of a decision."""
    found: dict[str, Any] = shop.get(f"/v1/decisions/{told['decision_id']}").json
    return found
