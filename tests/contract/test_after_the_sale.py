"""What a sale leaves behind: repeated and voided outcomes, limits to the minute, kept history, and refunds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.contract.shop import Shops, lines_of
from tests.contract.test_sales import applies, decide, give_back, tell

HALF_THE_SECOND = "{every: {units: 2}, give: {percent: 50%}}"
POLICY = f"""{{policy: 1, currency: EUR, time_zone: Europe/Paris, ladder: {{max_rungs: 20}}, holdout: {{share: 100%}},
 promotions: [
  {{id: five, name: Five, channels: [plain], combines_with: all, benefit: {{percent: 5%}}}},
  {{id: ten, name: Ten, channels: [plain], combines_with: all, benefit: {{percent: 10%}}}},
  {{id: second, name: Second, channels: [second], benefit: {HALF_THE_SECOND}}},
  {{id: three, name: Three, channels: [three], benefit: {{every: {{units: 3}}, give: {{percent: 100%}}}}}},
  {{id: hundred, name: Hundred, channels: [hundred], when: [{{spend: {{at_least: 100.00}}}}],
   benefit: {{percent: 10%}}}},
  {{id: boots, name: Boots, channels: [boots],
   benefit: {{buy_get: {{buy: 2, of: {{sku: [JACKET, PANTS]}}, get: 1, of_get: {{sku: BOOTS}}, percent: 90%}}}}}},
  {{id: suit, name: Suit, channels: [suit],
   benefit: {{bundle: {{of: [{{units: 1, of: {{sku: JACKET}}}}, {{units: 1, of: {{sku: PANTS}}}}], amount: 10.00}}}}}},
  {{id: steps, name: Steps, channels: [steps],
   benefit: {{tiers: {{by: quantity, steps: [{{from: 2, percent: 5%}}, {{from: 4, percent: 10%}}]}}}}}},
  {{id: capped, name: Capped, channels: [capped], cap: 5.00, benefit: {{percent: 50%}}}},
  {{id: amount, name: Amount, channels: [amount], benefit: {{amount: 5.00}}}},
  {{id: shelf, name: Shelf, offer: automatic, channels: [both], combines_with: all, priority: 1,
   benefit: {{percent: 10%}}}},
  {{id: extra, name: Extra, channels: [both], combines_with: all, priority: 2, when: [{{quantity: {{at_least: 2}}}}],
   benefit: {{amount: 1.00}}}},
  {{id: gold, name: Gold, channels: [gold], when: [{{tier: gold}}], benefit: {{percent: 20%}}}},
  {{id: code, name: Code, offer: on_request, channels: [code], when: [{{coupon: CODE}}], benefit: {{percent: 20%}}}},
  {{id: present, name: Present, channels: [present],
   benefit: {{gift: {{sku: S, name: Sample, value: 6.00, cost: 0.90}}}}}},
  {{id: twice, name: Twice, channels: [twice], limits: [{{uses: 2, per: customer, every: day}}],
   benefit: {{amount: 1.00}}}},
  {{id: purse, name: Purse, channels: [purse], limits: [{{budget: 1.50, per: store}}], benefit: {{percent: 10%}}}},
  {{id: both-ways, name: Both, channels: [both-ways],
   limits: [{{uses: 1, per: customer, every: day}}, {{uses: 2, per: customer}}], benefit: {{amount: 1.00}}}},
  {{id: daily, name: Daily, channels: [daily], limits: [{{uses: 1, per: customer, every: day}}],
   benefit: {{amount: 1.00}}}},
  {{id: weekly, name: Weekly, channels: [weekly], limits: [{{uses: 1, per: customer, every: week}}],
   benefit: {{amount: 1.00}}}},
  {{id: monthly, name: Monthly, channels: [monthly], limits: [{{uses: 1, per: customer, every: month}}],
   benefit: {{amount: 1.00}}}},
  {{id: yearly, name: Yearly, channels: [yearly], limits: [{{uses: 1, per: customer, every: year}}],
   benefit: {{amount: 1.00}}}},
  {{id: owed, name: Owed, offer: automatic, channels: [owed], combines_with: [with],
   limits: [{{uses: 1, per: customer}}], benefit: {{amount: 1.00}}}},
  {{id: with, name: With, channels: [owed], combines_with: [owed], benefit: {{amount: 1.00}}}},
  {{id: without, name: Without, channels: [owed], benefit: {{amount: 3.00}}}},
  {{id: back, name: Back, channels: [history], when: [{{days_since_last_visit: {{at_least: 0}}}}],
   benefit: {{amount: 1.00}}}},
  {{id: first, name: First, channels: [history], when: [{{visit_number: {{exactly: 1}}}}], benefit: {{amount: 2.00}}}},
  {{id: third, name: Third, channels: [history], when: [{{visit_number: {{exactly: 3}}}}],
   benefit: {{amount: 3.00}}}}]}}"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    yield Shops(tmp_path_factory.mktemp("after")).open_text(POLICY)


