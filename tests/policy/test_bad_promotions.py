"""What cannot be read in a promotion is refused by file, line and column, with the nearest right word."""

from __future__ import annotations

import pytest

from .reading import lines_of, promotion, read

KEYS = [
    # (a line of the promotion, which is the file's fifth; the column of the problem; key words)
    ("wehn: []", 5, "unknown key 'wehn'; did you mean 'when'?"),
    ("valid_from: 2026-01-01", 5, "did you mean 'from'?"),
    ("conditions: []", 5, "did you mean 'when'?"),
    ("stackable: yes", 5, "did you mean 'combines_with'?"),
    ("place: x", 5, "unknown key 'place'"),
    ("id: q", 5, "duplicate key 'id', first written in line 2"),
    ("cap: 5.001", 10, "3 decimals; expected at most 2"),
    ("cap: abc", 10, "'abc' is not an amount; expected major units such as 12.50"),
    ("cap: -5", 10, "expected an amount from 0"),
    ("cap: 1e3", 10, "not an amount"),
    ("cap: 1,50", 10, "not an amount"),
    ("cap: [5]", 10, "a list cannot stand here; expected an amount"),
    ("cap:", 9, "nothing is written here; expected an amount"),
    ("owner:", 11, "nothing is written here; expected text"),
    ("owner: {a: b}", 12, "a mapping cannot stand here"),
    ("approval: ''", 15, "nothing is written here"),
    ("priority: high", 15, "not a whole number"),
    ("priority: 1.5", 15, "not a whole number"),
    ("funded: 120%", 13, "from 0% to 100%"),
    ("funded: most", 13, "expected something like 10% or 12.5%"),
    ("offer: manual", 12, "did you mean 'ladder'?"),
    ("offer: auto", 12, "did you mean 'automatic'?"),
    ("offer: [ladder]", 12, "expected ladder, automatic or on_request"),
    ("weekdays: [monday]", 16, "did you mean 'mon'?"),
    ("weekdays: [mon, funday]", 21, "unknown word 'funday'"),
    ("hours: 9-12", 12, "expected one such as 09:00-12:00"),
    ("hours: ['25:00-26:00']", 13, "expected times from 00:00 to 24:00"),
    ("hours: ['24:00-02:00']", 13, "expected times from 00:00 to 24:00"),
    ("from: 2026-02-30", 11, "not on the calendar"),
    ("from: tomorrow", 11, "expected one such as 2026-11-01"),
    ("from: 20261101", 11, "not a date"),
    ("until: 0999-01-01", 12, "expected a year from 1000 to 9000"),
    ("until: 2026-01-01T25:00", 12, "not on the calendar or the clock"),
    ("limits: [{uses: 1}]", 14, "'per' is missing"),
    ("limits: [{per: store}]", 14, "exactly one of uses and budget"),
    ("limits: [{per: store, uses: 1, budget: 3}]", 14, "exactly one of uses and budget"),
    ("limits: [{per: shop, uses: 1}]", 20, "did you mean 'store'?"),
    ("limits: [{per: store, uses: 1, every: daily}]", 43, "did you mean 'day'?"),
    ("combines_with: [all, x]", 20, "expected all, none or a list of classes"),
    ("class: none", 12, "is no class"),
    ("say: hello", 10, "expected a mapping of languages to sentences"),
    ("say: {en: [a]}", 15, "a list cannot stand here; expected text"),
    ("stores: {a: b}", 13, "expected text"),
    ("when: spend", 11, "expected a condition such as"),
    ("when: [spend: {at_least: 50,00}]", 33, "unknown key '00'; a comma ends an entry here: write 50.00 with a point"),
    ("when: [spend: {at_least: 1,000}]", 32, "write 1000 without a comma"),
    ("when: [spend: {at_least: 0,500}]", 32, "write 0.500 with a point"),
    ("when: [contains: {price: {from: 9,90}}]", 39, "write 9.90 with a point"),
    ("when: [min_totl: 3]", 12, "unknown condition 'min_totl'; did you mean 'spend'?"),
    ("when: [spend: 3]", 19, "expected a mapping of at_least"),
    ("when: [spend: {at_lest: 3}]", 20, "did you mean 'at_least'?"),
    ("when: [spend: {at_least: 3.001}]", 30, "3 decimals"),
    ("when: [spend: {min: 3}]", 20, "did you mean 'at_least'?"),
    ("when: [quantity: {of: cre, at_least: 1}]", 27, "unknown range 'cre'; did you mean 'care'?"),
    ("when: [quantity: {of: [care], at_least: 1}]", 27, "a list is no range"),
    ("when: [quantity: {at_least: 1.5}]", 33, "not a whole number"),
    ("when: [quantity: {at_least: -1}]", 33, "from 0 to"),
    ("when: [member: maybe]", 20, "expected yes, no, true or false"),
    ("when: [{member: yes, tier: gold}]", 26, "expected one; begin it with its own dash"),
    ("when: [{quantity: {at_least: 3}, of: care}]", 38, "expected it under 'quantity'"),
    ("when: [birthday: 3]", 22, "expected a mapping of days_before or days_after"),
    ("when: [visit_number: {every: 0}]", 34, "from 1 to"),
    ("when: [tier: {tiers: [gold]}]", 18, "expected text"),
    ("when: [contains: {ctegory: x}]", 23, "did you mean 'category'?"),
    ("when: [contains: {name: care}]", 23, "unknown key 'name'"),
    ("when: [contains: [care, {range: nope}]]", 37, "unknown range 'nope'"),
    ("when: [contains: {price: {from: 3, to: 5}}]", 40, "unknown key 'to'; expected from or below"),
    ("when: [contains: {price: 5.00}]", 30, "expected a mapping such as {from: 50.00, below: 200.00}"),
    ("when: [contains: {attribute: vegan}]", 34, "expected a mapping of names"),
    ("when: [coupon: ]", 20, "nothing is written here"),
    ("when: [any: [[member: yes], [asked: perhaps]]]", 41, "neither yes nor no"),
    ("when: [not: [mebmer: yes]]", 18, "did you mean 'member'?"),
    ("when: [attribute: {name: club}]", 23, "'is' is missing"),
    ("when: [attribute: {of: basket, name: customerAge, is: [30]}]", 23, "refused, as it tells of a person's age"),
    ("when: [attribute: {of: customer, name: gender, is: [f]}]", 23, "refused"),
]

