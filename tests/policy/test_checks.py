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
  min_price: [{of: {brand: Orvelle}, price: 9}, {of: make-up, price: 3.50}]
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


def test_the_shipped_policies_have_no_errors() -> None:
    policy = load_policy(Path(__file__).parents[2] / "policies")
    assert [str(finding) for finding in check_policy(policy, NOW) if finding.severity == "error"] == []
