"""Where the real receipts are; tests that need them skip where they are absent."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

DATA = Path(__file__).parents[3] / "shared" / "data"

needs_receipts = pytest.mark.skipif(not DATA.is_dir(), reason="the real receipts (../shared/data) are not here")

Row = dict[str, str]


def rows_of(name: str) -> Iterator[Row]:
    """Read a gzipped CSV file row by row."""
    with gzip.open(DATA / name, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def grouped(rows: Iterator[Row], key: str) -> Iterator[tuple[str, list[Row]]]:
    """Gather the rows of each receipt; a receipt's rows need not stand together."""
    ordered = sorted(rows, key=lambda row: row[key])
    for value, group in groupby(ordered, key=lambda row: row[key]):
        yield value, list(group)
