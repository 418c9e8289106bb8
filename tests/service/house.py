"""A chain that sells with limits and budgets, so that what is lost or counted twice shows in its counters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

HOUSE = """
policy: 1
currency: EUR
time_zone: Europe/Paris
ladder: {min_step: 0.50}
margins: [{rate: 50%}]
holdout: {share: 100%, ladder: full}   # every ladder names every rung: the first is always the smallest
"""

PROMOTIONS = """
promotions:
  - id: welcome
    name: A welcome, counted
    benefit: {amount: 1.00}
    limits: [{uses: 1000000, per: chain}, {budget: 1000000.00, per: chain, every: year}]
  - id: ten
    name: Ten percent
    benefit: {percent: 10%}
  - id: last-one
    name: Once, for whoever is first
    offer: on_request
    combines_with: all
    benefit: {amount: 0.50}
    limits: [{uses: 1, per: chain}]
"""

LINES = [
    {"line_id": "1", "sku": "CREAM-A", "category": "care/face", "quantity": 2, "unit_price": 1200},
    {"line_id": "2", "sku": "LIP-3", "category": "make-up/lips", "quantity": 1, "unit_price": 1800},
]
WELCOME_MINOR = 100


def write_policy(folder: Path, promotions: str = PROMOTIONS, house: str = HOUSE) -> Path:
    """Write the policy into a folder."""
    folder.mkdir(exist_ok=True)
    (folder / "house.yaml").write_text(house, encoding="utf-8")
    (folder / "offers.yaml").write_text(promotions, encoding="utf-8")
    return folder


def basket(**changes: Any) -> dict[str, Any]:
    """Make a request as a till sends it."""
    return {"store_id": "S001", "currency": "EUR", "lines": LINES, **changes}
