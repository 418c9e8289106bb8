"""Returns: numbered per decision, so that each is computed from exactly those that went before it."""

from __future__ import annotations

import msgspec

from pos_discount.basket import SALES
from pos_discount.store.connection import Connection
from pos_discount.store.customers import add_to_history
from pos_discount.store.errors import NoSale, ReturnConflict
from pos_discount.store.records import ReturnedLine, ReturnRecord, Visit


def record_return(connection: Connection, returned: ReturnRecord) -> None:
    """Write a return; raises ReturnConflict where others came first, NoSale where nothing was sold."""
    customer = _customer_of_sale(connection, returned)
    (earlier,) = connection.execute(
        "SELECT count(*) FROM returns WHERE store_id = ? AND decision_id = ?", (returned.store_id, returned.decision_id)
    ).fetchone()
    if returned.number != earlier + 1:
        raise ReturnConflict(f"return {returned.number} was computed, but {earlier} are recorded; compute again")
    connection.execute(
        "INSERT INTO returns (store_id, decision_id, number, made_at, lines, refund, answer, day)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            returned.store_id,
            returned.decision_id,
            returned.number,
            returned.made_at,
            msgspec.json.encode(returned.lines).decode(),
            returned.refund,
            returned.answer,
            returned.day,
        ),
    )
    if customer is not None and returned.day is not None:
        add_to_history(connection, customer, Visit(returned.day, returns=1), None)


def read_returns(connection: Connection, store_id: str, decision_id: str) -> tuple[ReturnRecord, ...]:
    """Read the returns of a decision, earliest first."""
    rows = connection.execute(
        "SELECT number, made_at, lines, refund, answer, day FROM returns WHERE store_id = ? AND decision_id = ?"
        " ORDER BY number",
        (store_id, decision_id),
    )
    return tuple(
        ReturnRecord(
            store_id,
            decision_id,
            number,
            made_at,
            msgspec.json.decode(lines, type=tuple[ReturnedLine, ...]),
            refund,
            answer,
            day,
        )
        for number, made_at, lines, refund, answer, day in rows
    )


def _customer_of_sale(connection: Connection, returned: ReturnRecord) -> str | None:
    row = connection.execute(
        "SELECT customer, result FROM decisions LEFT JOIN outcomes USING (decision)"
        " WHERE decisions.store_id = ? AND decisions.decision_id = ?",
        (returned.store_id, returned.decision_id),
    ).fetchone()
    if row is None or row[1] not in SALES:
        raise NoSale("nothing was sold by this decision, or the sale was cancelled, so nothing can be returned")
    customer: str | None = row[0]
    return customer
