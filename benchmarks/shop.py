"""A made chain of shops to measure on: an assortment, promotions as merchandisers write them, baskets as tills send
them.

What makes a figure believable is here and nowhere else: promotions spread over skus, brands, categories, suppliers
and tags, a few for the whole basket, every kind of condition and benefit among them, and a customer for whom some
of them hold. All is drawn from one seed, so that two runs measure the same work.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any

import msgspec

from pos_discount.basket import Basket
from pos_discount.policy import Policy, read_policy
from pos_discount.policy.problems import Problems

Written = dict[str, Any]

NOW = datetime(2026, 11, 21, 9, 2, 11, tzinfo=UTC)
PROMOTIONS_IN_A_FILE = 50
DEPARTMENTS = ("make-up", "care", "fragrance", "hair", "bath", "nails", "men", "accessories")
TAGS = (
    "new",
    "clearance",
    "vegan",
    "travel",
    "refill",
    "limited",
    "online",
    "gift",
    "sun",
    "winter",
    "sensitive",
    "pro",
)

HOUSE: Written = {
    "policy": 1,
    "currency": "EUR",
    "time_zone": "Europe/Paris",
    "ladder": {"max_rungs": 4, "min_step": "0.50", "max_combined": 3, "seconds_per_offer": 7, "cost_per_hour": "18.00"},
    "guards": {"max_depth": "40%", "min_margin": "5%", "authority": {"cashier": "15%", "supervisor": "40%"}},
    "margins": [{"of": {"category": "fragrance"}, "rate": "38%"}, {"rate": "45%"}],
    "ranges": {"clearance": {"tag": "clearance"}, "full-price": {"not": {"range": "clearance"}}},
}


def made_assortment(dice: Random, size: int, prefix: str = "") -> tuple[Written, ...]:
    """Make products as the lines of a basket name them; assortments of different prefixes have no word in common."""
    brands = [f"{prefix}Brand {number}" for number in range(max(1, size // 25))]
    leaves = [
        f"{prefix}{department}/{group}/{leaf}" for department in DEPARTMENTS for group in range(5) for leaf in range(3)
    ]
    return tuple(
        {
            "sku": f"{prefix}SKU-{number:06}",
            "category": dice.choice(leaves),
            "brand": (brand := dice.choice(brands)),
            "supplier": f"{prefix}Supplier {brands.index(brand) // 4}",
            "tags": [prefix + tag for tag in dice.sample(TAGS, dice.choice((0, 0, 1, 1, 2)))],
            "unit_price": dice.choice((299, 450, 599, 799, 999, 1200, 1499, 1950, 2499, 3900, 5900)),
        }
        for number in range(size)
    )


def made_basket(dice: Random, assortment: Sequence[Written], lines: int) -> Written:
    """Make the body of a request: a gold member with a coupon who buys one to three of each of so many products."""
    return {
        "store_id": "S001",
        "till_id": "T07",
        "cashier_id": "C12",
        "authority": "cashier",
        "channel": "till",
        "region": "north",
        "currency": "EUR",
        "locale": "en",
        "lines": [
            {
                **product,
                "line_id": str(number),
                "quantity": dice.choice((1, 1, 1, 2, 3)),
                "unit_cost": product["unit_price"] * 11 // 20,
            }
            for number, product in enumerate(dice.sample(assortment, lines), start=1)
        ],
        "coupons": ["AUTUMN"],
        "payment": "card",
        "attributes": {"occasion": "weekend"},
        "customer": {
            "customer_id": "L-889123",
            "tier": "gold",
            "groups": ["staff"],
            "birthday": "11-25",
            "visit_number": 12,
            "last_visit_on": "2026-10-02",
            "visits_90d": 3,
            "spend_90d": 12050,
            "promo_share_90d": 0.4,
            "attributes": {"club": "run"},
        },
    }


def made_promotions(dice: Random, assortment: Sequence[Written], count: int, prefix: str = "") -> list[Written]:
    """Write so many promotions on an assortment; those for the whole basket come among the first, as in any house."""
    writer = _Writer(dice, assortment, prefix)
    everywhere = [writer.for_the_whole_basket(number) for number in range(min(4, count // 3))] if not prefix else []
    return everywhere + [writer.for_some_products(number) for number in range(len(everywhere), count)]


def read_basket(body: Mapping[str, Any]) -> Basket:
    """Return a request's body as the core takes it."""
    return msgspec.convert(body, Basket)


