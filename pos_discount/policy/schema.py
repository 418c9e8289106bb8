"""JSON Schemas of what merchandisers write, so that an editor completes keys and underlines wrong ones.

They are made from the annotations that the reader reads by, so they cannot tell another story. A schema sees one file
and no other: names of ranges, ids and what contradicts itself are for the reader. Scalars may come as text or, from
editors that read YAML by how a value looks, as numbers and booleans.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from inspect import cleandoc
from typing import Any

import msgspec

from pos_discount.policy.benefits import BENEFITS, Benefit
from pos_discount.policy.conditions import CONDITIONS, Condition
from pos_discount.policy.examples import WrittenExample
from pos_discount.policy.model import House, Promotion
from pos_discount.policy.ranges import Range
from pos_discount.policy.shapes import Shape, WrittenField, written_fields
from pos_discount.policy.values import Reads

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> Schema:
    """Return the JSON Schema (2020-12) of a policy file: house settings, ranges and promotions."""
    writer = _SchemaWriter()
    house = writer.properties(written_fields(House))
    promotions = _or_nothing(_list_of(writer.struct(Promotion)))
    settings = [key for key in house if key not in ("policy", "ranges")]
    return _document(
        "A file of a pos-discount policy",
        {
            "type": ["object", "null"],
            "properties": house | {"ranges": _or_nothing(house["ranges"]), "promotions": promotions},
            "additionalProperties": False,
            "dependentRequired": {"policy": ["currency", "time_zone"]} | {key: ["policy"] for key in settings},
        },
        writer,
    )


def examples_json_schema() -> Schema:
    """Return the JSON Schema (2020-12) of a file of examples, ``NAME.examples.yaml``."""
    writer = _SchemaWriter()
    examples = _list_of(writer.struct(WrittenExample))
    under_a_key = {"type": "object", "properties": {"examples": examples}, "additionalProperties": False}
    return _document(
        "Examples of a pos-discount policy", {"anyOf": [examples["anyOf"][1], under_a_key, _NOTHING]}, writer
    )


_NOTHING: Schema = {"enum": [None, ""]}


def _document(title: str, root: Schema, writer: _SchemaWriter) -> Schema:
    return {"$schema": DIALECT, "title": title, **root, "$defs": writer.definitions}


def _list_of(item: Schema) -> Schema:
    """A list, for which a single item may stand alone."""
    return {"anyOf": [item, {"type": "array", "items": item}]}


def _or_nothing(schema: Schema) -> Schema:
    return {"anyOf": [schema, _NOTHING]}


class _SchemaWriter:
    """Writes the schema of each shape, and of each struct once, under ``definitions``."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}

    def struct(self, struct: type[msgspec.Struct]) -> Schema:
        """Return a reference to a struct's schema."""
        if struct.__name__ not in self.definitions:
            self.definitions[struct.__name__] = {}  # a range may hold ranges
            self.definitions[struct.__name__] = self._write(struct)
        return {"$ref": f"#/$defs/{struct.__name__}"}

    def _write(self, struct: type[msgspec.Struct]) -> Schema:
        if struct is Condition:
            return self._conditions()
        if struct is Benefit:
            return self._benefits()
        fields = written_fields(struct)
        return _object(self.properties(fields), _required(fields), _description(struct))

    def _conditions(self) -> Schema:
        kinds = {kind: self._condition(condition) for kind, condition in CONDITIONS.items()}
        return _object(kinds, (), "One condition: its kind, and what is written under it.") | {
            "minProperties": 1,
            "maxProperties": 1,
        }

    def _condition(self, condition: type[Condition]) -> Schema:
        if condition.shorthand is None:
            return self.struct(condition)
        field = next(field for field in written_fields(condition) if field.name == condition.shorthand)
        return self.shape(field.shape) | {"description": _description(condition)}

    def _benefits(self) -> Schema:
        """All kinds' keys together, so that an editor completes them, and which of them may stand together."""
        properties: dict[str, Schema] = {}
        kinds = []
        for kind, benefit in BENEFITS.items():
            fields = written_fields(benefit)
            own = self.properties(fields)
            own[kind] = own[kind] | {"description": _description(benefit)}
            properties |= own
            kinds.append({"required": list(_required(fields)), "propertyNames": {"enum": list(own)}})
        return _object(properties, (), "One benefit: exactly one kind, and its keys beside it.") | {"oneOf": kinds}

    def properties(self, fields: Iterable[WrittenField]) -> dict[str, Schema]:
        """Return the schema of each field by its key."""
        return {field.key: self.shape(field.shape) for field in fields}

    def shape(self, shape: Shape) -> Schema:
        """Return the schema of what may stand in one place."""
        if shape.reads is not None:
            schema = self._reads(shape.reads)
        elif shape.struct is not None:
            schema = self.struct(shape.struct)
        else:
            schema = {"enum": [*shape.choices, *(int(choice) for choice in shape.choices if choice.isdigit())]}
        return _list_of(schema) if shape.is_many else schema

    def _reads(self, reads: Reads) -> Schema:
        schema = _SCALARS[reads] if reads in _SCALARS else self._structured(reads)
        return schema | {"description": f"Expected: {reads.value}."}

    def _structured(self, reads: Reads) -> Schema:
        text, money = _SCALARS[Reads.TEXT], _SCALARS[Reads.MONEY]
        conditions = _list_of(self.struct(Condition))
        products = {"anyOf": [{"type": "string", "minLength": 1}, self.struct(Range)]}
        return {
            Reads.WORDS: _list_of(text),
            Reads.AMOUNTS: _list_of(money),
            Reads.RANGE: products,
            Reads.RANGES: _list_of(products),
            Reads.CONDITIONS: conditions,
            Reads.ALTERNATIVES: _list_of(conditions),
            Reads.BENEFIT: self.struct(Benefit),
            Reads.TARGET: {
                "anyOf": [{"enum": ["cheapest", "dearest", "all"]}, _object({"position": _SCALARS[Reads.COUNT]})]
            },
            Reads.AUTHORITY: _mapping_of(_SCALARS[Reads.PERCENT]),
            Reads.PRICE_BOUNDS: _object({"from": money, "below": money}) | {"minProperties": 1},
            Reads.NAMED_VALUES: _mapping_of(_list_of(text)),
            Reads.SENTENCES: _mapping_of(text),
            Reads.NAMED_RANGES: _mapping_of(products),
            Reads.EXPECTED: {
                "type": "object",
                "properties": {"base": money, "rungs": _list_of(money)},
                "additionalProperties": {"anyOf": [{"enum": ["no", "false", False]}, money]},
            },
        }[reads]


