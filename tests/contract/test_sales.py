"""What follows a decision: outcomes, limits that they count towards, sales that go on, repeats, and returns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.contract.shop import Shops, lines_of
from tests.contract.till import applies, decide, give_back, tell

POLICY = """{policy: 1, currency: EUR, time_zone: Europe/Paris, ladder: {max_rungs: 20}, holdout: {share: 100%},
 promotions: [
  {id: three, name: Three for two, channels: [three], benefit: {every: {units: 3}, give: {percent: 100%}}},
  {id: five, name: Five, channels: [plain], benefit: {percent: 5%}},
  {id: ten, name: Ten, channels: [plain], benefit: {percent: 10%}},
  {id: shelf, name: Shelf, offer: automatic, channels: [shelf], benefit: {amount: 1.00, of: {sku: A}}},
  {id: once, name: Once, channels: [once], limits: [{uses: 1, per: customer}], benefit: {amount: 1.00}},
  {id: yearly, name: Yearly, channels: [yearly],
   limits: [{uses: 1, per: customer, every: year}], benefit: {amount: 1.00}},
  {id: daily, name: Daily, channels: [daily], limits: [{uses: 1, per: store, every: day}], benefit: {amount: 1.00}},
  {id: weekly, name: Weekly, channels: [weekly],
   limits: [{uses: 1, per: chain, every: week}], benefit: {amount: 1.00}},
  {id: monthly, name: Monthly, channels: [monthly],
   limits: [{budget: 2.50, per: chain, every: month}], benefit: {amount: 1.00}},
  {id: clerk, name: Clerk, channels: [clerk], limits: [{uses: 2, per: cashier}], benefit: {amount: 1.00}},
  {id: owed, name: Owed, offer: automatic, channels: [owed],
   limits: [{uses: 1, per: customer}], benefit: {amount: 1.00}},
  {id: spend, name: Spend, channels: [spend], when: [{spend: {at_least: 50.00}}], benefit: {percent: 10%}},
  {id: timed, name: Timed, channels: [timed], until: 2026-11-22, limits: [{uses: 1, per: customer}],
   benefit: {percent: 10%}},
  {id: held, name: Held, offer: automatic, channels: [held], limits: [{budget: 1.50, per: chain}],
   benefit: {amount: 1.00}},
  {id: welcome, name: Welcome, channels: [visits], when: [{visit_number: {exactly: 1}}], benefit: {amount: 1.00}},
  {id: back, name: Back, channels: [visits], when: [{visit_number: {exactly: 2}}], benefit: {amount: 2.00}}]}"""
RESULTS: list[tuple[str, dict[str, Any]]] = [
    ("accepted", {"rung": 1}), ("bought_at_base", {}), ("left", {}), ("not_offered", {}), ("cancelled", {})
]  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    yield Shops(tmp_path_factory.mktemp("sales")).open_text(POLICY)


@pytest.mark.parametrize(("result", "more"), RESULTS, ids=[one[0] for one in RESULTS])
def test_each_result_is_201_and_the_same_again_200(shop: FlaskClient, result: str, more: dict[str, Any]) -> None:
    told = decide(shop, "plain")
    assert [tell(shop, told, result, **more), tell(shop, told, result, **more)] == [201, 200]


@pytest.mark.parametrize("then", RESULTS, ids=lambda one: f"then {one[0]}")
@pytest.mark.parametrize("first", RESULTS, ids=lambda one: f"first {one[0]}")
def test_one_result_after_another(shop: FlaskClient, first: Any, then: Any) -> None:
    told = decide(shop, "plain")
    assert tell(shop, told, first[0], **first[1]) == 201
    sold = first[0] in ("accepted", "bought_at_base", "not_offered")
    expected = {200} if first == then else {200, 201} if sold and then[0] == "cancelled" else {409}
    assert tell(shop, told, then[0], **then[1]) in expected


def test_another_rung_is_another_outcome(shop: FlaskClient) -> None:
    told = decide(shop, "plain")
    assert [tell(shop, told, "accepted", rung=1), tell(shop, told, "accepted", rung=2)] == [201, 409]


def test_the_outcome_of_the_page_is_taken_and_read_again(shop: FlaskClient) -> None:
    told = decide(shop, "plain", "A 4000", sale_id="R-1")
    offers = [{"rung": 1, "reaction": "declined", "seconds": 5.1}, {"rung": 2, "reaction": "accepted", "seconds": 4.0}]
    at = "2026-11-21T10:05:00+01:00"
    status = tell(shop, told, "accepted", rung=2, offers=offers, paid_total=3600, at=at, sale_id="R-1", satisfaction=5)
    assert status == 201
    kept = shop.get(f"/v1/decisions/{told['decision_id']}").json
    assert {key: kept[key] for key in told} == told
    assert (kept["outcome"]["result"], kept["outcome"]["rung"], kept["outcome"]["satisfaction"]) == ("accepted", 2, 5)


def test_promotions_that_the_ladder_did_not_name(shop: FlaskClient) -> None:
    told = decide(shop, "plain")
    assert tell(shop, told, "accepted", promotions=["ten"]) == 201
    assert tell(shop, told, "accepted", promotions=["ten"]) == 200
    assert tell(shop, told, "accepted", promotions=["five"]) == 409


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/result"),
        ({"result": "sold"}, "/result"),
        ({"result": "accepted"}, "/rung"),
        ({"result": "accepted", "rung": 3}, "/rung"),
        ({"result": "accepted", "rung": 0}, "/rung"),
        ({"result": "left", "satisfaction": 6}, "/satisfaction"),
        ({"result": "left", "satisfaction": 0}, "/satisfaction"),
        ({"result": "left", "paid_total": -1}, "/paid_total"),
        ({"result": "left", "reason": "x"}, "/reason"),
        ({"result": "left", "offers": [{"rung": 1, "reaction": "maybe"}]}, "/offers/0/reaction"),
        ({"result": "left", "offers": [{"reaction": "declined"}]}, "/offers/0/rung"),
        ({"result": "left", "at": "2026-11-21T10:05:00"}, "/at"),
    ],
)
def test_a_wrong_outcome_is_refused(shop: FlaskClient, body: dict[str, Any], pointer: str) -> None:
    got = shop.put(f"/v1/decisions/{decide(shop, 'plain')['decision_id']}/outcome", json=body)
    assert got.status_code == 422
    assert pointer in [one["pointer"] for one in got.get_json(force=True)["errors"]]


def test_an_outcome_of_no_decision_is_404(shop: FlaskClient) -> None:
    assert tell(shop, {"decision_id": "dec_nobody"}, "left") == 404


def test_a_batch_answers_for_each_in_order(shop: FlaskClient) -> None:
    first, second = decide(shop, "plain"), decide(shop, "plain")
    tell(shop, second, "left")
    sent = [
        {"decision_id": first["decision_id"], "result": "accepted", "rung": 1},
        {"decision_id": "dec_nobody", "result": "left"},
        {"decision_id": second["decision_id"], "result": "bought_at_base"},
        {"decision_id": second["decision_id"], "result": "left"},
        {"decision_id": first["decision_id"], "result": "accepted", "rung": 9},
    ]
    got = shop.post("/v1/outcomes", json={"outcomes": sent})
    assert got.status_code == 200
    results = got.json["results"]
    assert [one["decision_id"] for one in results] == [one["decision_id"] for one in sent]
    assert [one["status"] for one in results] == [201, 404, 409, 200, 422]
    assert [list(one)[:3] for one in results] == [["decision_id", "status", "code"]] * 5


# limits


LIMITED = [
    ("once ever", "once", ["2026-11-21", "2027-12-01"], [True, False]),
    ("once a year", "yearly", ["2026-12-31", "2026-12-31", "2027-01-01"], [True, False, True]),
    ("once a day in a store", "daily", ["2026-11-21", "2026-11-21", "2026-11-22"], [True, False, True]),
    ("once a week from monday", "weekly", ["2026-11-21", "2026-11-22", "2026-11-23"], [True, False, True]),
    (
        "a budget for a month",
        "monthly",
        ["2026-11-01", "2026-11-02", "2026-11-30", "2026-12-01"],
        [True, True, False, True],
    ),
    ("twice for a cashier", "clerk", ["2026-11-21", "2026-11-21", "2026-11-21"], [True, True, False]),
]


@pytest.mark.parametrize(("channel", "days", "expected"), [pytest.param(*one[1:], id=one[0]) for one in LIMITED])
def test_a_limit_counts_what_was_sold(shop: FlaskClient, channel: str, days: list[str], expected: list[bool]) -> None:
    found = []
    for day in days:
        told = decide(shop, channel, who=f"L-{channel}", cashier_id="C1", at=f"{day}T12:00:00+01:00")
        found.append(bool(applies(told)))
        if told["ladder"]:
            tell(shop, told, "accepted", rung=1)
    assert found == expected
    reasons = {one["promotion_id"]: one["reason"] for one in told["not_applicable"]}
    assert found[-1] or reasons[channel] == "limit"


@pytest.mark.parametrize(
    ("channel", "outcomes", "is_free"),
    [
        pytest.param("once", [("left", {})], True, id="who left has used nothing"),
        pytest.param("once", [("bought_at_base", {})], True, id="a ladder's promotion is not used at base"),
        pytest.param("once", [("not_offered", {})], True, id="nor where nothing was said"),
        pytest.param("once", [("accepted", {"rung": 1})], False, id="an accepted rung is used"),
        pytest.param("once", [("accepted", {"promotions": ["once"]})], False, id="a promotion given is used"),
        pytest.param("once", [("accepted", {"rung": 1}), ("cancelled", {})], True, id="a voided sale has used nothing"),
        pytest.param("once", [], False, id="until its outcome a decision holds a use"),
        pytest.param("owed", [("bought_at_base", {})], False, id="a promotion of the base is used at base"),
        pytest.param("owed", [("not_offered", {})], False, id="and where nothing was said"),
        pytest.param("owed", [("left", {})], True, id="and not by who left"),
    ],
)
def test_what_counts_towards_a_limit(
    shop: FlaskClient,
    channel: str,
    outcomes: list[tuple[str, dict[str, Any]]],
    is_free: bool,
    request: pytest.FixtureRequest,
) -> None:
    who = request.node.name
    told = decide(shop, channel, who=who)
    for result, more in outcomes:
        assert tell(shop, told, result, **more) in (200, 201)
    assert bool(applies(decide(shop, channel, who=who))) == is_free


def test_a_dry_run_holds_nothing(shop: FlaskClient) -> None:
    asked = {"store_id": "S001", "currency": "EUR", "channel": "once", "lines": list(lines_of("A 1000"))}
    dry = [
        shop.post("/v1/decisions?dry_run=true", json=asked | {"customer": {"customer_id": "dry"}}).json
        for _ in range(2)
    ]
    assert [applies(one) for one in dry] == [["once"], ["once"]]


def test_a_sale_that_goes_on_frees_what_it_held(shop: FlaskClient) -> None:
    first = decide(shop, "once", who="goes-on", sale_id="G-1")
    second = decide(shop, "once", "A 1000; B 500", who="goes-on", sale_id="G-1")
    assert (applies(first), applies(second), first["arm"]) == (["once"], ["once"], second["arm"])
    assert applies(decide(shop, "once", who="goes-on", sale_id="G-2")) == []


def test_a_budget_is_held_until_the_outcome(shop: FlaskClient) -> None:
    first = decide(shop, "held")
    assert (applies(first), applies(decide(shop, "held"))) == (["held"], [])
    tell(shop, first, "left")
    assert applies(decide(shop, "held")) == ["held"]


def test_a_dry_run_of_a_sale_supersedes_nothing(shop: FlaskClient) -> None:
    first = decide(shop, "once", who="dry-sale", sale_id="D-1")
    asked = {
        "store_id": "S001",
        "currency": "EUR",
        "channel": "plain",
        "lines": list(lines_of("A 1000")),
        "sale_id": "D-1",
    }
    assert shop.post("/v1/decisions?dry_run=true", json=asked).status_code == 200
    assert applies(decide(shop, "once", who="dry-sale")) == []
    assert tell(shop, first, "accepted", rung=1) == 201


def test_the_same_sale_id_in_another_store_is_another_sale(shop: FlaskClient) -> None:
    decide(shop, "once", who="two-stores", sale_id="T-1")
    assert applies(decide(shop, "once", who="two-stores", sale_id="T-1", store_id="S002")) == []


def test_a_decision_that_was_superseded_still_takes_its_outcome(shop: FlaskClient) -> None:
    first = decide(shop, "plain", sale_id="L-1")
    decide(shop, "plain", "A 1000; B 100", sale_id="L-1")
    assert tell(shop, first, "accepted", rung=1) == 201


def test_the_service_counts_visits_that_the_till_does_not_send(shop: FlaskClient) -> None:
    first = decide(shop, "visits", who="returning")
    assert applies(first) == ["welcome"]
    tell(shop, first, "bought_at_base")
    assert applies(decide(shop, "visits", who="returning")) == ["back"]


def test_a_repeat_with_its_key_is_the_first_answer_byte_for_byte(shop: FlaskClient) -> None:
    asked = {"store_id": "S001", "currency": "EUR", "channel": "plain", "lines": list(lines_of("A 1000"))}
    first, again = (shop.post("/v1/decisions", json=asked, headers={"Idempotency-Key": "k-1"}) for _ in range(2))
    assert (first.data, first.status_code, first.headers["Location"]) == (again.data, 201, again.headers["Location"])
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (False, "true")
    other = shop.post("/v1/decisions", json=asked | {"asked": True}, headers={"Idempotency-Key": "k-1"})
    assert other.status_code == 422


# returns


@pytest.mark.parametrize(
    ("channel", "lines", "sold", "returned", "refunds"),
    [
        pytest.param("plain", "A 1000 x2", {"rung": 2}, [("1", 1, False)], [900], id="one of two at ten percent"),
        pytest.param("three", "A 1000 x3", {"rung": 1}, [("1", 1, False)], [0], id="one of three for two"),
        pytest.param("three", "A 1000 x3", {"rung": 1}, [("1", 2, False)], [1000], id="two of three for two"),
        pytest.param("three", "A 1000 x3", {"rung": 1}, [("1", 3, False)], [2000], id="all of three for two"),
        pytest.param("three", "A 1000 x3", {"rung": 1}, [("1", 1, False)] * 3, [0, 1000, 1000], id="one after another"),
        pytest.param("three", "A 300; B 200; C 100", {"rung": 1}, [("3", 1, False)], [0], id="the free one"),
        pytest.param("three", "A 300; B 200; C 100", {"rung": 1}, [("1", 1, False)], [200], id="the dearest"),
        pytest.param("three", "A 300; B 200; C 100", {"rung": 1}, [("1", 1, True)], [300], id="the dearest and faulty"),
        pytest.param("three", "A 300; B 200; C 100", {"rung": 1}, [("3", 1, True)], [0], id="the free one and faulty"),
        pytest.param("spend", "A 3000 x2", {"rung": 1}, [("1", 1, False)], [2400], id="below the threshold"),
        pytest.param("spend", "A 3000 x3", {"rung": 1}, [("1", 1, False)], [2700], id="still at the threshold"),
        pytest.param(
            "spend", "A 3000 x3", {"rung": 1}, [("1", 1, False)] * 3, [2700, 2400, 3000], id="down to nothing"
        ),
        pytest.param("spend", "A 3000 x2", {"rung": 1}, [("1", 1, True)], [2700], id="faulty below the threshold"),
        pytest.param("shelf", "A 1000; B 500", None, [("1", 1, False)], [900], id="at base with the shelf's discount"),
        pytest.param("shelf", "A 1000; B 500", None, [("2", 1, False)], [500], id="at base without it"),
    ],
)
def test_a_return_pays_what_was_paid_less_what_the_kept_costs(
    shop: FlaskClient, channel: str, lines: str, sold: dict[str, Any] | None, returned: Any, refunds: list[int]
) -> None:
    told = decide(shop, channel, lines)
    tell(shop, told, *(["bought_at_base"] if sold is None else ["accepted"]), **(sold or {}))
    for (line_id, quantity, faulty), refund in zip(returned, refunds, strict=True):
        got = give_back(shop, told, {"line_id": line_id, "quantity": quantity, "faulty": faulty})
        assert (got.status_code, got.json["refund"]) == (201, refund)
        assert list(got.json) == ["refund", "lines", "reason"]
        assert [list(one) for one in got.json["lines"]] == [["line_id", "refund"]]
        assert sum(one["refund"] for one in got.json["lines"]) == refund


def test_a_return_is_priced_at_the_sales_time_with_its_own_use_of_a_limit(shop: FlaskClient) -> None:
    told = decide(shop, "timed", "A 1000 x2", who="timed", at="2026-11-21T12:00:00+01:00")
    tell(shop, told, "accepted", rung=1)
    assert give_back(shop, told, {"line_id": "1", "quantity": 1}).json["refund"] == 900


def test_faulty_left_out_is_not_faulty(shop: FlaskClient) -> None:
    told = decide(shop, "three", "A 1000 x3")
    tell(shop, told, "accepted", rung=1)
    assert give_back(shop, told, {"line_id": "1", "quantity": 1}).json["refund"] == 0


@pytest.mark.parametrize("result", [None, "left", "cancelled"])
def test_without_a_sale_a_return_is_409(shop: FlaskClient, result: str | None) -> None:
    told = decide(shop, "plain")
    if result:
        tell(shop, told, result)
    assert give_back(shop, told, {"line_id": "1", "quantity": 1}).status_code == 409


@pytest.mark.parametrize(
    "line",
    [
        {"line_id": "9", "quantity": 1},
        {"line_id": "1", "quantity": 2},
        {"line_id": "1", "quantity": 0},
        {"line_id": "1"},
    ],
)
def test_a_wrong_return_is_422(shop: FlaskClient, line: dict[str, Any]) -> None:
    told = decide(shop, "plain")
    tell(shop, told, "bought_at_base")
    assert give_back(shop, told, line).status_code == 422
