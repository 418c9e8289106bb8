"""Work out what each kind of benefit takes off which unit, by trying things out rather than by cleverness.

A benefit sees the units, what is left of each, and which ones a group benefit has used; it answers what it gives.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations, pairwise
from typing import Any

from .house import House, Mapped, Unit, spent
from .values import minor, percent, rounded, share, share_within

Cuts = dict[int, int]


@dataclass(frozen=True)
class Turn:
    """Hold what a promotion finds when its turn comes."""

    house: House
    left: tuple[int, ...]
    used: frozenset[int]

    def units_in(self, wanted: Any) -> list[Unit]:
        """List the units in a range."""
        return self.house.units_in(wanted)

    def unused_in(self, wanted: Any) -> list[Unit]:
        """List the units in a range that no group benefit has used."""
        return [unit for unit in self.units_in(wanted) if unit.order not in self.used]

    def ordered(self, units: Sequence[Unit], take: str) -> list[Unit]:
        """Sort units cheapest or dearest first by what is left of them, equal ones in basket order."""
        sign = 1 if take == "cheapest" else -1
        in_order = sorted(units, key=lambda unit: (sign * self.left[unit.order], unit.order))
        for one, other in pairwise(in_order):
            if one.line != other.line and self.left[one.order] == self.left[other.order]:
                self.house.settled.append("price")
        return in_order

    def remaining(self, units: Sequence[Unit]) -> int:
        """Add up what is left of units."""
        return sum(self.left[unit.order] for unit in units)

    def room(self, unit: Unit) -> int:
        """Give the most that may still be taken off a unit."""
        return max(0, self.left[unit.order] - unit.floor)


@dataclass(frozen=True)
class Given:
    """Hold what a benefit gives: cuts by unit, the units it used up, and what gifts or points are worth and cost.

    Where a bundle's answer is one of several that save as much with as few bundles, `ties` are the cuts of all these.
    """

    cuts: Cuts = field(default_factory=dict)
    used: frozenset[int] = frozenset()
    value: int = 0
    cost: int = 0
    is_gift: bool = False
    has_tie: bool = False
    ties: tuple[Cuts, ...] = ()


def give(turn: Turn, benefit: Mapped) -> Given:
    """Work out a benefit at its turn."""
    kinds: dict[str, Callable[[Turn, Mapped], Given]] = {
        "percent": _give_percent,
        "amount": _give_amount,
        "unit_price": _give_unit_price,
        "price_list": _give_price_list,
        "every": _give_every,
        "buy_get": _give_buy_get,
        "bundle": _give_bundle,
        "tiers": _give_tiers,
        "gift": _give_present,
        "points": _give_present,
    }
    (kind,) = [kind for kind in kinds if kind in benefit]
    return kinds[kind](turn, benefit)


def percent_off(turn: Turn, targets: Sequence[Unit], text: Any) -> Cuts:
    """Take a percentage off units: rounded once, shared by what is left, cut at each unit's floor."""
    original = turn.house.setting("percent_of", "remaining") == "original"
    taken_of = sum(unit.price for unit in targets) if original else turn.remaining(targets)
    return shared_and_cut(turn, targets, rounded(taken_of * percent(text), turn.house.setting("rounding", "half_up")))


def shared_and_cut(turn: Turn, targets: Sequence[Unit], amount: int) -> Cuts:
    """Share an amount over lines, then units, by what is left; lose what would go below a unit's floor."""
    lines = _by_line(targets)
    over_lines = share(amount, [turn.remaining(units) for units in lines], turn.house.settled)
    cuts: Cuts = {}
    for units, line_amount in zip(lines, over_lines, strict=True):
        over_units = share(line_amount, [turn.left[unit.order] for unit in units])
        cuts |= {unit.order: min(part, turn.room(unit)) for unit, part in zip(units, over_units, strict=True)}
    return cuts


def shared_to_fit(turn: Turn, targets: Sequence[Unit], amount: int) -> Cuts:
    """Share an amount over lines, then units, by what is left; what does not fit goes to those with room."""
    lines = _by_line(targets)
    rooms = [sum(turn.room(unit) for unit in units) for units in lines]
    over_lines = share_within(amount, [turn.remaining(units) for units in lines], rooms, turn.house.settled)
    cuts: Cuts = {}
    for units, line_amount in zip(lines, over_lines, strict=True):
        weights = [turn.left[unit.order] for unit in units]
        over_units = share_within(line_amount, weights, [turn.room(unit) for unit in units])
        cuts |= {unit.order: part for unit, part in zip(units, over_units, strict=True)}
    return cuts


