"""Checks say what a careful colleague would see in a policy that loads, and nothing that may be meant."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pos_discount.policy import check_policy, load_policy

from .reading import HOUSE, policy_of, promotion, read, read_files

NOW = datetime(2026, 3, 10, tzinfo=UTC)
GUARDED = (
    HOUSE
    + """\
guards:
  max_depth: 40%
  min_margin: 5%
  never: {category: gift-cards}
  authority: {cashier: 10%, supervisor: 30%}
margins:
  - {of: care, rate: 20%}
  - {rate: 50%}
catalogue: products.csv
"""
)
CATALOGUE = "sku,category,unit_cost\nA,care,8.00\nB,make-up,2.00\n"


def findings(promotions: str, house: str = GUARDED) -> list[str]:
    """Return what is found beside missing examples and owners, one line each."""
    files = {
        "house.yaml": house,
        "spring.yaml": promotions,
        "products.csv": CATALOGUE,
        "week.csv": "sku,price\nA,8.20\nB,3\n",
    }
    found = check_policy(policy_of(read_files(files)), NOW)
    usual = ("no example", "nobody answers", "is not used")
    return [str(finding) for finding in found if not any(words in finding.message for words in usual)]


def several(*promotions: str) -> str:
    """Return a file of promotions, each written as its keys in flow style; ids count from ``a``."""
    lines = "".join(f"  - {{id: {name}, name: N, {keys}}}\n" for name, keys in zip("abcdef", promotions, strict=False))
    return f"promotions:\n{lines}"


NEVER = [
    ("from: 2026-05-01\nuntil: 2026-05-01", "'until' is not after 'from'"),
    ("from: 2026-05-02\nuntil: 2026-05-01", "'until' is not after 'from'"),
    ("from: 2026-05-01\nuntil: 2026-05-03\nweekdays: [mon]", "do not come between"),
    ("from: 2026-05-01T10:00\nuntil: 2026-05-01T12:00\nhours: 13:00-14:00", "do not come between"),
    ("weekdays: []", "lists nothing"),
    ("hours: []", "lists nothing"),
    ("stores: []", "lists nothing"),
    ("stores: [S1, S2]\nnot_stores: [S2, S1, S3]", "all its stores stand in 'not_stores'"),
    ("cap: 0", "its cap is 0"),
    ("limits: [{uses: 0, per: store}]", "a limit allows no use"),
    ("limits: [{budget: 0, per: chain}]", "a limit allows no use"),
    ("when: [quantity: {at_least: 3, below: 3}]", "no number satisfies all bounds of 'quantity'"),
    ("when: [quantity: {exactly: 3, at_most: 2}]", "no number satisfies all bounds"),
    ("when: [spend: {more_than: 5.00, at_most: 5.00}]", "no number satisfies all bounds of 'spend'"),
    ("when: [visit_number: {exactly: 0}]", "no number satisfies all bounds of 'visit_number'"),
    ("when: [visit_number: {every: 10, below: 10}]", "no number satisfies all bounds of 'visit_number'"),
    ("when: [quantity: {of: care, at_least: 3}, quantity: {of: care, at_most: 2}]", "'quantity' of care must be more"),
    ("when: [quantity: {of: care, at_least: 3}, quantity: {at_most: 2}]", "'quantity' of care must be more"),
    ("when: [distinct: {of: care, at_least: 3}, quantity: {of: care, at_most: 2}]", "'distinct' of care must be more"),
    ("when: [contains: care, quantity: {of: care, at_most: 0}]", "must be more than"),
    ("when: [spend: {at_least: 9}, spend: {below: 9}]", "'spend' must be more"),
    ("when: [days_since_last_visit: {at_least: 9}, days_since_last_visit: {below: 9}]", "must be more"),
    ("when: [member: yes, member: no]", "members and others"),
    ("when: [asked: yes, asked: no]", "yes and no at once"),
    ("when: [tier: gold, tier: [silver, bronze]]", "no word in common"),
    ("when: [payment: card, payment: cash]", "no word in common"),
    ("when: [tier: []]", "lists nothing"),
    ("when: [any: []]", "lists nothing"),
    ("when: [currency: [USD, CHF]]", "sales are in EUR"),
    ("when: [member: yes, not: [member: yes]]", "'member' is demanded, and 'member' is ruled out"),
    ("when: [tier: gold, not: [tier: [gold, silver]]]", "'tier' is ruled out"),
    ("when: [quantity: {at_least: 5}, not: [quantity: {at_least: 3}]]", "'quantity' is ruled out"),
    ("when: [not: [quantity: {}]]", "rules out something that always holds"),
    ("when: [member: no, any: [[member: yes], [tier: []]]]", "none of the alternatives"),
    ("when: [contains: {sku: A, not: {sku: [A, B]}}]", "can hold no product"),
    ("when: [contains: {brand: A, all: [{brand: [B, C]}]}]", "can hold no product"),
    ("when: [contains: {range: care, category: make-up}]", "can hold no product"),
    ("when: [contains: {price: {from: 5, below: 5}}]", "can hold no product"),
]
NEVER_BY_BENEFIT = [
    ("{percent: 0%}", "its benefit is 0"),
    ("{amount: 0}", "its benefit is 0"),
    ("{tiers: {by: spend, steps: []}}", "its benefit is 0"),
    ("{percent: 10%, of: {range: care, not: care}}", "can hold no product"),
    ("{percent: 10%, of: {category: gift-cards/amazing}}", "in the guard 'never'"),
    ("{percent: 10%, of: {any: [{category: gift-cards}, {sku: X, category: gift-cards}]}}", "in the guard 'never'"),
]
MEANT = [
    "from: 2026-05-01\nuntil: 2026-05-05\nweekdays: [mon]",
    "from: 2026-05-01T10:00\nuntil: 2026-05-01T12:00\nhours: 11:30-14:00",
    "from: 2026-05-01T00:30\nuntil: 2026-05-01T01:00\nweekdays: [thu]\nhours: 22:00-02:00",
    "when: [quantity: {at_least: 3, at_most: 3}]",
    "when: [visit_number: {every: 10, at_most: 10}]",
    "when: [quantity: {of: care, at_least: 3}, quantity: {of: make-up, at_most: 2}]",
    "when: [quantity: {at_least: 3}, quantity: {of: care, at_most: 2}]",
    "when: [quantity: {at_least: 3}, distinct: {at_most: 2}]",
    "when: [spend: {at_least: 9, counts: original}, spend: {below: 9, counts: remaining}]",
    "when: [tier: gold, tier: [silver, gold]]",
    "when: [group: a, group: b]",
    "when: [coupon: a, coupon: b]",
    "when: [tier: [gold, silver], not: [tier: gold]]",
    "when: [quantity: {at_least: 3}, not: [quantity: {at_least: 5}]]",
    "when: [any: [[member: yes, member: no], [asked: yes]]]",
    "when: [contains: {tag: a, all: [{tag: b}]}]",
    "when: [contains: {category: care, not: {category: care/sun}}]",
    "when: [contains: {category: [care, make-up/lips], all: [{category: make-up}]}]",
    "when: [contains: {not: {range: care}}]",
    "stores: [S1, S2]\nnot_stores: [S2]",
]


@pytest.mark.parametrize(("lines", "words"), NEVER, ids=[row[0] for row in NEVER])
def test_a_promotion_that_can_never_apply_is_an_error(lines: str, words: str) -> None:
    (found,) = findings(promotion(more=lines))
    assert found.startswith("spring.yaml:2:5: error: p: can never apply: ")
    assert words in found


@pytest.mark.parametrize(("benefit", "words"), NEVER_BY_BENEFIT, ids=[row[0] for row in NEVER_BY_BENEFIT])
def test_a_benefit_that_can_give_nothing_is_an_error(benefit: str, words: str) -> None:
    (found,) = findings(promotion(benefit))
    assert "error: p: can never apply: " in found
    assert words in found


@pytest.mark.parametrize(
    ("benefit", "when"),
    [
        ("{every: {units: 3, of: care}, give: {percent: 100%}}", "quantity: {of: care, at_most: 2}"),
        ("{buy_get: {buy: 2, of: care, get: 1}}", "quantity: {of: care, at_most: 2}"),
        ("{bundle: {of: [{units: 2, of: care}, {units: 1}], price: 5}}", "quantity: {of: care, below: 2}"),
        ("{tiers: {by: spend, steps: [{from: 50, percent: 5%}]}}", "spend: {below: 50}"),
    ],
)
def test_a_benefit_that_needs_more_than_its_conditions_allow_can_never_apply(benefit: str, when: str) -> None:
    found = findings(promotion(benefit, f"when: [{when}]"))
    assert any("can never apply" in line and "must be more" in line for line in found)


@pytest.mark.parametrize("lines", MEANT)
def test_what_may_be_meant_is_not_found_fault_with(lines: str) -> None:
    assert findings(promotion(more=lines)) == []


GUARDS = [
    ("{percent: 50%}", "offer: automatic", "up to 50% off a basket, more than max_depth, 40%"),
    ("{amount: 5}", "offer: on_request", "up to 100% off a basket"),
    ("{amount: 5}", "offer: automatic\nwhen: [spend: {at_least: 10}]", "up to 50% off a basket"),
    ("{buy_get: {buy: 1, of: make-up, get: 1}}", "offer: automatic", "up to 50% off a basket"),
    ("{every: {units: 2, of: make-up}, give: {percent: 90%}}", "offer: automatic", "up to 45% off a basket"),
    ("{percent: 20%, of: care}", "offer: automatic", "where the usual margin is 20%; min_margin is 5%"),
    ("{every: {units: 3, of: make-up}, give: {percent: 100%}}", "offer: automatic", "may leave a line nothing"),
    ("{unit_price: 8.20, of: care}", "offer: automatic", "its price leaves A less than min_margin"),
    ("{price_list: week.csv}", "offer: automatic", "its price leaves A less than min_margin"),
    ("{percent: 5%}", "approval: director", "nobody has the authority 'director'; expected one of cashier, supervisor"),
    ("{percent: 5%}", "offer: automatic\napproval: cashier", "its approval is never asked for"),
]
WITHIN_GUARDS = [
    ("{percent: 40%, of: make-up}", "offer: automatic"),
    ("{amount: 4}", "offer: automatic\nwhen: [spend: {at_least: 10}]"),
    ("{every: {units: 3, of: make-up}, give: {percent: 30%}}", "offer: automatic"),
    ("{percent: 15%, of: care}", "offer: automatic"),
    ("{percent: 20%, of: care}", "offer: automatic\nfunded: 60%"),
    ("{percent: 20%, of: care}", "offer: ladder"),
    ("{unit_price: 8.50, of: care}", "offer: automatic"),
    ("{percent: 5%}", "approval: supervisor"),
]


@pytest.mark.parametrize(("benefit", "lines", "words"), GUARDS)
def test_what_could_break_a_guard_is_warned_of(benefit: str, lines: str, words: str) -> None:
    found = findings(promotion(benefit, lines))
    assert any("spring.yaml:2:5: warning: p: " in line and words in line for line in found)


@pytest.mark.parametrize(("benefit", "lines"), WITHIN_GUARDS)
def test_what_keeps_within_the_guards_is_not_warned_of(benefit: str, lines: str) -> None:
    assert findings(promotion(benefit, lines)) == []


def test_a_ladder_promotion_that_guards_always_hold_back_is_warned_of() -> None:
    house = GUARDED.replace("  never: {category: gift-cards}\n", "")
    found = findings(promotion("{percent: 45%}"), house)
    assert len(found) == 2
    assert "never offered, as it is deeper than max_depth, 40%" in found[0]
    assert "never offered, as nobody may grant more than 30%" in found[1]


BEATEN = [
    ("offer: automatic, benefit: {percent: 10%}", "offer: automatic, benefit: {percent: 5%}"),
    ("offer: automatic, benefit: {percent: 10%}", "benefit: {percent: 10%}"),
    ("offer: automatic, benefit: {percent: 10%, of: care}", "benefit: {percent: 10%, of: {category: care/sun}}"),
    ("offer: automatic, benefit: {percent: 10%}", "benefit: {percent: 10%}, cap: 5, when: [member: yes]"),
    (
        "offer: automatic, benefit: {amount: 3}, when: [spend: {at_least: 9}]",
        "benefit: {amount: 2}, when: [spend: {exactly: 9}]",
    ),
    ("offer: automatic, benefit: {unit_price: 3}", "offer: on_request, benefit: {unit_price: 4}, stores: [S1]"),
    ("offer: automatic, benefit: {percent: 9%}, when: [tier: [a, b]]", "benefit: {percent: 9%}, when: [tier: [a]]"),
    ("offer: automatic, benefit: {percent: 9%}, combines_with: all", "benefit: {percent: 9%}"),
]
NOT_BEATEN = [
    ("offer: automatic, benefit: {percent: 5%}", "offer: automatic, benefit: {percent: 10%}"),
    ("benefit: {percent: 10%}", "benefit: {percent: 5%}"),
    ("offer: on_request, benefit: {percent: 10%}", "offer: automatic, benefit: {percent: 5%}"),
    ("offer: automatic, benefit: {percent: 10%}, cap: 5", "benefit: {percent: 10%}"),
    ("offer: automatic, benefit: {percent: 10%}, when: [member: yes]", "benefit: {percent: 10%}"),
    ("offer: automatic, benefit: {percent: 10%}, limits: [{uses: 1, per: store}]", "benefit: {percent: 10%}"),
    ("offer: automatic, benefit: {percent: 10%}, until: 2026-12-01", "benefit: {percent: 10%}"),
    (
        "offer: automatic, benefit: {percent: 10%}, weekdays: [mon]",
        "benefit: {percent: 10%}, weekdays: [mon], hours: 22:00-02:00",
    ),
    ("offer: automatic, benefit: {percent: 10%}, combines_with: [b]", "benefit: {percent: 5%}, combines_with: [a]"),
    ("offer: automatic, benefit: {percent: 10%, of: care}", "benefit: {percent: 10%}"),
    (
        "offer: automatic, benefit: {amount: 3}, when: [spend: {at_least: 9}]",
        "benefit: {amount: 2}, when: [spend: {at_least: 8}]",
    ),
]


@pytest.mark.parametrize(("winner", "beaten"), BEATEN)
def test_what_an_advertised_promotion_always_beats_is_warned_of(winner: str, beaten: str) -> None:
    found = findings(several(winner, beaten))
    assert any(": b: always beaten by 'a'" in line for line in found)
    assert not any(": a: always beaten" in line for line in found)


@pytest.mark.parametrize(("first", "second"), NOT_BEATEN)
def test_what_may_still_win_is_not_called_beaten(first: str, second: str) -> None:
    assert not any(": b: always beaten" in line for line in findings(several(first, second)))


def test_one_that_combines_with_others_is_not_beaten_by_a_loner() -> None:
    loner = "offer: automatic, benefit: {percent: 10%}"
    sociable = "offer: automatic, benefit: {percent: 5%}, combines_with: [c]"
    third = "offer: automatic, benefit: {percent: 7%, of: care}, combines_with: [b]"
    assert not any("always beaten" in line for line in findings(several(loner, sociable, third)))


def test_twins_on_the_ladder_are_warned_of() -> None:
    found = findings(several("benefit: {percent: 10%}", "benefit: {percent: 10%}", "benefit: {percent: 10%}, cap: 5"))
    assert len(found) == 1
    assert "b: gives the same as 'a'" in found[0]


def test_classes_that_do_not_exist_or_are_allowed_from_one_side_alone_are_warned_of() -> None:
    found = findings(
        several(
            "benefit: {percent: 1%}, class: loyalty, combines_with: [volume, gfit]",
            "benefit: {percent: 2%}, class: volume, combines_with: [gift]",
            "benefit: {percent: 3%}, class: gift, combines_with: all",
        )
    )
    assert len(found) == 2
    assert "a: combines_with names the class 'gfit', which no promotion has; did you mean 'gift'?" in found[0]
    assert "a: combines_with names the class 'volume', but b of that class does not allow 'loyalty'" in found[1]


TIERS = [
    ("[{from: 50, percent: 5%}, {from: 30, percent: 3%}]", "", "do not ascend"),
    ("[{from: 50, percent: 5%}, {from: 50, percent: 6%}]", "", "do not ascend"),
    ("[{from: 30, percent: 5%}, {from: 50, percent: 3%}]", "", "gives less than the one below it"),
    ("[{from: 30, percent: 3%}, {from: 50, percent: 5%}]", "when: [spend: {below: 50}]", "never reached"),
    ("[{from: 30, percent: 3%}, {from: 50, percent: 5%}]", "when: [spend: {at_least: 50}]", "never used"),
]


@pytest.mark.parametrize(("steps", "lines", "words"), TIERS)
def test_steps_that_are_out_of_reach_or_order_are_warned_of(steps: str, lines: str, words: str) -> None:
    (found,) = findings(promotion(f"{{tiers: {{by: spend, steps: {steps}}}}}", lines))
    assert words in found


UPKEEP = [
    ("benefit: {percent: 1%}, until: 2026-03-10T01:00", "warning: a: is over since 2026-03-10 01:00"),
    ("benefit: {percent: 1%}, say: {en: 'Take {amuont} off'}", "warning: a: its sentence in en has {amuont}"),
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
]


@pytest.mark.parametrize(("keys", "words"), UPKEEP)
def test_what_is_over_or_in_vain_is_found(keys: str, words: str) -> None:
    (found,) = findings(several(keys))
    assert words in found


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
    assert any("is also one of 'a'" in line for line in findings(text)) == is_shared


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


def test_a_margin_for_everything_leaves_nothing_to_those_after_it() -> None:
    house = HOUSE + "margins: [{rate: 40%}, {of: care, rate: 20%}]\n"
    assert "those after it never count" in findings(promotion(), house)[0]


def test_an_id_that_examples_cannot_name_is_an_error() -> None:
    text = "promotions: [{id: rungs, name: N, benefit: {percent: 1%}}]"
    assert any("has a meaning of its own in examples" in line for line in findings(text))


def test_the_shipped_policies_have_no_errors() -> None:
    policy = load_policy(Path(__file__).parents[2] / "policies")
    assert [str(finding) for finding in check_policy(policy, NOW) if finding.severity == "error"] == []
