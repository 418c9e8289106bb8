"""`pos-discount report`: what learning was worth, against the randomised hold-out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from pos_discount.cli.environment import now, open_store, policies_folder, read_policy, read_settings_without_secret
from pos_discount.cli.output import Trouble, json_option, print_json, print_table
from pos_discount.cli.retrain import replace_file
from pos_discount.measure.ledger import ClaimsBeyondTotal
from pos_discount.measure.period import Period, describe_period, measure_period, with_claims
from pos_discount.measure.report import write_period


@click.command()
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="First day (UTC); 30 days ago where left out.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Day after the last (UTC); now where left out.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write the report with plots here.")
@click.option("--claim", "claims", multiple=True, metavar="NAME=AMOUNT", help="What somebody says to have earned.")
@json_option
def report(
    since: datetime | None, until: datetime | None, html: Path | None, claims: tuple[str, ...], as_json: bool
) -> None:
    """Measure treated against hold-out: uplift, ledger, satisfaction, offers made and not made.

    \b
    Example:
      pos-discount report --since 2026-03-01 --html reports/march.html
      pos-discount report --claim 'spring mailing=1200.00'

    Claims are entered beside what was measured, and refused where together they are more than the hold-out shows.
    """
    end = until.replace(tzinfo=UTC) if until else now()
    begin = since.replace(tzinfo=UTC) if since else end - timedelta(days=30)
    if begin >= end:
        raise click.UsageError("--since must be before --until")
    house = read_policy(policies_folder()).house
    with open_store(read_settings_without_secret()) as store:
        period = measure_period(store, int(begin.timestamp()) * 1_000_000, int(end.timestamp()) * 1_000_000)
    if claims:
        period = _claimed(period, claims, 10**house.currency_digits)
    if html is not None:
        replace_file(html, write_period(period, house.currency, house.currency_digits))
    print_json(describe_period(period)) if as_json else _print(period, house.currency, 10**house.currency_digits)


def _claimed(period: Period, claims: tuple[str, ...], unit: int) -> Period:
    told = []
    for claim in claims:
        name, _, amount = claim.rpartition("=")
        try:
            told.append((name, float(amount) * unit))
        except ValueError:
            name = ""
        if not name:
            raise click.UsageError(f"--claim {claim!r}: expected NAME=AMOUNT, such as 'spring mailing=1200.00'")
    try:
        return with_claims(period, told)
    except ClaimsBeyondTotal as error:
        raise Trouble(str(error)) from None


def _print(period: Period, currency: str, unit: int) -> None:
    uplift = period.uplift
    if uplift is None:
        click.echo(f"{period.checkouts:,} checkouts; an arm has fewer than two customers: there is nothing to compare.")
        return
    click.echo(
        f"{period.checkouts:,} checkouts. Uplift per checkout: {uplift.mean / unit:+.3f} {currency}"
        f" ({uplift.low / unit:+.3f} to {uplift.high / unit:+.3f} at 95 %;"
        f" at every look {uplift.always_low / unit:+.3f} to {uplift.always_high / unit:+.3f})."
    )
    for ledger in period.ledgers:
        rows = [
            (entry.name, "" if entry.effect is None else f"{entry.effect / unit:+.3f}", f"{entry.amount / unit:+,.2f}")
            for entry in ledger.entries
        ]
        rows.append(("in all, treated less hold-out", "", f"{ledger.total / unit:+,.2f}"))
        columns = (ledger.cut, "per checkout, shrunk", currency)
        print_table(f"By {ledger.cut}", columns, rows, columns[1:])
