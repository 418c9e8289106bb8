"""The CSV files that a policy names: the catalogue and price lists. RFC 4180, UTF-8 with or without a byte order mark.

Columns are found by the header, in any order. Several tags of a product are separated by ``|`` or ``;``.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from pos_discount.policy.benefits import Prices
from pos_discount.policy.model import CatalogueRow, Place
from pos_discount.policy.problems import Problem
from pos_discount.policy.ranges import Range
from pos_discount.policy.spelling import did_you_mean
from pos_discount.policy.texts import parse_amount, parse_name
from pos_discount.policy.yaml_nodes import Note, decode

MOST_BYTES: Final = 50 * 1024 * 1024
CATALOGUE_COLUMNS: Final = ("sku", "category", "brand", "supplier", "tags", "unit_cost")
PRICE_COLUMNS: Final = ("sku", "price")


def read_catalogue(file: str, content: bytes, digits: int, note: Note) -> dict[str, CatalogueRow]:
    """Read what a till may leave out about each sku; every column but sku may be left out, and so may its cells."""
    product_by_sku: dict[str, CatalogueRow] = {}
    for row in _rows(file, content, CATALOGUE_COLUMNS, ("sku",), note):
        try:
            product_by_sku[row.sku()] = CatalogueRow(
                category=row.word("category"),
                brand=row.word("brand"),
                supplier=row.word("supplier"),
                tags=tuple(tag for tag in _TAG_SEPARATOR.split(row.cell("tags")) if tag),
                unit_cost=row.money("unit_cost", digits),
            )
        except _WrongCell as wrong:
            note(row.problem(wrong))
    return product_by_sku


def read_prices(file: str, content: bytes, digits: int, note: Note) -> Prices:
    """Read a unit price for each of many skus."""
    price_by_sku: dict[str, int] = {}
    for row in _rows(file, content, PRICE_COLUMNS, PRICE_COLUMNS, note):
        try:
            sku, price = row.sku(), row.money("price", digits)
            if price is None:
                raise _WrongCell("price", "nothing is written here; expected an amount")
            price_by_sku[sku] = price
        except _WrongCell as wrong:
            note(row.problem(wrong))
    return Prices(file=file, price_by_sku=price_by_sku, products=Range(sku=tuple(price_by_sku)))


_TAG_SEPARATOR = re.compile(r"\s*[|;]\s*")


class _WrongCell(Exception):
    """A cell that cannot be read: its column and why."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


class _Row(NamedTuple):
    """One row below the header. ``line`` counts from 1; ``line_by_sku`` has those before it and takes up this one."""

    file: str
    line: int
    cells: list[str]
    position_by_column: dict[str, int]
    line_by_sku: dict[str, int]

    def cell(self, column: str) -> str:
        position = self.position_by_column.get(column)
        return "" if position is None else self.cells[position].strip()

    def word(self, column: str) -> str | None:
        return self.cell(column) or None

    def sku(self) -> str:
        try:
            sku = parse_name(self.cell("sku"))
        except ValueError as error:
            raise _WrongCell("sku", str(error)) from None
        if sku in self.line_by_sku:
            raise _WrongCell("sku", f"duplicate sku '{sku}', first written in line {self.line_by_sku[sku]}; remove one")
        self.line_by_sku[sku] = self.line
        return sku

    def money(self, column: str, digits: int) -> int | None:
        text = self.cell(column)
        try:
            return parse_amount(text, digits) if text else None
        except ValueError as error:
            raise _WrongCell(column, str(error)) from None

    def problem(self, wrong: _WrongCell) -> Problem:
        position = self.position_by_column[wrong.column]
        return Problem(Place(self.file, self.line, _column_of(self.cells, position)), f"column {wrong.column}: {wrong}")


def _rows(file: str, content: bytes, columns: tuple[str, ...], required: tuple[str, ...], note: Note) -> Iterator[_Row]:
    """Yield the rows below the header that have as many cells as the header; note what is wrong with the others."""
    text = decode(file, content, MOST_BYTES, note)
    if text is None:
        return
    records = _records(file, text, note)
    line, header = next(records, (1, []))
    position_by_column = _header(Place(file, line, 1), header, columns, required, note)
    if not position_by_column:
        return
    line_by_sku: dict[str, int] = {}
    for line, cells in records:
        if len(cells) == len(header):
            yield _Row(file, line, cells, position_by_column, line_by_sku)
        else:
            note(Problem(Place(file, line, 1), f"{len(cells)} cells; expected {len(header)}, as the header has"))


def _records(file: str, text: str, note: Note) -> Iterator[tuple[int, list[str]]]:
    """Yield each record's first line and its cells, empty lines left out."""
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in lines:
            if cells:
                yield line, cells
            line = lines.line_num + 1
    except csv.Error as error:
        note(Problem(Place(file, line, 1), f"not CSV: {error}; expected cells as RFC 4180 has them"))


def _header(
    start: Place, cells: list[str], columns: tuple[str, ...], required: tuple[str, ...], note: Note
) -> dict[str, int]:
    """Return where each column stands, or nothing where the header is wrong."""
    names = [cell.strip() for cell in cells]
    problems: list[Problem] = []
    for position, name in enumerate(names):
        place = Place(start.file, start.line, _column_of(cells, position))
        if name not in columns:
            problems.append(Problem(place, f"unknown column '{name[:60]}'{did_you_mean(name, columns)}"))
        elif name in names[:position]:
            problems.append(Problem(place, f"duplicate column '{name}'; remove one"))
    for missing in required:
        if missing not in names:
            said = f"column '{missing}' is missing; expected a header with {', '.join(columns)}"
            problems.append(Problem(start, said))
    for problem in problems:
        note(problem)
    return {} if problems else {name: position for position, name in enumerate(names)}


def _column_of(cells: list[str], position: int) -> int:
    """Return where a cell begins in its line, supposing that only those cells are quoted that have to be."""
    widths = [len(cell) + cell.count('"') + (2 if any(mark in cell for mark in ',"\n\r') else 0) for cell in cells]
    return sum(widths[:position]) + position + 1
