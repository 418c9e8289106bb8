"""Checks find what says nothing, what looks like a slip, what others would miss, and settings that undo each other."""

from __future__ import annotations

import pytest

from pos_discount.policy import check_policy

from .checked import GUARDED, NOW, findings, several
from .reading import HOUSE, policy_of, promotion, read, read_files

UPKEEP = [
    ("benefit: {percent: 1%}, until: 2026-03-10T01:00", "warning: a: is over since 2026-03-10 01:00"),
    ("benefit: {percent: 1%}, say: {en: 'Take {amuont} off'}", "warning: a: its sentence in en has {amuont}"),
    ("benefit: {percent: 1%}, say: {english: A}", "warning: a: no till asks for sentences in 'english'; expected"),
    ("benefit: {gift: {sku: S, name: S}}", "warning: a: never offered, as its 'value' is 0"),
    ("benefit: {points: {amount: 5}}", "warning: a: never offered, as its 'value' is 0"),
    ("benefit: {percent: 1%}, hours: 09:00-09:00", "advice: a: hours that end when they begin"),
    ("benefit: {every: {units: 3}, give: {percent: 1%, to: all, units: 2}}", "warning: a: 'units' of 'give'"),
    ("benefit: {every: {units: 3}, give: {percent: 1%, to: {position: 2}, units: 2}}", "warning: a: 'units' of 'give'"),
    ("benefit: {every: {units: 3}, give: {amount: 1, units: 2}}", "warning: a: 'units' of 'give' says nothing"),
    (
        "benefit: {percent: 1%}, limits: [{uses: 1, per: store}, {uses: 2, per: store}]",
        "warning: a: two limits of the same sort",
    ),
    (
        "benefit: {percent: 1%}, limits: [{uses: 3, per: store, every: day}, {uses: 3, per: store, every: year}]",
        "warning: a: its limit per store and day never tells, as the one for every year allows no more",
    ),
    (
        "benefit: {percent: 1%}, limits: [{budget: 9, per: chain}, {budget: 9, per: chain, every: week}]",
        "warning: a: its limit per chain and week never tells, as the one for its whole life",
    ),
    (
        "benefit: {gift: {sku: S, name: S, value: 2, cost: 1}}, funded: 50%",
        "warning: a: 'funded' says nothing of a gift",
    ),
    ("benefit: {gift: {sku: S, name: S, value: 2, cost: 1}}, cap: 1", "warning: a: 'cap' says nothing of a gift"),
    ("benefit: {gift: {sku: S, name: S, value: 2}}, say: {en: '{amount} off'}", "in en has {amount}, which is 0 for"),
    ("benefit: {points: {amount: 5, value: 2}}", "warning: a: points go to customers without a card, too"),
    (
        "benefit: {gift: {sku: S, name: S, value: 2, cost: 1.01}}, limits: [{budget: 1, per: chain}]",
        "error: a: can never apply: a budget of 1.00 does not hold one use, which costs 1.01",
    ),
    (
        "benefit: {amount: 2.01}, funded: 50%, limits: [{budget: 1, per: chain, every: day}]",
        "warning: a: a budget of 1.00 does not hold one use",
    ),
]
NOT_IN_VAIN = [
    "benefit: {percent: 1%}, say: {en: A, ru-RU: Б, zh-Hant-TW: C, EN_gb: D, fil: E}",
    "benefit: {percent: 1%}, limits: [{uses: 4, per: store, every: week}, {uses: 3, per: store, every: month}]",
    "benefit: {percent: 1%}, limits: [{uses: 1, per: store, every: day}, {uses: 3, per: store, every: month}]",
    "benefit: {percent: 1%}, limits: [{uses: 3, per: store, every: day}, {uses: 3, per: chain, every: month}]",
    "benefit: {percent: 1%}, limits: [{uses: 3, per: store, every: day}, {budget: 3, per: store, every: month}]",
    "benefit: {gift: {sku: S, name: S, value: 2, cost: 1}}, limits: [{budget: 1, per: chain}], say: {en: '{total}'}",
    "benefit: {amount: 2}, funded: 50%, limits: [{budget: 1, per: chain}]",
    "benefit: {amount: 2}, cap: 1, limits: [{budget: 1, per: chain}]",
    "benefit: {points: {amount: 5, value: 2}}, when: [member: yes]",
    "benefit: {points: {amount: 5, value: 2}}, when: [tier: gold]",
    "benefit: {points: {amount: 5, value: 2}}, limits: [{uses: 1, per: customer}]",
]


