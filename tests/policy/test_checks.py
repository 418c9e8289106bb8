"""Checks say what a careful colleague would see in a policy that loads, and nothing that may be meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from pos_discount.policy import check_policy, load_policy

from .checked import GUARDED, NOW, findings, several
from .reading import promotion

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
    ("when: [contains: care, not: [contains: care]]", "'contains' is demanded, and 'contains' is ruled out"),
    ("when: [quantity: {of: care, at_least: 2}, not: [contains: care]]", "'contains' is ruled out by 'not'"),
    ("when: [contains: {category: care/sun}, not: [contains: care]]", "'contains' is ruled out by 'not'"),
    ("when: [spend: {of: care, at_least: 9}, quantity: {of: care, at_most: 0}]", "'spend' of care must be more"),
    ("when: [not: [member: yes, member: no]]", "'not' rules out both answers of 'member'"),
    ("when: [asked: yes, not: [asked: yes]]", "'asked' is ruled out by 'not'"),
    ("when: [attribute: {name: n, is: [a]}, not: [attribute: {name: n, is: [a, b]}]]", "'attribute' is ruled out"),
    ("when: [distinct: {of: {sku: [A, B]}, at_least: 3}]", "asks for 3 different skus, and its range names 2"),
    ("when: [quantity: {exactly: 0}]", "what the benefit needs must be more than 'quantity' may be"),
    ("when: [contains: {category: gift-cards}]", "the range of 'contains' is in the guard 'never'"),
    ("when: [spend: {of: {category: gift-cards}, more_than: 20}]", "the range of 'spend' is in the guard 'never'"),
    ("when: [member: no]\nlimits: [{uses: 1, per: customer}]", "by a limit per customer and 'member'"),
]
NEVER_BY_BENEFIT = [
    ("{percent: 0%}", "its benefit is 0"),
    ("{amount: 0}", "its benefit is 0"),
    ("{tiers: {by: spend, steps: []}}", "its benefit is 0"),
    ("{every: {units: 2}, give: {percent: 0%}}", "its benefit is 0"),
    ("{bundle: {of: [{of: care}], amount: 0}}", "its benefit is 0"),
    ("{percent: 10%, of: {range: care, not: care}}", "can hold no product"),
    ("{percent: 10%, of: {category: gift-cards/amazing}}", "in the guard 'never'"),
    ("{buy_get: {buy: 1, of: {category: gift-cards}, get: 1, of_get: care}}", "in the guard 'never'"),
    ("{bundle: {of: [{of: care}, {of: {category: gift-cards}}], price: 10}}", "in the guard 'never'"),
    ("{tiers: {by: spend, of: {category: gift-cards}, steps: [{from: 5, percent: 5%}], on: care}}", "guard 'never'"),
    ("{percent: 10%, of: {any: [{category: gift-cards}, {sku: A, category: gift-cards}]}}", "in the guard 'never'"),
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
    "when: [contains: care, not: [contains: {category: care/sun}]]",
    "when: [contains: care, not: [contains: [care, make-up]]]",
    "when: [quantity: {of: care, at_least: 1}, not: [distinct: {of: care, at_least: 2}]]",
    "when: [member: no, not: [asked: yes]]",
    "when: [attribute: {name: n, is: [a]}, attribute: {name: n, is: [b]}]",
    "when: [distinct: {of: {sku: [A, B]}, at_least: 2}]",
    "when: [distinct: {of: {any: [{sku: A}, {category: care}]}, at_least: 2}]",
    "when: [contains: {any: [{category: gift-cards}, {category: care}]}]",
    "when: [not: [contains: {category: gift-cards}]]",
    "when: [tier: gold]\nlimits: [{uses: 1, per: customer}]",
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
        ("{percent: 10%, of: care}", "quantity: {of: care, at_most: 0}"),
        ("{amount: 1, of: {category: care/sun}}", "quantity: {of: care, at_most: 0}"),
        ("{unit_price: 9, of: care}", "quantity: {of: care, below: 1}"),
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
    (
        "{unit_price: 8.90, of: {brand: Orvelle}}",
        "",
        "its price of 8.90 is never given: min_price keeps these products at 9",
    ),
    ("{price_list: week.csv}", "", "its price is not given for all: min_price keeps B at 3.50"),
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
    ("{unit_price: 9, of: {brand: Orvelle}}", ""),
    ("{unit_price: 3.50, of: make-up}", ""),
]


@pytest.mark.parametrize(("benefit", "lines", "words"), GUARDS)
def test_what_could_break_a_guard_is_warned_of(benefit: str, lines: str, words: str) -> None:
    found = findings(promotion(benefit, lines))
    assert any("spring.yaml:2:5: warning: p: " in line and words in line for line in found)


@pytest.mark.parametrize(("benefit", "lines"), WITHIN_GUARDS)
def test_what_keeps_within_the_guards_is_not_warned_of(benefit: str, lines: str) -> None:
    assert findings(promotion(benefit, lines)) == []


WITHOUT_MIN_PRICE = GUARDED.replace("  min_price: [{of: {brand: Orvelle}, price: 9}, {of: make-up, price: 3.50}]\n", "")
ALWAYS_TOO_DEEP = ["{percent: 45%}", "{tiers: {by: spend, steps: [{from: 5, percent: 41%}, {from: 9, percent: 45%}]}}"]
NOT_ALWAYS_TOO_DEEP = [
    "{percent: 45%, of: care}",
    "{percent: 45%, units: {at_most: 1}}",
    "{tiers: {by: spend, steps: [{from: 5, percent: 30%}, {from: 9, percent: 45%}]}}",
    "{tiers: {by: spend, steps: [{from: 5, percent: 45%}], on: care}}",
]


@pytest.mark.parametrize("benefit", ALWAYS_TOO_DEEP)
@pytest.mark.parametrize("never", ["  never: {category: gift-cards}\n", ""])
def test_a_ladder_promotion_that_guards_always_hold_back_is_warned_of(benefit: str, never: str) -> None:
    house = WITHOUT_MIN_PRICE.replace("  never: {category: gift-cards}\n", never)
    found = findings(promotion(benefit), house)
    assert len(found) == 2
    assert "never offered, as it is deeper than max_depth, 40%" in found[0]
    assert "never offered, as nobody may grant more than 30%" in found[1]


@pytest.mark.parametrize("benefit", NOT_ALWAYS_TOO_DEEP)
def test_what_guards_hold_back_on_some_baskets_alone_is_not_warned_of(benefit: str) -> None:
    assert findings(promotion(benefit), WITHOUT_MIN_PRICE) == []


def test_a_min_price_may_make_a_promotion_small_enough_to_be_offered() -> None:
    found = findings(promotion("{percent: 45%}"))
    assert all("offered only where 'min_price' cuts it" in line for line in found)
    assert len(found) == 2


def test_a_promotion_that_takes_the_place_of_what_is_owed_may_be_less_deep_than_it_says() -> None:
    owed = "offer: automatic, benefit: {percent: 12%, of: make-up}"
    assert findings(several("benefit: {percent: 35%}", owed), WITHOUT_MIN_PRICE) == []
    with_coupon = "when: [coupon: A], benefit: {percent: 12%, of: make-up}"
    assert findings(several("benefit: {percent: 35%}", with_coupon), WITHOUT_MIN_PRICE) == []
    together = findings(
        several("benefit: {percent: 35%}, combines_with: all", f"{owed}, combines_with: all"), WITHOUT_MIN_PRICE
    )
    assert ["a: never offered, as nobody may grant more than 30%" in line for line in together] == [True]


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
    (
        "offer: automatic, benefit: {every: {units: 3}, give: {percent: 30%}}",
        "benefit: {every: {units: 3}, give: {percent: 20%}}",
    ),
    (
        "offer: automatic, benefit: {every: {units: 3}, give: {price: 9}}",
        "benefit: {every: {units: 3}, give: {price: 10}}",
    ),
    (
        "offer: automatic, benefit: {buy_get: {buy: 2, get: 1, percent: 30%}}",
        "benefit: {buy_get: {buy: 2, get: 1, percent: 20%}}",
    ),
    (
        "offer: automatic, benefit: {bundle: {of: [{of: care}, {of: make-up}], amount: 3}}",
        "benefit: {bundle: {of: [{of: care}, {of: make-up}], amount: 2}}",
    ),
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
    (
        "offer: automatic, benefit: {every: {units: 3}, give: {percent: 30%}}",
        "benefit: {every: {units: 2}, give: {percent: 20%}}",
    ),
    (
        "offer: automatic, benefit: {every: {units: 3}, give: {price: 9}}",
        "benefit: {every: {units: 3}, give: {amount: 1}}",
    ),
    (
        "offer: automatic, benefit: {buy_get: {buy: 2, get: 1, percent: 30%, at_most: 1}}",
        "benefit: {buy_get: {buy: 2, get: 1, percent: 20%}}",
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


def test_what_comes_first_by_priority_is_not_beaten_by_what_gives_more() -> None:
    by_priority = GUARDED + "resolve: priority\n"
    first = "benefit: {percent: 5%}, priority: 50"
    last = "offer: automatic, benefit: {percent: 10%}"
    assert not any("always beaten" in line for line in findings(several(first, last), by_priority))
    assert any("a: always beaten by 'b'" in line for line in findings(several(first, last)))


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


def test_a_class_that_allows_a_promotion_in_part_is_advised() -> None:
    found = findings(
        several(
            "benefit: {percent: 1%}, class: card, combines_with: [shelf]",
            "benefit: {percent: 2%}, class: shelf, combines_with: [card]",
            "benefit: {percent: 3%}, class: shelf",
        )
    )
    assert len(found) == 1
    assert "advice: a: combines_with names the class 'shelf', but c of that class does not allow 'card'" in found[0]


TIERS = [
    ("[{from: 50, percent: 5%}, {from: 30, percent: 3%}]", "", "do not ascend"),
    ("[{from: 50, percent: 5%}, {from: 50, percent: 6%}]", "", "do not ascend"),
    ("[{from: 30, percent: 5%}, {from: 50, percent: 3%}]", "", "gives less than the one below it"),
    ("[{from: 30, percent: 3%}, {from: 50, percent: 5%}]", "when: [spend: {below: 50}]", "never reached"),
    ("[{from: 30, percent: 3%}, {from: 50, percent: 5%}]", "when: [spend: {at_least: 50}]", "never used"),
    ("[{from: 30, percent: 3%}, {from: 50, percent: 5%}]", "when: [spend: {of: care, at_least: 50}]", "never used"),
    ("[{from: 30, percent: 5%}, {from: 50, percent: 5%}]", "", "gives no more than the one below it"),
    ("[{from: 30, percent: 20%}, {from: 50, amount: 9}]", "", "gives less than the one below it"),
    ("[{from: 30, amount: 9}, {from: 50, percent: 5%}]", "", "gives less than the one below it"),
    (
        "[{from: 30, amount: 5}, {from: 50, amount: 9}]",
        "cap: 5",
        "no more than the one below it, which reaches the cap",
    ),
    ("[{from: 30, percent: 20%}, {from: 50, percent: 25%}]", "cap: 6", "which reaches the cap"),
]
TIERS_IN_ORDER = [
    ("{by: spend, steps: [{from: 30, amount: 5}, {from: 50, percent: 11%}]}", "cap: 7"),
    ("{by: spend, steps: [{from: 30, percent: 20%}, {from: 50, amount: 9}], on: care}", ""),
    ("{by: quantity, steps: [{from: 3, percent: 20%}, {from: 5, amount: 9}]}", "cap: 9"),
    ("{by: quantity, steps: [{from: 3, percent: 20%}, {from: 5, percent: 21%}]}", "when: [quantity: {at_most: 5}]"),
]


@pytest.mark.parametrize(("steps", "lines", "words"), TIERS)
def test_steps_that_are_out_of_reach_or_order_are_warned_of(steps: str, lines: str, words: str) -> None:
    (found,) = findings(promotion(f"{{tiers: {{by: spend, steps: {steps}}}}}", lines))
    assert words in found


@pytest.mark.parametrize(("tiers", "lines"), TIERS_IN_ORDER)
def test_steps_that_give_more_and_can_be_reached_are_not_found_fault_with(tiers: str, lines: str) -> None:
    assert findings(promotion(f"{{tiers: {tiers}}}", lines)) == []


def test_a_step_beyond_what_may_be_spent_in_all_is_never_reached() -> None:
    tiers = "{tiers: {by: spend, of: care, steps: [{from: 30, percent: 3%}, {from: 50, percent: 5%}]}}"
    (found,) = findings(promotion(tiers, "when: [spend: {below: 50}]"))
    assert "a step of 'tiers' is never reached: what the step needs of care must be more than 'spend' may be" in found


def test_the_shipped_policies_have_no_errors() -> None:
    policy = load_policy(Path(__file__).parents[2] / "policies")
    assert [str(finding) for finding in check_policy(policy, NOW) if finding.severity == "error"] == []
