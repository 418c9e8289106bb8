"""Forgetting, and what it leaves in no file; backup and restore, which forget again."""

from __future__ import annotations

import os
import resource
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from shutil import copyfile
from subprocess import PIPE, Popen

import pytest

from pos_discount.pricing.limits import CounterKey, Usage
from pos_discount.store import (
    Answering,
    Claim,
    CustomerRecord,
    ForgottenDecision,
    Receipt,
    Reply,
    ReturnRecord,
    Store,
    StoreError,
    UnknownDecision,
    restore_backup,
)
from pos_discount.store.forgetting import forgetting_list, holds_trace

from .made import NOON, SPRING, a_decision, a_hold, a_visit, an_outcome, counted

CUSTOMER = "f00dfeedf00dfeed"


def fill(store: Store, customers: int = 40, each: int = 5) -> None:
    """Record sales of many customers in a mixed order, so that pages split and stale copies could arise."""
    claim = Claim("till", "forgotten-key", b"d", NOON)
    for number in range(customers * each):
        who = CUSTOMER if number % customers == 7 else f"{number * 7919 % customers:016x}"
        store.record_decision(
            a_decision(
                number,
                customer=who,
                sale_id=f"sale-{who}-{number}",
                inputs=f"inputs of {who} ".encode() * 30,
                answer=f"answer to {who} ".encode() * 300,
            ),
            (a_hold(CounterKey("goodwill", "customer", who, "ever", ""), uses_at_most=None),),
            Answering(claim, lambda _: Reply(201, (), b"x")) if number == 7 else None,
        )
        store.record_outcomes((an_outcome(number, visit=a_visit(), body=who.encode(), counted=counted(SPRING)),))
    store.record_return(ReturnRecord("S1", "dec_000007", 1, NOON, (), 1, CUSTOMER.encode()))
    store.keep_receipts([Receipt("S1", "june", who, who.encode(), who) for who in (CUSTOMER, "another")])


def traces(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if CUSTOMER.encode() in path.read_bytes()]


def test_nothing_of_a_forgotten_customer_is_left_in_any_file(store: Store, tmp_path: Path) -> None:
    fill(store)
    assert "pos.db-wal" in traces(tmp_path)
    assert store.forget(CUSTOMER, NOON) == 5
    store.close()
    assert (traces(tmp_path) == []) is not holds_trace(store.path, CUSTOMER)
    store.scrub()
    assert traces(tmp_path) == []
    assert store.find_problems() == ()


@pytest.mark.parametrize("ends_at", [3, 8, 11, len(CUSTOMER)], ids=lambda place: f"cut at {place}")
def test_a_stale_copy_is_found_also_where_a_page_ends_within_it_and_scrubbed(store: Store, ends_at: int) -> None:
    fill(store)
    store.forget(CUSTOMER, NOON)
    store.scrub()
    store.close()
    assert not holds_trace(store.path, CUSTOMER)
    part, rest = CUSTOMER[:ends_at], CUSTOMER[ends_at:]
    with closing(sqlite3.connect(store.path)) as careless:
        careless.execute("PRAGMA secure_delete = OFF")
        careless.execute(f"CREATE TABLE careless AS SELECT '{part}' AS part, zeroblob(500) AS apart, '{rest}' AS rest")
        careless.execute("DELETE FROM careless")
        careless.commit()
    assert holds_trace(store.path, CUSTOMER)
    store.scrub()
    store.close()
    assert not holds_trace(store.path, CUSTOMER)


def test_a_forgotten_decision_says_so_and_takes_no_outcome(store: Store) -> None:
    fill(store)
    store.forget(CUSTOMER, NOON)
    with pytest.raises(ForgottenDecision):
        store.read_decision("dec_000007")
    assert store.record_outcomes((an_outcome(7),)) == ("forgotten",)
    assert store.read_customer(CUSTOMER) == CustomerRecord()
    assert store.read_usage((CounterKey("goodwill", "customer", CUSTOMER, "ever", ""),), NOON) == (Usage(0, 0),)
    with store.answering_once(Claim("till", "forgotten-key", b"d", NOON)) as first:
        assert first is None


