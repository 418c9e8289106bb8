"""Base, candidates and rungs of one basket, as the policy defines them.

The base is what is owed. A candidate adds ladder promotions to what of the owed combines with them; it stands only
where the customer is better off, and guards drop it whole. Rungs are the candidates worth naming, smallest first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from fractions import Fraction
from operator import lt

import msgspec

from pos_discount.basket import Basket
from pos_discount.money import part_of
from pos_discount.pricing.context import Context
from pos_discount.pricing.discounts import MOST_WORK, MOST_WORK_BEGUN, NO_LIMIT, Applied, Discounts
from pos_discount.pricing.index import PolicyIndex
from pos_discount.pricing.scan import Scan
from pos_discount.pricing.sets import Positions, Sets


class Priced(msgspec.Struct, frozen=True, gc=False):
    """A basket under a set of promotions, amounts in minor units: the discounts in order, what each line costs after
    all of them, what they take off list price, what they cost the house, and what gifts and points are worth to the
    customer."""

    applied: tuple[Applied, ...]
    nets: Sequence[int]
    total: int
    saving: int
    cost: int
    present_value: int

    def gives_all(self, positions: Positions) -> bool:
        """Tell whether every one of these promotions gives something."""
        return {discount.entry.position for discount in self.applied}.issuperset(positions)


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """Ladder promotions that may be given together: ``saving`` and ``value`` are beyond the base, in minor units;
    ``authority`` is the lowest role that may grant it, None where anyone may."""

    priced: Priced
    promotion_ids: tuple[str, ...]
    saving: int
    value: int
    base_total: int
    authority: str | None

    @property
    def depth(self) -> float:
        """The value over the base's total, lines in ``never`` left out; all of it where nothing is left to pay."""
        return self.value / self.base_total if self.base_total else 1.0


class Pricing:
    """All that a policy says of a basket, before anything is chosen."""

    __slots__ = ("_guard", "base", "candidates", "discounts", "is_exact", "rungs", "scan")

    def __init__(self, discounts: Discounts, sets: Sets, owed: Positions, ladder: Positions) -> None:
        self.scan = discounts.scan
        self.discounts = discounts
        discounts.allow(MOST_WORK, MOST_WORK_BEGUN)
        best = sets.best(owed)
        discounts.allow(MOST_WORK_BEGUN)
        self.base = _priced(discounts, best)
        discounts.allow(MOST_WORK, MOST_WORK_BEGUN)
        self._guard = Guard(self.scan, self.base)
        self.candidates = tuple(_candidates(sets, self._guard, self.base, owed, ladder))
        self.rungs = tuple(_rungs(self.scan.index, self.candidates))
        self.is_exact = discounts.is_exact

    def goods_cost(self, assumed_margin: float) -> float:
        """Return what the basket's goods cost the house, in minor units, at an assumed margin on list price where
        nothing says."""
        costs = self.scan.line_costs
        assumed = [total for cost, total in zip(costs, self.scan.list_totals, strict=True) if cost is None]
        return sum([cost[0] / cost[1] for cost in costs if cost is not None]) + sum(assumed) * (1 - assumed_margin)

    @property
    def knows_costs(self) -> bool:
        """Tell whether the cost of every line is known."""
        return None not in self.scan.line_costs

    def approval(self, candidate: Candidate) -> str | None:
        """Return whose yes a rung needs, None where this cashier's own authority suffices."""
        return self._guard.approval(candidate.authority)

    def concerned(self) -> set[int]:
        """Return the promotions whose ranges the basket touches, or whose coupon or id was presented, by position."""
        return self.scan.touched | self.discounts.presented


def price(index: PolicyIndex, basket: Basket, context: Context) -> Pricing:
    """Work out a basket's base, candidates and rungs."""
    discounts = Discounts(Scan(index, basket, context))
    owed: list[int] = []
    ladder: list[int] = []
    for position in sorted(discounts.holding):
        (owed if _is_owed(discounts, position) else ladder).append(position)
    owed = [position for position in owed if discounts.may_apply(position)]
    discounts.allow_alone()
    ladder = [position for position in ladder if discounts.may_apply(position)]
    return Pricing(discounts, Sets(discounts), tuple(owed), tuple(ladder))


def price_sale(
    index: PolicyIndex, basket: Basket, context: Context, promotion_ids: tuple[str, ...], waived: Iterable[str] = ()
) -> Priced:
    """Price a basket with a given set of promotions; those that the basket no longer earns give nothing, save those for
    which conditions and limits are ``waived``.
    """
    discounts = Discounts(Scan(index, basket, context), frozenset(index.position_by_id[id_] for id_ in waived))
    return _priced(discounts, tuple(index.position_by_id[id_] for id_ in promotion_ids if id_ in index.position_by_id))


def _is_owed(discounts: Discounts, position: int) -> bool:
    entry = discounts.scan.index.entries[position]
    return not entry.is_for_ladder or discounts.is_claimed(entry)


def _priced(discounts: Discounts, positions: Positions) -> Priced:
    applied = discounts.together(positions)
    nets = applied[-1].left.totals if applied else discounts.scan.list_totals
    saving = cost = present_value = 0
    for discount in applied:
        saving += discount.saving
        cost += discount.cost
        present_value += discount.present_value
    return Priced(applied, nets, discounts.scan.list_total - saving, saving, cost, present_value)


