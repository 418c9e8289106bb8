"""Schema upgrades, versions, keys and pauses, incremental readers, purging, sizes, the noted secret."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
import pytest
from sqlite_utils import Database

from pos_discount.pricing.limits import CounterKey, Usage
from pos_discount.store import (
    ApiKey,
    Changes,
    CustomerRecord,
    KeptFile,
    Pause,
    Receipt,
    Store,
    UnknownDecision,
)
from pos_discount.store.connection import Connection, connect_to_write
from pos_discount.store.schema import SCHEMA, schema_migrations

from .made import GOODWILL, MINUTE, NOON, a_decision, a_hold, a_visit, an_outcome, counted

CUSTOMER = "f00dfeedf00dfeed"
DAY = 24 * 60 * MINUTE
TODAY = 739_576
TILL_KEY = ApiKey("k1", b"\x01" * 32, "till", ("S1", "S2"), "tills of S1", NOON, NOON + DAY)
REVOKED_KEY = msgspec.structs.replace(TILL_KEY, revoked_at=NOON)


@pytest.mark.parametrize("already_applied", range(len(SCHEMA)), ids=[name for name, _ in SCHEMA])
def test_a_database_of_any_earlier_version_becomes_todays(tmp_path: Path, already_applied: int) -> None:
    old = connect_to_write(tmp_path / "pos.db", "FULL")
    schema_migrations().apply(Database(old, execute_plugins=False), stop_before=SCHEMA[already_applied][0])
    assert old.execute("PRAGMA user_version").fetchone() == (already_applied,)
    old.close()
    store = Store(tmp_path / "pos.db")
    store.record_decision(a_decision())
    assert store.count_receipts() == ()
    store.close()


def test_unless_told_otherwise_the_log_is_synced_at_every_commit(tmp_path: Path) -> None:
    store = Store(tmp_path / "pos.db")
    read = [partial(_pragma, name=name) for name in ("journal_mode", "synchronous", "secure_delete")]
    assert [store._write(job) for job in read] == ["wal", 2, 1]
    store.close()


def _pragma(connection: Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_a_policy_is_kept_once_and_reads_back_in_order(store: Store) -> None:
    files = (KeptFile("house.yaml", b"policy: 1"), KeptFile("a.csv", b"\x00\xff"))
    store.keep_policy("v1", files, NOON)
    store.keep_policy("v1", (), NOON + 1)
    assert store.read_policy("v1") == files
    assert store.read_policy("v0") == ()
    assert store.read_policies() == (("v1", NOON),)


def test_of_a_folder_in_which_one_file_changed_only_that_is_written_again(store: Store) -> None:
    prices = KeptFile("prices.csv", b"sku,price\n" * 1000)
    for version in range(5):
        store.keep_policy(f"v{version}", (KeptFile("p.yaml", str(version).encode()), prices), NOON)
    with store._reading() as connection:
        assert connection.execute("SELECT count(*) FROM contents").fetchone() == (6,)


def test_the_model_in_force_is_a_pointer_with_a_history(store: Store) -> None:
    assert store.read_active_model() is None
    for number, version in enumerate(("m1", "m2")):
        store.keep_model(version, (KeptFile("model.json", version.encode()),), NOON + number)
        store.activate_model(version, "passed the gate", NOON + number)
    store.activate_model("m1", "rolled back", NOON + 9)
    assert store.read_active_model() == "m1"
    assert [activation.version for activation in store.read_activations()] == ["m1", "m2", "m1"]
    assert store.read_model("m2") == (KeptFile("model.json", b"m2"),)
    assert store.read_changes() == Changes(model=3)


def test_a_model_that_is_not_kept_is_not_activated(store: Store) -> None:
    with pytest.raises(ValueError, match="not kept"):
        store.activate_model("m9", "", NOON)


def test_a_pause_holds_until_it_is_resumed(store: Store) -> None:
    pause = Pause("spring", NOON, "wrong price")
    store.pause_promotion(pause)
    assert (store.read_paused(), store.read_changes().paused) == ((pause,), 1)
    assert (store.resume_promotion("spring"), store.resume_promotion("spring")) == (True, False)
    assert (store.read_paused(), store.read_changes().paused > 1) == ((), True)


def test_a_key_is_kept_until_it_is_revoked_and_known_after(store: Store) -> None:
    store.create_key(TILL_KEY)
    assert store.read_keys() == (TILL_KEY,)
    assert (store.revoke_key("k1", NOON + 1), store.revoke_key("k1", NOON + 2)) == (True, False)
    assert [kept.revoked_at for kept in store.read_keys()] == [NOON + 1]
    assert store.read_changes() == Changes(keys=2)


def test_receipts_are_kept_once_and_come_back_in_order(store: Store) -> None:
    receipts = [Receipt("S1", "june", f"r{number}", b"{}", "aa11") for number in range(12_000)]
    assert store.keep_receipts(receipts) == 12_000
    assert store.keep_receipts([*receipts[:3], Receipt("S1", "july", "r1", b"{}")]) == 1
    assert [receipt for block in store.read_receipts("june") for receipt in block] == receipts
    assert store.count_receipts() == (("july", 1), ("june", 12_000))


def test_an_incremental_reader_sees_each_change_once_and_misses_none(store: Store) -> None:
    store.record_checkouts([a_decision(number) for number in range(5)], [an_outcome(number) for number in range(3)])
    seen = [row for block in store.read_outcomes() for row in block]
    assert [row.decision_id for row in seen] == ["dec_000000", "dec_000001", "dec_000002"]
    store.record_outcomes((an_outcome(1, result="cancelled", rung=None), an_outcome(4), an_outcome(2)))
    later = [row for block in store.read_outcomes(seen[-1].sequence or 0) for row in block]
    assert [(row.decision_id, row.result) for row in later] == [("dec_000001", "cancelled"), ("dec_000004", "accepted")]


def test_checkouts_come_with_their_outcome_or_without(store: Store) -> None:
    store.record_checkouts([a_decision(1, learning=b"l"), a_decision(2)], [an_outcome(1, learning=b"o")])
    rows = [row for block in store.read_checkouts() for row in block]
    assert [(row.decision, row.result, row.learning, row.outcome_learning) for row in rows] == [
        (1, "accepted", b"l", b"o"),
        (2, None, b"", None),
    ]
    assert [tuple(count) for count in store.count_checkouts(NOON, NOON + 1)] == [("S1", "ladder", 2, 1)]


def test_all_customers_come_with_their_records(store: Store) -> None:
    for number in range(3):
        store.record_decision(a_decision(number, customer=f"c{number}"))
    store.record_outcomes([an_outcome(number, event="0:12:0:accepted") for number in range(3)])
    customers = [row for block in store.read_customers() for row in block]
    assert customers == [(f"c{number}", CustomerRecord(events=(("0:12:0:accepted", 1),))) for number in range(3)]


def test_a_purge_removes_what_is_older_and_leaves_the_rest(store: Store) -> None:
    for number in range(450):
        made_at = NOON - 400 * DAY if number < 400 else NOON
        store.record_checkouts([a_decision(number, made_at=made_at, customer=CUSTOMER)], ())
    day = TODAY - 400
    store.record_outcomes([an_outcome(number, visit=a_visit(day), counted=counted()) for number in range(400)])
    store.record_outcomes((an_outcome(449, visit=a_visit(TODAY)),))
    old_day = CounterKey("spring", "store", "S1", "day", "2023-01-01")
    store.record_decision(a_decision(700, made_at=NOON - DAY), (a_hold(old_day),))
    store.record_outcomes((an_outcome(700, counted=counted(old_day)),))
    steps = list(store.purge(NOON - 365 * DAY, TODAY - 365, NOON))
    assert sum(steps) == 400 + 1 + 1
    assert [day.day for day in store.read_customer(CUSTOMER).days] == [TODAY]
    assert store.read_customer(CUSTOMER).visits == 401
    assert store.read_usage((GOODWILL, old_day), NOON) == (Usage(400, 200_000), Usage(0, 0))
    with pytest.raises(UnknownDecision):
        store.read_decision("dec_000001")
    assert store.find_problems() == ()


def test_sizes_say_how_much_there_is(store: Store) -> None:
    store.record_decision(a_decision(), (a_hold(),))
    sizes = store.read_sizes()
    assert (sizes["decisions"], sizes["holds"], sizes["outcomes"]) == (1, 1, 0)
    assert sizes["file_bytes"] > 0 and sizes["disk_free_bytes"] > 0


@pytest.mark.parametrize(
    ("made", "is_bound"),
    [
        pytest.param(lambda store: None, False, id="nothing"),
        pytest.param(lambda store: store.create_key(TILL_KEY), True, id="a key"),
        pytest.param(lambda store: store.create_key(REVOKED_KEY), False, id="a revoked key"),
        pytest.param(lambda store: store.record_decision(a_decision(customer=CUSTOMER)), True, id="a decision"),
        pytest.param(lambda store: store.keep_receipts([Receipt("S1", "s", "R", b"", CUSTOMER)]), True, id="a receipt"),
        pytest.param(lambda store: store.keep_receipts([Receipt("S1", "s", "R", b"", None)]), False, id="no customer"),
    ],
)
def test_another_secret_is_noted_only_where_nothing_was_made_with_the_first(
    store: Store, made: Callable[[Store], None], is_bound: bool
) -> None:
    assert store.note_secret(b"1", NOON)
    made(store)
    assert store.note_secret(b"1", NOON)
    assert store.note_secret(b"2", NOON) is not is_bound


def test_a_database_of_before_takes_the_first_secret_that_it_meets(store: Store) -> None:
    store.create_key(TILL_KEY)
    assert store.note_secret(b"1", NOON)
    assert not store.note_secret(b"2", NOON)
