"""Decisions: written with their holds, superseded by the next of the same sale, read back as they stand.

A decision with an outcome is a sale that ended: nothing supersedes it, or it would be lost to learning and reports.

What is looked up and counted is in the row; the two long texts, what went in and what was answered, lie in a table of
their own, so that reading a million rows for learning does not drag them along.
"""

from __future__ import annotations

from collections.abc import Sequence

from pos_discount.pricing.limits import Hold
from pos_discount.store.connection import Connection
from pos_discount.store.counters import free_holds, place_holds
from pos_discount.store.errors import ForgottenDecision, UnknownDecision
from pos_discount.store.records import DecisionRecord, EarlierDecision

INSERTED = (
    "decision_id, store_id, made_at, decided_at, expires_at, policy_version, arm, seed,"
    " till_id, cashier_id, sale_id, customer, model_version, segment_id, fallback, learning"
)
RECORD_FIELDS = INSERTED.replace(" till_id", " inputs, answer, till_id")
"""The columns of a DecisionRecord, in its own order."""

NOT_ENDED = (
    "NOT EXISTS (SELECT 1 FROM outcomes"
    " WHERE outcomes.store_id = decisions.store_id AND outcomes.decision_id = decisions.decision_id)"
)


def record_decision(connection: Connection, record: DecisionRecord, holds: Sequence[Hold]) -> None:
    """Write a decision and its holds; the earlier one of its sale gives its own back first.

    Raises HoldConflict where a limit no longer has room by the server's clock.
    """
    if record.sale_id is not None:
        _supersede(connection, record)
    if holds:
        place_holds(connection, record.store_id, record.decision_id, holds, record.made_at, record.expires_at)
    _insert(connection, record)


def read_earlier(connection: Connection, store_id: str, sale_id: str) -> EarlierDecision | None:
    """Read the latest decision of a sale, ended or not: one number keeps its arm and dice."""
    row = connection.execute(
        "SELECT decision_id, seed, arm FROM decisions WHERE store_id = ? AND sale_id = ?"
        " ORDER BY decision DESC LIMIT 1",
        (store_id, sale_id),
    ).fetchone()
    return EarlierDecision(*row) if row else None


def read_latest_policy(connection: Connection) -> str | None:
    """Read which policy decided last."""
    row = connection.execute("SELECT policy_version FROM decisions ORDER BY decision DESC LIMIT 1").fetchone()
    return row[0] if row else None


def read_record(connection: Connection, decision_id: str) -> tuple[DecisionRecord, str | None]:
    """Read a decision and what superseded it; raises UnknownDecision or ForgottenDecision."""
    row = connection.execute(
        f"SELECT {RECORD_FIELDS}, superseded_by FROM decisions JOIN decision_bodies USING (decision)"
        " WHERE decision_id = ?",
        (decision_id,),
    ).fetchone()
    if row is None:
        raise _absent(connection, decision_id)
    *fields, superseded_by = row
    return DecisionRecord(*fields), superseded_by


def read_ids_of(connection: Connection, customer: str) -> tuple[str, ...]:
    """Read the ids of a customer's decisions, earliest first."""
    rows = connection.execute("SELECT decision_id FROM decisions WHERE customer = ? ORDER BY decision", (customer,))
    return tuple(decision_id for (decision_id,) in rows)


def is_forgotten(connection: Connection, decision_id: str) -> bool:
    """Say whether a decision was there and was forgotten with its customer."""
    query = "SELECT 1 FROM forgotten_decisions WHERE decision_id = ?"
    return connection.execute(query, (decision_id,)).fetchone() is not None


def _absent(connection: Connection, decision_id: str) -> UnknownDecision | ForgottenDecision:
    if is_forgotten(connection, decision_id):
        return ForgottenDecision("this decision was forgotten together with its customer")
    return UnknownDecision("no such decision")


def _supersede(connection: Connection, record: DecisionRecord) -> None:
    earlier = connection.execute(
        "UPDATE decisions SET superseded_by = ? WHERE store_id = ? AND sale_id = ? AND superseded_by IS NULL"
        f" AND {NOT_ENDED} RETURNING decision_id",
        (record.decision_id, record.store_id, record.sale_id),
    ).fetchall()
    for (decision_id,) in earlier:
        free_holds(connection, record.store_id, decision_id)


def _insert(connection: Connection, record: DecisionRecord) -> None:
    number = connection.execute(
        f"INSERT INTO decisions ({INSERTED}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            record.decision_id,
            record.store_id,
            record.made_at,
            record.decided_at,
            record.expires_at,
            record.policy_version,
            record.arm,
            record.seed,
            record.till_id,
            record.cashier_id,
            record.sale_id,
            record.customer,
            record.model_version,
            record.segment_id,
            record.fallback,
            record.learning,
        ),
    ).lastrowid
    connection.execute(
        "INSERT INTO decision_bodies (decision, inputs, answer) VALUES (?, ?, ?)",
        (number, record.inputs, record.answer),
    )
