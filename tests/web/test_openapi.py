"""The OpenAPI document, and the page that is made of it."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from werkzeug.serving import make_server

from pos_discount.web.routes import ROUTES
from tests.web.house import basket, decide, make_app, tell

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    told: dict[str, Any] = client.get("/openapi.json").json
    return told


def test_every_route_is_described_with_all_that_it_may_answer(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    described = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    assert described == {(route.path.replace("<", "{").replace(">", "}"), route.method) for route in ROUTES}
    for route in ROUTES:
        if route.path.startswith("/v1"):
            operation = document["paths"][route.path.replace("<", "{").replace(">", "}")][route.method.lower()]
            assert {"400", "401", "403", "422", "500", "503"} <= set(operation["responses"])


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    named = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert named <= set(document["components"]["schemas"])


def test_answers_are_what_the_document_says(client: FlaskClient, document: dict[str, Any]) -> None:
    told = decide(client, customer={"customer_id": "L-1"})
    path = "/v1/decisions/{decision_id}"
    _check(document, "/v1/decisions", "post", "201", told)
    outcome = tell(client, told, "accepted", rung=1, offers=[{"rung": 1, "reaction": "accepted"}])
    _check(document, f"{path}/outcome", "put", "201", outcome.json)
    back = client.post(
        f"/v1/decisions/{told['decision_id']}/returns", json={"lines": [{"line_id": "1", "quantity": 1}]}
    )
    _check(document, f"{path}/returns", "post", "201", back.json)
    _check(document, path, "get", "200", client.get(f"/v1/decisions/{told['decision_id']}").json)
    batch = {"outcomes": [{"decision_id": told["decision_id"], "result": "left"}, {"result": "left"}]}
    _check(document, "/v1/outcomes", "post", "200", client.post("/v1/outcomes", json=batch).json)
    for page in ("/v1/policy", "/v1/model", "/v1/segments", "/healthz", "/readyz"):
        _check(document, page, "get", "200", client.get(page).json)
    wrong = client.post("/v1/decisions", json={"lines": 1})
    _check(document, "/v1/decisions", "post", "422", wrong.json, "application/problem+json")


def test_the_examples_are_taken(client: FlaskClient) -> None:
    for route in ROUTES:
        if route.example is not None:
            path = route.path.replace("<decision_id>", decide(client)["decision_id"])
            answer = client.open(path, method=route.method, json=route.example)
            assert answer.status_code in (200, 201, 409), (route.name, answer.text)


def _check(
    document: dict[str, Any], path: str, method: str, status: str, value: Any, media: str = "application/json"
) -> None:
    schema = document["paths"][path][method]["responses"][status]["content"][media]["schema"]
    jsonschema.Draft202012Validator(schema | {"components": document["components"]}).validate(value)


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, make_app(tmp_path), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium")
def test_the_page_is_read_filtered_and_tried_out_in_a_browser_without_a_network(address: str) -> None:
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        asked: list[str] = []
        wrong: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.goto(f"{address}/docs")
        assert page.locator("section.operation").count() == len(ROUTES)
        page.get_by_label("Find").fill("refund")
        page.get_by_label("Find").fill("outcome")
        assert page.locator("section.operation:visible").count() == 2
        page.get_by_label("Find").fill("")
        operation = page.locator("#decide")
        operation.get_by_text("Try it on this server").click()
        operation.get_by_role("button").click()
        sync_api.expect(operation.locator("pre[aria-live]")).to_contain_text("201", timeout=20_000)
        sync_api.expect(operation.locator("pre[aria-live]")).to_contain_text("ladder")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert all(url.startswith((address, "data:")) for url in asked)
        assert wrong == []
        browser.close()


def test_the_page_loads_nothing_from_elsewhere(client: FlaskClient) -> None:
    page = client.get("/docs")
    assert page.content_type.startswith("text/html")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "http://" not in page.text
    assert "https://" not in page.text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("route", "mode"),
    [(route.name, "positive") for route in ROUTES] + [(route.name, "negative") for route in ROUTES if route.body],
)
def test_no_generated_request_meets_a_bug_or_an_answer_that_is_not_described(
    tmp_path: Path, route: str, mode: str
) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="needs schemathesis")
    schema = schemathesis.openapi.from_wsgi("/openapi.json", make_app(tmp_path))
    operation = schema.find_operation_by_id(route)
    described = set(operation.definition.raw["responses"]) - {"500"}

    @settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=schemathesis.GenerationMode(mode)))
    def run(case: Any) -> None:
        answer = case.call()
        assert str(answer.status_code) in described, answer.text

    run()


def test_a_basket_as_the_api_page_writes_it_is_taken(client: FlaskClient) -> None:
    told = client.post("/v1/decisions", json=PAGE_BASKET)
    assert told.status_code == 201, told.text


PAGE_BASKET: dict[str, Any] = basket(
    {
        "line_id": "1",
        "sku": "CREAM-A",
        "name": "Day cream",
        "category": "care/face",
        "brand": "Mirabelle",
        "supplier": "NORDIC",
        "tags": ["new"],
        "quantity": 2,
        "unit_price": 1200,
        "unit_cost": 540,
        "attributes": {},
    },
    till_id="T07",
    cashier_id="C12",
    authority="cashier",
    sale_id="S001-T07-000123",
    at="2026-11-21T10:02:11+01:00",
    channel="till",
    region="north",
    locale="ru",
    coupons=["AUTUMN"],
    claimed=["birthday"],
    asked=False,
    payment="card",
    attributes={},
    customer={
        "customer_id": "L-889123",
        "tier": "gold",
        "groups": [],
        "birthday": "11-25",
        "visit_number": 12,
        "last_visit_on": "2026-10-02",
        "visits_90d": 3,
        "spend_90d": 12050,
        "promo_share_90d": 0.4,
        "attributes": {},
    },
)
