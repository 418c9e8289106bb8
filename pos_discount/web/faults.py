"""The second, slow look at a body that was refused: every fault at once, each with a JSON pointer.

The decoder stops at the first fault, which is right for the hot path and wrong for an integrator. This walks the
plain JSON beside the types it should have had. It hides how types are described; it says what was expected and never
what was there.
"""

from __future__ import annotations

import difflib
import functools
import math
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, inspect

from pos_discount.web.problems import Fault

MOST_NAME = 100
MOST_HINTED = 64


class Repeated(dict[str, Any]):
    """A JSON object in which a name stood more than once; ``names`` are those."""

    names: tuple[str, ...] = ()


def enumerate_faults(value: Any, kind: Any, pointer: str = "") -> Iterator[Fault]:
    """Yield every fault of a plain JSON value against a type, in the order of the types' fields."""
    yield from _walk(value, inspect.type_info(kind), pointer)


def pointer_to(parent: str, name: str | int) -> str:
    """Extend a JSON pointer (RFC 6901) by a name or a position; a very long name is cut, since it came from outside."""
    text = str(name)[:MOST_NAME].encode("utf-8", "replace").decode()
    return f"{parent}/{text.replace('~', '~0').replace('/', '~1')}"


def _walk(value: Any, expected: inspect.Type, pointer: str) -> Iterator[Fault]:
    kind = expected.type if isinstance(expected, inspect.Metadata) else expected
    if isinstance(kind, inspect.UnionType):
        yield from _walk_union(value, kind, pointer)
    elif isinstance(kind, inspect.StructType):
        yield from _walk_object(value, kind, pointer)
    elif isinstance(kind, inspect.DictType):
        yield from _walk_mapping(value, kind, pointer)
    elif isinstance(kind, (inspect.VarTupleType, inspect.ListType)):
        yield from _walk_list(value, kind, pointer)
    elif code := _leaf_code(value, kind):
        yield Fault(pointer, code, f"expected {_phrase(expected)}")


def _walk_object(value: Any, expected: inspect.StructType, pointer: str) -> Iterator[Fault]:
    if not isinstance(value, dict):
        yield Fault(pointer, "wrong_type", "expected an object")
        return
    fields = {field.encode_name: field for field in expected.fields}
    for name in value.names if isinstance(value, Repeated) else ():
        yield Fault(pointer_to(pointer, name), "repeated", "expected each field once")
    for name, field in fields.items():
        if name in value:
            yield from _walk(value[name], field.type, pointer_to(pointer, name))
        elif field.required:
            yield Fault(pointer_to(pointer, name), "missing", f"expected {_phrase(field.type)}")
    if expected.forbid_unknown_fields:
        for position, name in enumerate(name for name in value if name not in fields):
            yield Fault(pointer_to(pointer, name), "unknown_field", _unknown(name, fields, position < MOST_HINTED))


def _unknown(name: str, fields: Mapping[str, Any], is_hinted: bool) -> str:
    near = difflib.get_close_matches(name[:MOST_NAME], fields, n=1) if is_hinted else []
    return f"unknown field; did you mean '{near[0]}'?" if near else "unknown field; expected one that the API names"


def _walk_mapping(value: Any, expected: inspect.DictType, pointer: str) -> Iterator[Fault]:
    if not isinstance(value, dict):
        yield Fault(pointer, "wrong_type", "expected an object")
        return
    if code := _length_code(len(value), expected):
        yield Fault(pointer, code, f"expected {_phrase(expected)}")
    for name in value.names if isinstance(value, Repeated) else ():
        yield Fault(pointer_to(pointer, name), "repeated", "expected each name once")
    for name, item in value.items():
        if _leaf_code(name, expected.key_type):
            yield Fault(pointer_to(pointer, name), "bad_name", f"expected a name that is {_phrase(expected.key_type)}")
        yield from _walk(item, expected.value_type, pointer_to(pointer, name))


def _walk_list(value: Any, expected: inspect.VarTupleType | inspect.ListType, pointer: str) -> Iterator[Fault]:
    if not isinstance(value, list):
        yield Fault(pointer, "wrong_type", f"expected {_phrase(expected)}")
        return
    if code := _length_code(len(value), expected):
        yield Fault(pointer, code, f"expected {_phrase(expected)}")
        if code == "too_long":
            return
    for position, item in enumerate(value):
        yield from _walk(item, expected.item_type, pointer_to(pointer, position))


def _walk_union(value: Any, expected: inspect.UnionType, pointer: str) -> Iterator[Fault]:
    """Report on the one alternative of the value's own JSON type; on the union where there is none."""
    faults_by_kind = [(kind, list(_walk(value, kind, pointer))) for kind in expected.types]
    if any(not faults for _, faults in faults_by_kind):
        return
    closest = [faults for kind, faults in faults_by_kind if _is_of_json_type(value, kind)]
    if closest:
        yield from closest[0]
    else:
        yield Fault(pointer, "wrong_type", f"expected {_phrase(expected)}")


