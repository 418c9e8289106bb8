"""What is written means what the page says: values, ranges, house settings, promotions of every kind."""

from __future__ import annotations

from datetime import UTC, datetime, time
from fractions import Fraction
from typing import Any

import pytest

from pos_discount.policy.benefits import (
    BENEFITS,
    AmountOff,
    Bundle,
    BundlePart,
    BundleTerms,
    BuyGet,
    BuyGetTerms,
    Every,
    Gift,
    GiftOf,
    GroupGift,
    GroupOf,
    PercentOff,
    Points,
    PointsOf,
    Position,
    SomeUnits,
    Step,
    Tiers,
    TierTerms,
    UnitPrice,
)
from pos_discount.policy.conditions import (
    CONDITIONS,
    AnyOf,
    Asked,
    Attribute,
    Birthday,
    Contains,
    Coupon,
    DaysSinceLastVisit,
    Distinct,
    Group,
    InCurrency,
    Member,
    NoneOf,
    Payment,
    Quantity,
    Segment,
    Spend,
    Tier,
    VisitNumber,
)
from pos_discount.policy.model import Hours, Limit, Promotion
from pos_discount.policy.ranges import PriceBounds, Range

from .reading import lines_of, policy_of, promotion, read, read_files

CARE = Range(category=("care",), name="care")
MAKE_UP = Range(category=("make-up",), name="make-up")


def promotion_of(benefit: str = "{percent: 10%}", more: str = "") -> Promotion:
    return policy_of(read(promotion(benefit, more))).promotions[0]


CONDITION_ROWS: list[tuple[str, Any]] = [
    ("quantity: {of: care, at_least: 3, at_most: 9}", Quantity(of=CARE, at_least=3, at_most=9)),
    ("quantity: {of: {sku: 012}, exactly: 012}", Quantity(of=Range(sku=("012",)), exactly=12)),
    (
        "spend: {of: care, at_least: 50.00, below: 100, counts: remaining}",
        Spend(of=CARE, at_least=5000, below=10000, counts="remaining"),
    ),
    ("contains: care", Contains(ranges=(CARE,))),
    ("contains: {range: care}", Contains(ranges=(Range(range=(CARE,)),))),
    ("contains: [care, {tag: new}]", Contains(ranges=(CARE, Range(tag=("new",))))),
    ("distinct: {of: make-up, more_than: 2}", Distinct(of=MAKE_UP, more_than=2)),
    ("member: yes", Member(is_member=True)),
    ("member: 'no'", Member(is_member=False)),
    ("tier: [gold, platinum]", Tier(tiers=("gold", "platinum"))),
    ("tier: gold", Tier(tiers=("gold",))),
    ("group: [staff]", Group(groups=("staff",))),
    ("birthday: {days_before: 3, days_after: 7}", Birthday(days_before=3, days_after=7)),
    ("birthday: {}", Birthday()),
    ("visit_number: {exactly: 1}", VisitNumber(exactly=1)),
    ("visit_number: {every: 10}", VisitNumber(every=10)),
    ("days_since_last_visit: {at_least: 90}", DaysSinceLastVisit(at_least=90)),
    ('coupon: [AUTUMN, "SPA-*", no, 1:30]', Coupon(codes=("AUTUMN", "SPA-*", "no", "1:30"))),
    ("segment: [deal-hunters]", Segment(segments=("deal-hunters",))),
    ("asked: true", Asked(has_asked=True)),
    ("payment: store-card", Payment(ways=("store-card",))),
    ("currency: [EUR, CHF]", InCurrency(codes=("EUR", "CHF"))),
    ("attribute: {of: customer, name: club, is: [run]}", Attribute(of="customer", name="club", is_=("run",))),
    ("any: [[member: yes, tier: gold], [asked: yes]]", AnyOf(((Member(True), Tier(("gold",))), (Asked(True),)))),
    ("any: [member: yes, asked: yes]", AnyOf(((Member(True),), (Asked(True),)))),
    ("not: [member: yes]", NoneOf(conditions=(Member(True),))),
    ("not: {member: yes}", NoneOf(conditions=(Member(True),))),
]

