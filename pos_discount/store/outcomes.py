"""Outcomes: each counts once, however often, late or out of order it is sent.

The first one of a decision is written, frees the decision's holds, counts what was sold and goes into the customer's
history, all in one transaction. A repetition changes nothing but a later satisfaction. A sale that is cancelled takes
everything back and stands as if it had been cancelled from the start. A row that changes gets a new number, so that an
incremental reader sees it.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from pos_discount.basket import SALES
from pos_discount.store.connection import Connection
from pos_discount.store.counters import count_uses, free_holds, give_back, read_counted
from pos_discount.store.customers import add_to_history, take_from_history
from pos_discount.store.decisions import is_forgotten
from pos_discount.store.records import OutcomeRecord, Recorded, Visit


def record_outcome(connection: Connection, outcome: OutcomeRecord) -> Recorded:
    """Write an outcome and say what became of it.

    `created` (also: cancelled a sale) | `unchanged` | `conflict` (another outcome stands) | `unknown` | `forgotten`
    (the decision).
    """
    decision = _decision_of(connection, outcome)
    if decision is None:
        return "forgotten" if is_forgotten(connection, outcome.decision_id) else "unknown"
    kept = read_outcome(connection, outcome.store_id, outcome.decision_id)
    if kept is None:
        _write(connection, decision, outcome)
        return "created"
    if _is_same(kept, outcome):
        _keep_later_satisfaction(connection, decision, kept, outcome)
        return "unchanged"
    if outcome.result == "cancelled" and kept.result in SALES:
        _erase(connection, decision, kept)
        _write(connection, decision, outcome)
        return "created"
    return "conflict"


def read_outcome(connection: Connection, store_id: str, decision_id: str) -> OutcomeRecord | None:
    """Read how a decision ended, with what it counted."""
    row = connection.execute(
        "SELECT result, received_at, rung, promotions, satisfaction, said_at, body, visit, event, learning"
        " FROM outcomes WHERE store_id = ? AND decision_id = ?",
        (store_id, decision_id),
    ).fetchone()
    if row is None:
        return None
    result, received_at, rung, promotions, satisfaction, said_at, body, visit, event, learning = row
    return OutcomeRecord(
        store_id,
        decision_id,
        result,
        received_at,
        rung,
        msgspec.json.decode(promotions, type=tuple[str, ...]) if promotions is not None else None,
        satisfaction,
        said_at,
        body,
        read_counted(connection, store_id, decision_id),
        msgspec.msgpack.decode(visit, type=Visit) if visit is not None else None,
        event,
        learning,
    )


class _Decision(NamedTuple):
    number: int
    customer: str | None


def _decision_of(connection: Connection, outcome: OutcomeRecord) -> _Decision | None:
    row = connection.execute(
        "SELECT decision, customer FROM decisions WHERE store_id = ? AND decision_id = ?",
        (outcome.store_id, outcome.decision_id),
    ).fetchone()
    return _Decision(*row) if row else None


def _is_same(kept: OutcomeRecord, outcome: OutcomeRecord) -> bool:
    """Tell whether an outcome says again what is kept; promotions are the same in any order."""
    return (kept.result, kept.rung, _as_set(kept)) == (outcome.result, outcome.rung, _as_set(outcome))


def _as_set(outcome: OutcomeRecord) -> frozenset[str] | None:
    return None if outcome.promotions is None else frozenset(outcome.promotions)


def _write(connection: Connection, decision: _Decision, outcome: OutcomeRecord) -> None:
    free_holds(connection, outcome.store_id, outcome.decision_id)
    count_uses(connection, outcome.store_id, outcome.decision_id, outcome.counted)
    if decision.customer is not None:
        add_to_history(connection, decision.customer, outcome.visit, outcome.event)
    _insert(connection, decision, outcome, _satisfied_at(outcome))


def _erase(connection: Connection, decision: _Decision, kept: OutcomeRecord) -> None:
    give_back(connection, kept.store_id, kept.decision_id)
    if decision.customer is not None:
        take_from_history(connection, decision.customer, kept.visit, kept.event)
    _delete(connection, kept)


def _keep_later_satisfaction(
    connection: Connection, decision: _Decision, kept: OutcomeRecord, outcome: OutcomeRecord
) -> None:
    """Keep the satisfaction that was said last (of one moment, the greater), so that the order of arrival does not.

    Matter.
    """
    if outcome.satisfaction is None:
        return
    later = (_satisfied_at(outcome), outcome.satisfaction)
    row = connection.execute(
        "SELECT satisfied_at FROM outcomes WHERE store_id = ? AND decision_id = ?", (kept.store_id, kept.decision_id)
    ).fetchone()
    if kept.satisfaction is None or later > (row[0], kept.satisfaction):
        _delete(connection, kept)
        answered = msgspec.structs.replace(kept, satisfaction=outcome.satisfaction)
        _insert(connection, decision, answered, _satisfied_at(outcome))


def _satisfied_at(outcome: OutcomeRecord) -> int | None:
    if outcome.satisfaction is None:
        return None
    return outcome.received_at if outcome.said_at is None else outcome.said_at


def _delete(connection: Connection, kept: OutcomeRecord) -> None:
    connection.execute("DELETE FROM outcomes WHERE store_id = ? AND decision_id = ?", (kept.store_id, kept.decision_id))


def _insert(connection: Connection, decision: _Decision, outcome: OutcomeRecord, satisfied_at: int | None) -> None:
    connection.execute(
        "INSERT INTO outcomes (store_id, decision_id, decision, result, rung, promotions, satisfaction, satisfied_at,"
        " received_at, said_at, event, visit, body, learning) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            outcome.store_id,
            outcome.decision_id,
            decision.number,
            outcome.result,
            outcome.rung,
            msgspec.json.encode(outcome.promotions).decode() if outcome.promotions is not None else None,
            outcome.satisfaction,
            satisfied_at,
            outcome.received_at,
            outcome.said_at,
            outcome.event,
            msgspec.msgpack.encode(outcome.visit) if outcome.visit is not None else None,
            outcome.body,
            outcome.learning,
        ),
    )
