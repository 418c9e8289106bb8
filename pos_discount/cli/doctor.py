"""`pos-discount doctor`: what is wrong with this installation, and what to do about each thing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from pos_discount.cli.machine_checks import PROBLEM, Finding, machine_findings
from pos_discount.cli.output import json_option, print_json, print_table

WORDS = {"ok": "ok", "warning": "look at", "problem": "WRONG"}


@click.command()
@click.option("--url", help="Also ask the running service at this address whether it is ready.")
@json_option
def doctor(url: str | None, as_json: bool) -> None:
    """Examine this machine, the settings, the policy, the database, the model and the clock.

    Nothing is changed. Exit code 1: something is wrong.

    \b
    Example:
      pos-discount doctor --url http://127.0.0.1:8000
    """
    findings = tuple(_examine(url))
    if as_json:
        print_json([finding._asdict() for finding in findings])
    else:
        _print(findings)
    raise SystemExit(1 if any(finding.state == PROBLEM for finding in findings) else 0)


def _examine(url: str | None) -> Iterator[Finding]:
    machine = tuple(machine_findings())
    yield from machine
    if any(finding.check == "packages" and finding.state == PROBLEM for finding in machine):
        return  # without them the rest of the program can't even be loaded
    from pos_discount.cli.service_checks import service_findings

    yield from service_findings(url)


def _print(findings: Sequence[Finding]) -> None:
    rows = [(finding.check, WORDS[finding.state], finding.detail, finding.remedy) for finding in findings]
    print_table("Examined", ("what", "", "found", "what to do"), rows)
    wrong = sum(finding.state == PROBLEM for finding in findings)
    doubtful = sum(finding.state == "warning" for finding in findings)
    click.echo(f"{wrong} wrong, {doubtful} to look at, {len(findings) - wrong - doubtful} in order")
