"""Ranges as written: mappings of range keys, and names that are resolved over the whole folder.

A range is a tree that is walked for each product, so its size with all names filled in is bounded here: a few ranges
that name each other twice would otherwise stand for billions of tests.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from pos_discount.policy.fields import FieldReader, Unreadable, shown, unknown_key
from pos_discount.policy.model import Place
from pos_discount.policy.problems import Problem
from pos_discount.policy.ranges import PriceBounds, Range
from pos_discount.policy.spelling import did_you_mean
from pos_discount.policy.values import Reads
from pos_discount.policy.yaml_nodes import Mapping, Node, Scalar, Sequence, place_of

MOST_TESTS = 5_000
MOST_LEVELS = 60


class _Size(NamedTuple):
    """How many tests a range stands for with all names filled in, and how deep they lie."""

    tests: int
    levels: int


class RangeReader:
    """Reads ranges and resolves their names, and teaches a `FieldReader` to.

    ``is_complete`` is False where a file could not be read at all: an unknown name may then be in there and is not
    reported.
    """

    def __init__(self, reader: FieldReader, is_complete: bool) -> None:
        self._reader = reader
        self._is_complete = is_complete
        self._node_by_name: dict[str, tuple[Scalar, Node]] = {}
        self._range_by_name: dict[str, Range] = {}
        self._unreadable: set[str] = set()
        self._path: list[str] = []
        self._sized: dict[int, tuple[Range, _Size]] = {}
        reader.parse_by_reads |= {
            Reads.RANGE: self.read,
            Reads.RANGES: reader.list_of(self.read),
            Reads.PRICE_BOUNDS: self._price_bounds,
        }
        self._by_fields = reader.struct(Range)

    def add(self, node: Node) -> None:
        """Take up the named ranges of a file."""
        if type(node) is not Mapping:
            self._reader.fail(node, f"expected a mapping of names to ranges, got {shown(node)}")
        for name, (key, value) in node.entries.items():
            if name in self._node_by_name:
                first = place_of(self._node_by_name[name][0])
                self._reader.note(
                    Problem(place_of(key), f"duplicate range '{name}', first written in {first}; rename one")
                )
            else:
                self._node_by_name[name] = (key, value)

    def places(self) -> dict[str, Place]:
        """Return where each named range is written."""
        return {name: place_of(key) for name, (key, _) in self._node_by_name.items()}

    def read_all(self) -> dict[str, Range]:
        """Read every named range, whether it is used or not."""
        for key, _ in self._node_by_name.values():
            try:
                self._named(key)
            except Unreadable:
                continue
        return self._range_by_name

    def read(self, node: Node) -> Range:
        """Read a range's name or a mapping of range keys."""
        if type(node) is Scalar:
            return self._named(node)
        if type(node) is Sequence:
            self._reader.fail(
                node, "a list is no range; expected a name or a mapping; for any of several {range: [a, b]}"
            )
        products = self._by_fields(node)
        self._check_size(products, node)
        return products

    def _named(self, name: Scalar) -> Range:
        if name.text in self._range_by_name:
            return self._range_by_name[name.text]
        if name.text in self._unreadable:
            raise Unreadable
        if name.text in self._path:
            self._refuse_circle(name)
        if name.text not in self._node_by_name:
            self._refuse_unknown(name)
        self._path.append(name.text)
        try:
            products = self._read_named(name)
        except Unreadable:
            self._unreadable.add(name.text)
            raise
        finally:
            self._path.pop()
        self._range_by_name[name.text] = products
        return products

    def _read_named(self, name: Scalar) -> Range:
        key, node = self._node_by_name[name.text]
        if len(self._path) > MOST_LEVELS:
            self._reader.fail(name, f"ranges name each other through more than {MOST_LEVELS} levels; expected fewer")
        products = self.read(node)
        if type(node) is Scalar:  # another name for a range
            products = Range(range=(products,))
            self._check_size(products, node)
        named = msgspec.structs.replace(products, name=self._reader.name(key))
        self._sized[id(named)] = (named, self._size(products))
        return named

    def _refuse_circle(self, name: Scalar) -> None:
        circle = " > ".join([*self._path[self._path.index(name.text) :], name.text])
        self._reader.fail(name, f"range '{name.text}' contains itself: {circle}; expected ranges without a circle")

    def _refuse_unknown(self, name: Scalar) -> None:
        if not self._is_complete:
            raise Unreadable
        if not name.text:
            self._reader.fail(name, f"nothing is written here; expected {Reads.RANGE.value}")
        meant = did_you_mean(name.text, self._node_by_name) or "; no file names any: expected one under the key ranges"
        self._reader.fail(name, f"unknown range '{name.text[:60]}'{meant}")

    def _check_size(self, products: Range, node: Node) -> None:
        inner = [*(products.range or ()), *(products.any or ()), *(products.all or ())]
        sizes = [self._size(part) for part in (*inner, *([products.not_] if products.not_ else []))]
        size = _Size(1 + sum(size.tests for size in sizes), 1 + max((size.levels for size in sizes), default=0))
        if size.tests > MOST_TESTS or size.levels > MOST_LEVELS:
            limits = f"{MOST_TESTS} tests or {MOST_LEVELS} levels"
            self._reader.fail(
                node, f"with all names filled in, the range has more than {limits}; expected a simpler one"
            )
        self._sized[id(products)] = (products, size)

    def _size(self, products: Range) -> _Size:
        return self._sized[id(products)][1]

    def _price_bounds(self, node: Node) -> PriceBounds:
        if type(node) is not Mapping or not node.entries:
            self._reader.fail(node, f"expected a mapping such as {{from: 50.00, below: 200.00}}, got {shown(node)}")
        money = self._reader.parse_by_reads[Reads.MONEY]
        amounts: dict[str, int] = {}
        is_right = True
        for text, (_, value) in node.entries.items():
            if text not in ("from", "below"):
                self._reader.note(unknown_key(node, text, ("from", "below")))
                is_right = False
                continue
            try:
                amounts[text] = money(value)
            except Unreadable:
                is_right = False
        if not is_right:
            raise Unreadable
        return PriceBounds(amounts.get("from"), amounts.get("below"))
