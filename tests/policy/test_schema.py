"""The JSON Schemas that editors get accept what the reader accepts and underline what it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from pos_discount.policy.benefits import BENEFITS
from pos_discount.policy.conditions import CONDITIONS
from pos_discount.policy.schema import examples_json_schema, json_schema
from pos_discount.policy.yaml_nodes import Mapping, Node, Scalar, read_nodes

from .reading import promotion
from .test_bad_promotions import BENEFITS as BAD_BENEFITS
from .test_bad_promotions import KEYS as BAD_KEYS
from .test_values import BENEFIT_ROWS, CONDITION_ROWS, RANGE_ROWS

SHIPPED = sorted((Path(__file__).parents[2] / "policies").glob("*.yaml"))
SCHEMA = jsonschema.Draft202012Validator(json_schema())
EXAMPLES_SCHEMA = jsonschema.Draft202012Validator(examples_json_schema())
BEYOND_A_SCHEMA = (
    *("3 decimals", "duplicate", "unknown range", "refused", "is no class", "all, none or a list", "1000 to 9000"),
    *(
        "not on the calendar",
        "on the clock",
        "from 00:00 to 24:00",
        "a position from",
        "exactly one of",
        "1 to 100 parts",
    ),
    *("nothing is written here", "no file", "in the folder", "expected at most", "by: quantity"),
)


class AsEditorsRead(yaml.SafeLoader):
    """Reads scalars as YAML 1.2 does: numbers and true and false by how they look, all else as text."""


AsEditorsRead.yaml_implicit_resolvers = {}
AsEditorsRead.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), ["t", "f"])
AsEditorsRead.add_implicit_resolver("tag:yaml.org,2002:null", re.compile("^(null|)$"), ["n", ""])
for first in "-+0123456789":
    for tag, pattern in yaml.SafeLoader.yaml_implicit_resolvers[first]:
        if tag.endswith((":int", ":float")):
            AsEditorsRead.add_implicit_resolver(tag, pattern, [first])


def as_editors_read(text: str) -> Any:
    return yaml.load(text, AsEditorsRead)


def as_text(text: str) -> Any:
    root = read_nodes("file", text.encode(), lambda problem: None)
    return None if root is None else plain(root)


def plain(node: Node) -> Any:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Mapping):
        return {text: plain(inner) for text, (_, inner) in node.entries.items()}
    return [plain(item) for item in node.items]


@pytest.mark.parametrize("parse", [as_editors_read, as_text])
@pytest.mark.parametrize("path", SHIPPED, ids=[path.name for path in SHIPPED])
def test_the_shipped_files_keep_to_their_schema(path: Path, parse: Callable[[str], Any]) -> None:
    schema = EXAMPLES_SCHEMA if path.name.endswith(".examples.yaml") else SCHEMA
    schema.validate(parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("parse", [as_editors_read, as_text])
def test_everything_that_may_be_written_keeps_to_the_schema(parse: Callable[[str], Any]) -> None:
    for text, _ in CONDITION_ROWS:
        SCHEMA.validate(parse(promotion(more=f"when: [{{{text}}}]")))
    for text, _ in BENEFIT_ROWS:
        SCHEMA.validate(parse(promotion(text)))
    for text, _ in RANGE_ROWS:
        SCHEMA.validate(parse(promotion(f"{{percent: 10%, of: {text}}}")))


BAD = [(promotion(more=line), words) for line, _, words in BAD_KEYS] + [
    (promotion(benefit), words) for benefit, _, words in BAD_BENEFITS
]
VISIBLE = [text for text, words in BAD if not any(beyond in words or beyond in text for beyond in BEYOND_A_SCHEMA)]


@pytest.mark.parametrize("text", VISIBLE, ids=[text.splitlines()[-1].strip() for text in VISIBLE])
def test_what_the_reader_refuses_at_sight_an_editor_underlines(text: str) -> None:
    assert not SCHEMA.is_valid(as_editors_read(text))


@pytest.mark.parametrize(
    "text",
    [
        "promotion: []",
        "policy: 1",
        "currency: EUR",
        "policy: 1\ncurrency: EUR\ntime_zone: UTC\nroundin: down",
        "- a",
        "word",
    ],
)
def test_a_wrong_file_is_underlined(text: str) -> None:
    assert not SCHEMA.is_valid(as_editors_read(text))


@pytest.mark.parametrize(
    "text", ["", "promotions:", "promotions: []", "ranges:", "policy: 1\ncurrency: EUR\ntime_zone: UTC"]
)
def test_an_unfinished_file_is_not_underlined(text: str) -> None:
    SCHEMA.validate(as_editors_read(text))


def test_every_kind_is_described() -> None:
    definitions = json_schema()["$defs"]
    assert set(definitions["Condition"]["properties"]) == set(CONDITIONS)
    assert set(definitions["Benefit"]["properties"]) >= set(BENEFITS)
    for kind in BENEFITS:
        assert definitions["Benefit"]["properties"][kind]["description"].endswith(".")


def test_the_schemas_are_schemas_and_json() -> None:
    for schema in (json_schema(), examples_json_schema()):
        jsonschema.Draft202012Validator.check_schema(schema)
        assert json.loads(json.dumps(schema)) == schema
