"""What the checks can prove about ranges, and that what they prove holds for every product."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pos_discount.policy.checks.products import have_common, is_empty, is_part_of
from pos_discount.policy.ranges import PriceBounds, Product, Range

WORDS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=2).map(tuple)
CATEGORIES = st.lists(st.sampled_from(["x", "x/y", "x/y/z", "xy", "w"]), max_size=2).map(tuple)
BOUND = st.none() | st.integers(0, 4)


def maybe(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | st.none() | strategy


def ranges_of(inner: st.SearchStrategy[Range] | None) -> st.SearchStrategy[Range]:
    several = st.none() if inner is None else maybe(st.lists(inner, max_size=2).map(tuple))
    return st.builds(
        Range,
        sku=maybe(WORDS),
        category=maybe(CATEGORIES),
        brand=maybe(WORDS),
        tag=maybe(WORDS),
        price=maybe(st.builds(PriceBounds, BOUND, BOUND)),
        attribute=maybe(st.lists(st.tuples(st.just("n"), WORDS), max_size=1).map(tuple)),
        range=several,
        any=several,
        all=several,
        not_=st.none() if inner is None else st.none() | inner,
    )


RANGES = ranges_of(ranges_of(None))
DEEP_RANGES = ranges_of(RANGES)
PRODUCTS = st.builds(
    Product,
    sku=st.sampled_from(["a", "b", "c", "d"]),
    category=st.sampled_from([None, "x", "x/y", "x/y/z", "xy", "w"]),
    brand=st.sampled_from([None, "a", "b", "c"]),
    supplier=st.none(),
    tags=WORDS,
    unit_price=st.integers(0, 5),
    attributes=st.sampled_from([(), (("n", "a"),), (("n", "b"),)]),
)


@settings(max_examples=40, deadline=None)
@given(RANGES, RANGES, st.lists(PRODUCTS, min_size=5, max_size=15))
def test_what_is_proved_about_ranges_holds_for_every_product(one: Range, other: Range, products: list[Product]) -> None:
    expect_what_is_proved(one, other, products)


@pytest.mark.slow
@settings(max_examples=2_000, deadline=None)
@given(DEEP_RANGES, DEEP_RANGES, st.lists(PRODUCTS, min_size=10, max_size=30))
def test_what_is_proved_about_deep_ranges_holds_for_every_product(
    one: Range, other: Range, products: list[Product]
) -> None:
    expect_what_is_proved(one, other, products)


def expect_what_is_proved(one: Range, other: Range, products: list[Product]) -> None:
    in_one = [product for product in products if one.contains(product)]
    in_other = [product for product in products if other.contains(product)]
    if is_empty(one):
        assert not in_one
    if is_part_of(one, other):
        assert set(in_one) <= set(in_other)
    if not have_common(one, other):
        assert set(in_one).isdisjoint(in_other)


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 7], ids=lambda depth: f"{depth} times not")
def test_a_range_that_says_not_of_not_is_compared_to_the_end(depth: int) -> None:
    plain = Range(sku=("A",))
    nested = plain
    for _ in range(depth):
        nested = Range(not_=nested)
    assert not is_empty(nested)
    assert have_common(nested, plain) or depth % 2 == 1
    assert not is_part_of(nested, plain) or depth % 2 == 0


CARE, SUN, LIPS = Range(category=("care",)), Range(category=("care/sun",)), Range(category=("make-up/lips",))


@pytest.mark.parametrize(
    ("inner", "outer", "holds"),
    [
        (SUN, CARE, True),
        (CARE, SUN, False),
        (CARE, None, True),
        (None, CARE, False),
        (Range(range=(SUN, LIPS)), Range(any=(CARE, Range(category=("make-up",)))), True),
        (Range(range=(SUN, LIPS)), CARE, False),
        (SUN, Range(not_=LIPS), True),
        (SUN, Range(not_=CARE), False),
        (Range(not_=CARE), Range(not_=SUN), True),
        (Range(not_=SUN), Range(not_=CARE), False),
        (Range(not_=CARE), Range(not_=CARE), True),
        (Range(brand=("A",), not_=SUN), Range(not_=SUN), True),
        (Range(all=(SUN, Range(brand=("A",)))), Range(brand=("A", "B"), category=("care",)), True),
        (Range(category=("careless",)), CARE, False),
    ],
)
def test_a_range_is_part_of_another_where_that_can_be_proved(
    inner: Range | None, outer: Range | None, holds: bool
) -> None:
    assert is_part_of(inner, outer) == holds


def test_ranges_of_too_many_ways_are_compared_with_care() -> None:
    many = Range(any=tuple(Range(sku=(str(n),)) for n in range(100)))
    assert not is_empty(many)
    assert not is_part_of(many, CARE)
    assert have_common(many, CARE)
    assert not have_common(SUN, LIPS)
