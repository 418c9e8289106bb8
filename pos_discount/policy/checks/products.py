"""Ranges compared without any product at hand: whether one is empty, part of another, or overlaps with it.

A range is taken apart into the ways in which a product can be in it, each a set of plain demands. Where there are too
many ways, or a demand says nothing that can be compared, the answer is the careful one: not empty, not part of the
other, something in common.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product as combinations
from typing import NamedTuple

from pos_discount.policy.ranges import Range, is_below

MOST_WAYS = 64
Words = frozenset[str] | None


class Way(NamedTuple):
    """One way to be in a range: what a product's words are among, its price's bounds, what it is outside of."""

    sku: Words = None
    category: Words = None
    brand: Words = None
    supplier: Words = None
    tags: tuple[frozenset[str], ...] = ()
    attributes: tuple[tuple[str, frozenset[str]], ...] = ()
    at_least: int = 0
    below: int | None = None
    outside: tuple[Range, ...] = ()


def is_empty(products: Range | None) -> bool:
    """Tell whether no product can be in a range."""
    return all(_is_impossible(way) for way in _ways(products))


def is_part_of(inner: Range | None, outer: Range | None) -> bool:
    """Tell whether every product of one range is in another; None is everything."""
    if outer is None or inner == outer:
        return True
    return all(_is_impossible(way) or _is_within(way, outer) for way in _ways(inner))


def have_common(one: Range | None, other: Range | None) -> bool:
    """Tell whether a product could be in both ranges."""
    both = (_both(way, another) for way in _ways(one) for another in _ways(other))
    return not all(_is_impossible(way) for way in both)


def most_skus(products: Range | None) -> int | None:
    """Return how many skus a range can hold at most, None where it does not list them."""
    skus = [way.sku for way in _ways(products)]
    return None if None in skus else len(frozenset[str]().union(*(words for words in skus if words is not None)))


def _ways(products: Range | None) -> list[Way]:
    if products is None:
        return [Way()]
    ways = [_own_demands(products)]
    either: list[Iterable[Range]] = [group for group in (products.range, products.any) if group is not None]
    for group in [*either, *((part,) for part in products.all or ())]:
        choices = [way for part in group for way in _ways(part)]
        if len(ways) * len(choices) > MOST_WAYS:
            return [Way()]
        ways = [_both(way, choice) for way, choice in combinations(ways, choices)]
    return ways


def _own_demands(products: Range) -> Way:
    price = products.price
    return Way(
        sku=_words(products.sku),
        category=_words(products.category),
        brand=_words(products.brand),
        supplier=_words(products.supplier),
        tags=() if products.tag is None else (frozenset(products.tag),),
        attributes=tuple((name, frozenset(values)) for name, values in products.attribute or ()),
        at_least=(price.at_least or 0) if price else 0,
        below=price.below if price else None,
        outside=() if products.not_ is None else (products.not_,),
    )


def _words(words: tuple[str, ...] | None) -> Words:
    return None if words is None else frozenset(words)


def _both(one: Way, other: Way) -> Way:
    return Way(
        sku=_common(one.sku, other.sku),
        category=_common_categories(one.category, other.category),
        brand=_common(one.brand, other.brand),
        supplier=_common(one.supplier, other.supplier),
        tags=tuple(dict.fromkeys(one.tags + other.tags)),
        attributes=tuple(dict.fromkeys(one.attributes + other.attributes)),
        at_least=max(one.at_least, other.at_least),
        below=min((bound for bound in (one.below, other.below) if bound is not None), default=None),
        outside=tuple(dict.fromkeys(one.outside + other.outside)),
    )


def _common(one: Words, other: Words) -> Words:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _common_categories(one: Words, other: Words) -> Words:
    if one is None or other is None:
        return other if one is None else one
    below_other = {root for root in one if is_below(root, tuple(other))}
    return frozenset(below_other | {root for root in other if is_below(root, tuple(one))})


def _is_impossible(way: Way) -> bool:
    nothing: frozenset[str] = frozenset()
    return (
        nothing in (way.sku, way.category, way.brand, way.supplier, *way.tags)
        or any(values == nothing for _, values in way.attributes)
        or (way.below is not None and way.below <= way.at_least)
        or any(_is_within(way, outside) for outside in way.outside)
    )


def _is_within(way: Way, products: Range) -> bool:
    """Tell whether a way's demands make sure that the product is in a range."""
    roots, price = products.category, products.price
    return (
        _is_among(way.sku, products.sku)
        and (roots is None or (way.category is not None and all(is_below(root, roots) for root in way.category)))
        and _is_among(way.brand, products.brand)
        and _is_among(way.supplier, products.supplier)
        and (products.tag is None or any(tags <= set(products.tag) for tags in way.tags))
        and (price is None or ((price.at_least or 0) <= way.at_least and _ends_within(way.below, price.below)))
        and all(_is_demanded(way, name, values) for name, values in products.attribute or ())
        and (products.range is None or any(_is_within(way, part) for part in products.range))
        and (products.any is None or any(_is_within(way, part) for part in products.any))
        and all(_is_within(way, part) for part in products.all or ())
        and (products.not_ is None or _is_apart(way, products.not_))
    )


def _is_among(demanded: Words, words: tuple[str, ...] | None) -> bool:
    return words is None or (demanded is not None and demanded <= set(words))


def _ends_within(below: int | None, bound: int | None) -> bool:
    return bound is None or (below is not None and below <= bound)


def _is_demanded(way: Way, name: str, values: tuple[str, ...]) -> bool:
    return any(demanded == name and among <= set(values) for demanded, among in way.attributes)


def _is_apart(way: Way, products: Range) -> bool:
    """Tell whether a way's demands keep the product out of a range. A way that demands already what is asked is not
    asked again whether it is possible: that is being found out.
    """
    if products in way.outside:
        return True
    joined = [_both(way, other) for other in _ways(products)]
    return way not in joined and all(_is_impossible(both) for both in joined)
