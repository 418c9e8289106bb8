"""`pos-discount policy test`: every example run, and a table of what differs, by file and line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from pos_discount.cli.environment import policies_folder, read_policy
from pos_discount.cli.output import json_option, print_json, print_table, with_progress
from pos_discount.measure.examples import Amounts, Disagreement, ExampleResult, run_examples
from pos_discount.money import format_money
from pos_discount.policy import Place
from pos_discount.pricing import PolicyIndex


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@json_option
def test(folder: Path | None, as_json: bool) -> None:
    """Run every example in FOLDER and show where the policy gives something else.

    \b
    Example:
      pos-discount policy test policies
    """
    policy = read_policy(policies_folder(folder))
    results = list(with_progress(run_examples(PolicyIndex(policy)), "examples", len(policy.examples)))
    failed = [result for result in results if result.disagreements]
    if as_json:
        print_json({"examples": len(results), "failed": [_as_json(result) for result in failed]})
    else:
        _print(failed, len(results), policy.house.currency_digits)
    raise SystemExit(1 if failed else 0)


def _print(failed: list[ExampleResult], examples: int, digits: int) -> None:
    if failed:
        columns = ("where", "example", "what", "expected", "got", "because")
        print_table("Examples that do not hold", columns, _rows(failed, digits), ("expected", "got"))
    click.echo(_summary(len(failed), examples))


def _summary(failed: int, examples: int) -> str:
    counted = "1 example" if examples == 1 else f"{examples} examples"
    if not failed:
        return f"{counted} holds" if examples == 1 else f"{counted} hold"
    return f"{counted}, {failed} of which {'does' if failed == 1 else 'do'} not hold"


def _rows(failed: list[ExampleResult], digits: int) -> Iterator[tuple[str, ...]]:
    for result in failed:
        for differs in result.disagreements:
            yield (
                place_of(result.example.place),
                result.example.name,
                differs.subject,
                _amounts(differs.expected, digits),
                _amounts(differs.got, digits),
                differs.reason,
            )


def place_of(place: Place) -> str:
    """Write a place as editors and terminals jump to it: file:line."""
    return f"{place.file}:{place.line}"


def _amounts(amounts: Amounts, digits: int) -> str:
    if amounts is None:
        return "no"
    if isinstance(amounts, int):
        return format_money(amounts, digits)
    return ", ".join(format_money(amount, digits) for amount in amounts) or "none"


def _as_json(result: ExampleResult) -> dict[str, object]:
    return {
        "place": place_of(result.example.place),
        "example": result.example.name,
        "disagreements": [_disagreement(differs) for differs in result.disagreements],
    }


def _disagreement(differs: Disagreement) -> dict[str, object]:
    return {"subject": differs.subject, "expected": differs.expected, "got": differs.got, "reason": differs.reason}
