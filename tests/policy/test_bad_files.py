"""What is dangerous, ambiguous or out of place in a file is refused with line and column, before it costs anything."""

from __future__ import annotations

import random

import pytest

from pos_discount.policy import Policy, Problems, yaml_nodes

from .reading import HOUSE, lines_of, promotion, read, read_files

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
FILES: dict[str, tuple[str | bytes, str, str]] = {
    "a control character": ("a: \0", "1:4", "control character U+0000"),
    "an escaped one in a word": (
        'promotions: [{id: "a\\0", name: P, benefit: {percent: 1}}]',
        "1:19",
        "cannot be seen",
    ),
    "bytes that are not UTF-8": (b"promotions: []\n# caf\xe9", "2:6", "byte 0xe9 is not UTF-8"),
    "UTF-16": ("promotions: []".encode("utf-16"), "1:1", "not UTF-8"),
    "a tab": ("promotions:\n\t- id: x", "2:1", "a tab cannot begin anything here; expected spaces"),
    "two documents": ("promotions: []\n---\nranges: {}", "2:1", "a second document begins"),
    "deep flow": ("[" * 100_000, "1:49", "nested too deeply; expected at most 48 levels"),
    "deep blocks": ("- " * 10_000 + "x", "1:97", "nested too deeply"),
    "deep keys": ("? " * 10_000 + "x", "1:97", "nested too deeply"),
    "a bomb of aliases": (BOMB, "6:8", "aliases stand for more than 100000 nodes"),
    "an unknown alias": ("promotions: *x", "1:13", "unknown alias '*x'"),
    "an alias of itself": ("promotions: &x [*x]", "1:17", "expected an anchor '&x' that ends before it"),
    "a tag": ("promotions: !!python/object:os.system []", "1:13", "tag '!!python/object:os.system' is not read"),
    "a list as a key": ("promotions:\n - {[a]: b}", "2:5", "a list cannot be a key"),
    "an open bracket": ("promotions: [", "2:1", "not YAML"),
    "a key beside its column": ("promotions:\n  - id: a\n   name: b", "3:4", "to begin in the same column"),
    "a key far from its column": ("- id: a\n     name: b", "2:10", "expected quotes around a value with a colon"),
    "a stray colon": ("promotions:\n - id: a: b", "2:9", "not YAML: mapping values are not allowed"),
    "an at sign": ("promotions: @x", "1:13", "'@' cannot begin anything here"),
    "a duplicate key": ("promotions: []\npromotions: []", "2:1", "duplicate key 'promotions', first written in line 1"),
    "an unknown key": ("promotion: []", "1:1", "did you mean 'promotions'?"),
    "a bare word": ("hello", "1:1", "expected a mapping with 'promotions', got 'hello'"),
    "a list": ("- id: p", "1:1", "expected a mapping with 'promotions', got a list"),
    "house settings": ("currency: EUR", "1:1", "house setting 'currency' outside the house file"),
    "a second house": ("policy: 1", "1:1", "a second file with house settings, beside house.yaml"),
    "ranges as a list": ("ranges: [a]", "1:9", "expected a mapping of names to ranges"),
    "a word as a promotion": ("promotions: x", "1:13", "expected a mapping of id, name"),
    "a range twice": ("ranges: {care: {sku: A}}", "1:10", "duplicate range 'care', first written in house.yaml:5:3"),
    "a range of itself": ("ranges: {a: {range: a}}", "1:21", "contains itself: a > a"),
    "ranges in a circle": (
        "ranges: {a: {range: b}, b: {not: {any: [c]}}, c: a}",
        "1:50",
        "contains itself: a > b > c > a",
    ),
    "an unknown range": ("ranges: {a: {range: crae}}", "1:21", "did you mean 'care'?"),
    "a merge of a word": ("ranges: {a: {<<: b}}", "1:18", "cannot be merged"),
}


