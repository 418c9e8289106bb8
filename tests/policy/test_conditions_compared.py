"""What the checks prove about conditions holds for every basket."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from pos_discount.basket import Basket, Customer, Line
from pos_discount.policy.checks.conditions import contradiction, makes_sure
from pos_discount.policy.conditions import (
    AnyOf,
    Asked,
    Attribute,
    Condition,
    Contains,
    Coupon,
    Distinct,
    Group,
    Member,
    NoneOf,
    Payment,
    Quantity,
    Spend,
    SpendCounts,
    Tier,
    VisitNumber,
    first_unmet,
)
from pos_discount.policy.ranges import Product, Range


class Untouched(NamedTuple):
    """A basket from which nothing has been taken yet, as conditions look at it."""

    basket: Basket
    local_time: datetime = datetime(2026, 3, 10, tzinfo=UTC)
    segment: tuple[str, ...] = ()
    currency_digits: int = 2
    never: Range | None = None

    def quantity(self, of: Range | None) -> int:
        return sum(line.quantity for line in self._lines(of))

    def distinct(self, of: Range | None) -> int:
        return len({line.sku for line in self._lines(of)})

    def spend(self, of: Range | None, counts: SpendCounts | None) -> int:
        return sum(line.quantity * line.unit_price for line in self._lines(of))

    def _lines(self, of: Range | None) -> list[Line]:
        return [line for line in self.basket.lines if not _is_in(line, self.never) and (of is None or _is_in(line, of))]


def _is_in(line: Line, products: Range | None) -> bool:
    product = Product(line.sku, line.category, None, None, (), line.unit_price, ())
    return products is not None and products.contains(product)


CARE, SUN, LIPS = Range(category=("care",)), Range(category=("care/sun",)), Range(category=("lips",))
PRODUCTS = st.sampled_from([None, CARE, SUN, LIPS, Range(not_=CARE), Range(any=(SUN, LIPS)), Range(sku=())])
BOUND = st.none() | st.none() | st.integers(0, 4)
BOUNDS: dict[str, Any] = {"at_least": BOUND, "more_than": BOUND, "at_most": BOUND, "below": BOUND, "exactly": BOUND}
WORDS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=2).map(tuple)
PLAIN: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Quantity, of=PRODUCTS, **BOUNDS),
    st.builds(Spend, of=PRODUCTS, **BOUNDS),
    st.builds(Distinct, of=PRODUCTS, **BOUNDS),
    st.builds(VisitNumber, every=st.none() | st.integers(1, 3), **BOUNDS),
    st.builds(Contains, st.lists(PRODUCTS.filter(bool), max_size=2).map(tuple)),
    st.builds(Member, st.booleans()),
    st.builds(Asked, st.booleans()),
    *(st.builds(kind, WORDS) for kind in (Tier, Group, Payment, Coupon)),
    st.builds(Attribute, st.just("n"), WORDS),
)
LISTS = st.lists(PLAIN, max_size=2).map(tuple)
CONDITIONS = PLAIN | st.builds(NoneOf, LISTS) | st.builds(AnyOf, st.lists(LISTS, max_size=2).map(tuple))
LINES = st.lists(
    st.builds(
        Line,
        line_id=st.uuids().map(str),
        sku=st.sampled_from(["A", "B"]),
        quantity=st.integers(1, 3),
        unit_price=st.integers(0, 3),
        category=st.sampled_from([None, "care", "care/sun", "lips"]),
    ),
    min_size=1,
    max_size=3,
)
CUSTOMERS = st.builds(
    Customer,
    customer_id=st.sampled_from([None, "L-1"]),
    tier=st.sampled_from([None, "a", "b"]),
    groups=WORDS,
    visit_number=st.none() | st.integers(1, 6),
)
BASKETS = st.builds(
    Basket,
    store_id=st.just("S"),
    currency=st.just("EUR"),
    lines=LINES.map(tuple),
    coupons=WORDS,
    asked=st.booleans(),
    payment=st.sampled_from([None, "a", "b"]),
    attributes=st.sampled_from([{}, {"n": "a"}, {"n": ("a", "b")}]),
    customer=st.none() | CUSTOMERS,
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(CONDITIONS, min_size=1, max_size=4),
    st.sampled_from([None, CARE]),
    st.lists(BASKETS, min_size=3, max_size=6),
)
def test_conditions_that_are_called_a_contradiction_never_hold(
    conditions: list[Condition], never: Range | None, baskets: list[Basket]
) -> None:
    if contradiction(conditions, never=never) is not None:
        for view in (Untouched(basket, never=never) for basket in baskets):
            assert first_unmet(tuple(conditions), view) is not None


@settings(max_examples=60, deadline=None)
@given(CONDITIONS, CONDITIONS, st.lists(BASKETS, min_size=3, max_size=6))
def test_a_condition_that_makes_sure_of_another_never_holds_without_it(
    condition: Condition, other: Condition, baskets: list[Basket]
) -> None:
    if makes_sure(condition, other):
        for view in map(Untouched, baskets):
            assert condition.unmet(view) is not None or other.unmet(view) is None