def read_promotions(promotions: Sequence[Written], house: Mapping[str, Any] = HOUSE) -> Policy:
    """Read promotions with a house's settings, as from a folder of files."""
    policy = read_policy({name: json.dumps(content).encode() for name, content in files_of(promotions, house).items()})
    if isinstance(policy, Problems):
        raise ValueError("\n".join(str(problem) for problem in policy.problems[:5]))
    return policy


def files_of(promotions: Sequence[Written], house: Mapping[str, Any] = HOUSE) -> dict[str, Any]:
    """Spread promotions over files as a folder holds them, the house settings in their own."""
    files: dict[str, Any] = {"house.yaml": dict(house)}
    for start in range(0, len(promotions), PROMOTIONS_IN_A_FILE):
        part = promotions[start : start + PROMOTIONS_IN_A_FILE]
        files[f"promotions-{start // PROMOTIONS_IN_A_FILE:04}.yaml"] = {"promotions": list(part)}
    return files


class _Writer:
    """Writes promotions one by one, each with products, conditions and a benefit drawn by dice."""

    def __init__(self, dice: Random, assortment: Sequence[Written], prefix: str) -> None:
        self._dice = dice
        self._prefix = prefix
        self._skus = [product["sku"] for product in assortment]
        self._leaves = sorted({product["category"] for product in assortment})
        self._brands = sorted({product["brand"] for product in assortment})
        self._suppliers = sorted({product["supplier"] for product in assortment})
        self._tags = sorted({tag for product in assortment for tag in product["tags"]})

    def for_the_whole_basket(self, number: int) -> Written:
        """Write one of the house's few promotions for everybody: volume, member's percentage, birthday, goodwill."""
        kinds: list[Written] = [
            {
                "benefit": {
                    "tiers": {"by": "spend", "steps": [{"from": 50, "percent": "3%"}, {"from": 150, "percent": "5%"}]}
                }
            },
            {"benefit": {"percent": "4%"}, "when": [{"tier": ["gold", "platinum"]}]},
            {
                "benefit": {"percent": "10%"},
                "cap": "20.00",
                "when": [{"birthday": {"days_before": 3, "days_after": 7}}],
            },
            {"benefit": {"amount": "2.00"}, "limits": [{"uses": 1, "per": "customer", "every": "year"}]},
        ]
        return self._promotion(number, kinds[number])

    def for_some_products(self, number: int) -> Written:
        """Write a promotion for a brand, a category, a supplier's goods, a tag or some skus."""
        products = self._products()
        promotion: Written = {"benefit": self._benefit(products)}
        conditions = [self._condition(products) for _ in range(self._dice.choice((0, 1, 1, 1, 2)))]
        if conditions:
            promotion["when"] = conditions
        draw = self._dice.random()
        if draw < 0.1:
            promotion = {"offer": "automatic", "benefit": {"percent": "2%", "of": products}}
        elif draw < 0.16:
            promotion["offer"] = "on_request"
            promotion["when"] = [
                {"coupon": [f"CODE-{number}", f"{self._prefix}AUTUMN"] if draw < 0.103 else [f"CODE-{number}"]},
                *conditions,
            ]
        if self._dice.random() < 0.2:
            promotion["funded"] = "50%"
        if self._dice.random() < 0.2:
            promotion["limits"] = [{"uses": 2, "per": "customer", "every": "month"}]
        return self._promotion(number, promotion | self._schedule())

    def _schedule(self) -> Written:
        """Most promotions run; some are over or to come, some are for other days or other stores."""
        draw = self._dice.random()
        if draw < 0.06:
            return {"until": "2026-11-01"}
        if draw < 0.12:
            return {"from": "2026-12-01"}
        if draw < 0.18:
            return {"weekdays": ["mon", "tue", "wed"]}
        if draw < 0.24:
            return {"weekdays": ["fri", "sat", "sun"]}
        if draw < 0.3:
            return {"stores": ["S002", "S003"]}
        return {"stores": ["S001", "S002"]} if draw < 0.4 else {}

    def _promotion(self, number: int, promotion: Written) -> Written:
        return {
            "id": f"{self._prefix}promotion-{number:05}",
            "name": f"Promotion {number} of {self._prefix or 'the house'}",
            "owner": self._dice.choice(("care", "make-up", "trading", "customer-club")),
            "reference": f"MERCH-{number}",
            "say": {"en": "Today I can take {amount} off for you.", "ru": "Сегодня могу уступить вам {amount}."},
            "from": "2026-01-01",
            "until": "2027-01-01",
            "priority": self._dice.choice((50, 100, 100, 100, 200)),
            **promotion,
        }

    def _products(self) -> Written:
        draw = self._dice.random()
        if draw < 0.45:
            return {"sku": self._dice.sample(self._skus, min(len(self._skus), self._dice.choice((1, 2, 4, 8))))}
        if draw < 0.65:
            return {"brand": self._dice.choice(self._brands), "category": self._dice.choice(self._leaves).split("/")[0]}
        if draw < 0.85:
            return {"brand": self._dice.choice(self._brands)}
        if draw < 0.96:
            return {"category": self._dice.choice(self._leaves), "not": {"tag": f"{self._prefix}clearance"}}
        if draw < 0.98:
            return {"supplier": self._dice.choice(self._suppliers)}
        return {"tag": self._dice.choice(self._tags), "category": self._dice.choice(self._leaves).rpartition("/")[0]}

    def _benefit(self, of: Written) -> Written:
        kinds: tuple[Written, ...] = (
            {"percent": "10%", "of": of},
            {"percent": "15%", "of": of},
            {"percent": "20%", "of": of, "units": {"at_most": 2}},
            {"amount": "3.00", "of": of},
            {"amount": "1.00", "of": of, "each": "unit"},
            {"unit_price": "7.99", "of": of},
            {"every": {"units": 2, "of": of}, "give": {"percent": "50%"}},
            {"buy_get": {"buy": 1, "of": of, "get": 1, "percent": "50%"}},
            {"bundle": {"of": [{"units": 1, "of": of}, {"units": 1, "of": self._products()}], "percent": "15%"}},
            {
                "tiers": {
                    "by": "quantity",
                    "of": of,
                    "steps": [{"from": 1, "percent": "3%"}, {"from": 3, "percent": "8%"}],
                }
            },
            {"gift": {"sku": "SAMPLE-7", "name": "Serum sample", "value": "6.00", "cost": "0.90"}},
            {"points": {"amount": 200, "value": "2.00", "cost": "1.10"}},
        )
        benefit = self._dice.choice(kinds[:6] * 3 + kinds[6:10] * 2 + kinds[:1])
        return self._dice.choice(kinds[10:]) if "contains" in of else benefit

    def _condition(self, of: Written) -> Written:
        kinds: tuple[Written, ...] = (
            {"quantity": {"of": of, "at_least": self._dice.choice((1, 2, 3))}},
            {"spend": {"of": of, "at_least": self._dice.choice(("10.00", "20.00", "40.00"))}},
            {"contains": of},
            {"distinct": {"of": of, "at_least": self._dice.choice((1, 2))}},
            {"member": "yes"},
            {"tier": self._dice.choice((["gold", "platinum"], ["silver"], ["gold"]))},
            {"group": self._dice.choice((["staff"], ["students"]))},
            {"birthday": {"days_before": 7, "days_after": 7}},
            {"visit_number": {"at_most": self._dice.choice((1, 10, 50))}},
            {"days_since_last_visit": {"at_least": self._dice.choice((30, 90))}},
            {"segment": ["deal-hunters"]},
            {"asked": self._dice.choice(("yes", "no"))},
            {"payment": ["card", "store-card"]},
            {"currency": ["EUR", "CHF"]},
            {"attribute": {"of": "customer", "name": "club", "is": self._dice.choice((["run"], ["swim"]))}},
            {"any": [[{"tier": ["gold"]}], [{"quantity": {"of": of, "at_least": 4}}]]},
            {"not": [{"tier": ["silver"]}, {"asked": "yes"}]},
        )
        return self._dice.choice(kinds[:4] * 3 + kinds)
