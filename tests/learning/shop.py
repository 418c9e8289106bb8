"""A small shop whose checkouts are decided by `decide` and written as the service writes them, thousands at a time."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec

from pos_discount.basket import Basket, Customer, Line, Reaction, Result
from pos_discount.decide import Decision, Known, Seed, ServedModel, decide
from pos_discount.policy import load_policy
from pos_discount.pricing import PolicyIndex
from pos_discount.recording import Inputs, OutcomeLesson, decision_record, microseconds, read_inputs
from pos_discount.sensitivity import event_code, event_from_outcome
from pos_discount.store import DecisionRecord, KeptFile, OutcomeRecord, Store, Visit
from pos_discount.web.decisions import NOTHING_KEPT, kept_customer

HOUSE = """
policy: 1
currency: EUR
time_zone: Europe/Paris
ladder: {min_step: 0.10, max_rungs: 3}
margins: [{rate: 45%}]
holdout: {share: 5%, ladder: full}
learning: {exploration: 10%, refusal_price: 0%}
"""
SHARES = (3, 5, 10, 15, 20, 30)
PROMOTIONS = "promotions:\n" + "".join(
    f"  - id: p{share}\n    name: {share} percent\n    combines_with: []\n    benefit: {{percent: {share}%}}\n"
    for share in SHARES
)
START = datetime(2026, 3, 1, 8, tzinfo=UTC)


class Kind(NamedTuple):
    """How one type of shopper behaves; `wants` are the chances of SHARES, the rest wants none of them."""

    mix: float
    wants: tuple[float, ...]
    walk: float
    loss: float
    asks: float
    promoted: float


KINDS = (
    Kind(0.5, (0.80, 0.08, 0.05, 0.03, 0.02, 0.01), 0.05, 0.10, 0.05, 0.1),
    Kind(0.3, (0.03, 0.04, 0.08, 0.15, 0.30, 0.30), 0.10, 0.75, 0.75, 0.8),
    Kind(0.2, (0.10, 0.10, 0.15, 0.20, 0.20, 0.15), 0.04, 0.05, 0.60, 0.6),
)


def write_policy(folder: Path, house: str = HOUSE) -> Path:
    """Write the shop's policy into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "house.yaml").write_text(house, encoding="utf-8")
    (folder / "offers.yaml").write_text(PROMOTIONS, encoding="utf-8")
    return folder


class Trade:
    """Lets shoppers come, decides and writes: everything from a seed."""

    def __init__(self, store: Store, policies: Path, seed: int = 1, customers: int = 300) -> None:
        self.store = store
        self.index = PolicyIndex(load_policy(policies))
        self.model: ServedModel | None = None
        self.dice = random.Random(seed)
        weights = [kind.mix for kind in KINDS]
        self.kind_by_customer = self.dice.choices(KINDS, weights, k=customers)
        self.number = 0

    def visits(self, count: int, *, tills: tuple[str, ...] = ("T1", "T2", "T3"), missing: float = 0.0) -> None:
        """Let `count` shoppers come, of whom a share never gets an outcome recorded."""
        version = self.index.policy.version
        files = tuple(KeptFile(name, b"") for name in ("house.yaml",))
        self.store.keep_policy(version, files, 0)
        for begin in range(0, count, 250):
            made = [self._visit(tills, missing) for _ in range(min(250, count - begin))]
            decisions = [decision for decision, _ in made]
            self.store.record_checkouts(decisions, [outcome for _, outcome in made if outcome is not None])

    def _visit(self, tills: tuple[str, ...], missing: float) -> tuple[DecisionRecord, OutcomeRecord | None]:
        self.number += 1
        dice, moment = self.dice, START + timedelta(minutes=self.number)
        is_known = dice.random() < 0.7
        owner = dice.randrange(len(self.kind_by_customer))
        kind = self.kind_by_customer[owner] if is_known else dice.choices(KINDS, [k.mix for k in KINDS])[0]
        basket = self._basket(f"c{owner}" if is_known else None, kind, dice.choice(tills), moment)
        kept = self.store.read_customer(f"c{owner}") if is_known else NOTHING_KEPT
        known = Known(kept=None if kept == NOTHING_KEPT else kept_customer(kept, moment.date()))
        decision_id = f"dec_{self.number:026d}"
        seed = Seed(decision_id, decision_id)
        decision = decide(basket, self.index, self.model, known, moment, seed)
        inputs = Inputs(
            basket, known, moment, seed, "touched", self.index.policy.version, decision.answer.model_version
        )
        record = decision_record(inputs, decision, b"{}")
        return record, None if dice.random() < missing else self._outcome(kind, decision, record)

    def _basket(self, customer: str | None, kind: Kind, till: str, moment: datetime) -> Basket:
        dice = self.dice
        price = int(100 * dice.lognormvariate(3.5, 0.5))
        asked = dice.random() < kind.asks
        share = min(max(kind.promoted + dice.gauss(0, 0.1), 0.0), 1.0)
        return Basket(
            store_id="S1",
            currency="EUR",
            till_id=till,
            at=moment,
            asked=asked,
            lines=(Line(line_id="1", sku="A", category="care", quantity=1, unit_price=price),),
            customer=Customer(customer_id=customer, promo_share_90d=share) if customer else None,
        )

    def _outcome(self, kind: Kind, decision: Decision, record: DecisionRecord) -> OutcomeRecord:
        depths = tuple(rung.depth for rung in decision.answer.ladder)
        result, rung, offers = react(kind, depths, self.dice)
        profit = 0.0 if result == "left" else decision.profits[rung or 0]
        event = event_from_outcome(result, rung, offers, depths)
        at = record.made_at + 20_000_000
        has_bought = result != "left"
        return OutcomeRecord(
            store_id=record.store_id,
            decision_id=record.decision_id,
            result=result,
            received_at=at,
            rung=rung,
            visit=Visit(day=739_000, visits=1, spend=1000) if has_bought else None,
            event=None if event is None else event_code(event),
            learning=msgspec.msgpack.encode(OutcomeLesson(profit, 0, offers)),
        )


def react(
    kind: Kind, depths: tuple[float, ...], dice: random.Random
) -> tuple[Result, int | None, tuple[tuple[int, Reaction], ...]]:
    """Let a shopper react to a ladder as a till reports it."""
    wanted = dice.choices([*(share / 100 for share in SHARES), 9.0], [*kind.wants, 1.0 - sum(kind.wants)])[0]
    offers: list[tuple[int, Reaction]] = []
    for number, depth in enumerate(depths, start=1):
        if depth >= wanted - 0.004:
            return "accepted", number, (*offers, (number, "accepted"))
        is_last = number == len(depths)
        if dice.random() < kind.walk:
            return "left", None, (*offers, (number, "declined" if is_last else "walked"))
        offers.append((number, "declined"))
    if dice.random() < kind.loss:
        return "left", None, tuple(offers)
    return "accepted", len(depths), tuple(offers)


__all__ = ["HOUSE", "KINDS", "START", "Trade", "microseconds", "read_inputs", "write_policy"]
