"""A small house for the service's tests: its policy as text, a basket, and an app on a fresh database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pos_discount.web import create_app

HOUSE = """
# all are in the hold-out, so that ladders name every rung and none is drawn
policy: 1
currency: EUR
time_zone: Europe/Paris
ladder: {min_step: 0.50}
margins: [{rate: 50%}]
holdout: {share: 100%}
"""

PROMOTIONS = """
promotions:
  - id: shelf
    name: Shampoo at the price on the shelf
    offer: automatic
    combines_with: all
    benefit: {percent: 10%, of: {category: hair}}
  - id: five
    name: Five percent
    combines_with: [shelf]
    benefit: {percent: 5%}
  - id: ten
    name: Ten percent
    combines_with: [shelf]
    benefit: {percent: 10%}
  - id: third-free
    name: Every third care product free
    combines_with: [shelf]
    benefit: {every: {units: 3, of: {category: care}}, give: {percent: 100%, to: cheapest}}
  - id: goodwill
    name: Goodwill, once for each customer
    combines_with: [shelf]
    when: [member: yes]
    benefit: {amount: 9.00}
    limits: [{uses: 1, per: customer}]
"""

LINE: dict[str, Any] = {"line_id": "1", "sku": "CREAM-A", "category": "care/face", "quantity": 3, "unit_price": 1000}
BASKET: dict[str, Any] = {"store_id": "S001", "currency": "EUR", "lines": [LINE]}


def write_policy(folder: Path, promotions: str = PROMOTIONS, house: str = HOUSE) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "house.yaml").write_text(house, encoding="utf-8")
    (folder / "offers.yaml").write_text(promotions, encoding="utf-8")
    return folder


def settings_in(folder: Path, **changes: str) -> dict[str, str]:
    settings = {"database": str(folder / "test.db"), "auth": "off", "secret": "a secret for the tests"}
    return {"policies": str(write_policy(folder / "policies")), **settings, **changes}


@contextmanager
def serving(folder: Path, **changes: str) -> Iterator[FlaskClient]:
    """Lend a client of a fresh app."""
    yield make_app(folder, **changes).test_client()


def make_app(folder: Path, **changes: str) -> Flask:
    return create_app(settings_in(folder, **changes))


def basket(*lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return BASKET | {"lines": list(lines) or [LINE]} | changes


def line(line_id: str = "1", **changes: Any) -> dict[str, Any]:
    return LINE | {"line_id": line_id} | changes


def decide(client: FlaskClient, query: str = "", **changes: Any) -> dict[str, Any]:
    answer = client.post(f"/v1/decisions{query}", json=basket(**changes))
    assert answer.status_code in (200, 201), answer.text
    told: dict[str, Any] = answer.get_json()
    return told


def tell(client: FlaskClient, decision: dict[str, Any] | str, result: str, **more: Any) -> TestResponse:
    decision_id = decision if isinstance(decision, str) else decision["decision_id"]
    return client.put(f"/v1/decisions/{decision_id}/outcome", json={"result": result, **more})


def give_back(client: FlaskClient, decision: dict[str, Any], *lines: tuple[str, int] | tuple[str, int, bool]) -> Any:
    told = [{"line_id": one[0], "quantity": one[1], "faulty": one[2] if len(one) > 2 else False} for one in lines]
    return client.post(f"/v1/decisions/{decision['decision_id']}/returns", json={"lines": told})


def rung_of(decision: dict[str, Any], promotion_id: str) -> dict[str, Any]:
    """The rung of a ladder whose own promotion is this one alone."""
    found: dict[str, Any] = next(rung for rung in decision["ladder"] if rung["promotions"] == [promotion_id])
    return found


def codes(answer: TestResponse) -> dict[str, str]:
    return {fault["pointer"]: fault["code"] for fault in json.loads(answer.data)["errors"]}
