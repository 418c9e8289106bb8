"""Recorded decisions, seen from the command line: replayed, explained, exported, forgotten, backed up."""

import csv
import io
import json
import sqlite3
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from cli.running import Shop, basket
from cli.serving import free_port, service
from pos_discount.web import create_app

CUSTOMER = {"customer_id": "L-889123", "tier": "gold"}


class Till:
    """Decides and reports through the service, against the shop's own database."""

    def __init__(self, shop: Shop) -> None:
        self.client = create_app({**shop.settings, "auth": "off"}).test_client()

    def decide(self, **changed: Any) -> dict[str, Any]:
        response = self.client.post("/v1/decisions", json=basket(**changed))
        assert response.status_code == 201, response.text
        answer: dict[str, Any] = response.get_json()
        return answer

    def accept(self, answer: dict[str, Any], rung: int = 1) -> None:
        outcome = {"result": "accepted", "rung": rung}
        assert self.client.put(f"/v1/decisions/{answer['decision_id']}/outcome", json=outcome).status_code == 201


@pytest.fixture
def till(shop: Shop) -> Iterator[Till]:
    yield Till(shop)


def test_recorded_decisions_replay_to_the_same_bytes(shop: Shop, till: Till) -> None:
    answers = [till.decide(), till.decide(customer=CUSTOMER), till.decide(asked=True, coupons=["VELVET"])]
    said = shop.run("replay", *(answer["decision_id"] for answer in answers), "--json")
    assert said.code == 0
    assert [result["same"] for result in said.json()] == [True] * 3


def test_all_decisions_are_replayed_at_once_and_only_those_that_differ_are_told(shop: Shop, till: Till) -> None:
    for number in range(5):
        till.decide(sale_id=str(number), customer=CUSTOMER)
    said = shop.run("replay", "--all")
    assert (said.code, said.out) == (0, "5 decisions replayed, 0 of them differ\n")
    assert shop.run("replay").code == 2
    assert shop.run("replay", "--all", "dec_1").code == 2


def test_a_decision_replays_after_its_policy_has_changed(shop: Shop, till: Till) -> None:
    answer = till.decide()
    said = shop.run("replay", answer["decision_id"], policies=str(shop.folder))
    assert (said.code, "the same bytes" in said.out) == (0, True)


def test_a_record_that_was_tampered_with_is_shown_where_it_differs(shop: Shop, till: Till) -> None:
    answer = till.decide()
    with sqlite3.connect(shop.database) as connection:
        (body,) = connection.execute("SELECT answer FROM decision_bodies").fetchone()
        changed = body.replace(b'"list_total":5200', b'"list_total":5300')
        connection.execute("UPDATE decision_bodies SET answer = ?", (changed,))
    said = shop.run("replay", answer["decision_id"], "--json")
    assert said.code == 1
    assert said.json()[0]["differences"] == [{"pointer": "/list_total", "recorded": 5300, "replayed": 5200}]


def test_an_unknown_decision_is_said_to_be_unknown(shop: Shop, till: Till) -> None:
    till.decide()
    assert shop.run("explain", "dec_" + "0" * 26).code == 1
    assert "there is no database" in shop.run("explain", "dec_x", database=str(shop.folder / "none.db")).err


def test_a_decision_is_explained_in_the_order_in_which_it_was_made(shop: Shop, till: Till) -> None:
    answer = till.decide(customer=CUSTOMER)
    till.accept(answer)
    said = shop.run("explain", answer["decision_id"])
    assert said.code == 0
    places = [said.out.index(word) for word in ("known by a card", "at list price", "Rung 1", "How it ended: accepted")]
    assert places == sorted(places)
    assert "the smallest always comes first" in said.out


def test_every_rung_of_a_ladder_is_explained(shop: Shop, till: Till) -> None:
    answers = [till.decide(sale_id=str(number)) for number in range(6)]
    longest = max(answers, key=lambda answer: len(answer["ladder"]))
    sentences = shop.run("explain", longest["decision_id"], "--json").json()["sentences"]
    for rung in longest["ladder"]:
        assert any(sentence.startswith(f"Rung {rung['rung']}: ") for sentence in sentences)


