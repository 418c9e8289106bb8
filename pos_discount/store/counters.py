"""How much of each limit is used and held, kept as running totals.

A hold is a row of its own, since it ends one by one; its amounts are also in its counter's totals, so that a chain-wide
budget with a hundred thousand open ladders is still one row to read. A hold that expired is taken out of the totals by
whoever next writes to the counter, a few hundred at a time, and left out of the sum by whoever reads it before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pos_discount.pricing.holds import Counted
from pos_discount.pricing.limits import CounterKey, Hold, Usage
from pos_discount.store.connection import Connection
from pos_discount.store.errors import HoldConflict

MOST_SWEPT = 200
"""Expired holds taken out in one go, so that no single decision pays for a whole evening's."""


def read_usage(
    connection: Connection, counters: Sequence[CounterKey], now: int, except_sale: tuple[str, str] | None
) -> tuple[Usage, ...]:
    """Read what is used up of each counter: recorded usage and live holds, save those that the sale itself has."""
    if not counters:
        return ()
    values = ", ".join(["(?, ?, ?, ?, ?, ?)"] * len(counters))
    rows = connection.execute(
        # CROSS JOIN keeps the order of the tables: from what is wanted to its counter, not through all counters.
        f"WITH wanted (place, promotion_id, per, subject, every, period) AS (VALUES {values})"
        " SELECT place, counter, uses + held_uses - (SELECT coalesce(sum(holds.uses), 0) FROM holds"
        " WHERE holds.counter = counters.counter AND expires_at <= ?),"
        " spent + held_spent - (SELECT coalesce(sum(holds.spent), 0) FROM holds"
        " WHERE holds.counter = counters.counter AND expires_at <= ?)"
        " FROM wanted CROSS JOIN counters USING (promotion_id, per, subject, every, period)",
        [*(field for place, counter in enumerate(counters) for field in (place, *_key(counter))), now, now],
    ).fetchall()
    own = _held_by_sale(connection, now, except_sale) if except_sale and rows else {}
    usages = [Usage()] * len(counters)
    for place, number, uses, spent in rows:
        mine = own.get(number, Usage())
        usages[place] = Usage(uses - mine.uses, spent - mine.spent)
    return tuple(usages)


def place_holds(
    connection: Connection, store_id: str, decision_id: str, holds: Sequence[Hold], now: int, expires_at: int
) -> None:
    """Place a decision's holds; raises HoldConflict, naming every counter where one no longer fits its limit."""
    amounts = _most_by_counter((hold.counter, hold.uses, hold.spent) for hold in holds)
    held = {counter: _hold(connection, counter, *amount, now) for counter, amount in amounts.items()}
    refused = tuple(hold.counter for hold in holds if not _is_within(held[hold.counter][1], hold))
    if refused:
        raise HoldConflict(refused)
    connection.executemany(
        "INSERT INTO holds (store_id, decision_id, counter, uses, spent, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
        [(store_id, decision_id, held[counter][0], *amount, expires_at) for counter, amount in amounts.items()],
    )


def free_holds(connection: Connection, store_id: str, decision_id: str) -> None:
    """Give back what a decision holds."""
    rows = connection.execute(
        "DELETE FROM holds WHERE store_id = ? AND decision_id = ? RETURNING counter, uses, spent",
        (store_id, decision_id),
    ).fetchall()
    for number, uses, spent in rows:
        _add_held(connection, number, -uses, -spent)


def count_uses(connection: Connection, store_id: str, decision_id: str, counted: Sequence[Counted]) -> None:
    """Add what a decision's outcome sold to the counters, remembering it so that it can be given back."""
    amounts = _most_by_counter((entry.counter, entry.uses, entry.spent) for entry in counted)
    for counter, (uses, spent) in amounts.items():
        number = _counter_number(connection, counter)
        connection.execute(
            "INSERT INTO counted (store_id, decision_id, counter, uses, spent) VALUES (?, ?, ?, ?, ?)",
            (store_id, decision_id, number, uses, spent),
        )
        _add_used(connection, number, uses, spent)


def give_back(connection: Connection, store_id: str, decision_id: str) -> None:
    """Take what a decision's outcome had counted out of the counters again."""
    rows = connection.execute(
        "DELETE FROM counted WHERE store_id = ? AND decision_id = ? RETURNING counter, uses, spent",
        (store_id, decision_id),
    ).fetchall()
    for number, uses, spent in rows:
        _add_used(connection, number, -uses, -spent)


def read_counted(connection: Connection, store_id: str, decision_id: str) -> tuple[Counted, ...]:
    """Read what a decision's outcome counted, in order of counters."""
    rows = connection.execute(
        "SELECT promotion_id, per, subject, every, period, counted.uses, counted.spent FROM counted"
        " JOIN counters USING (counter) WHERE store_id = ? AND decision_id = ?"
        " ORDER BY promotion_id, per, subject, every, period",
        (store_id, decision_id),
    )
    return tuple(Counted(CounterKey(*row[:5]), row[5], row[6]) for row in rows)