@pytest.mark.parametrize(("content", "place", "words"), FILES.values(), ids=FILES)
def test_a_file_that_cannot_be_read_is_refused_where_it_goes_wrong(
    content: str | bytes, place: str, words: str
) -> None:
    problems = lines_of(read_files({"house.yaml": HOUSE, "spring.yaml": content}))
    assert len(problems) == 1
    assert problems[0].startswith(f"spring.yaml:{place}: ")
    assert words in problems[0]


def test_a_giant_file_is_refused_unread() -> None:
    problems = lines_of(read("#" * (2 * 1024 * 1024 + 1)))
    assert len(problems) == 1
    assert "expected at most 2097152" in problems[0]


def test_ranges_that_name_each_other_twice_over_are_refused_before_they_explode() -> None:
    doubling = "".join(f"  r{n}: {{any: [r{n - 1}, r{n - 1}]}}\n" for n in range(1, 40))
    problems = lines_of(read(f"ranges:\n  r0: {{sku: A}}\n{doubling}"))
    assert len(problems) == 1
    assert "more than 5000 tests" in problems[0]


def test_a_long_chain_of_ranges_is_refused_without_exhausting_the_stack() -> None:
    chain = "".join(f"  r{n}: {{not: r{n + 1}}}\n" for n in range(5_000))
    problems = lines_of(read(f"ranges:\n{chain}  r5000: {{sku: A}}\n"))
    assert problems
    assert all("levels" in line for line in problems)


def test_where_a_file_is_no_yaml_its_ranges_and_promotions_are_not_called_unknown() -> None:
    problems = lines_of(
        read(promotion("{percent: 10%, of: shoes}"), other__yaml="ranges: {shoes: {category: shoes}}\n]")
    )
    assert [line.split(":")[0] for line in problems] == ["other.yaml"]


def test_more_problems_than_anybody_reads_are_not_looked_for() -> None:
    problems = lines_of(read("promotions:\n" + "- x\n" * 20_000))
    assert len(problems) == 501
    assert any("more than 500 problems" in line for line in problems)


def test_a_file_of_more_values_than_anybody_writes_is_refused_half_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_nodes, "MOST_NODES", 1_000)  # what it is set to takes a while to reach
    problems = lines_of(read("promotions:\n" + "-\n" * 1_001))
    assert len(problems) == 1
    assert "more than 1000 values in one file; split it" in problems[0]


@pytest.mark.parametrize(
    ("house", "place", "words"),
    [
        ("policy: 2\ncurrency: EUR\ntime_zone: UTC", "1:9", "expected 1"),
        ("policy: 1\ncurrency: EURO\ntime_zone: UTC", "2:11", "ISO 4217"),
        ("policy: 1\ncurrency: eur\ntime_zone: UTC", "2:11", "in capitals"),
        ("policy: 1\ncurrency: XAU\ntime_zone: UTC", "2:11", "no minor unit"),
        ("policy: 1\ncurrency: EUR\ntime_zone: Europe/Pariss", "3:12", "did you mean 'Europe/Paris'?"),
        ("policy: 1\ncurrency: EUR\ntime_zone: ../etc/passwd", "3:12", "unknown time zone"),
        ("policy: 1\ncurrency: EUR\ntime_zone: Europe", "3:12", "unknown time zone"),
        ("policy: 1\ncurrency: EUR", "1:1", "'time_zone' is missing"),
        ("policy: 1\ntime_zone: UTC", "1:1", "'currency' is missing"),
        ("policy: 1\ncurrency: EUR\ntime_zone: UTC\nroundin: down", "4:1", "did you mean 'rounding'?"),
        ("policy: 1\ncurrency: EUR\ntime_zone: UTC\nrounding: up", "4:11", "expected half_up, half_even or down"),
        ("policy: 1\ncurrency: EUR\ntime_zone: UTC\ncurrency_digits: 3", "4:1", "unknown key 'currency_digits'"),
        ("policy: 1\ncurrency: JPY\ntime_zone: UTC\nladder: {min_step: 0.5}", "4:20", "expected at most 0"),
        ("policy: 1\ncurrency: EUR\ntime_zone: UTC\nladder: {max_rungs: 0}", "4:21", "from 1"),
        ("policy: 1\ncurrency: EUR\ntime_zone: UTC\nguards: {max_dept: 1}", "4:10", "did you mean 'max_depth'?"),
        (
            "policy: 1\ncurrency: EUR\ntime_zone: UTC\nguards: {min_price: [{of: {sku: A}}]}",
            "4:22",
            "'price' is missing",
        ),
        ("policy: 1\ncurrency: EUR\ntime_zone: UTC\nguards: {authority: 15%}", "4:21", "mapping of roles"),
        (
            "policy: 1\ncurrency: EUR\ntime_zone: UTC\nmargins: [{of: nope, rate: 3%}]",
            "4:16",
            "unknown range 'nope'; no file names any",
        ),
        ("policy: 1\ncurrency: EUR\ntime_zone: UTC\nlearning: {shadow: 1}", "4:20", "neither yes nor no"),
        ("policy: 1\ncurrency: EUR\ntime_zone: UTC\nholdout: {ladder: all}", "4:19", "expected full, first or none"),
        ("policy: 1\ncurrency: EUR\ntime_zone: UTC\ncatalogue: nope.csv", "4:12", "no file 'nope.csv'"),
    ],
)
def test_a_wrong_house_setting_is_refused_where_it_stands(house: str, place: str, words: str) -> None:
    problems = lines_of(read_files({"house.yaml": house}))
    assert len(problems) == 1
    assert problems[0].startswith(f"house.yaml:{place}: ")
    assert words in problems[0]


