"""Base, candidates and rungs of one basket, as the policy defines them.

The base is what is owed. A candidate adds ladder promotions to what of the owed combines with them; it stands only where the
customer is better off, and guards drop it whole. Rungs are the candidates worth naming, smallest first.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import msgspec

from pos_discount.basket import Basket
from pos_discount.policy.model import Guards
from pos_discount.pricing.discounts import Applied, Discounts
from pos_discount.pricing.index import PolicyIndex
from pos_discount.pricing.scan import Context, Scan
from pos_discount.pricing.sets import Positions, Sets


class Priced(msgspec.Struct, frozen=True):
    """A basket under a set of promotions, amounts in minor units: the discounts in order, what each line costs after all of
    them, what they take off list price, what they cost the house, and what gifts and points are worth to the customer."""

    applied: tuple[Applied, ...]
    nets: tuple[int, ...]
    total: int
    saving: int
    cost: int
    present_value: int


class Candidate(msgspec.Struct, frozen=True):
    """Ladder promotions that may be given together: ``value`` and ``saving`` are beyond the base, ``depth`` is of the base."""

    priced: Priced
    promotion_ids: tuple[str, ...]
    saving: int
    value: int
    depth: Fraction
    authority: str | None


class Pricing:
    """All that a policy says of a basket, before anything is chosen."""

    __slots__ = ("_guard", "base", "candidates", "discounts", "is_exact", "rungs", "scan")

    def __init__(self, discounts: Discounts, sets: Sets, owed: Positions, ladder: Positions) -> None:
        self.scan = discounts.scan
        self.discounts = discounts
        self.base = _priced(discounts, sets.best(owed))
        self._guard = Guard(self.scan, self.base)
        self.candidates = tuple(_candidates(sets, self._guard, self.base, owed, ladder))
        self.rungs = tuple(_rungs(self.scan.index, self.candidates))
        self.is_exact = sets.is_exact

    def goods_cost(self, assumed_margin: Fraction) -> Fraction:
        """Return what the basket's goods cost the house, in minor units, at an assumed margin on list price where nothing says."""
        known = [(self.scan.line_cost(line), total) for line, total in enumerate(self.scan.list_totals)]
        assumed = sum(total for cost, total in known if cost is None) * (1 - assumed_margin)
        return (
            Fraction(sum(cost for cost, _ in known if isinstance(cost, int)))
            + assumed
            + sum((cost for cost, _ in known if isinstance(cost, Fraction)), Fraction(0))
        )

    @property
    def knows_costs(self) -> bool:
        """Tell whether the cost of every line is known."""
        return all(self.scan.line_cost(line) is not None for line in range(len(self.scan.prices)))

    def approval(self, candidate: Candidate) -> str | None:
        """Return whose yes a rung needs, None where this cashier's own authority suffices."""
        return self._guard.approval(candidate.authority)

    def concerned(self) -> set[int]:
        """Return the promotions whose ranges the basket touches, or whose coupon or id was presented, by position."""
        index, basket = self.scan.index, self.scan.basket
        presented = {index.position_by_id[id_] for id_ in basket.claimed if id_ in index.position_by_id}
        if basket.coupons:
            presented |= {p for p in index.with_coupons if self.discounts.is_claimed(index.entries[p])}
        return self.scan.touched | presented


def price(index: PolicyIndex, basket: Basket, context: Context) -> Pricing:
    """Work out a basket's base, candidates and rungs."""
    discounts = Discounts(Scan(index, basket, context))
    able = [position for position in sorted(discounts.scan.reachable) if discounts.may_apply(position)]
    owed = tuple(position for position in able if _is_owed(discounts, position))
    ladder = tuple(position for position in able if not _is_owed(discounts, position))
    return Pricing(discounts, Sets(discounts), owed, ladder)


def price_sale(index: PolicyIndex, basket: Basket, context: Context, promotion_ids: tuple[str, ...]) -> Priced:
    """Price a basket with a given set of promotions; those that the basket no longer earns give nothing."""
    discounts = Discounts(Scan(index, basket, context))
    return _priced(discounts, tuple(index.position_by_id[id_] for id_ in promotion_ids if id_ in index.position_by_id))


def _is_owed(discounts: Discounts, position: int) -> bool:
    entry = discounts.scan.index.entries[position]
    return entry.promotion.offer != "ladder" or discounts.is_claimed(entry)


