"""The index of a policy: from what is in a basket to the promotions that it can concern, without looking at the others.

Every range gets a slot. A product is looked up once, by its sku, category, brand, supplier and tags, and what is
found (its slots, the promotions that name them, its floor and margin) is kept for the next basket that holds it. Made
once per policy version.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple

import msgspec

from pos_discount.basket import Basket, Line
from pos_discount.policy.conditions import AnyOf, Condition, Coupon
from pos_discount.policy.model import Policy, Promotion
from pos_discount.policy.ranges import Product, Range

WHOLE_BASKET = -1
_MOST_KEPT_PRODUCTS = 100_000

_Anchor = tuple[str, str]


class ProductFacts(NamedTuple):
    """What the policy says of a product: range slots, promotions that name one of them, its floor and its known
    margin."""

    slots: tuple[int, ...]
    promotions: tuple[int, ...]
    is_never: bool
    min_price: int
    margin: Fraction | None


class Entry:
    """A promotion as it stands in the order of application, with what is worth computing once."""

    __slots__ = (
        "allowed",
        "allows_all",
        "begins",
        "can_combine",
        "chooses_units",
        "coupons",
        "dynamic_conditions",
        "ends",
        "fixed_conditions",
        "footprint",
        "is_always_and_everywhere",
        "is_dynamic",
        "is_for_ladder",
        "position",
        "present_value",
        "promotion",
        "slots",
        "stacking_class",
        "target_slots",
        "uses_units",
    )

    def __init__(self, position: int, promotion: Promotion, index: PolicyIndex) -> None:
        counts = index.policy.house.spend_counts
        self.position = position
        self.promotion = promotion
        self.begins = -math.inf if promotion.from_ is None else promotion.from_.timestamp()
        self.ends = math.inf if promotion.until is None else promotion.until.timestamp()
        limiting = (promotion.weekdays, promotion.hours, promotion.stores, promotion.not_stores, promotion.channels)
        self.is_always_and_everywhere = not any(part is not None for part in (*limiting, promotion.regions))
        self.is_for_ladder = promotion.offer == "ladder"
        self.stacking_class = promotion.stacking_class
        self.allows_all = "all" in promotion.combines_with
        self.allowed = frozenset(promotion.combines_with)
        self.can_combine = self.allows_all or self.allowed != {"none"}
        self.coupons = tuple(_coupons(promotion.when))
        self.dynamic_conditions = tuple(c for c in promotion.when if c.depends_on_what_is_left(counts))
        self.fixed_conditions = tuple(c for c in promotion.when if not c.depends_on_what_is_left(counts))
        self.uses_units = promotion.benefit.uses_units
        self.chooses_units = promotion.benefit.chooses_units()
        has_budget = any(limit.budget is not None for limit in promotion.limits)
        is_moved = promotion.benefit.depends_on_what_is_left(counts)
        self.is_dynamic = bool(self.dynamic_conditions) or has_budget or is_moved
        self.present_value = promotion.benefit.present_value()
        self.target_slots = tuple(index.slot(of) for of in promotion.benefit.targets())
        benefit_slots = {index.slot(of) for of in _ranges_in(promotion.benefit)}
        self.footprint = frozenset(
            benefit_slots | {index.slot(of) for c in self.dynamic_conditions for of in _ranges_in(c)}
        )
        self.slots = frozenset(benefit_slots | {index.slot(of) for c in promotion.when for of in _ranges_in(c)})

    def combines(self, other: Entry) -> bool:
        """Tell whether both promotions may be given together."""
        return (self.allows_all or other.stacking_class in self.allowed) and (
            other.allows_all or self.stacking_class in other.allowed
        )


class PolicyIndex:
    """A policy made ready for baskets. ``entries`` are its promotions in order of application, by priority, then id;
    ``roles`` those who may grant a depth, rising with it."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.ranges: list[Range] = []
        self._slot_by_range: dict[Range, int] = {}
        self._slot_by_identity: dict[int, int] = {}
        guards = policy.house.guards
        self._never = self._named_slot(guards.never)
        self._min_prices = tuple((self.slot(guard.of), guard.price) for guard in guards.min_price)
        self._margins = tuple((self.slot(margin.of), margin.rate) for margin in policy.house.margins)
        self.roles = tuple(sorted(guards.authority.items(), key=lambda role: role[1]))
        ordered = sorted(policy.promotions, key=lambda promotion: (promotion.priority, promotion.id))
        self.entries = tuple(Entry(position, promotion, self) for position, promotion in enumerate(ordered))
        self.position_by_id = {entry.promotion.id: entry.position for entry in self.entries}
        self.untouched = tuple(entry.position for entry in self.entries if _can_apply_untouched(entry.promotion))
        self.everywhere = tuple(
            entry.position for entry in self.entries if WHOLE_BASKET in entry.slots or not entry.slots
        )
        self._positions_by_code, self._positions_by_start = _by_coupon(self.entries)
        self._promotions_by_slot = self._positions_by_slot()
        self._slots_by_anchor, self._slots_anywhere, self._plain_slots = self._anchored()
        self._facts_by_product: dict[tuple[object, ...], ProductFacts] = {}

    def slot(self, of: Range | None) -> int:
        """Return the slot of a range of this policy; `WHOLE_BASKET` for None."""
        if of is None:
            return WHOLE_BASKET
        slot = self._slot_by_identity.get(id(of))
        if slot is None:
            slot = self._slot_by_range.setdefault(of, len(self.ranges))
            if slot == len(self.ranges):
                self.ranges.append(of)
            self._slot_by_identity[id(of)] = slot
        return slot

    def presented(self, basket: Basket) -> frozenset[int]:
        """Return the promotions whose ids were sent as claimed or of whose coupons one was presented, by position."""
        positions = {self.position_by_id[id_] for id_ in basket.claimed if id_ in self.position_by_id}
        for coupon in basket.coupons:
            word = coupon.casefold()
            positions.update(self._positions_by_code.get(word, ()))
            for start, position in self._positions_by_start:
                if word.startswith(start):
                    positions.add(position)
        return frozenset(positions)

    def product(self, line: Line) -> Product:
        """Return a line's product, completed from the catalogue where the till left something out."""
        row = self.policy.house.catalogue.get(line.sku)
        category, brand, supplier, tags = line.category, line.brand, line.supplier, line.tags
        if row is not None:
            category = row.category if category is None else category
            brand = row.brand if brand is None else brand
            supplier = row.supplier if supplier is None else supplier
            tags = row.tags if tags is None else tags
        attributes = tuple(line.attributes.items()) if line.attributes else ()
        return Product(line.sku, category, brand, supplier, tags or (), line.unit_price, attributes)

    def category(self, line: Line) -> str | None:
        """Return a line's category, from the catalogue where the till left it out."""
        row = self.policy.house.catalogue.get(line.sku) if line.category is None else None
        return row.category if row else line.category

    def facts(self, line: Line) -> ProductFacts:
        """Return what the policy says of a line's product, kept by what the till sent of it."""
        attributes = tuple(line.attributes.items()) if line.attributes else ()
        sent = (line.sku, line.unit_price, line.category, line.brand, line.supplier, line.tags, attributes)
        facts = self._facts_by_product.get(sent)
        if facts is None:
            if len(self._facts_by_product) >= _MOST_KEPT_PRODUCTS:
                self._facts_by_product.clear()
            facts = self._facts_by_product[sent] = self._look_up(self.product(line))
        return facts

    def _look_up(self, product: Product) -> ProductFacts:
        slots = set(self._slots_anywhere)
        for anchor in _anchors_of_product(product):
            slots.update(self._slots_by_anchor.get(anchor, ()))
        held = {slot for slot in slots if slot in self._plain_slots or self.ranges[slot].contains(product)}
        is_never = self._never in held or self._never == WHOLE_BASKET
        rate = next((rate for slot, rate in self._margins if slot in held or slot == WHOLE_BASKET), None)
        if is_never:
            return ProductFacts((), (), True, 0, rate)
        min_price = max((price for slot, price in self._min_prices if slot in held or slot == WHOLE_BASKET), default=0)
        promotions = {position for slot in held for position in self._promotions_by_slot.get(slot, ())}
        return ProductFacts(tuple(sorted(held)), tuple(promotions), False, min_price, rate)

    def _named_slot(self, of: Range | None) -> int | None:
        return None if of is None else self.slot(of)

    def _positions_by_slot(self) -> dict[int, list[int]]:
        positions: dict[int, list[int]] = {}
        for entry in self.entries:
            for slot in entry.slots:
                positions.setdefault(slot, []).append(entry.position)
        return positions

    def _anchored(self) -> tuple[dict[_Anchor, list[int]], tuple[int, ...], frozenset[int]]:
        """Sort the slots: by the keys that lead to them, those that any product may be in, those that a key alone
        decides."""
        by_anchor: dict[_Anchor, list[int]] = {}
        anywhere: list[int] = []
        for slot, of in enumerate(self.ranges):
            anchors = _anchors_of_range(of)
            if anchors is None:
                anywhere.append(slot)
            for anchor in anchors or ():
                by_anchor.setdefault(anchor, []).append(slot)
        return by_anchor, tuple(anywhere), frozenset(s for s, of in enumerate(self.ranges) if _is_plain(of))


