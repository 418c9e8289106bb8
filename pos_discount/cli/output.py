"""What commands print: tables for people, JSON for scripts, a progress bar for the patient, problems for everyone.

Hides the terminal. Results go to standard output, everything else to standard error, so that a pipe gets results alone.
A bar is drawn on a terminal only, and only once two seconds have passed: what is quick needs none.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

Item = TypeVar("Item")
Command = TypeVar("Command", bound=Callable[..., Any])

WIDTH_OF_A_PIPE = 160
SECONDS_WITHOUT_A_BAR = 2.0


class Trouble(click.ClickException):
    """What went wrong and what to do about it; ends the command with exit code 1."""

    exit_code = 1


def json_option(command: Command) -> Command:
    """Give a command that prints a table the option `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")(command)


def console() -> Console:
    """Return the console for results: as wide as the terminal, wide enough for any table where there is none."""
    return Console(width=None if sys.stdout.isatty() else WIDTH_OF_A_PIPE, highlight=False, emoji=False)


def print_json(value: object) -> None:
    """Print a value as indented JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], numbers: Sequence[str] = ()
) -> None:
    """Print rows under a title; the columns named in ``numbers`` are set flush right. Markup in cells has no effect."""
    table = Table(title=Text(title), title_justify="left", title_style="bold")
    for name in columns:
        table.add_column(name, justify="right" if name in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(plain(cell)) for cell in row))
    console().print(table)


def plain(cell: object) -> str:
    """Write a cell as text that cannot steer a terminal: nothing for None, control characters made visible."""
    text = "" if cell is None else str(cell)
    return "".join(char if char.isprintable() or char == "\n" else f"\\x{ord(char):02x}" for char in text)


def note(text: str) -> None:
    """Say something beside the result, on standard error."""
    click.echo(text, err=True)


def with_progress(
    items: Iterable[Item], label: str, total: int | None = None, after: float = SECONDS_WITHOUT_A_BAR
) -> Iterator[Item]:
    """Hand items on; on a terminal, draw a bar for what takes longer than two seconds (or ``after``)."""
    if not sys.stderr.isatty():
        yield from items
        return
    began_at, bar, task = time.monotonic(), _bar(), None
    try:
        for done, item in enumerate(items, start=1):
            yield item
            if task is not None:
                bar.update(task, completed=done)
            elif time.monotonic() - began_at > after:
                bar.start()
                task = bar.add_task(label, total=total, completed=done)
    finally:
        if task is not None:
            bar.stop()


def _bar() -> Progress:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True)


@contextmanager
def stages(label: str, total: int) -> Iterator[Callable[[str], None]]:
    """Lend a function to name the stage that begins; on a terminal, a bar shows which one it is."""
    if not sys.stderr.isatty():
        yield lambda stage: None
        return
    with _bar() as bar:
        task = bar.add_task(label, total=total, completed=-1)
        yield lambda stage: bar.update(task, advance=1, description=stage)
