"""The CSV files that a policy names: the catalogue and price lists."""

from __future__ import annotations

import pytest

from pos_discount.policy.benefits import PriceList
from pos_discount.policy.model import CatalogueRow

from .reading import HOUSE, lines_of, policy_of, promotion, read, read_files

WITH_CATALOGUE = HOUSE + "catalogue: products.csv\n"


def catalogue_of(table: str | bytes) -> dict[str, CatalogueRow]:
    return dict(policy_of(read_files({"house.yaml": WITH_CATALOGUE, "products.csv": table})).house.catalogue)


def test_a_catalogue_fills_in_what_a_till_leaves_out() -> None:
    table = 'sku,category,brand,supplier,tags,unit_cost\nA,care/face,"Nord, Sea",N,new|vegan; soft,5.40\nB,,,,,\n'
    assert catalogue_of(table) == {
        "A": CatalogueRow("care/face", "Nord, Sea", "N", ("new", "vegan", "soft"), 540),
        "B": CatalogueRow(),
    }


@pytest.mark.parametrize(
    "table",
    [
        b"\xef\xbb\xbfsku,brand\r\nA,Caf\xc3\xa9\r\n",
        'brand,sku\n"Café","A"\n',
        "\nsku,brand\n\nA,Café",
        "sku , brand\n A , Café \n",
    ],
    ids=["byte order mark and CRLF", "quoted, other order", "blank lines, no last newline", "blanks around cells"],
)
def test_a_catalogue_may_be_written_as_spreadsheets_write_it(table: str | bytes) -> None:
    assert catalogue_of(table) == {"A": CatalogueRow(brand="Café")}


def test_a_price_list_sets_a_unit_price_for_each_sku() -> None:
    policy = policy_of(read(promotion("{price_list: week.csv}"), week__csv="sku,price\nA,9.99\n012,5\n"))
    benefit = policy.promotions[0].benefit
    assert isinstance(benefit, PriceList)
    assert benefit.price_list.price_by_sku == {"A": 999, "012": 500}
    assert benefit.price_list.products.sku == ("A", "012")


BAD_TABLES = {
    "no header": ("", "1:1", "column 'sku' is missing; expected a header with sku"),
    "a header without sku": ("brand\nA\n", "1:1", "column 'sku' is missing"),
    "an unknown column": ("sku,brnd\n", "1:5", "unknown column 'brnd'; did you mean 'brand'?"),
    "a column twice": ("sku,brand,brand\n", "1:11", "duplicate column 'brand'"),
    "a sku twice": ("sku\nA\nB\nA\n", "4:1", "duplicate sku 'A', first written in line 2"),
    "no sku": ("sku,brand\n,X\n", "2:1", "column sku: nothing is written here"),
    "too few cells": ("sku,brand\nA\n", "2:1", "1 cells; expected 2"),
    "too many cells": ("sku,brand\nA,B,C\n", "2:1", "3 cells; expected 2"),
    "a wrong amount": ("sku,brand,unit_cost\nA,X,1.234\n", "2:5", "3 decimals"),
    "a wrong amount behind quotes": (
        'sku,brand,unit_cost\nA,"X, Y",abc\n',
        "2:10",
        "column unit_cost: 'abc' is not an amount",
    ),
    "a wrong amount after a cell of two lines": ('sku,brand,unit_cost\nA,"X\nY",1\nB,,x\n', "4:4", "not an amount"),
    "an open quote": ('sku,brand\nA,"X\n', "2:1", "not CSV"),
    "bytes that are not UTF-8": (b"sku\n\xe9\n", "2:1", "not UTF-8"),
    "a control character": ("sku\nA\0\n", "2:2", "control character U+0000"),
}


@pytest.mark.parametrize(("table", "place", "words"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_a_wrong_table_is_refused_where_it_goes_wrong(table: str | bytes, place: str, words: str) -> None:
    problems = lines_of(read_files({"house.yaml": WITH_CATALOGUE, "products.csv": table}))
    assert len(problems) == 1
    assert problems[0].startswith(f"products.csv:{place}: ")
    assert words in problems[0]


def test_a_price_list_needs_a_price_for_each_sku() -> None:
    problems = lines_of(read(promotion("{price_list: week.csv}"), week__csv="sku,price\nA,\nB,-1\n"))
    assert [line.split(": ")[0] for line in problems] == ["week.csv:2:3", "week.csv:3:3"]


def test_the_name_of_a_table_may_be_misspelt_but_not_guessed() -> None:
    problems = lines_of(read_files({"house.yaml": WITH_CATALOGUE, "product.csv": "sku\n"}))
    assert problems == ["house.yaml:7:12: no file 'products.csv' in the folder; did you mean 'product.csv'?"]
