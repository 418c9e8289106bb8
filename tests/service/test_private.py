"""What is kept of a customer, searched byte for byte: never their id, and after forgetting nothing that links."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from .house import basket, write_policy
from .serving import Service, Till, serving

GONE, STAYS = "L-773 4Ünïq/gone", "L-8815-stays"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("private")
    with serving(folder, write_policy(folder / "policies"), workers=1) as service:
        yield service


def test_a_customers_own_id_is_in_no_file_and_after_forgetting_nothing_links_to_them(shop: Service) -> None:
    gone, stays = _live(shop, GONE), _live(shop, STAYS)
    access = json.loads(shop.command("export", "--customer", GONE))
    pseudonym = access["pseudonym"]
    assert {one["decision_id"] for one in access["decisions"]} == set(gone)
    assert all(one["reasons"] for one in access["decisions"])
    _export(shop, "before")
    shop.command("backup", shop.folder / "before.db")
    assert _files_with(shop.folder, _forms(GONE)) == []
    assert "before.db" in _files_with(shop.folder, _forms_of_pseudonym(pseudonym))  # the search does find

    shop.command("forget", GONE)
    _export(shop, "after")
    shop.command("backup", shop.folder / "after.db")
    linked = _files_with(shop.folder, _forms(GONE) | _forms_of_pseudonym(pseudonym))
    assert set(linked) <= {"before.db", "before.csv"}  # what was carried out before, and no file of the service
    for decision_id in gone:
        answer = shop.call("GET", f"/v1/decisions/{decision_id}")
        assert (answer.status, answer.json()["code"]) == (404, "decision_forgotten")
        told = shop.call("PUT", f"/v1/decisions/{decision_id}/outcome", {"result": "left"})
        assert (told.status, told.json()["code"]) == (404, "decision_forgotten")
    assert all(shop.call("GET", f"/v1/decisions/{decision_id}").status == 200 for decision_id in stays)
    again = shop.call("POST", "/v1/decisions", _basket(GONE, 0), {"Idempotency-Key": f"{GONE[:5].strip()}-0"})
    assert again.status == 201 and again.json()["decision_id"] not in gone

    shop.command("forget", GONE)
    shop.stop()
    shop.command("restore", shop.folder / "before.db", "--yes")
    shop.start()
    shop.wait_until_ready()
    answers = [shop.call("GET", f"/v1/decisions/{one}").json()["code"] for one in gone]
    assert answers == ["decision_forgotten"] * len(gone)
    assert json.loads(shop.command("export", "--customer", GONE))["decisions"] == []
    assert len(json.loads(shop.command("export", "--customer", STAYS))["decisions"]) == len(stays)
    kept = {name for name in _files_with(shop.folder, _forms_of_pseudonym(pseudonym)) if name.startswith("shop.db")}
    assert kept == set()
    assert "0 of them differ" in shop.command("replay", "--all")


def _live(shop: Service, customer_id: str) -> list[str]:
    """Be a customer: buy, bring back, be refused, be sent twice. Returns the ids of the decisions."""
    till = Till(shop)
    made = []
    for number in range(4):
        answer = till.call("POST", "/v1/decisions", _basket(customer_id, number), f"{customer_id[:5].strip()}-{number}")
        decision_id = answer.json()["decision_id"]
        made.append(decision_id)
        outcome = {"result": "accepted", "rung": 1, "satisfaction": 4} if number else {"result": "left"}
        assert till.call("PUT", f"/v1/decisions/{decision_id}/outcome", outcome).status == 201
    returned = till.call(
        "POST", f"/v1/decisions/{made[1]}/returns", {"lines": [{"line_id": "1", "quantity": 1}]}, "back"
    )
    assert returned.status in (201, 422), returned.body
    till.call("POST", "/v1/decisions?dry_run=true", _basket(customer_id, 9), f"dry-{customer_id[:5].strip()}")
    wrong = till.call("POST", "/v1/decisions", {**_basket(customer_id, 9), "customer_id": customer_id})
    assert wrong.status == 422 and customer_id.encode() not in wrong.body
    till.close()
    return made


def _basket(customer_id: str, number: int) -> dict[str, Any]:
    return basket(sale_id=f"{customer_id[-5:]}-{number}", customer={"customer_id": customer_id, "tier": "gold"})


def _export(shop: Service, name: str) -> None:
    (shop.folder / f"{name}.csv").write_text(shop.command("export", "--with-customers"))


def _forms(customer_id: str) -> set[bytes]:
    """Return an id as it might be written, digests without a key included."""
    plain = customer_id.encode()
    written = {
        plain,
        customer_id.encode("utf-16-le"),
        json.dumps(customer_id)[1:-1].encode(),
        quote(customer_id).encode(),
    }
    digests = {hashlib.new(name, plain).digest() for name in ("md5", "sha1", "sha256", "sha512", "blake2b")}
    return written | digests | {digest.hex().encode() for digest in digests} | {base64.b64encode(plain).rstrip(b"=")}


def _forms_of_pseudonym(pseudonym: str) -> set[bytes]:
    return {pseudonym.encode(), bytes.fromhex(pseudonym)}


def _files_with(folder: Path, forms: set[bytes]) -> list[str]:
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    return [str(file.relative_to(folder)) for file in files if any(form in file.read_bytes() for form in forms)]
