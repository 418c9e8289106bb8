"""The basket as a till sends it, validated once at the edge into a value that cannot be wrong.

The types carry the limits that the API promises (lengths, signs, patterns), so the same declarations validate a body,
make the OpenAPI document and are what the core computes with. What types can't say (line ids are unique, a line's
worth fits) is said by `basket_problems`. By the time a basket reaches the core its ``customer_id`` is a pseudonym:
the core never sees the real one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta

Identifier = Annotated[str, Meta(min_length=1, max_length=128)]
Word = Annotated[str, Meta(max_length=256)]
MINOR_UNITS = "Minor units of the house's currency; 1250 is 12.50 EUR."
Amount = Annotated[int, Meta(ge=0, le=10**12, description=MINOR_UNITS)]
Moment = Annotated[datetime, Meta(tz=True, description="RFC 3339 with an offset.")]
AttributeValue = str | int | float | bool | None | Annotated[tuple[str, ...], Meta(max_length=100)]
Attributes = Annotated[dict[Word, AttributeValue], Meta(max_length=100)]
Words = Annotated[tuple[Word, ...], Meta(max_length=200)]

MOST_LINE_TOTAL = 10**15
EARLIEST, LATEST = datetime(1000, 1, 1, tzinfo=UTC), datetime(9000, 12, 31, tzinfo=UTC)
"""A sale happens between these, and so do the beginnings and ends of promotions."""


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One line of the basket: ``quantity`` units of one product at one list price."""

    line_id: Identifier
    sku: Identifier
    quantity: Annotated[int, Meta(ge=1, le=10**6)]
    unit_price: Amount
    name: Word | None = None
    category: Word | None = None
    brand: Word | None = None
    supplier: Word | None = None
    tags: Words | None = None
    unit_cost: Amount | None = None
    attributes: Attributes = {}


class Customer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the till knows of a customer; what it leaves out the service fills in from earlier outcomes."""

    customer_id: Identifier | None = None
    tier: Word | None = None
    groups: Words = ()
    birthday: Annotated[str, Meta(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$", max_length=5)] | None = None
    visit_number: Annotated[int, Meta(ge=1, le=10**9)] | None = None
    last_visit_on: date | None = None
    visits_90d: Annotated[int, Meta(ge=0, le=10**9)] | None = None
    spend_90d: Annotated[int, Meta(ge=0, le=10**15, description=MINOR_UNITS)] | None = None
    promo_share_90d: Annotated[float, Meta(ge=0, le=1)] | None = None
    attributes: Attributes = {}


class Basket(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One request for a decision: what is bought, where, by whom, and what the customer presented."""

    store_id: Identifier
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217; the house's own.")]
    lines: Annotated[tuple[Line, ...], Meta(min_length=1, max_length=1000)]
    till_id: Identifier | None = None
    cashier_id: Identifier | None = None
    authority: Identifier | None = None
    sale_id: Identifier | None = None
    at: Moment | None = None
    channel: Word | None = None
    region: Word | None = None
    locale: Annotated[str, Meta(max_length=35)] | None = None
    coupons: Words = ()
    claimed: Words = ()
    asked: bool = False
    payment: Word | None = None
    attributes: Attributes = {}
    customer: Customer | None = None


class BasketProblem(NamedTuple):
    """One thing wrong with a basket: a JSON pointer to it, a stable code and a sentence."""

    pointer: str
    code: str
    detail: str


def moment_of(basket: Basket, now: datetime) -> datetime:
    """Return when a sale happens: by the till's clock, whatever it shows, or by the server's where it says nothing.

    At the ends of the calendar a moment has no date in some time zones: a clock that shows one counts as the nearest
    that has a date everywhere.
    """
    if basket.at is None:
        return now
    if basket.at.year < EARLIEST.year:
        return EARLIEST
    return LATEST if basket.at.year > LATEST.year else basket.at


def basket_problems(basket: Basket) -> Iterator[BasketProblem]:
    """Yield what the types alone can't refuse: repeated line ids, giant lines, days off the calendar."""
    seen: set[str] = set()
    for position, line in enumerate(basket.lines):
        if line.line_id in seen:
            yield BasketProblem(f"/lines/{position}/line_id", "duplicate", "expected a line_id that no other line has")
        seen.add(line.line_id)
        if line.quantity * line.unit_price > MOST_LINE_TOTAL:
            yield BasketProblem(f"/lines/{position}", "too_large", f"expected a line worth at most {MOST_LINE_TOTAL}")
    birthday = basket.customer.birthday if basket.customer else None
    if birthday and int(birthday[3:]) > _days_of_month(int(birthday[:2])):
        yield BasketProblem("/customer/birthday", "not_a_day", "expected a day of the year as MM-DD, such as 11-25")


def _days_of_month(month: int) -> int:
    return {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}.get(month, 31)


Arm = Literal["ladder", "holdout"]
Reaction = Literal["accepted", "declined", "walked", "ignored"]
Result = Literal["accepted", "bought_at_base", "left", "not_offered", "cancelled"]
SALES: frozenset[Result] = frozenset({"accepted", "bought_at_base", "not_offered"})
"""Results by which something was sold: what can be cancelled, and returned."""
