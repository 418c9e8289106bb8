"""POST /v1/decisions/{id}/returns: what goes back, in every order in which things come back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.web.house import codes, decide, give_back, line, make_app, rung_of, tell, write_policy

CARE = [
    line("A", unit_price=1000, quantity=1),
    line("B", unit_price=800, quantity=1),
    line("C", unit_price=500, quantity=1),
]


def _sold(client: FlaskClient, lines: list[dict[str, Any]], promotion_id: str | None, **more: Any) -> dict[str, Any]:
    told = decide(client, lines=lines)
    if promotion_id is None:
        assert tell(client, told, "bought_at_base", **more).status_code == 201
    else:
        assert tell(client, told, "accepted", rung=rung_of(told, promotion_id)["rung"], **more).status_code == 201
    return told


def _refund(client: FlaskClient, sale: dict[str, Any], *lines: Any) -> int:
    answer = give_back(client, sale, *lines)
    assert answer.status_code == 201, answer.text
    assert sum(one["refund"] for one in answer.json["lines"]) == answer.json["refund"]
    assert answer.json["reason"]
    refund: int = answer.json["refund"]
    return refund


def test_returning_one_of_three_for_two_does_not_pay_for_the_free_one(client: FlaskClient) -> None:
    sale = _sold(client, CARE, "third-free")
    assert _refund(client, sale, ("C", 1)) == 0
    assert _refund(client, sale, ("B", 1)) == 800
    assert _refund(client, sale, ("A", 1)) == 1000


@pytest.mark.parametrize("order", list(permutations("ABC")), ids="".join)
@pytest.mark.parametrize("faulty", [frozenset(), frozenset("A"), frozenset("BC"), frozenset("ABC")], ids=sorted)
def test_who_brings_everything_back_gets_all_that_was_paid(
    client: FlaskClient, order: tuple[str, ...], faulty: frozenset[str]
) -> None:
    sale = _sold(client, CARE, "third-free")
    assert sum(_refund(client, sale, (name, 1, name in faulty)) for name in order) == 1800


@pytest.mark.parametrize(("promotion_id", "refund"), [("ten", 900), ("five", 950), (None, 1000)])
def test_a_faulty_unit_gives_back_what_it_cost_net(client: FlaskClient, promotion_id: str | None, refund: int) -> None:
    assert _refund(client, _sold(client, CARE, promotion_id), ("A", 1, True)) == refund


def test_units_of_one_line_give_back_to_the_last_cent(client: FlaskClient) -> None:
    sale = _sold(client, [line("A", unit_price=999, quantity=3)], "ten")
    assert sum(_refund(client, sale, ("A", 1, True)) for _ in range(3)) == 2697


def test_a_return_at_base_keeps_the_bases_discounts(client: FlaskClient) -> None:
    sale = _sold(client, [line("A", category="hair", quantity=2, unit_price=1000)], None)
    assert _refund(client, sale, ("A", 1)) == 900


def test_what_the_till_says_was_paid_is_what_goes_back(client: FlaskClient) -> None:
    sale = _sold(client, CARE, None, paid_total=2000)
    assert _refund(client, sale, ("A", 1), ("B", 1), ("C", 1)) == 2000


def test_a_sale_by_promotions_that_no_rung_names_is_priced_by_them(client: FlaskClient) -> None:
    told = decide(client, lines=CARE)
    assert tell(client, told, "accepted", promotions=["goodwill"]).status_code == 201
    assert _refund(client, told, ("A", 1), ("B", 1), ("C", 1)) == 2300 - 900


@pytest.mark.parametrize("result", [None, "left", "cancelled"])
def test_without_a_sale_there_is_nothing_to_return(client: FlaskClient, result: str | None) -> None:
    told = decide(client)
    if result is not None:
        tell(client, told, result)
    answer = give_back(client, told, ("1", 1))
    assert (answer.status_code, answer.json["code"]) == (409, "no_sale")


@pytest.mark.parametrize(
    ("lines", "pointer", "code"),
    [
        ([("X", 1)], "/lines/0/line_id", "unknown_line"),
        ([("A", 2)], "/lines/0/quantity", "too_large"),
        ([("A", 1), ("A", 1)], "/lines/1/line_id", "duplicate"),
        ([("A", 1), ("A", 1, True)], "/lines/1/quantity", "too_large"),
        ([("A", 0)], "/lines/0/quantity", "too_small"),
        ([], "/lines", "too_short"),
    ],
)
def test_more_than_was_bought_can_not_come_back(client: FlaskClient, lines: list[Any], pointer: str, code: str) -> None:
    answer = give_back(client, _sold(client, CARE, None), *lines)
    assert answer.status_code == 422
    assert codes(answer)[pointer] == code


def test_what_came_back_can_not_come_back_again(client: FlaskClient) -> None:
    sale = _sold(client, CARE, None)
    _refund(client, sale, ("A", 1))
    assert codes(give_back(client, sale, ("A", 1))) == {"/lines/0/quantity": "too_large"}


def test_returns_at_the_same_time_pay_once(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    sale = _sold(app.test_client(), [line("A", quantity=3, unit_price=1000)], "third-free")
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: give_back(app.test_client(), sale, ("A", 1)), range(6)))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [422] * 3
    assert sum(answer.json["refund"] for answer in answers if answer.status_code == 201) == 2000


def test_a_return_after_the_policy_changed_is_priced_as_the_sale_was(tmp_path: Path) -> None:
    sale = _sold(make_app(tmp_path).test_client(), CARE, "ten")
    write_policy(tmp_path / "policies", "promotions: []")
    from tests.web.test_decisions import make_app_again

    later = make_app_again(tmp_path).test_client()
    assert _refund(later, sale, ("A", 1)) == 900
    read = later.get(f"/v1/decisions/{sale['decision_id']}").json
    assert [returned["refund"] for returned in read["returns"]] == [900]
