"""`pos-discount import`: once or twice, the same receipts; bad rows counted, explained and kept in a file."""

import csv
import gzip
import json
from pathlib import Path

import pytest

from cli.running import SECRET, Shop
from pos_discount.store import Store
from pos_discount.web.secret import Secret

SALES = """store,receipt,sold_at,article,pieces,price,card
S1,R1,2026-03-10T10:00,CREAM,2,12.50,L-1
S1,R1,2026-03-10T10:00,TONER,1,8.00,L-1
S1,R2,2026-03-10T11:00,CREAM,-1,12.50,L-1
S2,R3,2026-03-11T10:00,=SUM(A1),1,3.00,
"""
BROKEN = SALES + "S2,R4,2026-03-11T10:00,CREAM,1,twelve,\n"
COLUMNS = {
    "store_id": "store",
    "sale_id": "receipt",
    "at": "sold_at",
    "sku": "article",
    "quantity": "pieces",
    "unit_price": "price",
    "customer_id": "card",
}
OPTIONS = [part for field, column in COLUMNS.items() for part in ("--column", f"{field}={column}")]


def test_receipts_are_imported_and_importing_again_changes_nothing(shop: Shop) -> None:
    file = shop.write("sales.csv", SALES)
    first = shop.run("import", file, "--json", *OPTIONS)
    assert first.code == 0
    assert first.json() == {
        "receipts": 2,
        "lines": 3,
        "new": 2,
        "set_aside": {"returned": 1},
        "set_aside_file": "sales.set-aside.csv",
    }
    assert shop.run("import", file, "--json", *OPTIONS).json()["new"] == 0


def test_a_customer_is_kept_as_a_pseudonym_only(shop: Shop) -> None:
    shop.run("import", shop.write("sales.csv", SALES.replace("L-1", "L-889123")), *OPTIONS)
    kept = b"".join(path.read_bytes() for path in shop.folder.glob("shop.db*"))
    assert b"L-889123" not in kept
    assert Secret(SECRET).pseudonym("L-889123").encode() in kept


def test_customers_imported_with_another_secret_are_told_apart(shop: Shop) -> None:
    file = shop.write("sales.csv", SALES)
    assert "secret" not in shop.run("import", file, *OPTIONS).err
    assert "not the one with which" in shop.run("import", file, *OPTIONS, secret=SECRET + "!").err


def test_the_database_is_for_its_owners_eyes(shop: Shop) -> None:
    shop.run("import", shop.write("sales.csv", SALES), *OPTIONS)
    assert shop.database.stat().st_mode & 0o077 == 0


def test_customers_need_the_secret_and_receipts_without_them_do_not(shop: Shop) -> None:
    file = shop.write("sales.csv", SALES)
    refused = shop.run("import", file, *OPTIONS, secret=None)
    assert refused.code == 2
    assert "POS_DISCOUNT_SECRET" in refused.err
    assert shop.run("import", file, *OPTIONS[:-2], secret=None).code == 0


def test_a_row_that_is_wrong_is_explained_and_the_exit_code_says_so(shop: Shop) -> None:
    said = shop.run("import", shop.write("sales.csv", BROKEN), *OPTIONS)
    assert said.code == 1
    assert "row 6: unit_price 'twelve' is not an amount" in said.out
    assert "2 receipts with 3 lines; 2 of them new" in said.out


def test_the_rows_set_aside_are_in_a_file_with_nothing_that_a_spreadsheet_would_run(shop: Shop) -> None:
    text = SALES.replace("=SUM(A1),1,", "=SUM(A1),0,")
    shop.run("import", shop.write("sales.csv", text), *OPTIONS, "--set-aside", "aside.csv")
    with Path("aside.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["row"], row["reason"], row["article"], row["pieces"]) for row in rows] == [
        ("4", "returned", "CREAM", "-1"),
        ("5", "quantity_zero", "'=SUM(A1)", "0"),
    ]
    assert Path("aside.csv").stat().st_mode & 0o077 == 0


def test_nothing_set_aside_leaves_no_file(shop: Shop) -> None:
    shop.run("import", shop.write("sales.csv", "\n".join(SALES.split("\n")[:3])), *OPTIONS)
    assert not list(shop.folder.glob("*aside*"))


def test_a_mapping_file_and_a_compressed_file_do_as_well(shop: Shop) -> None:
    mapping = shop.write(
        "map.yaml", "columns:\n" + "".join(f"  {name}: {column}\n" for name, column in COLUMNS.items())
    )
    (shop.folder / "sales.csv.gz").write_bytes(gzip.compress(SALES.encode()))
    assert shop.run("import", "sales.csv.gz", "--mapping", mapping, "--json").json()["new"] == 2


def test_an_option_wins_over_the_mapping_file(shop: Shop) -> None:
    mapping = shop.write("map.json", '{"columns": {"sku": "nowhere"}, "constants": {"channel": "web"}}')
    said = shop.run("import", shop.write("sales.csv", SALES), "--mapping", mapping, "--dry-run", "--json", *OPTIONS)
    assert (said.code, said.json()["receipts"], said.json()["new"]) == (0, 2, 0)
    assert not shop.database.exists()


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        (SALES, [], ["'sale_id'", "--column sale_id=COLUMN"]),
        (SALES, ["--column", "sku"], ["FIELD=VALUE"]),
        (SALES, ["--column", "colour=article"], ["'colour'", "unit_price"]),
        ("", OPTIONS, ["no column 'store'"]),
    ],
    ids=["unmapped", "no pair", "no such field", "empty file"],
)
def test_what_cannot_be_mapped_is_said_before_anything_is_read(
    shop: Shop, text: str, options: list[str], words: list[str]
) -> None:
    said = shop.run("import", shop.write("sales.csv", text), *options)
    assert said.code == 1
    assert all(word in said.err for word in words)
    assert not shop.database.exists()


