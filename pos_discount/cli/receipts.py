"""Receipts from rows of CSV: baskets as a till would have sent them, and every row that is none, with the reason.

Hides what receipts in the wild look like: returns, voided sales, zero quantities, weighed goods, stray text, broken
encodings. A row is never changed in silence and never lost: it becomes a line of a basket or is set aside with words
that say why. Rows of one receipt must stand together, so that a file of any length is read without being held.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from pos_discount.basket import EARLIEST, LATEST, Basket, Customer, Line, basket_problems
from pos_discount.cli import mapping as columns
from pos_discount.money import MoneyError, parse_money

UNKNOWN_ENCODING = range(0xDC80, 0xDD00)  # where Python puts bytes that it could not decode
MOST_LINES = 1000
Value = TypeVar("Value")
YES = ("1", "yes", "true", "y")


class Row(NamedTuple):
    """One row of the file: its number (the header is 1) and its cells by column."""

    number: int
    cells: Mapping[str, str]


class SetAside(NamedTuple):
    """A row that became no line of a basket; ``reason`` is a stable word, ``detail`` a sentence."""

    row: Row
    reason: str
    detail: str


class Receipt(NamedTuple):
    """One sale as a basket, its ``at`` and ``sale_id`` filled in; ``customer_id`` is still the real one."""

    basket: Basket
    rows: int


class HouseTerms(NamedTuple):
    """What is needed to read an amount and a time of the house."""

    currency: str
    digits: int
    time_zone: ZoneInfo


class _Unfit(Exception):
    """Why a row can't be a line: a stable word and a sentence."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def parse_receipts(
    rows: Iterable[Row], mapping: columns.ColumnMapping, terms: HouseTerms
) -> Iterator[Receipt | SetAside]:
    """Turn rows into receipts, in the file's order; what does not fit comes out as `SetAside`.

    A receipt ends where another store's or sale's rows begin; one that goes on later in the file is set aside there.
    """
    reader, ended = _Reader(mapping, terms), set[tuple[str, str]]()
    current: tuple[str, str] | None = None
    gathered: list[Row] = []
    for row in rows:
        try:
            reader.check_wanted(row)
            sale = reader.sale_of(row)
        except _Unfit as unfit:
            yield SetAside(row, unfit.reason, str(unfit))
            continue
        if sale != current:
            yield from reader.finish(gathered)
            gathered = []
            if current is not None:
                ended.add(current)
            current = sale
        if sale in ended:
            yield SetAside(row, "scattered", "its receipt ended further up: rows of one receipt must stand together")
        else:
            gathered.append(row)
    yield from reader.finish(gathered)


