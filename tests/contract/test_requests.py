"""What a request may say, and how a wrong one is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.contract.shop import Shops

POLICY = """{policy: 1, currency: EUR, time_zone: Europe/Paris,
 promotions: [{id: ten, name: Ten, benefit: {percent: 10%}}]}"""
BASKET: dict[str, Any] = {
    "store_id": "S001",
    "currency": "EUR",
    "at": "2026-11-18T12:00:00+01:00",
    "lines": [{"line_id": "1", "sku": "A", "quantity": 2, "unit_price": 1000}],
}
FULL = BASKET | {
    "till_id": "T07", "cashier_id": "C12", "authority": "cashier", "sale_id": "S001-T07-000123", "channel": "till",
    "region": "north", "locale": "ru", "coupons": ["AUTUMN"], "claimed": ["birthday"], "asked": False,
    "payment": "card", "attributes": {}, "lines": [{
        "line_id": "1", "sku": "CREAM-A", "name": "Day cream", "category": "care/face", "brand": "Mirabelle",
        "supplier": "NORDIC", "tags": ["new"], "quantity": 2, "unit_price": 1200, "unit_cost": 540, "attributes": {}}],
    "customer": {
        "customer_id": "L-889123", "tier": "gold", "groups": [], "birthday": "11-25", "visit_number": 12,
        "last_visit_on": "2026-10-02", "visits_90d": 3, "spend_90d": 12050, "promo_share_90d": 0.4, "attributes": {}},
}  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    yield Shops(tmp_path_factory.mktemp("requests")).open_text(POLICY)


def changed(path: str, value: Any) -> dict[str, Any]:
    body = json.loads(json.dumps(FULL))
    *way, last = path.split("/")[1:]
    place: Any = body
    for word in way:
        place = place[int(word)] if word.isdigit() else place[word]
    if value is ...:
        del place[last]
    elif isinstance(place, list):
        place[int(last)] = value
    else:
        place[last] = value
    return body


RIGHT = [
    ("every field of the page", "/asked", True),
    ("quantity from 1", "/lines/0/quantity", 1),
    ("a price of nothing", "/lines/0/unit_price", 0),
    ("a time in UTC", "/at", "2026-11-21T10:02:11Z"),
    ("a time long ago", "/at", "1999-01-01T00:00:00Z"),
    ("a time far ahead", "/at", "2090-01-01T00:00:00+14:00"),
    ("the first time there is", "/at", "0001-01-01T00:00:00+14:00"),
    ("the last time there is", "/at", "9999-12-31T23:59:59-12:00"),
    ("a time with a fraction", "/at", "2026-11-21T10:02:11.123456+01:00"),
    ("a leap day's birthday", "/customer/birthday", "02-29"),
    ("a share of nothing", "/customer/promo_share_90d", 0),
    ("a share of all", "/customer/promo_share_90d", 1),
    ("a thousand lines", "/lines", [FULL["lines"][0] | {"line_id": str(n)} for n in range(1000)]),
    ("no till", "/till_id", ...),
    ("no customer", "/customer", ...),
    ("text of any script", "/lines/0/name", "Крем 日 🧴"),
    ("an unknown authority", "/authority", "apprentice"),
    ("an unknown language", "/locale", "xx-YY"),
    ("no coupons", "/coupons", []),
    ("an sku twice", "/lines", [FULL["lines"][0], FULL["lines"][0] | {"line_id": "2"}]),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value"), [pytest.param(*one[1:], id=one[0]) for one in RIGHT])
def test_what_the_page_allows_is_taken(shop: FlaskClient, path: str, value: Any) -> None:
    got = shop.post("/v1/decisions?dry_run=true", json=changed(path, value))
    assert got.status_code == 200, got.text


WRONG = [
    ("no store", "/store_id", ...),
    ("no currency", "/currency", ...),
    ("another currency", "/currency", "USD"),
    ("a currency in small letters", "/currency", "eur"),
    ("no lines", "/lines", ...),
    ("no line at all", "/lines", []),
    ("too many lines", "/lines", [FULL["lines"][0] | {"line_id": str(n)} for n in range(1001)]),
    ("no line_id", "/lines/0/line_id", ...),
    ("no sku", "/lines/0/sku", ...),
    ("no quantity", "/lines/0/quantity", ...),
    ("no unit_price", "/lines/0/unit_price", ...),
    ("quantity of nothing", "/lines/0/quantity", 0),
    ("quantity below nothing", "/lines/0/quantity", -1),
    ("half a unit", "/lines/0/quantity", 1.5),
    ("a quantity as text", "/lines/0/quantity", "2"),
    ("a price below nothing", "/lines/0/unit_price", -1),
    ("a price as a float", "/lines/0/unit_price", 12.5),
    ("a price as text", "/lines/0/unit_price", "1200"),
    ("a price as a boolean", "/lines/0/unit_price", True),
    ("a cost below nothing", "/lines/0/unit_cost", -1),
    ("an id as a number", "/lines/0/line_id", 1),
    ("a store as a number", "/store_id", 1),
    ("tags as text", "/lines/0/tags", "new"),
    ("coupons as text", "/coupons", "AUTUMN"),
    ("asked as text", "/asked", "yes"),
    ("asked as a number", "/asked", 1),
    ("a time without an offset", "/at", "2026-11-21T10:02:11"),
    ("a date for a time", "/at", "2026-11-21"),
    ("a number for a time", "/at", 1795251731),
    ("a birthday with a year", "/customer/birthday", "1990-11-25"),
    ("a birthday in no month", "/customer/birthday", "13-01"),
    ("a birthday that ends a line", "/customer/birthday", "11-25\n"),
    ("a birthday on no day", "/customer/birthday", "02-30"),
    ("a share above all", "/customer/promo_share_90d", 1.01),
    ("a share below nothing", "/customer/promo_share_90d", -0.01),
    ("visit zero", "/customer/visit_number", 0),
    ("visits below nothing", "/customer/visits_90d", -1),
    ("no date", "/customer/last_visit_on", "2026-02-30"),
    ("a customer as text", "/customer", "L-1"),
    ("an unknown field", "/storeid", "S001"),
    ("an unknown field of a line", "/lines/0/price", 1),
    ("an unknown field of the customer", "/customer/name", "x"),
    ("age", "/customer/attributes/age", 33),
    ("sex", "/customer/attributes/sex", "f"),
    ("health", "/customer/attributes/health", "x"),
    ("origin", "/customer/attributes/origin", "x"),
    ("religion", "/attributes/religion", "x"),
]


@pytest.mark.parametrize(("path", "value"), [pytest.param(*one[1:], id=one[0]) for one in WRONG])
def test_what_the_page_does_not_allow_is_refused_with_a_pointer(shop: FlaskClient, path: str, value: Any) -> None:
    got = shop.post("/v1/decisions?dry_run=true", json=changed(path, value))
    assert (got.status_code, got.content_type) == (422, "application/problem+json")
    problem = json.loads(got.data)
    assert list(problem) == ["type", "title", "status", "detail", "code", "request_id", "errors"]
    assert path in [fault["pointer"] for fault in problem["errors"]]
    assert all(list(fault) == ["pointer", "code", "detail"] for fault in problem["errors"])


def test_a_line_id_twice_is_refused(shop: FlaskClient) -> None:
    got = shop.post("/v1/decisions", json=changed("/lines", [FULL["lines"][0]] * 2))
    assert [fault["pointer"] for fault in json.loads(got.data)["errors"]] == ["/lines/1/line_id"]


def test_all_problems_come_at_once_and_echo_nothing(shop: FlaskClient) -> None:
    body = {
        "currency": "EUR",
        "shop": "secret-1",
        "lines": [{"line_id": "1", "sku": "A", "quantity": 0, "unit_price": "secret-2"}],
    }
    got = shop.post("/v1/decisions", json=body)
    assert {fault["pointer"] for fault in json.loads(got.data)["errors"]} == {
        "/store_id", "/shop", "/lines/0/quantity", "/lines/0/unit_price"
    }  # fmt: skip
    assert "secret" not in got.text


def test_a_pointer_escapes_what_a_pointer_must(shop: FlaskClient) -> None:
    got = shop.post("/v1/decisions", json=BASKET | {"a/b~c": 1})
    assert [fault["pointer"] for fault in json.loads(got.data)["errors"]] == ["/a~1b~0c"]


@pytest.mark.parametrize("body", ["", "{", "nope", '{"a": NaN}', "{'a': 1}", "\ufeff{}", b"\xff\xfe"])
def test_what_is_no_json_is_400(shop: FlaskClient, body: str | bytes) -> None:
    assert shop.post("/v1/decisions", data=body, content_type="application/json").status_code == 400


@pytest.mark.parametrize("body", ["[]", "1", "null", '"x"'])
def test_json_that_is_no_basket_is_422(shop: FlaskClient, body: str) -> None:
    assert shop.post("/v1/decisions", data=body, content_type="application/json").status_code == 422
