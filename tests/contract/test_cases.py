"""Cases that the format's page decides: what a promotion gives, when it holds, and what may be given together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.shop import CASES, Case, Shops, ask, check, read_cases

TABLES = {path.name: read_cases(path.name) for path in sorted(CASES.glob("*.yaml"))}
PRICE_LIST = "sku,price\nA,7.99\nB,12.00\nC,0.00\n"
PRODUCTS = (
    "sku,category,brand,supplier,tags,unit_cost\n"
    "CREAM,care/face,Aurelie,NORDIC,new;vegan,5.40\n"
    "SOAP,bath/soap,,,,\nCARD,gift-cards,,,,\nOTHER,,Other,,,\n"
)
FILES = {"prices.csv": PRICE_LIST, "products.csv": PRODUCTS}


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shops]:
    yield Shops(Path(tmp_path_factory.mktemp("shops")))


@pytest.mark.parametrize(
    ("table", "case"),
    [
        pytest.param(name, case, id=f"{name.removesuffix('.yaml')}: {case['title']}")
        for name, cases in TABLES.items()
        for case in cases
    ],
)
def test_the_service_answers_as_the_page_says(table: str, case: Case, shops: Shops) -> None:
    client = shops.client(case.get("house", {}), TABLES[table], FILES)
    check(ask(client, case), case["want"])
