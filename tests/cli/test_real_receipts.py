"""Real receipts are read as they are: what is a sale becomes a basket, and the rest is told apart by reason."""

import csv
import gzip
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from cli.running import Shop

DATA = Path(__file__).parents[3] / "shared" / "data"
GROCERY = """
columns:
  {sale_id: basket_id, at: ts, sku: product_id, unit_price: regular_unit_price, line_price: gross_value,
   category: [department, category, subcategory], supplier: manufacturer_id, customer_id: household_id}
"""
GIFTWARE = """
columns: {sale_id: invoice, at: ts, sku: stock_code, name: description, region: country, cancelled: is_cancellation}
constants: {store_id: wholesale}
"""
HOUSE = "policy: 1\ncurrency: EUR\ntime_zone: Europe/London\n"


def import_rows(shop: Shop, name: str, mapping: str, rows: int | None) -> dict[str, Any]:
    """Import the first rows of a real file, all of them for None, and return what was reported."""
    source = DATA / name
    if not source.exists():
        pytest.skip(f"the real receipts are not at {source}")
    with gzip.open(source, "rt", encoding="utf-8") as file:
        lines = list(islice(file, rows))
    shop.write("house/house.yaml", HOUSE)
    said = shop.run(
        *("import", shop.write("some.csv", "".join(lines)), "--mapping", shop.write("map.yaml", mapping)),
        *("--policies", shop.folder / "house", "--json"),
    )
    report: dict[str, Any] = said.json()
    return report


def test_grocery_baskets_lose_only_their_coupon_lines(shop: Shop) -> None:
    report = import_rows(shop, "grocery/basket_lines.csv.gz", GROCERY, 4000)
    with (shop.folder / "some.csv").open(newline="", encoding="utf-8") as file:
        unsold = sum(row["quantity"] == "0" for row in csv.DictReader(file))
    assert report["set_aside"] == {"quantity_zero": unsold}
    assert report["lines"] == 3999 - unsold
    assert report["new"] == report["receipts"]


def test_giftware_invoices_lose_their_returns_and_voided_sales(shop: Shop) -> None:
    report = import_rows(shop, "giftware/invoice_lines.csv.gz", GIFTWARE, 4000)
    assert set(report["set_aside"]) == {"cancelled", "returned"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "mapping", "receipts", "aside"),
    [
        ("grocery/basket_lines.csv.gz", GROCERY, 6932, {"quantity_zero": 362}),
        (
            "giftware/invoice_lines.csv.gz",
            GIFTWARE,
            17469,
            {"cancelled": 8323, "returned": 1774, "price": 12, "negative_price": 2},
        ),
    ],
    ids=["grocery", "giftware"],
)
def test_all_of_it(shop: Shop, name: str, mapping: str, receipts: int, aside: dict[str, int]) -> None:
    report = import_rows(shop, name, mapping, None)
    assert (report["receipts"], report["set_aside"]) == (receipts, aside)
