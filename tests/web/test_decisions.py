"""POST /v1/decisions and reading one back."""

from __future__ import annotations

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.web.house import PROMOTIONS, basket, codes, decide, line, make_app, rung_of, tell, write_policy


def test_a_decision_is_answered_with_its_place_and_read_there_byte_for_byte(client: FlaskClient) -> None:
    answer = client.post("/v1/decisions", json=basket())
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/v1/decisions/{answer.json['decision_id']}"
    read = client.get(answer.headers["Location"])
    assert read.status_code == 200
    assert read.data.startswith(answer.data[:-1])
    assert read.json["outcome"] is None


def test_the_answer_has_every_field_that_the_api_names(client: FlaskClient) -> None:
    told = decide(client, customer={"customer_id": "L-1"})
    assert list(told) == [
        *("decision_id", "at", "expires_at", "policy_version", "model_version", "arm", "segment", "fallback", "exact"),
        *("currency", "list_total", "base", "discounts", "not_applicable", "ladder", "personalised", "disclosure"),
    ]
    assert list(told["ladder"][0]) == [
        *("rung", "saving", "value", "total", "depth", "say", "promotions", "discounts", "lines", "gifts", "points"),
        *("approval", "acceptance", "expected_profit"),
    ]
    assert told["fallback"] == "no_model"
    assert told["model_version"] is None


def test_the_ladder_starts_with_the_smallest_and_adds_up(client: FlaskClient) -> None:
    told = decide(client, **basket(line(), line("2", category="hair", quantity=1, unit_price=2000)))
    base, ladder = told["base"], told["ladder"]
    assert base["total"] == told["list_total"] - base["saving"] == 4800
    assert ladder[0]["promotions"] == ["five"]
    assert [rung["rung"] for rung in ladder] == list(range(1, len(ladder) + 1))
    assert all(rung["saving"] == base["total"] - rung["total"] for rung in ladder)
    assert all(sum(net["net"] for net in rung["lines"]) == rung["total"] for rung in ladder)
    assert [rung["value"] for rung in ladder] == sorted({rung["value"] for rung in ladder})


def test_a_dry_run_records_nothing(client: FlaskClient) -> None:
    answer = client.post("/v1/decisions?dry_run=true", json=basket())
    assert answer.status_code == 200
    assert "Location" not in answer.headers
    assert client.get(f"/v1/decisions/{answer.json['decision_id']}").status_code == 404


def test_explain_all_tells_of_every_promotion(client: FlaskClient) -> None:
    touched = decide(client, **basket(line(category="bags", quantity=1)))
    every = decide(client, "?explain=all&dry_run=false", **basket(line(category="bags", quantity=1)))
    told = {one["promotion_id"] for one in every["not_applicable"]}
    assert {one["promotion_id"] for one in touched["not_applicable"]} == {"goodwill"}
    assert told == {"shelf", "third-free", "goodwill"}


@pytest.mark.parametrize(
    "query", ["?dry_run=yes", "?dry-run=true", "?explain=everything", "?dry_run=", "?dry_run=true&dry_run=false"]
)
def test_a_parameter_that_is_wrong_is_refused(client: FlaskClient, query: str) -> None:
    answer = client.post(f"/v1/decisions{query}", json=basket())
    assert answer.status_code == 422
    assert next(iter(codes(answer))).startswith("?")


@pytest.mark.parametrize(
    "decision_id",
    ["dec_01m7ztpb8gp3977rcw13a3b9qd", "x", "dec_" + "%00" * 26, "dec_" + "0" * 5000, "dec_01M7ZTPB8GP3977RCW13A3B9QD"],
    ids=["unknown", "short", "NULs", "long", "capitals"],
)
def test_a_decision_that_there_is_not_is_unknown(client: FlaskClient, decision_id: str) -> None:
    for answer in (
        client.get(f"/v1/decisions/{decision_id}"),
        tell(client, decision_id, "left"),
        client.post(f"/v1/decisions/{decision_id}/returns", json={"lines": [{"line_id": "1", "quantity": 1}]}),
    ):
        assert answer.status_code == 404
        assert answer.json["code"] == "decision_unknown"


def test_a_further_decision_of_a_sale_has_its_arm_and_frees_its_holds(client: FlaskClient) -> None:
    member = {"customer": {"customer_id": "L-1"}, "sale_id": "R-1"}
    first = decide(client, **member)
    second = decide(client, **member)
    other = decide(client, customer={"customer_id": "L-1"}, sale_id="R-2")
    assert rung_of(first, "goodwill")
    assert rung_of(second, "goodwill")["promotions"] == ["goodwill"]
    assert "goodwill" not in json.dumps(other["ladder"])
    assert second["arm"] == first["arm"]
    superseded = client.get(f"/v1/decisions/{first['decision_id']}").json["superseded_by"]
    assert superseded == second["decision_id"]


def test_a_use_that_another_decision_holds_is_not_offered_until_it_is_free(client: FlaskClient) -> None:
    member = {"customer": {"customer_id": "L-1"}}
    first = decide(client, **member)
    assert rung_of(first, "goodwill")
    held = decide(client, **member)
    assert {"promotion_id": "goodwill", "reason": "limit"}.items() <= next(
        one for one in held["not_applicable"] if one["promotion_id"] == "goodwill"
    ).items()
    tell(client, first, "left")
    assert rung_of(decide(client, **member), "goodwill")


