"""YAML text as a tree of plain nodes, each with its place; everything that would be dangerous or ambiguous is refused
here.

The C parser's events are put together in one pass without recursion, so that depth, size and aliases are bounded before
they cost anything: a deeply nested file would crash the parser's own composer, and a few aliases of aliases stand for
billions of nodes. All scalars are text here. What a text means is decided by the key that it stands under, never by how
it looks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from pos_discount.policy.model import Place
from pos_discount.policy.problems import Problem

MOST_BYTES: Final = 2 * 1024 * 1024
MOST_NODES: Final = 250_000
MOST_DEPTH: Final = 48
MOST_ALIASED_NODES: Final = 100_000
MERGE: Final = "<<"


class Scalar:
    """A piece of text. ``line`` and ``column`` count from 1, here and below; ``size`` is the number of nodes."""

    __slots__ = ("column", "file", "line", "size", "text")
    what: Final = "text"

    def __init__(self, file: str, line: int, column: int, text: str) -> None:
        self.file, self.line, self.column, self.text = file, line, column, text
        self.size = 1


class Sequence:
    """A list of nodes."""

    __slots__ = ("column", "file", "items", "line", "size")
    what: Final = "a list"

    def __init__(self, file: str, line: int, column: int) -> None:
        self.file, self.line, self.column = file, line, column
        self.items: list[Node] = []
        self.size = 1


class Mapping:
    """Nodes by key, together with each key's own node, in the order as written."""

    __slots__ = ("column", "entries", "file", "line", "size")
    what: Final = "a mapping"

    def __init__(self, file: str, line: int, column: int) -> None:
        self.file, self.line, self.column = file, line, column
        self.entries: dict[str, tuple[Scalar, Node]] = {}
        self.size = 1


Node = Scalar | Sequence | Mapping
Note = Callable[[Problem], None]


def place_of(node: Node) -> Place:
    """Return where a node begins."""
    return Place(node.file, node.line, node.column)


def read_nodes(file: str, content: bytes, note: Note) -> Node | None:
    """Read one YAML document; None where it is empty or cannot be read, and then its problems have been noted."""
    text = decode(file, content, MOST_BYTES, note)
    if text is None:
        return None
    text = _with_pairs_joined(text)
    try:
        return _Builder(file, note).build(_parser(text))
    except yaml.MarkedYAMLError as error:
        note(_syntax_problem(file, text, error))
    return None


def _with_pairs_joined(text: str) -> str:
    """Join the halves in which JSON escapes a character beyond the first 65,536, such as an emoji, and YAML does not.

    Blanks behind a string that got shorter keep all that follows in its column.
    """
    is_json = text.lstrip().startswith(("{", "["))
    if not is_json or not _PAIR.search(text):
        return text
    return _STRING.sub(lambda string: _PAIR.sub(_joined, string[0]).ljust(len(string[0])), text)


def _joined(pair: re.Match[str]) -> str:
    is_backslash = len(pair[0]) == 2
    return pair[0] if is_backslash else str(json.loads(f'"{pair[0]}"'))


_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_PAIR = re.compile(r"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")


def _parser(text: str) -> yaml.CSafeLoader | yaml.SafeLoader:
    return yaml.CSafeLoader(text) if yaml.__with_libyaml__ else yaml.SafeLoader(text)


def decode(file: str, content: bytes, most_bytes: int, note: Note) -> str | None:
    """Decode UTF-8 with or without a byte order mark; None, noted, for a giant file, other bytes and control
    characters.
    """
    if len(content) > most_bytes:
        note(Problem(Place(file, 1, 1), f"the file has {len(content)} bytes; expected at most {most_bytes}; split it"))
        return None
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        place = _place_at(file, content[: error.start].decode("utf-8"))
        note(Problem(place, f"byte 0x{content[error.start]:02x} is not UTF-8; expected a file saved as UTF-8"))
        return None
    if control := _CONTROL.search(text):
        place = _place_at(file, text[: control.start()])
        note(Problem(place, f"control character U+{ord(control[0]):04X}; expected plain text; remove it"))
        return None
    return text


_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")


def _place_at(file: str, before: str) -> Place:
    return Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))


