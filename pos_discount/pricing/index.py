"""The index of a policy: from what is in a basket to the promotions that it can concern, without looking at the others.

Every range gets a slot. A product is looked up once, by its sku, category, brand, supplier and tags, and what is
found (its slots, its floor and margin) is kept for the next basket that holds it. Made once per policy version.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

import msgspec

from pos_discount.basket import Attributes, Basket, Line
from pos_discount.policy.conditions import caseless
from pos_discount.policy.model import Policy, Promotion
from pos_discount.policy.ranges import Product, Range
from pos_discount.pricing.entry import Entry, entry_of
from pos_discount.pricing.finding import Finder

WHOLE_BASKET = -1
_MOST_KEPT_PRODUCTS = 100_000

_Anchor = tuple[str, str]


class ProductFacts(msgspec.Struct, frozen=True):
    """What the policy says of a product: its range slots, its floor and its known margin."""

    slots: tuple[int, ...]
    is_never: bool
    min_price: int
    margin: Fraction | None


class PolicyIndex:
    """A policy made ready for baskets. ``entries`` are its promotions in order of application, by priority, then id;
    ``naming`` has the positions of those that name each slot, the whole basket's last, where `WHOLE_BASKET` finds them;
    ``untouched`` are those that may apply to a basket with nothing of their ranges; ``roles`` those who may grant a
    depth, rising with it; ``offer_cost`` is what it costs to say one rung, in minor units."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.ranges: list[Range] = []
        self._slot_by_range: dict[Range, int] = {}
        self._slot_by_identity: dict[int, int] = {}
        guards = policy.house.guards
        self._never = None if guards.never is None else self.slot(guards.never)
        self._min_prices = tuple((self.slot(guard.of), guard.price) for guard in guards.min_price)
        self.has_guarded_products = self._never is not None or bool(self._min_prices)
        self._margins = tuple((self.slot(margin.of), margin.rate) for margin in policy.house.margins)
        self.offer_cost = _offer_cost(policy)
        self.roles = tuple(sorted(guards.authority.items(), key=lambda role: role[1]))
        ordered = sorted(policy.promotions, key=lambda promotion: (promotion.priority, promotion.id))
        counts = policy.house.spend_counts
        self.entries = tuple(
            entry_of(position, promotion, counts, self.slot) for position, promotion in enumerate(ordered)
        )
        self.position_by_id = {entry.promotion.id: entry.position for entry in self.entries}
        self.finder = Finder(self.entries, self.position_by_id)
        self.untouched = frozenset(e.position for e in self.entries if _can_apply_untouched(e.promotion))
        self.naming = self._naming()
        self._limited_by_slot = tuple([self._with_limits(positions) for positions in self.naming])
        self._limited_untouched = self._with_limits(self.untouched)
        self._positions_by_code, self._positions_by_start = _by_coupon(self.entries)
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
        if not (basket.claimed or basket.coupons):
            return frozenset()
        positions = {self.position_by_id[id_] for id_ in basket.claimed if id_ in self.position_by_id}
        for coupon in basket.coupons:
            word = caseless(coupon)
            positions.update(self._positions_by_code.get(word, ()))
            for start, position in self._positions_by_start:
                if word.startswith(start):
                    positions.add(position)
        return frozenset(positions)

    def limited(self, basket: Basket) -> list[int]:
        """Return the promotions with limits that may apply to a basket, by position."""
        slots = {WHOLE_BASKET}.union(*[product.slots for product in self.facts(basket.lines)])
        return sorted(self._limited_untouched.union(*[self._limited_by_slot[slot] for slot in slots]))

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

    def facts(self, lines: Sequence[Line]) -> list[ProductFacts]:
        """Return what the policy says of each line's product, kept by what the till sent of it."""
        kept = self._facts_by_product
        facts_by_line = []
        for line in lines:
            attributes = _as_written(line.attributes) if line.attributes else ()
            sent = (line.sku, line.unit_price, line.category, line.brand, line.supplier, line.tags, attributes)
            facts = kept.get(sent)
            if facts is None:
                if len(kept) >= _MOST_KEPT_PRODUCTS:
                    kept.clear()
                facts = kept[sent] = self._look_up(self.product(line))
            facts_by_line.append(facts)
        return facts_by_line

    def _look_up(self, product: Product) -> ProductFacts:
        slots = set(self._slots_anywhere)
        for anchor in _anchors_of_product(product):
            slots.update(self._slots_by_anchor.get(anchor, ()))
        held = {slot for slot in slots if slot in self._plain_slots or self.ranges[slot].contains(product)}
        is_never = self._never in held or self._never == WHOLE_BASKET
        rate = next((rate for slot, rate in self._margins if slot in held or slot == WHOLE_BASKET), None)
        if is_never:
            return ProductFacts((), True, 0, rate)
        min_price = max((price for slot, price in self._min_prices if slot in held or slot == WHOLE_BASKET), default=0)
        return ProductFacts(tuple(sorted(held)), False, min_price, rate)

    def _naming(self) -> tuple[tuple[int, ...], ...]:
        naming: list[list[int]] = [[] for _ in (*self.ranges, WHOLE_BASKET)]
        for entry in self.entries:
            for slot in entry.slots or (WHOLE_BASKET,):
                naming[slot].append(entry.position)
        return tuple(map(tuple, naming))

    def _with_limits(self, positions: Iterable[int]) -> frozenset[int]:
        return frozenset(position for position in positions if self.entries[position].promotion.limits)

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


def _offer_cost(policy: Policy) -> float:
    ladder, digits = policy.house.ladder, policy.house.currency_digits
    cost_per_hour = 18 * 10**digits if ladder.cost_per_hour is None else ladder.cost_per_hour
    return float(ladder.seconds_per_offer * cost_per_hour / 3600)


def _by_coupon(entries: Iterable[Entry]) -> tuple[dict[str, list[int]], tuple[tuple[str, int], ...]]:
    """Sort promotions by the whole codes that claim them, and list those that the start of a code claims."""
    by_code: dict[str, list[int]] = {}
    by_start: list[tuple[str, int]] = []
    for entry in entries:
        for code in (caseless(code) for coupon in entry.coupons for code in coupon.codes):
            if code.endswith("*"):
                by_start.append((code[:-1], entry.position))
            else:
                by_code.setdefault(code, []).append(entry.position)
    return by_code, tuple(by_start)


def _as_written(attributes: Attributes) -> tuple[tuple[str, str], ...]:
    """Tell apart what compares equal and yet is another word to a range: true, 1 and 1.0."""
    return tuple([(name, repr(value)) for name, value in attributes.items()])


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


def _can_apply_untouched(promotion: Promotion) -> bool:
    """Tell whether a promotion may apply to a basket with nothing of its ranges: a gift for those who buy no
    make-up."""
    return not promotion.benefit.targets() and not any(condition.needs_units() for condition in promotion.when)
