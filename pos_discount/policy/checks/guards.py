"""Advertised and claimed promotions that could break a guard, and ladder promotions that the guards never let through.

What is advertised or claimed is owed, so the service gives it even where it goes deeper than ``max_depth`` or leaves
less than ``min_margin``. It is for the merchandiser to know that beforehand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from pos_discount.money import format_money, format_percent
from pos_discount.policy.benefits import (
    AmountOff,
    Benefit,
    Bundle,
    BuyGet,
    Every,
    PercentOff,
    PriceList,
    Tiers,
    UnitPrice,
)
from pos_discount.policy.checks.conditions import floor_of
from pos_discount.policy.checks.finding import Finding, warning
from pos_discount.policy.checks.products import have_common, is_part_of
from pos_discount.policy.conditions import Condition, Coupon, Spend
from pos_discount.policy.model import Guards, House, Policy, Promotion
from pos_discount.policy.ranges import Product, Range


def find_what_may_break_guards(policy: Policy) -> Iterator[Finding]:
    """Find promotions that the guards cannot hold back, and those that they always hold back."""
    house = policy.house
    for promotion in policy.promotions:
        if promotion.offer == "ladder":
            yield from _find_held_back(promotion, policy)
        else:
            yield from _find_too_deep(promotion, house.guards)
            yield from _find_below_margin(promotion, house)
            yield from _find_below_cost(promotion, house)
        yield from _find_below_min_price(promotion, house)
        yield from _find_unknown_authority(promotion, house.guards)


def _find_held_back(promotion: Promotion, policy: Policy) -> Iterator[Finding]:
    """Find what is always too deep: a percentage off everything, without a cap."""
    guards = policy.house.guards
    depth = _least_of_basket(promotion.benefit)
    if depth is None or promotion.cap is not None:
        return
    when = "offered only where 'min_price' cuts it" if guards.min_price else "never offered"
    if guards.max_depth is not None and depth > guards.max_depth:
        yield warning(promotion, f"{when}, as it is deeper than max_depth, {format_percent(guards.max_depth)}")
    deepest = max(guards.authority.values(), default=None)
    if deepest is not None and depth > deepest and not _may_replace_what_is_owed(promotion, policy.promotions):
        yield warning(promotion, f"{when}, as nobody may grant more than {format_percent(deepest)}")


def _least_of_basket(benefit: Benefit) -> Fraction | None:
    """Return the share that a benefit takes at least of all that may get cheaper, None where it depends on prices."""
    if isinstance(benefit, PercentOff):
        return None if benefit.of or benefit.units else benefit.percent
    if isinstance(benefit, Tiers) and benefit.targets() == (None,):
        percents = [step.percent for step in benefit.tiers.steps]
        return None if None in percents else min((percent for percent in percents if percent is not None), default=None)
    return None


def _may_replace_what_is_owed(promotion: Promotion, promotions: Sequence[Promotion]) -> bool:
    """Tell whether a base may go without which the promotion's own depth is less: only what is beyond it is granted."""
    return any(_may_be_owed(other) and not promotion.combines(other) for other in promotions if other != promotion)


def _may_be_owed(promotion: Promotion) -> bool:
    return promotion.offer != "ladder" or any(isinstance(condition, Coupon) for condition in promotion.when)


def _find_too_deep(promotion: Promotion, guards: Guards) -> Iterator[Finding]:
    depth = deepest_of_basket(promotion.benefit, promotion.when)
    if guards.max_depth is not None and depth is not None and depth > guards.max_depth:
        share, limit = format_percent(min(depth, Fraction(1))), format_percent(guards.max_depth)
        said = f"may take up to {share} off a basket, more than max_depth, {limit}"
        yield warning(promotion, f"{said}, and it is owed all the same")


def deepest_of_basket(benefit: Benefit, when: tuple[Condition, ...]) -> Fraction | None:
    """Return the largest share of a basket that a benefit can take, or None where that depends on prices."""
    spent = max((floor_of(condition) for condition in when if isinstance(condition, Spend)), default=0)
    if isinstance(benefit, PercentOff):
        return benefit.percent
    if isinstance(benefit, AmountOff) and benefit.each == "basket":
        return Fraction(benefit.amount, spent) if spent else Fraction(1)
    if isinstance(benefit, Bundle):
        return benefit.bundle.percent
    if isinstance(benefit, Tiers):
        return _deepest_step(benefit)
    if isinstance(benefit, BuyGet):
        terms = benefit.buy_get
        is_cheapest = terms.of_get is None and terms.take == "cheapest"
        return terms.percent * Fraction(terms.get, terms.buy + terms.get) if is_cheapest else terms.percent
    if isinstance(benefit, Every) and benefit.give.percent is not None:
        is_cheapest = benefit.give.to in (None, "cheapest")
        return benefit.give.percent * (Fraction(benefit.give.units, benefit.every.units) if is_cheapest else 1)
    return None


def _deepest_step(benefit: Tiers) -> Fraction | None:
    by_spend = benefit.tiers.by == "spend"
    depths = [
        step.percent if step.percent is not None else Fraction(step.amount or 0, step.from_)
        for step in benefit.tiers.steps
        if step.percent is not None or (by_spend and step.from_)
    ]
    return max(depths, default=None)


