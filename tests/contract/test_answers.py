"""The answer's members, names and types, what a request may say, and how a wrong one is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.contract.shop import HOUSE, Shops, assert_adds_up

PROMOTIONS = """[
  {id: shelf, name: Shelf, offer: automatic, combines_with: all, priority: 1,
   benefit: {amount: 1.00, of: {category: hair}}},
  {id: five, name: Five, say: {en: "Five {amount}"}, class: goodwill, combines_with: [shelf], benefit: {percent: 5%}},
  {id: three, name: Three for two, benefit: {every: {units: 3}, give: {percent: 100%}}},
  {id: many, name: Many, when: [{quantity: {at_least: 4}}], benefit: {percent: 50%}},
  {id: gold, name: Gold, when: [{tier: gold}], benefit: {percent: 50%}},
  {id: elsewhere, name: Elsewhere, stores: [S9], benefit: {percent: 50%}},
  {id: request, name: Request, offer: on_request, benefit: {amount: 2.00}},
  {id: old, name: Old, until: 2026-01-01, benefit: {amount: 2.00}},
  {id: untouched, name: Untouched, benefit: {percent: 50%, of: {category: nothing}}},
  {id: gift, name: Gift, combines_with: none, benefit: {gift: {sku: S7, name: Serum, value: 6.00, cost: 0.90}}},
  {id: points, name: Points, benefit: {points: {amount: 200, value: 7.00, cost: 1.10}}}]"""
POLICY = f"""{{policy: 1, currency: EUR, time_zone: Europe/Paris, margins: [{{rate: 50%}}], ladder: {{max_rungs: 20}},
 holdout: {{share: 100%}}, promotions: {PROMOTIONS}}}"""
LINES = [
    {"line_id": "1", "sku": "A", "quantity": 2, "unit_price": 1000, "category": "hair"},
    {"line_id": "2", "sku": "B", "quantity": 1, "unit_price": 500, "category": "care/face"},
]
BASKET: dict[str, Any] = {"store_id": "S001", "currency": "EUR", "at": "2026-11-18T12:00:00+01:00", "lines": LINES}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    yield Shops(tmp_path_factory.mktemp("answers")).open_text(POLICY)


@pytest.fixture(scope="module")
def told(shop: FlaskClient) -> dict[str, Any]:
    got = shop.post("/v1/decisions", json=BASKET | {"claimed": ["request"]})
    assert got.status_code == 201
    assert got.headers["Location"].endswith(f"/v1/decisions/{got.json['decision_id']}")
    answer: dict[str, Any] = got.json
    return answer


ANSWER = {
    "decision_id": str, "at": str, "expires_at": str, "policy_version": str, "model_version": (str, type(None)),
    "arm": str, "segment": (dict, type(None)), "fallback": (str, type(None)), "exact": bool,
    "currency": str, "list_total": int, "base": dict,
    "discounts": list, "not_applicable": list, "ladder": list, "personalised": bool, "disclosure": str,
}  # fmt: skip
BASE = {"total": int, "saving": int, "discounts": list, "gifts": list, "points": int}
DISCOUNT = {"promotion_id": str, "name": str, "class": str, "offer": str, "saving": int, "cost": int, "lines": list}
NOT_APPLICABLE = {"promotion_id": str, "reason": str, "detail": str, "near_miss": (dict, type(None))}
RUNG = {
    "rung": int, "saving": int, "value": int, "total": int, "depth": float, "say": str, "promotions": list,
    "discounts": list, "lines": list, "gifts": list, "points": int, "approval": (str, type(None)), "acceptance": float,
    "expected_profit": (int, type(None)),
}  # fmt: skip
LINE = {"line_id": str, "list": int, "saving": int, "net": int}


def assert_members(found: dict[str, Any], members: dict[str, Any]) -> None:
    assert list(found) == list(members)
    assert [name for name, kind in members.items() if not isinstance(found[name], kind)] == []


def test_the_answer_has_the_members_of_the_page_with_their_types(told: dict[str, Any]) -> None:
    assert_members(told, ANSWER)
    assert_members(told["base"], BASE)
    for rung in told["ladder"]:
        assert_members(rung, RUNG)
        for line in rung["lines"]:
            assert_members(line, LINE)
    for one in (
        *told["discounts"],
        *told["base"]["discounts"],
        *(d for rung in told["ladder"] for d in rung["discounts"]),
    ):
        assert_members(one, DISCOUNT)
        assert all(list(line) == ["line_id", "saving", "units"] for line in one["lines"])
    for reason in told["not_applicable"]:
        assert_members(reason, NOT_APPLICABLE)


def test_the_answer_adds_up(told: dict[str, Any]) -> None:
    assert_adds_up(told)
    assert (told["list_total"], told["currency"], told["arm"], told["exact"]) == (2500, "EUR", "holdout", True)


def test_without_a_model_learning_plays_no_part(told: dict[str, Any]) -> None:
    assert (told["model_version"], told["segment"], told["fallback"]) == (None, None, "no_model")


def test_a_claimed_promotion_and_the_shelf_compete_for_the_base(told: dict[str, Any]) -> None:
    assert told["base"]["total"] == 2300
    assert [one["promotion_id"] for one in told["base"]["discounts"]] == ["request"]


def test_every_promotion_that_applies_is_a_discount_alone_from_list_price(told: dict[str, Any]) -> None:
    alone = {one["promotion_id"]: (one["saving"], one["cost"], one["class"], one["offer"]) for one in told["discounts"]}
    assert alone == {
        "shelf": (100, 100, "shelf", "automatic"),
        "five": (125, 125, "goodwill", "ladder"),
        "three": (500, 500, "three", "ladder"),
        "request": (200, 200, "request", "on_request"),
        "gift": (0, 90, "gift", "ladder"),
        "points": (0, 110, "points", "ladder"),
    }


def test_what_does_not_apply_has_its_reason_where_the_basket_touches_it(told: dict[str, Any]) -> None:
    reasons = {one["promotion_id"]: (one["reason"], one["near_miss"]) for one in told["not_applicable"]}
    assert reasons["many"] == ("quantity", {"quantity": 1})
    assert reasons["gold"] == ("tier", None)
    assert reasons["elsewhere"] == ("place", None)
    assert reasons["old"] == ("schedule", None)
    assert "untouched" not in reasons


def test_a_schedule_is_told_by_the_shops_clock(told: dict[str, Any]) -> None:
    detail = next(one["detail"] for one in told["not_applicable"] if one["promotion_id"] == "old")
    assert "2026-01-01 00:00" in detail


def test_explain_all_lists_all(shop: FlaskClient) -> None:
    told = shop.post("/v1/decisions?dry_run=true&explain=all", json=BASKET).json
    listed = {one["promotion_id"]: one["reason"] for one in told["not_applicable"]}
    assert listed.keys() | {one["promotion_id"] for one in told["discounts"]} == {
        "shelf", "five", "three", "many", "gold", "elsewhere", "request", "old", "untouched", "gift", "points"
    }  # fmt: skip
    assert listed["request"] == "not_claimed"
    assert listed["untouched"] == "no_saving"


def test_times_have_an_offset_and_expiry_is_by_the_servers_clock(told: dict[str, Any]) -> None:
    assert datetime.fromisoformat(told["at"]) == datetime.fromisoformat("2026-11-18T12:00:00+01:00")
    assert datetime.fromisoformat(told["expires_at"]).utcoffset() is not None


def test_without_a_time_the_servers_clock_is_taken_and_expiry_is_thirty_minutes_ahead(shop: FlaskClient) -> None:
    told = shop.post(
        "/v1/decisions?dry_run=true", json={key: BASKET[key] for key in ("store_id", "currency", "lines")}
    ).json
    ahead = datetime.fromisoformat(told["expires_at"]) - datetime.fromisoformat(told["at"])
    assert abs(ahead - timedelta(minutes=30)) < timedelta(seconds=2)


def test_a_dry_run_answers_200_and_records_nothing(shop: FlaskClient) -> None:
    got = shop.post("/v1/decisions?dry_run=true", json=BASKET)
    assert (got.status_code, got.headers.get("Location")) == (200, None)
    assert shop.get(f"/v1/decisions/{got.json['decision_id']}").status_code == 404


def test_dry_run_false_records(shop: FlaskClient) -> None:
    assert shop.post("/v1/decisions?dry_run=false", json=BASKET).status_code == 201


def test_rungs_are_in_order_of_value(told: dict[str, Any]) -> None:
    values = [rung["value"] for rung in told["ladder"]]
    assert values == sorted(values) and len(set(values)) == len(values)
    for rung in told["ladder"]:
        assert rung["depth"] == rung["value"] / told["base"]["total"]
        assert 0 <= rung["acceptance"] <= 1


def test_gifts_and_points_are_told(shop: FlaskClient) -> None:
    ladder = shop.post("/v1/decisions?dry_run=true", json=BASKET).json["ladder"]
    gift = next(rung for rung in ladder if rung["promotions"] == ["gift"])
    assert [(one["sku"], one["name"], one["value"]) for one in gift["gifts"]] == [("S7", "Serum", 600)]
    points = next(rung for rung in ladder if rung["promotions"] == ["points"])
    assert points["points"] == 200 and points["gifts"] == []


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


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/v1/decisions/dec_nobody", 404),
        ("PUT", "/v1/decisions", 405),
        ("GET", "/v1/decisions", 405),
        ("DELETE", "/v1/policy", 405),
        ("POST", "/healthz", 405),
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 200),
        ("GET", "/metrics", 200),
        ("GET", "/openapi.json", 200),
        ("GET", "/docs", 200),
        ("GET", "/v1/policy", 200),
        ("GET", "/v1/model", 200),
        ("GET", "/v1/segments", 200),
        ("HEAD", "/healthz", 200),
    ],
)
def test_paths_and_methods(shop: FlaskClient, method: str, path: str, status: int) -> None:
    got = shop.open(path, method=method)
    assert got.status_code == status
    assert got.headers["X-Request-Id"]
    if status >= 400:
        assert got.content_type == "application/problem+json"
        assert json.loads(got.data)["request_id"] == got.headers["X-Request-Id"]


def test_the_policy_in_force_is_told(shop: FlaskClient, told: dict[str, Any]) -> None:
    policy = shop.get("/v1/policy").json
    assert (policy["policy_version"], policy["currency"], policy["time_zone"]) == (
        told["policy_version"],
        "EUR",
        "Europe/Paris",
    )
    assert len(policy["promotions"]) == 11


def test_openapi_is_3_1_and_names_every_path(shop: FlaskClient) -> None:
    document = shop.get("/openapi.json").json
    assert document["openapi"].startswith("3.1")
    assert {
        "/v1/decisions", "/v1/decisions/{decision_id}", "/v1/decisions/{decision_id}/outcome", "/v1/outcomes",
        "/v1/decisions/{decision_id}/returns", "/v1/policy", "/v1/model", "/v1/segments", "/healthz", "/readyz",
        "/metrics",
    } <= document["paths"].keys()  # fmt: skip


HOUSE_DEFAULTS = {
    "rounding": "half_up", "percent_of": "remaining", "spend_counts": "original", "resolve": "best_for_customer",
    "ladder": {"max_rungs": "4", "max_combined": "3", "seconds_per_offer": "7", "cost_per_hour": "18.00"},
    "learning": {"exploration": "2%", "shadow": "no", "refusal_price": "3%", "max_loss": "1%"},
    "holdout": {"share": "5%", "ladder": "full"},
}  # fmt: skip


def test_house_settings_left_out_are_as_the_page_shows_them(tmp_path_factory: pytest.TempPathFactory) -> None:
    shops = Shops(tmp_path_factory.mktemp("defaults"))
    promotions = [
        {"id": f"p{n}", "name": "P", "combines_with": "all", "benefit": {"percent": str(n)}} for n in (3, 5, 7, 11, 13)
    ]
    plain, written = (shops.open(HOUSE | house | {"promotions": promotions}, {}) for house in ({}, HOUSE_DEFAULTS))
    for number in range(20):
        asked = BASKET | {"sale_id": f"sale-{number}"}
        answers = [one.post("/v1/decisions?dry_run=true", json=asked).json for one in (plain, written)]
        assert answers[0]["base"] == answers[1]["base"]
        assert answers[0]["ladder"][0] | {"acceptance": 0, "expected_profit": 0} == answers[1]["ladder"][0] | {
            "acceptance": 0, "expected_profit": 0
        }  # fmt: skip


@pytest.mark.parametrize(("ladder", "rungs"), [("full", 4), ("first", 1), ("none", 0)])
def test_the_hold_out_has_the_houses_old_way(tmp_path_factory: pytest.TempPathFactory, ladder: str, rungs: int) -> None:
    promotions = [{"id": f"p{n}", "name": "P", "benefit": {"percent": str(n)}} for n in (3, 5, 7, 11, 13)]
    house = HOUSE | {"holdout": {"share": "100%", "ladder": ladder}, "promotions": promotions}
    told = (
        Shops(tmp_path_factory.mktemp("holdout")).open(house, {}).post("/v1/decisions?dry_run=true", json=BASKET).json
    )
    assert (told["arm"], [rung["promotions"] for rung in told["ladder"]]) == (
        "holdout", [[f"p{n}"] for n in (3, 5, 7, 11)][:rungs]
    )  # fmt: skip
