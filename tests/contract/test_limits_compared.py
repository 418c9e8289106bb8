"""What limits leave free after any run of decisions and outcomes, compared with a plain account of sold and held."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient

from tests.contract.shop import Shops
from tests.contract.till import applies, decide, tell

POLICY = """{policy: 1, currency: EUR, time_zone: Europe/Paris, ladder: {max_rungs: 20}, holdout: {share: 100%},
 promotions: [
  {id: daily, name: D, benefit: {amount: 1.00}, limits: [{uses: 1, per: customer, every: day}]},
  {id: weekly, name: W, benefit: {amount: 2.00},
   limits: [{uses: 2, per: store, every: week}, {budget: 7.00, per: chain, every: month}]},
  {id: half, name: H, benefit: {percent: 30%}, funded: 50%, limits: [{budget: 9.00, per: chain, every: month}]},
  {id: present, name: P, benefit: {gift: {sku: S, name: S, value: 9.90, cost: 0.90}},
   limits: [{budget: 2.00, per: cashier}]},
  {id: rare, name: R, benefit: {amount: 4.00}, limits: [{uses: 3, per: chain}, {uses: 1, per: store, every: year}]}]}"""
COST: dict[str, Callable[[int], int]] = {
    "daily": lambda total: 100,
    "weekly": lambda total: 200,
    "half": lambda total: total * 3 // 20,
    "present": lambda total: 90,
    "rare": lambda total: 400,
}
MOST = [  # promotion, per, every, uses, budget
    ("daily", "customer", "day", 1, None),
    ("weekly", "store", "week", 2, None),
    ("weekly", "chain", "month", None, 700),
    ("half", "chain", "month", None, 900),
    ("present", "cashier", "ever", None, 200),
    ("rare", "chain", "ever", 3, None),
    ("rare", "store", "year", 1, None),
]
PARIS = ZoneInfo("Europe/Paris")
NEW_YEARS_EVE = datetime(2026, 12, 31, 12, tzinfo=PARIS)
RESULTS = ["accepted", "accepted", "accepted", "bought_at_base", "not_offered", "left", "cancelled"]


class Sale(NamedTuple):
    """What a till asks with; ``total`` in minor units."""

    at: datetime
    store: str
    cashier: str | None
    customer: str | None
    number: str | None
    total: int

    def counter(self, per: str, every: str) -> tuple[object, ...] | None:
        whom = {"customer": self.customer, "store": self.store, "cashier": self.cashier, "chain": "all"}[per]
        day = self.at.astimezone(PARIS).date()
        period = {"day": day, "week": day.isocalendar()[:2], "month": (day.year, day.month), "year": day.year}
        return None if whom is None else (whom, period.get(every))


class Account:
    """Every use that counts: of which sale, of which promotion, and whether it is held or sold."""

    def __init__(self) -> None:
        self.sales: dict[str, Sale] = {}
        self.ladders: dict[str, list[str]] = {}
        self.uses: dict[str, list[str]] = {}
        self.results: dict[str, str] = {}

    def free(self, sale: Sale) -> list[str]:
        return sorted(name for name in COST if all(self._has_room(sale, *most) for most in MOST if most[0] == name))

    def _has_room(self, sale: Sale, name: str, per: str, every: str, uses: int | None, budget: int | None) -> bool:
        counter = sale.counter(per, every)
        if counter is None:
            return False
        others = [self.sales[one] for one, used in self.uses.items() if name in used and not self._is_before(one, sale)]
        alike = [other.total for other in others if other.counter(per, every) == counter]
        spent = sum(map(COST[name], alike)) + COST[name](sale.total)
        return (uses is None or len(alike) < uses) and (budget is None or spent <= budget)

    def _is_before(self, decision_id: str, sale: Sale) -> bool:
        """Tell whether a decision is one that this sale supersedes."""
        earlier = self.sales[decision_id]
        is_same = sale.number is not None and (earlier.store, earlier.number) == (sale.store, sale.number)
        return is_same and decision_id not in self.results

    def ask(self, told: dict[str, Any], sale: Sale) -> None:
        for earlier in [one for one in self.uses if self._is_before(one, sale)]:
            self.uses[earlier] = []
        decision_id = told["decision_id"]
        self.sales[decision_id] = sale
        self.ladders[decision_id] = [rung["promotions"][0] for rung in told["ladder"]]
        self.uses[decision_id] = list(self.ladders[decision_id])

    def end(self, decision_id: str, result: str, rung: int | None) -> None:
        sold = self.results.get(decision_id) in ("accepted", "bought_at_base", "not_offered")
        if decision_id not in self.results or (sold and result == "cancelled"):
            self.results[decision_id] = result
            self.uses[decision_id] = [self.ladders[decision_id][rung - 1]] if rung else []


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[FlaskClient]:
    yield Shops(tmp_path).open_text(POLICY)


@pytest.mark.parametrize("seed", range(2))
def test_limits_leave_free_what_a_plain_account_does(shop: FlaskClient, seed: int) -> None:
    dice, account = random.Random(seed), Account()
    for _ in range(45):
        sale = made_sale(dice)
        known = {"store_id": sale.store, "cashier_id": sale.cashier, "sale_id": sale.number, "at": sale.at.isoformat()}
        expected = account.free(sale)
        told = decide(shop, "till", f"A {sale.total}", sale.customer, **{k: v for k, v in known.items() if v})
        assert applies(told) == expected
        account.ask(told, sale)
        for decision_id in dice.sample(sorted(account.sales), k=min(2, len(account.sales))):
            result, rungs = dice.choice(RESULTS), len(account.ladders[decision_id])
            rung = dice.randint(1, rungs) if result == "accepted" and rungs else None
            if result != "accepted" or rung:
                tell(shop, {"decision_id": decision_id}, result, **({"rung": rung} if rung else {}))
                account.end(decision_id, result, rung)


def made_sale(dice: random.Random) -> Sale:
    return Sale(
        NEW_YEARS_EVE + timedelta(hours=dice.choice([0, 11, 13, 24, 24 * 3, 24 * 5, 24 * 40])),
        dice.choice(["S1", "S2"]),
        dice.choice([None, "C1", "C2"]),
        dice.choice([None, "L-1", "L-2"]),
        dice.choice([None, None, "R-1", "R-2"]),
        dice.choice([1000, 2000, 4000]),
    )
