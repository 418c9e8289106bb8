"""A folder of YAML and CSV files as one policy, or everything that is wrong with it.

Reading goes in three rounds: every file's text becomes nodes; the house settings are found and read, since its currency
and time zone say what amounts and dates mean; then ranges, promotions and examples are read in that house. Nothing
stops at the first problem, save that a file which is no YAML tells nothing more, and names that it may define are then
not called unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, tzinfo
from typing import TypeVar

import msgspec

from pos_discount.money import currency_digits
from pos_discount.policy.examples import ExampleReader
from pos_discount.policy.fields import FieldReader, Unreadable, shown
from pos_discount.policy.folder import EXAMPLES_SUFFIX, SUFFIX, as_text, is_inside, is_meant_as_yaml, version_of
from pos_discount.policy.kinds import KindReader
from pos_discount.policy.model import Example, House, Place, Policy, Promotion
from pos_discount.policy.problems import Problem, Problems, TooManyProblems
from pos_discount.policy.range_names import RangeReader
from pos_discount.policy.ranges import Range
from pos_discount.policy.shapes import written_fields
from pos_discount.policy.spelling import did_you_mean, nearest
from pos_discount.policy.tables import read_catalogue, read_prices
from pos_discount.policy.texts import parse_currency, parse_name, parse_time_zone
from pos_discount.policy.values import Reads
from pos_discount.policy.yaml_nodes import Mapping as MappingNode
from pos_discount.policy.yaml_nodes import Node, Scalar, Sequence, place_of, read_nodes

V = TypeVar("V")
HOUSE_KEY = "policy"
ANYWHERE = ("promotions", "ranges")
MOST_PROBLEMS = 500
COST_PER_HOUR = 18
"""Major units; what an hour at the till costs where the house does not say."""


def read_policy(files: Mapping[str, bytes], folder: str = "") -> Policy | Problems:
    """Read a policy from the contents of its files by name, CSV files included; places name the ``folder`` if one is
    given.

    Pure on what is in ``files``: the same files give an equal policy. CSV files that no YAML file names are not looked
    at.
    """
    return _PolicyReader(files, f"{folder.rstrip('/')}/" if folder else "").read()


class _PolicyReader:
    """One reading of one policy: its files, what they were found to hold, and the problems so far."""

    def __init__(self, files: Mapping[str, bytes], prefix: str) -> None:
        self._files, self._prefix = files, prefix
        self._problems: list[Problem] = []
        self._used: dict[str, bytes] = {}
        self._is_complete = True
        self._unread_ids: set[str] = set()
        self._digits = 2
        self._currency = "EUR"
        self._zone: tzinfo = UTC

    def read(self) -> Policy | Problems:
        """Read everything, or as much as there is sense in."""
        try:
            policy = self._read()
        except TooManyProblems:
            policy = None
        if policy is not None and not self._problems:
            return policy
        return Problems(tuple(sorted(self._problems, key=lambda problem: _order(problem.place))))

    def _read(self) -> Policy | None:
        root_by_name = {name: root for name in sorted(self._files) if (root := self._root(name)) is not None}
        house_node = self._find_house(root_by_name)
        self._read_footing(house_node)
        reader = FieldReader(self._digits, self._zone, self._note_problem)
        reader.parse_by_reads |= {
            Reads.CATALOGUE: lambda node: self._table(node, read_catalogue),
            Reads.PRICES: lambda node: self._table(node, read_prices),
            Reads.NAMED_RANGES: lambda node: {},
        }
        ranges = self._ranges(reader, root_by_name)
        KindReader(reader)
        range_by_name = ranges.read_all()
        house = self._house(reader, house_node, range_by_name, ranges.places())
        promotions = self._promotions(reader, root_by_name)
        examples = self._examples(reader, root_by_name, promotions)
        return None if house is None else Policy(version_of(self._used), house, promotions, examples)

    # Files

    def _root(self, name: str) -> Node | None:
        """Return a YAML file's outermost node, or None where it is no YAML file, empty or not readable."""
        if is_meant_as_yaml(name) and not name.endswith(SUFFIX):
            self._note(Place(self._prefix + as_text(name), 1, 1), f"expected the ending {SUFFIX}; rename the file")
        if not name.endswith(SUFFIX):
            return None
        if as_text(name) != name:
            self._note(Place(self._prefix + as_text(name), 1, 1), "expected a name in UTF-8; rename the file")
            self._is_complete = False
            return None
        problems = len(self._problems)
        self._used[name] = self._files[name]
        root = read_nodes(self._prefix + name, self._used[name], self._note_problem)
        if root is None and len(self._problems) > problems:
            self._is_complete = False
        return root

    def _table(self, node: Node, read: Callable[..., V]) -> V:
        """Read the CSV file that a node names."""
        if type(node) is not Scalar or not is_inside(node.text):
            raise self._failure(node, f"expected the name of a CSV file in the folder, got {shown(node)}")
        if node.text not in self._files:
            names = [name for name in self._files if name.endswith(".csv")]
            raise self._failure(node, f"no file '{node.text}' in the folder{did_you_mean(node.text, names)}")
        self._used[node.text] = self._files[node.text]
        problems = len(self._problems)
        value = read(self._prefix + node.text, self._used[node.text], self._digits, self._note_problem)
        if len(self._problems) > problems:
            raise Unreadable
        return value

    # House

    def _find_house(self, root_by_name: Mapping[str, Node]) -> MappingNode | None:
        """Return the one file that has the house settings; refuse house settings in any other."""
        house: MappingNode | None = None
        for name, root in root_by_name.items():
            if name.endswith(EXAMPLES_SUFFIX):
                continue
            if type(root) is not MappingNode:
                self._note(place_of(root), f"expected a mapping with 'promotions', got {shown(root)}")
            elif HOUSE_KEY not in root.entries:
                self._check_keys(root)
            elif house is None:
                house = root
            else:
                key = root.entries[HOUSE_KEY][0]
                self._note(
                    place_of(key), f"a second file with house settings, beside {house.file}; expected one; merge them"
                )
        if house is None and self._is_complete:
            first = Place(f"{self._prefix}{next(iter(root_by_name), 'house.yaml')}", 1, 1)
            self._note(first, f"no file has the house settings; expected one with the key '{HOUSE_KEY}: 1'")
        return house

    def _check_keys(self, root: MappingNode) -> None:
        house_keys = [field.key for field in written_fields(House)]
        for text, (key, _) in root.entries.items():
            if text in ANYWHERE:
                continue
            if text in house_keys:
                self._note(
                    place_of(key),
                    f"house setting '{text}' outside the house file; move it to the file with 'policy: 1'",
                )
            elif nearest(text, [HOUSE_KEY]):
                self._note(place_of(key), f"unknown key '{text[:60]}'; did you mean '{HOUSE_KEY}'?")
            else:
                self._note(place_of(key), f"unknown key '{text[:60]}'{did_you_mean(text, ANYWHERE)}")

    def _read_footing(self, house: MappingNode | None) -> None:
        """Read what amounts and dates stand on; a wrong word is noted later, with the other settings."""
        if house is None:
            return
        currency, zone = (house.entries.get(key) for key in ("currency", "time_zone"))
        try:
            if currency is not None and type(currency[1]) is Scalar:
                self._currency = parse_currency(currency[1].text)
                self._digits = currency_digits(self._currency)
        except ValueError:
            pass  # `House.currency` says why
        try:
            if zone is not None and type(zone[1]) is Scalar:
                self._zone = parse_time_zone(zone[1].text)
        except ValueError:
            pass  # `House.time_zone` says why

    def _house(
        self, reader: FieldReader, root: MappingNode | None, ranges: dict[str, Range], place_by_range: dict[str, Place]
    ) -> House | None:
        if root is None:
            return None
        settings = MappingNode(root.file, root.line, root.column)
        settings.entries = {text: entry for text, entry in root.entries.items() if text != "promotions"}
        try:
            values = reader.values(House, settings)
        except Unreadable:
            return None
        filled_in = {"currency_digits": self._digits, "place_by_range": place_by_range, "place": place_of(root)}
        return _with_defaults(House(**values | {"ranges": ranges} | filled_in))

    # Ranges, promotions, examples

    def _ranges(self, reader: FieldReader, root_by_name: Mapping[str, Node]) -> RangeReader:
        ranges = RangeReader(reader, self._is_complete)
        for node in _parts(root_by_name, "ranges"):
            try:
                ranges.add(node)
            except Unreadable:
                continue
        return ranges

    def _promotions(self, reader: FieldReader, root_by_name: Mapping[str, Node]) -> tuple[Promotion, ...]:
        place_by_id: dict[str, Place] = {}
        promotions = []
        for node in _items(_parts(root_by_name, "promotions")):
            try:
                promotion = Promotion(**reader.values(Promotion, node), place=place_of(node))
                self._check_promotion(promotion, node, place_by_id.get(promotion.id))
            except Unreadable:
                self._unread_ids |= _id_of(node)
                continue
            place_by_id[promotion.id] = promotion.place
            promotions.append(promotion)
        return tuple(promotions)

    def _check_promotion(self, promotion: Promotion, node: Node, twin: Place | None) -> None:
        if twin is not None:
            raise self._failure(node, f"duplicate id '{promotion.id}', first written in {twin}; rename one", "id")
        try:
            parse_name(promotion.id)
        except ValueError as error:
            raise self._failure(node, str(error), "id") from None
        if len(promotion.combines_with) > 1 and not {"all", "none"}.isdisjoint(promotion.combines_with):
            raise self._failure(
                node, "'all' or 'none' among classes; expected all, none or a list of classes", "combines_with"
            )
        if promotion.stacking_class in ("all", "none"):
            raise self._failure(node, f"'{promotion.stacking_class}' is no class; expected another word", "class")

    def _examples(
        self, reader: FieldReader, root_by_name: Mapping[str, Node], promotions: tuple[Promotion, ...]
    ) -> tuple[Example, ...]:
        promotion_by_id = {promotion.id: promotion for promotion in promotions}
        footing = self._currency, self._zone
        example_reader = ExampleReader(reader, footing, promotion_by_id, self._is_unread)
        examples = []
        for name, root in root_by_name.items():
            if not name.endswith(EXAMPLES_SUFFIX):
                continue
            for node in self._example_nodes(root):
                try:
                    examples.append(example_reader.read(node))
                except Unreadable:
                    continue
        return tuple(examples)

    def _is_unread(self, promotion_id: str) -> bool:
        return promotion_id in self._unread_ids or not self._is_complete

    def _example_nodes(self, root: Node) -> Iterator[Node]:
        """Yield the examples of a file: a list, or a mapping with one under ``examples``."""
        if type(root) is MappingNode and "examples" in root.entries:
            for text, (key, _) in root.entries.items():
                if text != "examples":
                    self._note(place_of(key), f"unknown key '{text[:60]}'; expected 'examples' alone")
            root = root.entries["examples"][1]
        if type(root) is Sequence:
            yield from root.items
        elif type(root) is not Scalar or root.text:
            self._note(place_of(root), f"expected a list of examples, got {shown(root)}")

    def _note(self, place: Place, message: str) -> None:
        self._note_problem(Problem(place, message))

    def _note_problem(self, problem: Problem) -> None:
        if len(self._problems) >= MOST_PROBLEMS:
            said = f"more than {MOST_PROBLEMS} problems in all; the others are not looked for"
            self._problems.append(Problem(problem.place, said))
            raise TooManyProblems
        self._problems.append(problem)

    def _failure(self, node: Node, message: str, key: str | None = None) -> Unreadable:
        """Note a problem with a node, or with what stands under one of its keys."""
        entry = node.entries.get(key) if key is not None and type(node) is MappingNode else None
        self._note(place_of(entry[1] if entry else node), message)
        return Unreadable()


def _parts(root_by_name: Mapping[str, Node], key: str) -> Iterator[Node]:
    """Yield what stands under a key in each file that has it; a key with nothing behind it is as if left out."""
    for name, root in root_by_name.items():
        if type(root) is MappingNode and key in root.entries and not name.endswith(EXAMPLES_SUFFIX):
            node = root.entries[key][1]
            if type(node) is not Scalar or node.text:
                yield node


def _items(nodes: Iterable[Node]) -> Iterator[Node]:
    for node in nodes:
        if type(node) is Sequence:
            yield from node.items
        else:
            yield node


def _id_of(node: Node) -> set[str]:
    """Return the id that a promotion would have, had it been readable."""
    entry = node.entries.get("id") if type(node) is MappingNode else None
    return {entry[1].text} if entry and type(entry[1]) is Scalar else set()


def _with_defaults(house: House) -> House:
    """Fill in the settings whose default depends on the currency."""
    if house.ladder.cost_per_hour is not None:
        return house
    ladder = msgspec.structs.replace(house.ladder, cost_per_hour=COST_PER_HOUR * 10**house.currency_digits)
    return msgspec.structs.replace(house, ladder=ladder)


def _order(place: Place) -> tuple[str, int, int]:
    return place.file, place.line, place.column