BENEFIT_ROWS: list[tuple[str, Any]] = [
    ("{percent: 10%}", PercentOff(Fraction(1, 10))),
    ("{percent: 12.5, of: care}", PercentOff(Fraction(1, 8), of=CARE)),
    (
        "{percent: '10%', units: {at_most: 5, take: dearest}}",
        PercentOff(Fraction(1, 10), units=SomeUnits(at_most=5, take="dearest")),
    ),
    ("{amount: 5, each: unit, of: {brand: [A, B]}}", AmountOff(500, of=Range(brand=("A", "B")), each="unit")),
    ("{unit_price: 9.99, of: care}", UnitPrice(999, of=CARE)),
    (
        "{every: {units: 3, of: care, fill: whole_set, at_most: 2}, give: {percent: 100%, to: cheapest}}",
        Every(GroupOf(3, of=CARE, fill="whole_set", at_most=2), GroupGift(percent=Fraction(1), to="cheapest")),
    ),
    (
        "{every: {units: 3}, give: {amount: 4.50, to: {position: 2}}}",
        Every(GroupOf(3), GroupGift(amount=450, to=Position(2))),
    ),
    ("{every: {units: 2}, give: {price: 10}}", Every(GroupOf(2), GroupGift(price=1000))),
    (
        "{buy_get: {buy: 2, of: care, get: 1, of_get: make-up, percent: 50%, take: dearest, at_most: 1, partial: no}}",
        BuyGet(BuyGetTerms(2, 1, CARE, MAKE_UP, Fraction(1, 2), "dearest", 1, False)),
    ),
    ("{buy_get: {buy: 1, get: 1}}", BuyGet(BuyGetTerms(1, 1, percent=Fraction(1), take="cheapest", partial=True))),
    (
        "{bundle: {of: [{units: 1, of: care}, {of: make-up}], price: 25.00, at_most: 1}}",
        Bundle(BundleTerms((BundlePart(1, CARE), BundlePart(1, MAKE_UP)), price=2500, at_most=1)),
    ),
    (
        "{tiers: {by: spend, of: care, steps: [{from: 50.00, percent: 5%}, {from: 100, amount: 15.00}], on: make-up}}",
        Tiers(TierTerms("spend", (Step(5000, percent=Fraction(1, 20)), Step(10000, amount=1500)), CARE, MAKE_UP)),
    ),
    ("{tiers: {steps: [{from: 3, amount: 2}], by: quantity}}", Tiers(TierTerms("quantity", (Step(3, amount=200),)))),
    ("{tiers: {by: spend, steps: []}}", Tiers(TierTerms("spend", ()))),
    ("{gift: {sku: S-7, name: Serum, value: 6.00, cost: 0.90}}", GiftOf(Gift("S-7", "Serum", 600, 90))),
    ("{points: {amount: 200, value: 2, cost: 1.10}}", PointsOf(Points(200, 200, 110))),
]

RANGE_ROWS: list[tuple[str, Range]] = [
    ("{category: make-up/lips}", Range(category=("make-up/lips",))),
    ("{tag: [clearance, damaged]}", Range(tag=("clearance", "damaged"))),
    ("{category: gifts, brand: [Mirabelle]}", Range(category=("gifts",), brand=("Mirabelle",))),
    ("{price: {from: 50.00, below: 200.00}}", Range(price=PriceBounds(5000, 20000))),
    ("{price: {below: 5}}", Range(price=PriceBounds(None, 500))),
    ("{not: {range: care}}", Range(not_=Range(range=(CARE,)))),
    ("{not: care}", Range(not_=CARE)),
    (
        "{any: [{range: make-up}, {sku: [A-17, A-18]}]}",
        Range(any=(Range(range=(MAKE_UP,)), Range(sku=("A-17", "A-18")))),
    ),
    ("{all: [care, {supplier: N}]}", Range(all=(CARE, Range(supplier=("N",))))),
    ("{range: [care, make-up]}", Range(range=(CARE, MAKE_UP))),
    ("{attribute: {vegan: yes, size: [S, M]}}", Range(attribute=(("vegan", ("yes",)), ("size", ("S", "M"))))),
    ("care", CARE),
]


@pytest.mark.parametrize(("text", "condition"), CONDITION_ROWS, ids=[row[0] for row in CONDITION_ROWS])
def test_a_condition_means_what_it_says(text: str, condition: object) -> None:
    assert promotion_of(more=f"when: [{{{text}}}]").when == (condition,)


def test_every_kind_of_condition_and_benefit_is_in_these_tables() -> None:
    assert {type(row[1]) for row in CONDITION_ROWS} == set(CONDITIONS.values())
    assert {type(row[1]).kind for row in BENEFIT_ROWS} == set(BENEFITS) - {"price_list"}


