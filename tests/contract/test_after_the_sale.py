"""What a sale leaves behind: repeated and voided outcomes, limits to the minute, and kept history."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.contract.shop import AT, Shops, lines_of
from tests.contract.till import applies, decide, kept, tell

POLICY = """{policy: 1, currency: EUR, time_zone: Europe/Paris, ladder: {max_rungs: 20}, holdout: {share: 100%},
 promotions: [
  {id: five, name: Five, channels: [plain], combines_with: all, benefit: {percent: 5%}},
  {id: ten, name: Ten, channels: [plain], combines_with: all, benefit: {percent: 10%}},
  {id: twice, name: Twice, channels: [twice], limits: [{uses: 2, per: customer, every: day}],
   benefit: {amount: 1.00}},
  {id: purse, name: Purse, channels: [purse], limits: [{budget: 1.50, per: store}], benefit: {percent: 10%}},
  {id: both-ways, name: Both, channels: [both-ways],
   limits: [{uses: 1, per: customer, every: day}, {uses: 2, per: customer}], benefit: {amount: 1.00}},
  {id: daily, name: Daily, channels: [daily], limits: [{uses: 1, per: customer, every: day}],
   benefit: {amount: 1.00}},
  {id: weekly, name: Weekly, channels: [weekly], limits: [{uses: 1, per: customer, every: week}],
   benefit: {amount: 1.00}},
  {id: monthly, name: Monthly, channels: [monthly], limits: [{uses: 1, per: customer, every: month}],
   benefit: {amount: 1.00}},
  {id: yearly, name: Yearly, channels: [yearly], limits: [{uses: 1, per: customer, every: year}],
   benefit: {amount: 1.00}},
  {id: owed, name: Owed, offer: automatic, channels: [owed], combines_with: [with],
   limits: [{uses: 1, per: customer}], benefit: {amount: 1.00}},
  {id: with, name: With, channels: [owed], combines_with: [owed], benefit: {amount: 1.00}},
  {id: without, name: Without, channels: [owed], benefit: {amount: 3.00}},
  {id: named, name: Named, offer: on_request, channels: [late], limits: [{uses: 1, per: customer}],
   benefit: {amount: 3.00}},
  {id: shown, name: Shown, offer: on_request, channels: [late], when: [{coupon: [SHOWN, "S-*"]}],
   limits: [{uses: 1, per: customer}], benefit: {amount: 4.00}},
  {id: gold, name: Gold, channels: [late], when: [{tier: gold}], limits: [{uses: 1, per: customer}],
   benefit: {amount: 5.00}},
  {id: back, name: Back, channels: [history], when: [{days_since_last_visit: {at_least: 0}}],
   benefit: {amount: 1.00}},
  {id: away, name: Away, channels: [away], when: [{days_since_last_visit: {at_least: 90}}],
   benefit: {amount: 1.00}},
  {id: first, name: First, channels: [history], when: [{visit_number: {exactly: 1}}], benefit: {amount: 2.00}},
  {id: third, name: Third, channels: [history], when: [{visit_number: {exactly: 3}}],
   benefit: {amount: 3.00}}]}"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    yield Shops(tmp_path_factory.mktemp("after")).open_text(POLICY)


@pytest.fixture
def who(request: pytest.FixtureRequest) -> str:
    return f"L-{request.node.name}"[:120]


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


@pytest.mark.parametrize(
    ("promotion_id", "asked"),
    [("named", {"claimed": ["named"]}), ("shown", {"coupons": ["s-1"]}), ("gold", {"customer": {"tier": "gold"}})],
    ids=["named", "shown", "not earned"],
)
def test_what_the_cashier_gave_is_used_though_it_did_not_apply_when_the_till_asked(
    shop: FlaskClient, who: str, promotion_id: str, asked: dict[str, Any]
) -> None:
    tell(shop, decide(shop, "late", who=who), "accepted", promotions=[promotion_id])
    asked = asked | {"customer": {"customer_id": who} | asked.get("customer", {})}
    told = decide(shop, "late", **asked)
    assert promotion_id not in applies(told)
    assert {one["promotion_id"]: one["reason"] for one in told["not_applicable"]}[promotion_id] == "limit"


@pytest.mark.parametrize(("rung", "is_free"), [(1, False), (2, True)])
def test_a_rung_counts_the_base_that_is_in_it(shop: FlaskClient, who: str, rung: int, is_free: bool) -> None:
    told = decide(shop, "owed", who=who)
    tell(shop, told, "accepted", rung=rung)
    assert ("owed" in applies(decide(shop, "owed", who=who))) == is_free


def test_a_use_that_another_decision_holds_is_a_limit_to_a_dry_run(shop: FlaskClient, who: str) -> None:
    decide(shop, "daily", who=who, at=AT)
    asked = {"store_id": "S001", "currency": "EUR", "channel": "daily", "lines": list(lines_of("A 1000")), "at": AT}
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


@pytest.mark.parametrize(
    ("sold", "asked", "is_long_ago"),
    [
        pytest.param(["2026-08-20T12:00:00+02:00"], "2026-11-18T12:00:00+01:00", True, id="ninety days"),
        pytest.param(["2026-08-21T12:00:00+02:00"], "2026-11-18T12:00:00+01:00", False, id="eighty-nine days"),
        pytest.param(["2026-08-20T22:00:00+00:00"], "2026-11-18T12:00:00+01:00", False, id="the day is the house's"),
        pytest.param(
            ["2026-11-17T12:00:00+01:00", "2026-01-01T12:00:00+01:00"], "2026-11-18T12:00:00+01:00", False,
            id="told in another order",
        ),
        pytest.param(
            ["2026-01-01T12:00:00+01:00", "2090-01-01T12:00:00+01:00"], "2026-11-18T12:00:00+01:00", True,
            id="a till whose clock was far ahead",
        ),
        pytest.param(["2090-01-01T12:00:00+01:00"], "2026-11-18T12:00:00+01:00", False, id="none but that one"),
    ],
)  # fmt: skip
def test_a_visit_is_kept_at_its_sales_time(
    shop: FlaskClient, who: str, sold: list[str], asked: str, is_long_ago: bool
) -> None:
    for at in sold:
        tell(shop, decide(shop, "away", who=who, at=at), "bought_at_base")
    assert (applies(decide(shop, "away", who=who, at=asked)) == ["away"]) is is_long_ago


def test_what_the_till_sends_goes_before_what_the_service_keeps(shop: FlaskClient, who: str) -> None:
    tell(shop, decide(shop, "history", who=who), "bought_at_base")
    asked = {"store_id": "S001", "currency": "EUR", "channel": "history", "lines": list(lines_of("A 1000"))}
    told = shop.post("/v1/decisions", json=asked | {"customer": {"customer_id": who, "visit_number": 3}}).json
    assert applies(told) == ["back", "third"]
