"""`pos-discount export`: decisions and outcomes as a table for analysts, or all that is kept about one customer."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import click
import msgspec

from pos_discount.cli.cells import harmless
from pos_discount.cli.environment import open_store, pseudonym_in, read_settings, read_settings_without_secret
from pos_discount.cli.explanation import explain_decision
from pos_discount.cli.output import note, with_progress
from pos_discount.cli.records import KeptVersions
from pos_discount.money import currency_digits
from pos_discount.pricing import Counted
from pos_discount.recording import read_answer, read_notes
from pos_discount.store import Checkout, KeptDecision, ReturnRecord, Store

COLUMNS = (
    *(
        "decision_id",
        "store_id",
        "made_at",
        "policy_version",
        "model_version",
        "arm",
        "segment_id",
        "fallback",
        "superseded",
    ),
    *("rungs", "base_total", "rung_totals", "depths", "propensity", "result", "rung", "satisfaction", "outcome_at"),
)


@click.command()
@click.option("--customer", help="Everything that is kept about this customer, the id as tills send it, as JSON.")
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True)
@click.option("--with-customers", is_flag=True, help="Add the customers' pseudonyms as a column.")
@click.option("--output", type=click.Path(path_type=Path), help="The file to write; left out: standard output.")
def export(customer: str | None, form: str, with_customers: bool, output: Path | None) -> None:
    """Export one row for each decision with its outcome; with --customer, answer a request for access.

    \b
    Example:
      pos-discount export --output decisions.csv
    """
    if customer is not None:
        _export_customer(customer, output)
        return
    with open_store(read_settings_without_secret()) as store, _file(output) as file:
        rows = (_row(checkout, with_customers) for block in store.read_checkouts() for checkout in block)
        write = _write_csv if form == "csv" else _write_lines
        count = write(with_progress(rows, "decisions"), file, with_customers)
    note(f"{count} decisions exported")


def _row(checkout: Checkout, with_customers: bool) -> dict[str, Any]:
    notes = read_notes(checkout.learning)
    row = {
        "decision_id": checkout.decision_id,
        "store_id": checkout.store_id,
        "made_at": _moment(checkout.made_at),
        "policy_version": checkout.policy_version,
        "model_version": checkout.model_version,
        "arm": checkout.arm,
        "segment_id": checkout.segment_id,
        "fallback": checkout.fallback,
        "superseded": checkout.is_superseded,
        "rungs": len(notes.depths),
        "base_total": notes.totals[0],
        "rung_totals": list(notes.totals[1:]),
        "depths": list(notes.depths),
        "propensity": notes.choice.propensity,
        "result": checkout.result,
        "rung": checkout.rung,
        "satisfaction": checkout.satisfaction,
        "outcome_at": _moment(checkout.received_at),
    }
    return {**row, "customer": checkout.customer} if with_customers else row


def _write_csv(rows: Iterator[dict[str, Any]], file: TextIO, with_customers: bool) -> int:
    writer = csv.writer(file)
    writer.writerow([*COLUMNS, "customer"] if with_customers else COLUMNS)
    count = 0
    for row in rows:
        writer.writerow([_cell(value) for value in row.values()])
        count += 1
    return count


def _cell(value: object) -> str:
    if value is None:
        return ""
    return " ".join(map(str, value)) if isinstance(value, list) else harmless(str(value))


def _write_lines(rows: Iterator[dict[str, Any]], file: TextIO, _: bool) -> int:
    count = 0
    for row in rows:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
        count += 1
    return count


def _export_customer(customer: str, output: Path | None) -> None:
    settings = read_settings()
    with open_store(settings) as store:
        pseudonym = pseudonym_in(store, settings, customer)
        _write_customer(store, customer, pseudonym, output)


def _write_customer(store: Store, customer: str, pseudonym: str, output: Path | None) -> None:
    with _file(output) as file:
        versions = KeptVersions(store)
        decisions = [_told(versions, kept) for kept in store.read_decisions_of(pseudonym)]
        kept = {
            "customer_id": customer,
            "pseudonym": pseudonym,
            "history": msgspec.to_builtins(store.read_customer(pseudonym)),
            "decisions": decisions,
            "uses": [_use(used) for used in store.read_uses_of(pseudonym)],
            "receipts": list(_receipts(store, pseudonym)),
        }
        file.write(json.dumps(kept, indent=2, ensure_ascii=False) + "\n")
    note(f"{len(decisions)} decisions and {len(kept['receipts'])} receipts are kept about this customer")


def _told(versions: KeptVersions, kept: KeptDecision) -> dict[str, Any]:
    """Tell one decision: what was asked, what was answered and why, how it ended."""
    replayed, answer = versions.decide_again(kept), read_answer(kept.record.answer)
    reasons = explain_decision(
        replayed.inputs, answer, replayed.decision.choice, kept, currency_digits(answer.currency)
    )
    return {
        "decision_id": answer.decision_id,
        "basket": msgspec.to_builtins(replayed.inputs.basket),
        "known_beforehand": msgspec.to_builtins(replayed.inputs.known),
        "answer": msgspec.json.decode(kept.record.answer),
        "reasons": reasons,
        "outcome": _outcome(kept),
        "returns": [_return(returned) for returned in kept.returns],
    }


def _outcome(kept: KeptDecision) -> dict[str, Any] | None:
    """Tell how a sale ended as the till said it, with the satisfaction that was said last."""
    outcome = kept.outcome
    if outcome is None:
        return None
    told = {"result": outcome.result, "rung": outcome.rung, **json.loads(outcome.body or "{}")}
    return {**told, "satisfaction": outcome.satisfaction, "recorded_at": _moment(outcome.received_at)}


def _return(returned: ReturnRecord) -> dict[str, Any]:
    lines = [msgspec.to_builtins(line) for line in returned.lines]
    return {"refund": returned.refund, "lines": lines, "at": _moment(returned.made_at)}


def _use(used: Counted) -> dict[str, Any]:
    counter = used.counter
    period = {"every": counter.every, "period": counter.period}
    return {"promotion_id": counter.promotion_id, **period, "uses": used.uses, "spent": used.spent}


def _receipts(store: Store, pseudonym: str) -> Iterator[Mapping[str, Any]]:
    for source, _ in store.count_receipts():
        for block in store.read_receipts(source):
            yield from (msgspec.json.decode(receipt.basket) for receipt in block if receipt.customer == pseudonym)


@contextmanager
def _file(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    with output.open("w", encoding="utf-8", newline="") as file:
        output.chmod(0o600)
        yield file


def _moment(microseconds: int | None) -> str | None:
    return None if microseconds is None else datetime.fromtimestamp(microseconds / 1e6, UTC).isoformat()
