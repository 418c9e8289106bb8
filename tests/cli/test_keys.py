"""`pos-discount keys`: a key is shown once, is kept as a digest, opens what it may, and can be taken back."""

import pytest

from cli.running import Shop, basket
from pos_discount.web import create_app

OTHER = "quite another secret, of as many characters as one should have"


def status(shop: Shop, key: str, store_id: str = "S001") -> int:
    """Ask for a decision with a key and return the status."""
    client = create_app(shop.settings).test_client()
    headers = {"Authorization": f"Bearer {key}"}
    return client.post("/v1/decisions?dry_run=true", json=basket(store_id=store_id), headers=headers).status_code


def test_a_key_that_was_made_is_let_in_for_its_stores_only(shop: Shop) -> None:
    key = shop.run("keys", "create", "--scope", "till", "--store", "S001").out.strip()
    assert status(shop, key) == 200
    assert status(shop, key, store_id="S002") == 403


def test_a_revoked_key_is_refused(shop: Shop) -> None:
    made = shop.run("keys", "create", "--scope", "till", "--json").json()
    assert status(shop, made["key"]) == 200
    assert shop.run("keys", "revoke", made["key_id"]).code == 0
    assert status(shop, made["key"]) == 401
    assert shop.run("keys", "revoke", made["key_id"]).code == 1


def test_the_list_shows_everything_but_the_key(shop: Shop) -> None:
    made = shop.run("keys", "create", "--scope", "till", "--label", "till 7", "--days", "30", "--json").json()
    shop.run("keys", "revoke", shop.run("keys", "create", "--scope", "admin", "--json").json()["key_id"])
    first, second = shop.run("keys", "list", "--json").json()
    assert (first["label"], first["scope"], first["stores"], first["revoked_at"]) == ("till 7", "till", [], None)
    assert first["expires_at"] is not None
    assert second["revoked_at"] is not None
    table = shop.run("keys", "list")
    assert "holds until" in table.out
    assert made["key"] not in table.out


def test_a_key_is_nowhere_in_the_database(shop: Shop) -> None:
    key = shop.run("keys", "create", "--scope", "till").out.strip()
    kept = b"".join(path.read_bytes() for path in shop.folder.glob("shop.db*"))
    assert key.encode() not in kept
    assert key[-20:].encode() not in kept  # its secret may hold the mark that parts it from its id


def test_a_key_of_another_secret_is_made_with_a_warning_while_others_hold_and_counts_once_none_does(shop: Shop) -> None:
    first = shop.run("keys", "create", "--scope", "till", "--json").json()
    said = shop.run("keys", "create", "--scope", "till", "--json", secret=OTHER)
    assert "not the one with which keys and pseudonyms were made" in said.err
    shop.run("keys", "revoke", first["key_id"])
    shop.run("keys", "revoke", said.json()["key_id"])
    assert "not the one" not in shop.run("keys", "create", "--scope", "till", secret=OTHER).err
    assert "not the one" in shop.run("keys", "create", "--scope", "till").err


def test_a_new_secret_says_that_customers_become_strangers(shop: Shop) -> None:
    client = create_app({**shop.settings, "auth": "off"}).test_client()
    assert client.post("/v1/decisions", json=basket(customer={"customer_id": "L-1"})).status_code == 201
    assert "customers are strangers" in shop.run("keys", "create", "--scope", "till", secret=OTHER).err


@pytest.mark.parametrize(
    "arguments", [("create",), ("create", "--scope", "king"), ("create", "--scope", "till", "--days", "0")]
)
def test_a_key_that_makes_no_sense_is_not_made(shop: Shop, arguments: tuple[str, ...]) -> None:
    assert shop.run("keys", *arguments).code == 2
    assert not shop.database.exists()