def _by_line(units: Sequence[Unit]) -> list[list[Unit]]:
    lines: dict[int, list[Unit]] = {}
    for unit in sorted(units, key=lambda unit: unit.order):
        lines.setdefault(unit.line, []).append(unit)
    return list(lines.values())


def _chosen(turn: Turn, benefit: Mapped) -> list[Unit]:
    targets = turn.units_in(benefit.get("of"))
    if "units" not in benefit:
        return targets
    in_order = turn.ordered(targets, benefit["units"].get("take", "cheapest"))
    return in_order[: int(benefit["units"].get("at_most", len(in_order)))]


def _give_percent(turn: Turn, benefit: Mapped) -> Given:
    return Given(percent_off(turn, _chosen(turn, benefit), benefit["percent"]))


def _give_amount(turn: Turn, benefit: Mapped) -> Given:
    targets, amount = _chosen(turn, benefit), turn.house.money(benefit["amount"])
    each = benefit.get("each", "basket")
    if each == "unit":
        return Given({unit.order: min(amount, turn.room(unit)) for unit in targets})
    if each == "basket":
        return Given(shared_to_fit(turn, targets, amount))
    return Given(_merged([shared_and_cut(turn, units, amount) for units in _by_line(targets)]))


def _give_unit_price(turn: Turn, benefit: Mapped) -> Given:
    price = turn.house.money(benefit["unit_price"])
    return Given(_down_to(turn, {unit.order: price for unit in _chosen(turn, benefit)}))


def _give_price_list(turn: Turn, benefit: Mapped) -> Given:
    house = turn.house
    rows = house.files[benefit["price_list"]]
    prices = {row["sku"]: minor(row["price"], house.decimals) for row in rows}
    skus = {unit.order: house.lines[unit.line]["sku"] for unit in turn.units_in(None)}
    return Given(_down_to(turn, {order: prices[sku] for order, sku in skus.items() if sku in prices}))


def _down_to(turn: Turn, prices: dict[int, int]) -> Cuts:
    units = turn.house.units
    return {order: min(turn.room(units[order]), max(0, turn.left[order] - price)) for order, price in prices.items()}


def _give_every(turn: Turn, benefit: Mapped) -> Given:
    """Give to each group; one that costs no more than its price gets nothing and leaves its units free."""
    every, gives = benefit["every"], benefit["give"]
    groups = _groups(turn, every, gives)
    if "percent" in gives:
        targets = [unit for group in groups for unit in _picked(turn, every, gives, group)]
        return Given(percent_off(turn, targets, gives["percent"]), _all_of(groups))
    targets_of = {"to": "all"} | gives
    parts = [(group, _picked(turn, every, targets_of, group), _sets_in(every, group)) for group in groups]
    cheaper = [part for part in parts if _amount_off(turn, gives, part[1], part[2])]
    cuts = [_off_group(turn, gives, targets, sets) for _, targets, sets in cheaper]
    return Given(_merged(cuts), _all_of([group for group, _, _ in cheaper]))


def _all_of(groups: Sequence[Sequence[Unit]]) -> frozenset[int]:
    return frozenset(unit.order for group in groups for unit in group)