@pytest.mark.parametrize(("keys", "words"), UPKEEP)
def test_what_is_over_or_in_vain_is_found(keys: str, words: str) -> None:
    (found,) = findings(several(keys))
    assert words in found


@pytest.mark.parametrize("keys", NOT_IN_VAIN)
def test_what_tells_is_not_called_vain(keys: str) -> None:
    assert findings(several(keys)) == []


@pytest.mark.parametrize(
    ("keys", "is_too_small"),
    [
        ("benefit: {amount: 0.49}", True),
        ("benefit: {amount: 0.50}", False),
        ("benefit: {amount: 0.49, each: unit}", False),
        ("benefit: {percent: 9%}, cap: 0.49", True),
        ("benefit: {gift: {sku: S, name: S, value: 0.49}}", True),
        ("benefit: {gift: {sku: S, name: S, value: 0.50}}", False),
        ("benefit: {amount: 0.49}, offer: automatic, when: [spend: {at_least: 9}]", False),
        ("benefit: {amount: 0.49}, when: [coupon: A]", False),
    ],
)
def test_what_is_worth_less_than_a_step_is_never_offered(keys: str, is_too_small: bool) -> None:
    found = findings(several(keys), GUARDED + "ladder: {min_step: 0.50}\n")
    assert ["worth at most 0.49 and the house's min_step is 0.50" in line for line in found] == [True] * is_too_small


def test_what_is_less_than_a_step_may_bring_more_along_where_priority_made_the_base() -> None:
    house = GUARDED + "ladder: {min_step: 0.50}\nresolve: priority\n"
    assert findings(several("benefit: {amount: 0.49}"), house) == []
    assert findings(several("benefit: {gift: {sku: S, name: S}}"), house) == []


def test_what_is_less_than_a_step_may_be_offered_with_another() -> None:
    both = several("benefit: {amount: 0.30}, combines_with: [b]", "benefit: {amount: 0.40}, combines_with: [a]")
    assert findings(both, GUARDED + "ladder: {min_step: 0.50}\n") == []
    with_gift = several(
        "benefit: {gift: {sku: S, name: S}}, combines_with: [b]", "benefit: {amount: 1}, combines_with: [a]"
    )
    assert findings(with_gift) == []


def test_what_is_less_than_a_step_may_bring_an_advertised_gift_along() -> None:
    gift = "offer: automatic, benefit: {gift: {sku: S, name: S, value: 2}}"
    assert findings(several("benefit: {amount: 0.30}", gift), GUARDED + "ladder: {min_step: 0.50}\n") == []


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        ("when: [tier: Gold]", "when: [not: [tier: gold]]", "'gold' under 'tier' is 'Gold' in 'a'"),
        ("when: [payment: card]", "when: [any: [[payment: CARD]]]", "'CARD' under 'payment' is 'card' in 'a'"),
        ("stores: [S1]", "not_stores: [s1]", "'s1' under 'stores' is 'S1' in 'a'"),
        ("when: [tier: Gold]", "when: [group: gold]", None),
        ("when: [coupon: GOLD]", "when: [coupon: silver]", None),
    ],
)
def test_a_word_in_other_letters_than_elsewhere_is_warned_of(one: str, other: str, words: str | None) -> None:
    found = findings(several(f"benefit: {{percent: 1%}}, {one}", f"benefit: {{percent: 2%}}, {other}"))
    assert [words in line for line in found if words] == ([True] if words else [])
    assert len(found) == (words is not None)