def test_forgetting_leaves_others_and_the_chains_budget_as_they_were(store: Store) -> None:
    fill(store)
    usage, others = store.read_usage((SPRING,), NOON), store.read_customer("another")
    store.forget(CUSTOMER, NOON)
    assert (store.read_usage((SPRING,), NOON), store.read_customer("another")) == (usage, others)
    assert len([row for block in store.read_checkouts() for row in block]) == 195


def test_decisions_of_the_same_sale_from_before_the_customer_was_known_go_too(store: Store) -> None:
    store.record_decision(a_decision(1, sale_id="A"))
    store.record_decision(a_decision(2, sale_id="A", customer=CUSTOMER))
    assert store.forget(CUSTOMER, NOON) == 2


def test_another_sale_of_the_same_number_stays_when_a_customer_is_forgotten(store: Store) -> None:
    for number, who in enumerate((None, "another", CUSTOMER, None, "another")):
        store.record_decision(a_decision(2 * number, sale_id="A"))  # before a card is shown, as above
        store.record_decision(a_decision(2 * number + 1, sale_id="A", customer=who))
        store.record_outcomes((an_outcome(2 * number + 1),))
    assert store.forget(CUSTOMER, NOON) == 2
    left = [row.decision_id for block in store.read_checkouts() for row in block]
    assert left == [f"dec_{number:06}" for number in (0, 1, 2, 3, 6, 7, 8, 9)]


def test_all_that_is_kept_of_a_customer_can_be_read(store: Store) -> None:
    fill(store)
    kept = list(store.read_decisions_of(CUSTOMER))
    assert [decision.record.customer for decision in kept] == [CUSTOMER] * 5
    assert [len(decision.returns) for decision in kept] == [1, 0, 0, 0, 0]


def test_a_backup_holds_what_is_there_and_nothing_of_the_forgotten(store: Store, tmp_path: Path) -> None:
    fill(store)
    store.forget(CUSTOMER, NOON)
    (tmp_path / "backups").mkdir()
    store.backup(tmp_path / "backups" / "b.db")
    assert traces(tmp_path / "backups") == []
    copy = Store(tmp_path / "backups" / "b.db")
    assert copy.read_decision("dec_000001") == store.read_decision("dec_000001")
    copy.close()
    with pytest.raises(StoreError, match="exists"):
        store.backup(tmp_path / "backups" / "b.db")


def test_a_restored_backup_forgets_again_who_was_forgotten_since(store: Store, tmp_path: Path) -> None:
    fill(store)
    store.backup(tmp_path / "b.db")
    store.forget(CUSTOMER, NOON)
    store.record_decision(a_decision(999))
    store.close()
    restore_backup(tmp_path / "b.db", store.path)
    with pytest.raises(ForgottenDecision):
        store.read_decision("dec_000007")
    with pytest.raises(UnknownDecision):
        store.read_decision("dec_000999")
    assert store.read_decision("dec_000001").outcome is not None
    store.scrub()
    assert traces(tmp_path) == ["b.db"]


def test_a_backup_is_not_restored_over_a_database_in_use(store: Store, tmp_path: Path) -> None:
    store.record_decision(a_decision())
    store.backup(tmp_path / "b.db")
    with pytest.raises(StoreError, match="in use"):
        restore_backup(tmp_path / "b.db", store.path)
    assert store.read_decision("dec_000001").record == a_decision()