def read_uses_of(connection: Connection, customer: str) -> tuple[Counted, ...]:
    """Read what a customer used of the limits that count by customer."""
    rows = connection.execute(
        "SELECT promotion_id, per, subject, every, period, uses, spent FROM counters"
        " WHERE per = 'customer' AND subject = ? ORDER BY promotion_id, every, period",
        (customer,),
    )
    return tuple(Counted(CounterKey(*row[:5]), row[5], row[6]) for row in rows)


def _held_by_sale(connection: Connection, now: int, sale: tuple[str, str]) -> dict[int, Usage]:
    """Read the live holds of a sale's decisions, by the counter's number."""
    # CROSS JOIN keeps the order of the tables: from the sale to its holds, not through all holds of the store.
    rows = connection.execute(
        "SELECT counter, sum(uses), sum(spent) FROM decisions CROSS JOIN holds USING (store_id, decision_id)"
        " WHERE store_id = ? AND sale_id = ? AND holds.expires_at > ? GROUP BY counter",
        (*sale, now),
    )
    return {number: Usage(uses, spent) for number, uses, spent in rows}


def _hold(connection: Connection, counter: CounterKey, uses: int, spent: int, now: int) -> tuple[int, Usage]:
    """Add to what a counter holds, taking out what expired; return its number and what is then used up of it."""
    number, all_uses, all_spent = connection.execute(
        "INSERT INTO counters (promotion_id, per, subject, every, period, held_uses, held_spent)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (promotion_id, per, subject, every, period) DO UPDATE"
        " SET held_uses = held_uses + excluded.held_uses, held_spent = held_spent + excluded.held_spent"
        " RETURNING counter, uses + held_uses, spent + held_spent",
        (*_key(counter), uses, spent),
    ).fetchone()
    expired = _sweep(connection, number, now)
    return number, Usage(all_uses - expired.uses, all_spent - expired.spent)


def _is_within(usage: Usage, hold: Hold) -> bool:
    """Say whether a limit still holds, this decision's own part included."""
    fits_uses = hold.uses_at_most is None or usage.uses <= hold.uses_at_most
    return fits_uses and (hold.budget is None or usage.spent <= hold.budget)


def _most_by_counter(entries: Iterable[tuple[CounterKey, int, int]]) -> dict[CounterKey, tuple[int, int]]:
    """Merge entries of one counter: two limits of a promotion may count in the same one, and it is still one use."""
    most: dict[CounterKey, tuple[int, int]] = {}
    for counter, uses, spent in entries:
        most_uses, most_spent = most.get(counter, (0, 0))
        most[counter] = (max(uses, most_uses), max(spent, most_spent))
    return most


def _sweep(connection: Connection, number: int, now: int) -> Usage:
    """Take some expired holds out of a counter; return all that expired, what is still in it too."""
    expired = connection.execute(
        # Were the limit bound, SQLite would prepare the statement anew each time.
        "SELECT store_id, decision_id, uses, spent FROM holds"
        f" WHERE counter = ? AND expires_at <= ? LIMIT {MOST_SWEPT}",
        (number, now),
    ).fetchall()
    if not expired:
        return Usage()
    connection.executemany(
        "DELETE FROM holds WHERE store_id = ? AND decision_id = ? AND counter = ?",
        [(store_id, decision_id, number) for store_id, decision_id, _, _ in expired],
    )
    uses, spent = sum(row[2] for row in expired), sum(row[3] for row in expired)
    _add_held(connection, number, -uses, -spent)
    uses_left, spent_left = connection.execute(
        "SELECT coalesce(sum(uses), 0), coalesce(sum(spent), 0) FROM holds WHERE counter = ? AND expires_at <= ?",
        (number, now),
    ).fetchone()
    return Usage(uses + uses_left, spent + spent_left)


def _counter_number(connection: Connection, counter: CounterKey) -> int:
    """Find the counter's number, making the counter where it is new."""
    row = connection.execute(
        "SELECT counter FROM counters WHERE promotion_id = ? AND per = ? AND subject = ? AND every = ? AND period = ?",
        _key(counter),
    ).fetchone()
    if row is None:
        row = connection.execute(
            "INSERT INTO counters (promotion_id, per, subject, every, period) VALUES (?, ?, ?, ?, ?) RETURNING counter",
            _key(counter),
        ).fetchone()
    number: int = row[0]
    return number


def _add_held(connection: Connection, number: int, uses: int, spent: int) -> None:
    connection.execute(
        "UPDATE counters SET held_uses = held_uses + ?, held_spent = held_spent + ? WHERE counter = ?",
        (uses, spent, number),
    )


def _add_used(connection: Connection, number: int, uses: int, spent: int) -> None:
    connection.execute(
        "UPDATE counters SET uses = uses + ?, spent = spent + ? WHERE counter = ?", (uses, spent, number)
    )


def _key(counter: CounterKey) -> tuple[str, str, str, str, str]:
    return counter.promotion_id, counter.per, counter.subject, counter.every, counter.period
