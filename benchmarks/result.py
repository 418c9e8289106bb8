"""How a benchmark shows what it found: a table and what must hold of it, for people or as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence

import msgspec
from rich.console import Console
from rich.table import Table

Cell = str | int | float | bool | None


class Claim(msgspec.Struct, frozen=True):
    """One thing that was promised: what, the bound, what was measured. An aim is wished for, a must is owed."""

    text: str
    measured: float
    at_most: float | None = None
    at_least: float | None = None
    is_aim: bool = False

    @property
    def holds(self) -> bool:
        """Tell whether what was measured lies within the bounds."""
        return (self.at_most is None or self.measured <= self.at_most) and (
            self.at_least is None or self.measured >= self.at_least
        )


class Result(msgspec.Struct, frozen=True):
    """What one benchmark found."""

    title: str
    rows: Sequence[Mapping[str, Cell]]
    claims: Sequence[Claim] = ()
    notes: Sequence[str] = ()


def show(result: Result, *, as_json: bool) -> None:
    """Print a result and end the program: exit code 1 where something owed does not hold."""
    if as_json:
        claims = [msgspec.to_builtins(claim) | {"holds": claim.holds} for claim in result.claims]
        print(json.dumps(msgspec.to_builtins(result) | {"claims": claims}, indent=2))
    else:
        _print_tables(result)
    sys.exit(0 if all(claim.holds or claim.is_aim for claim in result.claims) else 1)


def _print_tables(result: Result) -> None:
    console = Console(width=None if sys.stdout.isatty() else 150)
    table = Table(*(result.rows[0] if result.rows else ()), title=result.title, title_justify="left")
    for row in result.rows:
        table.add_row(*map(_shown, row.values()))
    console.print(table)
    for claim in result.claims:
        bound = f"at most {claim.at_most:g}" if claim.at_least is None else f"at least {claim.at_least:g}"
        word = "aim" if claim.is_aim else "must"
        verdict = "yes" if claim.holds else "NO"
        console.print(f"{word} {bound}: {claim.text}: {claim.measured:g}  {verdict}", highlight=False)
    for note in result.notes:
        console.print(note, highlight=False)


def _shown(cell: Cell) -> str:
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 1000 else f"{cell:,.1f}" if abs(cell) >= 10 else f"{cell:.2f}"
    return "" if cell is None else f"{cell:,}" if isinstance(cell, int) and not isinstance(cell, bool) else str(cell)