@pytest.mark.parametrize("give", ["percent: 1%, units: 2", "price: 1, to: cheapest, units: 2", "amount: 1, to: all"])
def test_units_of_a_group_that_say_something_are_not_warned_of(give: str) -> None:
    assert findings(promotion(f"{{every: {{units: 3}}, give: {{{give}}}}}")) == []


def test_a_promotion_is_not_over_just_before_its_end() -> None:
    assert findings(promotion(more="until: 2026-03-10T01:00:01")) == []


@pytest.mark.parametrize(
    ("one", "other", "is_shared"),
    [
        ("AUTUMN", "autumn", True),
        ("SPA-*", "spa-10", True),
        ("SPA-10", "SPA-*", True),
        ("SPA-*", "SPA-X*", True),
        ("SPA", "SPA-*", False),
        ("SPA-*", "SPO-*", False),
        ("A", "B", False),
    ],
)
def test_a_coupon_of_two_promotions_is_warned_of(one: str, other: str, is_shared: bool) -> None:
    text = several(
        *(f"benefit: {{percent: {n}%}}, when: [coupon: ['{code}']]" for n, code in enumerate((one, other), 1))
    )
    assert any(f"its coupon '{other}' is also one of 'a'" in line for line in findings(text)) == is_shared


def test_a_promotion_needs_an_example_where_it_applies_and_one_where_it_does_not() -> None:
    examples = "- {name: A, basket: {sku: A, price: 1}, expect: {a: 0.10, b: no}}"
    files = read(
        several("benefit: {percent: 10%}", "benefit: {percent: 20%}", "benefit: {percent: 30%}"),
        spring__examples__yaml=examples,
    )
    found = [str(finding) for finding in check_policy(policy_of(files), NOW) if finding.severity == "error"]
    assert found == [
        "spring.yaml:2:5: error: a: no example where it must not apply; expected one with 'a: no'",
        "spring.yaml:3:5: error: b: no example where it applies; expected one with 'b: AMOUNT'",
        "spring.yaml:4:5: error: c: no example where it applies; expected one with 'c: AMOUNT'",
        "spring.yaml:4:5: error: c: no example where it must not apply; expected one with 'c: no'",
    ]


def test_an_example_that_expects_nothing_is_warned_of() -> None:
    examples = """
      - {name: A, basket: {sku: A, price: 1}, expect: {}}
      - {name: B, basket: {sku: A, price: 1}, expect: {rungs: []}}
      - {name: C, basket: {sku: A, price: 1}, expect: {base: 1}}
    """
    found = check_policy(policy_of(read(promotion(), spring__examples__yaml=examples)), NOW)
    (about_examples,) = [str(finding) for finding in found if "expects nothing" in finding.message]
    assert about_examples.startswith("spring.examples.yaml:2:9: warning: the example 'A' expects nothing")


def test_owners_and_sentences_that_others_have_are_advised() -> None:
    text = several("benefit: {percent: 1%}, owner: x, say: {en: A, ru: Б}", "benefit: {percent: 2%}, say: {en: A}")
    found = [str(finding) for finding in check_policy(policy_of(read(text)), NOW) if ": b: " in str(finding)]
    assert any("advice: b: nobody answers for it" in line for line in found)
    assert any("advice: b: no sentence to say in ru" in line for line in found)


def test_ranges_that_nothing_uses_are_advised_where_they_stand() -> None:
    text = "ranges: {sun: {category: care/sun}, unused: sun, used: care}\n" + promotion(
        "{percent: 1%, of: {not: used}}"
    )
    found = [str(finding) for finding in check_policy(policy_of(read(text)), NOW) if "is not used" in finding.message]
    assert [line.split(";")[0] for line in found] == [
        "house.yaml:6:3: advice: the range 'make-up' is not used",
        "spring.yaml:1:10: advice: the range 'sun' is not used",
        "spring.yaml:1:37: advice: the range 'unused' is not used",
    ]