def _find_below_margin(promotion: Promotion, house: House) -> Iterator[Finding]:
    """Find percentages that leave a line less than its margin, by the rates of the ranges that it may be in."""
    least = house.guards.min_margin
    depth = _deepest_of_line(promotion.benefit)
    if least is None or depth is None:
        return
    for rate in sorted({rate for products in promotion.benefit.targets() for rate in _margins_of(products, house)}):
        left = _margin_left(rate, depth, promotion.funded)
        if left is None or left < least:
            words = "nothing" if left is None else f"a margin of {format_percent(left)}"
            said = f"may leave a line {words} where the usual margin is {format_percent(rate)}"
            yield warning(promotion, f"{said}; min_margin is {format_percent(least)}, and it is owed all the same")
            return


def _deepest_of_line(benefit: Benefit) -> Fraction | None:
    if isinstance(benefit, PercentOff):
        return benefit.percent
    if isinstance(benefit, BuyGet):
        return benefit.buy_get.percent
    if isinstance(benefit, Every):
        return benefit.give.percent
    if isinstance(benefit, Bundle):
        return benefit.bundle.percent
    if isinstance(benefit, Tiers):
        return max((step.percent for step in benefit.tiers.steps if step.percent is not None), default=None)
    return None


def _margins_of(products: Range | None, house: House) -> Iterator[Fraction]:
    """Yield the rates that a range's products may have: of each rule that the rules before it leave something for."""
    for margin in house.margins:
        if have_common(products, margin.of):
            yield margin.rate
        if is_part_of(products, margin.of):
            return


def _margin_left(rate: Fraction, depth: Fraction, funded: Fraction) -> Fraction | None:
    """Return what is left of a margin at a depth, the supplier's share counted in; None where nothing is paid."""
    net = 1 - depth
    return (net + funded * depth - (1 - rate)) / net if net else None


def _find_below_cost(promotion: Promotion, house: House) -> Iterator[Finding]:
    """Find fixed prices that leave less than the margin, by the costs in the catalogue."""
    least = house.guards.min_margin
    if least is None or promotion.funded:
        return
    low = [
        product.sku
        for product, cost in _products_at_its_price(promotion.benefit, house)
        if cost is not None and product.unit_price - cost < least * product.unit_price
    ]
    if low:
        said = f"its price leaves {_some(low)} less than min_margin, {format_percent(least)}, by the catalogue's costs"
        yield warning(promotion, f"{said}, and it is owed all the same")


def _find_below_min_price(promotion: Promotion, house: House) -> Iterator[Finding]:
    """Find fixed prices that nobody is ever given, as the guard keeps all or some of the products above them."""
    benefit, digits = promotion.benefit, house.currency_digits
    for guard in house.guards.min_price:
        kept_at = f"min_price keeps {{}} at {format_money(guard.price, digits)}"
        if isinstance(benefit, UnitPrice) and benefit.unit_price < guard.price and is_part_of(benefit.of, guard.of):
            price = format_money(benefit.unit_price, digits)
            yield warning(promotion, f"its price of {price} is never given: {kept_at.format('these products')}")
            continue
        if isinstance(benefit, UnitPrice) and benefit.unit_price >= guard.price:
            continue
        kept = [
            product.sku
            for product, _ in _products_at_its_price(benefit, house)
            if product.unit_price < guard.price and (guard.of is None or guard.of.contains(product))
        ]
        if kept:
            yield warning(promotion, f"its price is not given for all: {kept_at.format(_some(kept))}")


def _some(skus: Sequence[str]) -> str:
    return ", ".join(skus[:3]) + (f" and {len(skus) - 3} others" if len(skus) > 3 else "")


def _products_at_its_price(benefit: Benefit, house: House) -> Iterator[tuple[Product, int | None]]:
    """Yield the products of the catalogue that get a fixed price, at that price, and their unit costs."""
    if not isinstance(benefit, PriceList | UnitPrice):
        return
    for sku in _skus_at_its_price(benefit, house):
        row = house.catalogue.get(sku)
        if row is None:
            continue
        price = benefit.price_list.price_by_sku[sku] if isinstance(benefit, PriceList) else benefit.unit_price
        product = Product(sku, row.category, row.brand, row.supplier, row.tags, price, ())
        if isinstance(benefit, PriceList) or benefit.of is None or benefit.of.contains(product):
            yield product, row.unit_cost


def _skus_at_its_price(benefit: PriceList | UnitPrice, house: House) -> Iterable[str]:
    """Return the skus that may get a fixed price, of a large catalogue no more than need be looked at."""
    if isinstance(benefit, PriceList):
        return benefit.price_list.price_by_sku
    return house.catalogue if benefit.of is None or benefit.of.sku is None else benefit.of.sku


def _find_unknown_authority(promotion: Promotion, guards: Guards) -> Iterator[Finding]:
    if promotion.approval is None:
        return
    if promotion.offer == "automatic":
        yield warning(promotion, "its approval is never asked for, as it is advertised and so owed")
    elif guards.authority and promotion.approval not in guards.authority:
        known = ", ".join(guards.authority)
        yield warning(promotion, f"nobody has the authority '{promotion.approval}'; expected one of {known}")