def _by_coupon(entries: Iterable[Entry]) -> tuple[dict[str, list[int]], tuple[tuple[str, int], ...]]:
    """Sort promotions by the whole codes that claim them, and list those that the start of a code claims."""
    by_code: dict[str, list[int]] = {}
    by_start: list[tuple[str, int]] = []
    for entry in entries:
        for code in (code.casefold() for coupon in entry.coupons for code in coupon.codes):
            if code.endswith("*"):
                by_start.append((code[:-1], entry.position))
            else:
                by_code.setdefault(code, []).append(entry.position)
    return by_code, tuple(by_start)


def _anchors_of_product(product: Product) -> Iterator[_Anchor]:
    yield "sku", product.sku
    if product.brand is not None:
        yield "brand", product.brand
    if product.supplier is not None:
        yield "supplier", product.supplier
    for tag in product.tags:
        yield "tag", tag
    category = product.category
    while category:
        yield "category", category
        category, separator, _ = category.rpartition("/")
        if not separator:
            return


def _anchors_of_range(of: Range) -> frozenset[_Anchor] | None:
    """Return keys of which every product in the range has at least one, or None where there are no such keys."""
    for key in ("sku", "brand", "supplier", "tag", "category"):
        words: tuple[str, ...] | None = getattr(of, key)
        if words is not None:
            return frozenset((key, word) for word in words)
    for inner in (of.range, of.any):
        anchors = _union(_anchors_of_range(choice) for choice in inner) if inner is not None else None
        if anchors is not None:
            return anchors
    return next((a for a in map(_anchors_of_range, of.all or ()) if a is not None), None)


