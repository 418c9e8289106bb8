"""`retrain` and `model` as an operator calls them, and a real service that takes the model up while it serves."""

from __future__ import annotations

import fcntl
import json
import sqlite3
import time
import urllib.request
import zlib
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from cli.running import SECRET, Said, Shop
from cli.serving import free_port, service

from pos_discount.store import Store

from .shop import Trade, write_policy

BASKET = {
    "store_id": "S1",
    "currency": "EUR",
    "lines": [{"line_id": "1", "sku": "A", "category": "care", "quantity": 1, "unit_price": 4000}],
}
PATIENCE = 5.0


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shop, Said]:
    """A shop after 400 visits and its first night, and what that said."""
    folder = tmp_path_factory.mktemp("shop")
    made = Shop(folder, write_policy(folder / "policies"))
    store = Store(made.database)
    Trade(store, folder / "policies").visits(400)
    store.close()
    return made, made.run("retrain", "--report", folder / "night.html", "--json")


@pytest.fixture
def shop(night: tuple[Shop, Said], tmp_path: Path) -> Shop:
    """A copy of that shop, for one test to do with as it likes."""
    folder = copytree(night[0].folder, tmp_path / "shop")
    return Shop(folder, folder / "policies")


def test_a_night_says_what_it_found_and_writes_a_report_that_needs_nothing_else(night: tuple[Shop, Said]) -> None:
    made, said = night
    assert said.code == 0, said.err
    told = said.json()
    assert told["new_outcomes"] == 400
    assert told["promoted"] is False
    page = (made.folder / "night.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert "The champion stays" in page
    assert not [word for word in ("<script", "<link", "src=", "url(http") if word in page]


def test_a_night_told_as_text_says_each_segment_in_a_sentence_what_changed_and_why_the_champion_stays(
    shop: Shop,
) -> None:
    said = shop.run("retrain", "--full")
    assert said.code == 0, said.err
    told = shop.run("model", "list", "--json").json()
    night = shop.run("model", "show", told[0]["version"], "--json").json()
    assert all(f"  {sentence}" in said.out for sentence in night["night"]["segments"] + night["night"]["changed"])
    for segment, sentence in zip(night["segments"], night["night"]["segments"], strict=True):
        assert sentence.startswith(segment["name"])
        assert segment["rule"] in sentence
        assert f"({segment['curve_low'][3]:.0%} to {segment['curve_high'][3]:.0%}) for 3 %" in sentence
    assert "The champion stays: " in said.out


def test_a_second_night_beside_the_first_is_refused(shop: Shop) -> None:
    with (shop.folder / "shop.db.retrain.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = shop.run("retrain")
    assert said.code == 1
    assert "running already" in said.err


def test_models_are_listed_shown_activated_and_rolled_back(shop: Shop) -> None:
    versions = [model["version"] for model in shop.run("model", "list", "--json").json()]
    assert versions
    assert shop.run("model", "activate", versions[0]).code == 0
    shown = shop.run("model", "show", "--json").json()
    assert shown["version"] == versions[0]
    assert shown["segments"]
    assert shop.run("model", "rollback").code == 0
    assert not any(model["active"] for model in shop.run("model", "list", "--json").json())


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("model", "activate", "m-none"), 1),
        (("model", "show", "m-none"), 1),
        (("model", "activate"), 2),
        (("retrain", "--nightly"), 2),
    ],
    ids=["unknown model", "unknown to show", "no version", "unknown option"],
)
def test_exit_codes_tell_problems_from_wrong_use(shop: Shop, arguments: tuple[str, ...], code: int) -> None:
    assert shop.run(*arguments).code == code


