"""What may be written for each field of a struct, found out from its annotations: for the reader and the JSON Schema
alike.

A field whose name is one of Python's own words has a trailing underscore in the struct and none in YAML.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec

from pos_discount.policy.benefits import Benefit
from pos_discount.policy.conditions import Condition
from pos_discount.policy.model import Hours
from pos_discount.policy.ranges import PriceBounds, Range
from pos_discount.policy.values import Reads


class Shape(NamedTuple):
    """What may stand in one place: exactly one of ``reads``, ``choices`` and ``struct``; a list of it where
    ``is_many``.
    """

    reads: Reads | None = None
    choices: tuple[str, ...] = ()
    struct: type[msgspec.Struct] | None = None
    is_many: bool = False


class WrittenField(NamedTuple):
    """A field that a merchandiser may write: the key in YAML, the name in the struct, its shape."""

    key: str
    name: str
    shape: Shape
    is_required: bool


@cache
def written_fields(struct: type[msgspec.Struct]) -> tuple[WrittenField, ...]:
    """Return the fields of a struct that may be written, in order."""
    hints = get_type_hints(struct, include_extras=True)
    fields = []
    for field in msgspec.structs.fields(struct):
        shape = shape_of(hints[field.name])
        if shape.reads is not Reads.NOT_WRITTEN and (struct, field.name) != (Range, "name"):
            fields.append(WrittenField(field.name.removesuffix("_"), field.name, shape, field.required))
    return tuple(fields)


def shape_of(annotation: Any) -> Shape:
    """Find out from an annotation what may be written.

    >>> shape_of(tuple[str, ...] | None)
    Shape(reads=<Reads.WORDS: 'a word or a list of words'>, choices=(), struct=None, is_many=False)
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        reads = next((extra for extra in arguments[1:] if isinstance(extra, Reads)), None)
        return Shape(reads) if reads else shape_of(arguments[0])
    if origin in (Union, UnionType):
        return shape_of(next(argument for argument in arguments if argument is not NoneType))
    if origin is Literal:
        return Shape(choices=tuple(str(argument) for argument in arguments))
    if annotation in _READS_BY_TYPE:
        return Shape(_READS_BY_TYPE[annotation])
    if origin is tuple:
        return shape_of(arguments[0])._replace(is_many=True)
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return Shape(struct=annotation)
    raise TypeError(f"{annotation!r} does not say how it is read; annotate it with a member of Reads")


_READS_BY_TYPE: dict[Any, Reads] = {
    bool: Reads.YES_NO,
    str: Reads.TEXT,
    date: Reads.DAY,
    datetime: Reads.MOMENT,
    Hours: Reads.HOURS,
    Range: Reads.RANGE,
    PriceBounds: Reads.PRICE_BOUNDS,
    Benefit: Reads.BENEFIT,
    tuple[str, ...]: Reads.WORDS,
    tuple[Range, ...]: Reads.RANGES,
    tuple[Condition, ...]: Reads.CONDITIONS,
    tuple[tuple[str, tuple[str, ...]], ...]: Reads.NAMED_VALUES,
}
