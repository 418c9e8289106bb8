"""`pos-discount policy check` and `schema`: what is wrong or doubtful in a policy, and help while writing one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from pos_discount.cli.environment import now, policies_folder
from pos_discount.cli.output import json_option, plain, print_json
from pos_discount.policy import (
    Finding,
    PolicyProblems,
    check_policy,
    examples_json_schema,
    json_schema,
    load_policy,
)


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Let warnings count as errors.")
@json_option
def check(folder: Path | None, strict: bool, as_json: bool) -> None:
    """Say what is wrong or doubtful in the policy in FOLDER, by file, line and column.

    What cannot be read is an error; so is a promotion that can never apply, or that lacks an example where it applies
    or one where it does not. What is over, always beaten, may break a guard or says nothing is a warning; what could
    be better is advice. Exit code 1: there are errors.

    \b
    Example:
      pos-discount policy check policies
    """
    chosen = policies_folder(folder)
    findings = _findings(chosen)
    counts = Counter[str](finding.severity for finding in findings)
    if as_json:
        print_json([_as_json(finding) for finding in findings])
    else:
        _print(findings, counts, chosen)
    raise SystemExit(1 if counts["error"] or (strict and counts["warning"]) else 0)


@click.command()
@click.option("--examples", is_flag=True, help="The schema of NAME.examples.yaml instead.")
def schema(examples: bool) -> None:
    """Print the JSON Schema of a policy file, by which an editor completes keys and underlines wrong ones.

    Write it to a file and name that in the first line of each policy file, as most editors' YAML support understands:
    # yaml-language-server: $schema=policy.schema.json

    \b
    Example:
      pos-discount policy schema > policy.schema.json
    """
    print_json(examples_json_schema() if examples else json_schema())


def _findings(folder: Path) -> tuple[Finding, ...]:
    try:
        policy = load_policy(folder)
    except PolicyProblems as problems:
        return tuple(Finding("error", problem.place, problem.message) for problem in problems.problems)
    return check_policy(policy, now())


def _print(findings: Sequence[Finding], counts: Counter[str], folder: Path) -> None:
    for finding in findings:
        click.echo(plain(finding))
    told = ", ".join(f"{counts[severity]} {severity}{_plural(severity, counts)}" for severity in counts)
    click.echo(f"{folder}: {told}" if findings else f"{folder}: nothing is wrong or doubtful")


def _plural(severity: str, counts: Counter[str]) -> str:
    return "" if severity == "advice" or counts[severity] == 1 else "s"


def _as_json(finding: Finding) -> dict[str, object]:
    place = finding.place
    return {
        "severity": finding.severity,
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "promotion_id": finding.promotion_id,
        "message": finding.message,
    }
