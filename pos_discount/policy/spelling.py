"""The nearest right word for a wrong one: a slip of the finger, or what other systems call the same thing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

MEANT_BY_SYNONYM: Mapping[str, tuple[str, ...]] = {
    "action": ("benefit",),
    "actions": ("benefit",),
    "active": ("from",),
    "amount_off": ("amount",),
    "applies_to": ("of",),
    "article": ("sku",),
    "begin": ("from",),
    "begins": ("from",),
    "between": ("at_least",),
    "bogo": ("buy_get",),
    "bonus": ("points",),
    "branches": ("stores",),
    "brands": ("brand",),
    "buy_x_get_y": ("buy_get",),
    "bxgy": ("buy_get",),
    "cart_total": ("spend",),
    "catalog": ("catalogue",),
    "categories": ("category",),
    "code": ("coupon", "sku"),
    "collection": ("range",),
    "combinable": ("combines_with",),
    "combine": ("combines_with",),
    "combines": ("combines_with",),
    "combo": ("bundle",),
    "condition": ("when",),
    "conditions": ("when",),
    "count": ("quantity", "units"),
    "coupon_code": ("coupon",),
    "coupons": ("coupon",),
    "customer_group": ("group",),
    "date_from": ("from",),
    "date_to": ("until",),
    "days": ("weekdays",),
    "description": ("say",),
    "different": ("distinct",),
    "disc": ("percent",),
    "discount": ("percent", "benefit"),
    "each_group": ("every",),
    "effect": ("benefit",),
    "end": ("until",),
    "end_date": ("until",),
    "ends": ("until",),
    "equals": ("exactly",),
    "exclusive": ("combines_with",),
    "expires": ("until",),
    "fixed": ("amount",),
    "fixed_price": ("unit_price", "price"),
    "free": ("buy_get",),
    "free_gift": ("gift",),
    "freebie": ("gift",),
    "gt": ("more_than",),
    "gte": ("at_least",),
    "if": ("when",),
    "includes": ("contains",),
    "item": ("sku",),
    "items": ("quantity", "contains"),
    "kit": ("bundle",),
    "label": ("tag", "name"),
    "level": ("tier",),
    "limit": ("limits", "cap"),
    "loyalty_points": ("points",),
    "loyalty_tier": ("tier",),
    "lt": ("below",),
    "lte": ("at_most",),
    "manufacturer": ("brand", "supplier"),
    "max": ("at_most", "max_depth"),
    "max_amount": ("cap",),
    "max_discount": ("cap", "max_depth"),
    "max_uses": ("limits", "uses"),
    "maximum": ("at_most",),
    "membership": ("member",),
    "min": ("at_least",),
    "min_qty": ("quantity",),
    "min_quantity": ("quantity",),
    "min_spend": ("spend",),
    "min_total": ("spend",),
    "minimum": ("at_least",),
    "mix_and_match": ("bundle",),
    "mode": ("offer",),
    "money_off": ("amount",),
    "n_for_m": ("every",),
    "or": ("any",),
    "owned_by": ("owner",),
    "pct": ("percent",),
    "percent_off": ("percent",),
    "percentage": ("percent",),
    "pricelist": ("price_list",),
    "product": ("sku", "contains"),
    "products": ("sku", "of"),
    "qty": ("quantity", "units"),
    "quantity": ("units",),
    "requires": ("when",),
    "reward": ("benefit",),
    "rule": ("when",),
    "rules": ("when", "promotions"),
    "segments": ("segment",),
    "set": ("bundle",),
    "shops": ("stores",),
    "stackable": ("combines_with",),
    "stacking": ("combines_with",),
    "start": ("from",),
    "start_date": ("from",),
    "starts": ("from",),
    "store": ("stores",),
    "subtotal": ("spend",),
    "tags": ("tag",),
    "target": ("of", "to"),
    "tender": ("payment",),
    "text": ("say", "name"),
    "tiered": ("tiers",),
    "timezone": ("time_zone",),
    "title": ("name",),
    "to": ("until",),
    "total": ("spend",),
    "type": ("offer", "class"),
    "tz": ("time_zone",),
    "usage_limit": ("limits",),
    "valid_from": ("from",),
    "valid_to": ("until",),
    "valid_until": ("until",),
    "vendor": ("supplier",),
    "visits": ("visit_number",),
    "volume": ("tiers",),
    "voucher": ("coupon",),
    # values
    "manual": ("ladder",),
    "auto": ("automatic",),
    "on_demand": ("on_request",),
    "monday": ("mon",),
    "tuesday": ("tue",),
    "wednesday": ("wed",),
    "thursday": ("thu",),
    "friday": ("fri",),
    "saturday": ("sat",),
    "sunday": ("sun",),
    "shop": ("store",),
    "daily": ("day",),
    "weekly": ("week",),
    "monthly": ("month",),
    "yearly": ("year",),
    "lowest": ("cheapest",),
    "highest": ("dearest",),
    "most_expensive": ("dearest",),
}


def nearest(word: str, right: Iterable[str]) -> str | None:
    """Return which of the right words was probably meant, or None where none comes near.

    >>> nearest("min_totl", ["spend", "member"]), nearest("pecent", ["percent", "amount"]), nearest("xyz", ["percent"])
    ('spend', 'percent', None)
    """
    right_by_plain = {_plain(candidate): candidate for candidate in right}
    meant_by_word = {plain: plain for plain in right_by_plain}
    for synonym, meanings in MEANT_BY_SYNONYM.items():
        meaning = next((meaning for meaning in meanings if meaning in right_by_plain), None)
        if meaning is not None:
            meant_by_word.setdefault(synonym, meaning)
    for candidate, meaning in meant_by_word.items():
        if sorted(candidate) == sorted(_plain(word)):  # letters in another order, which short words are not near to
            return right_by_plain[meaning]
    close = get_close_matches(_plain(word), meant_by_word, n=1, cutoff=0.7)
    return right_by_plain[meant_by_word[close[0]]] if close else None


def did_you_mean(word: str, right: Iterable[str]) -> str:
    """Say which right word was probably meant, or else all of them, as the end of a sentence."""
    words = list(dict.fromkeys(right))
    meant = nearest(word[:100], words)
    if meant is not None:
        return f"; did you mean '{meant}'?"
    return f"; expected {one_of(words)}" if words else ""


def one_of(words: Iterable[str], most: int = 24) -> str:
    """List words as a choice: ``a, b or c``."""
    listed = list(words)
    if len(listed) > most:
        return f"{', '.join(listed[:most])} or one of {len(listed) - most} others"
    return " or ".join(filter(None, [", ".join(listed[:-1]), listed[-1]])) if listed else "nothing"


def _plain(word: str) -> str:
    return word.casefold().replace("-", "_").replace(" ", "_")
