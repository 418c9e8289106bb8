"""A policy tried on past baskets, and two policies compared on them: who would have got what, at what cost.

Past baskets show what was bought, not how anybody would have answered an offer. So what is owed (the base) is counted
as given, and of the ladder only what it would have named. Limits are used up by the base alone, in the order of the
baskets. Amounts are minor units; a *value* is a saving with gifts and points at what they are worth to the customer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from pos_discount.basket import Basket, moment_of
from pos_discount.policy.model import Promotion
from pos_discount.pricing import Applied, Context, CounterKey, PolicyIndex, Priced, Pricing, Usage, counters_of, price


class PromotionGave(msgspec.Struct, frozen=True):
    """What one promotion would have given: alone, in the base, and named on ladders, each with its number of
    baskets."""

    promotion_id: str
    name: str
    offer: str
    baskets_alone: int
    value_alone: int
    cost_alone: int
    baskets_in_base: int
    value_in_base: int
    cost_in_base: int
    baskets_on_ladder: int
    baskets_on_first_rung: int


class PolicyGave(msgspec.Struct, frozen=True):
    """What a policy would have given: over all baskets, and by promotion in order of application.

    ``first_rung_value`` and ``deepest_rung_value`` are what would have been given beyond the base had every ladder been
    taken at its first or last rung.
    """

    policy_version: str
    baskets: int
    baskets_with_base: int
    baskets_with_ladder: int
    list_total: int
    base_value: int
    base_cost: int
    first_rung_value: int
    deepest_rung_value: int
    promotions: tuple[PromotionGave, ...]


class PromotionChange(msgspec.Struct, frozen=True):
    """One promotion under the old and the new policy, each alone on every basket; None where a policy does not have
    it."""

    promotion_id: str
    baskets: tuple[int | None, int | None]
    value: tuple[int | None, int | None]
    cost: tuple[int | None, int | None]


class StoreChange(msgspec.Struct, frozen=True):
    """One store under both policies: baskets that gain, lose or stay, and the sums (old, new) at base and at both ends
    of ladders."""

    store_id: str
    gain: int
    lose: int
    same: int
    base_value: tuple[int, int]
    first_rung_value: tuple[int, int]
    deepest_rung_value: tuple[int, int]


class AmountChange(msgspec.Struct, frozen=True):
    """A promotion that applies to one basket under both policies (old, new), with another value alone."""

    promotion_id: str
    value: tuple[int, int]


class BasketChange(msgspec.Struct, frozen=True):
    """One basket under both policies (old, new); the three values are what it gets in all at base, first and deepest
    rung. What changed of no promotion alone changed by what combines, or by a house setting."""

    store_id: str
    sale_id: str | None
    list_total: int
    base_value: tuple[int, int]
    first_rung_value: tuple[int, int]
    deepest_rung_value: tuple[int, int]
    applies_no_more: tuple[str, ...]
    applies_newly: tuple[str, ...]
    gives_otherwise: tuple[AmountChange, ...]

    @property
    def change(self) -> tuple[int, int, int]:
        """The differences, the most binding first: what is owed, then what is offered first, then how far it can go."""
        values = (self.base_value, self.first_rung_value, self.deepest_rung_value)
        before, after = zip(*values, strict=True)
        return after[0] - before[0], after[1] - before[1], after[2] - before[2]

    @property
    def direction(self) -> int:
        """1 where the customer gains, -1 where they lose: by what is owed, where that is equal by what is offered."""
        decisive = next((part for part in self.change if part), 0)
        return (decisive > 0) - (decisive < 0)


def size_of(change: tuple[int, int, int]) -> tuple[int, ...]:
    """Say how much differences at base, first and deepest rung are: by the largest, and where that is equal by each."""
    sizes = tuple(map(abs, change))
    return max(sizes), *sizes


class PolicyDifference(msgspec.Struct, frozen=True):
    """Two policies compared: by promotion, by store, and the baskets that changed most, the largest change first."""

    old_version: str
    new_version: str
    baskets: int
    total: StoreChange
    promotions: tuple[PromotionChange, ...]
    stores: tuple[StoreChange, ...]
    most_changed: tuple[BasketChange, ...]


def replay_policy(index: PolicyIndex, baskets: Iterable[Basket], now: datetime) -> PolicyGave:
    """Try a policy on past baskets, each at its own moment; ``now`` stands in where a basket has none."""
    tally = _Tally(index)
    for basket in baskets:
        tally.add(basket, now)
    return tally.total()


def compare_policies(
    old: PolicyIndex, new: PolicyIndex, baskets: Iterable[Basket], now: datetime, most: int = 10
) -> PolicyDifference:
    """Try two policies on the same past baskets and say what changes for whom; keep the ``most`` changed baskets."""
    before, after = _Tally(old), _Tally(new)
    stores: dict[str, list[BasketChange]] = {}
    for basket in baskets:
        change = _change(basket, before.add(basket, now), after.add(basket, now))
        stores.setdefault(basket.store_id, []).append(change)
    changes = [change for of_store in stores.values() for change in of_store]
    return PolicyDifference(
        old_version=old.policy.version,
        new_version=new.policy.version,
        baskets=len(changes),
        total=_store_change("", changes),
        promotions=tuple(_promotion_changes(before.total(), after.total())),
        stores=tuple(_store_change(store_id, stores[store_id]) for store_id in sorted(stores)),
        most_changed=_most_changed(changes, most),
    )


class _Taken(NamedTuple):
    """What a policy makes of one basket: values in all at base and at the first and last rung, and of each promotion
    that applies alone."""

    base_value: int
    first_rung_value: int
    deepest_rung_value: int
    value_alone: Mapping[str, int]


class _Tally:
    """Adds up what one policy gives, basket after basket, and what that uses of limits."""

    def __init__(self, index: PolicyIndex) -> None:
        self.index = index
        self.usage: dict[CounterKey, Usage] = {}
        self.sums: Counter[str] = Counter()
        self.by_promotion: dict[str, Counter[str]] = {entry.promotion.id: Counter() for entry in index.entries}

    def add(self, basket: Basket, now: datetime) -> _Taken:
        pricing = price(self.index, basket, Context(moment_of(basket, now), usage=self.usage))
        alone = tuple(_applied_alone(pricing))
        self._add_promotions(pricing, alone)
        base = _value(pricing.base)
        rungs = [base + rung.value for rung in pricing.rungs] or [base]
        self.sums.update(
            baskets=1,
            baskets_with_base=bool(pricing.base.applied),
            baskets_with_ladder=bool(pricing.rungs),
            list_total=sum(pricing.scan.list_totals),
            base_value=base,
            base_cost=pricing.base.cost,
            first_rung_value=rungs[0] - base,
            deepest_rung_value=rungs[-1] - base,
        )
        self._use_limits(pricing)
        value_alone = {applied.entry.promotion.id: applied.saving + applied.present_value for applied in alone}
        return _Taken(base, rungs[0], rungs[-1], value_alone)

    def total(self) -> PolicyGave:
        promotions = tuple(self._promotion(entry.promotion) for entry in self.index.entries)
        fields = (name for name in PolicyGave.__struct_fields__ if name not in ("policy_version", "promotions"))
        sums = {name: self.sums[name] for name in fields}
        return PolicyGave(policy_version=self.index.policy.version, promotions=promotions, **sums)

    def _promotion(self, promotion: Promotion) -> PromotionGave:
        sums = self.by_promotion[promotion.id]
        counts = {name: sums[name] for name in PromotionGave.__struct_fields__[3:]}
        return PromotionGave(promotion_id=promotion.id, name=promotion.name, offer=promotion.offer, **counts)

    def _add_promotions(self, pricing: Pricing, alone: tuple[Applied, ...]) -> None:
        for applied in alone:
            value = applied.saving + applied.present_value
            self._of(applied).update(baskets_alone=1, value_alone=value, cost_alone=applied.cost)
        for applied in pricing.base.applied:
            value = applied.saving + applied.present_value
            self._of(applied).update(baskets_in_base=1, value_in_base=value, cost_in_base=applied.cost)
        for promotion_id in {id_ for rung in pricing.rungs for id_ in rung.promotion_ids}:
            self.by_promotion[promotion_id]["baskets_on_ladder"] += 1
        for promotion_id in pricing.rungs[0].promotion_ids if pricing.rungs else ():
            self.by_promotion[promotion_id]["baskets_on_first_rung"] += 1

    def _of(self, applied: Applied) -> Counter[str]:
        return self.by_promotion[applied.entry.promotion.id]

    def _use_limits(self, pricing: Pricing) -> None:
        for applied in pricing.base.applied:
            for _, key in counters_of(applied.entry.promotion, pricing.scan.basket, pricing.scan.local_time):
                if key is not None:
                    used = self.usage.get(key, Usage())
                    self.usage[key] = Usage(used.uses + 1, used.spent + applied.cost)


def _applied_alone(pricing: Pricing) -> Iterator[Applied]:
    for position in sorted(pricing.concerned()):
        outcome = pricing.discounts.alone(position)
        if isinstance(outcome, Applied):
            yield outcome


def _value(priced: Priced) -> int:
    return priced.saving + priced.present_value


def _change(basket: Basket, before: _Taken, after: _Taken) -> BasketChange:
    old, new = before.value_alone, after.value_alone
    return BasketChange(
        store_id=basket.store_id,
        sale_id=basket.sale_id,
        list_total=sum(line.quantity * line.unit_price for line in basket.lines),
        base_value=(before.base_value, after.base_value),
        first_rung_value=(before.first_rung_value, after.first_rung_value),
        deepest_rung_value=(before.deepest_rung_value, after.deepest_rung_value),
        applies_no_more=tuple(sorted(old.keys() - new.keys())),
        applies_newly=tuple(sorted(new.keys() - old.keys())),
        gives_otherwise=tuple(
            AmountChange(id_, (old[id_], new[id_])) for id_ in sorted(old.keys() & new.keys()) if old[id_] != new[id_]
        ),
    )


def _store_change(store_id: str, changes: Iterable[BasketChange]) -> StoreChange:
    changes = tuple(changes)
    directions = Counter(change.direction for change in changes)
    return StoreChange(
        store_id=store_id,
        gain=directions[1],
        lose=directions[-1],
        same=directions[0],
        base_value=_sums(change.base_value for change in changes),
        first_rung_value=_sums(change.first_rung_value for change in changes),
        deepest_rung_value=_sums(change.deepest_rung_value for change in changes),
    )


def _sums(pairs: Iterable[tuple[int, int]]) -> tuple[int, int]:
    old_sum = new_sum = 0
    for old, new in pairs:
        old_sum, new_sum = old_sum + old, new_sum + new
    return old_sum, new_sum


def _promotion_changes(old: PolicyGave, new: PolicyGave) -> Iterator[PromotionChange]:
    """Yield the promotions for which something changed, the largest change in value first."""
    before = {gave.promotion_id: gave for gave in old.promotions}
    after = {gave.promotion_id: gave for gave in new.promotions}
    changes = [_promotion_change(id_, before.get(id_), after.get(id_)) for id_ in sorted(before.keys() | after.keys())]
    changed = (c for c in changes if c.baskets[0] != c.baskets[1] or c.value[0] != c.value[1] or c.cost[0] != c.cost[1])
    yield from sorted(changed, key=lambda change: -abs((change.value[1] or 0) - (change.value[0] or 0)))


def _promotion_change(promotion_id: str, old: PromotionGave | None, new: PromotionGave | None) -> PromotionChange:
    return PromotionChange(
        promotion_id=promotion_id,
        baskets=(old.baskets_alone if old else None, new.baskets_alone if new else None),
        value=(old.value_alone if old else None, new.value_alone if new else None),
        cost=(old.cost_alone if old else None, new.cost_alone if new else None),
    )


def _most_changed(changes: Iterable[BasketChange], most: int) -> tuple[BasketChange, ...]:
    changed = (change for change in changes if change.direction)
    ordered = sorted(changed, key=lambda c: ([-part for part in size_of(c.change)], c.store_id, c.sale_id or ""))
    return tuple(ordered[:most])