def test_what_was_sold_is_counted_for_good(client: FlaskClient) -> None:
    member = {"customer": {"customer_id": "L-1"}}
    first = decide(client, **member)
    tell(client, first, "accepted", rung=rung_of(first, "goodwill")["rung"])
    assert "goodwill" not in json.dumps(decide(client, **member)["ladder"])
    assert tell(client, first, "cancelled").status_code == 201
    assert rung_of(decide(client, **member), "goodwill")


def test_the_service_keeps_what_the_till_does_not_send_of_the_history(client: FlaskClient, tmp_path: Path) -> None:
    member = {"customer": {"customer_id": "L-1"}}
    first = decide(client, **member)
    tell(client, first, "bought_at_base", offers=[{"rung": 1, "reaction": "declined"}])
    second = decide(client, **member)
    kept = _inputs(tmp_path, second["decision_id"])["known"]["kept"]
    assert kept["visits"] == 1
    assert kept["spend_90d"] == 3000
    assert kept["events"] == [["20:-:1:base", 1]]


def test_a_recorded_decision_decides_to_the_same_bytes(client: FlaskClient, tmp_path: Path) -> None:
    import msgspec

    from pos_discount.decide import decide as decide_again
    from pos_discount.policy import read_policy
    from pos_discount.pricing import PolicyIndex
    from pos_discount.recording import read_inputs
    from pos_discount.store import Store

    told = decide(
        client, "?explain=all", at="2026-02-28T10:02:11.5+01:00", customer={"customer_id": "L-1"}, sale_id="R"
    )
    store = Store(tmp_path / "test.db")
    record = store.read_decision(told["decision_id"]).record
    inputs = read_inputs(record.inputs)
    policy = read_policy({file.name: file.content for file in store.read_policy(inputs.policy_version)})
    index = PolicyIndex(policy)  # type: ignore[arg-type]
    again = decide_again(inputs.basket, index, None, inputs.known, inputs.now, inputs.seed, inputs.explain)
    assert msgspec.json.encode(again.answer) == record.answer
    store.close()


def test_the_customers_own_id_is_stored_nowhere_and_told_nowhere(
    capfd: Any, client: FlaskClient, tmp_path: Path
) -> None:
    customer = "CUSTOMER-THAT-NOBODY-MAY-SEE"
    told = client.post(
        "/v1/decisions", json=basket(customer={"customer_id": customer}), headers={"Idempotency-Key": "k"}
    )
    tell(client, told.json, "bought_at_base")
    assert customer not in told.text
    assert customer not in client.get(told.headers["Location"]).text
    for file in tmp_path.iterdir():
        if file.is_file():
            assert customer.encode() not in file.read_bytes()
    captured = capfd.readouterr()
    assert "/v1/decisions" in captured.err
    assert customer not in captured.out + captured.err


def test_two_customers_have_two_pseudonyms_and_one_keeps_the_same(client: FlaskClient, tmp_path: Path) -> None:
    seen = [decide(client, customer={"customer_id": name}) for name in ("L-1", "L-2", "L-1")]
    one, two, again = (_inputs(tmp_path, told["decision_id"])["basket"]["customer"]["customer_id"] for told in seen)
    assert one == again != two
    assert len(one) == 64


def test_a_till_may_be_years_off_and_the_servers_clock_still_governs_expiry(client: FlaskClient) -> None:
    told = decide(client, at="2131-02-28T23:59:59+14:00")
    assert told["at"].startswith("2131-02-28T23:59:59")
    assert told["expires_at"] < "2131"


def test_decision_ids_sort_by_time(client: FlaskClient) -> None:
    ids = [decide(client)["decision_id"] for _ in range(5)]
    assert len(set(ids)) == 5
    assert [one[:13] for one in ids] == sorted(one[:13] for one in ids)


def test_what_a_promotion_may_give_in_all_is_never_exceeded_by_many_at_once(tmp_path: Path) -> None:
    budget = PROMOTIONS.replace("limits: [{uses: 1, per: customer}]", "limits: [{budget: 9.00, per: chain}]")
    app = make_app(tmp_path)
    write_policy(tmp_path / "policies", budget)
    app = make_app_again(tmp_path)
    decide(app.test_client())

    def one(number: int) -> bool:
        told = decide(app.test_client(), customer={"customer_id": f"L-{number}"})
        return "goodwill" in json.dumps(told["ladder"])

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(one, range(16))) == 1


def test_a_crowd_of_tills_at_an_app_that_has_just_begun_is_served_and_shares_a_limit(tmp_path: Path) -> None:
    app, tills = make_app(tmp_path), 32
    crowd = Barrier(tills)

    def one(_: int) -> Any:
        client = app.test_client()
        crowd.wait()
        return client.post("/v1/decisions", json=basket(customer={"customer_id": "L-1"}))

    with ThreadPoolExecutor(tills) as threads:
        answers = list(threads.map(one, range(tills)))
    assert {answer.status_code for answer in answers} == {201}
    assert sum("goodwill" in json.dumps(answer.json["ladder"]) for answer in answers) == 1


def make_app_again(folder: Path) -> Any:
    from pos_discount.web import create_app

    database, policies = str(folder / "test.db"), str(folder / "policies")
    return create_app({"policies": policies, "database": database, "auth": "off", "secret": "a secret for the tests"})


def _inputs(folder: Path, decision_id: str) -> dict[str, Any]:
    connection = sqlite3.connect(folder / "test.db")
    query = "SELECT inputs FROM decision_bodies JOIN decisions USING (decision) WHERE decision_id = ?"
    inputs: dict[str, Any] = json.loads(connection.execute(query, (decision_id,)).fetchone()[0])
    connection.close()
    return inputs