def test_decisions_are_exported_a_row_each(shop: Shop, till: Till) -> None:
    answer = till.decide(customer=CUSTOMER, store_id="=HYPERLINK(1)")
    till.accept(answer)
    till.decide()
    rows = list(csv.DictReader(io.StringIO(shop.run("export").out)))
    assert (rows[0]["decision_id"], rows[0]["result"], rows[0]["rung"]) == (answer["decision_id"], "accepted", "1")
    assert rows[0]["store_id"] == "'=HYPERLINK(1)"
    assert rows[0]["rung_totals"].split()[0] == str(answer["ladder"][0]["total"])
    assert len(rows) == 2
    assert "customer" not in rows[0]
    lines = shop.run("export", "--format", "jsonl", "--with-customers").out.splitlines()
    assert [len(json.loads(line)["customer"] or "") for line in lines] == [64, 0]


def test_a_request_for_access_is_answered_with_the_reasons(shop: Shop, till: Till) -> None:
    answer = till.decide(customer=CUSTOMER)
    till.accept(answer)
    till.decide()
    kept = shop.run("export", "--customer", "L-889123").json()
    assert [decision["decision_id"] for decision in kept["decisions"]] == [answer["decision_id"]]
    assert kept["decisions"][0]["answer"] == answer
    assert any("Rung 1" in reason for reason in kept["decisions"][0]["reasons"])
    assert kept["decisions"][0]["outcome"]["result"] == "accepted"


def test_a_request_for_access_is_answered_with_all_that_is_kept(shop: Shop, till: Till) -> None:
    answer = till.decide(customer={**CUSTOMER, "birthday": "03-10"})
    of_decision = f"/v1/decisions/{answer['decision_id']}"
    offers = [{"rung": 1, "reaction": "declined", "seconds": 2.0}]
    outcome = {"result": "accepted", "promotions": ["birthday"], "offers": offers}
    assert till.client.put(f"{of_decision}/outcome", json=outcome).status_code == 201
    assert till.client.put(f"{of_decision}/outcome", json={**outcome, "satisfaction": 4}).status_code == 200
    returned = {"lines": [{"line_id": "1", "quantity": 1, "faulty": True}]}
    refund = till.client.post(f"{of_decision}/returns", json=returned).get_json()["refund"]
    kept = shop.run("export", "--customer", "L-889123").json()
    (decision,) = kept["decisions"]
    assert decision["outcome"]["offers"] == offers
    assert decision["outcome"]["satisfaction"] == 4
    assert decision["returns"][0]["lines"] == [{**returned["lines"][0], "refund": refund}]
    assert {use["promotion_id"] for use in kept["uses"]} == {"birthday"}


@pytest.mark.parametrize("command", [("forget", "L-889123"), ("export", "--customer", "L-889123")])
def test_with_another_secret_nobody_is_said_to_be_unknown(shop: Shop, till: Till, command: tuple[str, ...]) -> None:
    answer = till.decide(customer=CUSTOMER)
    said = shop.run(*command, secret="quite another secret, of as many characters as one should have")
    assert (said.code, said.out) == (1, "")
    assert "the secret is not the one" in said.err
    assert shop.run("explain", answer["decision_id"]).code == 0


def test_a_forgotten_customer_is_gone_and_others_stay(shop: Shop, till: Till) -> None:
    gone, stays = till.decide(customer=CUSTOMER), till.decide(customer={"customer_id": "L-2"})
    erased = shop.run("forget", "L-889123", "--json").json()
    assert erased == {"decisions_of_customer": 1, "rows_by_age": 0, "rewritten": False}
    assert "forgotten" in shop.run("explain", gone["decision_id"]).err
    assert shop.run("explain", stays["decision_id"]).code == 0
    assert shop.run("export", "--customer", "L-889123").json()["decisions"] == []


