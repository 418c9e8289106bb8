"""What goes back for goods that come back: what was paid, less what the kept would have cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.contract.shop import Shops
from tests.contract.till import decide, give_back, kept, tell

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
  {{id: named, name: Named, offer: on_request, channels: [late], benefit: {{percent: 20%}}}},
  {{id: shown, name: Shown, offer: on_request, channels: [late],
   when: [{{coupon: ["S-*"]}}, {{spend: {{at_least: 15.00}}}}], benefit: {{percent: 20%}}}},
  {{id: over, name: Over, channels: [late], until: 2020-01-01, stores: [S009], benefit: {{percent: 20%}}}},
  {{id: dear, name: Dear, channels: [late], when: [{{spend: {{at_least: 50.00, counts: remaining}}}}, {{tier: gold}}],
   limits: [{{uses: 1, per: customer}}, {{budget: 1.00, per: chain}}], benefit: {{percent: 20%}}}},
  {{id: units, name: Units, channels: [late], when: [{{tier: gold}}],
   benefit: {{every: {{units: 2}}, give: {{percent: 50%}}}}}},
  {{id: present, name: Present, channels: [present],
   benefit: {{gift: {{sku: S, name: Sample, value: 6.00, cost: 0.90}}}}}}]}}"""
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


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    yield Shops(tmp_path_factory.mktemp("refunds")).open_text(POLICY)


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


@pytest.mark.parametrize(
    ("promotion_id", "refunds"),
    [
        pytest.param("named", [800, 800], id="named only then"),
        pytest.param("shown", [600, 1000], id="its coupon shown only then, and falling below its threshold"),
        pytest.param("over", [800, 800], id="over, and of another store"),
        pytest.param("dear", [800, 800], id="below its threshold, for others, of an unknown customer and too dear"),
        pytest.param("units", [500, 1000], id="for others, and falling short of its units"),
        pytest.param("steps", [900, 1000], id="of another channel, and falling below its step"),
    ],
)
def test_what_the_cashier_gave_is_refunded_as_it_was_sold_though_it_did_not_apply_when_the_till_asked(
    shop: FlaskClient, promotion_id: str, refunds: list[int]
) -> None:
    told = decide(shop, "late", "A 1000 x2")
    tell(shop, told, "accepted", promotions=[promotion_id])
    assert [give_back(shop, told, {"line_id": "1", "quantity": 1}).json["refund"] for _ in refunds] == refunds


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
