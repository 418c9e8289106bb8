"""What is checked of a basket at the edge beyond its types: the house's currency, refused attributes, the calendar,
unique lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import msgspec

from pos_discount.basket import Basket, basket_problems
from pos_discount.refused import refused_reason
from pos_discount.web.bodies import BodyReader
from pos_discount.web.faults import pointer_to
from pos_discount.web.problems import Fault


def basket_reader(currency: str) -> BodyReader[Basket]:
    """Make the reader of baskets for a house of this currency."""

    def check(basket: Basket) -> Iterator[Fault]:
        return basket_faults(basket, currency)

    def salvage(plain: Any, faults: Iterable[Fault]) -> Basket | None:
        return _salvage(plain, frozenset(fault.pointer for fault in faults), currency)

    return BodyReader(Basket, check, salvage, _may_repeat)


def basket_faults(basket: Basket, currency: str) -> Iterator[Fault]:
    """Yield what the types alone can't refuse."""
    for problem in basket_problems(basket):
        yield Fault(problem.pointer, problem.code, problem.detail)
    if basket.currency != currency:
        yield Fault("/currency", "other_currency", f"expected {currency}, the house's currency")
    if basket.attributes:
        yield from _refused_attributes(basket.attributes, "/attributes")
    if basket.customer is not None and basket.customer.attributes:
        yield from _refused_attributes(basket.customer.attributes, "/customer/attributes")


def _refused_attributes(attributes: Iterable[str], pointer: str) -> Iterator[Fault]:
    for name in attributes:
        if trait := _trait(name):
            detail = f"this name denotes {trait}, which is refused; describe behaviour instead"
            yield Fault(pointer_to(pointer, name), "personal_trait", detail)


_trait = lru_cache(maxsize=4096)(refused_reason)  # tills send the same few names again and again


def _may_repeat(body: bytes, basket: Basket) -> bool:
    """Tell whether a field of a line that stands for money may be there twice; only then a costly look is worth it."""
    lines = len(basket.lines)
    return body.count(b'"quantity"') != lines or body.count(b'"unit_price"') != lines


def _salvage(plain: Any, wrong: frozenset[str], currency: str) -> Basket | None:
    """Make a basket of what is right in a wrong one, so that its other faults are found in the same answer."""
    if not isinstance(plain, dict) or "" in wrong:
        return None
    sound = _without(plain, "", wrong)
    lines = sound.get("lines") if isinstance(sound.get("lines"), list) else []
    filled = [
        {"line_id": f"line {position}", "sku": "-", "quantity": 1, "unit_price": 0} | (line or {})
        for position, line in enumerate(lines or [{}])
    ]
    return msgspec.convert({"store_id": "-", "currency": currency} | sound | {"lines": filled[:1000]}, Basket)


def _without(value: Any, pointer: str, wrong: frozenset[str]) -> Any:
    """Copy plain JSON without what the pointers name; a line that is wrong as a whole is left empty, so that
    positions stay.
    """
    if isinstance(value, dict):
        kept = {name: item for name, item in value.items() if pointer_to(pointer, name) not in wrong}
        return {name: _without(item, pointer_to(pointer, name), wrong) for name, item in kept.items()}
    if isinstance(value, list):
        places = [(pointer_to(pointer, position), item) for position, item in enumerate(value)]
        sound = [None if place in wrong else _without(item, place, wrong) for place, item in places]
        return sound if pointer == "/lines" else [item for item in sound if item is not None]
    return value
