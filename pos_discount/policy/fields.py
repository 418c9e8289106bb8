"""Nodes as values, directed by the annotations of the structs that they are to become.

A kind of condition or benefit has no code here: its class says by its fields what may be written under it. A parser
either returns its value or notes what is wrong and raises `Unreadable`; the mapping or list around goes on with its
other parts, so that every problem is found in one go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import tzinfo
from typing import Any, NoReturn, TypeVar

import msgspec

from pos_discount.policy.problems import Problem
from pos_discount.policy.shapes import Shape, written_fields
from pos_discount.policy.spelling import did_you_mean, one_of
from pos_discount.policy.texts import MOST_TEXT, parse_name, parse_text, text_parsers
from pos_discount.policy.values import Reads
from pos_discount.policy.yaml_nodes import Mapping, Node, Note, Scalar, Sequence, place_of

S = TypeVar("S", bound=msgspec.Struct)
V = TypeVar("V")
Parse = Callable[[Node], V]
FieldByKey = dict[str, tuple[str, Parse[Any]]]


class Unreadable(Exception):
    """A node that cannot become a value; the problem is noted."""


class FieldReader:
    """Reads nodes by the shapes of fields, in a house with its currency's digits and its time zone.

    ``parse_by_reads`` knows all sorts of text from the start; those who read ranges, kinds and files add theirs.
    Parsers for structs are put together once for each class and reader.
    """

    def __init__(self, digits: int, zone: tzinfo, note: Note) -> None:
        self.note = note
        self.parse_by_reads: dict[Reads, Parse[Any]] = {
            reads: self.text(parse, reads) for reads, parse in text_parsers(digits, zone).items()
        }
        percent, money = self.parse_by_reads[Reads.PERCENT], self.parse_by_reads[Reads.MONEY]
        self.name = self.text(parse_name, Reads.TEXT)
        self.words: Parse[tuple[str, ...]] = self.list_of(self.name)
        self.parse_by_reads |= {
            Reads.WORDS: self.words,
            Reads.AUTHORITY: self.mapping_of(percent, Reads.AUTHORITY),
            Reads.AMOUNTS: self.list_of(money),
            Reads.SENTENCES: self.mapping_of(self.text(parse_text, Reads.TEXT), Reads.SENTENCES),
            Reads.NAMED_VALUES: self._named_values,
        }
        self._words_by_name = self.mapping_of(self.words, Reads.NAMED_VALUES)
        self._parse_by_struct: dict[type[msgspec.Struct], Parse[Any]] = {}

    def fail(self, node: Node, message: str) -> NoReturn:
        """Note what is wrong with a node and give it up."""
        self.note(Problem(place_of(node), message))
        raise Unreadable

    def parser(self, shape: Shape) -> Parse[Any]:
        """Return the parser for what may be written in one place."""
        if shape.reads is not None:
            parse = self.parse_by_reads[shape.reads]
        elif shape.struct is not None:
            parse = self.struct(shape.struct)
        else:
            parse = self._choice(shape.choices)
        return self.list_of(parse) if shape.is_many else parse

    def struct(self, struct: type[S]) -> Parse[S]:
        """Return the parser that reads a mapping as a struct."""
        if struct not in self._parse_by_struct:
            self._parse_by_struct[struct] = self._struct(struct)
        return self._parse_by_struct[struct]

    def add_struct(self, struct: type[S], parse: Parse[S]) -> None:
        """Read a struct in another way than by its fields alone."""
        self._parse_by_struct[struct] = parse

    def _struct(self, struct: type[S]) -> Parse[S]:
        field_by_key, required = self._fields(struct)
        wrong = getattr(struct, "wrong", None)

        def parse(node: Node) -> S:
            value = struct(**self._values(node, field_by_key, required))
            if wrong is not None and (reason := wrong(value)) is not None:
                self.fail(node, reason)
            return value

        return parse

    def values(self, struct: type[msgspec.Struct], node: Node) -> dict[str, Any]:
        """Read a mapping as the values of a struct's written fields, by field name."""
        field_by_key, required = self._fields(struct)
        return self._values(node, field_by_key, required)

    def _fields(self, struct: type[msgspec.Struct]) -> tuple[FieldByKey, tuple[str, ...]]:
        fields = written_fields(struct)
        field_by_key: FieldByKey = {field.key: (field.name, self.parser(field.shape)) for field in fields}
        return field_by_key, tuple(field.key for field in fields if field.is_required)

    def _values(self, node: Node, field_by_key: FieldByKey, required: tuple[str, ...]) -> dict[str, Any]:
        if type(node) is not Mapping:
            self.fail(node, f"expected a mapping of {one_of(field_by_key)}, got {shown(node)}")
        values: dict[str, Any] = {}
        is_right = True
        for text, (_, inner) in node.entries.items():
            field = field_by_key.get(text)
            if field is None:
                self.note(unknown_key(node, text, field_by_key))
                is_right = False
                continue
            try:
                values[field[0]] = field[1](inner)
            except Unreadable:
                is_right = False
        for missing in required:
            if missing not in node.entries:
                self.note(Problem(place_of(node), f"'{missing}' is missing; expected it here, as it is required"))
                is_right = False
        if not is_right:
            raise Unreadable
        return values

    def text(self, parse: Callable[[str], V], reads: Reads) -> Parse[V]:
        """Return the parser of a piece of text, from one that raises `ValueError` with what was expected."""

        def parse_node(node: Node) -> V:
            if type(node) is not Scalar:
                self.fail(node, f"{node.what} cannot stand here; expected {reads.value}")
            if not node.text or len(node.text) > MOST_TEXT:
                self.fail(node, f"{_size_of(node.text)} here; expected {reads.value}")
            try:
                return parse(node.text)
            except ValueError as error:
                self.fail(node, str(error))

        return parse_node

    def list_of(self, parse: Parse[V]) -> Parse[tuple[V, ...]]:
        """Return the parser of a list, for which a single item may stand alone."""

        def parse_list(node: Node) -> tuple[V, ...]:
            if type(node) is not Sequence:
                return (parse(node),)
            values = []
            is_right = True
            for item in node.items:
                try:
                    values.append(parse(item))
                except Unreadable:
                    is_right = False
            if not is_right:
                raise Unreadable
            return tuple(values)

        return parse_list

    def mapping_of(self, parse: Parse[V], reads: Reads) -> Parse[dict[str, V]]:
        """Return the parser of a mapping whose keys are names that the merchandiser chooses."""

        def parse_mapping(node: Node) -> dict[str, V]:
            if type(node) is not Mapping:
                self.fail(node, f"expected {reads.value}, got {shown(node)}")
            values = {}
            is_right = True
            for key, inner in node.entries.values():
                try:
                    values[self.name(key)] = parse(inner)
                except Unreadable:
                    is_right = False
            if not is_right:
                raise Unreadable
            return values

        return parse_mapping

    def _choice(self, choices: tuple[str, ...]) -> Parse[Any]:
        value_by_text = {choice: int(choice) if choice.isdigit() else choice for choice in choices}

        def parse(node: Node) -> str | int:
            if type(node) is not Scalar:
                self.fail(node, f"{node.what} cannot stand here; expected {one_of(choices)}")
            if node.text not in value_by_text:
                self.fail(node, f"unknown word '{node.text[:60]}'{did_you_mean(node.text, choices)}")
            return value_by_text[node.text]

        return parse

    def _named_values(self, node: Node) -> tuple[tuple[str, tuple[str, ...]], ...]:
        return tuple(self._words_by_name(node).items())


