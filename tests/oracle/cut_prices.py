"""Cases in which a bundle's percentage of list prices meets units that earlier discounts have made nearly free."""

from random import Random

from .generator import Case, Written


def cut_prices_case(dice: Random) -> Case:
    """Make one case out of dice."""
    skus = "ABCDE"[: dice.randint(2, 5)]
    earlier = [_earlier(dice, skus) | {"priority": str(number)} for number in range(dice.randint(1, 2))]
    promotions = [
        {"id": f"p{number}", "name": "P", "offer": "automatic", "combines_with": "all"} | promotion
        for number, promotion in enumerate([*earlier, _bundle(dice, skus)])
    ]
    house: Written = {"policy": "1", "currency": "EUR", "time_zone": "Europe/Paris", "percent_of": "original"}
    if dice.random() < 0.2:
        house["guards"] = {"min_price": [{"of": _some(dice, skus), "price": dice.choice(["1", "3", "9"])}]}
    lines = [
        {"line_id": sku.lower(), "sku": sku, "quantity": dice.choice([1, 1, 2]), "unit_price": dice.randint(100, 3000)}
        for sku in skus
    ]
    request = {"store_id": "S", "currency": "EUR", "at": "2026-11-05T10:00:00+01:00", "lines": lines}
    return Case(house | {"promotions": promotions}, request)


def _earlier(dice: Random, skus: str) -> Written:
    benefits: list[Written] = [
        {"percent": dice.choice(["50%", "70%", "90%"])},
        {"unit_price": dice.choice(["1", "2", "5", "10"])},
        {"amount": dice.choice(["3", "8", "20"])},
    ]
    return {"benefit": dice.choice(benefits) | ({"of": _some(dice, skus)} if dice.random() < 0.8 else {})}


def _bundle(dice: Random, skus: str) -> Written:
    parts = [
        {"units": dice.choice(["1", "1", "2"])} | ({"of": _some(dice, skus)} if dice.random() < 0.6 else {})
        for _ in range(dice.randint(1, 2))
    ]
    bundle: Written = {"of": parts, "percent": dice.choice(["20%", "33%", "50%", "80%"])}
    return {"benefit": {"bundle": bundle | ({"at_most": "1"} if dice.random() < 0.4 else {})}}


def _some(dice: Random, skus: str) -> Written:
    return {"sku": dice.sample(skus, dice.randint(1, len(skus)))}