BENEFITS = [
    ("{amount: 1,00}", 25, "unknown key '00'; a comma ends an entry here: write 1.00 with a point"),
    ("{percent: 12,5%, of: care}", 27, "unknown key '5%'; a comma ends an entry here: write 12.5% with a point"),
    ("{amount: 1, 00: 5}", 26, "unknown key '00'; expected amount"),
    ("{percent: 10%, 00}", 29, "unknown key '00'; expected percent"),
    ("{percnt: 10%}", 15, "unknown benefit 'percnt'; did you mean 'percent'?"),
    ("{discount: 10%}", 15, "did you mean 'percent'?"),
    ("{bogo: {}}", 15, "did you mean 'buy_get'?"),
    ("{}", 14, "expected a benefit such as {percent: 10%}"),
    ("10%", 14, "expected a benefit such as {percent: 10%}, got '10%'"),
    ("{percent: 10%, amount: 3}", 29, "a second kind of benefit, 'amount' beside 'percent'"),
    ("{percent: 110%}", 24, "from 0% to 100%"),
    ("{percent: ten}", 24, "not a percentage"),
    ("{percent: 10%, fo: care}", 29, "did you mean 'of'?"),
    ("{percent: 10%, units: 5}", 36, "expected a mapping of at_most or take"),
    ("{percent: 10%, units: {at_most: 1, take: lowest}}", 55, "did you mean 'cheapest'?"),
    ("{percent: 10%, units: {take: cheapest}}", 36, "'at_most' is missing"),
    ("{amount: 3, each: unti}", 32, "did you mean 'unit'?"),
    ("{unit_price: 1.999}", 27, "3 decimals"),
    ("{every: {units: 3}}", 14, "'give' is missing"),
    ("{every: {units: 0}, give: {percent: 10%}}", 30, "from 1 to"),
    ("{every: {units: 3}, give: {}}", 40, "exactly one of percent, amount and price"),
    ("{every: {units: 3}, give: {percent: 1, price: 3}}", 40, "exactly one of percent, amount and price"),
    ("{every: {units: 3}, give: {percent: 100%, to: lowest}}", 60, "expected cheapest, dearest, all or {position: 2}"),
    ("{every: {units: 3}, give: {percent: 100%, to: {position: 4}}}", 14, "a position from 1 to 3"),
    ("{every: {units: 3, fill: dearest}, give: {percent: 100%}}", 39, "did you mean 'dearest_first'?"),
    ("{buy_get: {buy: 2}}", 24, "'get' is missing"),
    ("{buy_get: {buy: 2, get: 1, partial: perhaps}}", 50, "neither yes nor no"),
    ("{bundle: {of: [], price: 3}}", 23, "expected 1 to 100 parts"),
    ("{bundle: {of: [{units: 1, of: care}]}}", 23, "exactly one of price, percent and amount"),
    ("{tiers: {by: amount, steps: []}}", 27, "unknown word 'amount'"),
    ("{tiers: {by: spend, steps: [{from: 3}]}}", 42, "exactly one of percent and amount"),
    ("{tiers: {by: quantity, steps: [{from: 3.50, percent: 3%}]}}", 52, "not a whole number"),
    ("{tiers: {by: spend, steps: [{from: 3.505, percent: 3%}]}}", 49, "3 decimals"),
    ("{gift: {sku: A}}", 21, "'name' is missing"),
    ("{points: {amount: 0}}", 32, "from 1 to"),
    ("{price_list: nope.csv}", 27, "no file 'nope.csv' in the folder"),
    ("{price_list: ../house.yaml}", 27, "expected the name of a CSV file in the folder"),
    ("{price_list: /etc/passwd}", 27, "expected the name of a CSV file in the folder"),
]


