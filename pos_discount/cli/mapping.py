"""A mapping: which column of somebody's receipts means what, in which zone and by which format its times are written.

Hides the two ways of giving one, a file and options on the command line; the options win. Left alone, a column is
expected to bear the field's own name.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from pos_discount.cli.output import Trouble

REQUIRED = ("sale_id", "store_id", "at", "sku", "quantity", "unit_price")
LINE_TEXTS = ("line_id", "sku", "name", "category", "brand", "supplier")
SALE_TEXTS = ("store_id", "sale_id", "till_id", "cashier_id", "channel", "region", "payment")
CUSTOMER_TEXTS = ("customer_id", "tier")
FIELDS = (
    *REQUIRED,
    *("line_id", "name", "category", "brand", "supplier", "tags", "unit_cost", "line_price", "currency", "cancelled"),
    *("till_id", "cashier_id", "channel", "region", "payment", "coupons", "customer_id", "tier"),
)

Source = str | tuple[str, ...]


class ColumnMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where each field of a receipt is found.

    ``columns`` maps a field to a column, or to several that are joined with ``/`` (a category and what lies below it).
    ``constants`` holds fields that are the same for all rows. ``only`` keeps the rows whose column holds one of the
    values. ``time_format`` is a `strptime` format where times are not ISO 8601; a time without an offset is the house's
    wall clock. ``amounts`` says whether prices are written in major units (12.50) or minor ones (1250).
    """

    columns: dict[str, Source] = {}
    constants: dict[str, str] = {}
    only: dict[str, tuple[str, ...]] = {}
    time_format: str | None = None
    amounts: Literal["major", "minor"] = "major"
    delimiter: str = ","
    encoding: str = "utf-8-sig"

    def used_columns(self) -> tuple[str, ...]:
        """Name every column that the mapping reads."""
        mapped = [
            name for source in self.columns.values() for name in ((source,) if isinstance(source, str) else source)
        ]
        return tuple(dict.fromkeys([*mapped, *self.only]))


def load_mapping(path: Path | None, columns: Sequence[str], constants: Sequence[str]) -> ColumnMapping:
    """Read a mapping file (YAML or JSON) and lay the options `FIELD=COLUMN` and `FIELD=TEXT` over it.

    Raises `Trouble` where the file or an option is no mapping, naming the fields that there are.
    """
    mapping = _read(path) if path else ColumnMapping()
    merged = msgspec.structs.replace(
        mapping,
        columns={**mapping.columns, **{field: _source(text) for field, text in _pairs("--column", columns)}},
        constants={**mapping.constants, **dict(_pairs("--constant", constants))},
    )
    unknown = [field for field in (*merged.columns, *merged.constants) if field not in FIELDS]
    if unknown:
        raise Trouble(f"a receipt has no field {unknown[0]!r}; expected some of {', '.join(FIELDS)}")
    if len(merged.delimiter) != 1:
        raise Trouble("mapping: 'delimiter' must be one character")
    try:
        codecs.lookup(merged.encoding)
    except LookupError:
        raise Trouble(f"mapping: unknown encoding {merged.encoding!r}; expected one such as utf-8 or cp1252") from None
    return merged


def complete_mapping(mapping: ColumnMapping, header: Sequence[str]) -> ColumnMapping:
    """Map what is not mapped to columns of the same name, and make sure that every column it reads is in the file.

    Raises `Trouble` that lists all that is missing at once.
    """
    given = set(mapping.columns) | set(mapping.constants)
    own_names = {field: field for field in FIELDS if field not in given and field in header}
    complete = msgspec.structs.replace(mapping, columns={**mapping.columns, **own_names})
    absent = [name for name in complete.used_columns() if name not in header]
    unmapped = [field for field in REQUIRED if field not in complete.columns and field not in complete.constants]
    if absent or unmapped:
        raise Trouble("\n".join(_complaints(absent, unmapped, header)))
    return complete


def _complaints(absent: Sequence[str], unmapped: Sequence[str], header: Sequence[str]) -> list[str]:
    lines = [f"the file has no column {name!r}, which the mapping reads" for name in absent]
    lines += [
        f"nothing says where to find {name!r}: add --column {name}=COLUMN or --constant {name}=TEXT"
        for name in unmapped
    ]
    if not header:
        return [*lines, "the file is empty; expected a first line that names the columns"]
    lines.append(f"the file's columns are: {', '.join(header)}")
    other = next((mark for mark in ";\t|," if len(header) == 1 and mark in header[0]), None)
    if other:
        wanted = f"write delimiter: {other!r} into a file and give it as --mapping"
        lines.append(f"they seem to be separated by {other!r}: {wanted}")
    return lines


def _read(path: Path) -> ColumnMapping:
    import yaml

    try:
        content: Any = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
        return msgspec.convert(content, ColumnMapping, strict=False)
    except (OSError, UnicodeDecodeError) as error:
        raise Trouble(f"{path}: cannot be read: {error}") from None
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        known = ", ".join(ColumnMapping.__struct_fields__)
        raise Trouble(f"{path}: not a mapping: {error}; expected some of {known}") from None


def _pairs(option: str, texts: Sequence[str]) -> list[tuple[str, str]]:
    pairs = [text.partition("=") for text in texts]
    for text, (field, equals, value) in zip(texts, pairs, strict=True):
        if not (field and equals and value):
            raise Trouble(f"{option} {text!r}: expected FIELD=VALUE, such as sku=stock_code")
    return [(field, value) for field, _, value in pairs]


def _source(text: str) -> Source:
    names = tuple(text.split("/"))
    return names if len(names) > 1 else text