def _union(choices: Iterable[frozenset[_Anchor] | None]) -> frozenset[_Anchor] | None:
    union: set[_Anchor] = set()
    for anchors in choices:
        if anchors is None:
            return None
        union |= anchors
    return frozenset(union)


def _is_plain(of: Range) -> bool:
    """Tell whether having one of the anchors is all that the range asks for."""
    given = [key for key in of.__struct_fields__ if key != "name" and getattr(of, key) is not None]
    return len(given) == 1 and given[0] in ("sku", "brand", "supplier", "tag", "category")


def _ranges_in(value: object) -> Iterator[Range | None]:
    """Yield every range that a condition or benefit names, None for each that is left out and so means the whole
    basket."""
    if isinstance(value, Range):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _ranges_in(item)
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            inner = getattr(value, name)
            if name == "of" and inner is None:
                yield None
            else:
                yield from _ranges_in(inner)


def _can_apply_untouched(promotion: Promotion) -> bool:
    """Tell whether a promotion may apply to a basket with nothing of its ranges: a gift for those who buy no
    make-up."""
    return not promotion.benefit.targets() and not any(condition.needs_units() for condition in promotion.when)


def _coupons(conditions: Iterable[Condition]) -> Iterator[Coupon]:
    """Yield the coupon conditions, those under ``any`` included; one under ``not`` rules out, so it claims nothing."""
    for condition in conditions:
        if isinstance(condition, Coupon):
            yield condition
        elif isinstance(condition, AnyOf):
            for alternative in condition.alternatives:
                yield from _coupons(alternative)