SETTINGS = [
    ("margins: [{rate: 40%}, {of: care, rate: 20%}]", "those after it never count"),
    ("margins: [{of: care, rate: 40%}, {of: {category: care/sun}, rate: 20%}]", "margin 2 of 'margins' never counts"),
    (
        "guards: {min_margin: 40%}\nmargins: [{of: care, rate: 20%}, {rate: 40%}]",
        "nothing on the ladder may get cheaper",
    ),
    (
        "guards: {authority: {cashier: 20%, supervisor: 10%}}",
        "'supervisor' may grant 10%, less than 'cashier' before it",
    ),
    ("guards: {authority: {cashier: 0%}}", "nobody has an authority above 0%"),
    ("guards: {max_depth: 0%}", "max_depth is 0%, so the ladder never takes anything off"),
    ("holdout: {share: 100%}", "there is nothing to compare with"),
    ("personalisation: [{use: no}, {stores: [S1]}]", "entry 2 of 'personalisation' never counts"),
    ("personalisation: [{stores: [S1, S2], use: no}, {stores: [S1]}]", "entry 2 of 'personalisation' never counts"),
]
SETTINGS_THAT_ARE_MEANT = [
    "margins: [{of: {category: care/sun}, rate: 40%}, {of: care, rate: 20%}, {rate: 30%}]",
    "guards: {min_margin: 5%}\nmargins: [{of: {category: milk}, rate: 2%}]",
    "guards: {min_margin: 5%}\nmargins: [{of: {category: milk}, rate: 2%}, {rate: 6%}]",
    "guards: {authority: {cashier: 10%, supervisor: 10%}}",
    "holdout: {share: 99%}",
    "personalisation: [{stores: [S1], use: no}, {disclosure: {en: You are known}}]",
]


@pytest.mark.parametrize(("lines", "words"), SETTINGS)
def test_settings_that_undo_each_other_are_warned_of(lines: str, words: str) -> None:
    (found,) = findings(promotion("{percent: 1%, of: care}"), f"{HOUSE}{lines}\n")
    assert found.startswith("house.yaml:1:1: warning: ")
    assert words in found


@pytest.mark.parametrize("lines", SETTINGS_THAT_ARE_MEANT)
def test_settings_that_may_be_meant_are_not_found_fault_with(lines: str) -> None:
    assert findings(promotion("{percent: 1%, of: care}"), f"{HOUSE}{lines}\n") == []


SLIPS = [
    ("{percent: 0.15}", "", "'percent' is 0.15%, less than one percent; did you mean 15%?"),
    ("{percent: 0.99%}", "", "did you mean 99%?"),
    ("{every: {units: 3}, give: {percent: 0.5}}", "", "'percent' is 0.5%, less than one percent"),
    ("{tiers: {by: spend, steps: [{from: 5, percent: 0.03}]}}", "", "did you mean 3%?"),
    ("{percent: 5%}", "funded: 0.6", "'funded' is 0.6%, less than one percent; did you mean 60%?"),
    ("{gift: {sku: S, name: S, value: 0.90, cost: 6.00}}", "", "are 'value' and 'cost' the wrong way round?"),
    ("{points: {amount: 9, value: 1, cost: 1.01}}", "when: [member: yes]", "'value' and 'cost' the wrong way round?"),
]
NO_SLIPS = [
    ("{percent: 1%}", "funded: 1%"),
    ("{percent: 1.5}", "funded: 0%"),
    ("{gift: {sku: S, name: S, value: 1, cost: 1}}", ""),
    ("{gift: {sku: S, name: S, cost: 1}}", "offer: automatic"),
]
SLIPS_OF_THE_HOUSE = [
    ("guards: {max_depth: 0.4}", "'max_depth' is 0.4%, less than one percent; did you mean 40%?"),
    ("guards: {authority: {cashier: 0.15}}", "'cashier' is 0.15%, less than one percent"),
    ("margins: [{rate: 0.38}]", "'rate' is 0.38%, less than one percent"),
    ("holdout: {share: 0.05}", "'share' is 0.05%, less than one percent"),
]


@pytest.mark.parametrize(("benefit", "lines", "words"), SLIPS)
def test_a_share_for_a_percentage_and_a_cost_for_a_value_are_asked_about(benefit: str, lines: str, words: str) -> None:
    (found,) = findings(promotion(benefit, lines))
    assert found.startswith("spring.yaml:2:5: warning: p: ")
    assert words in found