def _syntax_problem(file: str, text: str, error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Problem(Place(file, 1, 1), f"not YAML: {error.problem}")
    place, met = Place(file, mark.line + 1, mark.column + 1), text[mark.index : mark.index + 1]
    if "cannot start any token" in (error.problem or ""):
        found = "a tab" if met == "\t" else f"'{met}'"
        wanted = "spaces" if met == "\t" else "a plain word, or quotes around the value"
        return Problem(place, f"not YAML: {found} cannot begin anything here; expected {wanted}")
    said = " ".join(part for part in (error.context, error.problem) if part)
    hint = next((hint for words, hint in _SYNTAX_HINTS if words in said), "")
    return Problem(place, f"not YAML: {said}{hint}")


_SYNTAX_HINTS = (
    ("parsing a block", "; expected all keys of one mapping, or all dashes of one list, to begin in the same column"),
    ("mapping values are not allowed", "; expected quotes around a value with a colon, and a key on a line of its own"),
)
"""What to do about the parser's words, which tell where it stopped and not why."""


class _Stop(Exception):
    """Reading the file cannot go on; the problem is noted."""


class _Builder:
    """Puts events together. ``open`` holds the unfinished collections, outermost first; ``key`` their awaited keys."""

    def __init__(self, file: str, note: Note) -> None:
        self.file, self.note = file, note
        self.root: Node | None = None
        self.documents = 0
        self.open: list[Sequence | Mapping] = []
        self.anchors: list[str | None] = []
        self.key: list[Scalar | None] = []
        self.node_by_anchor: dict[str, Node] = {}
        self.nodes = 0
        self.aliased = 0

    def build(self, parser: yaml.CSafeLoader | yaml.SafeLoader) -> Node | None:
        """Read all events into one tree."""
        handle: dict[type[object], Callable[[Any], None]] = {
            ScalarEvent: self._scalar,
            MappingStartEvent: self._start,
            SequenceStartEvent: self._start,
            MappingEndEvent: self._end,
            SequenceEndEvent: self._end,
            AliasEvent: self._alias,
            DocumentStartEvent: self._document,
        }
        get_event = parser.get_event
        try:
            while (event := get_event()) is not None:
                handler = handle.get(type(event))
                if handler is not None:
                    handler(event)
        except _Stop:
            return None
        return None if type(self.root) is Scalar and not self.root.text else self.root

    def _scalar(self, event: Any) -> None:
        node = Scalar(self.file, event.start_mark.line + 1, event.start_mark.column + 1, event.value)
        if event.tag is not None:
            self._refuse_tag(node, event.tag)
        if event.anchor is not None:
            self.node_by_anchor[event.anchor] = node
        self._add(node)

    def _start(self, event: Any) -> None:
        kind = Mapping if type(event) is MappingStartEvent else Sequence
        node: Sequence | Mapping = kind(self.file, event.start_mark.line + 1, event.start_mark.column + 1)
        if event.tag is not None:
            self._refuse_tag(node, event.tag)
        if len(self.open) >= MOST_DEPTH:
            raise self._stop(node, f"nested too deeply; expected at most {MOST_DEPTH} levels")
        if event.anchor is not None:
            self.node_by_anchor.pop(event.anchor, None)
        self.open.append(node)
        self.anchors.append(event.anchor)
        self.key.append(None)

    def _end(self, event: Any) -> None:
        node, anchor = self.open.pop(), self.anchors.pop()
        self.key.pop()
        if anchor is not None:
            self.node_by_anchor[anchor] = node
        self._add(node)

    def _alias(self, event: Any) -> None:
        here = Scalar(self.file, event.start_mark.line + 1, event.start_mark.column + 1, "")
        node = self.node_by_anchor.get(event.anchor)
        if node is None:
            raise self._stop(
                here, f"unknown alias '*{event.anchor}'; expected an anchor '&{event.anchor}' that ends before it"
            )
        self.aliased += node.size
        if self.aliased > MOST_ALIASED_NODES:
            raise self._stop(here, f"aliases stand for more than {MOST_ALIASED_NODES} nodes; write fewer of them")
        self._add(node)

    def _document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            here = Scalar(self.file, event.start_mark.line + 1, event.start_mark.column + 1, "")
            raise self._stop(here, "a second document begins; expected one document in a file; remove '---'")

    def _add(self, node: Node) -> None:
        """Hand a finished node to the collection that is open around it."""
        if not self.open:
            self.root = node
            return
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise self._stop(node, f"more than {MOST_NODES} values in one file; split it")
        around = self.open[-1]
        around.size += node.size
        if type(around) is Sequence:
            around.items.append(node)
        elif type(around) is Mapping:
            key = self.key[-1]
            if key is None:
                self.key[-1] = self._as_key(node)
            else:
                self.key[-1] = None
                self._put(around, key, node)

    def _as_key(self, node: Node) -> Scalar:
        if type(node) is not Scalar:
            raise self._stop(node, f"{node.what} cannot be a key; expected a word")
        return node

    def _put(self, mapping: Mapping, key: Scalar, node: Node) -> None:
        entries = mapping.entries
        if key.text == MERGE:
            self._merge(mapping, node)
        elif key.text not in entries:
            entries[key.text] = (key, node)
        elif entries[key.text][0].size:
            first = entries[key.text][0]
            self.note(
                Problem(place_of(key), f"duplicate key '{key.text}', first written in line {first.line}; remove one")
            )
        else:
            entries[key.text] = (key, node)

    def _merge(self, mapping: Mapping, node: Node) -> None:
        """Take over what a merge key refers to, wherever the mapping does not say it itself (size 0 marks it as taken
        over).
        """
        for source in node.items if type(node) is Sequence else [node]:
            if type(source) is not Mapping:
                raise self._stop(source, f"{source.what} cannot be merged; expected an alias of a mapping after '<<'")
            for text, (key, value) in source.entries.items():
                taken_over = Scalar(key.file, key.line, key.column, text)
                taken_over.size = 0
                mapping.entries.setdefault(text, (taken_over, value))

    def _refuse_tag(self, node: Node, tag: str) -> None:
        self.note(
            Problem(
                place_of(node),
                f"tag '{tag.replace('tag:yaml.org,2002:', '!!')}' is not read; expected a plain value; remove the tag",
            )
        )

    def _stop(self, node: Node, message: str) -> _Stop:
        self.note(Problem(place_of(node), message))
        return _Stop()
