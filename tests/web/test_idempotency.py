"""Idempotency-Key on POSTs: one call, one effect, one answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.web.house import basket, codes, decide, line, make_app, tell

KEY = {"Idempotency-Key": "till-7/000123"}


def _post(client: FlaskClient, path: str = "/v1/decisions", key: Any = KEY, **body: Any) -> TestResponse:
    return client.post(path, json=body or basket(), headers=key)


def test_the_same_key_and_body_give_the_first_answer_byte_for_byte(client: FlaskClient) -> None:
    first, again = _post(client), _post(client)
    assert (again.status_code, again.data) == (first.status_code, first.data)
    assert again.headers["Location"] == first.headers["Location"]
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"


def test_another_body_or_path_with_the_same_key_is_refused(client: FlaskClient) -> None:
    _post(client)
    for answer in (_post(client, **basket(line(quantity=9))), _post(client, "/v1/decisions?explain=all")):
        assert (answer.status_code, answer.json["code"]) == (422, "key_reused")


def test_a_key_is_kept_over_a_restart(tmp_path: Path) -> None:
    first = _post(make_app(tmp_path).test_client())
    again = _post(make_app(tmp_path).test_client())
    assert again.data == first.data


def test_a_call_that_was_refused_may_be_sent_again_with_its_key(client: FlaskClient) -> None:
    assert _post(client, **basket(currency="USD")).status_code == 422
    assert _post(client).status_code == 201


@pytest.mark.parametrize("key", ["", "k" * 256, "a key", "schlüssel"])
def test_a_key_is_a_plain_word(client: FlaskClient, key: str) -> None:
    answer = _post(client, key={"Idempotency-Key": key})
    assert answer.status_code == 422
    assert codes(answer) == {"Idempotency-Key": "bad_format"}


def test_a_dry_run_is_answered_alike_again(client: FlaskClient) -> None:
    first, again = (_post(client, "/v1/decisions?dry_run=true") for _ in range(2))
    assert (first.status_code, first.data) == (200, again.data)
    assert client.get(f"/v1/decisions/{first.json['decision_id']}").status_code == 404


def test_returns_and_batches_count_once(client: FlaskClient) -> None:
    told = decide(client)
    outcomes = {"outcomes": [{"decision_id": told["decision_id"], "result": "bought_at_base"}]}
    first, again = (_post(client, "/v1/outcomes", **outcomes) for _ in range(2))
    assert first.json["results"][0]["status"] == 201
    assert again.data == first.data
    back = {"lines": [{"line_id": "1", "quantity": 1}]}
    path = f"/v1/decisions/{told['decision_id']}/returns"
    refunds = [_post(client, path, {"Idempotency-Key": "back"}, **back) for _ in range(2)]
    assert refunds[0].data == refunds[1].data
    assert len(client.get(f"/v1/decisions/{told['decision_id']}").json["returns"]) == 1


def test_many_at_once_with_one_key_make_one_decision(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    member = basket(customer={"customer_id": "L-1"})
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: _post(app.test_client(), **member), range(50)))
    assert {answer.status_code for answer in answers} <= {201, 409, 503}
    assert len({answer.data for answer in answers if answer.status_code == 201}) == 1
    assert {answer.json["code"] for answer in answers if answer.status_code == 409} <= {"key_in_progress"}
    assert _post(app.test_client(), **member).headers["Idempotency-Replayed"] == "true"


def test_a_hold_is_placed_once_however_often_the_call_is_sent(client: FlaskClient) -> None:
    member = basket(customer={"customer_id": "L-1"})
    told = [_post(client, **member).json for _ in range(3)]
    tell(client, told[0], "left")
    assert ["goodwill"] in [rung["promotions"] for rung in decide(client, **member)["ladder"]]