@pytest.mark.parametrize(("line", "column", "words"), KEYS, ids=[row[0] for row in KEYS])
def test_a_wrong_key_or_value_of_a_promotion_is_refused_where_it_stands(line: str, column: int, words: str) -> None:
    problems = lines_of(read(promotion(more=line)))
    assert len(problems) == 1
    assert problems[0].startswith(f"spring.yaml:5:{column}: ")
    assert words in problems[0]


@pytest.mark.parametrize(("benefit", "column", "words"), BENEFITS, ids=[row[0] for row in BENEFITS])
def test_a_wrong_benefit_is_refused_where_it_stands(benefit: str, column: int, words: str) -> None:
    problems = lines_of(read(promotion(benefit)))
    assert len(problems) == 1
    assert problems[0].startswith(f"spring.yaml:4:{column}: ")
    assert words in problems[0]


@pytest.mark.parametrize("missing", ["id", "name", "benefit"])
def test_a_promotion_needs_an_id_a_name_and_a_benefit(missing: str) -> None:
    keys = {"id": "p", "name": "P", "benefit": "{percent: 10%}"}
    text = ", ".join(f"{key}: {value}" for key, value in keys.items() if key != missing)
    assert lines_of(read(f"promotions: [{{{text}}}]")) == [
        f"spring.yaml:1:14: '{missing}' is missing; expected it here, as it is required"
    ]


def test_all_problems_of_all_files_are_reported_at_once_in_order() -> None:
    text = promotion("{percent: ten}", "cap: abc\nwhen:\n  - mebmer: yes\n  - quantity: {at_least: x, blow: 3}")
    problems = lines_of(read(text, autumn__yaml="promotions: [{id: q}]", autumn__examples__yaml="- {nme: a}"))
    assert [line.split(": ")[0] for line in problems] == [
        "autumn.examples.yaml:1:3",
        "autumn.examples.yaml:1:3",
        "autumn.examples.yaml:1:3",
        "autumn.examples.yaml:1:4",
        "autumn.yaml:1:14",
        "autumn.yaml:1:14",
        "spring.yaml:4:24",
        "spring.yaml:5:10",
        "spring.yaml:7:9",
        "spring.yaml:8:30",
        "spring.yaml:8:33",
    ]


def test_an_id_is_unique_over_the_folder() -> None:
    problems = lines_of(read(promotion(), autumn__yaml=promotion()))
    assert problems == ["spring.yaml:2:9: duplicate id 'p', first written in autumn.yaml:2:5; rename one"]


@pytest.mark.parametrize(
    "promotion_id", ['"a\\nb"', '" a"', '"a\\0"', "x" * 257], ids=["newline", "blank", "nul", "long"]
)
def test_an_id_is_a_short_visible_word(promotion_id: str) -> None:
    problems = lines_of(read(f"promotions: [{{id: {promotion_id}, name: P, benefit: {{percent: 1}}}}]"))
    assert len(problems) == 1
    assert problems[0].startswith("spring.yaml:1:19: ")
