"""Examples: a basket in a merchandiser's words becomes the basket that a till would send."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from pos_discount.basket import Customer, Line
from pos_discount.policy import Example
from pos_discount.policy.schedule import is_in_force

from .reading import lines_of, policy_of, promotion, read

EXAMPLE = "- {{name: E, {keys}, basket: [{{sku: A, price: 12.50}}], expect: {{p: 1.25}}}}"


def examples_of(text: str, more: str = "") -> tuple[Example, ...]:
    return policy_of(read(promotion(more=more), spring__examples__yaml=text)).examples


def example_of(keys: str, more: str = "") -> Example:
    return examples_of(EXAMPLE.format(keys=keys), more)[0]


def test_a_basket_becomes_what_a_till_would_send() -> None:
    text = """\
- name: a full one
  at: 2026-07-05T10:00
  store_id: S002
  cashier_id: C1
  authority: cashier
  channel: till
  region: north
  locale: ru
  coupons: AUTUMN
  claimed: [p]
  asked: yes
  payment: card
  segment: deal-hunters
  attributes: {event: run, sizes: [S, M]}
  customer: {customer_id: L-1, tier: gold, groups: staff, birthday: 11-25, visit_number: 012, last_visit_on: 2026-07-01,
             visits_90d: 3, spend_90d: 120.50, promo_share_90d: 40%, attributes: {club: run}}
  basket:
    - {sku: 012, category: care/face, price: 12.50, quantity: 2, brand: B, supplier: N, tags: new, unit_cost: 5.40,
       attributes: {vegan: yes}}
    - {sku: B, price: 3}
  expect: {p: 1.25, base: 28.00, rungs: [1.25, 2]}
