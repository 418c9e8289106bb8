"""The report of a night as one HTML file: for whoever owns a segment, with plots drawn here and nothing fetched.

Hides HTML and matplotlib. Everything that came from a till or a policy is escaped. Pictures are SVG inside the page.
"""

from __future__ import annotations

import html
import io
from collections.abc import Iterable, Sequence
from typing import Any

from matplotlib.figure import Figure

from pos_discount.learning.comparison import PolicyValue
from pos_discount.learning.evaluation import Estimate
from pos_discount.learning.publishing import describe_changes, sentence_of
from pos_discount.learning.retrain import Night
from pos_discount.sensitivity import Segment, SensitivityModel

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2733}
table{border-collapse:collapse;width:100%;margin:.5rem 0}
td,th{padding:.3rem .6rem;border-bottom:1px solid #d8dee5;text-align:left}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}.ok{color:#1f6f43}.no{color:#a32020;font-weight:600}
.verdict{padding:.8rem 1rem;border-left:.4rem solid;background:#f5f7f9}svg{max-width:100%;height:auto}
"""

LINE, BAND, BEFORE = "#20558a", "#9ab8d6", "#b5651d"


def write_night(night: Night, currency: str, digits: int) -> bytes:
    """Write the report of a night."""
    unit = 10.0**digits
    body = [
        f"<h1>Night {night.nights}</h1>",
        _verdict(night),
        f"<p>{night.new_outcomes:,} outcomes read that are new or changed, {night.outcomes:,} so far;"
        f" {night.customers:,} customers known; candidate <code>{night.version}</code>,"
        f" champion <code>{html.escape(night.champion.version or 'none')}</code>.</p>",
        "<h2>What each would have earned</h2>",
        _values(night.compared.values, unit, currency),
        picture(_figure_of_values(night.compared.values, unit, currency)),
        "<h2>The gate</h2>",
        _checks(night),
        "<h2>What changed against the model in force</h2>",
        _list(describe_changes(night.champion.model, night.candidate)) or "<p>Nothing worth a sentence.</p>",
        "<h2>Segments</h2>",
        *_segments(night.candidate, night.champion.model),
        "<h2>Outcomes that never came</h2>",
        _missing(night),
    ]
    return page("A night of learning", body)


def page(title: str, body: Iterable[str]) -> bytes:
    """Put the parts of a report into a page that needs nothing else."""
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{html.escape(title)}</title>'
    )
    top = f'<!doctype html><html lang="en"><head>{head}<style>{STYLE}</style></head>'
    return f"{top}<body>{''.join(body)}</body></html>".encode()


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], numbers: int = 0) -> str:
    """Write a table; its last `numbers` columns are set flush right. Cells are escaped."""
    first = len(columns) - numbers

    def line(cells: Sequence[object], tag: str) -> str:
        return "".join(
            f"<{tag}{' class=n' if place >= first else ''}>{html.escape(str(cell))}</{tag}>"
            for place, cell in enumerate(cells)
        )

    body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in rows)
    return f"<table><tr>{line(columns, 'th')}</tr>{body}</table>"


def _verdict(night: Night) -> str:
    if night.verdict.passed:
        return '<p class="verdict ok">The candidate passed the gate and is in force.</p>'
    reasons = _list(night.verdict.reasons)
    return f'<div class="verdict no">The champion stays. What spoke against the candidate:{reasons}</div>'


def _values(values: Sequence[PolicyValue], unit: float, currency: str) -> str:
    rows = [
        (
            value.name,
            _interval(value.doubly_robust, unit),
            _interval(value.inverse_propensity, unit),
            _interval(value.self_normalised, unit),
            "" if value.name == "candidate" else _interval(value.gain, unit),
            f"{value.effective_samples:,.0f}",
        )
        for value in values
    ]
    columns = (f"per checkout, {currency}", "doubly robust", "inverse propensity", "self-normalised")
    return table((*columns, "candidate gains", "effective samples"), rows, 5)


def _checks(night: Night) -> str:
    rows = "".join(
        f"<tr><td>{html.escape(check.name)}</td><td class={'ok' if check.passed else 'no'}>"
        f"{'passed' if check.passed else 'refused'}</td><td>{html.escape(check.found)}</td></tr>"
        for check in night.verdict.checks
    )
    return f"<table>{rows}</table>"


def _segments(model: SensitivityModel, before: SensitivityModel) -> Iterable[str]:
    old = {segment.segment_id: segment for segment in before.segments}
    for segment in model.segments:
        yield f"<h3>{html.escape(segment.name)}</h3><p>{html.escape(sentence_of(segment))}</p>"
        yield picture(_figure_of_segment(model, segment, old.get(segment.segment_id)))


def _missing(night: Night) -> str:
    rows = [
        (count.store_id, count.arm, f"{count.decisions:,}", f"{1 - count.outcomes / max(count.decisions, 1):.1%}")
        for count in night.missing
    ]
    if not rows:
        return "<p>There were no decisions in the last 30 days.</p>"
    return table(("store", "arm", "decisions in 30 days", "without an outcome"), rows, 2)


def _figure_of_segment(model: SensitivityModel, segment: Segment, before: Segment | None) -> Figure:
    figure = Figure(figsize=(7, 2.6), layout="constrained")
    axes = figure.subplots()
    depths = [0.0, *(knot / 4 for knot in model.knots)]
    axes.fill_between(depths, [0.0, *segment.curve_low], [0.0, *segment.curve_high], color=BAND, label="95 %")
    if before is not None:
        axes.plot(depths, [0.0, *before.curve], color=BEFORE, linestyle="--", label="before")
    axes.plot(depths, [0.0, *segment.curve], color=LINE, label="tonight")
    axes.set_ylim(0.0, 1.0)
    axes.set_xlabel("depth, % of the base")
    axes.set_ylabel("settle for it or less")
    axes.legend(frameon=False, loc="lower right")
    return figure


def _figure_of_values(values: Sequence[PolicyValue], unit: float, currency: str) -> Figure:
    figure = Figure(figsize=(7, 0.8 + 0.4 * len(values)), layout="constrained")
    axes = figure.subplots()
    for place, value in enumerate(reversed(values)):
        told = value.doubly_robust
        axes.plot([told.low / unit, told.high / unit], [place, place], color=BAND, linewidth=6)
        axes.plot([told.mean / unit], [place], "o", color=LINE)
    axes.set_yticks(range(len(values)), [value.name for value in reversed(values)])
    axes.set_xlabel(f"profit per checkout, {currency}, with 95 %")
    return figure


def picture(figure: Figure) -> str:
    """Draw a figure as SVG to stand inside a page."""
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = drawn.getvalue()
    return text[text.index("<svg") :]


def _interval(estimate: Estimate, unit: float) -> str:
    numbers: tuple[Any, ...] = (estimate.mean / unit, estimate.low / unit, estimate.high / unit)
    return "{:.2f} ({:.2f} to {:.2f})".format(*numbers)


def _list(sentences: Iterable[str]) -> str:
    items = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in sentences)
    return f"<ul>{items}</ul>" if items else ""