@pytest.mark.parametrize(("text", "benefit"), BENEFIT_ROWS, ids=[row[0] for row in BENEFIT_ROWS])
def test_a_benefit_means_what_it_says(text: str, benefit: object) -> None:
    found = promotion_of(text).benefit
    assert found == benefit
    assert found.words(2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{percent: 10%, of: care}", "10% off care"),
        ("{percent: 10%, of: care, units: {at_most: 2, take: dearest}}", "10% off care, the 2 dearest units only"),
        ("{amount: 5, units: {at_most: 1}}", "5.00 off, the cheapest unit only"),
        ("{amount: 5, each: unit, of: care}", "5.00 off each unit of care"),
        ("{amount: 5, each: line, of: care}", "5.00 off each line of care"),
        ("{unit_price: 9.99, of: care, units: {at_most: 3}}", "each unit of care for 9.99, the 3 cheapest units only"),
        ("{every: {units: 3, of: care}, give: {percent: 50%}}", "50% off the cheapest of every 3 units of care"),
        ("{every: {units: 3}, give: {percent: 50%, units: 2}}", "50% off the 2 cheapest of every 3 units"),
        ("{every: {units: 1, of: care}, give: {price: 5}}", "every unit of care for 5.00"),
    ],
)
def test_a_plain_sentence_promises_no_more_than_is_given(text: str, words: str) -> None:
    assert promotion_of(text).benefit.words(2) == words


@pytest.mark.parametrize(("text", "products"), RANGE_ROWS, ids=[row[0] for row in RANGE_ROWS])
def test_a_range_means_what_it_says(text: str, products: Range) -> None:
    assert promotion_of(f"{{percent: 10%, of: {text}}}").benefit == PercentOff(Fraction(1, 10), of=products)


PARIS_ROWS = [
    ("2026-11-01", datetime(2026, 10, 31, 23, tzinfo=UTC), "a date is its midnight"),
    ("2026-07-01T09:30", datetime(2026, 7, 1, 7, 30, tzinfo=UTC), "summer time"),
    ("2026-07-01 09:30:15", datetime(2026, 7, 1, 7, 30, 15, tzinfo=UTC), "a blank for the T"),
    ("2026-07-01T09:30Z", datetime(2026, 7, 1, 9, 30, tzinfo=UTC), "its own offset, UTC"),
    ("2026-07-01T09:30-05:00", datetime(2026, 7, 1, 14, 30, tzinfo=UTC), "its own offset"),
    ("2026-03-29T01:59:59", datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC), "the last second before the gap"),
    ("2026-03-29T02:00", datetime(2026, 3, 29, 1, tzinfo=UTC), "the first that does not exist"),
    ("2026-03-29T02:30", datetime(2026, 3, 29, 1, tzinfo=UTC), "the moment after the gap"),
    ("2026-03-29T03:00", datetime(2026, 3, 29, 1, tzinfo=UTC), "the moment after the gap by its own name"),
    ("2026-10-25T01:59", datetime(2026, 10, 24, 23, 59, tzinfo=UTC), "before the hour that comes twice"),
    ("2026-10-25T02:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "the first of two"),
    ("2026-10-25T03:00", datetime(2026, 10, 25, 2, tzinfo=UTC), "after both"),
]


@pytest.mark.parametrize(("text", "moment"), [pytest.param(*row[:2], id=row[2]) for row in PARIS_ROWS])
def test_a_moment_is_read_on_the_clocks_of_the_house(text: str, moment: datetime) -> None:
    promotion = promotion_of(more=f"from: {text}\nuntil: '{text}'")
    assert (promotion.from_, promotion.until) == (moment, moment)


@pytest.mark.parametrize(
    ("zone", "text", "moment"),
    [
        ("America/Sao_Paulo", "2018-11-04", datetime(2018, 11, 4, 3, tzinfo=UTC)),  # the day began at 01:00
        ("Pacific/Apia", "2011-12-30T12:00", datetime(2011, 12, 30, 10, tzinfo=UTC)),  # a day that never was
        ("Australia/Lord_Howe", "2026-10-04T02:15", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),  # a gap of half an hour
    ],
)
def test_a_moment_in_an_unusual_gap_is_the_one_after_it(zone: str, text: str, moment: datetime) -> None:
    house = f"policy: 1\ncurrency: EUR\ntime_zone: {zone}"
    policy = policy_of(read_files({"house.yaml": house, "p.yaml": promotion(more=f"from: {text}")}))
    assert policy.promotions[0].from_ == moment