def _size_of(text: str) -> str:
    return f"a text of {len(text)} characters stands" if text else "nothing is written"


def unknown_key(mapping: Mapping, text: str, right: Iterable[str]) -> Problem:
    """Make the problem of a key that is none of the right ones, such as what a decimal comma made of an amount."""
    what_to_do = _without_comma(mapping, text) or did_you_mean(text, right)
    return Problem(place_of(mapping.entries[text][0]), f"unknown key '{text[:60]}'{what_to_do}")


def _without_comma(mapping: Mapping, text: str) -> str:
    """Say how to write the number of which a comma made two entries; nothing where none did."""
    own, digits = mapping.entries[text][1], text.removesuffix("%")
    if not digits.isdecimal() or type(own) is not Scalar or own.text:
        return ""
    keys = list(mapping.entries)
    before = mapping.entries[keys[max(0, keys.index(text) - 1)]][1]
    if type(before) is not Scalar or not before.text.isdecimal():
        return ""
    if len(digits) == 3 and int(before.text):
        return f"; a comma ends an entry here: write {before.text}{text[:60]} without a comma"
    return f"; a comma ends an entry here: write {before.text}.{text[:60]} with a point"


def shown(node: Node) -> str:
    """Describe what stands somewhere in a few words."""
    if type(node) is not Scalar:
        return node.what
    return f"'{node.text[:60]}'" if node.text else "nothing"
