"""Words of ranges and price lists that no product of the catalogue has: most often a slip of the finger.

A catalogue need not have everything that a shop sells, and tills send tags of their own. So a word is only found where
it is nearly that of a product; skus, of which one is always like another, are advice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

import msgspec

from pos_discount.policy.benefits import PriceList
from pos_discount.policy.checks.finding import Finding
from pos_discount.policy.model import House, Place, Policy, Promotion
from pos_discount.policy.ranges import Range

MOST_COMPARED = 2_000
"""Most words of a catalogue among which the nearest is looked for; among more, it takes seconds."""

AS_GOOD_AS_ALIKE = 0.85
"""How alike two words are, from 0 to 1, of which one is most likely the other: a letter or two in ten differ."""

WordsByKey = Mapping[str, frozenset[str]]


def find_what_no_product_has(policy: Policy) -> Iterator[Finding]:
    """Find words of ranges, and skus of price lists, that the catalogue does not know."""
    known = _words_by_key(policy.house)
    if not known["sku"]:
        return
    for place, products, promotion in _ranges_as_written(policy):
        yield from _find_unknown_words(place, products, promotion, known)
    for promotion in policy.promotions:
        if isinstance(promotion.benefit, PriceList):
            prices = promotion.benefit.price_list
            unknown = [sku for sku in prices.price_by_sku if sku not in known["sku"]]
            yield from _find_unknown_skus(promotion.place, prices.file, unknown, promotion)


def _words_by_key(house: House) -> WordsByKey:
    """Return what the catalogue's products have by key of a range; a category stands for all above it, too."""
    rows = house.catalogue.values()
    categories = {row.category for row in rows if row.category}
    return {
        "sku": frozenset(house.catalogue),
        "category": frozenset(above for category in categories for above in _with_all_above(category)),
        "brand": frozenset(row.brand for row in rows if row.brand),
        "supplier": frozenset(row.supplier for row in rows if row.supplier),
        "tag": frozenset(tag for row in rows for tag in row.tags),
    }


def _with_all_above(category: str) -> Iterator[str]:
    parts = category.split("/")
    yield from ("/".join(parts[:count]) for count in range(1, len(parts) + 1))


def _ranges_as_written(policy: Policy) -> Iterator[tuple[Place, Range, Promotion | None]]:
    """Yield every range once where it was written: named ones at their names, others at whatever holds them."""
    house = policy.house
    for name, products in house.ranges.items():
        yield from ((house.place_by_range.get(name, house.place), part, None) for part in _unnamed_parts(products))
    for value in (house.guards, house.margins):
        yield from ((house.place, part, None) for part in _ranges_in(value))
    for promotion in policy.promotions:
        if not isinstance(promotion.benefit, PriceList):
            yield from ((promotion.place, part, promotion) for part in _ranges_in(promotion.benefit))
        yield from ((promotion.place, part, promotion) for part in _ranges_in(promotion.when))


def _ranges_in(value: object) -> Iterator[Range]:
    """Yield the unnamed ranges within values, at whatever depth."""
    if isinstance(value, Range):
        if value.name is None:
            yield from _unnamed_parts(value)
    elif isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            yield from _ranges_in(getattr(value, field))
    elif isinstance(value, tuple):
        for item in value:
            yield from _ranges_in(item)


def _unnamed_parts(products: Range) -> Iterator[Range]:
    yield products
    for part in (*(products.range or ()), *(products.any or ()), *(products.all or ()), products.not_):
        if part is not None and part.name is None:
            yield from _unnamed_parts(part)


def _find_unknown_words(
    place: Place, products: Range, promotion: Promotion | None, known: WordsByKey
) -> Iterator[Finding]:
    subject = "a range" if products.name is None else f"the range '{products.name}'"
    for key, words in known.items():
        unknown = [word for word in getattr(products, key) or () if word not in words]
        if key == "sku":
            yield from _find_unknown_skus(place, subject, unknown, promotion)
            continue
        for word in unknown:
            meant = _nearest(word, words)
            if meant is not None:
                said = f"{subject} has the {key} '{word}', which no product of the catalogue has"
                yield Finding("warning", place, f"{said}; did you mean '{meant}'?", _id_of(promotion))


def _find_unknown_skus(
    place: Place, subject: str, unknown: Sequence[str], promotion: Promotion | None
) -> Iterator[Finding]:
    if unknown:
        more = f" and {len(unknown) - 3} other skus" if len(unknown) > 3 else ""
        said = f"{subject} has {', '.join(unknown[:3])}{more}, which the catalogue does not have"
        yield Finding("advice", place, said, _id_of(promotion))


def _nearest(word: str, known: frozenset[str]) -> str | None:
    if len(known) > MOST_COMPARED:
        return None
    word_by_plain = {other.casefold(): other for other in sorted(known)}
    close = get_close_matches(word[:100].casefold(), word_by_plain, n=1, cutoff=AS_GOOD_AS_ALIKE)
    return word_by_plain[close[0]] if close else None


def _id_of(promotion: Promotion | None) -> str | None:
    return None if promotion is None else promotion.id