def test_a_file_cut_off_keeps_what_came_before(shop: Shop) -> None:
    rows = "".join(f"S1,R{n},2026-03-10T10:00,SKU-{n * 7919 % 1009},1,{n}.00,\n" for n in range(1, 3000))
    whole = gzip.compress((SALES.split("\n")[0] + "\n" + rows).encode())
    (shop.folder / "cut.csv.gz").write_bytes(whole[: len(whole) // 2])
    said = shop.run("import", "cut.csv.gz", *OPTIONS)
    assert said.code == 1
    assert "near line" in said.err
    assert "Traceback" not in said.err


def test_bytes_in_another_encoding_are_set_aside_not_mangled(shop: Shop) -> None:
    (shop.folder / "latin.csv").write_bytes(SALES.replace("TONER", "CAFÉ").encode("latin-1"))
    said = shop.run("import", "latin.csv", "--json", *OPTIONS)
    assert said.code == 1
    assert said.json()["set_aside"] == {"encoding": 1, "returned": 1}
    mapping = shop.write("map.yaml", "encoding: latin-1\n")
    assert shop.run("import", "latin.csv", "--mapping", mapping, "--dry-run", *OPTIONS).code == 0


def test_another_delimiter_is_recognised_and_named(shop: Shop) -> None:
    said = shop.run("import", shop.write("sales.csv", SALES.replace(",", ";")), *OPTIONS)
    assert said.code == 1
    assert "they seem to be separated by ';': write delimiter: ';' into a file and give it as --mapping" in said.err


def test_a_file_without_a_header_is_told_as_empty(shop: Shop) -> None:
    said = shop.run("import", shop.write("sales.csv", ""), *OPTIONS)
    assert said.code == 1
    assert "is empty; expected a first line that names the columns" in said.err


def test_an_encoding_that_there_is_not_is_refused_by_name(shop: Shop) -> None:
    mapping = shop.write("map.yaml", "encoding: utf-9")
    said = shop.run("import", shop.write("sales.csv", SALES), *OPTIONS, "--mapping", mapping)
    assert said.code == 1
    assert "mapping: unknown encoding 'utf-9'; expected one such as utf-8 or cp1252" in said.err


def test_receipts_that_lack_rows_are_told_how_to_be_read_anew(shop: Shop) -> None:
    said = shop.run("import", shop.write("sales.csv", BROKEN), *OPTIONS)
    assert said.code == 1
    assert "import them again with --replace" in said.out
    assert "--replace" not in shop.run("import", shop.write("sales.csv", SALES), *OPTIONS).out


def kept(shop: Shop, source: str = "receipts") -> dict[str, int]:
    """Return how many lines each kept receipt of a source has."""
    store = Store(shop.database)
    receipts = [receipt for block in store.read_receipts(source) for receipt in block]
    store.close()
    return {receipt.receipt_id: len(json.loads(receipt.basket)["lines"]) for receipt in receipts}


def test_mended_receipts_replace_all_of_their_source_and_no_other(shop: Shop) -> None:
    broken = SALES.replace("TONER,1,8.00", "TONER,1,eight")
    shop.run("import", shop.write("sales.csv", broken), *OPTIONS)
    shop.run("import", shop.write("sales.csv", broken), *OPTIONS, "--source", "other")
    assert kept(shop) == {"R1": 1, "R3": 1}
    mended = shop.write("sales.csv", SALES.replace("S2,R3", "S2,R5"))
    assert shop.run("import", mended, *OPTIONS, "--replace", "--json").json()["new"] == 2
    assert kept(shop) == {"R1": 2, "R5": 1}
    assert kept(shop, "other") == {"R1": 1, "R3": 1}


@pytest.mark.parametrize("rows", [0, 1500], ids=["no sale in it", "cut off"])
def test_a_file_that_cannot_stand_for_all_of_a_source_replaces_nothing(shop: Shop, rows: int) -> None:
    shop.run("import", shop.write("sales.csv", SALES), *OPTIONS)
    sales = "".join(f"S1,R{n},2026-03-10T10:00,SKU-{n * 7919 % 1009},1,{n}.00,\n" for n in range(1, rows))
    whole = gzip.compress((SALES.split("\n")[0] + "\n" + sales).encode())
    (shop.folder / "next.csv.gz").write_bytes(whole[: len(whole) * 2 // 3] if rows else whole)
    said = shop.run("import", "next.csv.gz", *OPTIONS, "--replace")
    assert said.code == 1
    assert "nothing was replaced" in said.err
    assert kept(shop) == {"R1": 2, "R3": 1}


def test_times_of_another_form_are_told_what_to_write(shop: Shop) -> None:
    sold = SALES.replace("2026-03-10T10:00", "10.03.2026 10:00")
    said = shop.run("import", shop.write("sales.csv", sold), *OPTIONS)
    assert "time_format" in said.out