def _object(properties: Mapping[str, Schema], required: Iterable[str] = (), description: str = "") -> Schema:
    schema: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    if required:
        schema["required"] = list(required)
    return schema | ({"description": description} if description else {})


def _mapping_of(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


def _required(fields: Iterable[WrittenField]) -> tuple[str, ...]:
    return tuple(field.key for field in fields if field.is_required)


def _description(struct: type[msgspec.Struct]) -> str:
    return cleandoc(struct.__doc__ or "").split("\n\n")[0].replace("``", "").replace("\n", " ")


def _number(pattern: str, **limits: int) -> Schema:
    return {"type": ["number", "string"], "pattern": f"^{pattern}$", **limits}


def _whole_number(pattern: str, **limits: int) -> Schema:
    return {"type": ["integer", "string"], "pattern": f"^{pattern}$", **limits}


def _word(pattern: str) -> Schema:
    return {"type": "string", "pattern": f"^{pattern}$"}


_DATE = r"\d{4}-\d{2}-\d{2}"
_SCALARS: Mapping[Reads, Schema] = {
    Reads.MONEY: _number(r"\d+(\.\d+)?", minimum=0),
    Reads.PERCENT: _number(r"(100(\.0+)?|\d{1,2}(\.\d+)?) ?%?", minimum=0, maximum=100),
    Reads.COUNT: _whole_number(r"\+?\d+", minimum=1),
    Reads.NUMBER: _whole_number(r"\+?\d+", minimum=0),
    Reads.INTEGER: _whole_number(r"[+-]?\d+"),
    Reads.DECIMAL: _number(r"\d+(\.\d+)?", minimum=0),
    Reads.THRESHOLD: _number(r"\d+(\.\d+)?", minimum=0),
    Reads.TEXT: {"type": ["string", "number", "boolean"], "minLength": 1},
    Reads.YES_NO: {"enum": ["yes", "no", "true", "false", True, False]},
    Reads.MOMENT: _word(_DATE + r"([T ]\d{2}:\d{2}(:\d{2})?( ?(Z|[+-]\d{2}:\d{2}))?)?"),
    Reads.DAY: _word(_DATE),
    Reads.HOURS: _word(r"\d{1,2}:\d{2} ?- ?\d{1,2}:\d{2}"),
    Reads.CURRENCY: _word("[A-Z]{3}"),
    Reads.TIME_ZONE: {"type": "string", "minLength": 1},
    Reads.PRICES: {"type": "string", "minLength": 1},
    Reads.CATALOGUE: {"type": "string", "minLength": 1},
}
