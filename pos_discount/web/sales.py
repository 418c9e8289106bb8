"""A decision as it was kept, opened again: its basket, its answer, and what a sale by it sold, counted and cost.

Both outcomes and returns need to know what was sold. Hides where that stands: in the answer for a rung or the base,
and in a fresh pricing under the decision's own policy where the cashier gave what the ladder did not name.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import NamedTuple

import msgspec

from pos_discount.answer import Answer
from pos_discount.basket import Basket
from pos_discount.decide import Counted, completed
from pos_discount.policy import Policy, read_policy
from pos_discount.pricing import Context, Entry, PolicyIndex, Priced, counters_of, price_sale
from pos_discount.recording import Inputs, Notes, nets_at_base, read_answer, read_inputs, read_notes
from pos_discount.store import KeptDecision, Store
from pos_discount.web.in_force import InForce

MOST_KEPT_POLICIES = 8


class Archive:
    """Policies that decided, by version: the one in force, and the last few that were asked for."""

    def __init__(self, store: Store, in_force: InForce) -> None:
        self._store = store
        self._in_force = in_force
        self._index_by_version: dict[str, PolicyIndex] = {}
        self._lock = threading.Lock()

    def index(self, version: str) -> PolicyIndex:
        """Return the policy of a version, read from the store where it is no longer in force."""
        policy = self._in_force.policy
        if policy is not None and policy.index.policy.version == version:
            return policy.index
        with self._lock:
            index = self._index_by_version.get(version) or self._read(version)
            self._index_by_version = {version: index, **self._index_by_version}
            while len(self._index_by_version) > MOST_KEPT_POLICIES:
                self._index_by_version.pop(next(reversed(self._index_by_version)))
            return index

    def _read(self, version: str) -> PolicyIndex:
        policy = read_policy({file.name: file.content for file in self._store.read_policy(version)})
        if not isinstance(policy, Policy):
            raise LookupError(f"policy {version} decided here but can't be read from the store again:\n{policy}")
        return PolicyIndex(policy)


class Sold(NamedTuple):
    """What a sale sold: each line's net by line id, the promotions in force, what it counts, and its gross profit.

    ``waived`` are the promotions that the cashier gave though they did not apply.
    """

    total: int
    nets: Mapping[str, int]
    promotion_ids: tuple[str, ...]
    counted: tuple[Counted, ...]
    promoted: int
    profit: float
    waived: tuple[str, ...] = ()


class KeptSale:
    """A recorded decision with its parts decoded when they are wanted."""

    def __init__(self, kept: KeptDecision, archive: Archive) -> None:
        self.kept = kept
        self.record = kept.record
        self._archive = archive

    @cached_property
    def answer(self) -> Answer:
        """The answer as it was sent."""
        return read_answer(self.record.answer)

    @cached_property
    def inputs(self) -> Inputs:
        """What the decision was made from."""
        return read_inputs(self.record.inputs)

    @cached_property
    def notes(self) -> Notes:
        """What was kept beside the answer."""
        return read_notes(self.record.learning)

    @property
    def basket(self) -> Basket:
        """The basket, with the customer's pseudonym."""
        return self.inputs.basket

    @property
    def index(self) -> PolicyIndex:
        """The policy that decided."""
        return self._archive.index(self.record.policy_version)

    def sold(self, rung: int | None, promotions: tuple[str, ...] | None) -> Sold:
        """Tell what was sold: at a rung, with other promotions than the ladder named, or else at base."""
        if rung is not None:
            return self._sold_at_rung(rung)
        if promotions is None:
            return self._sold_at_base()
        named = next((r.rung for r in self.answer.ladder if set(r.promotions) == set(promotions)), None)
        return self._sold_with(promotions) if named is None else self._sold_at_rung(named)

    def price(self, basket: Basket, promotion_ids: tuple[str, ...], waived: tuple[str, ...] = ()) -> Priced:
        """Price a part of the basket as the sale was priced: its promotions, its policy, its time."""
        segment = self.answer.segment
        words = (segment.segment_id, segment.name) if segment else ()
        known = completed(self._claiming(basket, promotion_ids), self.inputs.known.kept)
        return price_sale(self.index, known, Context(self.answer.at, words), promotion_ids, waived)

    def _claiming(self, basket: Basket, promotion_ids: tuple[str, ...]) -> Basket:
        """Return the basket as one that claims what was given: whoever named it or showed its coupon did so in time,
        if only after the till had asked.
        """
        asked_for = (coupon for id_ in promotion_ids for coupon in self._entry(id_).coupons)
        unshown = (coupon for coupon in asked_for if not any(map(coupon.matches, basket.coupons)))
        shown = (code.removesuffix("*") for coupon in unshown for code in coupon.codes[:1])
        return msgspec.structs.replace(
            basket, claimed=(*basket.claimed, *promotion_ids), coupons=(*basket.coupons, *shown)
        )

    def _sold_at_base(self) -> Sold:
        base, notes = self.answer.base, self.notes
        nets = nets_at_base(self.basket, base.discounts)
        given = tuple(discount.promotion_id for discount in base.discounts)
        return Sold(base.total, nets, given, notes.counted[0], notes.promoted[0], notes.profits[0])

    def _sold_at_rung(self, number: int) -> Sold:
        rung, notes = self.answer.ladder[number - 1], self.notes
        nets = {line.line_id: line.net for line in rung.lines}
        given = tuple(discount.promotion_id for discount in rung.discounts)
        return Sold(rung.total, nets, given, notes.counted[number], notes.promoted[number], notes.profits[number])

    def _sold_with(self, promotions: tuple[str, ...]) -> Sold:
        """Price what the ladder did not name: the given promotions, and of the base's those that combine with all of
        them. Of what the policy would not have given, conditions and limits were waived by the cashier.
        """
        given = [self._entry(id_) for id_ in promotions]
        owed = [self._entry(d.promotion_id) for d in self.answer.base.discounts if d.promotion_id not in promotions]
        together = tuple(e.promotion.id for e in (*(o for o in owed if all(o.combines(g) for g in given)), *given))
        priced = self.price(self.basket, together)
        applying = {applied.entry.promotion.id for applied in priced.applied}
        waived = tuple(id_ for id_ in promotions if id_ not in applying)
        if waived:
            priced = self.price(self.basket, together, waived)
        nets = {line.line_id: net for line, net in zip(self.basket.lines, priced.nets, strict=True)}
        discounted = {share.line for applied in priced.applied for share in applied.lines if share.saving}
        base = self._sold_at_base()
        return Sold(
            total=priced.total,
            nets=nets,
            promotion_ids=together,
            counted=self._counted(priced, promotions),
            promoted=sum(priced.nets[line] for line in discounted),
            profit=base.profit - (priced.cost - sum(discount.cost for discount in self.answer.base.discounts)),
            waived=waived,
        )

    def _counted(self, priced: Priced, given: Iterable[str]) -> tuple[Counted, ...]:
        """Count what the sale used; what the cashier gave is used, also where the policy would not have given it."""
        local_time = self.answer.at.astimezone(self.index.policy.house.time_zone)
        costs = dict.fromkeys(given, 0) | {applied.entry.promotion.id: applied.cost for applied in priced.applied}
        return tuple(
            Counted(key, 1, cost)
            for id_, cost in costs.items()
            for _, key in counters_of(self._entry(id_).promotion, self.basket, local_time)
            if key is not None
        )

    def _entry(self, promotion_id: str) -> Entry:
        return self.index.entries[self.index.position_by_id[promotion_id]]


def reduced(basket: Basket, quantity_by_line: Mapping[str, int]) -> Basket | None:
    """Return a basket with less on its lines, or None where nothing is left."""
    lines = tuple(
        msgspec.structs.replace(line, quantity=quantity_by_line[line.line_id])
        for line in basket.lines
        if quantity_by_line[line.line_id]
    )
    return msgspec.structs.replace(basket, lines=lines) if lines else None