def _candidates(sets: Sets, guard: Guard, base: Priced, owed: Positions, ladder: Positions) -> Iterator[Candidate]:
    discounts, index = sets.discounts, sets.discounts.scan.index
    for chosen in sets.permitted(ladder, index.policy.house.ladder.max_combined):
        priced = _priced(discounts, (*sets.best(sets.combining_with_all(owed, chosen)), *chosen))
        if discounts.is_overdrawn:
            return
        saving = base.total - priced.total
        value = saving + priced.present_value - base.present_value
        if value <= 0 or guard.forbids(priced) or not priced.gives_all(chosen):
            continue
        named = [index.entries[position].promotion for position in chosen]
        authority = guard.authority(value, [promotion.approval for promotion in named if promotion.approval])
        if authority != NOBODY:
            ids = tuple([promotion.id for promotion in named])
            yield Candidate(priced, ids, saving, value, guard.base_total, authority)


def _rungs(index: PolicyIndex, candidates: tuple[Candidate, ...]) -> Iterator[Candidate]:
    min_step = index.policy.house.ladder.min_step
    last = 0
    step = max(1, min_step or 1)
    ordered = sorted(candidates, key=lambda c: (c.value, c.priced.cost, len(c.promotion_ids), sorted(c.promotion_ids)))
    for candidate in ordered:
        if candidate.value - last >= step:
            last = candidate.value
            yield candidate


NOBODY = "nobody"
"""Stands for the authority that no role has."""


class Guard:
    """What no candidate may break; made once per basket. Roles rise with the depth that they may grant."""

    __slots__ = ("_least_nets", "_most_saving", "_roles", "_scan", "base_total")

    def __init__(self, scan: Scan, base: Priced) -> None:
        guards, discountable = scan.index.policy.house.guards, sum([scan.list_totals[line] for line in scan.counted])
        self._scan = scan
        self.base_total = discountable - base.saving
        most = guards.max_depth
        self._most_saving = None if most is None else part_of(discountable, most, "down")
        self._roles = [(role, _most_value(self.base_total, depth)) for role, depth in scan.index.roles]
        self._least_nets = None if guards.min_margin is None else _least_nets(scan, base, guards.min_margin)

    def forbids(self, priced: Priced) -> bool:
        """Tell whether a set goes too deep, or makes a line cheaper than at base and leaves it too little margin."""
        if self._most_saving is not None and priced.saving > self._most_saving:
            return True
        if self._least_nets is None or not any(map(lt, priced.nets, self._least_nets)):
            return False
        if all(discount.entry.funded is None for discount in priced.applied):
            return True
        too_cheap = [line for line, least in enumerate(self._least_nets) if priced.nets[line] < least]
        return any(self._is_below_margin(line, priced) for line in too_cheap)

    def _is_below_margin(self, line: int, priced: Priced) -> bool:
        """Tell whether a line's margin is too small, with what suppliers pay counted in; all in whole numbers, which
        are many times as fast as fractions."""
        min_margin = self._scan.index.policy.house.guards.min_margin
        net, cost = priced.nets[line], self._scan.line_costs[line]
        if cost is None or min_margin is None:
            return False
        funded, parts = 0, 1
        for applied in priced.applied:
            share, saving = applied.entry.promotion.funded, applied.saving_by_line.get(line, 0)
            funded = funded * share.denominator + saving * share.numerator * parts
            parts *= share.denominator
        profit = (net * parts + funded) * cost[1] - cost[0] * parts
        return profit * min_margin.denominator < min_margin.numerator * net * parts * cost[1]

    def authority(self, value: int, approvals: Collection[str]) -> str | None:
        """Return the lowest role that may grant a value and every approval, None where anyone may, `NOBODY` where no
        one may.

        An approval by a role that the house's authorities do not list is asked for by that role's own name.
        """
        if not self._roles:
            return max(approvals, default=None)
        if not approvals:
            for role, most in self._roles:
                if value <= most:
                    return role
            return NOBODY
        roles = [role for role, _ in self._roles]
        lowest = max((roles.index(approval) for approval in approvals if approval in roles), default=0)
        able = [role for role, most in self._roles[lowest:] if value <= most]
        if not able:
            return NOBODY
        return max((approval for approval in approvals if approval not in roles), default=able[0])

    def approval(self, needed: str | None) -> str | None:
        """Return the role whose yes is needed beside the cashier's own authority, which is the lowest unless one was
        sent."""
        own, roles = self._scan.basket.authority, [role for role, _ in self._roles]
        if needed is None or needed not in roles:
            return None if needed == own else needed
        own_rank = 0 if own is None else roles.index(own) if own in roles else -1
        return None if own_rank >= roles.index(needed) else needed


def _most_value(base_total: int, depth: Fraction) -> int:
    """Return the largest value that is no deeper; where nothing is left to pay, any value is all of it."""
    return NO_LIMIT if depth == 1 and not base_total else part_of(base_total, depth, "down")


def _least_nets(scan: Scan, base: Priced, min_margin: Fraction) -> list[int]:
    """List the least that each line may cost the customer where no supplier pays a part: what its margin asks for, or
    the base where that is less; nothing where its cost is not known."""
    whole, left_over = min_margin.denominator, min_margin.denominator - min_margin.numerator
    least_nets = []
    for cost, at_base in zip(scan.line_costs, base.nets, strict=True):
        least = 0
        if cost is not None and cost[0]:
            least = -(-cost[0] * whole // (cost[1] * left_over)) if left_over else at_base
        least_nets.append(least if least < at_base else at_base)
    return least_nets