def _groups(turn: Turn, every: Mapped, gives: Mapped) -> list[list[Unit]]:
    """Form groups as `fill` says; `whole_set` makes a single one of all the units that whole groups would have."""
    units, size = turn.unused_in(every.get("of")), int(every["units"])
    count = min(len(units) // size, int(every.get("at_most", len(units))))
    fill = _fill(every, gives)
    if fill == "whole_set":
        return [_whole_set(turn, units, count * size, _targets_in(gives, size) * count, gives)] if count else []
    in_order = turn.ordered(units, "cheapest" if fill == "cheapest_first" else "dearest")
    return [in_order[start : start + size] for start in range(0, count * size, size)]


def _fill(every: Mapped, gives: Mapped) -> str:
    frees_cheapest = "percent" in gives and gives.get("to", "cheapest") == "cheapest"
    return str(every.get("fill", "whole_set" if frees_cheapest else "dearest_first"))


def _whole_set(turn: Turn, units: list[Unit], size: int, rewards: int, gives: Mapped) -> list[Unit]:
    """Take the rewards first, the cheapest of all where the cheapest are given; the dearest others make up the set."""
    if "percent" not in gives or gives.get("to", "cheapest") != "cheapest":
        return turn.ordered(units, "dearest")[:size]
    picked = turn.ordered(units, "cheapest")[:rewards]
    others = [unit for unit in turn.ordered(units, "dearest") if unit not in picked]
    return picked + others[: size - rewards]


def _targets_in(gives: Mapped, size: int) -> int:
    return size if gives.get("to") == "all" else min(size, int(gives.get("units", 1)))


def _sets_in(every: Mapped, group: list[Unit]) -> int:
    return len(group) // int(every["units"])


def _picked(turn: Turn, every: Mapped, gives: Mapped, group: list[Unit]) -> list[Unit]:
    to, sets = gives.get("to", "cheapest"), _sets_in(every, group)
    if isinstance(to, dict):
        after = int(to["position"]) * sets
        return turn.ordered(group, "cheapest")[after - sets : after]
    if to == "all":
        return group
    return turn.ordered(group, to)[: _targets_in(gives, int(every["units"])) * sets]


def _off_group(turn: Turn, gives: Mapped, group: Sequence[Unit], sets: int = 1) -> Cuts:
    return shared_to_fit(turn, group, _amount_off(turn, gives, group, sets))


def _amount_off(turn: Turn, gives: Mapped, group: Sequence[Unit], sets: int = 1) -> int:
    """Work out the amount, or what is above a price, that comes off a group of units."""
    if "amount" in gives:
        return turn.house.money(gives["amount"]) * sets
    return max(0, turn.remaining(group) - turn.house.money(gives["price"]) * sets)


def _give_buy_get(turn: Turn, benefit: Mapped) -> Given:
    deal = benefit["buy_get"]
    buy, get = int(deal["buy"]), int(deal.get("get", 1))
    buyable = turn.unused_in(deal.get("of"))
    gettable = turn.ordered(turn.unused_in(deal.get("of_get", deal.get("of"))), deal.get("take", "cheapest"))
    is_partial = deal.get("partial", "yes") in ("yes", "true")
    most = min(len(gettable), get * int(deal.get("at_most", len(gettable))))
    for rewards in range(most, 0, -1):
        needed = buy * -(-rewards // get)
        if (rewards % get and not is_partial) or rewards + needed > len({*buyable, *gettable}):
            continue
        for picked in combinations(gettable, rewards):
            others = turn.ordered([*{*buyable} - {*picked}], "dearest")
            if len(others) >= needed:
                used = frozenset(unit.order for unit in [*picked, *others[:needed]])
                return Given(percent_off(turn, picked, deal.get("percent", "100%")), used)
    return Given()


def _give_bundle(turn: Turn, benefit: Mapped) -> Given:
    """Try every way to form bundles; take the one that saves most, then fewer bundles, then the dearest units."""
    bundle = benefit["bundle"]
    slots = [(int(slot.get("units", 1)), turn.unused_in(slot.get("of"))) for slot in bundle["of"]]
    most = int(bundle.get("at_most", len(turn.house.units)))
    tried = [(len(bundles), _give_bundles(turn, bundle, bundles)) for bundles in _ways(turn, slots, most, ())]
    ranked = [(_bundles_rank(turn, bundle, count, given), given) for count, given in tried]
    rank, best = min(ranked, key=lambda one: one[0])
    others = [rank_ for rank_, given in ranked if rank_[0] == rank[0] and _traces(turn, given) != _traces(turn, best)]
    is_open = _is_open(turn, bundle, [unit for _, units in slots for unit in units])
    has_tie = any(is_open or other[1] != rank[1] or other == rank for other in others)
    if has_tie or any(_but_for_order(other) == _but_for_order(rank) for other in others):
        turn.house.settled.append("bundle")
    if not has_tie or not any(best.cuts.values()):
        return best
    ties = tuple(given.cuts for other, given in ranked if other[:2] == rank[:2])
    return Given(best.cuts, best.used, has_tie=True, ties=ties)


def _is_open(turn: Turn, bundle: Mapped, units: Sequence[Unit]) -> bool:
    """Say whether other units may save as much because something is cut there, or shared by other than it is taken."""
    if any(turn.room(unit) < turn.left[unit.order] for unit in units):
        return True
    original = "percent" in bundle and turn.house.setting("percent_of", "remaining") == "original"
    return original and any(turn.left[unit.order] != unit.price for unit in units)


def _but_for_order(rank: tuple[Fraction, int, list[tuple[int, int]]]) -> tuple[Fraction, int, list[int]]:
    return *rank[:2], [left for left, _ in rank[2]]


def _bundles_rank(turn: Turn, bundle: Mapped, count: int, given: Given) -> tuple[Fraction, int, list[tuple[int, int]]]:
    dearest = sorted((-turn.left[order], order) for order in given.used)
    return -_exact_saving(turn, bundle, given), count, dearest


def _exact_saving(turn: Turn, bundle: Mapped, given: Given) -> Fraction:
    """Add up what is saved; of a percentage, before it is rounded, so that no unit is picked to sway the rounding: of
    what it is taken from, each unit bears its part by what is left of it, as far as it can."""
    if "percent" not in bundle:
        return Fraction(sum(given.cuts.values()))
    units = [turn.house.units[order] for order in given.used]
    original = turn.house.setting("percent_of", "remaining") == "original"
    taken_of = sum(unit.price for unit in units) if original else turn.remaining(units)
    rate = percent(bundle["percent"]) * taken_of / (turn.remaining(units) or 1)
    return sum((min(rate * turn.left[unit.order], Fraction(turn.room(unit))) for unit in units), Fraction(0))


def _traces(turn: Turn, given: Given) -> list[tuple[int, int, int, bool]]:
    """Describe what is left behind of each line's units, whichever of two equal units it happened to."""
    cuts, left = given.cuts, turn.left
    return sorted(
        (unit.line, left[unit.order], cuts.get(unit.order, 0), unit.order in given.used) for unit in turn.house.units
    )


def _ways(
    turn: Turn, slots: list[tuple[int, list[Unit]]], most: int, made: tuple[tuple[int, ...], ...]
) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Walk over all sets of bundles, each bundle a tuple of units slot by slot; sets are walked in one order only."""
    yield made
    if len(made) == most:
        return
    taken = frozenset(order for bundle in made for order in bundle)
    for bundle in _ways_of_one(turn, slots, taken):
        if not made or bundle[0] > made[-1][0]:
            yield from _ways(turn, slots, most, (*made, bundle))


def _ways_of_one(turn: Turn, slots: list[tuple[int, list[Unit]]], taken: frozenset[int]) -> Iterator[tuple[int, ...]]:
    if not slots:
        yield ()
        return
    (count, units), *others = slots
    free = [unit for unit in units if unit.order not in taken]
    for picked in _unlike(turn, free, count):
        for rest in _ways_of_one(turn, others, taken | frozenset(picked)):
            yield (*picked, *rest)


def _unlike(turn: Turn, free: list[Unit], count: int) -> Iterator[tuple[int, ...]]:
    """Walk over combinations that differ: of a line's units with as much left, the earlier are picked first."""
    for picked in combinations(free, count):
        passed_over = {(unit.line, turn.left[unit.order]): unit.order for unit in reversed(free) if unit not in picked}
        if all(unit.order < passed_over.get((unit.line, turn.left[unit.order]), unit.order + 1) for unit in picked):
            yield tuple(unit.order for unit in picked)


def _give_bundles(turn: Turn, bundle: Mapped, bundles: tuple[tuple[int, ...], ...]) -> Given:
    groups = [[turn.house.units[order] for order in orders] for orders in bundles]
    used = frozenset(order for orders in bundles for order in orders)
    if "percent" in bundle:
        return Given(percent_off(turn, [unit for group in groups for unit in group], bundle["percent"]), used)
    return Given(_merged([_off_group(turn, bundle, group) for group in groups]), used)


def _give_tiers(turn: Turn, benefit: Mapped) -> Given:
    tiers, house = benefit["tiers"], turn.house
    units = turn.units_in(tiers.get("of"))
    by_spend = tiers["by"] == "spend"
    reached = Fraction(spent(house, units, turn.left, None) if by_spend else len(units))
    froms = [Fraction(house.money(step["from"]) if by_spend else int(step["from"])) for step in tiers["steps"]]
    highest = max((bound for bound in froms if bound <= reached), default=None)
    if highest is None:
        return Given()
    step, targets = tiers["steps"][froms.index(highest)], turn.units_in(tiers.get("on", tiers.get("of")))
    if "percent" in step:
        return Given(percent_off(turn, targets, step["percent"]))
    return Given(shared_to_fit(turn, targets, house.money(step["amount"])))


def _give_present(turn: Turn, benefit: Mapped) -> Given:
    present, money = benefit.get("gift") or benefit["points"], turn.house.money
    return Given(value=money(present.get("value", "0")), cost=money(present.get("cost", "0")), is_gift=True)


def _merged(parts: Sequence[Cuts]) -> Cuts:
    return {order: cut for part in parts for order, cut in part.items()}