def _priced(discounts: Discounts, positions: Positions) -> Priced:
    applied = discounts.together(positions)
    nets = tuple(applied[-1].left.totals if applied else discounts.scan.list_totals)
    return Priced(
        applied,
        nets,
        total=sum(nets),
        saving=sum(discount.saving for discount in applied),
        cost=sum(discount.cost for discount in applied),
        present_value=sum(discount.present_value for discount in applied),
    )


def _candidates(sets: Sets, guard: Guard, base: Priced, owed: Positions, ladder: Positions) -> Iterator[Candidate]:
    discounts = sets.discounts
    base_total, base_presents = base.total, base.present_value
    measured = base_total - guard.never_total
    for chosen in sets.permitted(ladder, discounts.scan.index.policy.house.ladder.max_combined):
        priced = _priced(discounts, (*sets.best(sets.combining_with_all(owed, chosen)), *chosen))
        saving = base_total - priced.total
        value = saving + priced.present_value - base_presents
        given = {applied.entry.position for applied in priced.applied}
        if value <= 0 or not given.issuperset(chosen) or guard.forbids(priced):
            continue
        depth = Fraction(value, measured) if measured else Fraction(1)
        named = [applied.entry.promotion for applied in priced.applied if applied.entry.position in chosen]
        authority = guard.authority(depth, {promotion.approval for promotion in named if promotion.approval})
        if authority != NOBODY:
            yield Candidate(priced, tuple(promotion.id for promotion in named), saving, value, depth, authority)


def _rungs(index: PolicyIndex, candidates: tuple[Candidate, ...]) -> Iterator[Candidate]:
    min_step = index.policy.house.ladder.min_step
    last = 0
    ordered = sorted(candidates, key=lambda c: (c.value, c.priced.cost, len(c.promotion_ids), sorted(c.promotion_ids)))
    for candidate in ordered:
        if candidate.value - last >= (1 if min_step is None else max(1, min_step)):
            last = candidate.value
            yield candidate


NOBODY = "nobody"
"""Stands for the authority that no role has."""


class Guard:
    """What no candidate may break; made once per basket. Roles rise with the depth that they may grant."""

    __slots__ = ("_base", "_guards", "_most_saving", "_roles", "_scan", "never_total")

    def __init__(self, scan: Scan, base: Priced) -> None:
        self._scan = scan
        self._base = base
        self._guards: Guards = scan.index.policy.house.guards
        counted = set(scan.counted)
        self.never_total = sum(total for line, total in enumerate(scan.list_totals) if line not in counted)
        max_depth = self._guards.max_depth
        self._most_saving = None if max_depth is None else int(max_depth * (sum(scan.list_totals) - self.never_total))
        self._roles = sorted(self._guards.authority, key=lambda role: self._guards.authority[role])

    def forbids(self, priced: Priced) -> bool:
        """Tell whether a set goes too deep, or makes a line cheaper than at base and leaves it too little margin."""
        if self._most_saving is not None and priced.saving > self._most_saving:
            return True
        min_margin = self._guards.min_margin
        return min_margin is not None and any(
            net < at_base and self._is_below_margin(line, net, priced, min_margin)
            for line, (net, at_base) in enumerate(zip(priced.nets, self._base.nets, strict=True))
        )

    def _is_below_margin(self, line: int, net: int, priced: Priced, min_margin: Fraction) -> bool:
        cost = self._scan.line_cost(line)
        if cost is None:
            return False
        funded = sum(
            (
                share.saving * discount.entry.promotion.funded
                for discount in priced.applied
                for share in discount.lines
                if share.line == line
            ),
            Fraction(0),
        )
        return net + funded - cost < min_margin * net

    def authority(self, depth: Fraction, approvals: set[str]) -> str | None:
        """Return the lowest role that may grant a depth and every approval, None where anyone may, `NOBODY` where no one may.

        An approval by a role that the house's authorities do not list is asked for by that role's own name.
        """
        authority = self._guards.authority
        unlisted = sorted(approvals - set(authority))
        lowest = max((self._roles.index(role) for role in approvals if role in authority), default=0)
        able = [role for role in self._roles[lowest:] if authority[role] >= depth]
        if authority and not able:
            return NOBODY
        return unlisted[-1] if unlisted else able[0] if able else None

    def approval(self, needed: str | None) -> str | None:
        """Return the role whose yes is needed beside the cashier's own authority, which is the lowest unless one was sent."""
        if needed is None or needed not in self._roles:
            return None if needed == self._scan.basket.authority else needed
        own = self._scan.basket.authority
        own_rank = 0 if own is None else self._roles.index(own) if own in self._roles else -1
        return None if own_rank >= self._roles.index(needed) else needed
