"""Solve a basket under a policy naively: every set is tried, every unit is a thing of its own, every number is exact.

Written from the policy page alone. Where the page leaves a choice, this is what was taken:

 1. A percentage is rounded once for the whole discount, then shared over lines by what is left of the target units'
    price, then over a line's units alike. `percent_of: original` is of list price, still shared by what is left.
 2. What does not fit of an amount for a basket or group: lines (then units) that would exceed their room are fixed at
    it, the rest is shared again over the others by the same weights, and so on.
 3. A percentage, a unit price, an amount per line or unit is cut at each unit's floor and what is cut is lost. A cap is
    shared over the uncapped allocations of lines, then of units (of equal ones in a line, first that with more left).
 4. Lines in `never` are in no range, count in no condition, and are left out of every depth.
 5. Each ladder promotion of a candidate must give something at its turn, so must each promotion of a base; an automatic
    one that a candidate leaves with nothing is not listed, uses no unit and costs nothing.
 6. Base ties: saving, value of gifts and points, more promotions, then the lowest sorted (priority, id) list.
 7. The supplier's share is the rounded saving x funded; for `min_margin` it is exact, by line. No known cost, no check.
    A line whose net is 0 is below any margin if it costs more than the supplier gives.
 8. `max_depth` is (list total - total) / list total, equal allowed; authority looks at value / base total. Where
    nothing is left to pay at base, any value is a depth of 1.
 9. A budget counts what a discount costs the house; one that does not fit whole does not apply.
10. A candidate's value is (base total - total) + (its gifts and points - the base's).
11. `take` left out is `cheapest`. Equal units are taken in basket order, cheapest and dearest alike.
12. `whole_set` frees the cheapest of all (dearest for `to: dearest`); the dearest others make up the set and are used.
    With an amount, a price or `to: all` it is the dearest units, as one group, that many times the amount or price.
13. A group `price` takes off what is left of the group above it, as an amount for that group (2).
14. `bundle`: most saved, before any cap and before a percentage is rounded; then fewer bundles; then the dearest units,
    equal ones in basket order. Where other numbers of bundles, other ways to group these units or, under a `min_price`
    or for a percentage of other than what is left, other units save as much, the answer is marked `has_tie`; `ties` are
    those of them with as few bundles.
15. "Fewer promotions, then ids" of equal candidates looks at the ladder's own promotions.
16. A coupon condition claims its promotion also from within `any`, not from within `not`.
17. Who was born on 29 February has their birthday on the 28th in other years. `hours` read the wall clock alone.
18. Approvals rank as their depths do in `guards.authority`; who is sent as a higher one needs no lower one's yes.
    A till that names no authority has the lowest. Only the ladder's own promotions ask for `approval`;
    of names that `authority` does not rank, the first that the cashier is not.
19. Usage is a list of past sales of promotions, each {promotion_id, at, store_id, cashier_id, customer_id, cost}; one
    counts in a limit where its scope is the same and its local date is in the same period.
20. `every` with an amount takes it off the units that `to` names in each group, off the whole group where left out; a
    price is for these units together.
21. A benefit that takes nothing off and gives no gift or points gives nothing, whatever units it would have used.
22. `settled_by_order` names what the order of lines has settled, in any set that was tried: a "price", where units of
    two lines had as much left and the cheapest or dearest were asked for; a "remainder", where two lines had the same
    and one more minor unit was left to give; a "bundle", where others would have done as well (14).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from functools import cached_property
from itertools import combinations
from typing import Any

from .benefits import Cuts, Given, Turn, give
from .house import House, Mapped, build_house, holds, is_claimed, is_in_place, is_scheduled, unit_cost
from .values import listed, percent, period_start, rounded, share


@dataclass(frozen=True)
class Discount:
    """Hold what one promotion gives in one set: cuts by unit, and its cost to the house."""

    promotion: Mapped
    given: Given
    cost: int

    @property
    def saving(self) -> int:
        """Add up what comes off the price."""
        return sum(self.given.cuts.values())


@dataclass(frozen=True)
class Outcome:
    """Hold a set of promotions evaluated together; `silent` are those that gave nothing at their turn."""

    discounts: tuple[Discount, ...]
    silent: tuple[str, ...]

    @property
    def saving(self) -> int:
        """Add up what comes off the price."""
        return sum(discount.saving for discount in self.discounts)

    @property
    def extra(self) -> int:
        """Add up what gifts and points are worth."""
        return sum(discount.given.value for discount in self.discounts)

    @property
    def cost(self) -> int:
        """Add up what the house pays."""
        return sum(discount.cost for discount in self.discounts)


def solve(
    policy: Mapped,
    request: Mapped,
    usage: Sequence[Mapped] = (),
    files: Mapping[str, Sequence[Mapped]] | None = None,
    segment: str | None = None,
) -> dict[str, Any]:
    """Answer all that the policy page defines for one request, as plain data; money in minor units."""
    return _Solver(build_house(policy, request, files or {}, segment), usage, {}).answer()


@dataclass(frozen=True)
class _Solver:
    house: House
    usage: Sequence[Mapped]
    seen: dict[Any, Given]

    def answer(self) -> dict[str, Any]:
        base = self.base
        candidates = sorted(self.candidates(), key=_ladder_order)
        rungs = list(self.rungs(candidates))
        return {
            "list_total": self.list_total,
            "alone": {promotion["id"]: self.alone(promotion) for promotion in self.promotions},
            "base": {"total": self.list_total - base.saving, "extra": base.extra, **self.described(base)},
            "candidates": candidates,
            "rungs": rungs,
            "first": rungs[0] if rungs else None,
            "settled_by_order": self.house.settled,
        }

    @cached_property
    def promotions(self) -> list[Mapped]:
        """List all promotions in order of application."""
        return sorted(self.house.policy["promotions"], key=_application_order)

    @cached_property
    def owed(self) -> list[Mapped]:
        """List the automatic and claimed promotions in order of application."""
        return [promotion for promotion in self.promotions if self.is_owed(promotion)]

    @cached_property
    def base(self) -> Outcome:
        return self.evaluate(self.picked(self.owed))

    @cached_property
    def list_total(self) -> int:
        return sum(unit.price for unit in self.house.units)

    @cached_property
    def countable_total(self) -> int:
        """Add up list prices, without the lines that count in no depth."""
        return sum(unit.price for unit in self.house.units_in(None))

    def is_owed(self, promotion: Mapped) -> bool:
        offer = promotion.get("offer", "ladder")
        return offer == "automatic" or is_claimed(self.house, promotion)

    def is_ladder(self, promotion: Mapped) -> bool:
        return promotion.get("offer", "ladder") == "ladder" and not self.is_owed(promotion)

    def alone(self, promotion: Mapped) -> dict[str, Any]:
        """Give a promotion's own discount from list price, or every reason why there is none."""
        against = self.reasons_against(promotion, self.list_prices)
        if promotion.get("offer") == "on_request" and not self.is_owed(promotion):
            against.append("not_claimed")
        outcome = self.evaluate([promotion])
        if against or not outcome.discounts:
            return {"reasons": against or self.last_reason(promotion)}
        ties = [self.line_ids_of(cuts) for discount in outcome.discounts for cuts in discount.given.ties]
        return self.described(outcome) | {"extra": outcome.extra, "ties": ties}

    def last_reason(self, promotion: Mapped) -> list[str]:
        given, _ = self.gives(promotion, self.list_prices, frozenset())
        return ["no_saving"] if _is_nothing(given) else ["limit"]

    @cached_property
    def list_prices(self) -> tuple[int, ...]:
        return tuple(unit.price for unit in self.house.units)

    def reasons_against(self, promotion: Mapped, left: tuple[int, ...]) -> list[str]:
        """List what keeps a promotion from applying, before its benefit is worked out."""
        reasons = [] if is_scheduled(self.house, promotion) else ["schedule"]
        reasons += [] if is_in_place(self.house, promotion) else ["place"]
        for condition in promotion.get("when", ()):
            reasons += [] if holds(self.house, condition, left) else list(condition)
        return reasons + ([] if self.has_uses(promotion) else ["limit"])

    def evaluate(self, promotions: Sequence[Mapped]) -> Outcome:
        """Apply promotions one after the other, each to what the earlier ones left."""
        left, used = self.list_prices, frozenset[int]()
        discounts, silent = [], []
        for promotion in sorted(promotions, key=_application_order):
            given, cost = self.gives(promotion, left, used)
            if self.reasons_against(promotion, left) or _is_nothing(given) or not self.has_budget(promotion, cost):
                silent.append(promotion["id"])
                continue
            discounts.append(Discount(promotion, given, cost))
            left = tuple(price - given.cuts.get(order, 0) for order, price in enumerate(left))
            used |= given.used
        return Outcome(tuple(discounts), tuple(silent))

    def gives(self, promotion: Mapped, left: tuple[int, ...], used: frozenset[int]) -> tuple[Given, int]:
        key = (promotion["id"], left, used)
        if key not in self.seen:
            self.seen[key] = self.capped(promotion, left, give(Turn(self.house, left, used), promotion["benefit"]))
        given = self.seen[key]
        saving = sum(given.cuts.values())
        supplied = rounded(saving * _funded(promotion), self.house.setting("rounding", "half_up"))
        return given, saving - supplied + given.cost

    def capped(self, promotion: Mapped, left: tuple[int, ...], given: Given) -> Given:
        if "cap" not in promotion or sum(given.cuts.values()) <= self.house.money(promotion["cap"]):
            return given
        cuts, ties = self.cut_to_cap(promotion, left, given.cuts), given.ties
        return replace(given, cuts=cuts, ties=tuple(self.cut_to_cap(promotion, left, tied) for tied in ties))

    def cut_to_cap(self, promotion: Mapped, left: tuple[int, ...], given: Cuts) -> Cuts:
        by_line: dict[int, list[int]] = {}
        for order in sorted(given):
            by_line.setdefault(self.house.units[order].line, []).append(order)
        lines = list(by_line.values())
        whole = [sum(given[order] for order in orders) for orders in lines]
        cuts: dict[int, int] = {}
        over_lines = share(self.house.money(promotion["cap"]), whole, self.house.settled)
        for line_orders, part in zip(lines, over_lines, strict=True):
            orders = sorted(line_orders, key=lambda order: (-left[order], order))
            cuts |= dict(zip(orders, share(part, [given[order] for order in orders]), strict=True))
        return cuts

    def has_uses(self, promotion: Mapped) -> bool:
        """Say whether each limit knows whom to count and has a use left."""
        return all(
            self.is_counted(limit) and ("uses" not in limit or len(self.past(promotion, limit)) < int(limit["uses"]))
            for limit in promotion.get("limits", ())
        )

    def has_budget(self, promotion: Mapped, cost: int) -> bool:
        return all(
            sum(sale["cost"] for sale in self.past(promotion, limit)) + cost <= self.house.money(limit["budget"])
            for limit in promotion.get("limits", ())
            if "budget" in limit
        )

    def is_counted(self, limit: Mapped) -> bool:
        return limit.get("per", "chain") == "chain" or bool(_scope(self.house.request, limit["per"]))

    def past(self, promotion: Mapped, limit: Mapped) -> list[Mapped]:
        """List the past sales that count in a limit of a promotion."""
        now, per, every = self.house.at, limit.get("per", "chain"), limit.get("every")
        return [
            sale
            for sale in self.usage
            if sale["promotion_id"] == promotion["id"]
            and (per == "chain" or sale.get(f"{per}_id") == _scope(self.house.request, per))
            and period_start(_local(sale["at"], self.house).date(), every) == period_start(now.date(), every)
        ]

    def picked(self, promotions: Sequence[Mapped]) -> list[Mapped]:
        """Pick the base's set from automatic and claimed promotions, by the house's rule."""
        if self.house.setting("resolve", "best_for_customer") == "priority":
            return self.picked_by_priority(promotions)
        tried = [(subset, self.evaluate(subset)) for subset in _permitted(promotions, len(promotions))]
        whole = [(subset, outcome) for subset, outcome in tried if not outcome.silent]
        return list(min(whole, key=lambda one: _base_rank(*one))[0])

    def picked_by_priority(self, promotions: Sequence[Mapped]) -> list[Mapped]:
        taken: list[Mapped] = []
        for promotion in sorted(promotions, key=_application_order):
            fits = all(_combine(promotion, other) for other in taken)
            if fits and not self.evaluate([*taken, promotion]).silent:
                taken.append(promotion)
        return taken

    def candidates(self) -> Iterator[dict[str, Any]]:
        most = int(self.house.policy.get("ladder", {}).get("max_combined", 3))
        ladder = [promotion for promotion in self.promotions if self.is_ladder(promotion)]
        for named in _permitted(ladder, most):
            joining = [owed for owed in self.owed if all(_combine(owed, promotion) for promotion in named)]
            outcome = self.evaluate([*named, *self.picked(joining)]) if named else None
            if outcome and not {promotion["id"] for promotion in named} & set(outcome.silent) and self.stands(outcome):
                candidate = self.candidate(named, outcome)
                if candidate["is_grantable"]:
                    yield candidate

    def value(self, outcome: Outcome) -> int:
        return outcome.saving - self.base.saving + outcome.extra - self.base.extra

    def stands(self, outcome: Outcome) -> bool:
        guards = self.house.guards
        if self.value(outcome) <= 0:
            return False
        if "max_depth" in guards and outcome.saving > percent(guards["max_depth"]) * self.countable_total:
            return False
        return "min_margin" not in guards or all(
            self.keeps_margin(outcome, line, percent(guards["min_margin"])) for line in range(len(self.house.lines))
        )

    def keeps_margin(self, outcome: Outcome, line: int, least: Fraction) -> bool:
        """Say whether a line is no cheaper than at base, or of unknown cost, or above the least margin."""
        cost, quantity = unit_cost(self.house, line), self.house.lines[line]["quantity"]
        saved = self.saved_by_line(outcome.discounts)
        if cost is None or saved[line] <= self.saved_by_line(self.base.discounts)[line]:
            return True
        net = self.house.lines[line]["unit_price"] * quantity - saved[line]
        supplied = sum(
            (self.saved_by_line([one])[line] * _funded(one.promotion) for one in outcome.discounts), Fraction(0)
        )
        return bool(net + supplied - cost * quantity >= least * net)

    def candidate(self, named: Sequence[Mapped], outcome: Outcome) -> dict[str, Any]:
        payable = self.countable_total - self.base.saving
        depth = Fraction(self.value(outcome), payable) if payable else Fraction(1)
        approval, is_grantable = self.approval(named, depth)
        return self.described(outcome) | {
            "promotions": sorted(promotion["id"] for promotion in named),
            "value": self.value(outcome),
            "saving": outcome.saving - self.base.saving,
            "total": self.list_total - outcome.saving,
            "extra": outcome.extra,
            "cost": outcome.cost,
            "depth": depth,
            "approval": approval,
            "is_grantable": is_grantable,
        }

    def approval(self, named: Sequence[Mapped], depth: Fraction) -> tuple[str | None, bool]:
        """Name the lowest authority that suffices, None where the cashier's own does; and whether any does."""
        levels = {name: percent(most) for name, most in self.house.guards.get("authority", {}).items()}
        ranked = sorted(levels, key=lambda name: levels[name])
        wanted = [promotion["approval"] for promotion in named if "approval" in promotion]
        own = self.house.request.get("authority") or (ranked[0] if ranked else None)
        unranked = [name for name in wanted if name not in levels]
        if not levels or unranked:
            return next((name for name in unranked if name != own), None), True
        enough = [
            name
            for name in ranked
            if levels[name] >= depth and all(ranked.index(other) <= ranked.index(name) for other in wanted)
        ]
        if not enough:
            return None, False
        own_suffices = own in ranked and ranked.index(own) >= ranked.index(enough[0])
        return (None if own_suffices else enough[0]), True

    def rungs(self, candidates: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        written = self.house.policy.get("ladder", {}).get("min_step")
        step = 1 if written is None else self.house.money(written)
        last = 0
        for candidate in candidates:
            if candidate["value"] - last >= step:
                last = candidate["value"]
                yield candidate

    def saved_by_line(self, discounts: Sequence[Discount]) -> list[int]:
        saved = [0 for _ in self.house.lines]
        for discount in discounts:
            for order, cut in discount.given.cuts.items():
                saved[self.house.units[order].line] += cut
        return saved

    def described(self, outcome: Outcome) -> dict[str, Any]:
        """Show an outcome as plain data: its saving, cost, discounts, and each line's amount."""
        return {
            "saving": outcome.saving,
            "cost": outcome.cost,
            "lines": self.by_line_id(outcome.discounts),
            "discounts": [
                {
                    "promotion_id": discount.promotion["id"],
                    "saving": discount.saving,
                    "cost": discount.cost,
                    "extra": discount.given.value,
                    "lines": self.by_line_id([discount]),
                }
                for discount in outcome.discounts
            ],
            "has_tie": any(discount.given.has_tie for discount in outcome.discounts),
        }

    def line_ids_of(self, cuts: Cuts) -> dict[str, int]:
        saved: dict[str, int] = {}
        for order, cut in cuts.items():
            line_id = self.house.lines[self.house.units[order].line]["line_id"]
            saved[line_id] = saved.get(line_id, 0) + cut
        return {line_id: amount for line_id, amount in saved.items() if amount}

    def by_line_id(self, discounts: Sequence[Discount]) -> dict[str, int]:
        saved = zip(self.house.lines, self.saved_by_line(discounts), strict=True)
        return {line["line_id"]: amount for line, amount in saved if amount}


def _permitted(promotions: Sequence[Mapped], most: int) -> Iterator[tuple[Mapped, ...]]:
    """Walk over all sets of promotions in which each two combine, the empty set first."""
    for size in range(min(most, len(promotions)) + 1):
        for subset in combinations(promotions, size):
            if all(_combine(one, other) for one, other in combinations(subset, 2)):
                yield subset


def _combine(one: Mapped, other: Mapped) -> bool:
    return _allows(one, other) and _allows(other, one)


def _allows(one: Mapped, other: Mapped) -> bool:
    allowed = listed(one.get("combines_with", "none"))
    return allowed == ["all"] or (allowed != ["none"] and other.get("class", other["id"]) in allowed)


def _application_order(promotion: Mapped) -> tuple[int, str]:
    return int(promotion.get("priority", 100)), promotion["id"]


def _base_rank(subset: Sequence[Mapped], outcome: Outcome) -> tuple[Any, ...]:
    in_order = sorted(_application_order(promotion) for promotion in subset)
    return -outcome.saving, -outcome.extra, -len(subset), in_order


def _ladder_order(candidate: Mapped) -> tuple[Any, ...]:
    return candidate["value"], candidate["cost"], len(candidate["promotions"]), candidate["promotions"]


def _is_nothing(given: Given) -> bool:
    return not given.is_gift and not any(given.cuts.values())


def _funded(promotion: Mapped) -> Fraction:
    return percent(promotion.get("funded", "0"))


def _scope(request: Mapped, per: str) -> str | None:
    if per == "customer":
        return (request.get("customer") or {}).get("customer_id")
    return request.get(f"{per}_id")


def _local(text: str, house: House) -> datetime:
    return datetime.fromisoformat(text).astimezone(house.zone)