def _is_of_json_type(value: Any, kind: inspect.Type) -> bool:
    if isinstance(kind, inspect.Metadata):
        return _is_of_json_type(value, kind.type)
    if isinstance(value, dict):
        return isinstance(kind, (inspect.StructType, inspect.DictType))
    if isinstance(value, list):
        return isinstance(kind, (inspect.VarTupleType, inspect.ListType))
    if isinstance(value, str):
        return isinstance(kind, (inspect.StrType, inspect.DateType, inspect.DateTimeType, inspect.LiteralType))
    if isinstance(value, bool):
        return isinstance(kind, inspect.BoolType)
    if isinstance(value, int):
        return isinstance(kind, (inspect.IntType, inspect.FloatType))
    return isinstance(value, float) and isinstance(kind, inspect.FloatType)


def _leaf_code(value: Any, expected: inspect.Type) -> str | None:
    """Say in a stable code what is wrong with a value that has no parts, or None."""
    if isinstance(expected, inspect.StrType):
        return _text_code(value, expected)
    if isinstance(expected, (inspect.IntType, inspect.FloatType)):
        return _number_code(value, expected)
    if isinstance(expected, inspect.LiteralType):
        return None if isinstance(value, str) and value in expected.values else "not_allowed"
    if isinstance(expected, (inspect.DateType, inspect.DateTimeType)):
        return _moment_code(value, expected)
    if isinstance(expected, inspect.BoolType):
        return None if isinstance(value, bool) else "wrong_type"
    if isinstance(expected, inspect.NoneType):
        return None if value is None else "wrong_type"
    return None if isinstance(expected, (inspect.AnyType, inspect.RawType)) else "wrong_type"


def _text_code(value: Any, expected: inspect.StrType) -> str | None:
    if not isinstance(value, str):
        return "wrong_type"
    if expected.pattern is not None and not re.search(expected.pattern, value):
        return "bad_format"
    return _length_code(len(value), expected)


def _length_code(
    length: int, expected: inspect.StrType | inspect.DictType | inspect.VarTupleType | inspect.ListType
) -> str | None:
    if expected.min_length is not None and length < expected.min_length:
        return "too_short"
    return "too_long" if expected.max_length is not None and length > expected.max_length else None


def _number_code(value: Any, expected: inspect.IntType | inspect.FloatType) -> str | None:
    is_number = isinstance(value, int if isinstance(expected, inspect.IntType) else (int, float))
    if isinstance(value, float) and math.isinf(value):
        return "too_large"
    if isinstance(value, bool) or not is_number:
        return "wrong_type"
    if (expected.ge is not None and value < expected.ge) or (expected.gt is not None and value <= expected.gt):
        return "too_small"
    if (expected.le is not None and value > expected.le) or (expected.lt is not None and value >= expected.lt):
        return "too_large"
    return None


def _moment_code(value: Any, expected: inspect.DateType | inspect.DateTimeType) -> str | None:
    if not isinstance(value, str):
        return "wrong_type"
    try:
        msgspec.convert(value, date if isinstance(expected, inspect.DateType) else _moment_type(expected.tz))
    except msgspec.ValidationError:
        return "bad_format"
    return None


@functools.cache
def _moment_type(has_zone: bool | None) -> Any:
    return Annotated[datetime, Meta(tz=has_zone)]


def _phrase(expected: inspect.Type) -> str:
    """Say in words what a type takes."""
    if isinstance(expected, inspect.Metadata):
        return _phrase(expected.type) + _meaning(expected)
    if isinstance(expected, inspect.UnionType):
        return " or ".join(_phrase(kind) for kind in expected.types)
    if isinstance(expected, inspect.StrType):
        return f"text{_bounds(expected.min_length, expected.max_length, 'characters')}" + (
            f" of the form {expected.pattern}" if expected.pattern else ""
        )
    if isinstance(expected, (inspect.IntType, inspect.FloatType)):
        word = "a whole number" if isinstance(expected, inspect.IntType) else "a number"
        return word + _bounds(expected.ge, expected.le, "")
    if isinstance(expected, inspect.LiteralType):
        return "one of " + ", ".join(str(value) for value in expected.values)
    if isinstance(expected, (inspect.VarTupleType, inspect.ListType)):
        return f"a list{_bounds(expected.min_length, expected.max_length, 'items')}"
    if isinstance(expected, inspect.DictType):
        return f"an object{_bounds(expected.min_length, expected.max_length, 'names')}"
    return PHRASE_BY_TYPE.get(type(expected), "another value")


def _meaning(described: inspect.Metadata) -> str:
    """Say what a whole number counts, such as minor units; of other types the phrase alone says enough."""
    text = (described.extra_json_schema or {}).get("description", "")
    if not text or not isinstance(described.type, inspect.IntType):
        return ""
    return f" ({text[0].lower()}{text[1:].rstrip('.')})"


PHRASE_BY_TYPE: Mapping[type, str] = {
    inspect.StructType: "an object",
    inspect.BoolType: "true or false",
    inspect.NoneType: "null",
    inspect.DateType: "a date such as 2026-10-02",
    inspect.DateTimeType: "a moment with an offset (RFC 3339), such as 2026-11-21T10:02:11+01:00",
}


def _bounds(least: float | None, most: float | None, unit: str) -> str:
    if not least and most is None:
        return ""
    of = f" {unit}" if unit else ""
    if most is None:
        return f" of at least {least}{of}" if unit else f" from {least}"
    if unit:
        return f" of {least}{' to'} {most}{of}" if least else f" of at most {most}{of}"
    return f" from {least or 0} to {most}"
