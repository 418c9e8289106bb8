"""Reading and writing by the million: for learning, reports and simulations, and receipts that were imported.

Rows come in blocks, each read in a moment of its own, so that memory stays bounded and the log can be emptied between
them. Numbers grow in order of commit and a row that changes moves to the end, so that a reader who remembers the last
number it has seen misses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, TypeVar

import msgspec

from pos_discount.store.connection import Connection
from pos_discount.store.decisions import record_decision
from pos_discount.store.outcomes import record_outcome
from pos_discount.store.records import CustomerRecord, DecisionRecord, OutcomeRecord

BLOCK = 5_000
NAMED_AT_ONCE = 500
CustomerEvents = tuple[tuple[str, int], ...]
"""Event codes with how often each was seen."""

Reading = Callable[[], AbstractContextManager[Connection]]


class Checkout(NamedTuple):
    """A decision with its outcome, if one came, as learning and reports read them.

    ``decision`` numbers decisions, ``sequence`` outcomes, in order of commit.
    """

    decision: int
    store_id: str
    decision_id: str
    customer: str | None
    made_at: int
    policy_version: str
    model_version: str | None
    arm: str
    segment_id: str | None
    fallback: str | None
    is_superseded: bool
    learning: bytes
    sequence: int | None
    result: str | None
    rung: int | None
    event: str | None
    satisfaction: int | None
    received_at: int | None
    outcome_learning: bytes | None
    till_id: str | None


class Lesson(NamedTuple):
    """What a fit counts of an outcome: its event (None: no evidence), whose it was, what was noted at the decision."""

    sequence: int
    decision: int
    customer: str | None
    event: str | None
    learning: bytes


class CheckoutCount(NamedTuple):
    """Decisions of one store and arm that no later one superseded, and how many of them have an outcome."""

    store_id: str
    arm: str
    decisions: int
    outcomes: int


class Receipt(msgspec.Struct, frozen=True):
    """A receipt that was imported, as an opaque basket. ``source`` names the import, ``receipt_id`` is unique in it."""

    store_id: str
    source: str
    receipt_id: str
    basket: bytes
    customer: str | None = None


CHECKOUT_FIELDS = (
    "decisions.decision, decisions.store_id, decisions.decision_id, customer, made_at, policy_version, model_version,"
    " arm, segment_id, fallback, superseded_by IS NOT NULL, decisions.learning,"
    " sequence, result, rung, event, satisfaction, received_at, outcomes.learning, till_id"
)


def read_checkouts(reading: Reading, after_decision: int) -> Iterator[tuple[Checkout, ...]]:
    """Yield all decisions after a number, with their outcomes or without, in order of decision, in blocks."""
    query = (
        f"SELECT {CHECKOUT_FIELDS} FROM decisions LEFT JOIN outcomes USING (store_id, decision_id)"
        " WHERE decisions.decision > ? ORDER BY decisions.decision LIMIT ?"
    )
    return _blocks(reading, query, after_decision, Checkout._make, lambda row: row.decision)


def read_outcomes(reading: Reading, after_sequence: int) -> Iterator[tuple[Checkout, ...]]:
    """Yield all decisions whose outcome came or changed after a number, in order of sequence, in blocks."""
    query = (
        f"SELECT {CHECKOUT_FIELDS} FROM outcomes JOIN decisions ON decisions.decision = outcomes.decision"
        " WHERE sequence > ? ORDER BY sequence LIMIT ?"
    )
    return _blocks(reading, query, after_sequence, Checkout._make, lambda row: row.sequence or 0)


def read_lessons(reading: Reading, after_sequence: int) -> Iterator[tuple[Lesson, ...]]:
    """Yield what a fit counts of outcomes that came or changed after a number, in order of sequence, in blocks."""
    query = (
        "SELECT sequence, outcomes.decision, customer, event, decisions.learning"
        " FROM outcomes JOIN decisions ON decisions.decision = outcomes.decision"
        " WHERE sequence > ? ORDER BY sequence LIMIT ?"
    )
    return _blocks(reading, query, after_sequence, Lesson._make, lambda row: row.sequence)


class _Events(msgspec.Struct, frozen=True, array_like=True):
    """A kept customer whose days are left unread."""

    visits: int
    days: msgspec.Raw
    events: CustomerEvents


def read_events(reading: Reading) -> Iterator[tuple[tuple[str, CustomerEvents], ...]]:
    """Yield the event counts of all customers, by pseudonym, in blocks."""
    query = "SELECT customer, history FROM customers WHERE customer > ? ORDER BY customer LIMIT ?"
    decode = msgspec.msgpack.Decoder(_Events).decode
    for block in _blocks(reading, query, "", tuple, lambda row: row[0]):
        yield tuple((customer, decode(history).events) for customer, history in block)


def read_events_of(reading: Reading, customers: Iterable[str]) -> Iterator[tuple[tuple[str, CustomerEvents], ...]]:
    """Yield the event counts of some customers, by pseudonym, in blocks; those who are not known are left out."""
    names, decode = sorted(customers), msgspec.msgpack.Decoder(_Events).decode
    for begin in range(0, len(names), NAMED_AT_ONCE):
        chosen = names[begin : begin + NAMED_AT_ONCE]
        query = f"SELECT customer, history FROM customers WHERE customer IN ({', '.join('?' * len(chosen))})"
        with reading() as connection:
            block = connection.execute(f"{query} ORDER BY customer", chosen).fetchall()
        yield tuple((customer, decode(history).events) for customer, history in block)


def read_customers(reading: Reading) -> Iterator[tuple[tuple[str, CustomerRecord], ...]]:
    """Yield all customers with what is kept of them, by pseudonym, in blocks."""
    query = "SELECT customer, history FROM customers WHERE customer > ? ORDER BY customer LIMIT ?"
    blocks = _blocks(reading, query, "", tuple, lambda row: row[0])
    decode = msgspec.msgpack.Decoder(CustomerRecord).decode
    return (tuple((customer, decode(history)) for customer, history in block) for block in blocks)


def count_checkouts(connection: Connection, since: int, until: int) -> tuple[CheckoutCount, ...]:
    """Count decisions made from a moment on and before another, by store and arm."""
    rows = connection.execute(
        "SELECT decisions.store_id, arm, count(*), count(sequence) FROM decisions"
        " LEFT JOIN outcomes USING (store_id, decision_id)"
        " WHERE made_at >= ? AND made_at < ? AND superseded_by IS NULL GROUP BY 1, 2 ORDER BY 1, 2",
        (since, until),
    )
    return tuple(map(CheckoutCount._make, rows))


def record_checkouts(
    connection: Connection, decisions: Sequence[DecisionRecord], outcomes: Sequence[OutcomeRecord]
) -> None:
    """Write many decisions and outcomes that a simulation made."""
    for decision in decisions:
        record_decision(connection, decision, ())
    for outcome in outcomes:
        record_outcome(connection, outcome)


def keep_receipts(connection: Connection, receipts: Sequence[Receipt], replaced: str | None) -> int:
    """Keep receipts; those that are there already stay, save all of a source that is replaced. Return how many were
    new.
    """
    if replaced is not None:
        connection.execute("DELETE FROM receipts WHERE source = ?", (replaced,))
    return connection.executemany(
        "INSERT INTO receipts (store_id, source, receipt_id, customer, basket) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        [(row.store_id, row.source, row.receipt_id, row.customer, row.basket) for row in receipts],
    ).rowcount


def read_receipts(reading: Reading, source: str) -> Iterator[tuple[Receipt, ...]]:
    """Yield the receipts of an import, in the order in which they came, in blocks."""
    query = (
        "SELECT receipt, store_id, source, receipt_id, basket, customer FROM receipts"
        " WHERE receipt > ?1 AND source = ?3 ORDER BY receipt LIMIT ?2"
    )
    blocks = _blocks(reading, query, 0, tuple, lambda row: row[0], source)
    return (tuple(Receipt(*row[1:]) for row in block) for block in blocks)


def count_receipts(connection: Connection) -> tuple[tuple[str, int], ...]:
    """Count the receipts of each import."""
    return tuple(connection.execute("SELECT source, count(*) FROM receipts GROUP BY source ORDER BY source"))


Row = TypeVar("Row")
Place = TypeVar("Place", int, str)


def _blocks(
    reading: Reading,
    query: str,
    after: Place,
    made: Callable[[Any], Row],
    place: Callable[[Row], Place],
    *more: object,
) -> Iterator[tuple[Row, ...]]:
    while True:
        with reading() as connection:
            block = tuple(map(made, connection.execute(query, (after, BLOCK, *more)).fetchall()))
        if not block:
            return
        yield block
        after = place(block[-1])
