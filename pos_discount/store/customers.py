"""What is kept of a customer's behaviour, so that a till need not send it.

A record is a sum over the customer's outcomes and returns, so it comes out the same in whatever order they arrive, and
an outcome that is cancelled is simply subtracted again. Where nothing is left, no record is.
"""

from __future__ import annotations

from collections import Counter

import msgspec

from pos_discount.store.connection import Connection
from pos_discount.store.records import CustomerRecord, Day, Visit


def read_customer(connection: Connection, customer: str) -> CustomerRecord:
    """Read a customer's record; of an unknown customer, an empty one."""
    row = connection.execute("SELECT history FROM customers WHERE customer = ?", (customer,)).fetchone()
    return msgspec.msgpack.decode(row[0], type=CustomerRecord) if row else CustomerRecord()


def add_to_history(connection: Connection, customer: str, visit: Visit | None, event: str | None) -> None:
    """Add a visit and an event to a customer's record."""
    _change(connection, customer, visit, event, sign=1)


def take_from_history(connection: Connection, customer: str, visit: Visit | None, event: str | None) -> None:
    """Take a visit and an event out of a customer's record again."""
    _change(connection, customer, visit, event, sign=-1)


def trim_history(history: CustomerRecord, first_day: int) -> CustomerRecord:
    """Leave out the days before one; visits ever and events stay."""
    return msgspec.structs.replace(history, days=tuple(day for day in history.days if day.day >= first_day))


def write_customer(connection: Connection, customer: str, history: CustomerRecord) -> None:
    """Write a customer's record, or remove it where it is empty."""
    if history == CustomerRecord():
        connection.execute("DELETE FROM customers WHERE customer = ?", (customer,))
    else:
        connection.execute(
            "INSERT INTO customers (customer, history) VALUES (?, ?)"
            " ON CONFLICT (customer) DO UPDATE SET history = excluded.history",
            (customer, msgspec.msgpack.encode(history)),
        )


def _change(connection: Connection, customer: str, visit: Visit | None, event: str | None, *, sign: int) -> None:
    if visit is not None or event is not None:
        history = read_customer(connection, customer)
        write_customer(connection, customer, _changed(history, visit, event, sign))


def _changed(history: CustomerRecord, visit: Visit | None, event: str | None, sign: int) -> CustomerRecord:
    days = {day.day: day for day in history.days}
    if visit is not None:
        days[visit.day] = _add_visit(days.get(visit.day, Day(visit.day, 0, 0, 0, 0)), visit, sign)
    events = Counter(dict(history.events))
    if event is not None:
        events[event] += sign
    return CustomerRecord(
        history.visits + (sign * visit.visits if visit else 0),
        tuple(day for _, day in sorted(days.items()) if any((day.visits, day.spend, day.promoted, day.returns))),
        tuple(sorted((code, count) for code, count in events.items() if count)),
    )


def _add_visit(day: Day, visit: Visit, sign: int) -> Day:
    return Day(
        day.day,
        day.visits + sign * visit.visits,
        day.spend + sign * visit.spend,
        day.promoted + sign * visit.promoted,
        day.returns + sign * visit.returns,
    )
