"""`pos-discount doctor`: a good installation passes, and each thing that is broken on a bad one is found and named."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.running import Shop, basket
from pos_discount.cli.machine_checks import has_wal_reset_fault
from pos_discount.cli.service_checks import file_system_of
from pos_discount.store import KeptFile, Store
from pos_discount.web import create_app


@pytest.fixture
def used(shop: Shop) -> Shop:
    """A shop that has made a decision."""
    client = create_app({**shop.settings, "auth": "off"}).test_client()
    assert client.post("/v1/decisions", json=basket()).status_code == 201
    shop.database.chmod(0o600)
    return shop


def found(shop: Shop, state: str, **changed: str | None) -> dict[str, str]:
    """Run the doctor and return what it found in a state, by check."""
    findings: list[dict[str, Any]] = shop.run("doctor", "--json", **changed).json()
    return {finding["check"]: finding["detail"] for finding in findings if finding["state"] == state}


def test_a_good_installation_has_nothing_wrong(used: Shop) -> None:
    used.run("keys", "create", "--scope", "till")
    said = used.run("doctor")
    assert said.code == 0
    assert "0 wrong" in said.out
    assert set(found(used, "warning")) <= {"sqlite", "open files", "disk", "packages"}


def test_looking_makes_no_database(shop: Shop) -> None:
    assert "not there yet" in found(shop, "warning")["database"]
    assert not shop.database.exists()


def break_policy(shop: Shop) -> dict[str, str | None]:
    shop.write("house/house.yaml", "policy: 1\ncurency: EUR\n")
    return {"policies": str(shop.folder / "house")}


def remove_policy(shop: Shop) -> dict[str, str | None]:
    return {"policies": str(shop.folder / "nowhere")}


def damage_database(shop: Shop) -> dict[str, str | None]:
    with sqlite3.connect(shop.database) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # until then all lies beside the file
    pages = bytearray(shop.database.read_bytes())
    assert len(pages) > 4096 * 12
    pages[4096 * 3 : 4096 * 12] = b"\xa5" * 4096 * 9
    shop.database.write_bytes(pages)
    return {}


def write_nonsense(shop: Shop) -> dict[str, str | None]:
    shop.database.write_text("this is no database " * 300)
    Path(f"{shop.database}-wal").unlink(missing_ok=True)
    return {}


def miscount(shop: Shop) -> dict[str, str | None]:
    with sqlite3.connect(shop.database) as connection:
        columns = "promotion_id, per, subject, every, period, held_uses"
        connection.execute(f"INSERT INTO counters ({columns}) VALUES ('x', 'chain', '', '', '', 3)")
    return {}


def lacks_a_table(shop: Shop) -> dict[str, str | None]:
    with sqlite3.connect(shop.database) as connection:
        connection.execute("DROP TABLE holds")
    return {}


def lacks_an_index(shop: Shop) -> dict[str, str | None]:
    with sqlite3.connect(shop.database) as connection:
        connection.execute("DROP INDEX outcomes_by_store")
    return {}


def altered_policy(shop: Shop) -> dict[str, str | None]:
    with sqlite3.connect(shop.database) as connection:
        connection.execute("UPDATE contents SET content = x'00'")
    return {}


def kept_from_the_service(shop: Shop) -> dict[str, str | None]:
    listed = Path(f"{shop.database}.forgotten")
    listed.touch()
    if os.geteuid() == 0:
        os.chown(listed, 1, 1)
    else:
        listed.chmod(0o000)
    return {}


def newer_tables(shop: Shop) -> dict[str, str | None]:
    with sqlite3.connect(shop.database) as connection:
        connection.execute("PRAGMA user_version = 999")
    return {}


def clock_set_back(shop: Shop) -> dict[str, str | None]:
    with sqlite3.connect(shop.database) as connection:
        connection.execute("UPDATE decisions SET made_at = made_at + 7200000000")
    return {}


def unreadable_model(shop: Shop) -> dict[str, str | None]:
    store = Store(shop.database)
    store.keep_model("m1", [KeptFile("model", b"no model")], 1)
    store.activate_model("m1", "to see what happens", 2)
    store.close()
    return {}


def no_folder(shop: Shop) -> dict[str, str | None]:
    return {"database": str(shop.folder / "nowhere" / "shop.db")}


@pytest.mark.parametrize(
    ("break_it", "check", "words"),
    [
        (break_policy, "policy", "house.yaml:2"),
        (remove_policy, "policy", "nowhere"),
        (damage_database, "database", "damaged"),
        (write_nonsense, "database", "not a database"),
        (miscount, "database", "disagrees"),
        (newer_tables, "database", "step 999"),
        (lacks_a_table, "database", "missing: holds"),
        (lacks_an_index, "database", "missing: outcomes_by_store"),
        (altered_policy, "database", "pol_"),
        (kept_from_the_service, "database", "shop.db.forgotten"),
        (clock_set_back, "clock", "in the future"),
        (unreadable_model, "model", "m1"),
        (no_folder, "disk", "no folder"),
        (lambda _: {"secret": None}, "settings", "POS_DISCOUNT_SECRET is missing"),
        (lambda _: {"secret": "short"}, "settings", "too short"),
        (lambda _: {"auth": "sometimes"}, "settings", "neither on nor off"),
        (lambda _: {"database": os.fsdecode(b"shop\xff.db")}, "settings", "UTF-8"),
        (lambda _: {"databse": "x.db"}, "settings", "POS_DISCOUNT_DATABASE"),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)).strip("<>"),
)
def test_what_is_wrong_is_found(
    used: Shop, break_it: Callable[[Shop], dict[str, str | None]], check: str, words: str
) -> None:
    changed = break_it(used)
    assert words in found(used, "problem", **changed)[check]
    assert used.run("doctor", **changed).code == 1


OTHER = "quite another secret, of as many characters as one should have"


def test_another_secret_is_found_by_what_was_made_with_the_first(used: Shop) -> None:
    assert "secret" not in found(used, "problem", secret=OTHER)  # nothing was made with it: no key, no pseudonym
    used.run("keys", "create", "--scope", "till")
    assert "not the one with which keys and pseudonyms were made" in found(used, "problem", secret=OTHER)["secret"]
    assert "secret" not in found(used, "problem")


def test_a_pseudonym_alone_binds_the_secret_that_is_kept_in_a_file_too(shop: Shop) -> None:
    settings = {"policies": shop.settings["policies"], "database": shop.settings["database"], "auth": "off"}
    client = create_app(settings).test_client()
    assert client.post("/v1/decisions", json=basket(customer={"customer_id": "L-1"})).status_code == 201
    assert "secret" not in found(shop, "problem", auth="off", secret=None)
    Path(f"{shop.database}.secret").write_text(OTHER)
    assert "were made" in found(shop, "problem", auth="off", secret=None)["secret"]


def open_to_all(shop: Shop) -> dict[str, str | None]:
    shop.database.chmod(0o666)
    return {}


def no_keys(shop: Shop) -> dict[str, str | None]:
    return {}


def paused(shop: Shop) -> dict[str, str | None]:
    shop.run("policy", "pause", "birthday", "--reason", "wrong percentage")
    return {}


@pytest.mark.parametrize(
    ("leave_it", "check", "words"),
    [
        (open_to_all, "database", "open to others"),
        (no_keys, "auth", "no key"),
        (lambda _: {"auth": "off"}, "auth", "off"),
        (lambda _: {"secret": "aaaaaaaaaaaaaaaa"}, "secret", "repetitive"),
        (paused, "pauses", "birthday is paused: wrong percentage"),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)).strip("<>"),
)
def test_what_is_doubtful_is_to_be_looked_at(
    used: Shop, leave_it: Callable[[Shop], dict[str, str | None]], check: str, words: str
) -> None:
    changed = leave_it(used)
    assert words in found(used, "warning", **changed)[check]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://127.0.0.1:99999", "http://[::1", "127.0.0.1:9"])
def test_a_service_that_does_not_answer_is_wrong(used: Shop, url: str) -> None:
    said = used.run("doctor", "--json", "--url", url)
    assert said.code == 1
    assert said.json()[-1]["check"] == "service"


@pytest.mark.parametrize(
    ("folder", "kind"),
    [("/", "overlay"), ("/mnt/a share", "nfs4"), ("/mnt/a share/below", "nfs4"), ("/mnt/other", "ext4")],
)
def test_the_file_system_of_a_folder_is_that_of_the_nearest_mount(tmp_path: Path, folder: str, kind: str) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text("o / overlay rw 0 0\nh:/x /mnt/a\\040share nfs4 rw 0 0\nd /mnt ext4 rw 0 0\n")
    assert file_system_of(Path(folder), mounts) == kind


@pytest.mark.parametrize(
    ("version", "has_fault"),
    [
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 0), False),
    ],
    ids=str,
)
def test_the_versions_of_sqlite_with_the_wal_fault_are_known(version: tuple[int, ...], has_fault: bool) -> None:
    assert has_wal_reset_fault(version) is has_fault
