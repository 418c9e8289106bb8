"""A grocer's member prices as an automatic promotion: does the engine give back what the receipts say, to the cent?

For each week and store the observed shelf prices make one price list for card holders. A price that is no whole
number of cents was averaged over several prices of that week and cannot stand on a shelf label; it stays out of the
list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from pos_discount.basket import Basket
from pos_discount.policy import Policy, read_policy
from pos_discount.pricing import Context, PolicyIndex, price
from tests.receipts.data import Row, grouped, rows_of

ZONE = ZoneInfo("America/New_York")
FIRST_DAY_OF_WEEK = {"96": "2018-01-15", "97": "2018-01-22", "98": "2018-01-29"}
_CENT = Decimal("0.01")

Shelf = tuple[str, str, str]


class Comparison(NamedTuple):
    """One merchandise line: what its receipt says, what the engine gave, and why they differ, if they do."""

    basket_id: str
    product_id: str
    receipt: int
    engine: int
    reason: str | None


def compare_baskets(share: int = 1) -> Iterator[Comparison]:
    """Compare every merchandise line of every ``share``-th basket."""
    shelf = {_shelf(row): row for row in rows_of("grocery/observed_shelf_prices.csv.gz")}
    index = PolicyIndex(_policy(shelf.values()))
    baskets = grouped((row for row in rows_of("grocery/basket_lines.csv.gz") if row["is_merch"] == "1"), "basket_id")
    for number, (_, rows) in enumerate(baskets):
        sold = [row for row in rows if int(row["quantity"]) > 0]
        if number % share == 0 and sold:
            yield from _compare(index, shelf, sold)


def _compare(index: PolicyIndex, shelf: dict[Shelf, Row], rows: list[Row]) -> Iterator[Comparison]:
    basket = _basket(rows)
    pricing = price(index, basket, Context(basket.at or datetime.now(ZONE)))
    for position, row in enumerate(rows):
        receipt = _cents(row["loyalty_discount"])
        engine = pricing.scan.list_totals[position] - pricing.base.nets[position]
        reason = None if receipt == engine else _why(row, shelf.get(_shelf(row)))
        yield Comparison(row["basket_id"], row["product_id"], receipt, engine, reason)


def _why(row: Row, label: Row | None) -> str:
    """Say why a line is not sold at its week's shelf price, from the receipts alone."""
    regular = Decimal(row["regular_unit_price"])
    if label is None:
        return "the product has no observed shelf price in that week and store"
    if regular % _CENT:
        return "the line's price is no whole number of cents for each unit"
    if Decimal(label["card_unit_price"]) % _CENT:
        return "the shelf price is an average over different prices of that week"
    if Decimal(label["regular_unit_price"]) != regular:
        return "the line's regular price is not the shelf's (sold by weight, or repriced within the week)"
    if Decimal(label["card_unit_price"]) != Decimal(row["card_unit_price"]):
        return "the line's card price is not the shelf's (another deal within the week)"
    return "unexplained"


def _basket(rows: list[Row]) -> Basket:
    lines = [
        {"line_id": str(n), "sku": row["product_id"], **_quantity_and_price(row), "category": row["department"] or None}
        for n, row in enumerate(rows)
    ]
    at = datetime.fromisoformat(rows[0]["ts"]).replace(tzinfo=ZONE)
    request = {"store_id": rows[0]["store_id"], "currency": "USD", "at": at.isoformat(), "lines": lines}
    return msgspec.convert(request | {"customer": {"customer_id": rows[0]["household_id"]}}, Basket)


def _quantity_and_price(row: Row) -> dict[str, int]:
    """Return a line as a till sends it: weighed goods, whose price is not whole cents for each unit, as one unit."""
    quantity, gross = int(row["quantity"]), _cents(row["gross_value"])
    if gross % quantity:
        return {"quantity": 1, "unit_price": gross}
    return {"quantity": quantity, "unit_price": gross // quantity}


def _policy(labels: Iterable[Row]) -> Policy:
    lists: dict[tuple[str, str], list[str]] = {}
    for row in labels:
        card = Decimal(row["card_unit_price"])
        if not card % _CENT:
            lists.setdefault((row["week_no"], row["store_id"]), []).append(f"{row['product_id']},{card:.2f}")
    files = {"house.yaml": b"policy: 1\ncurrency: USD\ntime_zone: America/New_York\nholdout: {share: 0%}\n"}
    files |= {
        f"week-{week}-{store}.csv": "\n".join(["sku,price", *rows]).encode() for (week, store), rows in lists.items()
    }
    promotions = [_promotion(week, store) for week, store in lists]
    read = read_policy(files | {"members.yaml": msgspec.json.encode({"promotions": promotions})})
    assert isinstance(read, Policy), str(read)
    return read


def _promotion(week: str, store: str) -> dict[str, object]:
    first = datetime.fromisoformat(FIRST_DAY_OF_WEEK[week])
    return {
        "id": f"members-{week}-{store}",
        "name": f"Member prices of week {week}",
        "offer": "automatic",
        "stores": [store],
        "from": f"{first:%Y-%m-%d}",
        "until": f"{first + timedelta(days=7):%Y-%m-%d}",
        "when": [{"member": "yes"}],
        "benefit": {"price_list": f"week-{week}-{store}.csv"},
    }


def _shelf(row: Row) -> Shelf:
    return row["week_no"], row["store_id"], row["product_id"]


def _cents(text: str) -> int:
    return int((Decimal(text) * 100).to_integral_value())


def summary(comparisons: Iterable[Comparison]) -> Counter[str]:
    """Count lines by why they differ; those that do not as "agree"."""
    return Counter(comparison.reason or "agree" for comparison in comparisons)