class _Reader:
    """Reads rows by one mapping; holds nothing between receipts."""

    def __init__(self, mapping: columns.ColumnMapping, terms: HouseTerms) -> None:
        self.mapping = mapping
        self.terms = terms

    def check_wanted(self, row: Row) -> None:
        """Raise `_Unfit` for a row that is broken, left out by the mapping, or of a voided sale."""
        if None in row.cells or None in row.cells.values():
            raise _Unfit("columns", "the row has more or fewer cells than the header")
        if any(not cell.isascii() and any(ord(c) in UNKNOWN_ENCODING for c in cell) for cell in row.cells.values()):
            raise _Unfit(
                "encoding", f"not {self.mapping.encoding}; name the encoding in the mapping, such as encoding: cp1252"
            )
        for column, wanted in self.mapping.only.items():
            if row.cells[column].strip() not in wanted:
                raise _Unfit("left_out", f"{column} is not {' or '.join(wanted)}, as the mapping's 'only' wants")
        if self.text(row, "cancelled").lower() in YES:
            raise _Unfit("cancelled", "the sale was voided")

    def sale_of(self, row: Row) -> tuple[str, str]:
        """Return what tells one receipt from another."""
        store, sale = self.text(row, "store_id"), self.text(row, "sale_id")
        if not store or not sale:
            raise _Unfit("no_receipt", "expected a store_id and a sale_id, which tell one receipt from another")
        return store, sale

    def finish(self, rows: Sequence[Row]) -> Iterator[Receipt | SetAside]:
        """Make one basket of the rows of one receipt; rows that are no lines come first, with their reasons."""
        lines: list[Line] = []
        kept: list[Row] = []
        for row in rows:
            try:
                lines.append(self.line(row, len(lines) + 1))
                kept.append(row)
            except _Unfit as unfit:
                yield SetAside(row, unfit.reason, str(unfit))
        if not lines:
            return
        try:
            yield Receipt(self.basket(kept[0], lines), len(kept))
        except _Unfit as unfit:
            yield from (SetAside(row, unfit.reason, str(unfit)) for row in kept)

    def line(self, row: Row, position: int) -> Line:
        """Read one row as a line of a basket; raise `_Unfit` with the reason where it is none."""
        quantity, unit_price = self.quantity_and_price(row)
        unit_cost = self.text(row, "unit_cost")
        fields: dict[str, object] = {name: self.text(row, name) for name in columns.LINE_TEXTS}
        fields = {name: value for name, value in fields.items() if value}
        if tags := self.words(row, "tags"):
            fields["tags"] = tags
        if unit_cost:
            fields["unit_cost"] = self.amount("unit_cost", unit_cost)
        return _converted({"line_id": str(position), **fields, "quantity": quantity, "unit_price": unit_price}, Line)

    def quantity_and_price(self, row: Row) -> tuple[int, int]:
        """Read units and the price of one; goods sold by weight become one unit at the whole line's price."""
        text = self.text(row, "quantity")
        quantity = _number(text)
        if quantity == 0:
            raise _Unfit("quantity_zero", "quantity 0: nothing was sold")
        if quantity < 0:
            raise _Unfit("returned", f"quantity {text}: a return, not a sale")
        price = self.text(row, "unit_price")
        is_whole = quantity == int(quantity)
        try:
            if is_whole:
                return int(quantity), self.amount("unit_price", price)
        except _Unfit as unfit:
            if not self.text(row, "line_price"):
                raise _Unfit(unfit.reason, f"{unfit}{self.way_round(price)}") from None
        line_price = self.text(row, "line_price")
        if not line_price:
            raise _Unfit("quantity_broken", f"quantity {text} is not whole; map line_price to sell it as one unit")
        return 1, self.amount("line_price", line_price)

    def way_round(self, price: str) -> str:
        """Say what to do about a price of one unit that is a number, but not in the currency's decimals."""
        is_number = price.replace(".", "", 1).isdecimal()
        if not is_number or "line_price" in self.mapping.columns:
            return ""
        return "; map line_price, what the row costs in all, to sell it as one unit"

    def amount(self, field: str, text: str) -> int:
        """Read an amount as minor units; zeros beyond the currency's decimals say nothing and are dropped."""
        if text.startswith("-"):
            raise _Unfit("negative_price", f"{field} {text}: below zero")
        whole, point, decimals = text.partition(".")
        digits = self.terms.digits if self.mapping.amounts == "major" else 0
        decimals = decimals[:digits] + decimals[digits:].rstrip("0")
        try:
            return parse_money(whole + (point and decimals and "." + decimals), digits)
        except MoneyError as error:
            raise _Unfit("price", f"{field} {error}" if text else f"{field} is empty") from None

    def basket(self, first: Row, lines: Sequence[Line]) -> Basket:
        """Make the basket; what is said of the whole sale is read from its first row."""
        if len(lines) > MOST_LINES:
            raise _Unfit("too_many_lines", f"the receipt has {len(lines)} lines; expected at most {MOST_LINES}")
        currency = self.text(first, "currency") or self.terms.currency
        if currency != self.terms.currency:
            raise _Unfit("currency", f"sold in {currency}; the house's currency is {self.terms.currency}")
        fields: dict[str, object] = {name: self.text(first, name) for name in columns.SALE_TEXTS}
        fields = {name: value for name, value in fields.items() if value}
        basket = _converted(
            {
                **fields,
                "currency": currency,
                "coupons": self.words(first, "coupons"),
                "lines": lines,
                "at": self.moment(first),
            },
            Basket,
        )
        problem = next(basket_problems(basket), None)
        if problem:
            raise _Unfit("invalid", f"{problem.pointer}: {problem.detail}")
        return msgspec.structs.replace(basket, customer=self.customer(first))

    def customer(self, first: Row) -> Customer | None:
        """Return who bought, or None for somebody without a card."""
        fields = {name: text for name in columns.CUSTOMER_TEXTS if (text := self.text(first, name))}
        return _converted(fields, Customer) if fields else None

    def moment(self, row: Row) -> datetime:
        """Read the time of the sale; one without an offset is the house's wall clock."""
        text = self.text(row, "at")
        try:
            form = self.mapping.time_format
            moment = datetime.strptime(text, form) if form else datetime.fromisoformat(text)
        except ValueError:
            expected = self.mapping.time_format or "a time such as 2026-11-21T10:02:11, or a time_format in the mapping"
            raise _Unfit("time", f"at {text!r}: expected {expected}") from None
        if not EARLIEST.year <= moment.year <= LATEST.year:
            raise _Unfit("time", f"at {text!r}: expected a year from {EARLIEST.year} to {LATEST.year}")
        return moment if moment.tzinfo else moment.replace(tzinfo=self.terms.time_zone)

    def words(self, row: Row, field: str) -> tuple[str, ...]:
        """Read a cell of several words, separated by spaces, ``;`` or ``|``."""
        return tuple(self.text(row, field).replace(";", " ").replace("|", " ").split())

    def text(self, row: Row, field: str) -> str:
        """Return what the mapping finds for a field, without the blanks around it; empty where there is nothing."""
        source = self.mapping.columns.get(field)
        if source is None:
            return self.mapping.constants.get(field, "")
        if isinstance(source, str):
            return row.cells[source].strip()
        return "/".join(part for name in source if (part := row.cells[name].strip()))


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise _Unfit("quantity", f"quantity {text!r} is not a number" if text else "quantity is empty") from None
    if number != number or number in (float("inf"), float("-inf")):
        raise _Unfit("quantity", f"quantity {text!r} is not a number")
    return number


def _converted(fields: object, kind: type[Value]) -> Value:
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        raise _Unfit("invalid", str(error)) from None
