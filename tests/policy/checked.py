"""Small policies as they are checked in tests: a guarded house, and what is found beside the usual advice."""

from __future__ import annotations

from datetime import UTC, datetime

from pos_discount.policy import check_policy

from .reading import HOUSE, policy_of, read_files

NOW = datetime(2026, 3, 10, tzinfo=UTC)
GUARDED = (
    HOUSE
    + """\
guards:
  max_depth: 40%
  min_margin: 5%
  never: {category: gift-cards}
  min_price: [{of: {brand: Orvelle}, price: 9}, {of: make-up, price: 3.50}]
  authority: {cashier: 10%, supervisor: 30%}
margins:
  - {of: care, rate: 20%}
  - {rate: 50%}
catalogue: products.csv
"""
)
CATALOGUE = "sku,category,unit_cost\nA,care,8.00\nB,make-up,2.00\n"


def findings(promotions: str, house: str = GUARDED) -> list[str]:
    """Return what is found beside missing examples and owners, one line each."""
    files = {
        "house.yaml": house,
        "spring.yaml": promotions,
        "products.csv": CATALOGUE,
        "week.csv": "sku,price\nA,8.20\nB,3\n",
    }
    found = check_policy(policy_of(read_files(files)), NOW)
    usual = ("no example", "nobody answers", "is not used")
    return [str(finding) for finding in found if not any(words in finding.message for words in usual)]


def several(*promotions: str) -> str:
    """Return a file of promotions, each written as its keys in flow style; ids count from ``a``."""
    lines = "".join(f"  - {{id: {name}, name: N, {keys}}}\n" for name, keys in zip("abcdef", promotions, strict=False))
    return f"promotions:\n{lines}"