def test_a_list_of_the_forgotten_that_was_torn_keeps_nobody_out_and_loses_nobody_else(
    store: Store, tmp_path: Path
) -> None:
    fill(store)
    store.backup(tmp_path / "b.db")
    store.forget("somebody else", NOON)
    with forgetting_list(store.path).open("a") as file:
        file.write("5" * 60)  # as far as the disk took it
    store.forget(CUSTOMER, NOON)
    store.close()
    restore_backup(tmp_path / "b.db", store.path)
    with pytest.raises(ForgottenDecision):
        store.read_decision("dec_000007")


@pytest.mark.parametrize("at", [0, 4096], ids=["its head", "its pages"])
def test_a_backup_takes_the_place_of_a_damaged_database_once_nobody_uses_it(
    store: Store, tmp_path: Path, at: int
) -> None:
    store.record_decision(a_decision())
    store.backup(tmp_path / "b.db")
    store.close()
    with _used_by_another_process(store.path):
        _damage(store.path, at)
        with pytest.raises(StoreError, match="in use"):
            restore_backup(tmp_path / "b.db", store.path)
    restore_backup(tmp_path / "b.db", store.path)
    assert store.find_problems() == ()
    assert store.read_decision("dec_000001").record == a_decision()


def test_what_a_killed_service_left_in_its_log_is_not_put_into_a_restored_backup(store: Store, tmp_path: Path) -> None:
    store.record_decision(a_decision(1))
    store.backup(tmp_path / "b.db")
    store.record_decision(a_decision(2))
    shop = tmp_path / "shop"
    shop.mkdir()
    for name in ("-wal", "-shm"):
        copyfile(f"{store.path}{name}", shop / f"pos.db{name}")  # the file itself was moved away, its log was not
    restore_backup(tmp_path / "b.db", shop / "pos.db")
    restored = Store(shop / "pos.db")
    assert restored.read_decision("dec_000001").record == a_decision(1)
    with pytest.raises(UnknownDecision):
        restored.read_decision("dec_000002")
    assert restored.find_problems() == ()
    restored.close()


def test_a_copy_that_does_not_fit_on_the_disk_leaves_nothing_there(store: Store, tmp_path: Path) -> None:
    store.backup(tmp_path / "b.db")
    store.close()
    before = sorted(tmp_path.iterdir())
    with _disk_that_takes_no_more():
        with pytest.raises(StoreError):
            restore_backup(tmp_path / "b.db", store.path)
        with pytest.raises(StoreError):
            store.backup(tmp_path / "c.db")
        store.close()
    assert sorted(tmp_path.iterdir()) == before
    assert store.find_problems() == ()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_root_makes_beside_a_database_belongs_to_the_databases_owner(store: Store, tmp_path: Path) -> None:
    store.record_decision(a_decision())
    store.backup(tmp_path / "b.db")
    store.close()
    os.chown(store.path, 1234, 1234)
    store.forget(CUSTOMER, NOON)
    store.close()
    restore_backup(tmp_path / "b.db", store.path)
    owners = {file.name: file.stat().st_uid for file in (store.path, forgetting_list(store.path))}
    assert set(owners.values()) == {1234}, owners


def test_a_restored_database_is_for_its_owners_eyes(store: Store, tmp_path: Path) -> None:
    store.backup(tmp_path / "b.db")
    (tmp_path / "b.db").chmod(0o644)
    restore_backup(tmp_path / "b.db", tmp_path / "restored.db")
    assert (tmp_path / "restored.db").stat().st_mode & 0o777 == 0o600


@contextmanager
def _disk_that_takes_no_more() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def _used_by_another_process(file: Path) -> Iterator[None]:
    reads = "connection = sqlite3.connect(sys.argv[1]); connection.execute('SELECT * FROM decisions').fetchall()"
    code = f"import sqlite3, sys; {reads}; print('reads', flush=True); sys.stdin.read()"
    with Popen([sys.executable, "-c", code, file], stdin=PIPE, stdout=PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"reads\n"
        yield


def _damage(file: Path, at: int) -> None:
    with file.open("r+b") as opened:
        opened.seek(at)
        opened.write(b"\xa5" * 8192)
