"""Ranges: named sets of products, and the question whether a product is in one.

A range is a tree of plain tests. Names are resolved by the reader, so a range holds other ranges, never their names.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from pos_discount.basket import AttributeValue


class PriceBounds(msgspec.Struct, frozen=True):
    """Bounds on the list price of one unit, in minor units: ``at_least`` inclusive, ``below`` exclusive."""

    at_least: int | None = None
    below: int | None = None

    def hold(self, price: int) -> bool:
        """Tell whether a list price lies within the bounds."""
        return (self.at_least is None or price >= self.at_least) and (self.below is None or price < self.below)


class Product(NamedTuple):
    """What a range can look at: a line's product and list price, completed from the catalogue."""

    sku: str
    category: str | None
    brand: str | None
    supplier: str | None
    tags: tuple[str, ...]
    unit_price: int
    attributes: tuple[tuple[str, AttributeValue], ...]


class Range(msgspec.Struct, frozen=True):
    """A set of products: every key that is given must hold, and a list within a key is "any of"."""

    sku: tuple[str, ...] | None = None
    category: tuple[str, ...] | None = None
    brand: tuple[str, ...] | None = None
    supplier: tuple[str, ...] | None = None
    tag: tuple[str, ...] | None = None
    price: PriceBounds | None = None
    attribute: tuple[tuple[str, tuple[str, ...]], ...] | None = None
    range: tuple[Range, ...] | None = None
    any: tuple[Range, ...] | None = None
    all: tuple[Range, ...] | None = None
    not_: Range | None = None
    name: str | None = None
    """What the merchandiser called it, for words only."""

    def contains(self, product: Product) -> bool:
        """Tell whether the product is in the range."""
        return (
            (self.sku is None or product.sku in self.sku)
            and (self.category is None or is_below(product.category, self.category))
            and (self.brand is None or product.brand in self.brand)
            and (self.supplier is None or product.supplier in self.supplier)
            and (self.tag is None or any(tag in self.tag for tag in product.tags))
            and (self.price is None or self.price.hold(product.unit_price))
            and (self.attribute is None or all(has_attribute(product.attributes, *test) for test in self.attribute))
            and (self.range is None or any(inner.contains(product) for inner in self.range))
            and (self.any is None or any(inner.contains(product) for inner in self.any))
            and (self.all is None or all(inner.contains(product) for inner in self.all))
            and (self.not_ is None or not self.not_.contains(product))
        )


def is_below(category: str | None, roots: tuple[str, ...]) -> bool:
    """Tell whether a category is one of the roots or below one: ``make-up/lips`` is below ``make-up``."""
    return category is not None and any(category == root or category.startswith(root + "/") for root in roots)


def has_attribute(attributes: tuple[tuple[str, AttributeValue], ...], name: str, values: tuple[str, ...]) -> bool:
    """Tell whether a named attribute is sent with one of the values, compared as a merchandiser would write them."""
    return any(key == name and _is_one_of(value, values) for key, value in attributes)


def _is_one_of(value: AttributeValue, wanted: tuple[str, ...]) -> bool:
    if isinstance(value, tuple):
        return any(item in wanted for item in value)
    if isinstance(value, bool):
        return any(word.lower() in (("yes", "true") if value else ("no", "false")) for word in wanted)
    if isinstance(value, float) and value.is_integer():
        return str(int(value)) in wanted or str(value) in wanted
    return value is not None and str(value) in wanted
