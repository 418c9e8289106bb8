"""The policy reference is true: each of its examples holds, and nothing that may be written is missing from it."""

from collections.abc import Iterator

import pytest

from pos_discount.measure.examples import run_examples
from pos_discount.policy import Policy, read_policy
from pos_discount.policy.benefits import BENEFITS
from pos_discount.policy.conditions import CONDITIONS
from pos_discount.policy.model import Guards, House, LadderSettings, Promotion
from pos_discount.policy.ranges import Range
from pos_discount.policy.shapes import written_fields
from pos_discount.pricing import PolicyIndex

from .pages import Section, read_sections

SECTIONS = {section.title: section for section in read_sections("policy-reference.md")}
WITH_PROMOTIONS = [section for section in SECTIONS.values() if section.starting_with("promotions")]
KINDS = [*CONDITIONS, *BENEFITS]
SHORT_HOUSE = SECTIONS["Ranges"].starting_with("policy")[0]
FULL_HOUSE = SECTIONS["House settings"].starting_with("policy")[0]


def section_policy(section: Section) -> Policy:
    """Read a section's promotions and examples in the page's own house, with the CSV files that the section shows."""
    files = {block.name: block.text.encode() for block in section.blocks if block.language == "csv"}
    files["house.yaml"] = SHORT_HOUSE.encode()
    files["page.yaml"] = "\n".join(section.starting_with("promotions")).encode()
    files["page.examples.yaml"] = "\n".join(section.starting_with("examples")).encode()
    policy = read_policy(files)
    assert isinstance(policy, Policy), policy
    return policy


def ids(sections: list[Section]) -> list[str]:
    return [section.title for section in sections]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_section_with_promotions_and_examples(kind: str) -> None:
    assert kind in SECTIONS, f"docs/policy-reference.md has no section '### {kind}'"
    assert len(SECTIONS[kind].starting_with("promotions")) == 1
    assert len(SECTIONS[kind].starting_with("examples")) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_section_of_a_kind_uses_it(kind: str) -> None:
    promotions = section_policy(SECTIONS[kind]).promotions
    used = {promotion.benefit.kind for promotion in promotions}
    used |= {condition.kind for promotion in promotions for condition in promotion.when}
    assert kind in used


@pytest.mark.parametrize("section", WITH_PROMOTIONS, ids=ids(WITH_PROMOTIONS))
def test_the_examples_of_a_section_hold(section: Section) -> None:
    results = list(run_examples(PolicyIndex(section_policy(section))))
    wrong = [(result.example.name, result.disagreements) for result in results if result.disagreements]
    assert results
    assert not wrong


@pytest.mark.parametrize("section", WITH_PROMOTIONS, ids=ids(WITH_PROMOTIONS))
def test_every_promotion_of_the_page_has_an_example(section: Section) -> None:
    policy = section_policy(section)
    expected = {id_ for example in policy.examples for id_ in example.saving_by_promotion}
    assert {promotion.id for promotion in policy.promotions} <= expected


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_shown_where_it_applies_and_where_it_does_not(kind: str) -> None:
    policy = section_policy(SECTIONS[kind])
    savings = [saving for example in policy.examples for saving in example.saving_by_promotion.values()]
    assert None in savings
    assert any(saving is not None for saving in savings)


@pytest.mark.parametrize("house", [SHORT_HOUSE, FULL_HOUSE], ids=["the page's own", "with every setting"])
def test_the_houses_of_the_page_can_be_read(house: str) -> None:
    assert isinstance(read_policy({"house.yaml": house.encode()}), Policy)


@pytest.mark.parametrize("key", [field.key for field in written_fields(House)])
def test_every_house_setting_is_shown(key: str) -> None:
    assert f"{key}:" in SECTIONS["House settings"].text


@pytest.mark.parametrize("key", [field.key for struct in (Guards, LadderSettings) for field in written_fields(struct)])
def test_every_guard_and_ladder_setting_is_shown(key: str) -> None:
    assert f"  {key}:" in FULL_HOUSE


@pytest.mark.parametrize("key", [field.key for field in written_fields(Range)])
def test_every_range_key_has_its_row(key: str) -> None:
    assert f"`{key}`" in "".join(first_cells(SECTIONS["Ranges"]))


@pytest.mark.parametrize("key", [field.key for field in written_fields(Promotion)])
def test_every_promotion_field_has_its_row(key: str) -> None:
    assert f"`{key}`" in "".join(first_cells(SECTIONS["Promotions"]))


def first_cells(section: Section) -> Iterator[str]:
    """Yield the first cell of each row of a section's tables."""
    yield from (line.split("|")[1] for line in section.text.splitlines() if line.startswith("|"))
