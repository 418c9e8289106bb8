"""Make small random policies and baskets in which promotions get into each other's way.

Few products, few prices, many equal ones; ranges that overlap; most conditions within reach and many thresholds exactly
met. One `random.Random` decides all, so a seed is a case.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from .values import DECIMALS

Written = dict[str, Any]

PRODUCTS: tuple[Written, ...] = (
    {"sku": "LIP-1", "category": "make-up/lips", "brand": "Mirabelle", "supplier": "NORDIC", "tags": ["new"]},
    {"sku": "LIP-2", "category": "make-up/lips/gloss", "brand": "Aurelie", "supplier": "NORDIC", "tags": []},
    {"sku": "EYE-1", "category": "make-up/eyes", "brand": "Mirabelle", "supplier": "SUD", "tags": ["clearance"]},
    {"sku": "CREAM-A", "category": "care/face", "brand": "Aurelie", "supplier": "SUD", "tags": ["new", "damaged"]},
    {"sku": "CREAM-B", "category": "care/body", "brand": "Mirabelle", "tags": []},
    {"sku": "SOAP", "category": "care", "attributes": {"scent": "rose"}, "tags": ["clearance"]},
    {"sku": "CARD", "category": "gift-cards", "tags": []},
    {"sku": "ODD", "category": "make-upper", "brand": "mirabelle"},
)
MOMENTS = (
    ("2026-11-05T10:00:00+01:00", "2026-11-05"),
    ("2026-11-21T23:30:00+01:00", "2026-11-21"),
    ("2026-11-30T23:59:59+01:00", "2026-11-30"),
    ("2026-12-01T00:00:00+01:00", "2026-12-01"),
    ("2027-01-01T01:15:00+01:00", "2027-01-01"),
    ("2026-03-29T03:00:00+02:00", "2026-03-29"),
    ("2026-10-25T02:30:00+02:00", "2026-10-25"),
    ("2028-02-29T12:00:00+00:00", "2028-02-29"),
)
ZONES = ("Europe/Paris", "Europe/Paris", "Asia/Tokyo", "America/New_York", "Africa/Tunis")
CLASSES = ("multibuy", "loyalty", "basket")
MOST_UNITS, MOST_UNITS_WITH_BUNDLES = 14, 8


@dataclass(frozen=True)
class Case:
    """Hold one policy, request, past sales, data files and segment, all as plain data."""

    policy: Written
    request: Written
    usage: list[Written] = field(default_factory=list)
    files: dict[str, list[Written]] = field(default_factory=dict)
    segment: str | None = None


def random_case(dice: Random) -> Case:
    """Make one case out of dice."""
    return _Maker(dice).case()


class _Maker:
    """Roll one case; what was rolled first (currency, basket) is what later rolls aim at."""

    def __init__(self, dice: Random) -> None:
        self.dice = dice
        self.currency = dice.choice(["EUR", "EUR", "EUR", "JPY", "KWD"])
        self.decimals = DECIMALS[self.currency]
        self.at, self.day = dice.choice(MOMENTS)
        self.is_sociable = dice.random() < 0.6
        self.has_authorities = dice.random() < 0.2
        self.kinds = self.rolled_kinds()
        self.prices = [dice.choice([99, 100, 101, 250, 333, 333, 499, 500, 999, 1250, 1999]) for _ in range(3)]
        self.lines = self.rolled_lines(MOST_UNITS_WITH_BUNDLES if "bundle" in self.kinds else MOST_UNITS)
        self.files: dict[str, list[Written]] = {}

    def case(self) -> Case:
        promotions = [self.promotion(index, kind) for index, kind in enumerate(self.kinds)]
        policy = self.house() | {"promotions": promotions}
        request = self.request(promotions)
        segment = self.dice.choice([None, "deal-hunters"])
        return Case(policy, request, self.usage(promotions, request), self.files, segment)

    def chance(self, probability: float) -> bool:
        return self.dice.random() < probability

    def money(self, amount: int) -> str:
        """Write minor units as major ones, with all, some or none of their needless zeros."""
        if self.decimals == 0:
            return str(amount)
        text = f"{amount // 10**self.decimals}.{amount % 10**self.decimals:0{self.decimals}d}"
        return text.rstrip("0").rstrip(".") if self.chance(0.3) else text

    def rolled_kinds(self) -> list[str]:
        kinds = ["percent", "percent", "amount", "amount", "unit_price", "price_list", "every", "every", "buy_get"]
        kinds += ["buy_get", "bundle", "tiers", "gift", "points"]
        return [self.dice.choice(kinds) for _ in range(self.dice.choice([1, 2, 3, 4, 4, 5, 5, 6, 6]))]

    def rolled_lines(self, most_units: int) -> list[Written]:
        lines: list[Written] = []
        for index in range(self.dice.choice([1, 2, 3, 3, 4, 5, 6])):
            quantity = min(
                self.dice.choice([1, 1, 1, 2, 2, 2, 3, 3, 4, 7]), most_units - sum(line["quantity"] for line in lines)
            )
            if quantity:
                lines.append(self.line(f"L{index}", quantity))
        return lines

    def line(self, line_id: str, quantity: int) -> Written:
        price = self.dice.choice(
            [*self.prices * 3, *self.prices * 3, self.dice.randint(1, 2500), 0, self.dice.randint(1, 9**9)]
        )
        line = {"line_id": line_id, "quantity": quantity, "unit_price": price} | self.dice.choice(
            PRODUCTS[:6] * 3 + PRODUCTS
        )
        if self.chance(0.4):
            line["unit_cost"] = price * self.dice.choice([30, 55, 90, 100, 120]) // 100
        if self.chance(0.1):
            line = {key: value for key, value in line.items() if key not in ("category", "brand", "tags")}
        return line

    def house(self) -> Written:
        house: Written = {"policy": "1", "currency": self.currency, "time_zone": self.dice.choice(ZONES)}
        choices = {
            "rounding": ["half_up", "half_even", "down"],
            "percent_of": ["remaining", "original"],
            "spend_counts": ["original", "remaining"],
            "resolve": ["best_for_customer", "priority"],
        }
        house |= {name: self.dice.choice(options) for name, options in choices.items() if self.chance(0.6)}
        price = self.money(self.dice.choice(self.prices))
        house["ranges"] = RANGES | {"dear": {"price": {"from": price}}, "cheap": {"price": {"below": price}}}
        if self.chance(0.5):
            house["ladder"] = {"min_step": self.money(self.dice.choice([1, 2, 10, 50, 100]))}
            house["ladder"] |= {"max_combined": str(self.dice.randint(1, 3))} if self.chance(0.5) else {}
        house["guards"] = self.guards()
        if self.chance(0.3):
            house["margins"] = [{"of": self.range(), "rate": self.dice.choice(["38%", "5%", "62.5%"])}]
            house["margins"] += [{"rate": "45%"}] if self.chance(0.5) else []
        if self.chance(0.2):
            house["catalogue"] = "products.csv"
            self.files["products.csv"] = [self.catalogue_row(product) for product in PRODUCTS[:4]]
        return house

    def guards(self) -> Written:
        guards: Written = {}
        if self.chance(0.2):
            guards["max_depth"] = self.dice.choice(["25%", "40%", "12.5%", "60%"])
        if self.chance(0.2):
            guards["min_margin"] = self.dice.choice(["5%", "0%", "30%"])
        if self.chance(0.25):
            prices = [
                self.money(self.dice.choice([*self.prices, 90, 200, 450])) for _ in range(self.dice.randint(1, 2))
            ]
            guards["min_price"] = [{"of": self.range(), "price": price} for price in prices]
        if self.chance(0.2):
            guards["never"] = self.dice.choice(
                [{"category": ["gift-cards", "care/body"]}, "clearance", {"sku": "LIP-1"}]
            )
        if self.has_authorities:
            guards["authority"] = {"cashier": self.dice.choice(["5%", "15%", "30%"]), "supervisor": "40%"}
        return guards

    def catalogue_row(self, product: Written) -> Written:
        row = {key: product.get(key, "") for key in ("sku", "category", "brand", "supplier")}
        return row | {"tags": ";".join(product["tags"]), "unit_cost": self.money(self.dice.choice([50, 180, 240, 900]))}

    def range(self) -> Any:
        return self.dice.choice(
            [*RANGES, *RANGES, "dear", "cheap", {"sku": self.dice.choice(self.lines)["sku"]}, *INLINE_RANGES]
        )

    def of(self, key: str = "of", probability: float = 0.6) -> Written:
        return {key: self.range()} if self.chance(probability) else {}

    def percent(self) -> str:
        return self.dice.choice(["10%", "30%", "12.5%", "33", "50%", "7.77%", "100%", "1%", "25"])

    def some_money(self) -> str:
        total = sum(line["unit_price"] * line["quantity"] for line in self.lines)
        return self.money(
            self.dice.choice([1, 7, 50, 100, 299, 500, 1000, self.dice.choice(self.prices), total // 3]) or 1
        )

    def units(self) -> Written:
        if not self.chance(0.35):
            return {}
        take = {"take": self.dice.choice(["cheapest", "dearest"])} if self.chance(0.8) else {}
        return {"units": {"at_most": str(self.dice.randint(1, 4))} | take}

    def promotion(self, index: int, kind: str) -> Written:
        makers: dict[str, Callable[[], Written]] = {
            "percent": lambda: {"percent": self.percent()} | self.of() | self.units(),
            "amount": self.amount,
            "unit_price": lambda: {"unit_price": self.some_money()} | self.of() | self.units(),
            "price_list": self.price_list,
            "every": self.every,
            "buy_get": self.buy_get,
            "bundle": self.bundle,
            "tiers": self.tiers,
            "gift": lambda: {"gift": {"sku": "SAMPLE", "name": "Sample"} | self.worth()},
            "points": lambda: {"points": {"amount": "200"} | self.worth()},
        }
        promotion = {
            "id": f"p{self.dice.randint(0, 9)}{index}",
            "name": f"Promotion {index}",
            "benefit": makers[kind](),
        }
        return promotion | self.terms() | self.together() | self.when()

    def amount(self) -> Written:
        each = {"each": self.dice.choice(["basket", "line", "unit"])} if self.chance(0.5) else {}
        return {"amount": self.some_money()} | self.of() | each | self.units()

    def price_list(self) -> Written:
        name = f"list-{len(self.files)}.csv"
        skus = self.dice.sample([product["sku"] for product in PRODUCTS], 4)
        self.files[name] = [
            {"sku": sku, "price": self.money(self.dice.choice([90, 95, 240, 450, 1000]))} for sku in skus
        ]
        return {"price_list": name}

    def every(self) -> Written:
        units = self.dice.choice([2, 3, 3, 4])
        every = {"units": str(units)} | self.of() | self.at_most()
        positions: list[Any] = ["cheapest", "dearest", "all", {"position": str(self.dice.randint(1, units))}]
        way = self.dice.choice(["percent", "percent", "percent", "amount", "price"])
        give: Written = {"percent": self.percent()} if way == "percent" else {way: self.some_money()}
        if way == "percent" and self.chance(0.6):
            give["to"] = self.dice.choice([*positions, "cheapest", "cheapest"])
            give |= {"units": str(self.dice.randint(1, units))} if give["to"] in ("cheapest", "dearest") else {}
        fills = ["dearest_first", "cheapest_first", "whole_set"]
        every |= {"fill": self.dice.choice(fills)} if self.chance(0.5) else {}
        return {"every": every, "give": give}

    def buy_get(self) -> Written:
        deal: Written = {"buy": str(self.dice.randint(1, 3)), "get": str(self.dice.randint(1, 2))}
        deal |= self.of() | self.of("of_get", 0.4) | self.at_most()
        deal |= {"percent": self.percent()} if self.chance(0.5) else {}
        deal |= {"take": self.dice.choice(["cheapest", "dearest"])} if self.chance(0.4) else {}
        return {"buy_get": deal | ({"partial": self.dice.choice(["yes", "no"])} if self.chance(0.5) else {})}

    def bundle(self) -> Written:
        slots = [
            {"units": str(self.dice.choice([1, 1, 2]))} | self.of(probability=0.9)
            for _ in range(self.dice.randint(1, 2))
        ]
        way: Written = {"percent": self.percent()}
        if self.chance(0.6):
            way = {self.dice.choice(["price", "price", "amount"]): self.some_money()}
        return {"bundle": {"of": slots} | way | self.at_most()}

    def at_most(self) -> Written:
        return {"at_most": str(self.dice.randint(1, 2))} if self.chance(0.35) else {}

    def tiers(self) -> Written:
        by = self.dice.choice(["spend", "quantity"])
        froms = sorted(self.dice.sample([1, 2, 3, 4, 6], 2)) if by == "quantity" else sorted(self.spends())
        steps = [{"from": str(bound) if by == "quantity" else self.money(bound)} | self.step() for bound in froms]
        return {"tiers": {"by": by, "steps": steps} | self.of() | self.of("on", 0.3)}

    def step(self) -> Written:
        return {"percent": self.percent()} if self.chance(0.5) else {"amount": self.some_money()}

    def spends(self) -> list[int]:
        """Roll two amounts, mostly ones that are exactly or nearly what something in the basket comes to."""
        totals = [line["unit_price"] * line["quantity"] for line in self.lines]
        exact = [total for total in [*totals, sum(totals), sum(totals) * 9 // 10] if total > 1]
        pool = {total + self.dice.choice([0, 0, 1, -1]) for total in exact} | {100, 500}
        return self.dice.sample(sorted(pool), 2)

    def worth(self) -> Written:
        value = self.dice.choice([0, 1, 10, 100, 200, 600])
        return {"value": self.money(value), "cost": self.money(value * self.dice.choice([0, 15, 55, 120]) // 100)}

    def terms(self) -> Written:
        terms: Written = {"cap": self.some_money()} if self.chance(0.15) else {}
        terms |= {"funded": self.dice.choice(["60%", "33.3%", "100%"])} if self.chance(0.2) else {}
        ranked = ["cashier", "supervisor"] if self.has_authorities else ["supervisor"]
        terms |= {"approval": self.dice.choice(ranked)} if self.chance(0.06) else {}
        terms |= {"limits": [self.limit() for _ in range(self.dice.randint(1, 2))]} if self.chance(0.12) else {}
        terms |= self.dice.choice(PLACES) if self.chance(0.06) else {}
        return terms | (self.schedule() if self.chance(0.12) else {})

    def limit(self) -> Written:
        most = {"uses": str(self.dice.randint(1, 3))} if self.chance(0.5) else {"budget": self.some_money()}
        every = {"every": self.dice.choice(["day", "week", "month", "year"])} if self.chance(0.7) else {}
        return most | {"per": self.dice.choice(["customer", "store", "cashier", "chain"])} | every

    def schedule(self) -> Written:
        schedule: Written = {}
        if self.chance(0.5):
            schedule["from"] = self.dice.choice(["2026-01-01", self.day, f"{self.day}T02:30", self.at, "2026-12-01"])
        if self.chance(0.5):
            schedule["until"] = self.dice.choice(["2029-01-01", "2026-12-01", f"{self.day}T03:00", self.at])
        if self.chance(0.4):
            schedule["weekdays"] = self.dice.sample(["mon", "tue", "wed", "thu", "fri", "sat", "sun"], 5)
        if self.chance(0.5):
            windows = ["09:00-19:00", "22:00-02:00", "00:00-09:00", "19:00-24:00", "02:30-04:00", "09:00-09:00"]
            schedule["hours"] = self.dice.sample(windows, 2)
        return schedule

    def together(self) -> Written:
        together: Written = {"priority": self.dice.choice(["1", "50", "99", "100", "200"])} if self.chance(0.6) else {}
        together |= {"class": self.dice.choice(CLASSES)} if self.chance(0.5) else {}
        allowed = ["all", "all", "all", "all", "none", [*CLASSES], list(self.dice.sample(CLASSES, 2))]
        if self.is_sociable and self.chance(0.85):
            together["combines_with"] = "all"
        elif self.chance(0.85):
            together["combines_with"] = self.dice.choice(allowed)
        offers = ["ladder", "ladder", "ladder", "automatic", "automatic", "automatic", "on_request"]
        return together | ({"offer": self.dice.choice(offers)} if self.chance(0.6) else {})

    def when(self) -> Written:
        if self.chance(0.65):
            return {}
        return {"when": [self.condition() for _ in range(self.dice.choice([1, 1, 2]))]}

    def condition(self) -> Written:
        if self.chance(0.06):
            return {"not": [self.condition()]}
        if self.chance(0.08):
            return {"any": [[self.condition()], [self.condition(), self.condition()]]}
        if self.chance(0.35):
            return self.dice.choice(PERSONAL_CONDITIONS)
        low, high = sorted(self.spends())
        counts = {"counts": self.dice.choice(["remaining", "original"])} if self.chance(0.4) else {}
        above = {self.dice.choice(["at_least", "at_least", "more_than"]): self.money(low)}
        below = {self.dice.choice(["at_most", "below"]): self.money(high)} if self.chance(0.3) else {}
        return self.dice.choice(
            [
                {"spend": self.of() | above | below | counts},
                {"spend": self.of() | above | counts},
                {"quantity": self.of() | {"at_least": str(self.dice.randint(1, 4))}},
                {"quantity": self.of() | {"at_least": "1", "at_most": str(self.dice.randint(2, 6))}},
                {"contains": self.range()},
                {"contains": [self.range(), self.range()]},
                {"distinct": self.of() | {self.dice.choice(["at_least", "exactly"]): str(self.dice.randint(1, 3))}},
            ]
        )

    def request(self, promotions: Sequence[Written]) -> Written:
        request: Written = {"store_id": "S1", "currency": self.currency, "at": self.at, "lines": self.lines}
        request["claimed"] = [promotion["id"] for promotion in promotions if self.chance(0.2)]
        request["coupons"] = self.dice.choice([[], ["autumn"], ["SPA-77", "none"]])
        request["asked"] = self.chance(0.5)
        optional: Written = {
            "cashier_id": "C1",
            "channel": "till",
            "region": "north",
            "payment": self.dice.choice(["card", "store-card"]),
            "authority": self.dice.choice(["cashier", "cashier", "supervisor", "trainee"]),
            "attributes": {"event": "gala"},
        }
        request |= {name: value for name, value in optional.items() if self.chance(0.7)}
        return request | ({"customer": self.customer()} if self.chance(0.75) else {})

    def customer(self) -> Written:
        customer: Written = {
            "customer_id": "K1",
            "tier": self.dice.choice(["gold", "silver"]),
            "groups": self.dice.choice([[], ["staff", "press"]]),
            "birthday": self.dice.choice(["11-25", "12-01", "01-02", "02-29", "10-25"]),
            "visit_number": self.dice.choice([1, 10, 12]),
            "last_visit_on": self.dice.choice(["2026-01-02", "2026-11-01", "2026-08-07"]),
            "attributes": {"club": self.dice.choice(["run", "chess"])},
        }
        return {name: value for name, value in customer.items() if self.chance(0.9)}

    def usage(self, promotions: Sequence[Written], request: Written) -> list[Written]:
        """Roll past sales of limited promotions: here and elsewhere, by this customer and others, now and before."""
        limited = [promotion["id"] for promotion in promotions if "limits" in promotion]
        return [self.sale(promotion_id) for promotion_id in limited for _ in range(self.dice.randint(0, 4))]

    def sale(self, promotion_id: str) -> Written:
        return {
            "promotion_id": promotion_id,
            "at": self.dice.choice([self.at, self.at, *(moment for moment, _ in MOMENTS)]),
            "store_id": self.dice.choice(["S1", "S1", "S2"]),
            "cashier_id": self.dice.choice(["C1", "C2", None]),
            "customer_id": self.dice.choice(["K1", "K2", None]),
            "cost": self.dice.choice([0, 1, 50, 100, 500]),
        }


RANGES: Written = {
    "make-up": {"category": "make-up"},
    "care": {"category": ["care"]},
    "clearance": {"tag": ["clearance", "damaged"]},
    "full-price": {"not": {"range": "clearance"}},
    "mirabelle": {"brand": "Mirabelle"},
    "either": {"any": [{"range": "make-up"}, {"supplier": ["SUD"]}]},
    "both": {"all": [{"range": "make-up"}, {"range": "full-price"}]},
    "scented": {"attribute": {"scent": ["rose", "lily"]}},
}
INLINE_RANGES: tuple[Written, ...] = (
    {"category": "make-up/lips", "brand": ["Mirabelle", "Aurelie"]},
    {"not": {"category": "care/face"}},
    {"range": ["make-up", "care"]},
    {"all": [{"not": {"brand": "Aurelie"}}, {"any": [{"tag": "new"}, {"category": "care"}]}]},
)
PLACES: tuple[Written, ...] = (
    {"stores": ["S1", "S2"]},
    {"stores": ["S2"]},
    {"not_stores": ["S3"]},
    {"not_stores": ["S1"]},
    {"channels": ["till"], "regions": ["north", "south"]},
)
PERSONAL_CONDITIONS: tuple[Written, ...] = (
    {"member": "yes"},
    {"member": "no"},
    {"tier": ["gold", "platinum"]},
    {"group": ["staff"]},
    {"birthday": {"days_before": "3", "days_after": "7"}},
    {"birthday": {"days_before": "30", "days_after": "30"}},
    {"visit_number": {"exactly": "1"}},
    {"visit_number": {"every": "10"}},
    {"days_since_last_visit": {"at_least": "90"}},
    {"coupon": ["AUTUMN", "SPA-*"]},
    {"coupon": ["spa-77"]},
    {"segment": ["deal-hunters"]},
    {"asked": "yes"},
    {"asked": "no"},
    {"payment": ["store-card", "voucher"]},
    {"currency": ["EUR", "JPY"]},
    {"attribute": {"of": "customer", "name": "club", "is": ["run"]}},
    {"attribute": {"of": "basket", "name": "event", "is": ["gala"]}},
)
