"""What the API page says around an answer: problems and their members, headers both ways, and what GET routes tell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from pos_discount.web import create_app
from tests.contract.shop import AT, Shops, lines_of

POLICY = """{"policy": 1, "currency": "EUR", "time_zone": "Europe/Paris", "margins": [{"rate": "50%"}],
 "holdout": {"share": "100%", "ladder": "full"}, "ladder": {"max_rungs": 20},
 "ranges": {"care": {"category": "care"}},
 "promotions": [
  {"id": "ten", "name": "Ten", "owner": "care", "reference": "M-1", "from": "2026-01-01", "until": "2030-01-01",
   "weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "hours": ["00:00-24:00"], "stores": ["S001"],
   "say": {"en": "Ten {amount}", "ru": "Десять"}, "combines_with": ["all"], "benefit": {"percent": 10, "of": "care"}},
  {"id": "more", "name": "More", "when": [{"quantity": {"of": "care", "at_least": 3}}], "funded": "50%", "cap": "2.00",
   "limits": [{"uses": 1, "per": "customer", "every": "day"}], "benefit": {"amount": "3.00"}}]}"""
BASKET: dict[str, Any] = {"store_id": "S001", "currency": "EUR", "lines": list(lines_of("A 1000 x2 care; B 500"))}
MEMBERS = ["type", "title", "status", "detail", "code", "request_id", "errors"]
JSON = {"Content-Type": "application/json"}
RIGHT = json.dumps(BASKET)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    yield Shops(tmp_path_factory.mktemp("around")).open_text(POLICY)


def with_key(**more: str) -> dict[str, str]:
    return JSON | {name.replace("_", "-"): value for name, value in more.items()}


NOBODY = "/v1/decisions/dec_01m80347tcp89f1vtvrkp8abng"
DECIDE = "/v1/decisions?dry_run=true"
PROBLEMS: list[tuple[str, str, str, dict[str, str], str, int, list[str]]] = [
    ("a body that is cut off", "POST", DECIDE, JSON, RIGHT[:-1], 400, []),
    ("a body with a word behind it", "POST", DECIDE, JSON, RIGHT + "x", 400, []),
    ("an infinite price", "POST", DECIDE, JSON, RIGHT.replace("1000", "Infinity"), 400, []),
    ("a body too deep to be a basket", "POST", DECIDE, JSON, '{"a":' * 5000 + "1" + "}" * 5000, 400, []),
    ("no body", "POST", DECIDE, JSON, "", 400, []),
    ("no such path", "GET", "/v2/decisions", {}, "", 404, []),
    ("no such decision", "GET", NOBODY, {}, "", 404, []),
    ("no decision's id", "GET", "/v1/decisions/1", {}, "", 404, []),
    ("an outcome of nobody", "PUT", f"{NOBODY}/outcome", JSON, '{"result": "left"}', 404, []),
    ("a return of nobody", "POST", f"{NOBODY}/returns", JSON,
     '{"lines": [{"line_id": "1", "quantity": 1}]}', 404, []),
    ("an outcome that is posted", "POST", "/v1/decisions/dec_1/outcome", JSON, "{}", 405, []),
    ("a batch that is put", "PUT", "/v1/outcomes", JSON, "{}", 405, []),
    ("a policy that is posted", "POST", "/v1/policy", JSON, "{}", 405, []),
    ("a body of more than a mebibyte", "POST", DECIDE, JSON, RIGHT + " " * 1_050_000, 413, []),
    ("a form", "POST", DECIDE, {"Content-Type": "application/x-www-form-urlencoded"}, RIGHT, 415, []),
    ("text", "POST", DECIDE, {"Content-Type": "text/plain"}, RIGHT, 415, []),
    ("no type at all", "POST", DECIDE, {}, RIGHT, 415, []),
    ("another character set", "POST", DECIDE, {"Content-Type": "application/json; charset=utf-16"}, RIGHT, 415, []),
    ("a batch of text", "POST", "/v1/outcomes", {"Content-Type": "text/plain"}, "{}", 415, []),
    ("an outcome of text", "PUT", "/v1/decisions/dec_1/outcome", {"Content-Type": "text/plain"}, "{}", 415, []),
    ("a compressed body", "POST", DECIDE, with_key(Content_Encoding="gzip"), RIGHT, 415, []),
    ("a list", "POST", DECIDE, JSON, "[]", 422, [""]),
    ("a word for dry_run", "POST", "/v1/decisions?dry_run=perhaps", JSON, RIGHT, 422, ["?dry_run"]),
    ("a word for explain", "POST", "/v1/decisions?explain=some", JSON, RIGHT, 422, ["?explain"]),
    ("a parameter that is misspelt", "POST", "/v1/decisions?dryrun=true", JSON, RIGHT, 422, ["?dryrun"]),
    ("a key that is empty", "POST", DECIDE, with_key(Idempotency_Key=""), RIGHT, 422, ["Idempotency-Key"]),
    ("a key that is too long", "POST", DECIDE, with_key(Idempotency_Key="k" * 256), RIGHT, 422, ["Idempotency-Key"]),
    ("a field that stands twice", "POST", DECIDE, JSON, RIGHT.replace('"quantity": 2', '"quantity": 2, "quantity": 3'),
     422, ["/lines/0/quantity"]),
    ("a line that is no object", "POST", DECIDE, JSON, json.dumps(BASKET | {"lines": [None]}), 422, ["/lines/0"]),
    ("lines that are no list", "POST", DECIDE, JSON, json.dumps(BASKET | {"lines": {}}), 422, ["/lines"]),
    ("a price beyond all bounds", "POST", DECIDE, JSON, RIGHT.replace("1000", "9" * 40), 422, ["/lines/0/unit_price"]),
    ("a batch without outcomes", "POST", "/v1/outcomes", JSON, "{}", 422, ["/outcomes"]),
    ("a batch with a field of its own", "POST", "/v1/outcomes", JSON, '{"outcomes": [], "till": "T1"}', 422, ["/till"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status", "pointers"), [pytest.param(*one[1:], id=one[0]) for one in PROBLEMS]
)
def test_a_problem_has_every_member_and_points_at_each_fault(
    shop: FlaskClient, method: str, path: str, headers: dict[str, str], body: str, status: int, pointers: list[str]
) -> None:
    got = shop.open(path, method=method, headers=headers, data=body)
    problem = json.loads(got.data)
    assert (got.status_code, got.content_type, problem["status"]) == (status, "application/problem+json", status)
    assert list(problem) == MEMBERS
    assert [fault["pointer"] for fault in problem["errors"]] == pointers
    assert all(list(fault) == ["pointer", "code", "detail"] for fault in problem["errors"])
    assert all(fault["code"] and fault["detail"] for fault in problem["errors"])
    assert problem["request_id"] == got.headers["X-Request-Id"]


def test_every_fault_of_many_lines_is_told_at_once(shop: FlaskClient) -> None:
    lines = [{"line_id": str(n), "sku": "", "quantity": 0, "unit_price": -1} for n in range(20)]
    got = shop.post(DECIDE, json=BASKET | {"lines": lines, "currency": "CHF"})
    pointers = {fault["pointer"] for fault in json.loads(got.data)["errors"]}
    assert pointers == {"/currency"} | {
        f"/lines/{n}/{key}" for n in range(20) for key in ("sku", "quantity", "unit_price")
    }


# headers


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/v1/policy", "/v1/model", "/v1/segments", "/nowhere"])
def test_a_request_id_that_came_in_goes_out(shop: FlaskClient, path: str) -> None:
    assert shop.get(path, headers={"X-Request-Id": "till-7.0001"}).headers["X-Request-Id"] == "till-7.0001"


def test_requests_without_an_id_each_get_their_own(shop: FlaskClient) -> None:
    ids = {shop.post(DECIDE, json=BASKET).headers["X-Request-Id"] for _ in range(3)}
    assert len(ids) == 3 and "" not in ids


def test_the_key_of_a_dry_run_is_no_key_of_a_decision(shop: FlaskClient) -> None:
    key = {"Idempotency-Key": "dry-and-not"}
    assert shop.post(DECIDE, json=BASKET, headers=key).status_code == 200
    assert shop.post("/v1/decisions", json=BASKET, headers=key).status_code == 422


def test_another_order_of_fields_is_another_body(shop: FlaskClient) -> None:
    key = JSON | {"Idempotency-Key": "order"}
    assert shop.post("/v1/decisions", data=RIGHT, headers=key).status_code == 201
    turned = json.dumps(dict(reversed(list(BASKET.items()))))
    got = shop.post("/v1/decisions", data=turned, headers=key)
    assert (got.status_code, json.loads(got.data)["code"]) == (422, "key_reused")


def test_a_refused_request_leaves_its_key_free(shop: FlaskClient) -> None:
    key = {"Idempotency-Key": "refused-first"}
    assert shop.post("/v1/decisions", json=BASKET | {"lines": []}, headers=key).status_code == 422
    assert shop.post("/v1/decisions", json=BASKET, headers=key).status_code == 201


def test_without_a_key_the_same_basket_is_a_new_decision(shop: FlaskClient) -> None:
    first, second = (shop.post("/v1/decisions", json=BASKET).json["decision_id"] for _ in range(2))
    assert first != second


def test_a_batch_with_its_key_is_answered_alike_again(shop: FlaskClient) -> None:
    decision_id = shop.post("/v1/decisions", json=BASKET).json["decision_id"]
    body = {"outcomes": [{"decision_id": decision_id, "result": "left"}]}
    first, again = (shop.post("/v1/outcomes", json=body, headers={"Idempotency-Key": "batch-1"}) for _ in range(2))
    assert first.json["results"][0]["status"] == 201
    assert (first.data, again.headers["Idempotency-Replayed"]) == (again.data, "true")


def test_a_location_leads_to_the_decision_byte_for_byte(shop: FlaskClient) -> None:
    made = shop.post("/v1/decisions", json=BASKET)
    kept = shop.get(made.headers["Location"])
    assert kept.status_code == 200 and kept.data.startswith(made.data[:-1])


# keys


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer ", "Bearer nonsense", "Basic abc", "pdk_nonsense"])
def test_without_a_right_key_every_answer_is_401(tmp_path_factory: pytest.TempPathFactory, header: str | None) -> None:
    folder = tmp_path_factory.mktemp("keyed")
    (folder / "house.yaml").write_text(POLICY, encoding="utf-8")
    settings = {"policies": str(folder), "database": str(folder / "x.db"), "secret": "a secret for the tests"}
    client = create_app(settings).test_client()
    headers = {} if header is None else {"Authorization": header}
    got = client.post("/v1/decisions", json=BASKET, headers=headers)
    assert (got.status_code, got.headers["WWW-Authenticate"].split()[0]) == (401, "Bearer")
    assert list(json.loads(got.data)) == MEMBERS
    assert client.get("/healthz").status_code == 200


# what is in force


def test_a_policy_in_json_is_a_policy(shop: FlaskClient) -> None:
    told = shop.post(DECIDE, json=BASKET | {"locale": "en", "at": AT}).json
    assert [(rung["saving"], rung["say"]) for rung in told["ladder"]] == [(200, "Ten €2.00")]


def test_the_policy_tells_of_each_promotion_what_was_written(shop: FlaskClient) -> None:
    policy = shop.get("/v1/policy").json
    assert list(policy)[:4] == ["policy_version", "currency", "time_zone", "promotions"]
    found = {one["promotion_id"]: one for one in policy["promotions"]}
    assert (found["ten"]["name"], found["ten"]["offer"], found["ten"]["class"]) == ("Ten", "ladder", "ten")
    assert (found["more"]["cap"], found["more"]["funded"]) == (200, 0.5)
    assert found["more"]["conditions"] and found["more"]["benefit"]


def test_the_policy_names_files_and_not_where_the_service_keeps_them(shop: FlaskClient) -> None:
    places = [one["place"] for one in shop.get("/v1/policy").json["promotions"]]
    assert [place.split(":")[0] for place in places] == ["house.yaml", "house.yaml"]


def test_without_a_model_its_card_and_the_segments_say_so(shop: FlaskClient) -> None:
    model, segments = shop.get("/v1/model").json, shop.get("/v1/segments").json
    assert (model["model_version"], model["fallback"]) == (None, "no_model")
    assert segments == {"model_version": None, "segments": []}


def test_the_service_is_alive_and_ready(shop: FlaskClient) -> None:
    assert shop.get("/healthz").status_code == 200
    ready = shop.get("/readyz").json
    assert (ready["status"], ready["store"]["writable"]) == ("ready", True)
    assert ready["policy"]["version"] == shop.get("/v1/policy").json["policy_version"]
    assert "model" in ready


@pytest.mark.parametrize("path", ["/v1/policy", "/v1/model", "/v1/segments", "/openapi.json", "/healthz", "/readyz"])
def test_what_is_read_is_json(shop: FlaskClient, path: str) -> None:
    assert shop.get(path).content_type == "application/json"


def test_metrics_are_for_prometheus_and_docs_for_people(shop: FlaskClient) -> None:
    assert shop.get("/metrics").content_type.startswith("text/plain")
    assert shop.get("/docs").content_type.startswith("text/html")
