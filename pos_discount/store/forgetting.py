"""Forgetting a customer, and what is older than is kept, so that nothing that links to them is left.

What is deleted is overwritten with zeros and the log is emptied. Pages that were split or joined earlier may still hold
stale copies: `holds_trace` looks for them while others write, and only where there is one does the file have to be
rewritten. A list beside the database says who was forgotten, by digests that name nobody; whoever opens a restored
backup applies what it does not know yet. Money that was spent stays counted in the budgets of stores and the chain: it
names nobody.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec

from pos_discount.store.connection import Connection, give_to_owner, storage_errors
from pos_discount.store.counters import free_holds
from pos_discount.store.customers import trim_history, write_customer
from pos_discount.store.idempotency import KEPT_MICROSECONDS
from pos_discount.store.records import CustomerRecord

FORGETTING_LINE = re.compile(r"([0-9a-f]{64}) ([0-9]+)\n")
MOST_AT_ONCE = 200
"""Rows that one step of a purge removes, so that no till waits for it."""

BYTES_AT_ONCE = 4 * 1024 * 1024
"""What is read of the file at a time in search of a trace."""


class Forgetting(NamedTuple):
    """One line of the list: whose records were removed (a digest of the pseudonym), and when."""

    digest: str
    forgotten_at: int


def forgetting_list(database: Path) -> Path:
    """Name the file beside the database that says who was forgotten."""
    return database.with_name(database.name + ".forgotten")


def forget(connection: Connection, database: Path, customer: str, now: int) -> int:
    """Remove all that is kept of a customer and put them on the list; return how many decisions went."""
    forgetting = Forgetting(_digest(customer), now)
    _append_durably(database, [forgetting])  # first: a list that is ahead is caught up with on opening
    return _forget(connection, customer, forgetting)


def holds_trace(database: Path, customer: str) -> bool:
    """Say whether the file holds a pseudonym anywhere, deleted or not; reads all of it, and nobody waits for that.

    Not for a process that has the database open: closing the file a second time would take SQLite's locks from it.
    """
    middle = len(customer) // 2
    halves = customer[:middle].encode(), customer[middle:].encode()  # one is whole also where a page ends within
    overlap = b""
    with storage_errors(database), database.open("rb") as file:
        while block := file.read(BYTES_AT_ONCE):
            window = overlap + block
            if any(half in window for half in halves):
                return True
            overlap = window[-len(customer) :]
    return False


def reapply_forgettings(connection: Connection, database: Path) -> bool:
    """Forget again whoever is on the list but not in the database, as after a restore; say whether there was somebody.

    Opens its own transaction. The file wants to be rewritten afterwards: its pages may hold stale copies.
    """
    known = {Forgetting(*row) for row in connection.execute("SELECT digest, forgotten_at FROM forgettings")}
    missing = [forgetting for forgetting in read_forgetting_list(database) if forgetting not in known]
    if not missing:
        return False
    connection.execute("BEGIN IMMEDIATE")
    customer_by_digest = {_digest(customer): customer for customer in _all_customers(connection)}
    for forgetting in missing:
        _forget(connection, customer_by_digest.get(forgetting.digest, ""), forgetting)
    connection.execute("COMMIT")
    return True


def read_forgetting_list(database: Path) -> tuple[Forgetting, ...]:
    """Read the list; what a crash or a full disk cut off was never acknowledged and is left out, though the next line
    stands right behind it.
    """
    path = forgetting_list(database)
    lines = FORGETTING_LINE.findall(path.read_text()) if path.exists() else []
    return tuple(Forgetting(digest, int(moment)) for digest, moment in lines)


def merge_forgetting_lists(backup: Path, database: Path) -> None:
    """Add to a database's list what only its backup's knows."""
    known = frozenset(read_forgetting_list(database))
    if new := [forgetting for forgetting in read_forgetting_list(backup) if forgetting not in known]:
        _append_durably(database, new)


def purge_decisions(connection: Connection, before: int) -> int:
    """Remove some decisions made before a moment, oldest first; return how many."""
    rows = connection.execute(
        "SELECT decision, store_id, decision_id FROM decisions WHERE made_at < ? ORDER BY made_at LIMIT ?",
        (before, MOST_AT_ONCE),
    ).fetchall()
    _remove_decisions(connection, rows)
    return len(rows)


def purge_answers(connection: Connection, now: int) -> int:
    """Remove some answers that are too old to be asked for again; return how many."""
    return connection.execute(
        "DELETE FROM answers WHERE answer IN (SELECT answer FROM answers WHERE made_at <= ? LIMIT ?)",
        (now - KEPT_MICROSECONDS, MOST_AT_ONCE),
    ).rowcount


def purge_counters(connection: Connection, first_day: int) -> int:
    """Remove some counters whose period ended before a day; those without a period are for ever."""
    last_begun = (date.fromordinal(first_day) - timedelta(days=366)).isoformat()
    return connection.execute(
        "DELETE FROM counters WHERE counter IN (SELECT counter FROM counters WHERE period <> '' AND period < ?"
        " AND NOT EXISTS (SELECT 1 FROM holds WHERE holds.counter = counters.counter) LIMIT ?)",
        (last_begun, MOST_AT_ONCE),
    ).rowcount


def trim_customers(connection: Connection, first_day: int, after: str) -> tuple[str, int]:
    """Leave out days before one in some customers' records, and customers with none left.

    Goes by pseudonym, beginning after one; returns the last one looked at (empty at the end) and how many changed.
    """
    rows = connection.execute(
        "SELECT customer, history FROM customers WHERE customer > ? ORDER BY customer LIMIT ?", (after, MOST_AT_ONCE)
    ).fetchall()
    changed = 0
    for customer, history in rows:
        before = msgspec.msgpack.decode(history, type=CustomerRecord)
        trimmed = trim_history(before, first_day)
        if trimmed != before:
            write_customer(connection, customer, trimmed if trimmed.days else CustomerRecord())
            changed += 1
    return (rows[-1][0] if rows else ""), changed


def _forget(connection: Connection, customer: str, forgetting: Forgetting) -> int:
    rows = _decisions_of(connection, customer)
    connection.executemany(
        "INSERT INTO forgotten_decisions (store_id, decision_id, forgotten_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        [(store_id, decision_id, forgetting.forgotten_at) for _, store_id, decision_id in rows],
    )
    _remove_decisions(connection, rows)
    connection.execute("DELETE FROM customers WHERE customer = ?", (customer,))
    connection.execute("DELETE FROM counters WHERE per = 'customer' AND subject = ?", (customer,))
    connection.execute("DELETE FROM receipts WHERE customer = ?", (customer,))
    connection.execute(
        "INSERT INTO forgettings (digest, forgotten_at) VALUES (?, ?) ON CONFLICT DO NOTHING", forgetting
    )
    return len(rows)


def _decisions_of(connection: Connection, customer: str) -> Sequence[tuple[int, str, str]]:
    """Find a customer's decisions, and those of the same sales without a customer, such as before a card was shown.

    A sale is what superseded each other: its number may have come again for another sale.
    """
    return connection.execute(
        "WITH RECURSIVE own (decision, store_id, decision_id, sale_id, superseded_by) AS ("
        " SELECT decision, store_id, decision_id, sale_id, superseded_by FROM decisions WHERE customer = ?"
        " UNION SELECT other.decision, other.store_id, other.decision_id, other.sale_id, other.superseded_by"
        " FROM own JOIN decisions AS other ON other.store_id = own.store_id AND other.sale_id = own.sale_id"
        " WHERE other.customer IS NULL"
        " AND (other.superseded_by = own.decision_id OR other.decision_id = own.superseded_by))"
        " SELECT decision, store_id, decision_id FROM own",
        (customer,),
    ).fetchall()


def _remove_decisions(connection: Connection, rows: Sequence[tuple[int, str, str]]) -> None:
    for number, store_id, decision_id in rows:
        free_holds(connection, store_id, decision_id)
        for table in ("counted", "returns", "outcomes", "decisions"):
            connection.execute(f"DELETE FROM {table} WHERE store_id = ? AND decision_id = ?", (store_id, decision_id))
        connection.execute("DELETE FROM decision_bodies WHERE decision = ?", (number,))
        connection.execute("DELETE FROM answers WHERE decision_id = ?", (decision_id,))


def _all_customers(connection: Connection) -> Iterator[str]:
    rows: Iterable[tuple[str]] = connection.execute(
        "SELECT customer FROM customers UNION SELECT customer FROM decisions WHERE customer IS NOT NULL"
        " UNION SELECT subject FROM counters WHERE per = 'customer'"
        " UNION SELECT customer FROM receipts WHERE customer IS NOT NULL"
    ).fetchall()
    return (customer for (customer,) in rows)


def _digest(customer: str) -> str:
    return hashlib.sha256(customer.encode()).hexdigest()


def _append_durably(database: Path, forgettings: Iterable[Forgetting]) -> None:
    path = forgetting_list(database)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
        file.writelines(f"{digest} {moment}\n".encode() for digest, moment in forgettings)
        file.flush()
        os.fsync(file.fileno())
    give_to_owner(database, path)
