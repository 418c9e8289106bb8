"""A decision from basket to record: read what is known, decide, write it with its holds, and decide again where a
limit ran out.

Everything that depends on the moment, chance or the database is gathered here, so that `decide` itself stays a pure
function.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date, datetime

import msgspec

from pos_discount.basket import Basket, moment_of
from pos_discount.decide import Decision, Explain, KeptCustomer, Known, Seed, counters_needed, decide
from pos_discount.pricing import CounterKey, Usage
from pos_discount.recording import Inputs, decision_record, microseconds
from pos_discount.store import Answering, Claim, CustomerRecord, HoldConflict, Reply, Store
from pos_discount.web.in_force import InForce, PolicyInForce
from pos_discount.web.metrics import Metrics
from pos_discount.web.problems import retry_later

DAYS_KEPT = 90
TRIES_BEFORE_GIVING_UP_A_LIMIT = 2
USED_UP = Usage(uses=10**15, spent=10**15)
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
PAIRS = tuple(first + second for first in ALPHABET for second in ALPHABET)

_encode = msgspec.json.Encoder().encode


class Decider:
    """Makes and records decisions with what is in force."""

    def __init__(self, store: Store, in_force: InForce, metrics: Metrics) -> None:
        self._store = store
        self._in_force = in_force
        self._metrics = metrics

    def policy(self) -> PolicyInForce:
        """Return the policy in force, or raise the `Problem` that there is none."""
        policy = self._in_force.policy
        if policy is None:
            raise retry_later(
                "policy_unavailable", "No policy could be read yet; /readyz says what is wrong with it.", 2
            )
        return policy

    def try_out(self, policy: PolicyInForce, basket: Basket, explain: Explain) -> bytes:
        """Decide without recording anything; returns the answer's JSON."""
        now = _now()
        _, decision = self._decide(policy, basket, explain, now, new_decision_id(now), {})
        return _encode(decision.answer)

    def decide(
        self,
        policy: PolicyInForce,
        basket: Basket,
        explain: Explain,
        claim: Claim | None,
        reply_of: Callable[[str, bytes], Reply],
    ) -> Reply:
        """Decide and record; ``reply_of`` makes the reply of a decision's id and its answer's JSON."""
        self._in_force.keep_policy(policy)
        used_up: dict[CounterKey, Usage] = {}
        tries = 0
        while True:
            now = _now()
            inputs, decision = self._decide(policy, basket, explain, now, new_decision_id(now), used_up)
            answer = _encode(decision.answer)
            reply = reply_of(decision.answer.decision_id, answer)
            record = decision_record(inputs, decision, answer)
            try:
                self._store.record_decision(record, decision.holds, answering_with(reply, claim))
            except HoldConflict as conflict:
                tries += 1
                self._metrics.count_hold_conflict()
                if tries >= TRIES_BEFORE_GIVING_UP_A_LIMIT:
                    used_up |= dict.fromkeys(conflict.counters, USED_UP)
                continue
            self._metrics.count_decision(basket.store_id, decision.answer)
            return reply

    def _decide(
        self,
        policy: PolicyInForce,
        basket: Basket,
        explain: Explain,
        now: datetime,
        decision_id: str,
        used_up: dict[CounterKey, Usage],
    ) -> tuple[Inputs, Decision]:
        index, model = policy.index, self._in_force.model
        sale = None if basket.sale_id is None else (basket.store_id, basket.sale_id)
        earlier = None if sale is None else self._store.read_earlier_decision(*sale)
        counters = counters_needed(basket, index, now) if policy.has_limits else ()
        own = sale if earlier else None  # a sale that comes for the first time holds nothing yet
        usages = self._store.read_usage(counters, microseconds(now), own) if counters else ()
        known = Known(
            usage=tuple((key, used_up.get(key, usage)) for key, usage in zip(counters, usages, strict=True)),
            kept=self._kept(basket, moment_of(basket, now).astimezone(index.policy.house.time_zone).date()),
            paused=self._in_force.paused,
            arm=earlier.arm if earlier else None,
            fallback=model.fallback,
        )
        seed = Seed(decision_id, earlier.seed if earlier else decision_id)
        decision = decide(basket, index, model.served, known, now, seed, explain)
        answer = decision.answer
        return Inputs(basket, known, now, seed, explain, answer.policy_version, answer.model_version), decision

    def _kept(self, basket: Basket, today: date) -> KeptCustomer | None:
        customer_id = basket.customer.customer_id if basket.customer else None
        if customer_id is None:
            return None
        record = self._store.read_customer(customer_id)
        return None if record == NOTHING_KEPT else kept_customer(record, today)


NOTHING_KEPT = CustomerRecord()


def kept_customer(record: CustomerRecord, today: date) -> KeptCustomer:
    """Sum up what is kept of a customer over the 90 days that end today; days after it (a clock that was off) count
    too, but are the last visit only where there is no other.
    """
    first = today.toordinal() - DAYS_KEPT + 1
    days = [day for day in record.days if day.day >= first]
    spend = sum(day.spend for day in days)
    visited = [day.day for day in record.days if day.visits]
    until_today = [day for day in visited if day <= today.toordinal()]
    return KeptCustomer(
        visits=record.visits,
        visits_90d=sum(day.visits for day in days),
        spend_90d=spend,
        promo_share_90d=round(sum(day.promoted for day in days) / spend, 6) if spend > 0 else None,
        returns_90d=sum(day.returns for day in days),
        last_visit_on=date.fromordinal(max(until_today or visited)) if visited else None,
        events=record.events,
    )


def answering_with(reply: Reply, claim: Claim | None) -> Answering[None] | None:
    """Ask the store to keep a reply with what it records, where the call came with an idempotency key."""
    return None if claim is None else Answering(claim, lambda _: reply)


def new_decision_id(now: datetime) -> str:
    """Make an id that sorts by time and can't be guessed: milliseconds and 80 random bits, 26 characters of base 32.

    >>> len(new_decision_id(datetime(2026, 11, 21, tzinfo=UTC)))
    30
    """
    number = microseconds(now) // 1000 << 80 | int.from_bytes(os.urandom(10))
    return "dec_" + "".join([PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)])


def is_decision_id(text: str) -> bool:
    """Tell whether a text can be a decision's id at all."""
    return len(text) == 30 and text.startswith("dec_") and not set(text[4:]) - set(ALPHABET)


def _now() -> datetime:
    return datetime.now(UTC)
