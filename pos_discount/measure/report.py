"""The report of a period as one HTML file: what learning was worth, to whom it is due, and what stands beside it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from matplotlib.figure import Figure

from pos_discount.measure.ledger import Ledger
from pos_discount.measure.night_report import BAND, LINE, page, picture, table
from pos_discount.measure.period import Arm, Period


def write_period(period: Period, currency: str, digits: int) -> bytes:
    """Write the report of a period."""
    unit = 10.0**digits
    first, last = (datetime.fromtimestamp(at // 1_000_000, UTC).date() for at in (period.since, period.until))
    body = [
        f"<h1>What it was worth</h1><p>{first} to {last}, {period.checkouts:,} checkouts with an outcome.</p>",
        _worth(period, unit, currency),
        *(_ledger(ledger, unit, currency) for ledger in period.ledgers),
        "<h2>Satisfaction beside profit</h2>",
        table(("arm", "checkouts", "answers", "satisfaction", "nothing said", "rungs said"), map(_arm, period.arms), 5),
        "<h2>Where offers are made</h2>",
        table(
            ("store", "checkouts", "nothing was said"),
            [(row.store_id, f"{row.checkouts:,}", f"{row.not_offered:.1%}") for row in period.offers],
            2,
        ),
        "<h2>Outcomes that never came</h2>",
        table(
            ("store", "arm", "decisions", "without an outcome"),
            [
                (c.store_id, c.arm, f"{c.decisions:,}", f"{1 - c.outcomes / max(c.decisions, 1):.1%}")
                for c in period.missing
            ],
            2,
        ),
    ]
    return page("What it was worth", body)


def _worth(period: Period, unit: float, currency: str) -> str:
    uplift = period.uplift
    if uplift is None:
        return '<p class="verdict">An arm has fewer than two customers: there is nothing to compare.</p>'
    rows = [
        ("treated", f"{uplift.treated / unit:.3f}", "", f"{uplift.treated_checkouts:,}"),
        ("hold-out", f"{uplift.control / unit:.3f}", "", f"{uplift.control_checkouts:,}"),
        ("uplift", f"{uplift.mean / unit:+.3f}", f"{uplift.low / unit:+.3f} to {uplift.high / unit:+.3f}", ""),
        ("at every look", "", f"{uplift.always_low / unit:+.3f} to {uplift.always_high / unit:+.3f}", ""),
    ]
    told = table((f"gross profit per checkout, {currency}", "mean", "95 %", "checkouts"), rows, 3)
    return f"{told}<p>The adjustment for what no arm has a say in cut the variance by {uplift.narrowed:.0%}.</p>"


def _ledger(ledger: Ledger, unit: float, currency: str) -> str:
    rows = [
        (
            entry.name,
            "" if entry.effect is None else f"{entry.effect / unit:+.3f}",
            f"{entry.checkouts:,}" if entry.checkouts else "",
            f"{entry.amount / unit:+,.2f}",
        )
        for entry in ledger.entries
    ]
    rows.append(("in all, treated less hold-out", "", "", f"{ledger.total / unit:+,.2f}"))
    drawn = picture(_bars(ledger, unit, currency)) if len(ledger.entries) > 1 else ""
    columns = (ledger.cut, f"per checkout, shrunk, {currency}", "checkouts", currency)
    return f"<h2>By {ledger.cut}</h2>{table(columns, rows, 3)}{drawn}"


def _bars(ledger: Ledger, unit: float, currency: str) -> Figure:
    shown = ledger.entries[::-1][:16]
    figure = Figure(figsize=(7, 0.8 + 0.35 * len(shown)), layout="constrained")
    axes = figure.subplots()
    colours = [BAND if entry.effect is None else LINE for entry in shown]
    axes.barh(range(len(shown)), [entry.amount / unit for entry in shown], color=colours)
    axes.set_yticks(range(len(shown)), [entry.name for entry in shown])
    axes.set_xlabel(currency)
    return figure


def _arm(arm: Arm) -> Sequence[object]:
    told = "nobody said" if arm.satisfaction is None else "{:.2f} ({:.2f} to {:.2f})".format(*arm.satisfaction)
    return (
        arm.name,
        f"{arm.checkouts:,}",
        f"{arm.satisfied:,}",
        told,
        f"{arm.not_offered:.1%}",
        f"{arm.rungs_said:.2f}",
    )