def test_hours_may_run_past_midnight_and_end_at_midnight() -> None:
    hours = promotion_of(more='hours: ["22:00-02:00", 9:00-24:00]').hours
    assert hours == (Hours(time(22), time(2)), Hours(time(9), time(0)))


def test_a_single_word_stands_for_a_list_of_one() -> None:
    promotion = promotion_of(
        more="stores: S001\nnot_stores: S002\nchannels: till\nregions: north\nweekdays: mon\nhours: 09:00-12:00\n"
        "combines_with: loyalty\nwhen: {member: yes}\nlimits: {uses: 1, per: customer}"
    )
    assert (promotion.stores, promotion.not_stores, promotion.channels) == (("S001",), ("S002",), ("till",))
    assert (promotion.regions, promotion.weekdays) == (("north",), ("mon",))
    assert promotion.hours == (Hours(time(9), time(12)),)
    assert promotion.combines_with == ("loyalty",)
    assert promotion.when == (Member(True),)
    assert promotion.limits == (Limit(per="customer", uses=1, every="ever"),)


def test_what_is_left_out_of_a_promotion_has_its_default() -> None:
    promotion = promotion_of()
    assert (promotion.offer, promotion.stacking_class, promotion.priority) == ("ladder", "p", 100)
    assert (promotion.combines_with, promotion.when, promotion.limits) == (("none",), (), ())
    assert (promotion.cap, promotion.funded, promotion.from_, promotion.hours) == (None, Fraction(0), None, None)


def test_a_promotion_knows_where_it_was_written() -> None:
    assert str(promotion_of().place) == "spring.yaml:2:5"


def test_house_settings_that_are_left_out_have_the_defaults_of_the_page() -> None:
    house = policy_of(read_files({"h.yaml": "policy: 1\ncurrency: KWD\ntime_zone: Asia/Kuwait"})).house
    assert (house.rounding, house.percent_of, house.spend_counts) == ("half_up", "remaining", "original")
    assert (house.resolve, house.currency_digits) == ("best_for_customer", 3)
    assert (house.ladder.max_rungs, house.ladder.max_combined, house.ladder.seconds_per_offer) == (4, 3, Fraction(7))
    assert (house.ladder.min_step, house.ladder.cost_per_hour) == (None, 18_000)
    assert (house.learning.exploration, house.learning.shadow) == (Fraction(2, 100), False)
    assert (house.learning.refusal_price, house.learning.max_loss) == (Fraction(3, 100), Fraction(1, 100))
    assert (house.holdout.share, house.holdout.ladder) == (Fraction(5, 100), "full")
    assert (house.guards.max_depth, house.guards.never, house.guards.authority, house.margins) == (None, None, {}, ())


def test_house_settings_mean_what_they_say() -> None:
    text = """\
policy: 1
currency: EUR
time_zone: Europe/Paris
rounding: half_even
ladder: {max_rungs: 3, min_step: 0.50, seconds_per_offer: 7.5, cost_per_hour: 20}
guards:
  max_depth: 40%
  min_price: {of: {brand: Aurelie}, price: 40.00}
  never: {category: [gift-cards, medicines]}
  authority: {cashier: 15%, supervisor: 40}
margins:
  - {of: {category: fragrance}, rate: 38%}
  - {rate: 45%}
learning: {shadow: yes}
holdout: {ladder: none}
"""
    house = policy_of(read_files({"h.yaml": text})).house
    assert (house.rounding, house.ladder.max_rungs, house.ladder.min_step) == ("half_even", 3, 50)
    assert (house.ladder.seconds_per_offer, house.ladder.cost_per_hour) == (Fraction(15, 2), 2000)
    assert house.guards.min_price[0].price == 4000
    assert house.guards.never == Range(category=("gift-cards", "medicines"))
    assert dict(house.guards.authority) == {"cashier": Fraction(15, 100), "supervisor": Fraction(40, 100)}
    assert [margin.rate for margin in house.margins] == [Fraction(38, 100), Fraction(45, 100)]
    assert (house.learning.shadow, house.holdout.ladder) == (True, "none")