def test_a_running_service_takes_a_model_up_and_never_serves_a_damaged_one(shop: Shop) -> None:
    version = shop.run("model", "list", "--json").json()[0]["version"]
    settings = {**shop.settings, "auth": "off", "secret": SECRET}
    with service(shop.folder, free_port(), **settings) as url:
        before = _decide(url)
        assert (before["model_version"], before["fallback"], before["segment"]) == (None, "no_model", None)
        assert shop.run("model", "activate", version).code == 0
        after = _until(lambda: _decide(url), lambda told: told["model_version"] == version)
        assert after["fallback"] is None
        assert after["segment"]["segment_id"].startswith("s")
        assert 0.0 < after["ladder"][0]["acceptance"] < 1.0
        assert after["ladder"][0]["acceptance"] != before["ladder"][0]["acceptance"]
        assert _get(f"{url}/v1/segments")["segments"]
        _damage(shop.database, version)
        assert shop.run("model", "activate", "none").code == 0
        _until(lambda: _decide(url), lambda told: told["fallback"] == "no_model")
        store = Store(shop.database)
        store.activate_model(version, "damaged by the test", 1)
        store.close()
        rejected = _until(lambda: _decide(url), lambda told: told["fallback"] == "model_rejected")
        assert rejected["model_version"] is None
        assert rejected["ladder"][0]["saving"] == before["ladder"][0]["saving"]
        assert _get(f"{url}/readyz")["model"]["fallback"] == "model_rejected"
        with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
            assert "model_rejected" in answer.read().decode()


@pytest.mark.slow
def test_the_real_gate_promotes_a_first_model_and_a_running_service_decides_by_it(tmp_path: Path) -> None:
    shop = Shop(tmp_path, write_policy(tmp_path / "policies"))
    store = Store(shop.database)
    Trade(store, tmp_path / "policies", seed=4, customers=400).visits(2_500, missing=0.02)
    store.close()
    settings = {**shop.settings, "auth": "off", "secret": SECRET}
    with service(shop.folder, free_port(), **settings) as url:
        assert _decide(url)["fallback"] == "no_model"
        told = shop.run("retrain", "--json").json()
        assert told["promoted"] is True, told["reasons"]
        after = _until(lambda: _decide(url), lambda answer: answer["model_version"] == told["version"])
        assert after["fallback"] is None
        assert after["segment"] is not None
        assert _get(f"{url}/readyz")["model"]["version"] == told["version"]


def test_a_claim_beyond_what_the_hold_out_shows_is_refused(shop: Shop) -> None:
    within = shop.run("report", "--since", "2026-03-01", "--until", "2026-03-20", "--claim", "mailing=0.01", "--json")
    beyond = shop.run("report", "--since", "2026-03-01", "--until", "2026-03-20", "--claim", "mailing=1e9")
    assert [ledger["cut"] for ledger in within.json()["ledgers"]][-1] == "claim", within.err
    assert (beyond.code, "claim less" in beyond.err) == (1, True)
    assert shop.run("report", "--claim", "mailing").code == 2


def _damage(database: Path, version: str) -> None:
    """Flip one byte in the middle of a kept model."""
    connection = sqlite3.connect(database)
    (files,) = connection.execute("SELECT files FROM versions WHERE version = ?", (version,)).fetchone()
    digest = bytes.fromhex(json.loads(files)[0][1])
    (packed,) = connection.execute("SELECT content FROM contents WHERE digest = ?", (digest,)).fetchone()
    content = bytearray(zlib.decompress(packed))
    content[len(content) // 2] ^= 1
    connection.execute("UPDATE contents SET content = ? WHERE digest = ?", (zlib.compress(bytes(content)), digest))
    connection.commit()
    connection.close()


def _decide(url: str) -> Any:
    body = json.dumps(BASKET).encode()
    request = urllib.request.Request(f"{url}/v1/decisions", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def _until(ask: Any, is_so: Any) -> Any:
    """Ask again and again until it is so; five seconds are what the service promises."""
    deadline = time.monotonic() + 4 * PATIENCE  # four times what is promised, for a machine that is busy otherwise
    while not is_so(told := ask()):
        assert time.monotonic() < deadline, told
        time.sleep(0.1)
    return told