@pytest.mark.parametrize(("benefit", "lines"), NO_SLIPS)
def test_percentages_from_one_on_and_presents_worth_their_cost_are_meant(benefit: str, lines: str) -> None:
    assert findings(promotion(benefit, lines)) == []


@pytest.mark.parametrize(("lines", "words"), SLIPS_OF_THE_HOUSE)
def test_a_share_for_a_percentage_of_the_house_is_asked_about(lines: str, words: str) -> None:
    (found,) = findings(promotion("{percent: 1%, of: care}"), f"{HOUSE}{lines}\n")
    assert found.startswith("house.yaml:1:1: warning: ")
    assert words in found


CATALOGUED = HOUSE + "catalogue: products.csv\n"
NOT_IN_THE_CATALOGUE = [
    ("{percent: 1%, of: {category: make-op}}", "warning: p: a range has the category 'make-op'", "'make-up'?"),
    ("{percent: 1%, of: {category: Make-up}}", "has the category 'Make-up'", "did you mean 'make-up'?"),
    ("{percent: 1%, of: {brand: aurelie}}", "warning: p: a range has the brand 'aurelie'", "did you mean 'Aurelie'?"),
    ("{bundle: {of: [{of: {tag: bestseler}}, {of: care}], price: 1}}", "the tag 'bestseler'", "'bestseller'?"),
    ("{percent: 1%, of: {sku: [A, C, D, E, F]}}", "advice: p: a range has C, D, E and 1 other sku", "does not have"),
    ("{price_list: week.csv}", "advice: p: week.csv has C", "which the catalogue does not have"),
]
IN_THE_CATALOGUE = [
    "{percent: 1%, of: {category: [care, care/face], brand: Aurelie}}",
    "{percent: 1%, of: {category: gift-cards}}",
    "{percent: 1%, of: {tag: damaged, supplier: Aureli}}",
    "{percent: 1%, of: {sku: [A, B]}}",
]


def catalogue_findings(benefit: str, house: str = CATALOGUED) -> list[str]:
    products = "sku,category,brand,supplier,tags\nA,care/face,Aurelie,,bestseller;new\nB,make-up,,,\n"
    files = {
        "house.yaml": house,
        "p.yaml": promotion(benefit),
        "products.csv": products,
        "week.csv": "sku,price\nC,3\n",
    }
    found = check_policy(policy_of(read_files(files)), NOW)
    return [str(finding) for finding in found if "catalogue" in finding.message]


@pytest.mark.parametrize(("benefit", "subject", "advised"), NOT_IN_THE_CATALOGUE)
def test_a_word_that_is_nearly_one_of_the_catalogue_is_warned_of(benefit: str, subject: str, advised: str) -> None:
    (found,) = catalogue_findings(benefit)
    assert subject in found
    assert advised in found


@pytest.mark.parametrize("benefit", IN_THE_CATALOGUE)
def test_a_word_that_is_like_none_of_the_catalogue_may_be_meant(benefit: str) -> None:
    assert catalogue_findings(benefit) == []


def test_a_wrong_word_of_a_named_range_is_found_once_where_the_range_stands() -> None:
    house = CATALOGUED.replace("make-up: {category: make-up}", "make-up: {category: make-yp}")
    (found,) = catalogue_findings("{percent: 1%, of: {any: [{range: make-up}, {range: care}]}}", house)
    assert found.startswith("house.yaml:6:3: warning: the range 'make-up' has the category 'make-yp'")


def test_without_a_catalogue_any_word_may_be_meant() -> None:
    assert catalogue_findings("{percent: 1%, of: {brand: aurelie, sku: X}}", HOUSE) == []


def test_an_id_that_examples_cannot_name_is_an_error() -> None:
    text = "promotions: [{id: rungs, name: N, benefit: {percent: 1%}}]"
    assert any("has a meaning of its own in examples" in line for line in findings(text))
