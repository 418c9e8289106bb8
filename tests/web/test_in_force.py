"""What workers take up while serving: policies, models, pauses. And what they never do: a broken one."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from pos_discount.sensitivity import model_to_bytes, model_version, prior_model
from pos_discount.store import KeptFile, Pause, Store
from tests.web.house import HOUSE, PROMOTIONS, decide, make_app, write_policy

BROKEN = PROMOTIONS.replace("percent: 5%", "pecrent: 5%")


def eventually(holds: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Wait for something that a watcher does; generous, since the machine may be busy."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return False


def version(client: FlaskClient) -> str:
    told: str = client.get("/v1/policy").json["policy_version"]
    return told


def test_a_changed_folder_is_taken_up_while_serving(client: FlaskClient, tmp_path: Path) -> None:
    before = version(client)
    write_policy(tmp_path / "policies", PROMOTIONS.replace("Five percent", "Five per cent"))
    assert eventually(lambda: version(client) != before)
    assert "Five per cent" in json.dumps(decide(client)["discounts"])


@pytest.mark.parametrize("name", ["week.csv", "lists/WEEK.CSV", "week.prices"])
def test_a_changed_table_is_taken_up_whatever_its_ending(tmp_path: Path, name: str) -> None:
    table = tmp_path / "policies" / name
    table.parent.mkdir(parents=True)
    table.write_text("sku,price\nCREAM-A,9.00\n", encoding="utf-8")
    client = _app_with(tmp_path, f"promotions: [{{id: p, name: P, benefit: {{price_list: {name}}}}}]").test_client()
    before = version(client)
    table.write_text("sku,price\nCREAM-A,8.00\n", encoding="utf-8")
    assert eventually(lambda: version(client) != before, seconds=10.0)


def test_a_broken_folder_never_is_and_readyz_and_the_log_say_what_is_wrong_and_where(
    capfd: Any, client: FlaskClient, tmp_path: Path
) -> None:
    before = version(client)
    write_policy(tmp_path / "policies", BROKEN)
    assert eventually(lambda: "problems" in client.get("/readyz").json["policy"])
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json["status"]) == (200, "degraded")
    (problem,) = ready.json["policy"]["problems"]
    assert "offers.yaml:11:15" in problem
    assert "percent" in problem
    assert version(client) == before
    assert decide(client)["policy_version"] == before
    assert "pos_discount_policy_problems 1.0" in client.get("/metrics").text
    broken = [json.loads(line) for line in capfd.readouterr().err.splitlines() if "policy_broken" in line]
    assert [line["problems"] for line in broken] == [[problem]]
    write_policy(tmp_path / "policies")
    assert eventually(lambda: client.get("/readyz").json["status"] == "ready")


def test_a_folder_that_vanishes_leaves_the_last_good_policy_in_force(client: FlaskClient, tmp_path: Path) -> None:
    before = version(client)
    (tmp_path / "policies").rename(tmp_path / "elsewhere")
    assert eventually(lambda: "problems" in client.get("/readyz").json["policy"])
    assert decide(client)["policy_version"] == before


def test_a_folder_that_is_broken_at_the_start_leaves_the_last_good_policy_from_the_database(tmp_path: Path) -> None:
    before = decide(make_app(tmp_path).test_client())["policy_version"]
    later = _app_with(tmp_path, BROKEN).test_client()
    assert decide(later)["policy_version"] == before
    ready = later.get("/readyz").json
    assert (ready["status"], ready["policy"]["source"]) == ("degraded", "store")
    assert ready["policy"]["problems"]


def test_of_several_policies_that_decided_the_last_good_one_is_that_which_decided_last(tmp_path: Path) -> None:
    first, second = PROMOTIONS, PROMOTIONS.replace("Five percent", "Five per cent")
    decided = [decide(_app_with(tmp_path, text).test_client())["policy_version"] for text in (first, second, first)]
    assert decided[0] == decided[2] != decided[1]
    assert decide(_app_with(tmp_path, BROKEN).test_client())["policy_version"] == decided[0]


def test_without_any_good_policy_nothing_is_decided_and_a_till_is_told_to_wait(tmp_path: Path) -> None:
    client = _app_with(tmp_path, BROKEN).test_client()
    for answer in (client.post("/v1/decisions", json={}), client.get("/v1/policy")):
        assert (answer.status_code, answer.json["code"]) == (503, "policy_unavailable")
        assert answer.headers["Retry-After"]
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json["status"]) == (503, "unready")
    assert "offers.yaml:11:15" in json.dumps(ready.json)
    write_policy(tmp_path / "policies")
    assert eventually(lambda: client.get("/readyz").status_code == 200)
    decide(client)


def test_no_request_fails_while_bad_and_good_folders_follow_each_other(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    statuses: list[int] = []
    is_done = threading.Event()

    def shop() -> None:
        client = app.test_client()
        while not is_done.is_set():
            statuses.append(client.post("/v1/decisions", json=_basket()).status_code)

    shopper = threading.Thread(target=shop)
    shopper.start()
    in_force = app.extensions["pos_discount"]
    for number in range(12):
        text = [PROMOTIONS, BROKEN, "promotions: [[[", "\0", "a: &a [*a]", "- " * 2000][number % 6]
        write_policy(tmp_path / "policies", text.replace("Five", f"Five {number}"))
        in_force.look()
        in_force.look()
    is_done.set()
    shopper.join()
    assert set(statuses) == {201}


def test_a_folder_that_is_being_written_is_not_read_before_it_rests(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    in_force, client = app.extensions["pos_discount"], app.test_client()
    before = in_force.policy.index.policy.version
    in_force.look()
    for size in range(3):
        write_policy(tmp_path / "policies", PROMOTIONS + "\n" * size + "#")
        in_force.look()
        assert in_force.policy.index.policy.version == before
    in_force.look()
    assert in_force.policy.index.policy.version != before
    assert version(client) == in_force.policy.index.policy.version


def test_a_paused_promotion_is_offered_no_more(client: FlaskClient, tmp_path: Path) -> None:
    assert ["ten"] in [rung["promotions"] for rung in decide(client)["ladder"]]
    store = Store(tmp_path / "test.db")
    store.pause_promotion(Pause("ten", 1, "too dear"))
    assert eventually(lambda: ["ten"] not in [rung["promotions"] for rung in decide(client)["ladder"]])
    paused = [one["promotion_id"] for one in client.get("/v1/policy").json["promotions"] if one["paused"]]
    assert paused == ["ten"]
    store.resume_promotion("ten")
    assert eventually(lambda: ["ten"] in [rung["promotions"] for rung in decide(client)["ladder"]])
    store.close()


@pytest.mark.parametrize(
    ("name", "target"),
    [("round.yaml", "round.yaml"), (".#offers.yaml", "somebody@elsewhere.42")],
    ids=["a link to itself", "an editor's lock"],
)
def test_a_link_to_no_file_in_the_folder_keeps_nothing_else_from_being_noticed(
    client: FlaskClient, tmp_path: Path, name: str, target: str
) -> None:
    before = version(client)
    (tmp_path / "policies" / name).symlink_to(target)
    time.sleep(1.0)  # so that a look finds it before the change
    write_policy(tmp_path / "policies", PROMOTIONS.replace("Five percent", "Five per cent"))
    assert eventually(lambda: version(client) != before, seconds=10.0)
    started = _app_with(tmp_path, PROMOTIONS).test_client()
    assert version(started) == before


def test_a_name_that_is_no_text_is_told_and_pauses_are_noticed_all_the_same(
    client: FlaskClient, tmp_path: Path
) -> None:
    before = version(client)
    (tmp_path / "policies" / os.fsdecode(b"sp\xe9cial.yaml")).write_text("promotions: []")
    assert eventually(lambda: "problems" in client.get("/readyz").json["policy"], seconds=10.0)
    (problem,) = client.get("/readyz").json["policy"]["problems"]
    assert "sp\\xe9cial.yaml:1:1: expected a name in UTF-8" in problem
    store = Store(tmp_path / "test.db")
    store.pause_promotion(Pause("ten", 1, "too dear"))
    assert eventually(lambda: ["ten"] not in [rung["promotions"] for rung in decide(client)["ladder"]], seconds=10.0)
    assert version(client) == before
    store.close()


def test_a_new_model_is_taken_up_and_named_in_the_answer(client: FlaskClient, tmp_path: Path) -> None:
    assert client.get("/v1/model").json["fallback"] == "no_model"
    store, content = Store(tmp_path / "test.db"), model_to_bytes(prior_model())
    _activate(store, model_version(content), content)
    assert eventually(lambda: decide(client)["model_version"] == model_version(content))
    told = decide(client)
    assert told["fallback"] is None
    assert client.get("/v1/model").json["model_version"] == model_version(content)
    assert client.get("/readyz").json["model"]["version"] == model_version(content)
    store.close()


@pytest.mark.parametrize(
    "spoil", [lambda content: content[:-1], lambda content: b"", lambda content: b"\x80" + content]
)
def test_a_model_that_can_not_be_read_leaves_the_ladder_to_the_policy(
    client: FlaskClient, tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    store = Store(tmp_path / "test.db")
    _activate(store, "m-spoilt", spoil(model_to_bytes(prior_model())))
    assert eventually(lambda: decide(client)["fallback"] == "model_rejected")
    told = decide(client)
    assert told["model_version"] is None
    assert told["ladder"][0]["promotions"] == ["five"]
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json["status"]) == (200, "degraded")
    metrics = client.get("/metrics").text
    assert 'fallback="model_rejected"' in metrics
    assert "pos_discount_model_rejected 1.0" in metrics
    store.close()


HARM = {
    "one byte of the stored text": "UPDATE contents SET content = CAST(x'00' || substr(content, 2) AS BLOB)",
    "half of it gone": "UPDATE contents SET content = CAST(substr(content, 1, length(content) / 2) AS BLOB)",
    "nothing left of it": "UPDATE contents SET content = x''",
    "gone": "DELETE FROM contents",
    "its list of files gone": "UPDATE versions SET files = '['",
    "another model in its place": "UPDATE contents SET content = (SELECT content FROM contents WHERE digest = :other)",
}


@pytest.mark.parametrize("harm", HARM.values(), ids=HARM)
def test_a_model_that_was_harmed_in_the_database_never_serves_and_all_is_well_with_the_next(
    client: FlaskClient, tmp_path: Path, harm: str
) -> None:
    store = Store(tmp_path / "test.db")
    good, harmed = (model_to_bytes(replace(prior_model(), noise=noise)) for noise in (0.004, 0.005))
    _activate(store, model_version(good), good)
    assert eventually(lambda: decide(client)["model_version"] == model_version(good))
    store.keep_model(model_version(harmed), [KeptFile("model", harmed)], 1)
    connection, digest = sqlite3.connect(tmp_path / "test.db"), sha256(harmed).digest()
    where = "kind = 'model' AND version = :version" if "versions" in harm else "digest = :digest"
    named = {"digest": digest, "version": model_version(harmed), "other": sha256(good).digest()}
    assert connection.execute(f"{harm} WHERE {where}", named).rowcount == 1
    connection.commit()
    connection.close()
    store.activate_model(model_version(harmed), "test", 3)
    assert eventually(lambda: decide(client)["fallback"] == "model_rejected")
    assert client.get("/readyz").json["model"] == {"version": None, "fallback": "model_rejected"}
    assert "pos_discount_model_rejected 1.0" in client.get("/metrics").text
    store.activate_model(model_version(good), "test", 4)
    assert eventually(lambda: decide(client)["model_version"] == model_version(good))
    assert "pos_discount_model_rejected 0.0" in client.get("/metrics").text
    store.close()


def test_a_model_that_is_harmed_while_it_decides_is_noticed_without_a_restart(
    client: FlaskClient, tmp_path: Path
) -> None:
    store, content = Store(tmp_path / "test.db"), model_to_bytes(prior_model())
    _activate(store, model_version(content), content)
    assert eventually(lambda: decide(client)["model_version"] == model_version(content))
    with sqlite3.connect(tmp_path / "test.db") as connection:
        connection.execute("UPDATE contents SET content = x'00' WHERE digest = ?", (sha256(content).digest(),))
    assert eventually(lambda: decide(client)["fallback"] == "model_rejected")
    assert client.get("/readyz").json["status"] == "degraded"
    store.close()


def test_a_model_is_whole_again_once_it_is_kept_again(tmp_path: Path) -> None:
    store, content = Store(tmp_path / "test.db"), model_to_bytes(prior_model())
    files = (KeptFile("model", content),)
    store.keep_model(model_version(content), files, 1)
    with sqlite3.connect(tmp_path / "test.db") as connection:
        connection.execute("UPDATE contents SET content = x'00'")
    assert store.read_model(model_version(content)) == ()
    store.keep_model(model_version(content), files, 2)
    assert store.read_model(model_version(content)) == files
    store.close()


def test_a_model_under_another_models_version_never_serves(client: FlaskClient, tmp_path: Path) -> None:
    store = Store(tmp_path / "test.db")
    _activate(store, "m-0123456789abcdef0123", model_to_bytes(prior_model()))
    assert eventually(lambda: decide(client)["fallback"] == "model_rejected")
    store.close()


def test_what_is_described_is_what_is_written(client: FlaskClient) -> None:
    told = client.get("/v1/policy").json
    assert (told["currency"], told["time_zone"]) == ("EUR", "Europe/Paris")
    goodwill = next(one for one in told["promotions"] if one["promotion_id"] == "goodwill")
    assert goodwill["limits"] == [{"per": "customer", "every": "ever", "uses": 1, "budget": None}]
    assert goodwill["conditions"] == ["member"]
    assert client.get("/v1/segments").json == {"model_version": None, "segments": []}


def _activate(store: Store, name: str, content: bytes) -> None:
    store.keep_model(name, [KeptFile("model", content)], 1)
    store.activate_model(name, "test", 2)


def _app_with(folder: Path, promotions: str) -> Flask:
    from pos_discount.web import create_app

    write_policy(folder / "policies", promotions, HOUSE)
    settings = {"policies": str(folder / "policies"), "database": str(folder / "test.db")}
    return create_app(settings | {"auth": "off", "secret": "a secret for the tests"})


def _basket() -> dict[str, Any]:
    from tests.web.house import basket

    return basket()


def test_a_service_with_another_secret_than_keys_were_made_with_is_ready_and_its_log_says_so(
    capfd: Any, tmp_path: Path
) -> None:
    decide(make_app(tmp_path).test_client(), customer={"customer_id": "L-1"})
    assert make_app(tmp_path).test_client().get("/readyz").status_code == 200
    assert "secret_changed" not in capfd.readouterr().err
    ready = make_app(tmp_path, secret="another secret for the tests").test_client().get("/readyz")
    assert (ready.status_code, ready.json["status"]) == (200, "ready")
    assert "secret_changed" in capfd.readouterr().err
