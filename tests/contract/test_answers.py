"""The answer's members, their names and types, and what is told beside it."""

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
