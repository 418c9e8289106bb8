"""`pos-discount forget`: one customer erased, or everything older than is kept."""

from __future__ import annotations

from datetime import timedelta

import click

from pos_discount.cli.environment import learned_memory, now, now_microseconds, open_store, pseudonym_in, read_settings
from pos_discount.cli.output import json_option, note, print_json, with_progress
from pos_discount.store import Store, holds_trace


@click.command()
@click.argument("customer", required=False)
@click.option("--older-than", type=click.IntRange(min=1), metavar="DAYS", help="Erase decisions made before that, too.")
@click.option("--no-rewrite", is_flag=True, help="Leave the file as it is, stale copies included, for another time.")
@json_option
def forget(customer: str | None, older_than: int | None, no_rewrite: bool, as_json: bool) -> None:
    """Erase all that links to CUSTOMER, the id as tills send it: decisions, outcomes, history, receipts.

    What is erased is overwritten. Then the file is searched for copies of the customer's pseudonym, which nobody waits
    for, and rewritten where there is one (a visit of the same minute counts too), as it always is after --older-than:
    tills wait seconds for each gigabyte.
    A backup from before, once restored, forgets again. Counts of money spent stay, since they name nobody; the next
    nightly training goes on without the customer.

    \b
    Example:
      pos-discount forget L-889123
    """
    if customer is None and older_than is None:
        raise click.UsageError("name a CUSTOMER, or give --older-than DAYS")
    settings = read_settings()
    with open_store(settings) as store:
        pseudonym = None if customer is None else pseudonym_in(store, settings, customer)
        of_customer = 0 if pseudonym is None else store.forget(pseudonym, now_microseconds())
        aged = 0 if older_than is None else _purge(store, older_than)
        learned_memory(store.path).unlink(missing_ok=True)  # it counts by customer; the next night reads all again
    is_rewritten = not no_rewrite and (
        older_than is not None or (pseudonym is not None and holds_trace(settings.database, pseudonym))
    )
    if is_rewritten:
        with open_store(settings) as store:
            store.scrub()
    if as_json:
        print_json({"decisions_of_customer": of_customer, "rows_by_age": aged, "rewritten": is_rewritten})
    else:
        rewritten = "; the file is rewritten" if is_rewritten else ""
        note(f"erased: {of_customer} decisions of the customer, {aged} rows by age{rewritten}")


def _purge(store: Store, older_than: int) -> int:
    before = now() - timedelta(days=older_than)
    steps = store.purge(int(before.timestamp() * 1e6), before.toordinal(), now_microseconds())
    return sum(with_progress(steps, "steps"))
