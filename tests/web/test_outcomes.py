"""How sales end: PUT .../outcome and POST /v1/outcomes."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.web.house import codes, decide, rung_of, tell


def test_the_first_time_is_201_the_same_again_200_another_409(client: FlaskClient) -> None:
    told = decide(client)
    first = tell(client, told, "accepted", rung=1)
    assert first.status_code == 201
    again = tell(client, told, "accepted", rung=1)
    assert (again.status_code, again.json["code"]) == (200, "unchanged")
    assert again.json["recorded_at"] == first.json["recorded_at"]
    other = tell(client, told, "accepted", rung=2)
    assert (other.status_code, other.json["code"]) == (409, "outcome_conflict")
    assert other.content_type == "application/problem+json"


def test_a_later_satisfaction_is_added(client: FlaskClient) -> None:
    told = decide(client)
    tell(client, told, "bought_at_base")
    assert tell(client, told, "bought_at_base", satisfaction=5).status_code == 200
    assert client.get(f"/v1/decisions/{told['decision_id']}").json["outcome"]["satisfaction"] == 5


@pytest.mark.parametrize("sale", [("accepted", {"rung": 1}), ("bought_at_base", {}), ("not_offered", {})])
def test_a_sale_may_be_cancelled(client: FlaskClient, sale: tuple[str, dict[str, Any]]) -> None:
    told = decide(client)
    tell(client, told, sale[0], **sale[1])
    assert tell(client, told, "cancelled").status_code == 201
    assert tell(client, told, "cancelled").status_code == 200
    assert tell(client, told, sale[0], **sale[1]).status_code == 409


def test_who_left_can_not_be_cancelled(client: FlaskClient) -> None:
    told = decide(client)
    tell(client, told, "left")
    assert tell(client, told, "cancelled").status_code == 409


@pytest.mark.parametrize(
    ("outcome", "pointer", "code"),
    [
        pytest.param({}, "/result", "missing", id="no result"),
        pytest.param({"result": "bought"}, "/result", "not_allowed", id="no such result"),
        pytest.param({"result": "accepted"}, "/rung", "missing", id="accepted without a rung"),
        pytest.param({"result": "accepted", "rung": 5}, "/rung", "not_in_ladder", id="beyond the ladder"),
        pytest.param({"result": "accepted", "rung": 0}, "/rung", "too_small", id="rung zero"),
        pytest.param({"result": "left", "rung": 1}, "/rung", "not_accepted", id="left with a rung"),
        pytest.param(
            {"result": "accepted", "rung": 1, "promotions": ["five"]}, "/rung", "not_together", id="rung and promotions"
        ),
        pytest.param(
            {"result": "left", "promotions": ["five"]}, "/promotions", "not_accepted", id="left with promotions"
        ),
        pytest.param(
            {"result": "accepted", "promotions": ["x"]}, "/promotions/0", "unknown_promotion", id="unknown promotion"
        ),
        pytest.param({"result": "accepted", "promotions": []}, "/promotions", "too_short", id="no promotions"),
        pytest.param(
            {"result": "left", "offers": [{"rung": 9, "reaction": "declined"}]},
            "/offers/0/rung",
            "not_in_ladder",
            id="an offer beyond the ladder",
        ),
        pytest.param(
            {"result": "bought_at_base", "offers": [{"rung": 1, "reaction": "accepted"}]},
            "/offers/0/reaction",
            "contradiction",
            id="accepted and bought at base",
        ),
        pytest.param(
            {"result": "accepted", "rung": 2, "offers": [{"rung": 1, "reaction": "accepted"}]},
            "/offers/0/reaction",
            "contradiction",
            id="accepted elsewhere",
        ),
        pytest.param(
            {"result": "not_offered", "offers": [{"rung": 1, "reaction": "declined"}]},
            "/offers",
            "contradiction",
            id="offered and not",
        ),
        pytest.param({"result": "left", "offers": [{"rung": 1}]}, "/offers/0/reaction", "missing", id="no reaction"),
        pytest.param({"result": "left", "satisfaction": 6}, "/satisfaction", "too_large", id="six of five"),
        pytest.param({"result": "left", "rungs": 1}, "/rungs", "unknown_field", id="unknown field"),
    ],
)
def test_an_outcome_that_can_not_be_is_refused(
    client: FlaskClient, outcome: dict[str, Any], pointer: str, code: str
) -> None:
    told = decide(client)
    answer = client.put(f"/v1/decisions/{told['decision_id']}/outcome", json=outcome)
    assert answer.status_code == 422
    assert codes(answer)[pointer] == code
    assert client.get(f"/v1/decisions/{told['decision_id']}").json["outcome"] is None


@pytest.mark.parametrize("is_batch", [False, True], ids=["alone", "in a batch"])
@pytest.mark.parametrize(
    ("outcome", "pointers"),
    [
        ({"result": "accepted", "rung": 9, "satisfaction": 9, "note": 1}, {"/rung", "/satisfaction", "/note"}),
        ({"result": "left", "rung": 1, "promotions": ["five"], "satisfaction": 9},
         {"/rung", "/promotions", "/satisfaction"}),
        ({"result": "accepted", "promotions": "five", "satisfaction": 9}, {"/promotions", "/satisfaction"}),
        ({"result": "accepted", "rung": "1", "offers": [{"rung": 9, "reaction": "declined"}]},
         {"/rung", "/offers/0/rung"}),
        ({"result": "bought", "rung": 9, "satisfaction": 9}, {"/result", "/satisfaction"}),
    ],
    ids=["by type and by ladder", "by result", "promotions as text", "a rung as text", "no such result"],
)  # fmt: skip
def test_all_that_is_wrong_of_an_outcome_is_told_at_once(
    client: FlaskClient, outcome: dict[str, Any], pointers: set[str], is_batch: bool
) -> None:
    decision_id = decide(client)["decision_id"]
    if is_batch:
        sent = {"outcomes": [outcome | {"decision_id": decision_id}]}
        errors = client.post("/v1/outcomes", json=sent).json["results"][0]["errors"]
    else:
        errors = client.put(f"/v1/decisions/{decision_id}/outcome", json=outcome).json["errors"]
    assert {error["pointer"] for error in errors} == pointers


@pytest.mark.parametrize(
    "outcome",
    [
        {
            "result": "accepted",
            "rung": 2,
            "offers": [{"rung": 2, "reaction": "declined"}, {"rung": 2, "reaction": "accepted"}],
        },
        {"result": "accepted", "rung": 1, "offers": [{"rung": 1, "reaction": "declined", "seconds": 5.1}]},
        {"result": "left", "offers": [{"rung": 1, "reaction": "accepted"}]},
        {"result": "accepted", "promotions": ["ten"], "paid_total": 2700, "at": "2020-01-01T00:00:00Z", "sale_id": "R"},
        {"result": "bought_at_base", "offers": [{"rung": 1, "reaction": "ignored"}]},
        {"result": "left", "offers": [{"rung": 1, "reaction": "declined"}, {"rung": 2, "reaction": "walked"}]},
        {"result": "left", "offers": []},
        {"result": "cancelled", "offers": [{"rung": 1, "reaction": "accepted"}]},
    ],
    ids=["twice", "settled", "fallen through", "promotions", "ignored", "walked", "nothing said", "voided"],
)
def test_what_can_be_is_recorded(client: FlaskClient, outcome: dict[str, Any]) -> None:
    told = decide(client)
    assert client.put(f"/v1/decisions/{told['decision_id']}/outcome", json=outcome).status_code == 201
    kept = client.get(f"/v1/decisions/{told['decision_id']}").json["outcome"]
    assert outcome.items() <= kept.items()


def test_what_the_ladder_did_not_name_is_counted_too(client: FlaskClient) -> None:
    member = {"customer": {"customer_id": "L-1"}}
    told = decide(client, **member)
    assert tell(client, told, "accepted", promotions=["goodwill"]).status_code == 201
    assert "goodwill" not in [name for rung in decide(client, **member)["ladder"] for name in rung["promotions"]]


def test_an_outcome_after_expiry_of_another_decision_is_fine(client: FlaskClient) -> None:
    first = decide(client, sale_id="R-1")
    second = decide(client, sale_id="R-1")
    assert tell(client, second, "bought_at_base").status_code == 201
    assert tell(client, first, "left").status_code == 201


def test_a_batch_answers_for_each_in_order(client: FlaskClient) -> None:
    one, two = decide(client), decide(client)
    tell(client, two, "left")
    outcomes = [
        {"decision_id": one["decision_id"], "result": "bought_at_base"},
        {"decision_id": one["decision_id"], "result": "bought_at_base"},
        {"decision_id": two["decision_id"], "result": "bought_at_base"},
        {"decision_id": "dec_" + "0" * 26, "result": "left"},
        {"decision_id": one["decision_id"], "result": "accepted", "rung": 77},
        {"decision_id": two["decision_id"], "result": "nonsense"},
        {"result": "left"},
        "nonsense",
        {"decision_id": two["decision_id"], "result": "left", "sale_id": "12\0"},
    ]
    answer = client.post("/v1/outcomes", json={"outcomes": outcomes})
    assert answer.status_code == 200
    told = [(result["decision_id"], result["status"], result["code"]) for result in answer.json["results"]]
    assert told == [
        (one["decision_id"], 201, "recorded"),
        (one["decision_id"], 200, "unchanged"),
        (two["decision_id"], 409, "outcome_conflict"),
        ("dec_" + "0" * 26, 404, "decision_unknown"),
        (one["decision_id"], 422, "invalid"),
        (two["decision_id"], 422, "invalid"),
        (None, 422, "invalid"),
        (None, 422, "invalid"),
        (two["decision_id"], 422, "invalid"),
    ]
    assert answer.json["results"][4]["errors"][0]["pointer"] == "/rung"


@pytest.mark.parametrize(("count", "status"), [(0, 200), (500, 200), (501, 422)])
def test_a_batch_has_at_most_500(client: FlaskClient, count: int, status: int) -> None:
    outcomes = [{"decision_id": "dec_" + "0" * 26, "result": "left"}] * count
    answer = client.post("/v1/outcomes", json={"outcomes": outcomes})
    assert answer.status_code == status
    if status == 422:
        assert codes(answer) == {"/outcomes": "too_long"}


def test_outcomes_in_any_order_end_alike(client: FlaskClient) -> None:
    member = {"customer": {"customer_id": "L-1"}}
    told = decide(client, **member)
    number = rung_of(told, "goodwill")["rung"]
    for _ in range(3):
        tell(client, told, "accepted", rung=number)
    tell(client, told, "left")
    assert client.get(f"/v1/decisions/{told['decision_id']}").json["outcome"]["rung"] == number
