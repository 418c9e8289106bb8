"""`pos-discount forget`: one customer erased, or everything older than is kept."""

from __future__ import annotations

from datetime import timedelta

import click

from pos_discount.cli.environment import learned_memory, now, now_microseconds, open_store, read_secret, read_settings
from pos_discount.cli.output import json_option, note, print_json, with_progress


@click.command()
@click.argument("customer", required=False)
@click.option("--older-than", type=click.IntRange(min=1), metavar="DAYS", help="Erase decisions made before that, too.")
@json_option
def forget(customer: str | None, older_than: int | None, as_json: bool) -> None:
    """Erase all that links to CUSTOMER, the id as tills send it: decisions, outcomes, history, receipts.

    The file is rewritten, so that no stale copy stays in it. A backup from before, once restored, forgets again. Counts
    of money spent stay, since they name nobody; the next nightly training goes on without the customer.

    \b
    Example:
      pos-discount forget L-889123
    """
    if customer is None and older_than is None:
        raise click.UsageError("name a CUSTOMER, or give --older-than DAYS")
    settings = read_settings()
    with open_store(settings) as store:
        of_customer = (
            0 if customer is None else store.forget(read_secret(settings).pseudonym(customer), now_microseconds())
        )
        aged = 0
        if older_than is not None:
            before = now() - timedelta(days=older_than)
            steps = store.purge(int(before.timestamp() * 1e6), before.toordinal(), now_microseconds())
            aged = sum(with_progress(steps, "steps"))
        store.scrub()
        learned_memory(store.path).unlink(missing_ok=True)  # it counts by customer; the next night reads all again
    if as_json:
        print_json({"decisions_of_customer": of_customer, "rows_by_age": aged})
    else:
        note(f"erased: {of_customer} decisions of the customer, {aged} rows by age; the file is rewritten")