def test_forgetting_reaches_what_the_nightly_learning_remembers(shop: Shop, till: Till) -> None:
    till.decide(customer=CUSTOMER)
    assert shop.run("retrain").code == 0
    memory = shop.database.with_name(shop.database.name + ".learner")
    assert memory.exists()
    shop.run("forget", "L-889123")
    assert not memory.exists()
    assert shop.run("retrain").code == 0


def test_a_stale_copy_of_a_pseudonym_has_the_file_rewritten_unless_that_is_left_for_another_time(
    shop: Shop, till: Till
) -> None:
    till.decide(customer=CUSTOMER)
    pseudonym = shop.run("export", "--customer", "L-889123").json()["pseudonym"]
    with closing(sqlite3.connect(shop.database)) as careless:
        careless.execute("PRAGMA secure_delete = OFF")
        careless.execute(f"CREATE TABLE careless AS SELECT '{pseudonym}' AS copied")
        careless.execute("DELETE FROM careless")
        careless.commit()
    assert not shop.run("forget", "L-889123", "--no-rewrite", "--json").json()["rewritten"]
    assert pseudonym.encode() in shop.database.read_bytes()
    assert shop.run("forget", "L-889123", "--json").json()["rewritten"]
    assert pseudonym.encode() not in shop.database.read_bytes()


def test_forgetting_needs_to_be_told_whom(shop: Shop) -> None:
    assert shop.run("forget").code == 2


def test_what_is_older_than_is_kept_can_be_erased(shop: Shop, till: Till) -> None:
    answer = till.decide()
    with sqlite3.connect(shop.database) as connection:
        connection.execute("UPDATE decisions SET made_at = made_at - 400 * 86400000000")
    assert shop.run("forget", "--older-than", 500).code == 0
    assert shop.run("explain", answer["decision_id"]).code == 0
    assert shop.run("forget", "--older-than", 365, "--json").json()["rewritten"]
    assert shop.run("explain", answer["decision_id"]).code == 1


def test_a_backup_of_a_database_in_use_is_restored(shop: Shop, till: Till) -> None:
    before = till.decide()
    assert shop.run("backup", "copy.db").out == "copy.db\n"
    after = till.decide()
    elsewhere = {"database": str(shop.folder / "elsewhere.db")}
    assert shop.run("restore", "copy.db", "--yes", **elsewhere).code == 0
    assert shop.run("replay", before["decision_id"], **elsewhere).code == 0
    assert shop.run("replay", after["decision_id"], **elsewhere).code == 1


def test_a_backup_never_overwrites_and_a_restore_asks_first(shop: Shop, till: Till) -> None:
    till.decide()
    shop.run("backup", "copy.db")
    again = shop.run("backup", "copy.db")
    assert (again.code, "exists already" in again.err) == (1, True)
    absent = shop.run("backup", "nowhere/copy.db")
    assert (absent.code, "there is no folder nowhere; make it first" in absent.err) == (1, True)
    assert shop.run("restore", "copy.db", typed="n\n").code == 1
    for no_backup in ("SQLite format 4" * 100, ""):
        assert shop.run("restore", shop.write("bad.db", no_backup), "--yes").code == 1
    assert shop.run("explain", till.decide()["decision_id"]).code == 0


def test_who_was_forgotten_after_the_backup_is_forgotten_again_on_restoring(shop: Shop) -> None:
    with service(shop.folder, free_port(), **{**shop.settings, "auth": "off"}) as url:
        forgotten, other = _decided(url, customer=CUSTOMER), _decided(url, customer={"customer_id": "L-2"})
    assert shop.run("backup", "copy.db").code == 0
    assert shop.run("explain", forgotten, database=str(shop.folder / "copy.db")).code == 0
    assert shop.run("forget", "L-889123").code == 0
    assert shop.run("restore", "copy.db", "--yes").code == 0
    assert (shop.run("explain", forgotten).code, shop.run("explain", other).code) == (1, 0)


def _decided(url: str, **changed: Any) -> str:
    """Have a service that will be stopped decide, so that nobody has the database open afterwards."""
    sent = json.dumps(basket(**changed)).encode()
    request = urllib.request.Request(f"{url}/v1/decisions", sent, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        decision_id: str = json.load(answer)["decision_id"]
    return decision_id