def test_ranges_and_promotions_may_stand_in_any_file() -> None:
    policy = policy_of(
        read("ranges: {shoes: {category: shoes}}", other__yaml=promotion("{percent: 10%, of: {any: [shoes, care]}}"))
    )
    assert sorted(policy.house.ranges) == ["care", "make-up", "shoes"]
    assert policy.promotions[0].benefit == PercentOff(
        Fraction(1, 10), of=Range(any=(Range(category=("shoes",), name="shoes"), CARE))
    )


def test_a_range_may_be_used_before_it_is_written() -> None:
    policy = policy_of(read("ranges:\n  all-of-it: {any: [late, care]}\n  late: {sku: Z}\n"))
    assert policy.house.ranges["all-of-it"].any == (Range(sku=("Z",), name="late"), CARE)


def test_json_loads_alike() -> None:
    as_json = '{"promotions":[{"id":"p","name":"P","benefit":{"percent":"10%"},"when":[{"spend":{"at_least":5.50}}]}]}'
    as_yaml = promotion(more="when: [spend: {at_least: 5.50}]")
    assert [p.when for p in policy_of(read(as_json)).promotions] == [
        p.when for p in policy_of(read(as_yaml)).promotions
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"\ud83c\udf81", "\U0001f381"),
        (r"a \uD83C\uDF81\u00e9\ud83d\ude00 z", "a \U0001f381\u00e9\U0001f600 z"),
        (r"\\ud83c\\udf81", r"\ud83c\udf81"),
        (r"\"\ud83c\udf81\"", '"\U0001f381"'),
    ],
    ids=["a pair", "pairs among others", "backslashes", "in quotes"],
)
def test_json_may_write_a_character_in_two_halves(written: str, meant: str) -> None:
    (promotion,) = policy_of(
        read(f'{{"promotions": [{{"id": "p", "name": "{written}", "benefit": {{"percent": 1}}}}]}}')
    ).promotions
    assert promotion.name == meant


def test_behind_a_character_in_two_halves_a_problem_is_still_told_where_it_stands() -> None:
    before = r'{"promotions": [{"id": "p", "name": "\ud83c\udf81 \ud83d\ude00", "priority": '
    problems = lines_of(read(before + '"x", "benefit": {"percent": 1}}]}'))
    assert [line.split(": ")[0] for line in problems] == [f"spring.yaml:1:{len(before) + 1}"]


@pytest.mark.parametrize("half", [r"\ud83c", r"\udf81", r"\udf81\ud83c"])
def test_half_a_character_is_refused(half: str) -> None:
    problems = lines_of(read(f'{{"promotions": [{{"id": "p", "name": "{half}", "benefit": {{"percent": 1}}}}]}}'))
    assert len(problems) == 1
    assert "invalid Unicode character" in problems[0]


def test_anchors_aliases_and_merges_save_writing() -> None:
    text = """\
promotions:
  - &first
    id: a
    name: A
    combines_with: &with [x, y]
    benefit: {percent: 10%}
  - <<: *first
    id: b
  - {id: c, name: C, benefit: {percent: 10%}, combines_with: *with}
"""
    promotions = policy_of(read(text)).promotions
    assert [(p.id, p.name, p.combines_with) for p in promotions] == [
        ("a", "A", ("x", "y")),
        ("b", "A", ("x", "y")),
        ("c", "C", ("x", "y")),
    ]


def test_empty_files_and_empty_lists_are_nothing() -> None:
    policy = policy_of(read("promotions:\nranges:\n", a__yaml="# nothing yet\n", a__examples__yaml="", b__yaml=""))
    assert (policy.promotions, policy.examples) == ((), ())


@pytest.mark.parametrize("word", ["yes", "Yes", "TRUE", "true", "'yes'", '"true"'])
def test_quoting_and_capitals_change_no_yes(word: str) -> None:
    assert promotion_of(more=f"when: [member: {word}]").when == (Member(True),)


def test_a_sentence_keeps_every_letter() -> None:
    promotion = promotion_of(more='say: {en: "Take a third, it\'s free", ru: "Третий в подарок"}')
    assert promotion.say == {"en": "Take a third, it's free", "ru": "Третий в подарок"}


def test_an_attribute_about_behaviour_is_no_personal_one() -> None:
    assert lines_of(read(promotion(more="when: [attribute: {name: packaging, is: [none]}]"))) == []
