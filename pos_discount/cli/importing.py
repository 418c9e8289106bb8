"""`pos-discount import`: receipts from CSV into the database, and every row that is no sale into a file, with the
reason."""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TextIO, cast

import click
import msgspec

from pos_discount.cli import environment
from pos_discount.cli.cells import harmless
from pos_discount.cli.mapping import ColumnMapping, complete_mapping, load_mapping
from pos_discount.cli.output import Trouble, json_option, note, print_json, print_table, with_progress
from pos_discount.cli.receipts import HouseTerms, Receipt, Row, SetAside, parse_receipts
from pos_discount.store import Receipt as KeptReceipt
from pos_discount.store import Store
from pos_discount.web.secret import ANOTHER_SECRET, Secret

BATCH = 500
NO_FAULT = frozenset({"returned", "cancelled", "quantity_zero", "left_out"})
"""Reasons that say what a row is, not that something is wrong with it."""


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--mapping", "mapping_file", type=click.Path(path_type=Path), help="A YAML or JSON file with the mapping."
)
@click.option("--column", "columns", multiple=True, metavar="FIELD=COLUMN", help="Where a field is found; a/b joins.")
@click.option("--constant", "constants", multiple=True, metavar="FIELD=TEXT", help="A field that is the same for all.")
@click.option("--source", default="receipts", show_default=True, help="A name under which these receipts are kept.")
@click.option("--replace", is_flag=True, help="Put FILE in the place of all receipts of the source.")
@click.option("--set-aside", type=click.Path(path_type=Path), help="Where rows go that are no sale.")
@click.option("--policies", type=click.Path(path_type=Path), help="The policy, for currency and time zone.")
@click.option("--dry-run", is_flag=True, help="Read and report, but keep no receipt.")
@json_option
def import_receipts(
    file: Path,
    mapping_file: Path | None,
    columns: tuple[str, ...],
    constants: tuple[str, ...],
    source: str,
    replace: bool,
    set_aside: Path | None,
    policies: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Import the receipts in FILE (.csv or .csv.gz), one row per line sold, rows of a receipt together.

    Expected are columns sale_id, store_id, at, sku, quantity and unit_price; others may be named by --column or in a
    mapping file, which can also hold what the options cannot:

    \b
      columns: {sale_id: invoice, at: sold_at, category: [department, group]}
      constants: {store_id: S001}
      delimiter: ";"
      encoding: cp1252
      time_format: "%d.%m.%Y %H:%M"
      amounts: minor                  # 1250, not 12.50
      only: {kind: [sale]}            # the rows whose column holds one of these

    Returns, voided sales, zero quantities and rows that cannot be read are set aside in a file with the reason. A
    receipt that is there already stays as it is, so importing twice changes nothing; with --replace all receipts of the
    source go and those in FILE come, at once or, where FILE cannot be read to its end, not at all. Exit code 1: some
    rows were wrong, not merely no sale.

    \b
    Example:
      pos-discount import sales.csv.gz --column sku=article --column at=sold_at --constant store_id=S001
    """
    house = environment.read_policy(environment.policies_folder(policies)).house
    terms = HouseTerms(house.currency, house.currency_digits, house.time_zone)
    mapping = load_mapping(mapping_file, columns, constants)
    aside_file = set_aside or Path(file.name.removesuffix(".gz").removesuffix(".csv") + ".set-aside.csv")
    till_then = "nothing was replaced" if replace else "what came before is imported"
    with _rows(file, mapping, till_then) as (header, rows), _Aside(aside_file, header) as aside:
        complete = complete_mapping(mapping, header)
        items = parse_receipts(with_progress(rows, f"rows of {file.name}"), complete, terms)
        imported = _Dry() if dry_run else _Keeper(complete, source, replace)
        with imported:
            _import(items, imported, aside)
    _report(imported, aside, as_json)
    raise SystemExit(1 if set(aside.rows_by_reason) - NO_FAULT else 0)


class _Dry:
    """Counts what would be imported."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def __enter__(self) -> _Dry:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left to do."""

    def add(self, receipt: Receipt) -> None:
        self.counts.update(receipts=1, lines=receipt.rows)


class _Keeper(_Dry):
    """Keeps receipts in the database, some hundred in one transaction or, where they replace others, all; customers by
    pseudonym only.
    """

    def __init__(self, mapping: ColumnMapping, source: str, replace: bool) -> None:
        super().__init__()
        has_customers = "customer_id" in mapping.columns or "customer_id" in mapping.constants
        self._settings = environment.read_settings() if has_customers else environment.read_settings_without_secret()
        self._secret: Secret | None = environment.read_secret(self._settings) if has_customers else None
        self._source = source
        self._replaced = source if replace else None
        self._waiting: list[KeptReceipt] = []
        self._opened = environment.open_store(self._settings, may_create=True)
        self._store: Store | None = None

    def __enter__(self) -> _Keeper:
        self._store = self._opened.__enter__()
        if self._secret and not self._store.note_secret(self._secret.fingerprint, environment.now_microseconds()):
            note(f"{ANOTHER_SECRET}: customers in {self._source} are others than those who are known")
        return self

    def __exit__(self, *failure: Any) -> None:
        try:
            if failure[0] is None:
                self._flush()
        finally:
            self._opened.__exit__(*failure)

    def add(self, receipt: Receipt) -> None:
        super().add(receipt)
        basket = self._secret.pseudonymous(receipt.basket) if self._secret else receipt.basket
        customer = basket.customer.customer_id if basket.customer else None
        content = msgspec.json.encode(basket)
        self._waiting.append(KeptReceipt(basket.store_id, self._source, basket.sale_id or "", content, customer))
        if len(self._waiting) >= BATCH and self._replaced is None:
            self._flush()

    def _flush(self) -> None:
        assert self._store is not None
        if self._replaced is not None and not self._waiting:
            raise Trouble("no receipt could be read, so nothing was replaced; look at the rows that were set aside")
        self.counts["new"] += self._store.keep_receipts(self._waiting, self._replaced)
        self._waiting.clear()


class _Aside:
    """The file of rows set aside; it is made with its first row, so that a clean import leaves none."""

    def __init__(self, path: Path, header: list[str]) -> None:
        self.path = path
        self.rows_by_reason: Counter[str] = Counter()
        self.first_by_reason: dict[str, SetAside] = {}
        self._header = header
        self._file: TextIO | None = None

    def __enter__(self) -> _Aside:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

    def add(self, item: SetAside) -> None:
        self.rows_by_reason[item.reason] += 1
        self.first_by_reason.setdefault(item.reason, item)
        if self._file is None:
            self._file = self.path.open("w", encoding="utf-8", errors="surrogateescape", newline="")
            self.path.chmod(0o600)
            csv.writer(self._file).writerow(["row", "reason", "detail", *self._header])
        cells = (harmless(str(item.row.cells.get(name) or "")) for name in self._header)
        csv.writer(self._file).writerow([item.row.number, item.reason, harmless(item.detail), *cells])


@contextmanager
def _rows(file: Path, mapping: ColumnMapping, till_then: str) -> Iterator[tuple[list[str], Iterator[Row]]]:
    with (
        gzip.open(file, "rb") if file.name.endswith(".gz") else file.open("rb") as opened,
        io.TextIOWrapper(cast(IO[bytes], opened), mapping.encoding, errors="surrogateescape", newline="") as text,
    ):
        reader = csv.DictReader(text, delimiter=mapping.delimiter)
        try:
            yield list(reader.fieldnames or ()), (Row(number, cells) for number, cells in enumerate(reader, start=2))
        except (csv.Error, EOFError, OSError, UnicodeError, LookupError) as error:
            raise Trouble(f"{file}, near line {reader.line_num}: {error}; {till_then}") from None


def _import(items: Iterator[Receipt | SetAside], imported: _Dry, aside: _Aside) -> None:
    for item in items:
        if isinstance(item, SetAside):
            aside.add(item)
        else:
            imported.add(item)


def _report(imported: _Dry, aside: _Aside, as_json: bool) -> None:
    counts = {name: imported.counts[name] for name in ("receipts", "lines", "new")}
    if as_json:
        path = str(aside.path) if aside.rows_by_reason else None
        print_json({**counts, "set_aside": dict(aside.rows_by_reason), "set_aside_file": path})
        return
    there = counts["receipts"] - counts["new"]
    kept = f"{counts['new']} of them new, {there} there already" if isinstance(imported, _Keeper) else "none was kept"
    click.echo(f"{counts['receipts']} receipts with {counts['lines']} lines; {kept}")
    if aside.rows_by_reason:
        counted = aside.rows_by_reason.most_common()
        rows = ((reason, count, _first(aside.first_by_reason[reason])) for reason, count in counted)
        print_table(f"Set aside in {aside.path}", ("reason", "rows", "the first of them"), rows, ("rows",))
    if counts["new"] and set(aside.rows_by_reason) - NO_FAULT:
        click.echo("Receipts were kept without their rows that were wrong. Mended, import them again with --replace.")


def _first(item: SetAside) -> str:
    return f"row {item.row.number}: {item.detail}"
