"""Cases with what the ordinary ones leave out: other bounds, larger bundles, unsorted steps, an amount off some units.

An ordinary case is rolled first and then changed, so that the ordinary ones stay what their seeds have always been.
"""

from dataclasses import replace
from random import Random
from typing import Any

from .generator import MOST_UNITS_WITH_BUNDLES, RANGES, Case, Written, random_case

PERSONAL: tuple[Written, ...] = (
    {"visit_number": {"at_least": "2", "below": "12"}},
    {"visit_number": {"every": "5", "more_than": "10"}},
    {"visit_number": {"at_most": "10"}},
    {"days_since_last_visit": {"at_most": "30"}},
    {"days_since_last_visit": {"more_than": "19", "below": "400"}},
    {"days_since_last_visit": {"exactly": "20"}},
    {"birthday": {"days_after": "31"}},
    {"birthday": {"days_before": "0"}},
    {"tier": "gold"},
    {"group": "press"},
    {"coupon": "*"},
    {"coupon": "spa*"},
    {"not": [{"member": "yes"}, {"asked": "yes"}]},
    {"not": [{"coupon": "AUTUMN"}]},
    {"any": [[{"tier": "silver"}], [{"not": [{"payment": "card"}]}]]},
    {"attribute": {"of": "customer", "name": "club", "is": "chess"}},
)


def rarer_case(dice: Random) -> Case:
    """Make one case out of dice."""
    case = random_case(dice)
    promotions = [_changed(dice, case, promotion) for promotion in case.policy["promotions"]]
    ids = [promotion["id"] for promotion in promotions]
    for promotion in promotions:
        if dice.random() < 0.25:  # a promotion without a class is one of its own, by its id
            promotion["combines_with"] = dice.sample([*ids, "multibuy", "no-such"], min(3, len(ids)))
    claimed = [*case.request["claimed"], *(["no-such"] if dice.random() < 0.3 else [])]
    coupons = dice.choice([case.request["coupons"], ["SPAETER", "autumn"], [""]])
    request = case.request | {"claimed": claimed, "coupons": coupons}
    return replace(case, policy=case.policy | {"promotions": promotions}, request=request)


def _changed(dice: Random, case: Case, promotion: Written) -> Written:
    changed = dict(promotion)
    if dice.random() < 0.4:
        changed["benefit"] = _benefit(dice, case)
    if dice.random() < 0.35:
        changed["when"] = [*promotion.get("when", ()), _condition(dice, case)]
    return changed


def _condition(dice: Random, case: Case) -> Written:
    units, total = _units(case), sum(line["quantity"] * line["unit_price"] for line in case.request["lines"])
    skus = len({line["sku"] for line in case.request["lines"]})
    return dice.choice(
        [
            dice.choice(PERSONAL),
            dice.choice(PERSONAL),
            {"quantity": _of(dice) | _bound(dice, [str(dice.choice([1, 2, units - 1, units, units + 1]))])},
            {"distinct": _of(dice) | _bound(dice, [str(dice.choice([1, skus, skus + 1]))])},
            {"spend": _bound(dice, [_money(case, amount) for amount in (total, total - 1, total + 1) if amount >= 0])},
            {"any": [[{"contains": dice.choice([*RANGES])}, {"quantity": {"more_than": "2"}}], [{"tier": "gold"}]]},
        ]
    )


def _bound(dice: Random, values: list[str]) -> Written:
    return {dice.choice(["at_least", "more_than", "at_most", "below", "exactly"]): dice.choice(values)}


def _benefit(dice: Random, case: Case) -> Written:
    benefits = [_every(dice, case), _tiers(dice, case), _percent(dice)]
    if _units(case) <= MOST_UNITS_WITH_BUNDLES:
        benefits.append(_bundle(dice, case))
    return dice.choice(benefits)


def _every(dice: Random, case: Case) -> Written:
    """Write an amount off some units of each group, or a price for them where the group is large."""
    units = dice.choice([2, 3, 4, 5])
    to: Any = dice.choice(["cheapest", "dearest", "all", {"position": str(dice.randint(1, units))}])
    give: Written = {"price" if units == 5 else "amount": _money(case, dice.choice([1, 99, 250, 700])), "to": to}
    give |= {"units": str(dice.randint(1, units))} if to in ("cheapest", "dearest") else {}
    fill = {"fill": dice.choice(["dearest_first", "cheapest_first", "whole_set"])} if dice.random() < 0.6 else {}
    return {"every": {"units": str(units)} | _of(dice) | fill, "give": give}


def _tiers(dice: Random, case: Case) -> Written:
    """Write one step, or three in any order, with presents of very different size."""
    froms = dice.sample([1, 2, 3, 5, 8], dice.choice([1, 3]))
    steps = [
        {"from": str(bound)}
        | dice.choice([{"percent": dice.choice(["0%", "5%", "66.6%"])}, {"amount": _money(case, 37 * bound)}])
        for bound in froms
    ]
    on = {"on": dice.choice([*RANGES])} if dice.random() < 0.5 else {}
    return {"tiers": {"by": "quantity", "steps": steps} | _of(dice) | on}


def _percent(dice: Random) -> Written:
    """Write a percentage off so many of the dearest or cheapest, often more than there are."""
    take = dice.choice([{}, {"take": "dearest"}, {"take": "cheapest"}])
    return {"percent": dice.choice(["0.01%", "99.99%", "33.3%"])} | _of(dice) | {"units": {"at_most": "9"} | take}


def _bundle(dice: Random, case: Case) -> Written:
    """Write a bundle of three parts, which mostly overlap."""
    parts = [{"of": dice.choice([*RANGES, *RANGES, {"not": {"tag": "new"}}])} for _ in range(3)]
    parts[0] |= {"units": "2"} if dice.random() < 0.3 else {}
    way = dice.choice(["price", "amount", "amount", "percent"])
    given = "12.5%" if way == "percent" else _money(case, dice.choice([100, 333, 500, 1250]))
    return {"bundle": {"of": parts, way: given} | ({"at_most": "1"} if dice.random() < 0.2 else {})}


def _of(dice: Random) -> Written:
    return {"of": dice.choice([*RANGES])} if dice.random() < 0.6 else {}


def _units(case: Case) -> int:
    return sum(int(line["quantity"]) for line in case.request["lines"])


def _money(case: Case, amount: int) -> str:
    decimals = {"JPY": 0, "KWD": 3}.get(case.policy["currency"], 2)
    return str(amount) if not decimals else f"{amount // 10**decimals}.{amount % 10**decimals:0{decimals}d}"
