"""The cosmetics lines of real grocery baskets under the shipped policies: a ladder for each member's basket.

Run ``python -m tests.receipts.cosmetics 10`` to see the first ten as a cashier would. The receipts' dollars are taken
for the house's euros, and they name no brand that the house knows, so that only what is for any basket or a category
applies.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from pos_discount.answer import Answer
from pos_discount.basket import Basket
from pos_discount.decide import Known, Seed, decide
from pos_discount.policy import load_policy
from pos_discount.pricing import PolicyIndex
from tests.receipts.data import Row, grouped, rows_of
from tests.receipts.giftware import ROOT

CATEGORIES = {
    "MAKEUP AND TREATMENT": "make-up",
    "FRAGRANCES": "fragrance",
    "BATH": "bath",
    "COSMETIC ACCESSORIES": "accessories",
    "HAIR CARE PRODUCTS": "hair",
    "HAIR CARE ACCESSORIES": "hair/accessories",
    "SOAP - LIQUID & BAR": "bath/soap",
    "DEODORANTS": "deodorant",
    "HAND/BODY/FACIAL PRODUCTS": "care",
    "SHAVING CARE PRODUCTS": "men/shaving",
    "SUNTAN": "care/sun",
    "FOOT CARE PRODUCTS": "care/foot",
}
AT = datetime(2026, 11, 21, 10, tzinfo=UTC)


def decide_baskets() -> Iterator[tuple[Basket, Answer]]:
    """Decide on the cosmetics of every basket that holds some; each receipt is a member's."""
    index = PolicyIndex(load_policy(ROOT / "policies"))
    rows = (row for row in rows_of("grocery/basket_lines.csv.gz") if row["category"] in CATEGORIES)
    for basket_id, bought in grouped(rows, "basket_id"):
        basket = _basket([row for row in bought if int(row["quantity"]) > 0])
        if basket is not None:
            yield basket, decide(basket, index, None, Known(), AT, Seed(f"dec_{basket_id}", basket_id)).answer


def _basket(rows: list[Row]) -> Basket | None:
    lines = []
    for number, row in enumerate(rows, start=1):
        quantity, gross = int(row["quantity"]), round(float(row["gross_value"]) * 100)
        units = 1 if gross % quantity else quantity
        lines.append(
            {
                "line_id": str(number),
                "sku": row["product_id"],
                "name": row["subcategory"].capitalize(),
                "category": CATEGORIES[row["category"]],
                "quantity": units,
                "unit_price": gross // units,
            }
        )
    if not lines:
        return None
    member = {"customer_id": rows[0]["household_id"]}
    return msgspec.convert({"store_id": "S001", "currency": "EUR", "lines": lines, "customer": member}, Basket)


def _print(most: int) -> None:
    from pos_discount.cli.ladder import print_ladder

    decided = list(decide_baskets())
    rungs = [len(answer.ladder) for _, answer in decided]
    print(f"{len(decided)} baskets, {sum(map(bool, rungs))} with a ladder, {sum(rungs) / len(rungs):.2f} rungs each\n")
    dearest = sorted(decided, key=lambda pair: -pair[1].list_total)
    for basket, answer in dearest[:most]:
        print_ladder(basket, answer, 2)
        print()


if __name__ == "__main__":
    _print(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