@pytest.mark.parametrize(
    "files", [{}, {"spring.yaml": "promotions: []"}, {"spring.yaml": ""}], ids=["none", "one", "empty"]
)
def test_a_folder_without_house_settings_is_refused(files: dict[str, str]) -> None:
    problems = lines_of(read_files(files))
    assert len(problems) == 1
    assert "no file has the house settings; expected one with the key 'policy: 1'" in problems[0]


@pytest.mark.parametrize("name", ["autumn.yml", "AUTUMN.YAML", "autumn.examples.Yml"])
def test_a_file_with_another_ending_is_not_skipped_in_silence(name: str) -> None:
    assert lines_of(read_files({"house.yaml": HOUSE, name: "promotions: []"})) == [
        f"{name}:1:1: expected the ending .yaml; rename the file"
    ]


@pytest.mark.parametrize("seed", range(200))
def test_a_policy_with_random_damage_is_read_or_refused_and_nothing_else(seed: int) -> None:
    dice = random.Random(seed)
    text = list(DAMAGED)
    for _ in range(dice.randrange(1, 6)):
        position = dice.randrange(len(text))
        text[position : position + dice.randrange(3)] = dice.choice(
            [
                "",
                "\n",
                " ",
                ":",
                "[",
                "]",
                "{",
                "}",
                "*",
                "&a",
                "'",
                '"',
                "%",
                "-",
                "#",
                "\t",
                "9",
                "\0",
                "no",
                "<<: ",
                "!x",
                "…",
            ]
        )
    damaged = "".join(text)
    assert isinstance(read_files({"house.yaml": HOUSE, "spring.yaml": damaged}), Policy | Problems)
    assert isinstance(read_files({"house.yaml": damaged, "spring.yaml": DAMAGED}), Policy | Problems)


DAMAGED = """\
ranges:
  dear: {price: {from: 50.00, below: 200.00}, not: {range: [care]}}
promotions:
  - id: a
    name: A
    say: {en: "Take {amount} off"}
    from: 2026-11-01
    hours: ["22:00-02:00"]
    when: [{quantity: {of: care, at_least: 3}}, any: [[member: yes], [coupon: "A-*"]]]
    benefit: {every: {units: 3, of: dear}, give: {percent: 100%, to: {position: 2}}}
    limits: [{uses: 1, per: customer, every: year}]
  - {id: b, name: B, benefit: {tiers: {by: spend, steps: [{from: 50.00, percent: 5%}, {from: 100, amount: 15}]}}}
"""