"""
    (example,) = examples_of(text)
    basket = example.basket
    assert basket.lines == (
        Line("1", "012", 2, 1250, None, "care/face", "B", "N", ("new",), 540, {"vegan": "yes"}),
        Line("2", "B", 1, 300),
    )
    assert basket.customer == Customer(
        "L-1", "gold", ("staff",), "11-25", 12, date(2026, 7, 1), 3, 12050, 0.4, {"club": "run"}
    )
    assert basket.at is not None
    assert basket.at.isoformat() == "2026-07-05T10:00:00+02:00"
    assert (basket.store_id, basket.currency, basket.cashier_id, basket.authority) == ("S002", "EUR", "C1", "cashier")
    assert (basket.channel, basket.region, basket.locale, basket.payment) == ("till", "north", "ru", "card")
    assert (basket.coupons, basket.claimed, basket.asked) == (("AUTUMN",), ("p",), True)
    assert basket.attributes == {"event": "run", "sizes": ("S", "M")}
    assert (example.saving_by_promotion, example.base, example.rungs) == ({"p": 125}, 2800, (125, 200))
    assert (example.name, example.segment, str(example.place)) == (
        "a full one",
        "deal-hunters",
        "spring.examples.yaml:1:3",
    )


def test_what_an_example_leaves_out_has_its_default() -> None:
    example = example_of("at: 2026-03-10T10:00")
    assert (example.basket.store_id, example.basket.customer, example.basket.asked) == ("S001", None, False)
    assert (example.base, example.rungs, example.segment) == (None, None, None)


def test_a_customer_without_an_id_is_no_member() -> None:
    customer = example_of("customer: {tier: gold}").basket.customer
    assert customer == Customer(tier="gold")


def test_no_means_that_a_promotion_must_not_apply_and_nothing_that_it_saves_nothing() -> None:
    text = "\n".join(f"- {{name: E, basket: {{sku: A, price: 1}}, expect: {{p: {word}}}}}" for word in ("no", "0"))
    assert [example.saving_by_promotion for example in examples_of(text)] == [{"p": None}, {"p": 0}]


def test_examples_may_stand_under_a_key() -> None:
    assert len(examples_of("examples:\n  - {name: A, basket: {sku: A, price: 1}, expect: {p: no}}")) == 1


@pytest.mark.parametrize(
    ("schedule", "moment"),
    [
        ("", datetime(2026, 1, 15, 12)),
        ("from: 2026-11-01", datetime(2026, 11, 1, 12)),
        ("from: 2026-11-01T18:00", datetime(2026, 11, 2, 12)),
        ("from: 2026-11-01\nweekdays: [tue]", datetime(2026, 11, 3, 12)),
        ("hours: 22:00-02:00", datetime(2026, 1, 15, 22)),
        ("from: 2026-11-01T18:00\nuntil: 2026-11-01T20:00\nhours: 18:30-19:00", datetime(2026, 11, 1, 18, 30)),
        ("from: 2026-11-01T18:00\nuntil: 2026-11-01T20:00", datetime(2026, 11, 1, 18)),
        ("from: 2026-11-01T12:00:01\nuntil: 2026-11-02", datetime(2026, 11, 1, 12, 0, 1)),
        ("until: 2027-01-01", datetime(2026, 1, 15, 12)),
        ("until: 2025-06-30", datetime(2025, 6, 16, 12)),
        ("until: 2025-06-30\nweekdays: [sun]", datetime(2025, 6, 22, 12)),
    ],
)
def test_an_example_without_a_moment_takes_place_when_its_promotion_is_in_force(
    schedule: str, moment: datetime
) -> None:
    policy = policy_of(read(promotion(more=schedule), spring__examples__yaml=EXAMPLE.format(keys="asked: no")))
    at = policy.examples[0].basket.at
    assert at is not None
    assert at.replace(tzinfo=None) == moment
    assert is_in_force(policy.promotions[0], at.astimezone(policy.house.time_zone))


BAD_EXAMPLES = [
    ("- {name: E, basket: [{sku: A, price: 1}], expect: {q: 1}}", "1:52", "unknown promotion 'q'"),
    ("- {name: E, basket: [{sku: A, price: 1}], expect: {p: maybe}}", "1:55", "not an amount"),
    ("- {name: E, basket: [{sku: A, price: 1}], expect: [p]}", "1:51", "expected a mapping of promotion ids"),
    ("- {name: E, basket: [{sku: A, price: 1}], expect: {base: no}}", "1:58", "not an amount"),
    ("- {name: E, basket: [{sku: A, price: 1}], expect: {rungs: [x]}}", "1:60", "not an amount"),
    ("- {name: E, basket: [{sku: A, price: 1}]}", "1:3", "'expect' is missing"),
    ("- {name: E, expect: {}}", "1:3", "'basket' is missing"),
    ("- {name: E, basket: [], expect: {}}", "1:21", "no till could send this: lines: expected at least one line"),
    (
        "- {name: E, basket: [{sku: A, price: 1}], customer: {birthday: 1990-11-25}, expect: {}}",
        "1:53",
        "customer.birthday: expected month and day, such as 11-25",
    ),
    ("- {name: E, basket: [{sku: A}], expect: {}}", "1:22", "'price' is missing"),
    ("- {name: E, basket: [{sku: A, prize: 1, price: 1}], expect: {}}", "1:31", "did you mean 'price'?"),
    ("- {name: E, basket: [{sku: A, price: 1, quantity: 0}], expect: {}}", "1:51", "from 1"),
    ("- {name: E, basket: [{sku: A, price: 1, quantity: 9999999}], expect: {}}", "1:21", "no till could send this"),
    ("- {name: E, customer: {birthday: 02-30}, basket: [{sku: A, price: 1}], expect: {}}", "1:50", "MM-DD"),
    ("- {name: E, customer: {age: 30}, basket: [{sku: A, price: 1}], expect: {}}", "1:24", "unknown key 'age'"),
    ("- {name: E, customer: {attributes: {age: 30}}, basket: [{sku: A, price: 1}], expect: {}}", "1:3", "person's age"),
    ("- {name: E, basket: [{sku: A, price: 1, line_id: 2}, {sku: B, price: 1}], expect: {}}", "1:21", "line_id"),
    ("- {name: E, at: today, basket: [{sku: A, price: 1}], expect: {}}", "1:17", "not a date"),
    ("examples: []\nmore: []", "2:1", "expected 'examples' alone"),
    ("name: E", "1:1", "expected a list of examples"),
]


@pytest.mark.parametrize(("text", "place", "words"), BAD_EXAMPLES, ids=[row[0] for row in BAD_EXAMPLES])
def test_a_wrong_example_is_refused_where_it_stands(text: str, place: str, words: str) -> None:
    problems = lines_of(read(promotion(), spring__examples__yaml=text))
    assert len(problems) == 1
    assert problems[0].startswith(f"spring.examples.yaml:{place}: ")
    assert words in problems[0]


def test_examples_of_a_promotion_that_cannot_be_read_are_not_blamed_for_it() -> None:
    examples = EXAMPLE.format(keys="asked: no") + "\n" + EXAMPLE.format(keys="asked: x")
    problems = lines_of(read(promotion("{percent: ten}"), spring__examples__yaml=examples))
    assert [line.split(": ")[0] for line in problems] == ["spring.examples.yaml:2:20", "spring.yaml:4:24"]


SCHEDULE_ROWS = [
    ("hours: 09:00-12:00", "2026-03-10T08:59:59", False),
    ("hours: 09:00-12:00", "2026-03-10T09:00", True),
    ("hours: 09:00-12:00", "2026-03-10T11:59:59", True),
    ("hours: 09:00-12:00", "2026-03-10T12:00", False),
    ("hours: 09:00-24:00", "2026-03-10T23:59", True),
    ("hours: 09:00-24:00", "2026-03-11T00:00", False),
    ("weekdays: tue\nhours: 22:00-02:00", "2026-03-10T22:00", True),
    ("weekdays: tue\nhours: 22:00-02:00", "2026-03-11T01:59", True),
    ("weekdays: tue\nhours: 22:00-02:00", "2026-03-11T02:00", False),
    ("weekdays: tue\nhours: 22:00-02:00", "2026-03-10T01:00", False),
    ("weekdays: tue", "2026-03-11T01:00", False),
    ("from: 2026-03-10\nuntil: 2026-03-11", "2026-03-09T23:59", False),
    ("from: 2026-03-10\nuntil: 2026-03-11", "2026-03-10T00:00", True),
    ("from: 2026-03-10\nuntil: 2026-03-11", "2026-03-10T23:59", True),
    ("from: 2026-03-10\nuntil: 2026-03-11", "2026-03-11T00:00", False),
]


@pytest.mark.parametrize(("schedule", "clock", "holds"), SCHEDULE_ROWS)
def test_a_schedule_holds_from_its_first_moment_to_just_before_its_last(schedule: str, clock: str, holds: bool) -> None:
    policy = policy_of(read(promotion(more=schedule)))
    at = datetime.fromisoformat(clock).replace(tzinfo=policy.house.time_zone)
    assert is_in_force(policy.promotions[0], at) == holds


def test_a_promotion_that_ends_in_the_hour_that_comes_twice_ends_in_the_first_of_them() -> None:
    promotion_ = policy_of(read(promotion(more="until: 2026-10-25T02:30"))).promotions[0]
    zone = policy_of(read("")).house.time_zone
    first = datetime(2026, 10, 25, 2, 30, tzinfo=zone)
    assert is_in_force(promotion_, first - timedelta(minutes=1))
    assert not is_in_force(promotion_, first)
    assert not is_in_force(promotion_, datetime(2026, 10, 25, 2, 15, fold=1, tzinfo=zone))