@pytest.fixture
def who(request: pytest.FixtureRequest) -> str:
    return f"L-{request.node.name}"[:120]


def kept(shop: FlaskClient, told: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = shop.get(f"/v1/decisions/{told['decision_id']}").json
    return found


def said(*reactions: str) -> list[dict[str, Any]]:
    return [{"rung": rung, "reaction": reaction} for rung, reaction in enumerate(reactions, start=1)]


# outcomes


def test_before_its_outcome_a_decision_has_none(shop: FlaskClient) -> None:
    assert kept(shop, decide(shop, "plain"))["outcome"] is None


@pytest.mark.parametrize(
    ("first", "again"),
    [
        pytest.param({"rung": 1}, {"rung": 1, "satisfaction": 4}, id="a later satisfaction"),
        pytest.param({"rung": 1, "satisfaction": 4}, {"rung": 1}, id="a satisfaction left out"),
        pytest.param({"rung": 1}, {"rung": 1, "paid_total": 1}, id="another sum"),
        pytest.param({"rung": 1}, {"rung": 1, "sale_id": "R-9"}, id="another receipt"),
        pytest.param({"rung": 1}, {"rung": 1, "at": "2026-11-21T10:00:00Z"}, id="another time"),
        pytest.param(
            {"rung": 1}, {"rung": 1, "offers": [{"rung": 1, "reaction": "accepted"}]}, id="what was said, later"
        ),
        pytest.param({"promotions": ["five", "ten"]}, {"promotions": ["ten", "five"]}, id="promotions in other order"),
    ],
)
def test_only_result_rung_and_promotions_make_another_outcome(
    shop: FlaskClient, first: dict[str, Any], again: dict[str, Any]
) -> None:
    told = decide(shop, "plain")
    assert [tell(shop, told, "accepted", **one) for one in (first, again)] == [201, 200]


def test_a_later_satisfaction_stands_in_the_record(shop: FlaskClient) -> None:
    told = decide(shop, "plain")
    tell(shop, told, "accepted", rung=1)
    tell(shop, told, "accepted", rung=1, satisfaction=5)
    tell(shop, told, "accepted", rung=1)
    assert kept(shop, told)["outcome"]["satisfaction"] == 5


@pytest.mark.parametrize(
    "report",
    [
        {"result": "accepted", "rung": 2, "offers": [{"rung": 2, "reaction": "accepted"}]},
        {"result": "accepted", "rung": 2, "offers": said("ignored", "accepted")},
        {"result": "accepted", "rung": 2, "offers": said("declined", "declined")},
        {"result": "accepted", "rung": 1, "offers": said("declined", "declined")},
        {"result": "accepted", "promotions": ["ten"], "offers": [{"rung": 1, "reaction": "declined"}]},
        {"result": "bought_at_base", "offers": [{"rung": 1, "reaction": "ignored"}]},
        {"result": "bought_at_base", "offers": []},
        {"result": "left", "offers": said("declined", "walked")},
        {"result": "left", "offers": [{"rung": 1, "reaction": "declined", "seconds": 0}]},
        {"result": "not_offered", "paid_total": 1000},
        {"result": "cancelled"},
        {"result": "left", "paid_total": 0, "satisfaction": 1},
    ],
    ids=lambda report: f"{report['result']} {len(report)}",
)  # fmt: skip
def test_what_happens_at_tills_is_taken(shop: FlaskClient, report: dict[str, Any]) -> None:
    assert tell(shop, decide(shop, "plain"), **report) == 201


def test_a_batch_that_repeats_itself_is_judged_in_its_order(shop: FlaskClient) -> None:
    decision_id = decide(shop, "plain")["decision_id"]
    sent = [
        {"decision_id": decision_id, "result": "accepted", "rung": 1},
        {"decision_id": decision_id, "result": "accepted", "rung": 1},
        {"decision_id": decision_id, "result": "left"},
        {"decision_id": decision_id, "result": "cancelled"},
        {"decision_id": decision_id, "result": "accepted", "rung": 1},
    ]
    results = shop.post("/v1/outcomes", json={"outcomes": sent}).json["results"]
    assert [one["status"] for one in results[:3]] == [201, 200, 409]
    assert results[3]["status"] in (200, 201)
    assert results[4]["status"] == 409


def test_a_batch_of_nobody_is_answered_in_order(shop: FlaskClient) -> None:
    sent = [{"decision_id": f"dec_{number}", "result": "left"} for number in range(500)]
    results = shop.post("/v1/outcomes", json={"outcomes": sent}).json["results"]
    assert [one["decision_id"] for one in results] == [one["decision_id"] for one in sent]
    assert {one["status"] for one in results} == {404}


def test_a_batch_of_more_than_500_is_refused_whole(shop: FlaskClient) -> None:
    sent = [{"decision_id": decide(shop, "plain")["decision_id"], "result": "left"}] * 501
    got = shop.post("/v1/outcomes", json={"outcomes": sent})
    assert got.status_code == 422
    assert [one["pointer"] for one in got.get_json(force=True)["errors"]] == ["/outcomes"]


# limits


def sell(shop: FlaskClient, channel: str, who: str, at: str, lines: str = "A 1000", **more: Any) -> bool:
    """Decide, sell at rung 1 where there is one; tell whether the channel's promotion applied."""
    told = decide(shop, channel, lines, who, at=at, **more)
    tell(shop, told, "accepted", rung=1) if told["ladder"] else tell(shop, told, "bought_at_base")
    return channel in applies(told)


@pytest.mark.parametrize(
    ("channel", "moments", "expected"),
    [
        pytest.param("twice", ["2026-11-21T09:00+01:00"] * 3, [True, True, False], id="twice a day"),
        pytest.param(
            "twice", ["2026-11-21T09:00+01:00"] * 2 + ["2026-11-22T00:00+01:00"], [True] * 3, id="and on the next day"
        ),
        pytest.param(
            "both-ways",
            ["2026-11-21T09:00+01:00", "2026-11-21T10:00+01:00", "2026-11-22T09:00+01:00", "2026-11-23T09:00+01:00"],
            [True, False, True, False],
            id="once a day and twice in all",
        ),
        pytest.param(
            "daily", ["2026-11-20T23:30+00:00", "2026-11-21T22:59+00:00", "2026-11-21T23:00+00:00"],
            [True, False, True], id="the day is the house's",
        ),
        pytest.param(
            "weekly", ["2026-11-22T22:59+00:00", "2026-11-22T23:00+00:00", "2026-11-29T22:59+00:00"],
            [True, True, False], id="the week begins on the house's monday",
        ),
        pytest.param(
            "monthly", ["2026-10-31T22:59+00:00", "2026-10-31T23:00+00:00", "2026-11-30T22:59+00:00"],
            [True, True, False], id="the month is the house's",
        ),
        pytest.param(
            "yearly", ["2026-12-31T22:59+00:00", "2026-12-31T23:00+00:00", "2027-12-31T22:59+00:00"],
            [True, True, False], id="the year is the house's",
        ),
        pytest.param("daily", ["2026-11-21T09:00+01:00", "2026-11-20T09:00+01:00"], [True, True], id="a day before"),
        pytest.param(
            "weekly", ["2026-12-28T09:00+01:00", "2027-01-03T09:00+01:00", "2027-01-04T09:00+01:00"],
            [True, False, True], id="a week over the new year is one",
        ),
    ],
)  # fmt: skip
def test_a_period_is_the_houses_and_goes_by_the_sales_time(
    shop: FlaskClient, who: str, channel: str, moments: list[str], expected: list[bool]
) -> None:
    assert [sell(shop, channel, who, moment.replace("+", ":00+")) for moment in moments] == expected


def test_a_budget_holds_what_each_decision_could_cost_at_most(shop: FlaskClient) -> None:
    first = decide(shop, "purse", "A 1000", store_id="S-purse-1")
    assert applies(decide(shop, "purse", "A 1000", store_id="S-purse-1")) == []
    assert applies(decide(shop, "purse", "A 500", store_id="S-purse-1")) == ["purse"]
    assert applies(decide(shop, "purse", "A 1000", store_id="S-purse-2")) == ["purse"]
    tell(shop, first, "left")


def test_a_budget_counts_what_was_sold_and_not_what_was_held(shop: FlaskClient) -> None:
    sold = decide(shop, "purse", "A 1000", store_id="S-purse-3")
    tell(shop, sold, "accepted", rung=1)
    assert applies(decide(shop, "purse", "A 510", store_id="S-purse-3")) == []
    assert applies(decide(shop, "purse", "A 500", store_id="S-purse-3")) == ["purse"]


def test_a_voided_sale_gives_its_budget_back(shop: FlaskClient) -> None:
    sold = decide(shop, "purse", "A 1500", store_id="S-purse-4")
    tell(shop, sold, "accepted", rung=1)
    assert applies(decide(shop, "purse", "A 10", store_id="S-purse-4")) == []
    tell(shop, sold, "cancelled")
    assert applies(decide(shop, "purse", "A 1500", store_id="S-purse-4")) == ["purse"]


@pytest.mark.parametrize(
    ("report", "is_free"),
    [
        pytest.param({"result": "accepted", "promotions": ["with"]}, False, id="what combines with the base uses it"),
        pytest.param({"result": "accepted", "promotions": ["without"]}, True, id="one without it does not"),
        pytest.param({"result": "bought_at_base"}, False, id="the base uses it"),
        pytest.param({"result": "left"}, True, id="nobody who left uses it"),
    ],
)  # fmt: skip
def test_a_limit_of_the_base_counts_where_it_was_in_what_was_sold(
    shop: FlaskClient, who: str, report: dict[str, Any], is_free: bool
) -> None:
    told = decide(shop, "owed", who=who)
    assert [rung["promotions"] for rung in told["ladder"]] == [["with"], ["without"]]
    tell(shop, told, **report)
    assert ("owed" in applies(decide(shop, "owed", who=who))) == is_free


@pytest.mark.parametrize(("rung", "is_free"), [(1, False), (2, True)])
def test_a_rung_counts_the_base_that_is_in_it(shop: FlaskClient, who: str, rung: int, is_free: bool) -> None:
    told = decide(shop, "owed", who=who)
    tell(shop, told, "accepted", rung=rung)
    assert ("owed" in applies(decide(shop, "owed", who=who))) == is_free


def test_a_use_that_another_decision_holds_is_a_limit_to_a_dry_run(shop: FlaskClient, who: str) -> None:
    decide(shop, "daily", who=who)
    asked = {"store_id": "S001", "currency": "EUR", "channel": "daily", "lines": list(lines_of("A 1000"))}
    told = shop.post("/v1/decisions?dry_run=true", json=asked | {"customer": {"customer_id": who}}).json
    assert {one["promotion_id"]: one["reason"] for one in told["not_applicable"]}["daily"] == "limit"


# what the service keeps of a customer


def test_the_history_grows_with_outcomes_and_not_with_decisions(shop: FlaskClient, who: str) -> None:
    assert applies(decide(shop, "history", who=who)) == ["first"]
    assert applies(decide(shop, "history", who=who)) == ["first"]
    tell(shop, decide(shop, "history", who=who), "bought_at_base")
    assert applies(decide(shop, "history", who=who)) == ["back"]
    tell(shop, decide(shop, "history", who=who), "accepted", rung=1)
    assert applies(decide(shop, "history", who=who)) == ["back", "third"]


def test_a_voided_sale_is_no_visit(shop: FlaskClient, who: str) -> None:
    told = decide(shop, "history", who=who)
    tell(shop, told, "bought_at_base")
    tell(shop, told, "cancelled")
    assert applies(decide(shop, "history", who=who)) == ["first"]


def test_what_the_till_sends_goes_before_what_the_service_keeps(shop: FlaskClient, who: str) -> None:
    tell(shop, decide(shop, "history", who=who), "bought_at_base")
    asked = {"store_id": "S001", "currency": "EUR", "channel": "history", "lines": list(lines_of("A 1000"))}
    told = shop.post("/v1/decisions", json=asked | {"customer": {"customer_id": who, "visit_number": 3}}).json
    assert applies(told) == ["back", "third"]


# refunds

RETURNS: list[tuple[str, str, str, dict[str, Any], str, list[int]]] = [
    ("the dearer of two where the second was half price", "second", "A 10000; B 6000", {}, "1", [7000]),
    ("the half-price one of two", "second", "A 10000; B 6000", {}, "2", [3000]),
    ("both one after the other", "second", "A 10000; B 6000", {}, "2 1", [3000, 10000]),
    ("the dearer that is faulty gives its own net", "second", "A 10000; B 6000", {}, "1!", [10000]),
    ("the half-price one that is faulty gives its own net", "second", "A 10000; B 6000", {}, "2!", [3000]),
    ("the free one of three", "three", "A 5000; B 6000; C 8000", {}, "1", [0]),
    ("the free one and then another", "three", "A 5000; B 6000; C 8000", {}, "1 2", [0, 6000]),
    ("the dearest of three", "three", "A 5000; B 6000; C 8000", {}, "3", [3000]),
    ("a spend that falls below its threshold", "hundred", "A 6000; B 5000", {}, "2", [3900]),
    ("a spend that stays at its threshold", "hundred", "A 10000; B 5000", {}, "2", [4500]),
    ("the jacket that brought the boots", "boots", "JACKET 30000; PANTS 20000; BOOTS 10000", {}, "1", [21000]),
    ("the boots that were nearly free", "boots", "JACKET 30000; PANTS 20000; BOOTS 10000", {}, "3", [1000]),
    ("the jacket of a suit", "suit", "JACKET 30000; PANTS 20000", {}, "1", [29000]),
    ("a step down by a unit", "steps", "A 1000 x4", {}, "1", [750]),
    ("a step down to none", "steps", "A 1000 x2", {}, "1", [900]),
    ("four one after another", "steps", "A 1000 x4", {}, "1 1 1 1", [750, 950, 900, 1000]),
    ("a capped discount stays with what is kept", "capped", "A 1000; B 1000", {}, "1", [1000]),
    ("a capped discount goes with the last", "capped", "A 1000; B 1000", {}, "1 2", [1000, 500]),
    ("an amount off the basket stays with what is kept", "amount", "A 1000; B 1000", {}, "1", [1000]),
    ("an amount beyond what is kept", "amount", "A 1000; B 300", {}, "1", [800]),
    ("a rung over the shelf's discount", "both", "A 1000 x2", {}, "1", [800]),
    ("a rung over the shelf's discount to the last", "both", "A 1000 x2", {}, "1 1", [800, 900]),
    ("a gold card's discount", "gold", "A 1000 x2", {"customer": {"tier": "gold"}}, "1", [800]),
    ("a coupon's discount at base", "code", "A 1000 x2", {"coupons": ["code"]}, "1", [800]),
    ("a gift is not asked back in money", "present", "A 1000 x2", {}, "1", [1000]),
    ("one faulty and one not of a line", "three", "A 900 x3", {}, "1! 1", [600, 300]),
    ("faulty units to the last cent", "amount", "A 333 x3", {}, "1! 1! 1!", [166, 166, 167]),
    ("a faulty one of two that shared an amount", "amount", "A 1000; B 1000", {}, "1! 2", [750, 750]),
    ("a faulty one that comes last", "amount", "A 1000; B 1000", {}, "2 1!", [1000, 500]),
    ("all that is left with a last faulty one", "three", "A 5000; B 6000; C 8000", {},
     "3 2! 1!", [3000, 6000, 5000]),
    ("a line that cost nothing", "amount", "A 0; B 1000", {}, "1", [0]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("channel", "lines", "more", "back", "refunds"), [pytest.param(*r[1:], id=r[0]) for r in RETURNS]
)
def test_a_refund_is_what_was_paid_less_what_the_kept_would_cost(
    shop: FlaskClient, channel: str, lines: str, more: dict[str, Any], back: str, refunds: list[int]
) -> None:
    told = decide(shop, channel, lines, **more)
    tell(shop, told, "accepted", rung=1) if told["ladder"] else tell(shop, told, "bought_at_base")
    found = [
        give_back(shop, told, {"line_id": unit[0], "quantity": 1, "faulty": unit.endswith("!")}).json["refund"]
        for unit in back.split()
    ]
    assert found == refunds


def test_several_lines_in_one_return_refund_as_much_as_one_after_another(shop: FlaskClient) -> None:
    told = decide(shop, "three", "A 5000; B 6000; C 8000")
    tell(shop, told, "accepted", rung=1)
    got = give_back(shop, told, {"line_id": "1", "quantity": 1}, {"line_id": "2", "quantity": 1})
    assert got.json["refund"] == 6000 == sum(line["refund"] for line in got.json["lines"])
    assert got.json["reason"]


def test_what_the_till_was_paid_is_the_most_that_goes_back(shop: FlaskClient) -> None:
    told = decide(shop, "amount", "A 1000; B 1000")
    tell(shop, told, "accepted", rung=1, paid_total=1200)
    refunds = [give_back(shop, told, {"line_id": line, "quantity": 1}).json["refund"] for line in ("1", "2")]
    assert refunds == [700, 500]


def test_a_sale_by_promotions_is_refunded_by_them(shop: FlaskClient) -> None:
    told = decide(shop, "plain", "A 1000 x2")
    tell(shop, told, "accepted", promotions=["five", "ten"])
    assert give_back(shop, told, {"line_id": "1", "quantity": 1}).json["refund"] == 855


def test_a_superseded_decision_that_was_sold_is_refunded(shop: FlaskClient) -> None:
    first = decide(shop, "plain", "A 1000 x2", sale_id="superseded")
    decide(shop, "plain", "A 1000 x3", sale_id="superseded")
    tell(shop, first, "accepted", rung=1)
    assert give_back(shop, first, {"line_id": "1", "quantity": 1}).json["refund"] == 950


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/lines"]),
        ({"lines": []}, ["/lines"]),
        ({"lines": [{"line_id": "1", "quantity": 1, "reason": "x"}]}, ["/lines/0/reason"]),
        ({"lines": [{"line_id": "1", "quantity": 1, "faulty": "no"}]}, ["/lines/0/faulty"]),
        ({"lines": [{"line_id": "1", "quantity": 1.0}]}, ["/lines/0/quantity"]),
        ({"lines": [{"line_id": "1", "quantity": -1}]}, ["/lines/0/quantity"]),
        ({"lines": [{"line_id": "9", "quantity": 1}, {"line_id": "1", "quantity": 3}]},
         ["/lines/0/line_id", "/lines/1/quantity"]),
        ({"lines": [{"line_id": "1", "quantity": 2}, {"line_id": "1", "quantity": 1, "faulty": True}]},
         ["/lines/1/quantity"]),
    ],
    ids=lambda one: "",
)  # fmt: skip
def test_a_wrong_return_points_at_each_fault(shop: FlaskClient, body: dict[str, Any], pointers: list[str]) -> None:
    told = decide(shop, "plain", "A 1000 x2")
    tell(shop, told, "bought_at_base")
    got = shop.post(f"/v1/decisions/{told['decision_id']}/returns", json=body)
    assert (got.status_code, got.content_type) == (422, "application/problem+json")
    assert [one["pointer"] for one in got.get_json(force=True)["errors"]] == pointers


def test_a_return_of_no_decision_is_404(shop: FlaskClient) -> None:
    assert give_back(shop, {"decision_id": "dec_nobody"}, {"line_id": "1", "quantity": 1}).status_code == 404


def test_a_return_with_its_key_pays_once(shop: FlaskClient) -> None:
    told = decide(shop, "plain", "A 1000 x2")
    tell(shop, told, "bought_at_base")
    path, body = f"/v1/decisions/{told['decision_id']}/returns", {"lines": [{"line_id": "1", "quantity": 1}]}
    first, again = (shop.post(path, json=body, headers={"Idempotency-Key": "ret-1"}) for _ in range(2))
    assert (first.status_code, first.data, again.headers["Idempotency-Replayed"]) == (201, again.data, "true")
    assert len(kept(shop, told)["returns"]) == 1


def test_a_voided_sale_takes_no_return(shop: FlaskClient) -> None:
    told = decide(shop, "plain", "A 1000 x2")
    tell(shop, told, "bought_at_base")
    tell(shop, told, "cancelled")
    got = give_back(shop, told, {"line_id": "1", "quantity": 1})
    assert (got.status_code, got.get_json(force=True)["code"]) == (409, "no_sale")
